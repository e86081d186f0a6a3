package gemm

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"mppm/shared/rng"
)

// TestGather holds products of rows that lie anywhere to their definition, bit for bit,
// from every start, and checks that nothing else is written.
func TestGather(t *testing.T) {
	with(t, func(t *testing.T) {
		for _, s := range []struct{ m, n, runs, run int }{
			{1, 1, 1, 1}, {1, 18, 1, 40}, {3, 8, 2, 5}, {4, 16, 3, 3}, {5, 31, 1, 9}, {9, 33, 3, 8}, {23, 50, 2, 6}, {4, 100, 1, 18},
		} {
			at, gap := s.m%3, s.n%2
			k := at + s.runs*(s.run+gap) + 1
			b := Pack(Rows(random(k*s.n, 1), s.n), k, s.n)
			src := rng.New(2, uint64(s.m))
			g := Gather{A: random(s.m*40+k*3, 3), Runs: s.runs, Run: s.run, Jump: s.run + 7, At: at, Gap: gap, Bias: random(s.n, 4)}
			for i := range s.m {
				g.From = append(g.From, int32(src.IntN(s.m*40)))
				g.To = append(g.To, int32(((i*7+3)%s.m)*(s.n+2))) // 7 and the numbers of rows have no divisor in common
			}
			before := random(s.m*(s.n+2), 5)
			for start := Zero; start <= AddBias; start++ {
				for _, relu := range []bool{false, true} {
					var w Workspace
					g.Start, g.ReLU = start, relu
					want := slices.Clone(before)
					g.C = want
					gatherPlain(&g, b)
					got := slices.Clone(before)
					g.C = got
					w.MulGather(g, b)
					for i, v := range want {
						if math.Float32bits(got[i]) != math.Float32bits(v) {
							t.Fatalf("%+v, start %d, ReLU %t: element %d is %v, the definition gives %v", s, start, relu, i, got[i], v)
						}
					}
				}
			}
		}
	})
}

// TestGatherStarts holds the definition of a gathered product to that of others.
func TestGatherStarts(t *testing.T) {
	const m, n, k = 3, 5, 4
	a, data, bias := random(m*k, 1), random(k*n, 2), random(n, 3)
	b := Pack(Rows(data, n), k, n)
	for start := Zero; start <= AddBias; start++ {
		c := random(m*n, 4)
		want := slices.Clone(c)
		for i := range want {
			switch start {
			case FromBias:
				want[i] = bias[i%n]
			case Zero, AddC, AddBias:
				want[i] = 0
			}
		}
		product(want, n, m, n, k, Rows(a, k), Rows(data, n), true)
		for i := range want {
			switch start {
			case AddC:
				want[i] = c[i] + want[i]
			case AddBias:
				want[i] = bias[i%n] + want[i]
			}
			want[i] = max(want[i], 0)
		}
		gatherPlain(&Gather{A: a, C: c, From: []int32{0, k, 2 * k}, To: []int32{0, n, 2 * n}, Runs: 1, Run: k, Start: start, Bias: bias, ReLU: true}, b)
		if !slices.Equal(c, want) {
			t.Errorf("start %d: %v, want %v", start, c, want)
		}
	}
}

// TestGatherRefuses: what does not fit is refused before a kernel reads it.
func TestGatherRefuses(t *testing.T) {
	b := Pack(Rows(make([]float32, 8), 2), 4, 2)
	fits := Gather{A: make([]float32, 4), C: make([]float32, 2), From: []int32{0}, To: []int32{0}, Runs: 2, Run: 2, Jump: 2}
	for name, change := range map[string]func(g *Gather){
		"as it is":    func(*Gather) {},
		"A too short": func(g *Gather) { g.From = []int32{1} },
		"before A":    func(g *Gather) { g.From = []int32{-1} },
		"C too short": func(g *Gather) { g.To = []int32{1} },
		"before C":    func(g *Gather) { g.To = []int32{-1} },
		"runs":        func(g *Gather) { g.Jump = 3 },
		"depth":       func(g *Gather) { g.Run = 3 },
		"gap":         func(g *Gather) { g.Gap = 1 },
		"no run":      func(g *Gather) { g.Run = 0 },
		"rows":        func(g *Gather) { g.To = nil },
		"bias":        func(g *Gather) { g.Start, g.Bias = FromBias, make([]float32, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			g := fits
			change(&g)
			defer func() {
				if r := recover(); (r == nil) != (name == "as it is") {
					t.Errorf("it is refused with %v", r)
				}
			}()
			var w Workspace
			w.MulGather(g, b)
		})
	}
}

// TestLayer holds layers to products with the bias before and ReLU after, bit for bit.
func TestLayer(t *testing.T) {
	with(t, func(t *testing.T) {
		for _, s := range [][3]int{{1, 18, 300}, {7, 33, 10}, {400, 20, 9}} {
			m, n, k := s[0], s[1], s[2]
			a, data, bias := random(m*k, 1), random(k*n, 2), random(n, 3)
			b := Pack(Rows(data, n), k, n)
			for _, relu := range []bool{false, true} {
				for name, a := range map[string]View{"rows": Rows(a, k), "columns": {a, 1, m}} {
					want := make([]float32, m*n)
					for i := range want {
						want[i] = bias[i%n]
					}
					product(want, n, m, n, k, a, Rows(data, n), true)
					got := make([]float32, m*n)
					var w Workspace
					w.LayerPacked(got, m, a, b, Layer{bias, relu})
					for i, v := range want {
						if relu && v < 0 {
							v = 0
						}
						if math.Float32bits(got[i]) != math.Float32bits(v) {
							t.Fatalf("%v, %s, ReLU %t: element %d is %v, want %v", s, name, relu, i, got[i], v)
						}
					}
				}
			}
		}
	})
}

// BenchmarkGather times the second layer of a digit's encoder on nine images, as it
// takes its patches, in GFLOP/s.
func BenchmarkGather(b *testing.B) {
	saved := active
	defer func() { active = saved }()
	for _, k := range kernels() {
		active = k
		b.Run(fmt.Sprint(k.name), func(b *testing.B) {
			p := &Patches{Data: random(9*16*16*32, 1), Images: 9, Rows: 7, Cols: 7, Image: 16 * 16 * 32, Y: 2 * 16 * 32, X: 2 * 32, Runs: 3, Run: 96, Jump: 16 * 32}
			w, c := Pack(Rows(random(288*64, 2), 64), 288, 64), make([]float32, 9*49*64)
			var ws Workspace
			for b.Loop() {
				ws.LayerPatches(c, p, w, Layer{random(64, 3), true})
			}
			b.ReportMetric(2*9*49*64*288*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
