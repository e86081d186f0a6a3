package flow

import (
	"math"
	"strings"
	"testing"

	"mppm/shared/rng"
)

// sphere is the exact field of the unit sphere in dim dimensions: D = |‖x‖−1|.
// Its kernel mean is a fixed point.
type sphere struct{ mean []float32 }

func (s sphere) Dim() int { return len(s.mean) }

func (s sphere) Mean(mean, x []float32) {
	for i := range x {
		mean[i] = s.mean[i%len(s.mean)]
	}
}

func (s sphere) Distance(d, grad, x []float32) {
	dim := len(s.mean)
	for i := range d {
		p := x[i*dim : (i+1)*dim]
		r := norm(p)
		sign := 1.0
		if r < 1 {
			sign = -1
		}
		d[i] = float32(math.Abs(r - 1))
		for k, v := range p {
			grad[i*dim+k] = float32(sign * float64(v) / r)
		}
	}
}

func norm(x []float32) float64 {
	var s float64
	for _, v := range x {
		s += float64(v) * float64(v)
	}
	return math.Sqrt(s)
}

// TestContracts: where D is exact, each step of Eq. 13 shortens the distance by
// the factor 1 − α (App. A.3).
func TestContracts(t *testing.T) {
	r := rng.New(1, 0)
	for range 200 {
		dim := 2 + r.IntN(17)
		x := make([]float32, dim)
		r.FillNorm(x, 3)
		alpha := float32(0.05 + 0.9*r.Float64())
		run, err := Run(sphere{make([]float32, dim)}, Params{Alpha: alpha, Steps: 8}, x)
		if err != nil {
			t.Fatal(err)
		}
		var last float64
		for s := range run {
			d := float64(s.Distance[0])
			if s.Index > 0 && math.Abs(d-float64(1-alpha)*last) > 1e-5 {
				t.Fatalf("α %v, step %d: distance %v after %v", alpha, s.Index, d, last)
			}
			last = d
		}
	}
}

// TestEquation15 checks one step, with and without the gate, against Eq. 15 in
// float64.
func TestEquation15(t *testing.T) {
	for _, tau := range []float32{0, 0.7} {
		f := sphere{[]float32{0.2, -0.4, 0.9}}
		x := []float32{1.5, -2, 0.25}
		p := Params{Alpha: 0.3, Beta: 0.25, Tau: tau, Steps: 1}
		d, g := make([]float32, 1), make([]float32, 3)
		f.Distance(d, g, x)
		beta := 0.25
		if tau > 0 {
			beta *= float64(d[0]) / (float64(d[0]) + float64(tau))
		}
		want := make([]float64, 3)
		for i := range want {
			want[i] = (1-beta)*float64(x[i]) + beta*float64(f.mean[i]) - 0.3*float64(d[0])*float64(g[i])
		}
		run, _ := Run(f, p, x)
		for range run {
		}
		for i := range want {
			if math.Abs(float64(x[i])-want[i]) > 1e-6 {
				t.Errorf("τ %v: x[%d] = %v, want %v", tau, i, x[i], want[i])
			}
		}
	}
}

// TestBatch: points of a batch flow as they do alone, also when some arrive.
func TestBatch(t *testing.T) {
	f := sphere{[]float32{0.6, 0.8}}
	p := Params{Alpha: 0.4, Beta: 0.2, Steps: 30, Tolerance: 0.05}
	all := make([]float32, 2*20)
	rng.New(5, 0).FillNorm(all, 2)
	alone := append([]float32(nil), all...)
	run, _ := Run(f, p, all)
	var last Step
	for s := range run {
		last = s
	}
	if last.Active != 0 || last.Index >= 30 {
		t.Errorf("stopped at step %d with %d points under way; all should have arrived", last.Index, last.Active)
	}
	for i := 0; i < len(alone); i += 2 {
		run, _ := Run(f, p, alone[i:i+2])
		for range run {
		}
		if alone[i] != all[i] || alone[i+1] != all[i+1] {
			t.Errorf("point %d: %v alone, %v in the batch", i/2, alone[i:i+2], all[i:i+2])
		}
	}
}

func TestStepsAndBreak(t *testing.T) {
	f := sphere{[]float32{1, 0}}
	x := []float32{3, 4}
	run, _ := Run(f, Params{Alpha: 0.5, Steps: 10}, x)
	for s := range run {
		if s.Index == 3 {
			break
		}
	}
	if got := norm(x); math.Abs(got-1.5) > 1e-6 {
		t.Errorf("after 3 steps at radius %v, want 1.5", got)
	}
	run, _ = Run(f, Params{}, x)
	count := 0
	for range run {
		count++
	}
	if count != 1 {
		t.Errorf("a flow of 0 steps yields %d times, want the start alone", count)
	}
}

func TestRefuses(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []struct {
		p    Params
		x    int
		want string
	}{
		{Params{Alpha: -0.1}, 2, "α is -0.1"},
		{Params{Beta: nan}, 2, "β is NaN"},
		{Params{Tau: inf}, 2, "τ is +Inf"},
		{Params{Tolerance: -1}, 2, "tolerance"},
		{Params{Alpha: 0.6, Beta: 0.4}, 2, "less than 1"},
		{Params{Steps: -1}, 2, "steps"},
		{Params{Steps: MaxSteps + 1}, 2, "steps"},
		{Params{}, 3, "whole number of points"},
	} {
		_, err := Run(sphere{make([]float32, 2)}, c.p, make([]float32, c.x))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want one with %q", c.p, err, c.want)
		}
	}
}
