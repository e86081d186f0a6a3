package latent_test

import (
	"slices"
	"strings"
	"testing"

	"mppm/shared/golden"
	"mppm/shared/latent"
	"mppm/shared/latent/latenttest"
	"mppm/shared/nn"
	"mppm/shared/nn/nntest"
	"mppm/shared/safetensors"
)

// TestUnplanned: a model of nets that no table has is read from its file alone,
// restores and generates, to the same bits on every platform.
func TestUnplanned(t *testing.T) {
	f, g, _ := nntest.Unplanned(t)
	m := latenttest.ModelOf(3, &latent.Nets{F: f, G: g})
	if m.Image() != (nn.Shape{H: 32, W: 32, C: 3}) || m.Pixels() != 3072 || m.Latent() != 64 {
		t.Fatalf("the model is of images of %v and codes of %d numbers", m.Image(), m.Latent())
	}
	bits, err := latenttest.Bits(m)
	if err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "latent: the flows of nets that no table has, and the images they end in", bits)
}

// TestDescribedRefuses: a file whose nets do not fit together is refused, and it
// says which.
func TestDescribedRefuses(t *testing.T) {
	f, g, u := nntest.Unplanned(t)
	for name, c := range map[string]struct {
		change func(*safetensors.File)
		want   string
	}{
		"no decoder":  {func(f *safetensors.File) { delete(f.Meta, "decoder") }, "metadata: decoder: "},
		"no net":      {func(f *safetensors.File) { f.Meta["encoder"] = "1" }, "metadata: encoder: nn: a net needs a layer"},
		"other image": {func(f *safetensors.File) { f.Meta["encoder"] = text(t, u) }, "at most"},
		"two ways in": {func(f *safetensors.File) {
			f.Meta["encoder"] = "1; input b 1; relu"
		}, "the net has 2 inputs"},
		"another code": {func(f *safetensors.File) { f.Meta["encoder"], f.Meta["decoder"] = f.Meta["decoder"], f.Meta["encoder"] }, "at most"},
		"other bank": {func(f *safetensors.File) {
			f.Tensors = slices.DeleteFunc(f.Tensors, func(t safetensors.Tensor) bool { return strings.HasPrefix(t.Name, "bank.codes") })
			if err := f.AddFloat32("bank.codes", make([]float32, 32*100), 32, 100); err != nil {
				t.Fatal(err)
			}
		}, "bank.codes is of codes of 32 numbers"},
	} {
		file := latenttest.FileOf(1, &latent.Nets{F: f, G: g})
		c.change(file)
		if _, err := latent.New(file); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
}

func text(t *testing.T, n *nn.Net) string {
	t.Helper()
	text, err := n.Text()
	if err != nil {
		t.Fatal(err)
	}
	return text
}
