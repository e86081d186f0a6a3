//go:build webgpu

package train

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
				params, err := newParameters(c)
				if err != nil {
					t.Fatal(err)
				}
				n, err := newNet(c, params)
				if name == "D alone" {
					n, err = newDistance(c, params)
				}
				if err != nil {
					t.Fatal(err)
				}
				return compliance.Net{
					Graph: n.params[0].Node.Graph(), Params: n.params,
					Batch: func(step int) {
						r := rng.New(7, uint64(step))
						for i := range n.clean {
							n.clean[i] = max(0, float32(math.Sin(float64(i%97)*0.3+float64(step))))
						}
						r.FillNorm(n.noisy, 0.4)
						for i := range n.noisy {
							n.noisy[i] += n.clean[i]
						}
						r.FillNorm(n.z, 1)
						r.FillNorm(n.zStar, 1)
						if p := n.probes; p != nil {
							r.FillNorm(p.points, 1)
							r.FillNorm(p.slopes, 1)
							r.FillNorm(p.distances, 1)
						}
					},
					Losses: func() []float32 { return n.terms[:] },
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
				params, err := newParameters(c)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := newNet(c, params); err != nil {
					b.Fatal(err)
				}
				vm, err := webgpu.NewTraining(d, params[0].Node.Graph(), params, nil)
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
