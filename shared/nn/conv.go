package nn

import (
	"fmt"

	"mppm/shared/gemm"
)

// conv computes a Conv.
type conv struct {
	Geometry
	out    int
	weight *gemm.Packed // Patch × out
	bias   []float32
	parts  []covered // where products gather: what its images are cut into
}

func newConv(g Geometry, out int, weight, bias []float32) (*conv, error) {
	if len(weight) != out*g.Patch() || len(bias) != out {
		return nil, fmt.Errorf("convolution %d → %d: %d weights and %d biases; want %d and %d", g.C, out, len(weight), len(bias), out*g.Patch(), out)
	}
	c := &conv{Geometry: g, out: out, weight: gemm.Pack(gemm.Rows(weight, g.Patch()).T(), g.Patch(), out)}
	for _, b := range bias {
		c.bias = append(c.bias, b+0) // so that it is no −0, which adding 0 would change
	}
	if gemm.Gathers() {
		c.parts = g.inside()
	}
	return c, nil
}

// forward writes to y (n × OH × OW × out) the convolution of x (n × H × W × C).
func (c *conv) forward(y, x []float32, n int, ws *Workspace) {
	c.activate(y, x, n, Identity, ws)
}

func (c *conv) activate(y, x []float32, n int, act Activation, ws *Workspace) {
	in, patch := c.H*c.W*c.C, c.Patch()
	layer := gemm.Layer{Bias: c.bias, ReLU: act == ReLU}
	if c.parts != nil {
		c.gather(y, x, n, act, ws)
		return
	}
	// Rows shorter than two tiles leave too much to the tiles at their ends.
	if c.Direct() && c.OW >= 12 {
		c.strips(n, c.Stride*(c.W+2*c.Pad)*c.C, func(first, images, lo, hi int) {
			dst := y[(first*c.OH+lo)*c.OW*c.out:][:images*(hi-lo)*c.OW*c.out]
			p := c.Frames(x[first*in:], images, lo, hi, ws)
			ws.Gemm.LayerPatches(dst, &p, c.weight, layer)
			act.after(dst, ws)
		})
		return
	}
	c.strips(n, c.OW*patch, func(first, images, lo, hi int) {
		each := (hi - lo) * c.OW
		cols := ws.Columns(images * each * patch)
		for i := range images {
			c.Columns(cols[i*each*patch:], x[(first+i)*in:(first+i+1)*in], lo, hi)
		}
		dst := y[(first*c.OH+lo)*c.OW*c.out:][:images*each*c.out]
		ws.Gemm.LayerPacked(dst, images*each, gemm.Rows(cols, patch), c.weight, layer)
		act.after(dst, ws)
	})
}

// covered is pixels of the smaller image under whose kernels the same pixels of the kernel
// lie inside the larger image: all of them, but for places at the edges.
type covered struct {
	pixels                []int32 // their numbers
	first                 []int32 // the pixel of the larger image that comes first under each
	top, left, rows, cols int     // of the kernel, what is inside
}

// inside cuts the smaller image into parts by what of the kernel is inside.
func (g Geometry) inside() []covered {
	type span struct{ lo, n int }
	along := func(at, n int) span {
		lo := max(0, g.Pad-at*g.Stride)
		return span{lo, min(g.Side, n+g.Pad-at*g.Stride) - lo}
	}
	var parts []covered
	number := map[[2]span]int{}
	for y := range g.OH {
		for x := range g.OW {
			r, c := along(y, g.H), along(x, g.W)
			i, ok := number[[2]span{r, c}]
			if !ok {
				i = len(parts)
				number[[2]span{r, c}] = i
				parts = append(parts, covered{top: r.lo, left: c.lo, rows: r.n, cols: c.n})
			}
			p := &parts[i]
			p.pixels = append(p.pixels, int32(y*g.OW+x))
			p.first = append(p.first, int32((y*g.Stride-g.Pad+r.lo)*g.W+x*g.Stride-g.Pad+c.lo))
		}
	}
	return parts
}

// gather computes the convolution part by part, of images where they lie. What is outside
// would add 0.
func (c *conv) gather(y, x []float32, n int, act Activation, ws *Workspace) {
	in, out := c.H*c.W*c.C, c.OH*c.OW*c.out
	step := max(1, unfolded/max(in, out))
	for i := 0; i < n; i += step {
		m := min(step, n-i)
		from, to := x[i*in:(i+m)*in], y[i*out:(i+m)*out]
		for _, p := range c.parts {
			ws.places(m, p.first, in, c.C, p.pixels, out, c.out)
			ws.Gemm.MulGather(gemm.Gather{
				A: from, C: to, From: ws.from, To: ws.to, Runs: p.rows, Run: p.cols * c.C, Jump: c.W * c.C,
				At: (p.top*c.Side + p.left) * c.C, Gap: (c.Side - p.cols) * c.C,
				Start: gemm.FromBias, Bias: c.bias, ReLU: act == ReLU,
			}, c.weight)
		}
		act.after(to, ws)
	}
}
