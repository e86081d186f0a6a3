package graph

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"mppm/shared/nn"
	"mppm/shared/vec"
)

// Activate returns f(x), element by element.
func Activate(f nn.Activation, x node) (node, error) {
	return apply(&op{
		name: fmt.Sprintf("activate(%s,%v)", f, x.Shape()), shape: x.Shape().Clone(),
		spec: Spec{Kind: KindActivate, Activation: f},
		over: []int{0},
		run: func(y []float32, in [][]float32) {
			pieces(len(y), func(lo, hi int, ws *nn.Workspace) {
				f.Apply(y[lo:hi], in[0][lo:hi], ws)
			})
		},
		wrt: []bool{true},
		grad: func(c gorgonia.Nodes, y, g node) (gorgonia.Nodes, error) {
			h := c[0]
			if f == nn.ReLU || f == nn.LeakyReLU { // y tells as much, and is what the next layer keeps
				h = y
			}
			return each(func() (node, error) { return BackActivate(f, h, g) })
		},
	}, x)
}

// BackActivate returns g·f'(h), element by element: one link of the chain that
// is ∇D, and the gradient of Activate. It is differentiable once more, because
// λ₅ and λ₆ of Eq. 20 differentiate through ∇D. Of ReLU and LeakyReLU, f(h) does for
// h.
func BackActivate(f nn.Activation, h, g node) (node, error) {
	return apply(&op{
		name: fmt.Sprintf("backActivate(%s,%v)", f, h.Shape()), shape: h.Shape().Clone(),
		spec: Spec{Kind: KindBackActivate, Activation: f},
		over: []int{0, 1},
		run: func(y []float32, in [][]float32) {
			pieces(len(y), func(lo, hi int, ws *nn.Workspace) {
				f.Derive(y[lo:hi], in[1][lo:hi], in[0][lo:hi], ws)
			})
		},
		wrt: []bool{true, true},
		grad: func(c gorgonia.Nodes, _, up node) (gorgonia.Nodes, error) {
			return each(
				func() (node, error) { return curve(f, c[0], c[1], up) },
				func() (node, error) { return BackActivate(f, c[0], up) },
			)
		},
	}, h, g)
}

// curve returns up·g·f”(h), element by element. It is the end of what is
// differentiated.
func curve(f nn.Activation, h, g, up node) (node, error) {
	return apply(&op{
		name: fmt.Sprintf("curve(%s,%v)", f, h.Shape()), shape: h.Shape().Clone(),
		spec: Spec{Kind: KindCurve, Activation: f},
		run: func(y []float32, in [][]float32) {
			h, g, up := in[0], in[1], in[2]
			if f != nn.SiLU && f != nn.Sigmoid {
				clear(y)
				return
			}
			pieces(len(y), func(lo, hi int, _ *nn.Workspace) {
				vec.Sigmoid(y[lo:hi], h[lo:hi])
				for i := lo; i < hi; i++ {
					s := y[i]
					d := float32(s * (1 - s)) // σ'
					if f == nn.SiLU {
						d *= 2 + float32(h[i]*(1-2*s)) // (h·σ)” = σ'(2 + h(1 − 2σ))
					} else {
						d *= 1 - 2*s
					}
					y[i] = float32(up[i]*g[i]) * d
				}
			})
		},
	}, h, g, up)
}

// Shift returns z_shift = z − D(z)·ĝ with ĝ = g/‖g‖ (Sec. 4.2): z and g are
// [n, d], dist is [n, 1].
func Shift(z, dist, g node) (node, error) {
	n, d := dims(z)
	if !g.Shape().Eq(z.Shape()) || !dist.Shape().Eq(tensor.Shape{n, 1}) {
		return nil, mismatch("shift", z, dist, g)
	}
	return apply(&op{
		name: fmt.Sprintf("shift(%d,%d)", n, d), shape: tensor.Shape{n, d},
		spec: Spec{Kind: KindShift},
		run: func(y []float32, in [][]float32) {
			for i := range n {
				s := in[1][i] * inverse(in[2][i*d:(i+1)*d])
				for k := i * d; k < (i+1)*d; k++ {
					y[k] = in[0][k] - float32(s*in[2][k])
				}
			}
		},
		wrt: []bool{true, true, true},
		grad: func(c gorgonia.Nodes, _, up node) (gorgonia.Nodes, error) {
			return each(
				func() (node, error) { return up, nil },
				func() (node, error) { return shiftDistance(c[2], up) },
				func() (node, error) { return shiftGradient(c[1], c[2], up) },
			)
		},
	}, z, dist, g)
}

// shiftDistance returns −ĝ·up for each row: [n, 1].
func shiftDistance(g, up node) (node, error) {
	n, d := dims(g)
	return apply(&op{
		name: fmt.Sprintf("shiftDistance(%d,%d)", n, d), shape: tensor.Shape{n, 1},
		spec: Spec{Kind: KindShiftDistance},
		run: func(y []float32, in [][]float32) {
			for i := range n {
				row := in[0][i*d : (i+1)*d]
				y[i] = -dot(row, in[1][i*d:]) * inverse(row)
			}
		},
	}, g, up)
}

// shiftGradient returns −D·(up − ĝ(ĝ·up))/‖g‖ for each row: [n, d].
func shiftGradient(dist, g, up node) (node, error) {
	n, d := dims(g)
	return apply(&op{
		name: fmt.Sprintf("shiftGradient(%d,%d)", n, d), shape: tensor.Shape{n, d},
		spec: Spec{Kind: KindShiftGradient},
		run: func(y []float32, in [][]float32) {
			for i := range n {
				row := in[1][i*d : (i+1)*d]
				inv := inverse(row)
				along := dot(row, in[2][i*d:]) * float32(inv*inv)
				s := -in[0][i] * inv
				for k, v := range row {
					y[i*d+k] = s * (in[2][i*d+k] - float32(v*along))
				}
			}
		},
	}, dist, g, up)
}

func dot(a, b []float32) float32 {
	var s float32
	for i, v := range a {
		s += float32(v * b[i])
	}
	return s
}

// inverse returns 1/‖g‖. The small term keeps a gradient that vanishes from
// turning the whole step into NaN.
func inverse(g []float32) float32 {
	return 1 / float32(math.Sqrt(float64(dot(g, g)+1e-12)))
}

// SquaredError returns Σ‖aᵢ − bᵢ‖²/n over n rows (terms 2, 5 and 6 of Eq. 20);
// b may be nil for 0 (term 3).
func SquaredError(a, b node) (node, error) {
	n, d := dims(a)
	in := []node{a}
	if b != nil {
		if !b.Shape().Eq(a.Shape()) {
			return nil, mismatch("squared error", a, b)
		}
		in = append(in, b)
	}
	sums := newPartial(n, 1)
	return apply(&op{
		name: fmt.Sprintf("squaredError(%d,%d)", n, d), shape: tensor.ScalarShape(),
		spec: Spec{Kind: KindSquaredError},
		run: func(y []float32, in [][]float32) {
			sums.sum(y, 1, func(b []float32, lo, hi, _, _ int, _ *nn.Workspace) {
				var sum float32
				for i := lo * d; i < hi*d; i++ {
					e := in[0][i]
					if len(in) > 1 {
						e -= in[1][i]
					}
					sum += float32(e * e)
				}
				b[0] = sum
			})
			y[0] /= float32(n)
		},
		wrt: []bool{true, true}[:len(in)],
		grad: func(c gorgonia.Nodes, _, g node) (gorgonia.Nodes, error) {
			f := []func() (node, error){func() (node, error) { return difference(2/float32(n), c[0], b, g) }}
			if b != nil {
				f = append(f, func() (node, error) { return difference(-2/float32(n), c[0], b, g) })
			}
			return each(f...)
		},
	}, in...)
}

// difference returns scale·g·(a − b), g a scalar and b nil for 0.
func difference(scale float32, a, b, g node) (node, error) {
	in := []node{a, g}
	if b != nil {
		in = append(in, b)
	}
	return apply(&op{
		name: fmt.Sprintf("difference(%v,%v)", scale, a.Shape()), shape: a.Shape().Clone(),
		spec: Spec{Kind: KindDifference, Factors: []float32{scale}},
		over: []int{0, 2},
		run: func(y []float32, in [][]float32) {
			s := scale * in[1][0]
			pieces(len(y), func(lo, hi int, _ *nn.Workspace) {
				for i := lo; i < hi; i++ {
					e := in[0][i]
					if len(in) > 2 {
						e -= in[2][i]
					}
					y[i] = s * e
				}
			})
		},
	}, in...)
}

// DistanceError returns Σ(Dᵢ − ‖aᵢ − bᵢ‖)²/n (term 1 of Eq. 20): dist is [n, 1],
// a and b are [n, d].
func DistanceError(dist, a, b node) (node, error) {
	n, d := dims(a)
	if !b.Shape().Eq(a.Shape()) || !dist.Shape().Eq(tensor.Shape{n, 1}) {
		return nil, mismatch("distance error", dist, a, b)
	}
	length := func(a, b []float32, i int) float32 {
		var s float32
		for k := i * d; k < (i+1)*d; k++ {
			e := a[k] - b[k]
			s += float32(e * e)
		}
		return float32(math.Sqrt(float64(s)))
	}
	// toward returns the gradient with respect to a (sign 1) or b (sign -1).
	toward := func(sign float32, dist, a, b, g node) (node, error) {
		return apply(&op{
			name: fmt.Sprintf("distanceErrorToward(%v,%d,%d)", sign, n, d), shape: tensor.Shape{n, d},
			spec: Spec{Kind: KindDistanceErrorToward, Factors: []float32{sign}},
			run: func(y []float32, in [][]float32) {
				dist, a, b := in[0], in[1], in[2]
				c := -2 / float32(n) * in[3][0] * sign
				for i := range n {
					l := length(a, b, i)
					s := c * (dist[i] - l) / max(l, 1e-12)
					for k := i * d; k < (i+1)*d; k++ {
						y[k] = s * (a[k] - b[k])
					}
				}
			},
		}, dist, a, b, g)
	}
	return apply(&op{
		name: fmt.Sprintf("distanceError(%d,%d)", n, d), shape: tensor.ScalarShape(),
		spec: Spec{Kind: KindDistanceError},
		run: func(y []float32, in [][]float32) {
			var sum float32
			for i := range n {
				e := in[0][i] - length(in[1], in[2], i)
				sum += float32(e * e)
			}
			y[0] = sum / float32(n)
		},
		wrt: []bool{true, true, true},
		grad: func(c gorgonia.Nodes, _, g node) (gorgonia.Nodes, error) {
			return each(
				func() (node, error) {
					return apply(&op{
						name: fmt.Sprintf("distanceErrorDistance(%d,%d)", n, d), shape: tensor.Shape{n, 1},
						spec: Spec{Kind: KindDistanceErrorDistance},
						run: func(y []float32, in [][]float32) {
							for i := range n {
								y[i] = 2 / float32(n) * in[3][0] * (in[0][i] - length(in[1], in[2], i))
							}
						},
					}, c[0], c[1], c[2], g)
				},
				func() (node, error) { return toward(1, c[0], c[1], c[2], g) },
				func() (node, error) { return toward(-1, c[0], c[1], c[2], g) },
			)
		},
	}, dist, a, b)
}

// NegativePart returns Σ(Dᵢ − |Dᵢ|)²/n (term 4 of Eq. 20): dist is [n, 1].
func NegativePart(dist node) (node, error) {
	n, _ := dims(dist)
	return apply(&op{
		name: fmt.Sprintf("negativePart(%d)", n), shape: tensor.ScalarShape(),
		spec: Spec{Kind: KindNegativePart},
		run: func(y []float32, in [][]float32) {
			var sum float32
			for _, v := range in[0] {
				if v < 0 {
					sum += float32(4 * float32(v*v))
				}
			}
			y[0] = sum / float32(n)
		},
		wrt: []bool{true},
		grad: func(c gorgonia.Nodes, _, g node) (gorgonia.Nodes, error) {
			return each(func() (node, error) {
				return apply(&op{
					name: fmt.Sprintf("negativePartBack(%d)", n), shape: tensor.Shape{n, 1},
					spec: Spec{Kind: KindNegativePartBack},
					run: func(y []float32, in [][]float32) {
						for i, v := range in[0] {
							y[i] = 8 / float32(n) * in[1][0] * min(v, 0)
						}
					},
				}, c[0], g)
			})
		},
	}, dist)
}

// CrossEntropy returns −Σᵢ Σₖ tᵢₖ·log softmax(xᵢ)ₖ/n: logits x and targets t are
// [n, classes], and each row of t sums to 1. The targets are given: no gradient
// is taken with respect to them.
func CrossEntropy(logits, targets node) (node, error) {
	n, k := dims(logits)
	if !targets.Shape().Eq(logits.Shape()) {
		return nil, mismatch("cross entropy", logits, targets)
	}
	return apply(&op{
		name: fmt.Sprintf("crossEntropy(%d,%d)", n, k), shape: tensor.ScalarShape(),
		spec: Spec{Kind: KindCrossEntropy},
		run: func(y []float32, in [][]float32) {
			var sum float64
			p := make([]float32, k)
			for i := 0; i < n*k; i += k {
				x := in[0][i : i+k]
				log := math.Log(float64(softmax(p, x))) + float64(vec.Max(x))
				for c, t := range in[1][i : i+k] {
					sum += float64(t) * (log - float64(x[c]))
				}
			}
			y[0] = float32(sum / float64(n))
		},
		wrt: []bool{true},
		grad: func(c gorgonia.Nodes, _, g node) (gorgonia.Nodes, error) {
			return each(func() (node, error) { return crossEntropyBack(c[0], c[1], g) }, nil)
		},
	}, logits, targets)
}

// crossEntropyBack returns g·(softmax(x) − t)/n, g a scalar.
func crossEntropyBack(logits, targets, g node) (node, error) {
	n, k := dims(logits)
	return apply(&op{
		name: fmt.Sprintf("crossEntropyBack(%d,%d)", n, k), shape: tensor.Shape{n, k},
		spec: Spec{Kind: KindCrossEntropyBack},
		run: func(y []float32, in [][]float32) {
			s := in[2][0] / float32(n)
			for i := 0; i < n*k; i += k {
				p := y[i : i+k]
				inv := 1 / softmax(p, in[0][i:i+k])
				for c, t := range in[1][i : i+k] {
					p[c] = s * (float32(p[c]*inv) - t)
				}
			}
		},
	}, logits, targets, g)
}

// softmax writes to p the exponentials of x over that of its largest number, and
// returns their sum.
func softmax(p, x []float32) float32 {
	vec.ExpDiff(p, x, vec.Max(x), 1)
	var sum float32
	for _, v := range p {
		sum += v
	}
	return sum
}

// WeightedSum returns Σ weights[k]·terms[k] of scalars.
func WeightedSum(weights []float32, terms ...node) (node, error) {
	if len(weights) != len(terms) {
		return nil, fmt.Errorf("graph: %d weights for %d terms", len(weights), len(terms))
	}
	wrt := make([]bool, len(terms))
	for i := range wrt {
		wrt[i] = true
	}
	return apply(&op{
		name: fmt.Sprintf("weightedSum(%v)", weights), shape: tensor.ScalarShape(),
		spec: Spec{Kind: KindWeightedSum, Factors: weights},
		run: func(y []float32, in [][]float32) {
			y[0] = 0
			for k, v := range in {
				y[0] += float32(weights[k] * v[0])
			}
		},
		wrt: wrt,
		grad: func(c gorgonia.Nodes, _, g node) (gorgonia.Nodes, error) {
			var f []func() (node, error)
			for _, w := range weights {
				f = append(f, func() (node, error) {
					return apply(&op{
						name: fmt.Sprintf("times(%v)", w), shape: tensor.ScalarShape(),
						spec: Spec{Kind: KindWeightedSum, Factors: []float32{w}},
						run:  func(y []float32, in [][]float32) { y[0] = w * in[0][0] },
					}, g)
				})
			}
			return each(f...)
		},
	}, terms...)
}

// Keep copies the numbers of x to dst every time the graph runs. A machine may
// give the memory of a node to another as soon as nobody reads it any more, so
// this is how a result is taken out. The name tells copies of one node apart.
func Keep(name string, x node, dst []float32) error {
	if want := max(1, x.Shape().TotalSize()); len(dst) != want {
		return fmt.Errorf("graph: keep %s: %d numbers for a node of %d", name, len(dst), want)
	}
	_, err := apply(&op{
		name: "keep(" + name + ")", shape: tensor.ScalarShape(),
		spec: Spec{Kind: KindKeep, Kept: dst},
		run:  func(y []float32, in [][]float32) { copy(dst, in[0]); y[0] = 0 },
	}, x)
	return err
}
