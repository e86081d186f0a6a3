package nn

import (
	"fmt"

	"mppm/shared/gemm"
	"mppm/shared/vec"
)

// convTranspose computes a ConvTranspose: it takes the smaller images of a
// Geometry, with in channels, to the larger ones, with C channels.
type convTranspose struct {
	Geometry
	in     int
	weight *gemm.Packed // in × Patch, and up to whole panels; nil where there are taps
	bias   []float32
	taps   []*gemm.Packed // in × C for each pixel of the kernel
	parts  []part         // of the larger image
}

// part is pixels of the larger image that lie under the same pixels of kernels: with a
// stride of 2 every second one of every second row, but for those at the edges.
type part struct {
	pixels []int32 // their numbers
	under  []int32 // the pixel of the smaller image whose kernel the first tap is of, for each
	taps   []tap   // in the order in which they are added up
}

// tap is a pixel of a kernel, and how many pixels of the smaller image its own is behind
// that of the part's first tap.
type tap struct{ number, behind int }

func newConvTranspose(g Geometry, in int, weight, bias []float32) (*convTranspose, error) {
	if len(weight) != in*g.Patch() || len(bias) != g.C {
		return nil, fmt.Errorf("transposed convolution %d → %d: %d weights and %d biases; want %d and %d", in, g.C, len(weight), len(bias), in*g.Patch(), g.C)
	}
	c := &convTranspose{Geometry: g, in: in, bias: append([]float32(nil), bias...)}
	if gemm.Gathers() && g.C >= few {
		c.byTaps(weight)
	} else {
		c.byPatches(weight)
	}
	return c, nil
}

// byPatches packs the weights for a product that makes whole patches. A row of patches
// holds the channel last; the weight holds it first.
func (c *convTranspose) byPatches(weight []float32) {
	taps, width := c.Side*c.Side, c.Patch()
	if gemm.Gathers() {
		width = (width + 7) &^ 7 // whole panels need not be copied
	}
	w := make([]float32, c.in*width)
	for k := range c.C {
		for t := range taps {
			for i := range c.in {
				w[i*width+t*c.C+k] = weight[(k*taps+t)*c.in+i]
			}
		}
	}
	c.weight = gemm.Pack(gemm.Rows(w, width), c.in, width)
}

// byTaps packs the weights for a product for each pixel of the kernel.
func (c *convTranspose) byTaps(weight []float32) {
	taps := c.Side * c.Side
	for t := range taps {
		c.taps = append(c.taps, gemm.Pack(gemm.View{Data: weight[t*c.in:], Row: 1, Col: taps * c.in}, c.in, c.C))
	}
	c.parts = c.Geometry.parts()
}

// few is how many channels are too few for a product of each tap by itself.
const few = 8

// parts cuts the larger image into parts.
func (g Geometry) parts() []part {
	// A line is the taps over a place along one side, from the first kernel to the last, and
	// which kernel that is.
	type line struct {
		taps  []int
		first int
	}
	along := func(n, kernels int) (lines []line) {
		for at := range n {
			var l line
			for k := range kernels {
				if t := at + g.Pad - k*g.Stride; t >= 0 && t < g.Side {
					if len(l.taps) == 0 {
						l.first = k
					}
					l.taps = append(l.taps, t)
				}
			}
			lines = append(lines, l)
		}
		return lines
	}
	rows, cols := along(g.H, g.OH), along(g.W, g.OW)
	var parts []part
	number := map[string]int{}
	for y, r := range rows {
		for x, c := range cols {
			key := fmt.Sprint(r.taps, c.taps)
			i, ok := number[key]
			if !ok {
				i = len(parts)
				number[key] = i
				var p part
				for ky, v := range r.taps {
					for kx, u := range c.taps {
						p.taps = append(p.taps, tap{v*g.Side + u, ky*g.OW + kx})
					}
				}
				parts = append(parts, p)
			}
			p := &parts[i]
			p.pixels = append(p.pixels, int32(y*g.W+x))
			p.under = append(p.under, int32(r.first*g.OW+c.first))
		}
	}
	return parts
}

// forward writes to y (n × H × W × C) the transposed convolution of
// x (n × OH × OW × in).
func (c *convTranspose) forward(y, x []float32, n int, ws *Workspace) {
	c.activate(y, x, n, Identity, ws)
}

func (c *convTranspose) activate(y, x []float32, n int, act Activation, ws *Workspace) {
	out := c.H * c.W * c.C
	if c.taps != nil {
		step := max(1, unfolded/out)
		for i := 0; i < n; i += step {
			m := min(step, n-i)
			c.gather(y[i*out:(i+m)*out], x[i*c.OH*c.OW*c.in:], m, act == ReLU, ws)
			act.after(y[i*out:(i+m)*out], ws)
		}
		return
	}
	width := c.weight.N
	c.strips(n, c.OW*width, func(first, images, lo, hi int) {
		each := (hi - lo) * c.OW
		if lo == 0 {
			vec.Repeat(y[first*out:(first+images)*out], c.bias)
		}
		cols := ws.Columns(images * each * width)
		ws.Gemm.MulPacked(cols, width, images*each, gemm.Rows(x[(first*c.OH+lo)*c.OW*c.in:], c.in), c.weight, false)
		for i := range images {
			c.scatter(y[(first+i)*out:(first+i+1)*out], cols[i*each*width:], width, lo, hi, 0, c.H)
		}
		if hi == c.OH && act != Identity {
			act.Apply(y[first*out:(first+images)*out], y[first*out:(first+images)*out], ws)
		}
	})
}

// gather computes n images part by part: for each tap, the products of its weights with
// the pixels under it, which are added to the larger image as they are complete.
func (c *convTranspose) gather(y, x []float32, n int, relu bool, ws *Workspace) {
	for _, p := range c.parts {
		ws.places(n, p.under, c.OH*c.OW*c.in, c.in, p.pixels, c.H*c.W*c.C, c.C)
		g := gemm.Gather{C: y, From: ws.from, To: ws.to, Runs: 1, Run: c.in, Start: gemm.AddBias, Bias: c.bias}
		for k, t := range p.taps {
			g.A, g.ReLU = x[t.behind*c.in:], relu && k == len(p.taps)-1
			ws.Gemm.MulGather(g, c.taps[t.number])
			g.Start = gemm.AddC
		}
		if len(p.taps) == 0 { // a pixel that no kernel reaches
			for _, at := range ws.to {
				copy(y[at:], c.bias)
				if relu {
					vec.ReLU(y[at:int(at)+c.C], c.bias)
				}
			}
		}
	}
}
