package unet

import (
	"context"
	"fmt"
	"maps"

	"mppm/shared/latent"
	"mppm/shared/metadata"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/run"
	task "mppm/trainer/internal/task/latent"
)

// presets are the flows that a weights file names, in multiples of what the codes
// themselves give.
var presets = map[string]latent.Preset{
	"restore":  {Alpha: 0.6, Sigma: 0.5, Steps: 3, Trust: 1, Local: 0.8, Keep: 0.2},
	"generate": {Alpha: 0.5, Beta: 0.03, Sigma: 0.15, Steps: 6, Noise: 1.2},
}

// presetsDAE are the flows of a model without D: restoration is G(F(x)) alone.
var presetsDAE = map[string]latent.Preset{
	"restore":  {Sigma: 0.5},
	"generate": {Beta: 0.1, Sigma: 0.5, Steps: 6, Noise: 1},
}

// Presets returns the flows of weights of this training, by their names: of a model with
// D or without, and with L or without.
func Presets(distance, local bool) map[string]latent.Preset {
	if !distance {
		return maps.Clone(presetsDAE)
	}
	flows := maps.Clone(presets)
	if !local {
		for name, p := range flows {
			p.Local, p.Keep = 0, 0
			flows[name] = p
		}
	}
	return flows
}

// Weights turns the run into a weights file: the nets, with batch norm folded into the
// layers before it and in eight bits unless float is set, and the code bank that those
// very nets give. It returns ctx's error if that ends first.
func (t *Task) Weights(ctx context.Context, float bool) (*safetensors.File, error) {
	f, err := t.Nets(float)
	if err != nil {
		return nil, err
	}
	a, err := latent.LoadAutoencoder(f)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	codes, err := task.Codes(ctx, a, &t.set.Train)
	if err != nil {
		return nil, err
	}
	if err := task.AddBank(ctx, f, codes, t.Config.Latent, t.set.Train.Labels, t.Config.Centers, t.Config.Seed, float); err != nil {
		return nil, err
	}
	return f, nil
}

// Nets is Weights without the code bank, which package latent needs: for what takes the
// nets alone.
func (t *Task) Nets(float bool) (*safetensors.File, error) {
	all := new(safetensors.File)
	if err := optim.Export(all, true, t.params, t.buffers...); err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	f, all, err := task.Folded(t.nets.Nets, all)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	if !t.Config.DAE {
		f.Meta["distance.activation"] = string(t.Config.Act)
	}
	if err := metadata.SetClasses(f.Meta, t.set.Classes); err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	about := map[string]any{"training": t.Config, "data": map[string]any{"name": t.set.Name, "md5": t.set.Checksums}}
	for name, p := range Presets(!t.Config.DAE, t.L != nil) {
		about["flow."+name] = p
	}
	if err := run.Describe(f, about); err != nil {
		return nil, err
	}
	if err := optim.Copy(f, all, float); err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	return f, nil
}
