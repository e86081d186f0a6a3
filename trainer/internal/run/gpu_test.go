//go:build webgpu

package run

import (
	"bytes"
	"math"
	"testing"

	"mppm/trainer/internal/device"
	"mppm/trainer/internal/run/runtest"
)

// TestTraining: a run on a GPU has the losses of one on the CPU, with batch norm,
// dropout and graphs of which one stops to learn; and interrupted, it ends with the
// checkpoint of one that is not.
func TestTraining(t *testing.T) {
	train := func(o Options, stops ...int) (losses []float64, saved []byte) {
		dir, y := t.TempDir(), newToy(t)
		r, err := New(y, dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, stop := range stops {
			if err := r.Train(&runtest.Countdown{Context: t.Context(), Left: stop}, o); err != ErrInterrupted {
				t.Fatal(err)
			}
			y = newToy(t)
			if r, err = Open(y, dir); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Train(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		return y.Losses, checkpoint(t, dir)
	}
	want, _ := train(Options{})
	gpu := Options{Device: device.GPU}
	got, whole := train(gpu)
	for i, w := range want {
		if math.Abs(got[i]-w) > 1e-3*w {
			t.Errorf("epoch %d: the loss is %v, on the CPU %v", i+1, got[i], w)
		}
	}
	if _, resumed := train(gpu, 2, 3, 4); !bytes.Equal(resumed, whole) {
		t.Error("the checkpoint differs from that of an uninterrupted run")
	}
}
