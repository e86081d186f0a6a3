package vec

import (
	"math"
	"slices"
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

// TestTwins holds functions to their definitions, bit for bit, at every
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
			"SiLU":     {SiLU, siluScalar},
			"SiLUBack": {func(dst, src []float32) { fill(dst); SiLUBack(dst, dst, src) }, func(dst, src []float32) { fill(dst); siluBackScalar(dst, dst, src) }},
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

// TestAtLeast holds AtLeast to its definition: which numbers, and which they are.
func TestAtLeast(t *testing.T) {
	src := sample(300)
	for _, n := range []int{0, 1, 3, 4, 5, 8, 11, 64, 130, len(src)} {
		for _, least := range []float32{-100, -20, 0, 25, 1e9} {
			in := src[len(src)-n:]
			got, want := make([]float32, n), make([]float32, n)
			at, wantAt := make([]int32, n), make([]int32, n)
			found, wantN := AtLeast(got, at, in, 7, least), atLeastScalar(want, wantAt, in, 7, least)
			if found != wantN || !slices.Equal(got[:found], want[:found]) || !slices.Equal(at[:found], wantAt[:found]) {
				t.Fatalf("of %d numbers, %d are at least %v: %v at %v; want %d: %v at %v", n, found, least, got[:found], at[:found], wantN, want[:wantN], wantAt[:wantN])
			}
		}
	}
}

// TestSum holds Sum to its definition, bit for bit, for rows of any width.
func TestSum(t *testing.T) {
	const rows = 50
	for _, width := range []int{1, 3, 4, 7, 16, 19, 20, 24, 41} {
		src, w := make([]float32, rows*width), make([]float32, rows)
		r := rng.New(3, uint64(width))
		r.FillNorm(src, 1)
		r.FillNorm(w, 1)
		for _, n := range []int{0, 1, 2, 17} {
			var at []int32
			for k := range n {
				at = append(at, int32(k*rows/max(n, 1)))
			}
			for _, part := range []int{width, max(1, width-2)} {
				got, want := make([]float32, part), make([]float32, part)
				got[0] = 3 // what is there before is for nothing
				Sum(got, w[:n], at, src, width)
				sumScalar(want, w[:n], at, src, width)
				if !slices.Equal(got, want) {
					t.Fatalf("%d rows of %d of %d numbers: %v, want %v", n, part, width, got, want)
				}
			}
		}
	}
}
