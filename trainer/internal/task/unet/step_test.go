package unet

import (
	"testing"

	"mppm/shared/rng"
	"mppm/trainer/internal/netgraph"
	"mppm/trainer/internal/optim"
)

// BenchmarkStep times a step of the default configuration on the CPU: Eq. 20, with
// damaged and clean images, projections and masks.
func BenchmarkStep(b *testing.B) {
	c := Default()
	t := &Task{state: state{Config: c}}
	var err error
	if t.nets, err = c.nets(); err != nil {
		b.Fatal(err)
	}
	t.params = netgraph.Parameters(c.Seed, streamInit, t.all()...)
	s, err := t.build(c.Batch)
	if err != nil {
		b.Fatal(err)
	}
	r := rng.New(1, 0)
	for _, in := range s.Inputs {
		for i := range in {
			in[i] = r.Float32()
		}
	}
	m := optim.NewTape(s.Graphs[0].Expr(), t.learning(t.joint()...), nil)
	defer m.Close()
	step := 0
	for b.Loop() {
		if step++; m.Step(step, 1e-3) != nil {
			b.Fatal("a step failed")
		}
	}
	b.ReportMetric(float64(b.N*c.Batch)/b.Elapsed().Seconds(), "images/s")
}
