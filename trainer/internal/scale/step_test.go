package scale

import (
	"fmt"
	"testing"

	"mppm/shared/nn"
	"mppm/shared/unet"
	"mppm/trainer/internal/optim"
)

// BenchmarkUNet times steps of the U-Net on the CPU, and reports the peak memory of the
// process too: name one size with -bench to know its own. Names are those of
// bench/step.py.
func BenchmarkUNet(b *testing.B) {
	narrow := unet.Config{Channels: []int{16, 32, 64, 128, 128}, Latent: 192}
	for _, c := range []struct {
		name  string
		side  int
		batch int
		sizes unet.Config
	}{
		{"table9", 120, 32, unet.Table9()},
		{"table9", 256, 4, unet.Table9()},
		{"narrow", 96, 16, narrow},
	} {
		b.Run(fmt.Sprintf("%s/%d/%d", c.name, c.side, c.batch), func(b *testing.B) {
			nets, err := unet.New(nn.Shape{H: c.side, W: c.side, C: colors}, c.sizes)
			if err != nil {
				b.Fatal(err)
			}
			s, err := build(c.batch, nets.F, nets.G, nets.Skips())
			if err != nil {
				b.Fatal(err)
			}
			m := optim.NewTape(s.graph(), s.params, nil)
			defer m.Close()
			step := 0
			train := func() {
				step++
				if err := m.Step(step, 1e-3); err != nil {
					b.Fatal(err)
				}
			}
			train()
			for b.Loop() {
				train()
			}
			b.ReportMetric(float64(c.batch)*float64(b.N)/b.Elapsed().Seconds(), "images/s")
			b.ReportMetric(float64(peak())/1e6, "peak-MB")
		})
	}
}
