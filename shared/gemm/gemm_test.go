package gemm

import (
	"fmt"
	"math"
	"testing"

	"mppm/shared/rng"
)

// with runs f once for every kernel the processor has.
func with(t *testing.T, f func(t *testing.T)) {
	saved := active
	defer func() { active = saved }()
	for _, k := range kernels() {
		active = k
		t.Run(k.name, f)
	}
}

// product is the definition, written as plainly as can be.
func product(c []float32, ldc, m, n, k int, a, b View, acc bool) {
	for i := range m {
		for j := range n {
			var sum float32
			if acc {
				sum = c[i*ldc+j]
			}
			for p := range k {
				x := a.Data[i*a.Row+p*a.Col] * b.Data[p*b.Row+j*b.Col]
				sum += float32(x)
			}
			c[i*ldc+j] = sum
		}
	}
}

var shapes = [][3]int{
	{1, 1, 1}, {1, 1, 0}, {0, 3, 2}, {3, 0, 2}, {4, 4, 4}, {5, 7, 3}, {6, 32, 9}, {7, 33, 10},
	{1, 18, 3136}, {2, 3136, 18}, {49, 64, 288}, {196, 32, 9}, {193, 9, 64}, {31, 288, 257}, {13, 65, 511},
}

func random(n int, seed uint64) []float32 {
	s := make([]float32, n)
	rng.New(seed, uint64(n)).FillNorm(s, 1)
	return s
}

// TestCompliance holds every kernel to the definition, bit for bit, over odd
// shapes, transposes, row strides and accumulation, and checks that nothing
// beyond C is written.
func TestCompliance(t *testing.T) {
	with(t, func(t *testing.T) {
		for _, s := range shapes {
			m, n, k := s[0], s[1], s[2]
			for variant := range 8 {
				name := fmt.Sprintf("%dx%dx%d/%d", m, n, k, variant)
				a, b := Rows(random(m*k, 1), k), Rows(random(k*n, 2), n)
				if variant&1 != 0 {
					a = View{random(m*k, 3), 1, max(m, 1)}
				}
				if variant&2 != 0 {
					b = View{random(k*n, 4), 1, max(k, 1)}
				}
				acc := variant&4 != 0
				ldc := n + variant
				want := random(m*ldc+3, 5)
				got, packed := append([]float32(nil), want...), append([]float32(nil), want...)
				product(want, ldc, m, n, k, a, b, acc)
				var w Workspace
				w.Mul(got, ldc, m, n, k, a, b, acc)
				w.MulPacked(packed, ldc, m, a, Pack(b, k, n), acc)
				for i := range want {
					if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
						t.Fatalf("%s: element %d is %v, the definition gives %v", name, i, got[i], want[i])
					}
					if math.Float32bits(packed[i]) != math.Float32bits(want[i]) {
						t.Fatalf("%s packed: element %d is %v, the definition gives %v", name, i, packed[i], want[i])
					}
				}
			}
		}
	})
}

// fma is a·b + c, rounded to float32 once. The product is exact in float64; the sum is
// rounded to odd there, so that rounding it again makes no difference.
func fma(a, b, c float32) float32 {
	x, y := float64(a)*float64(b), float64(c)
	sum := x + y
	part := sum - x
	rest := (x - (sum - part)) + (y - part)
	bits := math.Float64bits(sum)
	if rest != 0 && bits&1 == 0 {
		if (rest > 0) == (sum > 0) {
			bits++
		} else {
			bits--
		}
	}
	return float32(math.Float64frombits(bits))
}

// TestFused holds the fused kernels to sums in the order of the definition of products
// that are not rounded, bit for bit: training is to go the same way on every processor
// that fuses.
func TestFused(t *testing.T) {
	with(t, func(t *testing.T) {
		for _, s := range shapes {
			m, n, k := s[0], s[1], s[2]
			a, b := random(m*k, 1), random(k*n, 2)
			got := make([]float32, m*n)
			w := Workspace{Fused: true}
			w.Mul(got, n, m, n, k, Rows(a, k), Rows(b, n), false)
			for i := range m {
				for j := range n {
					var sum float32
					for p := range k {
						if active.fused != nil {
							sum = fma(a[i*k+p], b[p*n+j], sum)
						} else {
							sum += float32(a[i*k+p] * b[p*n+j])
						}
					}
					if v := got[i*n+j]; math.Float32bits(v) != math.Float32bits(sum) {
						t.Fatalf("%v: element (%d,%d) is %v, the definition gives %v", s, i, j, v, sum)
					}
				}
			}
		}
	})
}

// TestNaN checks that no kernel hides a NaN or an infinity behind a zero.
func TestNaN(t *testing.T) {
	with(t, func(t *testing.T) {
		a, b := make([]float32, 8*8), make([]float32, 8*8)
		b[3*8+5] = float32(math.NaN())
		c := make([]float32, 8*8)
		var w Workspace
		w.Mul(c, 8, 8, 8, 8, Rows(a, 8), Rows(b, 8), false)
		for i := range 8 {
			if c[i*8+5] == c[i*8+5] || c[i*8+4] != 0 {
				t.Fatalf("row %d: %v", i, c[i*8:i*8+8])
			}
		}
	})
}

// BenchmarkMul times the products of the nets of Table 8, in GFLOP/s.
func BenchmarkMul(b *testing.B) {
	saved := active
	defer func() { active = saved }()
	for _, k := range kernels() {
		active = k
		for _, fused := range []bool{false, true} {
			if fused && k.fused == nil {
				continue
			}
			for _, s := range [][3]int{{49, 64, 288}, {6272, 64, 288}, {128, 18, 3136}, {128, 3136, 18}, {25088, 32, 9}} {
				b.Run(fmt.Sprintf("%s/fused=%t/%dx%dx%d", k.name, fused, s[0], s[1], s[2]), func(b *testing.B) {
					m, n, k := s[0], s[1], s[2]
					x, y, c := random(m*k, 1), random(k*n, 2), make([]float32, m*n)
					w := Workspace{Fused: fused}
					packed := Pack(Rows(y, n), k, n)
					for b.Loop() {
						w.MulPacked(c, n, m, Rows(x, k), packed, false)
					}
					b.ReportMetric(2*float64(m*n*k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
				})
			}
		}
	}
}
