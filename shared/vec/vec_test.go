package vec

import (
	"math"
	"testing"

	"mppm/shared/rng"
)

func sample(n int) []float32 {
	s := make([]float32, n)
	r := rng.New(1, 0)
	for i := range s {
		s[i] = float32(r.Norm() * 30)
	}
	nan := float32(math.NaN())
	inf := float32(math.Inf(1))
	return append(s, 0, float32(math.Copysign(0, -1)), 1, -1, 88, 88.1, 1e30, -87.3, -87.4, -88, -1e30, inf, -inf, nan, 1e-30, -1e-30)
}

func TestExpAgainstFloat64(t *testing.T) {
	for _, x := range sample(100_000) {
		got := float64(Exp1(x))
		want := math.Exp(float64(x))
		switch {
		case x != x:
			if got == got {
				t.Errorf("Exp1(NaN) = %v", got)
			}
		case x < expMin:
			if got != 0 {
				t.Errorf("Exp1(%v) = %v, want 0", x, got)
			}
		case x > expMax:
			if want = math.Exp(expMax); math.Abs(got-want) > 3e-7*want {
				t.Errorf("Exp1(%v) = %v, want %v", x, got, want)
			}
		case math.Abs(got-want) > 2.5e-7*want:
			t.Errorf("Exp1(%v) = %v, want %v", x, got, want)
		}
	}
}

// TestTwins holds Exp and Sigmoid to their definitions, bit for bit, at every
// short length and on every special value.
func TestTwins(t *testing.T) {
	src := sample(1003)
	for n := range len(src) {
		if n > 70 && n < len(src)-20 {
			continue
		}
		in := src[len(src)-n:]
		for name, f := range map[string][2]func(dst, src []float32){"Exp": {Exp, expScalar}, "Sigmoid": {Sigmoid, sigmoidScalar}, "ExpDiff": {
			func(dst, src []float32) { ExpDiff(dst, src, 2.5, 0.7) }, func(dst, src []float32) { expDiffScalar(dst, src, 2.5, 0.7) }},
			"ReLU":     {ReLU, reluScalar},
			"ReLUBack": {func(dst, src []float32) { fill(dst); ReLUBack(dst, dst, src) }, func(dst, src []float32) { fill(dst); reluBackScalar(dst, dst, src) }},
			"Add":      {func(dst, src []float32) { fill(dst); Add(dst, src) }, func(dst, src []float32) { fill(dst); addScalar(dst, src) }},
		} {
			got, want := make([]float32, n), make([]float32, n)
			f[0](got, in)
			f[1](want, in)
			for i := range want {
				if math.Float32bits(got[i]) != math.Float32bits(want[i]) && want[i] == want[i] {
					t.Fatalf("%s of %v (place %d of %d) is %v, the definition gives %v", name, in[i], i, n, got[i], want[i])
				}
			}
		}
	}
}

func fill(x []float32) {
	for i := range x {
		x[i] = float32(i) - 7.5
	}
}

func TestReLU(t *testing.T) {
	x := []float32{-1, 0, 2, float32(math.NaN())}
	ReLU(x, x)
	g, sum := []float32{1, 2, 3, 4}, []float32{1, 2, 3, 4}
	ReLUBack(g, g, []float32{-1, 0, 2, 3})
	if g[0] != 0 || g[1] != 0 || g[2] != 3 || g[3] != 4 {
		t.Errorf("ReLUBack = %v", g)
	}
	Add(sum, []float32{10, 20, 30, 40})
	if sum[0] != 11 || sum[3] != 44 {
		t.Errorf("Add = %v", sum)
	}
	if x[0] != 0 || x[1] != 0 || x[2] != 2 || x[3] == x[3] {
		t.Errorf("ReLU = %v", x)
	}
}

func BenchmarkExp(b *testing.B) {
	src, dst := sample(4096), make([]float32, 4096+16)
	b.SetBytes(4 * 4112)
	for b.Loop() {
		Exp(dst, src)
	}
}

func TestMax(t *testing.T) {
	src := sample(200)[:200]
	for n := 1; n <= len(src); n++ {
		if got, want := Max(src[:n]), maxScalar(src[:n]); got != want {
			t.Fatalf("Max of %d numbers is %v, want %v", n, got, want)
		}
	}
}
