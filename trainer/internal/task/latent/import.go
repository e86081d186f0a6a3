package latent

import (
	"context"
	"fmt"
	"maps"

	"mppm/shared/latent"
	"mppm/shared/metadata"
	"mppm/shared/nn"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/run"
)

// Presets returns the flows of weights of this training, by their names: of a model with
// D or without.
func Presets(distance bool) map[string]latent.Preset {
	if distance {
		return maps.Clone(presets)
	}
	return maps.Clone(presetsDAE)
}

// Foreign are nets that something else has trained.
type Foreign struct {
	Nets       *latent.Nets
	Activation nn.Activation            // of D; "": there is none
	Flows      map[string]latent.Preset // "restore" and "generate" at least
	Centers    int                      // of the code bank
	Seed       uint64
	Float      bool           // weights stay in 32 bits
	About      map[string]any // further metadata
}

// Weights makes a weights file of the tensors in f, as nn has them and in 32 bits: the
// nets with batch norm folded away, in eight bits unless Float is set, and the code bank
// that those very nets give of the training images of a set. It returns ctx's error if
// that ends first.
func (m Foreign) Weights(ctx context.Context, f *safetensors.File, set *dataset.Set) (*safetensors.File, error) {
	out, err := m.weights(ctx, f, set)
	if err != nil && ctx.Err() == nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	return out, err
}

func (m Foreign) weights(ctx context.Context, f *safetensors.File, set *dataset.Set) (*safetensors.File, error) {
	if n := set.Train.N; m.Centers < 1 || m.Centers > n {
		return nil, fmt.Errorf("the code bank is to have %d centers; give 1 to %d, the number of images", m.Centers, n)
	}
	if got, image := set.Train.Pixels(), m.Nets.F.In(); got != image.Size() {
		return nil, fmt.Errorf("the images of the data have %d numbers; the encoder takes images of %v", got, image)
	}
	out, f, err := Folded(m.Nets, f)
	if err != nil {
		return nil, err
	}
	if err := metadata.SetClasses(out.Meta, set.Classes); err != nil {
		return nil, err
	}
	if m.Activation != "" {
		out.Meta["distance.activation"] = string(m.Activation)
	}
	about := map[string]any{"data": map[string]any{"name": set.Name, "md5": set.Checksums}}
	maps.Copy(about, m.About)
	for name, p := range m.Flows {
		about["flow."+name] = p
	}
	if err := run.Describe(out, about); err != nil {
		return nil, err
	}
	if err := optim.Copy(out, f, m.Float); err != nil {
		return nil, err
	}
	a, err := latent.LoadAutoencoder(out)
	if err != nil {
		return nil, err
	}
	codes, err := Codes(ctx, a, &set.Train)
	if err != nil {
		return nil, err
	}
	for i, v := range codes {
		if v-v != 0 {
			return nil, fmt.Errorf("the code of training image %d has a number that is %v: the encoder is none for images from 0 to 1", i/a.Latent(), v)
		}
	}
	return out, AddBank(ctx, out, codes, a.Latent(), set.Train.Labels, m.Centers, m.Seed, m.Float)
}
