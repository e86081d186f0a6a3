package ddpm

import (
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

// Net is the denoiser of points of dim dimensions with the given hidden widths:
// linear layers with SiLU between. Its input is a point and the features of the
// time, its output the noise.
func Net(dim int, hidden []int) (*nn.Net, error) {
	return nn.MLP("denoiser", dim+TimeFeatures, hidden, dim, nn.SiLU)
}

// Denoiser is a net that predicts noise. It is immutable and safe for concurrent
// use.
type Denoiser struct{ net *nn.Function }

// Load reads the denoiser of points of dim dimensions from a file, whatever else
// it holds. It returns an error that says which tensor is wrong.
func Load(f *safetensors.File, dim int) (*Denoiser, error) {
	net, err := nn.LoadMLP(f, "denoiser", dim+TimeFeatures, dim, nn.SiLU)
	if err != nil {
		return nil, err
	}
	return &Denoiser{net}, nil
}

// Runner computes with a denoiser. It is a Predictor, holds the workspaces of
// the layers and is not safe for concurrent use.
type Runner struct {
	*Denoiser
	run   *nn.Runner
	batch int
	in    []float32
}

// Runner returns a runner that computes at most batch ≥ 1 points at a time.
func (d *Denoiser) Runner(batch int) *Runner {
	batch = max(batch, 1)
	return &Runner{d, d.net.Runner(batch), batch, make([]float32, batch*d.net.In().Size())}
}

// Dim returns the number of coordinates of a point.
func (d *Denoiser) Dim() int { return d.net.Out().Size() }

// Predict is that of Predictor.
func (r *Runner) Predict(noise, x []float32, time float64) {
	var features [TimeFeatures]float32
	Features(features[:], time)
	dim, width := r.Dim(), r.net.In().Size()
	for n := len(x) / dim; n > 0; n = len(x) / dim {
		n = min(n, r.batch)
		for i := range n {
			row := r.in[i*width : (i+1)*width]
			copy(row, x[i*dim:(i+1)*dim])
			copy(row[dim:], features[:])
		}
		r.run.Forward(noise, r.in[:n*width])
		x, noise = x[n*dim:], noise[n*dim:]
	}
}
