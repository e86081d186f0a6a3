package ddpm_test

import (
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"mppm/shared/ddpm"
	"mppm/shared/golden"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
)

func schedule(t testing.TB, steps int) *ddpm.Schedule {
	t.Helper()
	s, err := ddpm.Linear(ddpm.First, ddpm.Last, steps)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSchedule holds ᾱ to its definition in big numbers, and the whole to what
// is known of it.
func TestSchedule(t *testing.T) {
	for _, steps := range []int{1, 2, 1000, 2000} {
		s := schedule(t, steps)
		if s.Len() != steps {
			t.Errorf("%d steps, want %d", s.Len(), steps)
		}
		want := big.NewFloat(1).SetPrec(200)
		for i := range steps {
			// α_t = 1 − (first + (last − first)·t/(T−1)), in integers of 1e-4.
			beta := big.NewRat(1, 10_000)
			if steps > 1 {
				beta.Add(beta, big.NewRat(int64(199*i), int64(10_000*(steps-1))))
			}
			alpha := new(big.Rat).Sub(big.NewRat(1, 1), beta)
			want.Mul(want, new(big.Float).SetPrec(200).SetRat(alpha))
			w, _ := want.Float64()
			if got := s.Kept(i); math.Abs(got/w-1) > 1e-12 {
				t.Fatalf("T = %d: ᾱ_%d = %v, want %v", steps, i, got, w)
			}
		}
	}
	// log ᾱ_T = Σ log(1−β) ≈ −Σβ − Σβ²/2 − Σβ³/3: a closed form, to 1e-5.
	const n = 2000
	sum := n * (1e-4 + 0.02) / 2
	squares, cubes := 0.0, 0.0
	d := (0.02 - 1e-4) / (n - 1)
	for i := range n {
		b := 1e-4 + d*float64(i)
		squares, cubes = squares+b*b, cubes+b*b*b
	}
	if got, want := math.Log(schedule(t, n).Kept(n-1)), -sum-squares/2-cubes/3; math.Abs(got-want) > 1e-4 {
		t.Errorf("log ᾱ_T = %v, want %v", got, want)
	}
}

func TestMatch(t *testing.T) {
	s := schedule(t, 2000)
	for _, steps := range []int{0, 1, 2, 50, 700, 2000} {
		spread := 0.0
		if steps > 0 {
			k := s.Kept(steps - 1)
			spread = math.Sqrt((1 - k) / k)
		}
		if got := s.Match(spread); got != steps {
			t.Errorf("Match(%v) = %d, want %d", spread, got, steps)
		}
	}
	if got := s.Match(1e9); got != 2000 {
		t.Errorf("Match of a spread above all = %d, want 2000", got)
	}
}

// gaussian is the exact noise predictor for clean points from N(mean, spread²):
// E[ε | x_t] of Alg. 2's line 8.
type gaussian struct {
	s            *ddpm.Schedule
	mean, spread []float64
}

func (g gaussian) Dim() int { return len(g.mean) }

func (g gaussian) Predict(noise, x []float32, time float64) {
	k := g.s.Kept(int(math.Round(time * float64(g.s.Len()))))
	for i, v := range x {
		m, s := g.mean[i%len(g.mean)], g.spread[i%len(g.mean)]
		noise[i] = float32(math.Sqrt(1-k) * (float64(v) - math.Sqrt(k)*m) / (k*s*s + 1 - k))
	}
}

func sources(seed uint64, n int) []*rng.Source {
	var all []*rng.Source
	for i := range n {
		all = append(all, rng.New(seed, uint64(i)))
	}
	return all
}

// TestKnownGaussian samples a Gaussian whose predictor is known: from pure noise
// the points have its mean and spread.
func TestKnownGaussian(t *testing.T) {
	s := schedule(t, 500)
	g := gaussian{s, []float64{0, 1.5, -0.7}, []float64{1, 0.5, 0.2}}
	const n = 3000
	src := sources(3, n)
	x := make([]float32, 3*n)
	for i, r := range src {
		r.FillNorm(x[3*i:3*i+3], 1)
	}
	steps, err := s.Run(g, s.Len(), x, src)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for st := range steps {
		if st.Index != count || st.Left != s.Len()-count {
			t.Fatalf("step %d has index %d, %d left", count, st.Index, st.Left)
		}
		count++
	}
	if count != 501 {
		t.Errorf("%d states, want the start and 500 steps", count)
	}
	for d := range 3 {
		var sum, square float64
		for i := range n {
			v := float64(x[3*i+d])
			sum += v
			square += v * v
		}
		mean := sum / n
		spread := math.Sqrt(square/n - mean*mean)
		// Three standard errors, and 2 % for the 500 steps being finite.
		w := g.spread[d]
		if math.Abs(mean-g.mean[d]) > 3*w/math.Sqrt(n)+0.02 || math.Abs(spread/w-1) > 3/math.Sqrt(2*n)+0.02 {
			t.Errorf("coordinate %d: mean %.4f spread %.4f, want %.4f and %.4f", d, mean, spread, g.mean[d], w)
		}
	}
}

// TestDenoisesKnownGaussian: started at the matched step from clean points with
// noise, the sampler draws from what a clean point can be given the noisy one;
// the mean square error of that is twice the least possible.
func TestDenoisesKnownGaussian(t *testing.T) {
	s := schedule(t, 1000)
	g := gaussian{s, []float64{0.5}, []float64{1}}
	const n, spread = 4000, 0.8
	steps := s.Match(spread)
	src := sources(4, n)
	clean, x := make([]float32, n), make([]float32, n)
	for i, r := range src {
		r.FillNorm(clean[i:i+1], 1)
		r.FillNorm(x[i:i+1], spread)
		clean[i] += 0.5
		x[i] += clean[i]
	}
	s.Enter(x, steps)
	seq, err := s.Run(g, steps, x, src)
	if err != nil {
		t.Fatal(err)
	}
	for range seq {
	}
	var sum float64
	for i, v := range x {
		sum += math.Pow(float64(v-clean[i]), 2)
	}
	want := 2 * spread * spread / (1 + spread*spread)
	if got := sum / n; math.Abs(got/want-1) > 0.08 {
		t.Errorf("mean square error %.4f, want %.4f", got, want)
	}
}

func TestDiffuse(t *testing.T) {
	s := schedule(t, 100)
	x, e, got := []float32{1, -2}, []float32{0.5, 3}, make([]float32, 2)
	s.Diffuse(got, x, e, 40)
	for i := range x {
		want := math.Sqrt(s.Kept(40))*float64(x[i]) + math.Sqrt(1-s.Kept(40))*float64(e[i])
		if math.Abs(float64(got[i])-want) > 1e-6 {
			t.Errorf("coordinate %d: %v, want %v", i, got[i], want)
		}
	}
}

func TestFeatures(t *testing.T) {
	f := make([]float32, ddpm.TimeFeatures)
	for _, time := range []float64{0, 0.0005, 0.1, 1. / 3, 0.5, 0.9995, 1} {
		ddpm.Features(f, time)
		for i, got := range f {
			angle := math.Pi / 2 * math.Pow(2, float64(i/2)) * time
			want := math.Sin(angle)
			if i%2 == 1 {
				want = math.Cos(angle)
			}
			if math.Abs(float64(got)-want) > 1e-7 {
				t.Errorf("feature %d of %v: %v, want %v", i, time, got, want)
			}
		}
	}
}

// file is a denoiser with random weights.
func file(t testing.TB, dim int, hidden []int) *safetensors.File {
	t.Helper()
	f := &safetensors.File{}
	r := rng.New(5, 0)
	n, err := ddpm.Net(dim, hidden)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range n.Specs() {
		n := 1
		for _, d := range s.Shape {
			n *= d
		}
		data := make([]float32, n)
		r.FillNorm(data, float32(1/math.Sqrt(float64(s.Shape[len(s.Shape)-1]))))
		if err := f.AddFloat32(s.Name, data, s.Shape...); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func denoiser(t testing.TB, dim int, hidden []int) *ddpm.Denoiser {
	t.Helper()
	d, err := ddpm.Load(file(t, dim, hidden), dim)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestDenoiser holds the net to the formula, written out in float64.
func TestDenoiser(t *testing.T) {
	const dim = 3
	f := file(t, dim, []int{7, 5})
	d, err := ddpm.Load(f, dim)
	if err != nil {
		t.Fatal(err)
	}
	x := []float32{0.3, -1, 2}
	got := make([]float32, dim)
	d.Runner(1).Predict(got, x, 0.25)
	features := make([]float32, ddpm.TimeFeatures)
	ddpm.Features(features, 0.25)
	var h []float64
	for _, v := range append(append([]float32(nil), x...), features...) {
		h = append(h, float64(v))
	}
	for i, name := range []string{"denoiser.0", "denoiser.1", "denoiser.2"} {
		w, _ := f.Lookup(name + ".weight")
		weight, err := f.Float32(name+".weight", w.Shape...)
		if err != nil {
			t.Fatal(err)
		}
		bias, err := f.Float32(name+".bias", w.Shape[0])
		if err != nil {
			t.Fatal(err)
		}
		y := make([]float64, len(bias))
		for o := range y {
			y[o] = float64(bias[o])
			for k, v := range h {
				y[o] += v * float64(weight[o*len(h)+k])
			}
			if i < 2 {
				y[o] /= 1 + math.Exp(-y[o])
			}
		}
		h = y
	}
	for i, want := range h {
		if math.Abs(float64(got[i])-want) > 1e-5 {
			t.Errorf("coordinate %d: %v, want %v", i, got[i], want)
		}
	}
}

// TestBatches: a point gives the same bits alone and in any batch, and the same
// bits each time.
func TestBatches(t *testing.T) {
	const dim, n = 4, 7
	s, d := schedule(t, 30), denoiser(t, dim, []int{16})
	sample := func(batch, lo, hi int) []float32 {
		src := sources(6, n)[lo:hi]
		x := make([]float32, dim*(hi-lo))
		for i, r := range src {
			r.FillNorm(x[i*dim:(i+1)*dim], 1)
		}
		steps, err := s.Run(d.Runner(batch), 30, x, src)
		if err != nil {
			t.Fatal(err)
		}
		for range steps {
		}
		return x
	}
	all := sample(3, 0, n)
	for i := range n {
		for k, v := range sample(1, i, i+1) {
			if math.Float32bits(v) != math.Float32bits(all[i*dim+k]) {
				t.Fatalf("point %d, coordinate %d: %v alone, %v in the batch", i, k, v, all[i*dim+k])
			}
		}
	}
}

// TestGolden pins the bits of a sampled point, so that a native run and one in a
// browser are held to the same numbers, with and without SIMD.
func TestGolden(t *testing.T) {
	s, d := schedule(t, 50), denoiser(t, 2, []int{33})
	x := []float32{0.5, -0.25}
	steps, err := s.Run(d.Runner(1), 50, x, sources(7, 1))
	if err != nil {
		t.Fatal(err)
	}
	for range steps {
	}
	golden.Check(t, "ddpm: a point after 50 steps", fmt.Sprintf("%08x %08x", math.Float32bits(x[0]), math.Float32bits(x[1])))
}

func TestRefuses(t *testing.T) {
	for _, c := range []struct {
		first, last float64
		steps       int
	}{{0, 0.02, 10}, {1e-4, 1, 10}, {math.NaN(), 0.02, 10}, {1e-4, 0.02, 0}, {1e-4, 0.02, ddpm.MaxSteps + 1}} {
		if _, err := ddpm.Linear(c.first, c.last, c.steps); err == nil {
			t.Errorf("Linear(%v, %v, %d) was taken", c.first, c.last, c.steps)
		}
	}
	s, d := schedule(t, 10), denoiser(t, 2, []int{3})
	for _, c := range []struct{ steps, numbers, sources int }{{-1, 2, 1}, {11, 2, 1}, {5, 3, 1}, {5, 2, 2}} {
		if _, err := s.Run(d.Runner(1), c.steps, make([]float32, c.numbers), sources(1, c.sources)); err == nil {
			t.Errorf("Run of %+v was taken", c)
		}
	}
	for _, c := range []struct{ without, want string }{
		{"denoiser.0.weight", "denoiser.0.weight is missing"}, {"denoiser.0.bias", "denoiser.0.bias"}, {"denoiser.1.weight", "one for each"},
	} {
		f := file(t, 2, []int{3})
		for i, tensor := range f.Tensors {
			if tensor.Name == c.without {
				f.Tensors = append(f.Tensors[:i], f.Tensors[i+1:]...)
				break
			}
		}
		if _, err := ddpm.Load(f, 2); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("without %s: error %v, want one with %q", c.without, err, c.want)
		}
	}
	if _, err := ddpm.Load(file(t, 3, []int{3}), 2); err == nil {
		t.Error("a denoiser of 3 dimensions was loaded for 2")
	}
}

// BenchmarkSample times a step of sampling 50 codes of 18 numbers.
func BenchmarkSample(b *testing.B) {
	const dim, n = 18, 50
	s, d := schedule(b, 2000), denoiser(b, dim, []int{256, 256, 256})
	r, src, x := d.Runner(n), sources(8, n), make([]float32, dim*n)
	b.ResetTimer()
	for done := 0; done < b.N; {
		steps, err := s.Run(r, min(2000, b.N-done), x, src)
		if err != nil {
			b.Fatal(err)
		}
		for st := range steps {
			if st.Index > 0 {
				done++
			}
		}
	}
	b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "points/s")
}
