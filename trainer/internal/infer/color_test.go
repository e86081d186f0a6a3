package infer

import (
	"bytes"
	"slices"
	"testing"

	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/latent/latenttest"
	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/shared/unet"
	"mppm/trainer/internal/imageio"
)

// TestUNet: images in color are restored in rounds, as the model's own restoration has
// them, however many go together.
func TestUNet(t *testing.T) {
	nets, err := unet.New(nn.Shape{H: 96, W: 96, C: 3}, unet.Config{Channels: []int{3, 4}, Latent: 9})
	if err != nil {
		t.Fatal(err)
	}
	m := latenttest.ModelOf(1, nets)
	p := m.Restore
	p.Steps, p.Rounds, p.Trust, p.Beta = 3, 2, 1, 0
	d := degrade.Degradation{Kind: degrade.Scribble, Severity: 6}
	n := together(m.Pixels()) + 2
	if n >= most {
		t.Fatalf("%d images of %v at a time", n-2, m.Image())
	}
	images := make([]byte, n*m.Pixels())
	src := rng.New(3, 0)
	for i := range images {
		images[i] = byte(src.Uint64())
	}
	got, err := Restore(t.Context(), m, p, &d, images, Options{Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	steps, film, err := Trajectory(m, p, damagedFloats(t, m.Image(), images, d, 7), 2)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(steps, []int{0, 2, 4, 6}) || len(film) != 4 {
		t.Errorf("steps %v, %d sets of images", steps, len(film))
	}
	last := make([]byte, len(images))
	if imageio.Quantize(last, film[3]); !bytes.Equal(last, got.Pixels) {
		t.Error("the trajectory does not end in what is restored")
	}
	r := m.Runner(1)
	for i := range n {
		x := damagedFloats(t, m.Image(), images, d, 7)[i*m.Pixels() : (i+1)*m.Pixels()]
		frames, err := r.Restoration(x, p)
		if err != nil {
			t.Fatal(err)
		}
		var f latent.Frame
		for f = range frames {
		}
		want := make([]byte, m.Pixels())
		if imageio.Quantize(want, f.Image()); !bytes.Equal(want, got.Pixels[i*m.Pixels():(i+1)*m.Pixels()]) {
			t.Errorf("image %d is not what the model restores", i)
		}
		if got.Output[i].SSIM == 0 || got.Degraded[i].PSNR == got.Output[i].PSNR {
			t.Errorf("image %d: scores %+v and %+v", i, got.Degraded[i], got.Output[i])
		}
	}
}

// damagedFloats are all images as Restore damages them.
func damagedFloats(t *testing.T, shape nn.Shape, images []byte, d degrade.Degradation, seed uint64) []float32 {
	t.Helper()
	x, err := degraded(shape, images, 0, len(images)/shape.Size(), &d, seed)
	if err != nil {
		t.Fatal(err)
	}
	return x
}
