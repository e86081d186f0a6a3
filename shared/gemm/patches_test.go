package gemm

import (
	"fmt"
	"math"
	"testing"
)

// TestPatches holds products with patches, and with their transpose, to those with the
// same patches copied, bit for bit, fused and not.
func TestPatches(t *testing.T) {
	with(t, func(t *testing.T) {
		for _, s := range []struct{ images, h, w, c, side, stride, n int }{
			{1, 3, 3, 1, 3, 1, 1}, {2, 9, 15, 3, 3, 1, 5}, {1, 14, 26, 16, 3, 1, 16}, {3, 8, 8, 20, 3, 1, 33},
			{1, 15, 17, 32, 3, 1, 32}, {1, 9, 9, 100, 3, 1, 70}, {2, 8, 14, 6, 2, 2, 48}, {1, 7, 30, 300, 2, 2, 17},
		} {
			rows, cols := (s.h-s.side)/s.stride+1, (s.w-s.side)/s.stride+1
			p := &Patches{
				Data: random(s.images*s.h*s.w*s.c, 1), Images: s.images, Rows: rows, Cols: cols,
				Image: s.h * s.w * s.c, Y: s.stride * s.w * s.c, X: s.stride * s.c, Runs: s.side, Run: s.side * s.c, Jump: s.w * s.c,
			}
			m, k := s.images*rows*cols, s.side*s.side*s.c
			copied := make([]float32, 0, m*k)
			for i := range m {
				for r := range p.Runs {
					at := i/(rows*cols)*p.Image + i/cols%rows*p.Y + i%cols*p.X + r*p.Jump
					copied = append(copied, p.Data[at:at+p.Run]...)
				}
			}
			for variant := range 4 {
				acc, w := variant&1 != 0, Workspace{Fused: variant&2 != 0}
				same := func(what string, got, want []float32) {
					t.Helper()
					for i := range want {
						if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
							t.Fatalf("%s %+v/%d: element %d is %v, of copied patches %v", what, s, variant, i, got[i], want[i])
						}
					}
				}
				// C has a row more than the images, and a number more than the product.
				ld := s.n + 1
				at := Places{(rows*cols + 1) * ld, cols * ld, ld}
				b := random(k*s.n, 2)
				want := random((m+s.images)*ld, 3)
				got := append([]float32(nil), want...)
				w.MulPatches(got, at, p, Pack(Rows(b, s.n), k, s.n), acc)
				for i := range s.images {
					w.Mul(want[i*at.Image:], ld, rows*cols, s.n, k, Rows(copied[i*rows*cols*k:], k), Rows(b, s.n), acc)
				}
				same("product", got, want)

				b = random(m*s.n, 4)
				want = random(k*ld, 5)
				got = append([]float32(nil), want...)
				w.Mul(want, ld, k, s.n, m, Rows(copied, k).T(), Rows(b, s.n), acc)
				cut := min(k, k/2/12*12)
				w.MulPatchesT(got, ld, 0, cut, s.n, p, b, acc)
				w.MulPatchesT(got, ld, cut, k, s.n, p, b, acc)
				same("transposed", got, want)
			}
		}
	})
}

// BenchmarkPatches times products with the patches of a net's convolutions, and with
// their transpose, in GFLOP/s.
func BenchmarkPatches(b *testing.B) {
	for _, s := range [][3]int{{96, 16, 16}, {48, 32, 32}, {24, 64, 64}, {15, 256, 256}} {
		side, c, n := s[0], s[1], s[2]
		wide := side + 2
		p := &Patches{
			Data: random(wide*wide*c, 1), Images: 1, Rows: side, Cols: side,
			Y: wide * c, X: c, Runs: 3, Run: 3 * c, Jump: wide * c,
		}
		m, k := side*side, 9*c
		w := Workspace{Fused: true}
		packed := Pack(Rows(random(k*n, 2), n), k, n)
		y, g := make([]float32, m*n), make([]float32, k*n)
		rate := func(b *testing.B) {
			b.ReportMetric(2*float64(m*n*k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		}
		b.Run(fmt.Sprintf("product/%dx%dx%d", side, c, n), func(b *testing.B) {
			for b.Loop() {
				w.MulPatches(y, Places{Y: side * n, X: n}, p, packed, false)
			}
			rate(b)
		})
		b.Run(fmt.Sprintf("transposed/%dx%dx%d", side, c, n), func(b *testing.B) {
			for b.Loop() {
				w.MulPatchesT(g, n, 0, k, n, p, y, false)
			}
			rate(b)
		})
	}
}
