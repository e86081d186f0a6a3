package mppm

import (
	"fmt"

	"mppm/shared/nn"
	"mppm/shared/safetensors"
)

// Spec names one tensor of a model file and gives its shape.
type Spec struct {
	Name  string
	Shape []int
}

// The nets of a file. Those of the baseline have the shapes of the model's.
const (
	Encoder    = "encoder"     // F
	Decoder    = "decoder"     // G
	Distance   = "distance"    // D
	DAEEncoder = "dae.encoder" // of the denoising autoencoder
	DAEDecoder = "dae.decoder"
)

// Specs lists the parameters of a net from in numbers to out with the given
// hidden widths: for each layer the weight [out, in] and its bias.
func Specs(net string, in int, hidden []int, out int) []Spec {
	var s []Spec
	for i, w := range append(append([]int(nil), hidden...), out) {
		s = append(s, Spec{fmt.Sprintf("%s.%d.weight", net, i), []int{w, in}}, Spec{fmt.Sprintf("%s.%d.bias", net, i), []int{w}})
		in = w
	}
	return s
}

// Bounds of the nets read from a file.
const (
	maxLayers = 16
	maxWidth  = 4096
)

// net is a chain of linear layers with an activation between. It is immutable.
type net struct {
	layers []*nn.Linear
	act    nn.Activation
	width  int // of the widest layer, the input included
}

// loadNet reads the net of that name from in numbers to out; 0 takes the number
// from the file.
func loadNet(f *safetensors.File, name string, in, out int, act nn.Activation) (*net, error) {
	n := &net{act: act, width: in}
	for i := 0; ; i++ {
		layer := fmt.Sprintf("%s.%d", name, i)
		t, ok := f.Lookup(layer + ".weight")
		if !ok && i > 0 {
			break
		}
		if !ok {
			return nil, fmt.Errorf("tensor %s.weight is missing", layer)
		}
		if i == maxLayers || len(t.Shape) != 2 || min(t.Shape[0], t.Shape[1]) < 1 || max(t.Shape[0], t.Shape[1]) > maxWidth {
			return nil, fmt.Errorf("tensor %s.weight has shape %v; want [out, in], each from 1 to %d, in at most %d layers", layer, t.Shape, maxWidth, maxLayers)
		}
		rows := t.Shape[0]
		if in == 0 {
			in = t.Shape[1]
		}
		w, err := f.Float32(layer+".weight", rows, in)
		if err != nil {
			return nil, err
		}
		b, err := f.Float32(layer+".bias", rows)
		if err != nil {
			return nil, err
		}
		l, err := nn.NewLinear(in, rows, w, b)
		if err != nil {
			return nil, err
		}
		n.layers = append(n.layers, l)
		n.width = max(n.width, in, rows)
		in = rows
	}
	if out > 0 && in != out {
		return nil, fmt.Errorf("tensor %s.%d.weight has %d rows; the last layer of that net has %d", name, len(n.layers)-1, in, out)
	}
	return n, nil
}

func (n *net) in() int  { return n.layers[0].In }
func (n *net) out() int { return n.layers[len(n.layers)-1].Out }

// chain computes with a net: it holds what each layer puts out. It is not safe
// for concurrent use.
type chain struct {
	*net
	ws     *nn.Workspace
	hidden [][]float32 // each layer's output before activation
	a, b   []float32
}

func (n *net) chain(batch int, ws *nn.Workspace) *chain {
	c := &chain{net: n, ws: ws, a: make([]float32, batch*n.width), b: make([]float32, batch*n.width)}
	for _, l := range n.layers {
		c.hidden = append(c.hidden, make([]float32, batch*l.Out))
	}
	return c
}

// forward returns the net's outputs at n inputs x, at most the chain's batch. The
// slice is the chain's own.
func (c *chain) forward(x []float32, n int) []float32 {
	var h []float32
	for i, l := range c.layers {
		if i > 0 {
			x = c.a[:len(h)]
			copy(x, h)
			c.act.Apply(x, x, c.ws)
		}
		h = c.hidden[i][:n*l.Out]
		l.Forward(h, x, n, c.ws)
	}
	return h
}

// gradient writes to grad (n × in) the gradient of the net's one output at the n
// inputs of the last forward: transposed weights and the activation's
// derivatives, in turn.
func (c *chain) gradient(grad []float32, n int) {
	g, next := c.a, c.b
	for i := range n {
		g[i] = 1
	}
	for i := len(c.layers) - 1; i > 0; i-- {
		l := c.layers[i]
		l.Back(next, g, n, c.ws)
		c.act.Derive(next[:n*l.In], next[:n*l.In], c.hidden[i-1][:n*l.In], c.ws)
		g, next = next, g
	}
	c.layers[0].Back(grad, g, n, c.ws)
}
