//go:build webgpu

package latent

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"gorgonia.org/gorgonia"

	"mppm/shared/rng"
	"mppm/trainer/internal/compliance"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/webgpu"
)

func TestTraining(t *testing.T) {
	d, err := webgpu.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for name, c := range map[string]Config{"LMPPM": Default(), "D alone": Default(), "DAE": DefaultDAE()} {
		t.Run(name, func(t *testing.T) {
			c.Batch = 5
			build := func() compliance.Net {
				task := New(c, nil)
				if err := task.draw(); err != nil {
					t.Fatal(err)
				}
				s, err := task.build(c.Batch)
				if name == "D alone" {
					s, err = task.buildDistance(c.Batch)
				}
				if err != nil {
					t.Fatal(err)
				}
				return compliance.Net{
					Graph: s.Graphs[0].Expr(), Params: s.Graphs[0].Params,
					Batch: func(step int) {
						r := rng.New(7, uint64(step))
						clean := s.Inputs[inClean] // and inPictures
						for i := range clean {
							clean[i] = max(0, float32(math.Sin(float64(i%97)*0.3+float64(step))))
						}
						p := task.probes
						if p == nil {
							noisy := s.Inputs[inNoisy]
							r.FillNorm(noisy, 0.4)
							for i := range noisy {
								noisy[i] += clean[i]
							}
							return
						}
						for _, x := range [][]float32{s.Inputs[inZ], s.Inputs[inStar], p.points, p.slopes, p.distances} {
							r.FillNorm(x, 1)
						}
					},
					Losses: func() []float32 { return task.terms[:] },
				}
			}
			compliance.Training(t, c.Rate, build, func(g *gorgonia.ExprGraph, params []*optim.Parameter, seen func(step int) error) (optim.Machine, error) {
				return webgpu.NewTraining(d, g, params, seen)
			})
		})
	}
}

// BenchmarkGPU measures training steps, and logs where their time goes.
func BenchmarkGPU(b *testing.B) {
	d, err := webgpu.Open("")
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	for _, method := range []string{"LMPPM", "DAE"} {
		for _, n := range []int{8, 128, 1024} {
			b.Run(fmt.Sprintf("%s/%d", method, n), func(b *testing.B) {
				c := map[string]Config{"LMPPM": Default(), "DAE": DefaultDAE()}[method]
				c.Batch = n
				s, err := NewStep(c)
				if err != nil {
					b.Fatal(err)
				}
				vm, err := webgpu.NewTraining(d, s.Params[0].Node.Graph(), s.Params, nil)
				if err != nil {
					b.Fatal(err)
				}
				defer vm.Close()
				step := 0
				train := func() {
					step++
					if err := vm.Step(step, c.Rate); err != nil {
						b.Fatal(err)
					}
				}
				train()
				if err := vm.Sync(); err != nil {
					b.Fatal(err)
				}
				b.ResetTimer()
				for range b.N {
					train()
				}
				if err := vm.Sync(); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "images/s")
				p, err := vm.Profile(1)
				if errors.Is(err, webgpu.ErrNotTimed) {
					return
				}
				if err != nil {
					b.Fatal(err)
				}
				b.Logf("%s, %d MB\n%s", d.Adapter, vm.Memory()>>20, p)
			})
		}
	}
}
