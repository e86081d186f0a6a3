package metric

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"mppm/shared/golden"
	"mppm/shared/rng"
)

//go:embed testdata/reference.json
var referenceJSON []byte

// reference is one case of testdata/reference.json, whose numbers scikit-image 0.19.3
// gave to testdata/reference.py.
type reference struct {
	Name            string
	W, H            int
	A, B            []int // in units of 1/256
	MSE, PSNR, SSIM float64
}

func floats(x []int) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(v) / 256 // exact
	}
	return out
}

func TestAgainstScikit(t *testing.T) {
	var cases []reference
	if err := json.Unmarshal(referenceJSON, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 8 {
		t.Fatalf("%d cases", len(cases))
	}
	var s Scorer // shared: one size after another
	for _, c := range cases {
		a, b := floats(c.A), floats(c.B)
		ssim, err := s.SSIM(a, b, c.W, c.H)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []struct {
			name              string
			got, want, within float64
		}{
			{"MSE", MSE(a, b), c.MSE, 1e-15},
			{"PSNR", PSNR(a, b), c.PSNR, 1e-13},
			{"SSIM", ssim, c.SSIM, 1e-12},
		} {
			if !(math.Abs(v.got-v.want) <= v.within) {
				t.Errorf("%s: %s = %.17g, scikit-image %.17g", c.Name, v.name, v.got, v.want)
			}
		}
	}
}

// direct is SSIM as its paper writes it: every window by itself, all 121
// weights, all five sums.
func direct(a, b []float32, w, h int) float64 {
	var win [11][11]float64
	total := 0.0
	for i := range 11 {
		for j := range 11 {
			win[i][j] = math.Exp(-float64((i-5)*(i-5)+(j-5)*(j-5)) / (2 * 1.5 * 1.5))
			total += win[i][j]
		}
	}
	sum, n := 0.0, 0.0
	for y := 0; y+11 <= h; y++ {
		for x := 0; x+11 <= w; x++ {
			var ma, mb, va, vb, cov float64
			for i := range 11 {
				for j := range 11 {
					g := win[i][j] / total
					ma += g * float64(a[(y+i)*w+x+j])
					mb += g * float64(b[(y+i)*w+x+j])
				}
			}
			for i := range 11 {
				for j := range 11 {
					g := win[i][j] / total
					da, db := float64(a[(y+i)*w+x+j])-ma, float64(b[(y+i)*w+x+j])-mb
					va += g * da * da
					vb += g * db * db
					cov += g * da * db
				}
			}
			sum += (2*ma*mb + .01*.01) * (2*cov + .03*.03) / ((ma*ma + mb*mb + .01*.01) * (va + vb + .03*.03))
			n++
		}
	}
	return sum / n
}

func TestSSIMAgainstDirect(t *testing.T) {
	r := rng.New(1, 0)
	var s Scorer
	for range 60 {
		w, h := 11+r.IntN(30), 11+r.IntN(30)
		a, b := make([]float32, w*h), make([]float32, w*h)
		mix := r.Float32() * 2
		for i := range a {
			a[i] = r.Float32()
			b[i] = a[i] + mix*(r.Float32()-.5)
		}
		got, err := s.SSIM(a, b, w, h)
		if err != nil {
			t.Fatal(err)
		}
		if want := direct(a, b, w, h); !(math.Abs(got-want) <= 1e-12) {
			t.Errorf("%d×%d: %.17g, directly %.17g", w, h, got, want)
		}
		if back, _ := s.SSIM(b, a, w, h); back != got {
			t.Errorf("%d×%d: %v one way, %v the other", w, h, got, back)
		}
		if alone, _ := SSIM(a, b, w, h); alone != got {
			t.Errorf("%d×%d: %v with a used Scorer, %v with a new one", w, h, got, alone)
		}
		if same, _ := s.SSIM(a, a, w, h); same != 1 {
			t.Errorf("%d×%d: SSIM of an image with itself is %v", w, h, same)
		}
	}
}

func TestSSIMErrors(t *testing.T) {
	img := make([]float32, 400)
	for _, tt := range []struct{ na, nb, w, h int }{
		{400, 400, 20, 21}, {400, 400, 20, 19}, {399, 400, 20, 20}, {400, 399, 20, 20}, {0, 0, 20, 20},
		{200, 200, 10, 20}, {200, 200, 20, 10}, {0, 0, 0, 0}, {400, 400, -20, -20}, {400, 400, math.MinInt, 20},
		{400, 400, math.MaxInt, math.MaxInt}, {11, 11, 11, math.MaxInt/11 + 1},
	} {
		if got, err := SSIM(img[:tt.na], img[:tt.nb], tt.w, tt.h); err == nil {
			t.Errorf("%+v: %v and no error", tt, got)
		}
	}
}

func TestNotFinite(t *testing.T) {
	a, b := make([]float32, 784), make([]float32, 784)
	b[400] = float32(math.NaN())
	ssim, err := SSIM(a, b, 28, 28)
	if err != nil || !math.IsNaN(ssim) || !math.IsNaN(MSE(a, b)) || !math.IsNaN(PSNR(a, b)) {
		t.Errorf("NaN in a pixel: SSIM %v (%v), MSE %v, PSNR %v, want NaN", ssim, err, MSE(a, b), PSNR(a, b))
	}
	b[400] = float32(math.Inf(1))
	if !math.IsInf(MSE(a, b), 1) || !math.IsInf(PSNR(a, b), -1) {
		t.Errorf("infinity in a pixel: MSE %v, PSNR %v", MSE(a, b), PSNR(a, b))
	}
}

func TestMSEPSNR(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, tt := range []struct {
		a, b      []float32
		mse, psnr float64
	}{
		{[]float32{0, 0}, []float32{0, 0}, 0, inf},
		{[]float32{1, 0}, []float32{0, 0}, .5, 3.010299956639812},
		{[]float32{1}, []float32{0}, 1, 0},
		{[]float32{.1}, []float32{0}, float64(float32(.1)) * float64(float32(.1)), 20 - 1.294e-7},
		{[]float32{1}, []float32{-9}, 100, -20},
		{nil, nil, nan, nan},
		{[]float32{1}, nil, nan, nan},
		{[]float32{1}, []float32{1, 1}, nan, nan},
	} {
		same := func(a, b float64) bool {
			return a == b || math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) < 1e-10
		}
		if mse, psnr := MSE(tt.a, tt.b), PSNR(tt.a, tt.b); !same(mse, tt.mse) || !same(psnr, tt.psnr) {
			t.Errorf("%v, %v: MSE %v, PSNR %v, want %v, %v", tt.a, tt.b, mse, psnr, tt.mse, tt.psnr)
		}
	}
}

func TestLog10(t *testing.T) {
	r := rng.New(2, 0)
	for range 100_000 {
		x := math.Ldexp(r.Float64()+1e-300, r.IntN(2000)-1000)
		if x == 0 || math.IsInf(x, 0) {
			continue
		}
		want := math.Log10(x)
		if got := log10(x); !(math.Abs(got-want) <= 4e-16*math.Abs(want)+2e-16) {
			t.Fatalf("log10(%g) = %.17g, want %.17g", x, got, want)
		}
	}
	for e := -1074; e <= 1023; e++ {
		x := math.Ldexp(1, e)
		if got, want := log10(x), float64(e)*math.Log10(2); !(math.Abs(got-want) <= 1e-13) {
			t.Errorf("log10(2^%d) = %v, want %v", e, got, want)
		}
	}
}

// TestBits pins scores to the last bit. The same numbers are checked in WASM,
// and with and without SIMD.
func TestBits(t *testing.T) {
	r := rng.New(3, 0)
	a, b := make([]float32, 784), make([]float32, 784)
	for i := range a {
		a[i] = r.Float32()
		b[i] = a[i] + float32(float32(r.Norm())*.3)
	}
	ssim, err := SSIM(a, b, 28, 28)
	if err != nil {
		t.Fatal(err)
	}
	for name, score := range map[string]float64{"MSE": MSE(a, b), "PSNR": PSNR(a, b), "SSIM": ssim} {
		golden.Check(t, "metric: "+name+" of two random images", fmt.Sprintf("%016x", math.Float64bits(score)))
	}
}

func TestScorerDoesNotAllocate(t *testing.T) {
	var s Scorer
	a := make([]float32, 784)
	s.SSIM(a, a, 28, 28)
	if n := testing.AllocsPerRun(100, func() { s.SSIM(a, a, 28, 28) }); n != 0 {
		t.Errorf("%v allocations an image", n)
	}
}

func BenchmarkSSIM(b *testing.B) {
	r := rng.New(3, 0)
	x, y := make([]float32, 784), make([]float32, 784)
	for i := range x {
		x[i], y[i] = r.Float32(), r.Float32()
	}
	var s Scorer
	for b.Loop() {
		s.SSIM(x, y, 28, 28)
	}
}
