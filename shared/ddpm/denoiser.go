package ddpm

import (
	"fmt"
	"math"

	"mppm/shared/nn"
	"mppm/shared/safetensors"
)

// The net is told the time as sines and cosines of (π/2)·2^k·t/T: the slow ones
// order all steps, the fast ones tell neighbors apart.
const (
	octaves = 8
	// TimeFeatures is how many numbers the time is told as.
	TimeFeatures = 2 * octaves
)

// Features writes to dst (TimeFeatures numbers) what the net is told of a time
// in [0, 1].
func Features(dst []float32, time float64) {
	// By series and by doubling the angle: math.Sin need not give the same bits
	// everywhere.
	angle := float64(time * (math.Pi / 2))
	square := float64(angle * angle)
	const terms = 12 // the next term is below 2^-53
	s, c := 0.0, 0.0
	for k := terms; k > 0; k-- {
		s = float64(square / float64(2*k*(2*k+1)) * (1 - s))
		c = float64(square / float64((2*k-1)*2*k) * (1 - c))
	}
	s, c = angle*(1-s), 1-c
	for k := range octaves {
		dst[2*k], dst[2*k+1] = float32(s), float32(c)
		s, c = float64(2*s*c), float64(c*c)-float64(s*s)
	}
}

// Spec names one tensor of a denoiser and gives its shape.
type Spec struct {
	Name  string
	Shape []int
}

// Specs lists the parameters of the denoiser of points of dim dimensions with
// the given hidden widths, each weight [out, in] with its bias after it. The
// first layer's input is a point and the features of the time.
func Specs(dim int, hidden []int) []Spec {
	var s []Spec
	in := dim + TimeFeatures
	for i, out := range append(append([]int(nil), hidden...), dim) {
		s = append(s, Spec{fmt.Sprintf("denoiser.%d.weight", i), []int{out, in}}, Spec{fmt.Sprintf("denoiser.%d.bias", i), []int{out}})
		in = out
	}
	return s
}

// Bounds of the layers of a denoiser read from a file.
const (
	maxLayers = 16
	maxWidth  = 4096
)

// Denoiser is a net that predicts noise: linear layers with SiLU between. It is
// immutable and safe for concurrent use.
type Denoiser struct {
	dim, width int
	layers     []*nn.Linear
}

// Load reads the denoiser of points of dim dimensions from a file, whatever else
// it holds. It returns an error that says which tensor is wrong.
func Load(f *safetensors.File, dim int) (*Denoiser, error) {
	d := &Denoiser{dim: dim, width: dim + TimeFeatures}
	in := d.width
	for i := 0; ; i++ {
		name := fmt.Sprintf("denoiser.%d", i)
		t, ok := f.Lookup(name + ".weight")
		if !ok && i > 0 {
			break
		}
		if !ok {
			return nil, fmt.Errorf("tensor %s.weight is missing", name)
		}
		if i == maxLayers || len(t.Shape) != 2 || t.Shape[0] < 1 || t.Shape[0] > maxWidth {
			return nil, fmt.Errorf("tensor %s.weight has shape %v; want [out, in] with out from 1 to %d, in at most %d layers", name, t.Shape, maxWidth, maxLayers)
		}
		out := t.Shape[0]
		w, err := f.Float32(name+".weight", out, in)
		if err != nil {
			return nil, err
		}
		b, err := f.Float32(name+".bias", out)
		if err != nil {
			return nil, err
		}
		l, err := nn.NewLinear(in, out, w, b)
		if err != nil {
			return nil, err
		}
		d.layers = append(d.layers, l)
		d.width = max(d.width, out)
		in = out
	}
	if in != dim {
		return nil, fmt.Errorf("tensor denoiser.%d.weight has %d rows; the last layer has one for each of the %d dimensions", len(d.layers)-1, in, dim)
	}
	return d, nil
}

// Runner computes with a denoiser. It is a Predictor, holds the workspaces of
// the layers and is not safe for concurrent use.
type Runner struct {
	*Denoiser
	batch int
	ws    nn.Workspace
	a, b  []float32
}

// Runner returns a runner that computes at most batch ≥ 1 points at a time.
func (d *Denoiser) Runner(batch int) *Runner {
	batch = max(batch, 1)
	return &Runner{Denoiser: d, batch: batch, a: make([]float32, batch*d.width), b: make([]float32, batch*d.width)}
}

// Dim returns the number of coordinates of a point.
func (d *Denoiser) Dim() int { return d.dim }

// Predict is that of Predictor.
func (r *Runner) Predict(noise, x []float32, time float64) {
	var features [TimeFeatures]float32
	Features(features[:], time)
	for n := len(x) / r.dim; n > 0; n = len(x) / r.dim {
		n = min(n, r.batch)
		in, out := r.a, r.b
		for i := range n {
			row := in[i*(r.dim+TimeFeatures):]
			copy(row[:r.dim], x[i*r.dim:])
			copy(row[r.dim:], features[:])
		}
		for i, l := range r.layers {
			if i == len(r.layers)-1 {
				l.Forward(noise, in, n, &r.ws)
				break
			}
			l.Forward(out, in, n, &r.ws)
			nn.SiLU.Apply(out[:n*l.Out], out[:n*l.Out], &r.ws)
			in, out = out, in
		}
		x, noise = x[n*r.dim:], noise[n*r.dim:]
	}
}
