// Package nntest makes files of nets with random weights, and computes nets the
// plain way, in float64: for tests of a net that want no more than its value.
package nntest

import (
	"math"
	"strings"
	"testing"

	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
)

func mustNet(t testing.TB, in nn.Shape, layers ...nn.Layer) *nn.Net {
	t.Helper()
	n, err := nn.New(in, layers...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Unplanned returns nets that no table has: images of 32 × 32 pixels in three colors,
// halved by an odd side in between, codes of 64 numbers, and back; and a U-Net in
// one piece, with every kind of layer.
func Unplanned(t testing.TB) (f, g, u *nn.Net) {
	const latent = 64
	image := nn.Shape{H: 32, W: 32, C: 3}
	third := nn.Window{Side: 4, Stride: 3} // 32 → 10
	at := func(w nn.Window, s nn.Shape, c int) nn.Shape {
		g := w.On(s)
		return nn.Shape{H: g.OH, W: g.OW, C: c}
	}
	a := at(third, image, 12)  // 10 × 10
	b := at(nn.Halving, a, 10) // 5 × 5
	c := at(nn.Halving, b, 8)  // 3 × 3: an odd side halved
	f = mustNet(t, image,
		nn.Conv{Name: "f.1", Window: third, Out: a.C}, nn.ReLU,
		nn.Conv{Name: "f.2", Window: nn.Halving, Out: b.C}, nn.SiLU,
		nn.Conv{Name: "f.3", Window: nn.Halving, Out: c.C}, nn.LeakyReLU,
		nn.Linear{Name: "f.4", Out: nn.Vector(latent)})
	g = mustNet(t, nn.Vector(latent),
		nn.Linear{Name: "g.1", Out: c}, nn.ReLU,
		nn.ConvTranspose{Name: "g.2", Window: nn.Halving, To: b}, nn.ReLU,
		nn.ConvTranspose{Name: "g.3", Window: nn.Halving, To: a}, nn.ReLU,
		nn.ConvTranspose{Name: "g.4", Window: third, To: image}, nn.Sigmoid)
	u = mustNet(t, nn.Shape{H: 11, W: 9, C: 3},
		nn.Conv{Name: "u.1", Window: nn.Same, Out: 4}, nn.BatchNorm{Name: "u.norm1"}, nn.LeakyReLU, nn.Keep("wide"),
		nn.MaxPool{Window: nn.Pairs},
		nn.Conv{Name: "u.2", Window: nn.Same, Out: 6}, nn.BatchNorm{Name: "u.norm2"}, nn.SiLU, nn.Dropout{Rate: 0.3}, nn.Keep("narrow"),
		nn.Linear{Name: "u.3", Out: nn.Shape{H: 5, W: 4, C: 6}}, nn.BatchNorm{Name: "u.norm3"}, nn.Add("narrow"), nn.BatchNorm{Name: "u.norm4"}, nn.ReLU,
		nn.ConvTranspose{Name: "u.4", Window: nn.Pairs, To: nn.Shape{H: 11, W: 9, C: 5}}, nn.BatchNorm{Name: "u.norm5"}, nn.Concat("wide"),
		nn.Conv{Name: "u.5", Window: nn.Same, Out: 2}, nn.Sigmoid)
	return f, g, u
}

// File returns a file with the tensors of nets, drawn from a seed: weights of He's
// scale in eight bits, and small biases; scales of batch norm around 1, variances
// above 0.
func File(seed uint64, nets ...*nn.Net) *safetensors.File {
	f := new(safetensors.File)
	r := rng.New(seed, 0)
	for _, n := range nets {
		for _, s := range append(n.Specs(), n.Buffers()...) {
			data := make([]float32, s.Size())
			add := f.AddFloat32
			if len(s.Shape) > 1 {
				add = f.AddInt8
				r.FillNorm(data, float32(math.Sqrt(2*float64(s.Shape[0])/float64(len(data)))))
			} else {
				r.FillNorm(data, 0.1)
			}
			for i := range data {
				switch {
				case strings.HasSuffix(s.Name, ".running_var"):
					data[i] = 0.5 + r.Float32()
				case len(s.Shape) == 1 && strings.HasSuffix(s.Name, ".weight"):
					data[i]++
				}
			}
			if err := add(s.Name, data, s.Shape...); err != nil {
				panic("nntest: " + err.Error()) // a net's names and shapes are sound
			}
		}
	}
	return f
}

// Forward returns every value of a net for n inputs x, and n of each further input,
// by the definition of each layer.
func Forward(t testing.TB, net *nn.Net, f *safetensors.File, n int, inputs ...[]float32) [][]float64 {
	t.Helper()
	values := make([][]float64, net.Values())
	for k, v := range net.Inputs() {
		for _, x := range inputs[k] {
			values[v] = append(values[v], float64(x))
		}
	}
	tensors := map[string][]float32{}
	for _, s := range append(net.Specs(), net.Buffers()...) {
		var err error
		if tensors[s.Name], err = f.Float32(s.Name, s.Shape...); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range net.Steps() {
		x, y := values[s.X], make([]float64, n*s.Out.Size())
		bias := func(name string) []float32 {
			b := tensors[name+".bias"]
			for i := range y {
				y[i] = float64(b[i%len(b)])
			}
			return tensors[name+".weight"]
		}
		g := s.Geometry()
		switch l := s.Layer.(type) {
		case nn.Linear:
			w := bias(l.Name)
			in, out := s.In.Size(), s.Out.Size()
			for i := range n * out {
				for k := range in {
					y[i] += float64(w[i%out*in+k]) * x[i/out*in+k]
				}
			}
		case nn.Conv:
			w := bias(l.Name)
			taps(g, n, func(small, tap, large int) {
				for o := range s.Out.C {
					for c := range g.C {
						y[small*s.Out.C+o] += float64(w[(o*g.Side*g.Side+tap)*g.C+c]) * x[large*g.C+c]
					}
				}
			})
		case nn.ConvTranspose:
			w := bias(l.Name)
			taps(g, n, func(small, tap, large int) {
				for c := range g.C {
					for i := range s.In.C {
						y[large*g.C+c] += float64(w[(c*g.Side*g.Side+tap)*s.In.C+i]) * x[small*s.In.C+i]
					}
				}
			})
		case nn.MaxPool:
			for i := range y {
				y[i] = math.Inf(-1)
			}
			taps(g, n, func(small, _, large int) {
				for c := range g.C {
					y[small*g.C+c] = max(y[small*g.C+c], x[large*g.C+c])
				}
			})
		case nn.AvgPool:
			count := make([]float64, n*g.OH*g.OW)
			taps(g, n, func(small, _, large int) {
				count[small]++
				for c := range g.C {
					y[small*g.C+c] += x[large*g.C+c]
				}
			})
			for i := range y {
				y[i] /= count[i/g.C]
			}
		case nn.BatchNorm:
			of := func(suffix string, i int) float64 { return float64(tensors[l.Name+suffix][i%s.In.C]) }
			for i, v := range x {
				y[i] = of(".weight", i)*(v-of(".running_mean", i))/math.Sqrt(of(".running_var", i)+nn.NormEpsilon) + of(".bias", i)
			}
		case nn.Dropout:
			copy(y, x)
		case nn.Activation:
			for i, v := range x {
				y[i] = activation(l, v)
			}
		case nn.Add:
			for i, v := range x {
				y[i] = v + values[s.Other][i]
			}
		case nn.Concat:
			a, b := s.In.C, s.Out.C-s.In.C
			for i := range y {
				p, c := i/s.Out.C, i%s.Out.C
				if c < a {
					y[i] = x[p*a+c]
				} else {
					y[i] = values[s.Other][p*b+c-a]
				}
			}
		default:
			t.Fatalf("nntest: no definition of a %T", l)
		}
		values[s.Y] = y
	}
	return values
}

func activation(a nn.Activation, x float64) float64 {
	switch a {
	case nn.ReLU:
		return max(x, 0)
	case nn.LeakyReLU:
		return max(x, nn.Leak*x)
	case nn.SiLU:
		return x / (1 + math.Exp(-x))
	case nn.Sigmoid:
		return 1 / (1 + math.Exp(-x))
	}
	return x
}

// taps visits every place of a kernel's pixel that lies inside of n images.
func taps(g nn.Geometry, n int, visit func(small, tap, large int)) {
	for small := range n * g.OH * g.OW {
		image, oy, ox := small/(g.OH*g.OW), small/g.OW%g.OH, small%g.OW
		for tap := range g.Side * g.Side {
			y, x := oy*g.Stride-g.Pad+tap/g.Side, ox*g.Stride-g.Pad+tap%g.Side
			if y >= 0 && y < g.H && x >= 0 && x < g.W {
				visit(small, tap, (image*g.H+y)*g.W+x)
			}
		}
	}
}

// Near fails the test where a number is off by more than tolerance times itself, or
// times 1 where it is smaller.
func Near(t testing.TB, what string, got []float32, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	for i, w := range want {
		if d := math.Abs(float64(got[i]) - w); !(d <= tolerance*(1+math.Abs(w))) {
			t.Fatalf("%s: number %d is %v, want %v", what, i, got[i], w)
		}
	}
}
