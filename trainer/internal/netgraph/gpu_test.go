//go:build webgpu

package netgraph

import (
	"slices"
	"strings"
	"testing"

	"mppm/trainer/internal/compliance"
	"mppm/trainer/internal/run/runtest"
)

// TestTraining: nets of every kind of layer, with odd sides, projected skips and the
// gradient of D, train on a GPU as on the CPU.
func TestTraining(t *testing.T) {
	gpu := runtest.OpenGPU(t)
	for name, build := range map[string]func(testing.TB) *trained{"projected": projected, "strange": strange} {
		t.Run(name, func(t *testing.T) {
			gpu.Train(t, 3e-4, func() compliance.Net {
				s := build(t)
				return compliance.Net{
					Graph: s.b.Graph, Params: s.params, Batch: s.fill,
					Losses: func() []float32 {
						s.running.Step()
						all := slices.Clone(s.loss)
						for _, b := range s.buffers {
							// Means hang on the biases before batch norm, whose
							// gradients are rounding alone.
							if strings.HasSuffix(b.Name, "_var") {
								all = append(all, b.Data...)
							}
						}
						return all
					},
				}
			})
		})
	}
}
