package scale

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"mppm/shared/model"
	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/trainer/internal/graph"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/train"
)

// Widths of the nets of Table 9.
const (
	colors     = 3
	bottleneck = 1024
)

var blocks = []int{32, 64, 128, 256} // channels of the encoder's blocks

// step is the graph of a training step, with data in its inputs.
type step struct {
	params []*optim.Parameter
	loss   []float32 // what the step kept; the first is a part of the loss at least
}

func (s *step) graph() *gorgonia.ExprGraph { return s.params[0].Node.Graph() }

// newStep builds the graph of a cell.
func newStep(c Cell) (*step, error) {
	switch {
	case c.Net == UNet:
		return unet(c.Side, c.Batch)
	case c.Side != model.Side:
		return autoencoder(c.Side, c.Batch)
	}
	config := train.Default()
	if c.Net == DAE {
		config = train.DefaultDAE()
	}
	config.Batch = c.Batch
	s, err := train.NewStep(config)
	if err != nil {
		return nil, err
	}
	fill(s.Clean, s.Noisy)
	return &step{s.Params, s.Terms}, nil
}

// fill draws images, and the same with noise.
func fill(clean, noisy []float32) {
	r := rng.New(1, 0)
	for i := range clean {
		clean[i] = r.Float32()
	}
	r.FillNorm(noisy, 0.4)
	for i, v := range clean {
		noisy[i] += v
	}
}

// net is a net under construction. It remembers the first error.
type net struct {
	n      int // images
	g      *gorgonia.ExprGraph
	params []*optim.Parameter
	err    error
}

type node = *gorgonia.Node

func (b *net) do(f func() (node, error)) node {
	if b.err != nil {
		return nil
	}
	x, err := f()
	b.err = err
	return x
}

// layer adds the parameters of a layer, and returns their nodes. The weight of a layer comes before
// its bias, as optim.NewParameters has it.
func (b *net) layer(name string, shape ...int) (w, bias node) {
	specs := []optim.Spec{{Name: name + ".weight", Shape: shape}, {Name: name + ".bias", Shape: shape[:1]}}
	p := optim.NewParameters(1, uint64(len(b.params)), specs)
	for _, p := range p {
		p.AddTo(b.g)
	}
	b.params = append(b.params, p...)
	return p[0].Node, p[1].Node
}

func (b *net) activate(f nn.Activation, x node) node {
	return b.do(func() (node, error) { return graph.Activate(f, x) })
}

func (b *net) linear(name string, x node, in, out int) node {
	w, bias := b.layer(name, out, in)
	return b.do(func() (node, error) { return graph.Linear(x, w, bias) })
}

func (b *net) conv(name string, g nn.Geometry, x node, out int) node {
	w, bias := b.layer(name, out, g.Side, g.Side, g.C)
	return b.do(func() (node, error) { return graph.Conv(g, x, w, bias) })
}

// data is conv of a net's input.
func (b *net) data(name string, g nn.Geometry, x node, out int) node {
	w, bias := b.layer(name, out, g.Side, g.Side, g.C)
	return b.do(func() (node, error) { return graph.ConvOfData(g, x, w, bias) })
}

func (b *net) deconv(name string, g nn.Geometry, x node, in int) node {
	w, bias := b.layer(name, g.C, g.Side, g.Side, in)
	return b.do(func() (node, error) { return graph.ConvTranspose(g, x, w, bias) })
}

// norm is batch norm and the activation after it.
func (b *net) norm(name string, x node, c int) node {
	gamma, beta := b.layer(name, c)
	for i := range c {
		b.params[len(b.params)-2].Data[i], b.params[len(b.params)-1].Data[i] = 1, 0
	}
	return b.activate(nn.ReLU, b.do(func() (node, error) {
		y, _, _, err := graph.BatchNorm(x, gamma, beta)
		return y, err
	}))
}

// build returns the step of a net that is to make clean images of noisy ones, by
// their squared error. pixels are the numbers of an image.
func build(n, pixels int, f func(b *net, x node) node) (*step, error) {
	b := &net{n: n, g: gorgonia.NewGraph()}
	clean, noisy := make([]float32, n*pixels), make([]float32, n*pixels)
	fill(clean, noisy)
	y := f(b, optim.Matrix(b.g, "noisy", n, pixels, noisy))
	x := optim.Matrix(b.g, "clean", n, pixels, clean)
	kept := make([]float32, 1)
	loss := b.do(func() (node, error) { return graph.SquaredError(y, x) })
	b.do(func() (node, error) { return nil, graph.Keep("loss", loss, kept) })
	if b.err == nil {
		b.err = optim.Differentiate(loss, b.params)
	}
	if b.err != nil {
		return nil, fmt.Errorf("scale: %w", b.err)
	}
	return &step{b.params, kept}, nil
}

// autoencoder is F and G of Table 8 for gray images of any side: its convolutions
// as they are, its linear layers as wide as what these leave of the image.
func autoencoder(side, n int) (*step, error) {
	outer := nn.Halving(side, side, 1)
	inner := nn.Halving(outer.OH, outer.OW, 32)
	flat := inner.OH * inner.OW * 64
	return build(n, side*side, func(b *net, x node) node {
		h := b.activate(nn.ReLU, b.data("encoder.conv1", outer, x, 32))
		h = b.activate(nn.ReLU, b.conv("encoder.conv2", inner, h, 64))
		z := b.linear("encoder.linear", h, flat, model.Latent)
		h = b.activate(nn.ReLU, b.linear("decoder.linear", z, model.Latent, flat))
		h = b.activate(nn.ReLU, b.deconv("decoder.deconv1", inner, h, 64))
		return b.activate(nn.Sigmoid, b.deconv("decoder.deconv2", outer, h, 32))
	})
}

// three is the place of a kernel of 3×3 pixels, whose result is as large as its
// input.
func three(side, c int) nn.Geometry {
	return nn.Geometry{H: side, W: side, OH: side, OW: side, C: c, Side: 3, Stride: 1, Pad: 1}
}

// two is the place of a kernel of 2×2 pixels, each beside the last: that of pooling
// from side, and of the transposed convolution to it. Of an odd side one row and
// one column are under no kernel.
func two(side, c int) nn.Geometry {
	return nn.Geometry{H: side, W: side, OH: side / 2, OW: side / 2, C: c, Side: 2, Stride: 2}
}

// unet is the U-Net of Table 9 for color images of any side from 16 on, with its
// skip connections, which are taken before pooling: 15×15 is what the first block
// of its decoder makes of images of 120×120. LeakyReLU is ReLU here: the work is
// the same.
func unet(side, n int) (*step, error) {
	return build(n, side*side*colors, func(b *net, x node) node {
		type skip struct {
			x    node
			side int
		}
		var skips []skip
		in := colors
		for i, out := range blocks {
			name := fmt.Sprintf("encoder.%d", i)
			if i == 0 {
				x = b.data(name+".conv1", three(side, in), x, out)
			} else {
				x = b.conv(name+".conv1", three(side, in), x, out)
			}
			x = b.norm(name+".norm1", x, out)
			x = b.norm(name+".norm2", b.conv(name+".conv2", three(side, out), x, out), out)
			skips = append(skips, skip{x, side})
			pool, from := two(side, out), x
			x = b.do(func() (node, error) { return graph.MaxPool(pool, from) })
			in, side = out, side/2
		}
		flat := side * side * in
		z := b.activate(nn.ReLU, b.linear("encoder.linear", x, flat, bottleneck))
		x = b.linear("decoder.linear", z, bottleneck, flat)
		for i := len(blocks) - 1; i >= 0; i-- {
			name, s := fmt.Sprintf("decoder.%d", i), skips[i]
			in := blocks[i]
			out := blocks[max(i-1, 0)]
			up := b.deconv(name+".deconv", two(s.side, in), x, in)
			x = b.do(func() (node, error) { return graph.Concatenate(s.side*s.side, up, s.x) })
			x = b.norm(name+".norm1", b.conv(name+".conv1", three(s.side, 2*in), x, in), in)
			x = b.norm(name+".norm2", b.conv(name+".conv2", three(s.side, in), x, out), out)
		}
		return b.activate(nn.Sigmoid, b.conv("decoder.out", three(skips[0].side, blocks[0]), x, colors))
	})
}
