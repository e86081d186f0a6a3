package compliance

import (
	"math"
	"slices"

	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/trainer/internal/graph"
)

// operations draws examples of every operation, by name.
var operations = map[string]func(s sizes) example{
	"linear": func(s sizes) example {
		n, in, out := s.upTo(90), s.upTo(150), s.upTo(90)
		return example{
			shapes: [][]int{{n, in}, {out, in}, {out}},
			build:  func(x []node) (node, error) { return graph.Linear(x[0], x[1], x[2]) },
			want: func(x [][]float64) []float64 {
				y := product(x[0], x[1], n, in, out, true)
				for i := range y {
					y[i] += x[2][i%out]
				}
				return y
			},
		}
	},
	"linear of many rows": func(s sizes) example {
		n, in, out := 400+s.upTo(200), s.upTo(7), s.upTo(7)
		return example{
			shapes: [][]int{{n, in}, {out, in}, {out}},
			build:  func(x []node) (node, error) { return graph.Linear(x[0], x[1], x[2]) },
			want: func(x [][]float64) []float64 {
				y := product(x[0], x[1], n, in, out, true)
				for i := range y {
					y[i] += x[2][i%out]
				}
				return y
			},
		}
	},
	"product":                func(s sizes) example { return products(s, false) },
	"product with transpose": func(s sizes) example { return products(s, true) },
	"convolution": func(s sizes) example {
		g, n, out := geometry(s), s.upTo(5), s.upTo(40)
		return example{
			shapes: [][]int{{n, g.H * g.W * g.C}, {out, g.Patch()}, {out}},
			build:  func(x []node) (node, error) { return graph.Conv(g, x[0], x[1], x[2]) },
			want: func(x [][]float64) []float64 {
				y := make([]float64, n*g.OH*g.OW*out)
				for i := range y {
					y[i] = x[2][i%out]
				}
				taps(g, n, func(small, tap, large int) {
					for o := range out {
						for c := range g.C {
							y[small*out+o] += x[0][large*g.C+c] * x[1][(o*g.Side*g.Side+tap)*g.C+c]
						}
					}
				})
				return y
			},
		}
	},
	"transposed convolution": func(s sizes) example {
		g, n, in := geometry(s), s.upTo(5), s.upTo(40)
		return example{
			shapes: [][]int{{n, g.OH * g.OW * in}, {g.C, g.Side * g.Side * in}, {g.C}},
			build:  func(x []node) (node, error) { return graph.ConvTranspose(g, x[0], x[1], x[2]) },
			want: func(x [][]float64) []float64 {
				y := make([]float64, n*g.H*g.W*g.C)
				for i := range y {
					y[i] = x[2][i%g.C]
				}
				taps(g, n, func(small, tap, large int) {
					for c := range g.C {
						for i := range in {
							y[large*g.C+c] += x[0][small*in+i] * x[1][(c*g.Side*g.Side+tap)*in+i]
						}
					}
				})
				return y
			},
		}
	},
	"relu":                    func(s sizes) example { return activations(s, nn.ReLU) },
	"leaky relu":              func(s sizes) example { return activations(s, nn.LeakyReLU) },
	"silu":                    func(s sizes) example { return activations(s, nn.SiLU) },
	"sigmoid":                 func(s sizes) example { return activations(s, nn.Sigmoid) },
	"back through relu":       func(s sizes) example { return derivatives(s, nn.ReLU) },
	"back through leaky relu": func(s sizes) example { return derivatives(s, nn.LeakyReLU) },
	"back through silu":       func(s sizes) example { return derivatives(s, nn.SiLU) },
	"back through sigmoid":    func(s sizes) example { return derivatives(s, nn.Sigmoid) },
	"shift": func(s sizes) example {
		n, d := s.upTo(40), 1+s.upTo(20)
		return example{
			shapes: [][]int{{n, d}, {n, 1}, {n, d}},
			build:  func(x []node) (node, error) { return graph.Shift(x[0], x[1], x[2]) },
			want: func(x [][]float64) []float64 {
				y := make([]float64, n*d)
				for i := range y {
					l := distance(x[2][i/d*d:][:d], make([]float64, d))
					y[i] = x[0][i] - x[1][i/d]*x[2][i]/math.Sqrt(l*l+1e-12)
				}
				return y
			},
		}
	},
	"squared error": func(s sizes) example {
		n, d := s.upTo(70), s.upTo(200)
		return example{
			shapes: [][]int{{n, d}, {n, d}},
			build:  func(x []node) (node, error) { return graph.SquaredError(x[0], x[1]) },
			want: func(x [][]float64) []float64 {
				l := distance(x[0], x[1])
				return []float64{l * l / float64(n)}
			},
		}
	},
	"square": func(s sizes) example {
		n, d := s.upTo(70), s.upTo(200)
		return example{
			shapes: [][]int{{n, d}},
			build:  func(x []node) (node, error) { return graph.SquaredError(x[0], nil) },
			want: func(x [][]float64) []float64 {
				l := distance(x[0], make([]float64, n*d))
				return []float64{l * l / float64(n)}
			},
		}
	},
	"distance error": func(s sizes) example {
		n, d := s.upTo(70), 1+s.upTo(20)
		return example{
			shapes: [][]int{{n, 1}, {n, d}, {n, d}},
			build:  func(x []node) (node, error) { return graph.DistanceError(x[0], x[1], x[2]) },
			want: func(x [][]float64) []float64 {
				var sum float64
				for i, v := range x[0] {
					e := v - distance(x[1][i*d:(i+1)*d], x[2][i*d:(i+1)*d])
					sum += e * e / float64(n)
				}
				return []float64{sum}
			},
		}
	},
	"negative part": func(s sizes) example {
		n := s.upTo(300)
		return example{
			shapes: [][]int{{n, 1}},
			build:  func(x []node) (node, error) { return graph.NegativePart(x[0]) },
			want: func(x [][]float64) []float64 {
				var sum float64
				for _, v := range x[0] {
					e := v - math.Abs(v)
					sum += e * e / float64(n)
				}
				return []float64{sum}
			},
		}
	},
	"cross entropy": func(s sizes) example {
		n, k := s.upTo(70), 1+s.upTo(15)
		return example{
			shapes: [][]int{{n, k}, {n, k}}, fixed: 1,
			fill: func(r *rng.Source, x [][]float32) {
				for i := range x[0] {
					x[0][i] *= 30 // some are sure
				}
				shares(r, x[1], k)
			},
			build: func(x []node) (node, error) { return graph.CrossEntropy(x[0], x[1]) },
			want: func(x [][]float64) []float64 {
				var sum float64
				for i := 0; i < n*k; i += k {
					top, total := math.Inf(-1), 0.0
					for _, v := range x[0][i : i+k] {
						top = max(top, v)
					}
					for _, v := range x[0][i : i+k] {
						total += math.Exp(v - top)
					}
					for c := i; c < i+k; c++ {
						sum += x[1][c] * (math.Log(total) + top - x[0][c]) / float64(n)
					}
				}
				return []float64{sum}
			},
		}
	},
	"binary cross entropy": func(s sizes) example {
		n, d := s.upTo(70), s.upTo(90)
		return example{
			shapes: [][]int{{n, d}, {n, d}}, fixed: 1,
			fill: func(r *rng.Source, x [][]float32) {
				for i := range x[0] {
					x[0][i] *= 10 // some are sure
				}
				shares(r, x[1], d)
			},
			build: func(x []node) (node, error) { return graph.BinaryCrossEntropy(x[0], x[1]) },
			want: func(x [][]float64) []float64 {
				var sum float64
				for i, v := range x[0] {
					sum += (max(v, 0) - x[1][i]*v + math.Log1p(math.Exp(-math.Abs(v)))) / float64(n)
				}
				return []float64{sum}
			},
		}
	},
	"weighted sum": func(s sizes) example {
		n, d := s.upTo(20), s.upTo(20)
		return example{
			shapes: [][]int{{n, d}, {n, d}},
			build: func(x []node) (node, error) {
				a, err := graph.SquaredError(x[0], nil)
				if err != nil {
					return nil, err
				}
				b, err := graph.SquaredError(x[0], x[1])
				if err != nil {
					return nil, err
				}
				return graph.WeightedSum([]float32{0.5, 2}, a, b)
			},
			want: func(x [][]float64) []float64 {
				a, b := distance(x[0], make([]float64, n*d)), distance(x[0], x[1])
				return []float64{(a*a/2 + 2*b*b) / float64(n)}
			},
		}
	},
	"concatenation": func(s sizes) example {
		n, pixels, ca, cb := s.upTo(9), s.upTo(20), s.upTo(9), s.upTo(9)
		return example{
			shapes: [][]int{{n, pixels * ca}, {n, pixels * cb}},
			build:  func(x []node) (node, error) { return graph.Concatenate(pixels, x[0], x[1]) },
			want: func(x [][]float64) []float64 {
				var y []float64
				for p := range n * pixels {
					y = append(append(y, x[0][p*ca:(p+1)*ca]...), x[1][p*cb:(p+1)*cb]...)
				}
				return y
			},
		}
	},
	"rows": func(s sizes) example {
		first, count, more, d := s.upTo(9)-1, s.upTo(9), s.upTo(9)-1, s.upTo(30)
		return example{
			shapes: [][]int{{first + count + more, d}},
			build:  func(x []node) (node, error) { return graph.Rows(x[0], first, count) },
			want:   func(x [][]float64) []float64 { return x[0][first*d : (first+count)*d] },
		}
	},
	"stack": func(s sizes) example {
		p, q, d := s.upTo(9), s.upTo(9), s.upTo(30)
		return example{
			shapes: [][]int{{p, d}, {q, d}},
			build:  func(x []node) (node, error) { return graph.Stack(x[0], x[1]) },
			want:   func(x [][]float64) []float64 { return slices.Concat(x[0], x[1]) },
		}
	},
	"mixture": func(s sizes) example {
		n, pixels, c := s.upTo(9), s.upTo(20), s.upTo(9)
		return example{
			shapes: [][]int{{n, pixels * c}, {n, pixels * c}, {n, pixels}}, fixed: 1,
			build: func(x []node) (node, error) { return graph.Mix(x[0], x[1], x[2]) },
			want: func(x [][]float64) []float64 {
				y := make([]float64, len(x[0]))
				for i := range y {
					m := x[2][i/c]
					y[i] = m*x[0][i] + (1-m)*x[1][i]
				}
				return y
			},
		}
	},
	"max pooling": func(s sizes) example {
		g, n := geometry(s), s.upTo(5)
		return example{
			shapes: [][]int{{n, g.H * g.W * g.C}},
			fill: func(r *rng.Source, x [][]float32) { // no two numbers are nearly the same
				for i, k := range r.Perm(len(x[0])) {
					x[0][i] = float32(k)/float32(len(x[0])) - 0.5
				}
			},
			build: func(x []node) (node, error) { return graph.MaxPool(g, x[0]) },
			want: func(x [][]float64) []float64 {
				y := make([]float64, n*g.OH*g.OW*g.C)
				for i := range y {
					y[i] = math.Inf(-1)
				}
				taps(g, n, func(small, _, large int) {
					for c := range g.C {
						y[small*g.C+c] = max(y[small*g.C+c], x[0][large*g.C+c])
					}
				})
				return y
			},
		}
	},
	"dropout": func(s sizes) example {
		n, d := s.upTo(30), s.upTo(60)
		const rate, seed, step = 0.3, 5, 1234567
		return example{
			shapes: [][]int{{n, d}, {1, 1}}, fixed: 1,
			fill:  func(_ *rng.Source, x [][]float32) { x[1][0] = step },
			build: func(x []node) (node, error) { return graph.Dropout(rate, seed, x[0], x[1]) },
			want: func(x [][]float64) []float64 {
				permute := func(x uint64) uint64 { // PCG's RXS-M-XS, modulo 2³²
					x = (x*747796405 + 2891336453) % (1 << 32)
					x = ((x >> (x>>28 + 4)) ^ x) * 277803737 % (1 << 32)
					return x>>22 ^ x
				}
				y := make([]float64, n*d)
				for i := range y {
					if float64(permute(uint64(i)^permute(step^permute(seed)))) >= math.Floor(float64(float32(rate))*(1<<32)) {
						y[i] = x[0][i] / (1 - rate)
					}
				}
				return y
			},
		}
	},
	"batch norm": func(s sizes) example {
		n, pixels, c := 2+s.upTo(9), s.upTo(40), s.upTo(40)
		return example{
			shapes: [][]int{{n, pixels * c}, {c}, {c}},
			build: func(x []node) (node, error) {
				y, _, _, err := graph.BatchNorm(x[0], x[1], x[2])
				return y, err
			},
			want: func(x [][]float64) []float64 {
				y := make([]float64, n*pixels*c)
				rows := float64(n * pixels)
				for k := range c {
					var mean, variance float64
					for i := k; i < len(y); i += c {
						mean += x[0][i] / rows
					}
					for i := k; i < len(y); i += c {
						variance += (x[0][i] - mean) * (x[0][i] - mean) / rows
					}
					for i := k; i < len(y); i += c {
						y[i] = x[1][k]*(x[0][i]-mean)/math.Sqrt(variance+1e-5) + x[2][k]
					}
				}
				return y
			},
		}
	},
	"a net that is used twice": func(s sizes) example {
		// Gradients meet: at the weights, and where one code goes two ways.
		n, in, hidden := s.upTo(40), s.upTo(30), s.upTo(30)
		layer := func(x, w, b node) (node, error) {
			h, err := graph.Linear(x, w, b)
			if err != nil {
				return nil, err
			}
			return graph.Activate(nn.SiLU, h)
		}
		return example{
			shapes: [][]int{{n, in}, {hidden, in}, {hidden}, {in, hidden}, {in}},
			build: func(x []node) (node, error) {
				h, err := layer(x[0], x[1], x[2])
				for range 2 {
					if err == nil {
						h, err = layer(h, x[3], x[4])
					}
					if err == nil {
						h, err = layer(h, x[1], x[2])
					}
				}
				return h, err
			},
			want: func(x [][]float64) []float64 {
				layer := func(a, w, b []float64, in, out int) []float64 {
					y := product(a, w, n, in, out, true)
					for i := range y {
						y[i] = activation(nn.SiLU, y[i]+b[i%out])
					}
					return y
				}
				h := layer(x[0], x[1], x[2], in, hidden)
				for range 2 {
					h = layer(layer(h, x[3], x[4], hidden, in), x[1], x[2], in, hidden)
				}
				return h
			},
		}
	},
}

func products(s sizes, transposed bool) example {
	n, k, m := s.upTo(90), s.upTo(300), s.upTo(90)
	w := []int{k, m}
	if transposed {
		w = []int{m, k}
	}
	return example{
		shapes: [][]int{{n, k}, w},
		build:  func(x []node) (node, error) { return graph.Product(x[0], x[1], transposed) },
		want:   func(x [][]float64) []float64 { return product(x[0], x[1], n, k, m, transposed) },
	}
}

func activations(s sizes, f nn.Activation) example {
	n, d := s.upTo(70), s.upTo(90)
	return example{
		shapes: [][]int{{n, d}},
		fill:   func(_ *rng.Source, x [][]float32) { aside(x[0]) },
		build:  func(x []node) (node, error) { return graph.Activate(f, x[0]) },
		want: func(x [][]float64) []float64 {
			y := make([]float64, n*d)
			for i, v := range x[0] {
				y[i] = activation(f, v)
			}
			return y
		},
	}
}

func derivatives(s sizes, f nn.Activation) example {
	n, d := s.upTo(40), s.upTo(60)
	return example{
		shapes: [][]int{{n, d}, {n, d}},
		fill:   func(_ *rng.Source, x [][]float32) { aside(x[0]) },
		build:  func(x []node) (node, error) { return graph.BackActivate(f, x[0], x[1]) },
		want: func(x [][]float64) []float64 {
			y := make([]float64, n*d)
			for i, v := range x[0] {
				y[i] = x[1][i] * derivative(f, v)
			}
			return y
		},
	}
}

// aside moves numbers away from 0, where ReLU has no slope.
func aside(x []float32) {
	for i, v := range x {
		if math.Abs(float64(v)) < 0.01 {
			x[i] += 0.02
		}
	}
}

// geometry draws the place of a kernel: any side, step and padding, of which
// some pixels may be under no kernel.
func geometry(s sizes) nn.Geometry {
	g := nn.Geometry{Side: s.upTo(4), Stride: s.upTo(3), C: s.upTo(9)}
	g.Pad = s.upTo(g.Side) - 1
	g.H, g.W = g.Side+s.upTo(9), g.Side+s.upTo(9)
	g.OH, g.OW = (g.H+2*g.Pad-g.Side)/g.Stride+1, (g.W+2*g.Pad-g.Side)/g.Stride+1
	return g
}

// taps calls f for every pixel of n smaller images, every tap of the kernel over
// it, and the pixel of the larger image that the tap lies on.
func taps(g nn.Geometry, n int, f func(small, tap, large int)) {
	for i := range n * g.OH * g.OW {
		image, oy, ox := i/(g.OH*g.OW), i/g.OW%g.OH, i%g.OW
		for tap := range g.Side * g.Side {
			y, x := oy*g.Stride-g.Pad+tap/g.Side, ox*g.Stride-g.Pad+tap%g.Side
			if y >= 0 && y < g.H && x >= 0 && x < g.W {
				f(i, tap, (image*g.H+y)*g.W+x)
			}
		}
	}
}

// product returns a·w, or a·wᵀ: a is [n, k].
func product(a, w []float64, n, k, m int, transposed bool) []float64 {
	y := make([]float64, n*m)
	for i := range n {
		for j := range m {
			var s float64
			for l := range k {
				if transposed {
					s += a[i*k+l] * w[j*k+l]
				} else {
					s += a[i*k+l] * w[l*m+j]
				}
			}
			y[i*m+j] = s
		}
	}
	return y
}

func activation(f nn.Activation, x float64) float64 {
	s := 1 / (1 + math.Exp(-x))
	switch f {
	case nn.ReLU:
		return max(x, 0)
	case nn.LeakyReLU:
		return max(x, nn.Leak*x)
	case nn.SiLU:
		return x * s
	}
	return s
}

// derivative is the slope of activation.
func derivative(f nn.Activation, x float64) float64 {
	if f == nn.ReLU || f == nn.LeakyReLU {
		switch {
		case x > 0:
			return 1
		case f == nn.LeakyReLU:
			return nn.Leak
		}
		return 0
	}
	s := 1 / (1 + math.Exp(-x))
	if f == nn.SiLU {
		return s + x*s*(1-s)
	}
	return s * (1 - s)
}

func distance(a, b []float64) float64 {
	var s float64
	for i, v := range a {
		s += (v - b[i]) * (v - b[i])
	}
	return math.Sqrt(s)
}

// shares makes every k numbers positive, with sum 1.
func shares(r *rng.Source, x []float32, k int) {
	for i := 0; i < len(x); i += k {
		left := float32(1)
		for c := range k - 1 {
			x[i+c] = left * r.Float32()
			left -= x[i+c]
		}
		x[i+k-1] = left
	}
}
