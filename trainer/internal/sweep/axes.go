package sweep

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"mppm/shared/latent"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/optim"
	train "mppm/trainer/internal/run"
	"mppm/trainer/internal/rundir"
	task "mppm/trainer/internal/task/latent"
)

// Row is what a search found at one setting of an axis.
type Row struct {
	Setting string  `json:"setting"`
	Line    string  `json:"line"`             // the parameter that is changed
	X       float64 `json:"x"`                // its value, or multiple
	Failed  string  `json:"failed,omitempty"` // why there is no result
	*Result
}

// BankSizes are the sizes of the code bank that Banks tries.
func BankSizes() []int { return []int{500, 1000, 2000, 3500, 5000, 7500, 10000} }

// Banks searches with code banks of other sizes, each of the codes that the nets
// of the weights f give the training digits that are not held out. presets are the
// flows to begin from.
func (w *Sweep) Banks(ctx context.Context, f *safetensors.File, sizes []int, presets map[string]latent.Preset) ([]Row, error) {
	a, err := latent.LoadAutoencoder(f)
	if err != nil {
		return nil, err
	}
	var codes []float32
	var rows []Row
	for _, n := range sizes {
		if n > w.Bench.data.Train.N {
			continue
		}
		row := Row{Setting: fmt.Sprintf("%d codes", n), Line: "codes", X: float64(n)}
		s := &Subject{Name: fmt.Sprintf("bank=%d", n), Label: row.Setting, Presets: presets, Open: func() (*latent.Model, error) {
			if codes == nil {
				var err error
				if codes, err = task.Codes(ctx, a, &w.Bench.data.Train); err != nil {
					return nil, err
				}
			}
			own, err := task.Rebank(ctx, f, w.Bench.data, codes, n, w.Seed)
			if err != nil {
				return nil, err
			}
			return latent.New(own)
		}}
		if row.Result, err = w.Search(ctx, s); err != nil {
			return nil, fmt.Errorf("%s: %w", row.Setting, err)
		}
		rows = append(rows, row)
	}
	if rows == nil {
		return nil, fmt.Errorf("%d training digits that are not held out fill no code bank of %d codes or more", w.Bench.data.Train.N, slices.Min(sizes))
	}
	return rows, nil
}

// Setting is one change of what a model is trained with.
type Setting struct {
	Name   string // of what is changed and to what
	Line   string
	X      float64
	change func(*task.Config)
}

// Losses are the settings of the loss: each weight of Eq. 20 left out, halved
// and doubled, beside what is the default.
func Losses() []Setting {
	all := []Setting{{Name: "default", X: 1, change: func(*task.Config) {}}}
	for i := range task.Terms {
		for _, k := range []float64{0, 0.5, 2} {
			line := fmt.Sprintf("λ%d", i+1)
			all = append(all, Setting{Name: fmt.Sprintf("%s × %g", line, k), Line: line, X: k, change: func(c *task.Config) { c.Lambda[i] *= float32(k) }})
		}
	}
	return all
}

// Noises are the levels of the noise of training: a deviation drawn from 0 to
// the level, and, for the one of the paper, fixed.
func Noises() []Setting {
	var all []Setting
	for _, k := range []float64{0.4, 0.6, 0.8, 1, 1.2} {
		all = append(all, Setting{Name: fmt.Sprintf("σ from 0 to %g", k), Line: "from 0 to σ", X: k, change: func(c *task.Config) { c.Noise = k }})
	}
	return append(all, Setting{Name: "σ = 0.4", Line: "fixed", X: 0.4, change: func(c *task.Config) { c.Noise, c.FixedNoise = 0.4, true }})
}

// Trainings trains the model with each of the settings, in folders of dir, and
// searches with what comes out. Runs that dir holds already are not repeated, and
// one that was interrupted goes on. presets are the flows to begin from.
func (w *Sweep) Trainings(ctx context.Context, set *dataset.Set, base task.Config, settings []Setting, presets map[string]latent.Preset, dir string) ([]Row, error) {
	base.Holdout = w.Bench.N
	base.Centers = min(base.Centers, w.Bench.data.Train.N)
	var rows []Row
	for _, s := range settings {
		c := base
		s.change(&c)
		row := Row{Setting: s.Name, Line: s.Line, X: s.X}
		text, err := json.Marshal(c)
		if err != nil {
			return nil, err
		}
		// Runs of other settings, epochs and seeds may lie beside this one.
		sum := md5.Sum(text)
		name := hex.EncodeToString(sum[:6])
		failure := &Trial{Subject: name, Task: Train}
		if known := w.Log.find(failure); known != nil {
			row.Failed = known.Failed
			rows = append(rows, row)
			continue
		}
		row.Result, err = w.Search(ctx, &Subject{Name: name, Label: s.Name, Presets: presets, Open: func() (*latent.Model, error) {
			return w.trained(ctx, set, c, s.Name, filepath.Join(dir, name))
		}})
		if errors.Is(err, train.ErrDiverged) {
			row.Failed, row.Result = err.Error(), nil
			failure.Failed = row.Failed
			err = w.Log.add(failure)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// trained returns the model of a run with c in dir, which it begins, goes on
// with, or finds done.
func (w *Sweep) trained(ctx context.Context, set *dataset.Set, c task.Config, name, dir string) (*latent.Model, error) {
	folder, err := rundir.Claim(dir, rundir.Use{Command: "train mnist"})
	if err != nil {
		return nil, err
	}
	defer folder.Release() // what cannot be given back goes with the process
	t := task.New(c, set)
	r, err := train.Open(t, dir)
	if errors.Is(err, optim.ErrNoCheckpoint) {
		r, err = train.New(t, dir)
	}
	if err != nil {
		return nil, err
	}
	if err := r.Train(ctx, train.Options{Progress: w.Progress, Label: "training with " + name}); err != nil {
		return nil, err
	}
	f, err := t.Weights(ctx, false)
	if err != nil {
		return nil, err
	}
	return latent.New(f)
}

// Present writes the presets of a result into the metadata of weights, and
// leaves all else: but for scores of the presets that they had before.
func (r *Result) Present(f *safetensors.File, how map[string]string) error {
	for _, w := range r.Winners {
		b, err := json.Marshal(w.Trial.Flow)
		if err != nil {
			return err
		}
		f.Meta["flow."+w.Preset] = string(b)
	}
	b, err := json.Marshal(how)
	if err != nil {
		return err
	}
	f.Meta["sweep"] = string(b)
	delete(f.Meta, "scores")
	return nil
}

// Sum returns the MD5 of b in hexadecimal: what a setup names files by.
func Sum(b []byte) string {
	sum := md5.Sum(b)
	return hex.EncodeToString(sum[:])
}
