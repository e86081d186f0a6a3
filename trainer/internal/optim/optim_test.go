package optim

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"gorgonia.org/gorgonia"

	"mppm/shared/nn"
	"mppm/trainer/internal/graph"
)

func params(seed uint64) []*Parameter {
	return NewParameters(seed, 100, []nn.Spec{{Name: "a.weight", Shape: []int{3, 2, 2}}, {Name: "a.bias", Shape: []int{3}}, {Name: "b.weight", Shape: []int{4, 3}}, {Name: "b.bias", Shape: []int{4}}})
}

func TestNewParameters(t *testing.T) {
	p := params(1)
	for i, bound := range []float64{0.5, 0.5, 1 / math.Sqrt(3), 1 / math.Sqrt(3)} {
		if n := []int{12, 3, 12, 4}[i]; len(p[i].Data) != n || len(p[i].Grad) != n || len(p[i].M) != n || len(p[i].V) != n {
			t.Fatalf("%s has %d numbers, want %d", p[i].Name, len(p[i].Data), n)
		}
		least, most := float64(slices.Min(p[i].Data)), float64(slices.Max(p[i].Data))
		if least < -bound || most > bound || most-least < bound/2 {
			t.Errorf("%s goes from %v to %v, want ±%v", p[i].Name, least, most, bound)
		}
	}
	if slices.Equal(p[0].Data, p[2].Data) {
		t.Error("two parameters have the same numbers")
	}
	if q := params(2); slices.Equal(p[0].Data, q[0].Data) {
		t.Error("two seeds give the same numbers")
	}
	// What a parameter is drawn from does not depend on those before it.
	if q := NewParameters(1, 102, []nn.Spec{{Name: "b.weight", Shape: []int{4, 3}}}); !slices.Equal(q[0].Data, p[2].Data) {
		t.Error("a parameter's numbers depend on others")
	}
}

// TestAdam holds Adam to Kingma and Ba's Algorithm 1 in float64.
func TestAdam(t *testing.T) {
	for _, decay := range []float64{0, 0.01} {
		t.Run(fmt.Sprint("decay ", decay), func(t *testing.T) { checkAdam(t, decay) })
	}
}

func checkAdam(t *testing.T, decay float64) {
	p := params(1)[:1]
	p[0].Decay = float32(decay)
	n := len(p[0].Data)
	x, m, v := make([]float64, n), make([]float64, n), make([]float64, n)
	for i, d := range p[0].Data {
		x[i] = float64(d)
	}
	for step := 1; step <= 60; step++ {
		rate := 0.1 / float64(step)
		for i := range n {
			g := float32(math.Sin(float64(i*7+step))) * float32(math.Pow(10, float64(i%5-3)))
			p[0].Grad[i] = g
			d := float64(g) + decay*x[i]
			m[i] = 0.9*m[i] + 0.1*d
			v[i] = 0.999*v[i] + 0.001*d*d
			x[i] -= rate * (m[i] / (1 - math.Pow(0.9, float64(step)))) / (math.Sqrt(v[i]/(1-math.Pow(0.999, float64(step)))) + 1e-8)
		}
		Adam(p, step, rate)
	}
	for i, want := range x {
		if got := float64(p[0].Data[i]); math.Abs(got-want) > 1e-5 {
			t.Errorf("number %d is %v, want %v", i, got, want)
		}
	}
}

func TestCosine(t *testing.T) {
	for step, want := range map[int]float64{0: 3, 50: 3 * 0.51, 100: 3 * 0.02} {
		if got := Cosine(3, step, 100); math.Abs(got-want) > 1e-12 {
			t.Errorf("step %d: %v, want %v", step, got, want)
		}
	}
}

func TestDifferentiate(t *testing.T) {
	p := params(1)[2:] // 4 × 3 and 4
	g := gorgonia.NewGraph()
	for _, p := range p {
		p.AddTo(g)
	}
	x := Matrix(g, "x", 1, 3, []float32{1, 2, 3})
	y, err := graph.Linear(x, p[0].Node, p[1].Node)
	if err != nil {
		t.Fatal(err)
	}
	loss, err := graph.SquaredError(y, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := Differentiate(loss, p); err != nil {
		t.Fatal(err)
	}
	vm := gorgonia.NewTapeMachine(g)
	defer vm.Close()
	for range 2 { // the parameters are read anew in each run
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		vm.Reset()
		for o := range 4 {
			out := p[1].Data[o]
			for i, v := range []float32{1, 2, 3} {
				out += p[0].Data[o*3+i] * v
			}
			if got := p[1].Grad[o]; math.Abs(float64(got-2*out)) > 1e-5 {
				t.Errorf("gradient %d of the bias is %v, want %v", o, got, 2*out)
			}
			if got := p[0].Grad[o*3+2]; math.Abs(float64(got-6*out)) > 1e-5 {
				t.Errorf("gradient (%d, 2) of the weight is %v, want %v", o, got, 6*out)
			}
		}
		p[0].Data[2] = 5
	}
}

func TestCheckpoint(t *testing.T) {
	type state struct {
		Step int
		Loss float64
	}
	dir := filepath.Join(t.TempDir(), "new", "run")
	if _, err := Open(dir); !errors.Is(err, ErrNoCheckpoint) || !strings.Contains(err.Error(), dir) {
		t.Errorf("no folder: %v", err)
	}
	if err := Claim(dir); err != nil {
		t.Fatal(err)
	}
	p := params(1)
	for i := range p[0].M {
		p[0].M[i], p[1].V[i%3], p[2].Data[i] = float32(i), float32(i)/3, -float32(i)
	}
	want := state{7, 0.1}
	if err := Save(dir, "test", want, p); err != nil {
		t.Fatal(err)
	}
	if err := Claim(dir); err == nil || !strings.Contains(err.Error(), "--resume") {
		t.Errorf("a folder that is taken: %v", err)
	}
	c, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got state
	if err := c.State("test", &got); err != nil || got != want || c.Kind() != "test" {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	q := params(2)
	if err := c.Parameters(q); err != nil {
		t.Fatal(err)
	}
	for i := range p {
		if !slices.Equal(p[i].Data, q[i].Data) || !slices.Equal(p[i].M, q[i].M) || !slices.Equal(p[i].V, q[i].V) {
			t.Errorf("%s comes back as something else", p[i].Name)
		}
	}
	path := filepath.Join(dir, checkpointName)
	for what, err := range map[string]error{
		"another kind":  c.State("other", &got),
		"another state": c.State("test", new(int)),
		"another shape": c.Parameters(NewParameters(1, 0, []nn.Spec{{Name: "a.weight", Shape: []int{3, 4}}})),
		"another name":  c.Parameters(NewParameters(1, 0, []nn.Spec{{Name: "z.weight", Shape: []int{3, 4}}})),
	} {
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want an error that names the file", what, err)
		}
	}
	p[0].Data[0] = float32(math.Inf(1))
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := Save(dir, "test", want, p); err == nil {
		t.Error("a parameter that is infinite is saved")
	}
	if after, err := os.ReadFile(path); err != nil || !slices.Equal(before, after) {
		t.Error("a save that failed has changed the checkpoint")
	}
	if err := os.WriteFile(path, before[:100], 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a truncated file: %v", err)
	}
}

func TestCheckData(t *testing.T) {
	have := map[string]string{"a": "1", "b": "2"}
	if err := CheckData(map[string]string{"a": "1"}, have); err != nil {
		t.Error(err)
	}
	for _, other := range []map[string]string{{"a": "2"}, {"c": "1"}} {
		if err := CheckData(other, have); err == nil || !strings.Contains(err.Error(), "--data") {
			t.Errorf("%v: %v", other, err)
		}
	}
}

func TestLoader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := 0
		l := NewLoader(5, func() *int { return new(int) }, func(b *int, step int) { *b, made = step, step })
		for want := 5; want < 30; want++ {
			b := l.Next()
			if *b != want {
				t.Fatalf("batch of step %d, want %d", *b, want)
			}
			synctest.Wait() // until nothing is made any more: what is read must not be made anew
			if *b != want {
				t.Fatal("a batch changed while it was read")
			}
			l.Recycle(b)
		}
		l.Stop()
		synctest.Wait()
		if made >= 40 {
			t.Errorf("batches are made on to step %d without anyone reading them", made)
		}
	})
}
