package cli

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"mppm/shared/latent"
	"mppm/shared/ldm"
	"mppm/shared/nn"
)

// photos are colored pictures, each of its own, as JPEG files.
func photos(t *testing.T, n int) (files [][]byte) {
	t.Helper()
	for i := range n {
		img := image.NewRGBA(image.Rect(0, 0, 40+i, 50))
		for y := range 50 {
			for x := range 40 + i {
				wave := func(k float64) byte {
					return byte(127 + 120*math.Sin(k*float64(i+1)+float64(x)*0.1*float64(i%5+1)+float64(y)*0.07*float64(i%7)))
				}
				img.SetRGBA(x, y, color.RGBA{wave(1), wave(2), wave(3), 255})
			}
		}
		var b bytes.Buffer
		if err := jpeg.Encode(&b, img, nil); err != nil {
			t.Fatal(err)
		}
		files = append(files, b.Bytes())
	}
	return files
}

// TestTrainImages: a folder of pictures becomes weights for images in color, or gray;
// a run goes on with its own side; and its checkpoint is exported to the same weights.
func TestTrainImages(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	for i, b := range photos(t, 24) {
		put(t, filepath.Join(dir, fmt.Sprintf("%02d.jpg", i)), b)
	}
	small := []string{"--epochs", "1", "--distance", "1", "--batch", "4", "--centers", "8", "--channels", "4,6", "--latent", "12", "--chart", "8", "--hidden", "16"}
	in := func(name string, args ...string) string {
		to := filepath.Join(out, name)
		r := must(t, append([]string{"train", "images", "--data", dir, "--out", to}, args...)...)
		if !strings.Contains(r.stdout, "trained to "+filepath.Join(to, imagesName)) {
			t.Errorf("it says %q", r.stdout)
		}
		return to
	}
	first := in("color", append(small, "--side", "16")...)
	b := get(t, filepath.Join(first, imagesName))
	m, err := latent.Load(b)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), filepath.Dir(dir)) {
		t.Error("the weights say where on this machine the pictures lie")
	}
	if m.Image() != (nn.Shape{H: 16, W: 16, C: 3}) || m.Latent() != 12 {
		t.Errorf("the model is of images of %v and codes of %d numbers", m.Image(), m.Latent())
	}
	for name, high := range map[string]int{"restored.png": 4*(2*16+4) + 4, "generated.png": 4*(2*16+4) + 4} {
		if c, err := png.DecodeConfig(bytes.NewReader(get(t, filepath.Join(first, name)))); err != nil || c.Height != high {
			t.Errorf("%s is %d pixels high, want %d: %v", name, c.Height, high, err)
		}
	}
	in("color", "--resume")
	if again := get(t, filepath.Join(first, imagesName)); !bytes.Equal(again, b) {
		t.Error("resumed at its end, the run makes other weights")
	}
	exported := filepath.Join(out, "e.safetensors")
	must(t, "export", "--checkpoint", first, "--data", dir, "--out", exported)
	if !bytes.Equal(get(t, exported), b) {
		t.Error("the checkpoint is exported to other weights")
	}
	in("on", append(small, "--side", "16", "--from", first)...)
	if r := run(t, append([]string{"train", "images", "--data", dir, "--out", filepath.Join(out, "other"), "--side", "20", "--from", first}, small...)...); r.code != exitFailure || !strings.Contains(r.stderr, "checkpoint") {
		t.Errorf("begun with other nets: exit code %d, %s", r.code, r.stderr)
	}
	baseline := filepath.Join(out, "dae")
	must(t, append([]string{"train", "images", "--method", "dae", "--data", dir, "--out", baseline, "--side", "16"}, small...)...)
	d, err := latent.Load(get(t, filepath.Join(baseline, imagesDAEName)))
	if err != nil || d.HasDistance() || !d.HasSkips() {
		t.Errorf("the baseline has a distance, or no skips: %v", err)
	}
	diffusion := filepath.Join(out, "ldm")
	must(t, "train", "ldm", "--dae", baseline, "--data", dir, "--out", diffusion, "--epochs", "1", "--batch", "8", "--hidden", "8", "--diffusion-steps", "20", "--last", "0.3")
	b = get(t, filepath.Join(diffusion, "ldm.safetensors"))
	l, err := ldm.Load(b)
	if err != nil || l.Image() != (nn.Shape{H: 16, W: 16, C: 3}) || !l.HasSkips() {
		t.Errorf("the diffusion is not in the codes of the baseline: %v", err)
	}
	must(t, "train", "ldm", "--resume", "--data", dir, "--out", diffusion)
	must(t, "export", "--checkpoint", diffusion, "--data", dir, "--out", exported)
	if !bytes.Equal(get(t, exported), b) || !bytes.Equal(get(t, filepath.Join(diffusion, "ldm.safetensors")), b) {
		t.Error("resumed or exported, the diffusion has other weights")
	}
	gray := in("gray", append(small, "--side", "20", "--gray")...)
	if m, err = latent.Load(get(t, filepath.Join(gray, imagesName))); err != nil || m.Image() != (nn.Shape{H: 20, W: 20, C: 1}) {
		t.Errorf("the model is of images of %v: %v", m.Image(), err)
	}
}

// TestTrainImagesErrors: what cannot be trained on is refused in words.
func TestTrainImagesErrors(t *testing.T) {
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{exitUsage, "--data is missing", nil},
		{exitFailure, "there is no folder", []string{"--data", filepath.Join(t.TempDir(), "none")}},
		{exitFailure, "holds no pictures", []string{"--data", t.TempDir()}},
		{exitUsage, "--side", []string{"--data", t.TempDir(), "--side", "4"}},
	} {
		r := run(t, append([]string{"train", "images", "--out", filepath.Join(t.TempDir(), "o")}, c.args...)...)
		if r.code != c.code || !strings.Contains(r.stderr, c.want) {
			t.Errorf("%q: exit code %d, %s; want %q", c.args, r.code, r.stderr, c.want)
		}
	}
}
