package ambient_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"mppm/shared/ambient"
	"mppm/shared/ambient/ambienttest"
	"mppm/shared/flow"
	"mppm/shared/golden"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
)

const dim = ambienttest.Dim

func noise(n int, sigma float32) []float32 {
	x := make([]float32, n*dim)
	rng.New(9, 0).FillNorm(x, sigma)
	return x
}

func sources(n int) []*rng.Source {
	var all []*rng.Source
	for i := range n {
		all = append(all, rng.New(7, uint64(i)))
	}
	return all
}

// everything computes all that a runner can of n points, step by step.
func everything(t *testing.T, r *ambient.Runner, n int) []float32 {
	t.Helper()
	x := noise(n, 1)
	y, d := make([]float32, len(x)), make([]float32, n)
	var all []float32
	r.Project(y, x)
	all = append(all, y...)
	r.DAE(y, x)
	all = append(all, y...)
	r.Distance(d, y, x)
	all = append(append(all, y...), d...)
	for _, name := range []string{"restore", "gated"} {
		p := r.Flows[name]
		if err := r.Mean(y, x, p); err != nil {
			t.Fatal(err)
		}
		all = append(all, y...)
		at := slices.Clone(x)
		steps, err := r.Flow(at, p)
		if err != nil {
			t.Fatal(err)
		}
		for s := range steps {
			all = append(append(all, s.X...), s.Distance...)
		}
	}
	steps, err := r.DDPM(x, 40, sources(n))
	if err != nil {
		t.Fatal(err)
	}
	for s := range steps {
		all = append(all, s.X...)
	}
	return all
}

// TestSameBits pins the bits of every net, every step of the flows and of the
// diffusion: the same test runs in a browser, and without SIMD.
func TestSameBits(t *testing.T) {
	all := everything(t, ambienttest.Model(1).Runner(5), 13)
	for i, v := range all {
		if v-v != 0 {
			t.Fatalf("number %d is %v", i, v)
		}
	}
	golden.Check(t, "ambient: nets, flows and diffusion of 13 points", golden.NewBits(all...))
}

// TestBatch: neither the runner's batch nor the other points matter to a point,
// nor what the runner computed before.
func TestBatch(t *testing.T) {
	m := ambienttest.Model(2)
	want := everything(t, m.Runner(1), 11)
	r := m.Runner(100)
	for range 2 {
		if got := everything(t, r, 11); !slices.Equal(got, want) {
			t.Fatal("the runner's batch, or what it computed before, changes the bits")
		}
	}
}

// TestMean holds the kernel mean to Eq. 19 in float64, near and far.
func TestMean(t *testing.T) {
	r := ambienttest.Model(3).Runner(8)
	p := r.Model.Flow
	bank, err := r.Samples(p)
	if err != nil {
		t.Fatal(err)
	}
	if bank.Len() != ambienttest.Points*p.Samples {
		t.Fatalf("%d samples for %d points, want %d each", bank.Len(), ambienttest.Points, p.Samples)
	}
	for _, sigma := range []float32{0.5, 3, 100} {
		x := noise(20, sigma)
		mean := make([]float32, len(x))
		if err := r.Mean(mean, x, p); err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(x); i += dim {
			var logs []float64
			g := make([]float32, dim)
			for j := range bank.Len() {
				bank.Code(g, j)
				var d2 float64
				for k, v := range g {
					e := float64(x[i+k]) - float64(v)
					d2 += e * e
				}
				logs = append(logs, -d2/(2*float64(p.SigmaD)*float64(p.SigmaD)))
			}
			top := slices.Max(logs)
			var sum float64
			var want [dim]float64
			for j, l := range logs {
				bank.Code(g, j)
				w := math.Exp(l - top)
				sum += w
				for k, v := range g {
					want[k] += w * float64(v)
				}
			}
			// The exponents' own rounding grows with the square of the distance.
			slack := 1e-4 * (1 + float64(sigma*sigma))
			for k := range want {
				if got := float64(mean[i+k]); math.Abs(got-want[k]/sum) > slack {
					t.Errorf("noise %v, point %d: coordinate %d of the mean is %v, want %v", sigma, i/dim, k, got, want[k]/sum)
				}
			}
		}
	}
}

// TestSamples: the samples are around their codes, as wide as σ_ker says, and
// change with their seed alone.
func TestSamples(t *testing.T) {
	m := ambienttest.Model(4)
	r := m.Runner(8)
	p := m.Flow
	p.SigmaKer = 0
	bank, err := r.Samples(p)
	if err != nil {
		t.Fatal(err)
	}
	x, g := make([]float32, len(m.Points)), make([]float32, dim)
	r.Project(x, m.Points)
	for j := range bank.Len() {
		bank.Code(g, j)
		if at := j / p.Samples * dim; !slices.Equal(g, x[at:at+dim]) {
			t.Fatalf("without a width, sample %d is %v, not G(F(x)) = %v", j, g, x[at:at+dim])
		}
	}
	p.SigmaKer = 0.3
	first := func(p ambient.Preset) []float32 {
		bank, err := r.Samples(p)
		if err != nil {
			t.Fatal(err)
		}
		all := make([]float32, bank.Len()*dim)
		for j := range bank.Len() {
			bank.Code(all[j*dim:], j)
		}
		return all
	}
	a := first(p)
	p.Seed = 8
	b := first(p)
	p.Seed = 0
	if slices.Equal(a, b) || !slices.Equal(a, first(p)) {
		t.Error("the samples do not follow their seed")
	}
}

// TestGradient holds ∇̂D to differences of D.
func TestGradient(t *testing.T) {
	r := ambienttest.Model(5).Runner(64)
	const n, h = 60, 1e-2
	x := noise(n, 1)
	d, grad := make([]float32, n), make([]float32, len(x))
	r.Distance(d, grad, x)
	checked := 0
	for i := range n {
		if d[i] < 0.2 { // near 0 D is cut off
			continue
		}
		var want [dim]float64
		var length float64
		for k := range dim {
			e := make([]float32, 2)
			for s, step := range []float32{h, -h} {
				p := slices.Clone(x[i*dim : (i+1)*dim])
				p[k] += step
				r.Distance(e[s:s+1], nil, p)
			}
			want[k] = float64(e[0]-e[1]) / (2 * h)
			length += want[k] * want[k]
		}
		length = math.Sqrt(length)
		for k, w := range want {
			if got := float64(grad[i*dim+k]); math.Abs(got-w/length) > 0.01 {
				t.Errorf("point %d: coordinate %d of the gradient is %.4f, differences give %.4f", i, k, got, w/length)
			}
		}
		checked++
	}
	if checked < n/4 {
		t.Errorf("only %d of %d points are where D > 0", checked, n)
	}
}

// halfCircle is the exact field of the half circle: its distance, ends and third
// dimension included.
type halfCircle struct{}

func (halfCircle) Dim() int               { return 3 }
func (halfCircle) Mean(mean, x []float32) { copy(mean, x) }

func (halfCircle) Distance(d, grad, x []float32) {
	for i := range d {
		p := x[3*i : 3*i+3]
		star := nearest(p)
		var sum float64
		for k, v := range p {
			e := float64(v) - star[k]
			grad[3*i+k] = float32(e)
			sum += e * e
		}
		length := math.Sqrt(sum)
		d[i] = float32(length)
		for k := range 3 {
			grad[3*i+k] /= max(d[i], 1e-30)
		}
	}
}

func nearest(p []float32) [3]float64 {
	x, y := float64(p[0]), float64(p[1])
	if y < 0 {
		return [3]float64{math.Copysign(1, x), 0, 0}
	}
	r := math.Hypot(x, y)
	return [3]float64{x / r, y / r, 0}
}

// TestContracts is App. A.3 where the distance is exact: whatever the start and
// α, each step of Eq. 13 shortens the distance to the half circle by the factor
// 1 − α, and leads nowhere but to the nearest point.
func TestContracts(t *testing.T) {
	r := rng.New(1, 0)
	for range 300 {
		x := make([]float32, 3)
		r.FillNorm(x, 1.5)
		if math.Hypot(float64(x[0]), float64(x[1])) < 0.1 { // the axis is equally far from all of it
			continue
		}
		alpha := float32(0.02 + 0.95*r.Float64())
		star := nearest(x)
		steps, err := flow.Run(halfCircle{}, flow.Params{Alpha: alpha, Steps: 12}, x)
		if err != nil {
			t.Fatal(err)
		}
		var last float64
		for s := range steps {
			d := float64(s.Distance[0])
			if s.Index > 0 && math.Abs(d-float64(1-alpha)*last) > 2e-6*(1+last) {
				t.Fatalf("α %v, step %d: the distance is %v after %v, want %v", alpha, s.Index, d, last, float64(1-alpha)*last)
			}
			last = d
			for k, v := range nearest(s.X) {
				if math.Abs(v-star[k]) > 1e-4 {
					t.Fatalf("α %v, step %d: the nearest point has moved from %v to %v", alpha, s.Index, star, nearest(s.X))
				}
			}
		}
	}
}

func TestFrame(t *testing.T) {
	m := ambienttest.Model(1)
	x := []float64{5, 2, -8, 1, -2, 0}
	y, back := make([]float32, len(x)), make([]float64, len(x))
	m.Normalize(y, x)
	if want := []float32{1, 1, -2, 0, 0, 0}; !slices.Equal(y, want) {
		t.Errorf("Normalize gives %v, want %v", y, want)
	}
	if m.Denormalize(back, y); !slices.Equal(back, x) {
		t.Errorf("Denormalize gives %v, want %v", back, x)
	}
}

func refused(t *testing.T, what string, b []byte, want string) {
	t.Helper()
	if _, err := ambient.Load(b); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: error %v, want one with %q", what, err, want)
	}
}

func TestLoadRefuses(t *testing.T) {
	encode := func(f *safetensors.File) []byte {
		b, err := f.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, c := range []struct{ key, value, want string }{
		{"kind", "other", "kind is"},
		{"distance.activation", "tanh", "activation"},
		{"diffusion", "", "diffusion"},
		{"diffusion", `{"first":2,"last":0.02,"steps":5}`, "diffusion"},
		{"diffusion", `{"first":0.1,"last":0.02,"steps":1000000000}`, "steps"},
		{"flow.restore", "{", "flow.restore"},
		{"flow.restore", `{"alpha":0.7,"beta":0.7,"sigma_d":1,"samples":1}`, "less than 1"},
		{"flow.restore", `{"alpha":0.1,"beta":0.1,"samples":1}`, "σ_d"},
		{"flow.gated", `{"alpha":0.1,"beta":0.1,"sigma_d":1,"sigma_ker":-1,"samples":1}`, "σ_ker"},
		{"flow.gated", `{"alpha":0.1,"beta":0.1,"sigma_d":1,"samples":65}`, "samples"},
	} {
		f := ambienttest.File(1)
		f.Meta[c.key] = c.value
		refused(t, c.key+" "+c.value, encode(f), c.want)
	}
	f := ambienttest.File(1)
	delete(f.Meta, "flow.restore")
	refused(t, "no flow", encode(f), "flow.restore is missing")
	without := func(name string) *safetensors.File {
		f := ambienttest.File(1)
		f.Tensors = slices.DeleteFunc(f.Tensors, func(t safetensors.Tensor) bool { return t.Name == name || t.Name == name+".scale" })
		return f
	}
	for _, tensor := range ambienttest.File(1).Tensors {
		if strings.HasSuffix(tensor.Name, ".scale") {
			continue
		}
		// What a net lacks at its end is missed by the next.
		net, _, _ := strings.Cut(strings.TrimPrefix(tensor.Name, "dae."), ".")
		refused(t, "without "+tensor.Name, encode(without(tensor.Name)), strings.TrimPrefix(net, "en"))
	}
	for _, c := range []struct {
		name  string
		data  []float32
		shape []int
		want  string
	}{
		{"points", nil, []int{0, 3}, "points"},
		{"points", make([]float32, 6), []int{6}, "points"},
		{"points", make([]float32, 4), []int{1, 4}, "center"},
		{"scale", []float32{0}, []int{1}, "more than 0"},
		{"scale", []float32{-1}, []int{1}, "more than 0"},
		{"decoder.2.weight", make([]float32, 18*4), []int{4, 18}, "decoder.2"},
		{"distance.2.weight", make([]float32, 8*2), []int{2, 8}, "distance.2"},
	} {
		f := without(c.name)
		if err := f.AddFloat32(c.name, c.data, c.shape...); err != nil {
			t.Fatal(err)
		}
		refused(t, fmt.Sprintf("%s %v", c.name, c.shape), encode(f), c.want)
	}
	refused(t, "nonsense", []byte("not a model at all, but long enough"), "safetensors")
}

func TestRefuses(t *testing.T) {
	r := ambienttest.Model(1).Runner(4)
	p := r.Model.Flow
	nan := float32(math.NaN())
	for what, x := range map[string][]float32{
		"no point": {}, "a part of one": make([]float32, 4), "NaN": {0, nan, 0}, "infinity": {0, 0, float32(math.Inf(1))}, "too far": {0, 2e6, 0},
	} {
		if _, err := r.Flow(x, p); err == nil {
			t.Errorf("Flow took %s", what)
		}
		if _, err := r.DDPM(x, 3, sources(1)); err == nil {
			t.Errorf("DDPM took %s", what)
		}
	}
	if _, err := r.DDPM(noise(2, 1), 41, sources(2)); err == nil {
		t.Error("DDPM took more steps than there are")
	}
	if _, err := r.DDPM(noise(2, 1), 3, sources(1)); err == nil {
		t.Error("DDPM took one source for two points")
	}
	p.SigmaD = 0
	if err := r.Mean(make([]float32, 3), make([]float32, 3), p); err == nil {
		t.Error("Mean took a kernel of no width")
	}
	if _, err := r.Flow(noise(1, 1), p); err == nil {
		t.Error("Flow took a kernel of no width")
	}
}

// TestFar: from as far as points may be, everything stays finite.
func TestFar(t *testing.T) {
	r := ambienttest.Model(1).Runner(4)
	x := []float32{1e6, -1e6, 1e6, 0, 0, 0}
	steps, err := r.Flow(x, r.Model.Flow)
	if err != nil {
		t.Fatal(err)
	}
	for s := range steps {
		if err := r.CheckPoints(s.X); err != nil && !strings.Contains(err.Error(), "at most") {
			t.Fatalf("step %d: %v", s.Index, err)
		}
	}
}
