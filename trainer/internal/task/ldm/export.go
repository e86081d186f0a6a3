package ldm

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"mppm/shared/degrade"
	"mppm/shared/ldm"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/memory"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/run"
)

// Weights turns the run into a weights file: the autoencoder as it came, and the
// denoiser in eight bits unless float is set. It returns ctx's error if that
// ends first.
func (t *Task) Weights(ctx context.Context, float bool) (*safetensors.File, error) {
	if err := t.encode(ctx); err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	f := &safetensors.File{Meta: maps.Clone(t.nets.Meta), Tensors: slices.Clone(t.nets.Tensors)}
	f.Meta["damage"] = "{}"
	err := run.Describe(f, map[string]any{
		"diffusion": t.Config.Diffusion,
		"training":  t.Config,
		"data":      map[string]any{"name": t.set.Name, "md5": t.set.Checksums},
	})
	if err != nil {
		return nil, err
	}
	if err := optim.Export(f, float, t.params); err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	err = f.AddFloat32("latent.mean", t.mean, t.dim)
	if err == nil {
		err = f.AddFloat32("latent.std", t.std, t.dim)
	}
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	b, err := f.Encode()
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	m, err := ldm.Load(b)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	curves := map[degrade.Kind][]ldm.Point{}
	for _, info := range degrade.All() {
		if curves[info.Kind], err = t.damage(ctx, m, info); err != nil {
			return nil, fmt.Errorf("export: %w", err)
		}
	}
	return f, run.Describe(f, map[string]any{"damage": curves})
}

// damage measures what a kind of damage does to the codes of training images:
// the first 500, at severities over the whole range and at those of Table 6.
func (t *Task) damage(ctx context.Context, m *ldm.Model, info degrade.Info) ([]ldm.Point, error) {
	const images, pieces = 500, 8
	severities := []float64{info.Mild, info.Severe}
	for i := range pieces + 1 {
		step := math.Round((info.Max - info.Min) * float64(i) / pieces / info.Step)
		severities = append(severities, math.Round(1e6*(info.Min+step*info.Step))/1e6)
	}
	slices.Sort(severities)
	severities = slices.Compact(severities)
	n := min(images, t.set.Train.N)
	run := m.Runner(memory.Together(64, m.Pixels()))
	image, size := m.Image(), m.Pixels()
	clean, x := make([]float32, n*size), make([]float32, n*size)
	for i := range n {
		t.set.Train.Float32(clean[i*size:], i)
	}
	if err := t.set.Train.Err(); err != nil {
		return nil, err
	}
	a, b := make([]float32, n*t.dim), make([]float32, n*t.dim)
	run.Encode(a, clean)
	var curve []ldm.Point
	for _, s := range severities {
		d := degrade.Degradation{Kind: info.Kind, Severity: s}
		for i := range n {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			at := i * size
			if err := d.ApplyColor(x[at:at+size], clean[at:at+size], image.W, image.H, image.C, rng.New(t.Config.Seed, streamDamage+uint64(i))); err != nil {
				return nil, err
			}
		}
		run.Encode(b, x)
		curve = append(curve, ldm.Point{Severity: s, Spread: math.Round(1e4*m.Spread(a, b)) / 1e4})
	}
	return curve, nil
}
