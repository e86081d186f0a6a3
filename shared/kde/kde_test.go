package kde

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"mppm/shared/rng"
)

func bank(t testing.TB, n, dim int) *Bank {
	t.Helper()
	c := make([]float32, n*dim)
	rng.New(1, uint64(n)).FillNorm(c, 2)
	b, err := New(c, dim)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestMean holds the kernel mean to Eq. 21 in float64.
func TestMean(t *testing.T) {
	for _, n := range []int{1, 2, 15, 16, 17, 500} {
		for _, dim := range []int{1, 3, 18} {
			b := bank(t, n, dim)
			z := make([]float32, 5*dim)
			rng.New(2, 0).FillNorm(z, 3)
			got := make([]float32, len(z))
			var ws Workspace
			const sigma = 0.9
			b.Mean(got, z, sigma, &ws)
			code := make([]float32, dim)
			for i := 0; i < len(z); i += dim {
				d2 := make([]float64, n)
				least := math.Inf(1)
				for j := range n {
					b.Code(code, j)
					for d, c := range code {
						t := float64(z[i+d]) - float64(c)
						d2[j] += t * t
					}
					least = min(least, d2[j])
				}
				near, at := b.Nearest(z[i:i+dim], &ws)
				if math.Abs(float64(near)-least) > 1e-5*least || math.Abs(d2[at]-least) > 1e-5*least {
					t.Errorf("n %d dim %d: nearest %v at %d, want %v", n, dim, near, at, least)
				}
				var total float64
				mean := make([]float64, dim)
				for j := range n {
					w := math.Exp((least - d2[j]) / (2 * sigma * sigma))
					total += w
					b.Code(code, j)
					for d, c := range code {
						mean[d] += w * float64(c)
					}
				}
				for d := range dim {
					if want := mean[d] / total; math.Abs(float64(got[i+d])-want) > 2e-5*(1+math.Abs(want)) {
						t.Errorf("n %d dim %d: mean[%d] = %v, want %v", n, dim, d, got[i+d], want)
					}
				}
			}
		}
	}
}

// TestAlone: a point in a batch of any size gives what it gives alone, bit for
// bit.
func TestAlone(t *testing.T) {
	b := bank(t, 333, 18)
	z := make([]float32, 50*18)
	rng.New(3, 0).FillNorm(z, 2)
	all, one := make([]float32, len(z)), make([]float32, 18)
	var ws Workspace
	b.Mean(all, z, 1, &ws)
	for i := 0; i < len(z); i += 18 {
		b.Mean(one, z[i:i+18], 1, &ws)
		for d, v := range one {
			if v != all[i+d] {
				t.Fatalf("point %d: mean[%d] is %v alone, %v in the batch", i/18, d, v, all[i+d])
			}
		}
	}
}

// TestFarAway: however far the point, the mean is a mean of codes.
func TestFarAway(t *testing.T) {
	b := bank(t, 100, 18)
	z, m := make([]float32, 18), make([]float32, 18)
	for i := range z {
		z[i] = 1e6
	}
	var ws Workspace
	b.Mean(m, z, 1e-3, &ws)
	for _, v := range m {
		if !(math.Abs(float64(v)) < 20) {
			t.Fatalf("mean %v", m)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		codes []float32
		dim   int
		want  string
	}{{nil, 18, "whole number"}, {make([]float32, 19), 18, "whole number"}, {make([]float32, 4), 0, "whole number"}, {[]float32{1, nan}, 2, "finite"}, {[]float32{1, 1e20}, 1, "finite"}} {
		if _, err := New(c.codes, c.dim); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("New(%v, %d): %v, want an error with %q", c.codes, c.dim, err, c.want)
		}
	}
}

// TestSubset: a subset has the codes that were asked for and no others, and is a
// bank as New makes one.
func TestSubset(t *testing.T) {
	b := bank(t, 40, 3)
	pick := []int{39, 0, 7, 8}
	s, err := b.Subset(pick)
	if err != nil {
		t.Fatal(err)
	}
	if s.Len() != len(pick) || s.Dim() != 3 {
		t.Fatalf("%d codes of %d dimensions, want %d of 3", s.Len(), s.Dim(), len(pick))
	}
	var ws Workspace
	want, got, mean := make([]float32, 3), make([]float32, 3), make([]float32, 3)
	for i, j := range pick {
		b.Code(want, j)
		s.Code(got, i)
		// A kernel far narrower than the codes' spacing has its mean at the code.
		s.Mean(mean, want, 1e-3, &ws)
		for d := range want {
			if got[d] != want[d] || math.Abs(float64(mean[d]-want[d])) > 1e-6 {
				t.Errorf("code %d of the subset is %v, its mean %v; want %v", i, got, mean, want)
			}
		}
	}
	b.Code(want, 20)
	if d2, _ := s.Nearest(want, &ws); d2 == 0 {
		t.Error("a code that was left out is in the subset")
	}
	for _, bad := range [][]int{nil, {40}, {-1}} {
		if _, err := b.Subset(bad); err == nil {
			t.Errorf("Subset(%v) gave no error", bad)
		}
	}
}

// BenchmarkMean times the kernel means of 1 and 36 points over 5,000 codes.
func BenchmarkMean(b *testing.B) {
	k := bank(b, 5000, 18)
	for _, n := range []int{1, 36} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			z, m := make([]float32, n*18), make([]float32, n*18)
			rng.New(4, 0).FillNorm(z, 2)
			var ws Workspace
			for b.Loop() {
				k.Mean(m, z, 1, &ws)
			}
		})
	}
}

// TestNear holds what is left out to 1e-6 of all weights, on kernels from narrow to wide,
// the mean to float64, and both ways of adding up to the same bits.
func TestNear(t *testing.T) {
	const n, dim = 5000, 18
	b := bank(t, n, dim)
	z := make([]float32, chunk*dim)
	rng.New(4, 0).FillNorm(z, 3)
	for _, sigma := range []float32{0.05, 0.3, 1, 3, 20} {
		var ws Workspace
		got := make([]float32, len(z))
		b.Mean(got, z, sigma, &ws)
		gathered, product := make([]float32, len(ws.sums)), make([]float32, len(ws.sums))
		scale := 1 / float32(sigma*sigma)
		b.take(z, chunk, &ws)
		all := b.score(chunk, 0, n, &ws)
		scores := append([]float32(nil), all[:chunk*n]...)
		ws.at, ws.near = ws.at[:0], ws.near[:0]
		var ends []int
		for i := range chunk {
			b.weigh(all[i*n:(i+1)*n], scale, &ws)
			ends = append(ends, len(ws.near))
		}
		b.gather(ends, &ws)
		copy(gathered, ws.sums)
		b.product(all, ends, &ws)
		copy(product, ws.sums)
		for i, v := range gathered {
			if i%b.width > dim {
				continue // what fills vectors up
			}
			if math.Float32bits(v) != math.Float32bits(product[i]) {
				t.Fatalf("σ %v: sum %d is %v one way and %v the other", sigma, i, v, product[i])
			}
		}
		code := make([]float32, dim)
		for i := range chunk {
			row := scores[i*n : (i+1)*n]
			top := float64(row[0])
			for _, v := range row {
				top = max(top, float64(v))
			}
			var total, left float64
			mean := make([]float64, dim)
			for j, v := range row {
				w := math.Exp((float64(v) - top) * float64(scale))
				total += w
				if (float64(v)-top)*float64(scale) < -float64(reach(n)) {
					left += w
				}
				b.Code(code, j)
				for d, c := range code {
					mean[d] += w * float64(c)
				}
			}
			if left > 1e-6*total {
				t.Errorf("σ %v, point %d: %v of all weights are left out", sigma, i, left/total)
			}
			for d, v := range mean {
				if want := v / total; math.Abs(float64(got[i*dim+d])-want) > 1e-5*(1+math.Abs(want)) {
					t.Errorf("σ %v, point %d: mean[%d] is %v, want %v", sigma, i, d, got[i*dim+d], want)
				}
			}
		}
		t.Logf("σ %v: %d of %d codes matter", sigma, len(ws.near)/chunk, n)
	}
}

// clustered returns codes as models have them: many about each of few, with the spread of
// clusters a few times that within them, dimension by dimension.
func clustered(n, dim int) []float32 {
	const about = 500
	r := rng.New(6, uint64(n))
	codes, centers := make([]float32, n*dim), make([]float32, about*dim)
	r.FillNorm(centers, 4)
	r.FillNorm(codes, 0.5)
	for j := range n {
		for d := range dim {
			codes[d*n+j] += centers[j%about*dim+d]
		}
	}
	return codes
}

// TestLarge: of a large bank, block by block, the same codes are added up in the same order
// as of one block, bit for bit; and the mean is that of all codes in float64.
func TestLarge(t *testing.T) {
	const n, dim, points = large + 1237, 18, 20
	codes := clustered(n, dim)
	b, err := New(codes, dim)
	if err != nil {
		t.Fatal(err)
	}
	z := make([]float32, points*dim)
	rng.New(7, 0).FillNorm(z, 0.3)
	code := make([]float32, dim)
	for i := range points {
		b.Code(code, i*997)
		for d, v := range code {
			z[i*dim+d] += v
		}
	}
	worst := 0.0
	for _, sigma := range []float32{0.05, 0.2, 1, 5} {
		var ws Workspace
		got := make([]float32, len(z))
		b.Mean(got, z, sigma, &ws)
		blocks := append([]float32(nil), ws.sums[:points*b.width]...)
		ws.weights = make([]float32, points*n)
		b.weighAll(make([]int, points), 1/float32(sigma*sigma), &ws)
		for i, v := range ws.sums[:points*b.width] {
			if i%b.width <= dim && math.Float32bits(blocks[i]) != math.Float32bits(v) {
				t.Fatalf("σ %v: sum %d is %v in blocks, %v in one", sigma, i, blocks[i], v)
			}
		}
		for i := range points {
			cut, off := offBy(codes, dim, z[i*dim:(i+1)*dim], got[i*dim:(i+1)*dim], sigma)
			// Sums of 20,000 numbers are rounded 20,000 times, with a cut or without.
			if cut > 1e-6 || off > 1e-4 {
				t.Errorf("σ %v: point %d's mean is off by %.2g, of that %.2g by what is left out", sigma, i, off, cut)
			}
			worst = max(worst, off)
		}
	}
	t.Logf("no mean is off by more than %.2g of what codes are long", worst)
	var ws Workspace
	for j := 0; j < n; j += 3701 {
		b.Code(code, j)
		if _, at := b.Nearest(code, &ws); at != j {
			t.Errorf("the code nearest to code %d is %d", j, at)
		}
	}
}

// offBy returns how far what is left out takes a mean from that of all codes, both in
// float64, and how far the given one is from that: in shares of how long the codes are.
func offBy(codes []float32, dim int, z, mean []float32, sigma float32) (cut, off float64) {
	n := len(codes) / dim
	d2 := make([]float64, n)
	least := math.Inf(1)
	for j := range n {
		for d := range dim {
			x := float64(z[d]) - float64(codes[d*n+j])
			d2[j] += x * x
		}
		least = min(least, d2[j])
	}
	var all, kept, length float64
	sum, keptSum := make([]float64, dim), make([]float64, dim)
	for j, v := range d2 {
		e := (least - v) / (2 * float64(sigma) * float64(sigma))
		w := math.Exp(e)
		all += w
		if e >= -float64(reach(n)) {
			kept += w
		}
		for d := range dim {
			c := float64(codes[d*n+j])
			sum[d] += w * c
			length += w * c * c
			if e >= -float64(reach(n)) {
				keptSum[d] += w * c
			}
		}
	}
	for d, v := range sum {
		cut += (keptSum[d]/kept - v/all) * (keptSum[d]/kept - v/all)
		off += (float64(mean[d]) - v/all) * (float64(mean[d]) - v/all)
	}
	length = math.Sqrt(length / all)
	return math.Sqrt(cut) / length, math.Sqrt(off) / length
}
