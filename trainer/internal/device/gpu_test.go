//go:build webgpu

package device

import (
	"strings"
	"testing"
)

// TestStartOnGPU: the GPU that there is trains, asked for by its kind or by its name.
func TestStartOnGPU(t *testing.T) {
	all, err := Adapters()
	if err != nil || len(all) == 0 {
		t.Fatalf("no GPU: %v", err)
	}
	for _, c := range []Choice{GPU, Choice(all[0].Name)} {
		g, params, loss := parabola(t)
		m, on, err := c.Start(g, params, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(on, all[0].Name) || c.OnCPU() {
			t.Errorf("%q trains on %q, not on %s", c, on, all[0].Name)
		}
		for step := range 100 {
			if err := m.Step(step+1, 0.1); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.Sync(); err != nil {
			t.Fatal(err)
		}
		if !(loss[0] < 0.1) {
			t.Errorf("%q: the loss is %v after 100 steps, want nearly 0", c, loss[0])
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
}
