//go:build webgpu

package scale

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mppm/trainer/internal/webgpu"
)

// BenchmarkGPU measures training steps, and logs where their time goes: the first
// stages, or all of them in a file a step in the folder MPPM_GPU_STAGES. Names are those
// of bench/step.py.
func BenchmarkGPU(b *testing.B) {
	d, err := webgpu.Open("")
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	for _, c := range []Cell{
		{LMPPM, 28, 8}, {LMPPM, 28, 128}, {LMPPM, 28, 1024}, {DAE, 28, 8}, {DAE, 28, 128}, {DAE, 28, 1024},
		{UNet, 64, 4}, {UNet, 128, 4}, {UNet, 256, 4},
	} {
		name := strings.ToUpper(string(c.Net))
		if c.Net == UNet {
			name = fmt.Sprintf("%s%d", name, c.Side)
		}
		b.Run(fmt.Sprintf("%s/%d", name, c.Batch), func(b *testing.B) {
			s, err := newStep(c)
			if err != nil {
				b.Fatal(err)
			}
			vm, err := webgpu.NewTraining(d, s.graph(), s.params, nil)
			if err != nil {
				b.Fatal(err)
			}
			defer vm.Close()
			step := 0
			train := func() {
				step++
				if err := vm.Step(step, 1e-3); err != nil {
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
			b.ReportMetric(float64(c.Batch)*float64(b.N)/b.Elapsed().Seconds(), "images/s")
			p, err := vm.Profile(1)
			if errors.Is(err, webgpu.ErrNotTimed) {
				return
			}
			if err != nil {
				b.Fatal(err)
			}
			stages := fmt.Sprintf("%v on %s, %d MB\n%s", c, d.Adapter, vm.Memory()>>20, p)
			b.Log(stages)
			if dir := os.Getenv("MPPM_GPU_STAGES"); dir != "" {
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d", name, c.Batch)), []byte(stages+"\n"), 0o666); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
