package judge

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"mppm/shared/classifier"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/optim"
)

// Weights turns the run into a weights file: eight bits for each weight with one
// scale for each output channel, unless float is set. It reads the digits of
// Score with the result; the metadata has that, and how the run was trained.
func (r *Run) Weights(ctx context.Context, float bool) ([]byte, Score, error) {
	f := &safetensors.File{Meta: map[string]string{}}
	if err := classifier.Describe(f.Meta, classifier.Digits); err != nil {
		return nil, Score{}, fmt.Errorf("export: %w", err)
	}
	if err := optim.Export(f, float, r.params); err != nil {
		return nil, Score{}, fmt.Errorf("export: %w", err)
	}
	score, err := r.score(ctx, f)
	if err != nil {
		return nil, Score{}, fmt.Errorf("export: %w", err)
	}
	for key, value := range map[string]any{
		"training": r.Config,
		"data":     map[string]any{"name": r.set.Name, "md5": r.set.Checksums},
		"scores":   score,
	} {
		text, err := json.Marshal(value)
		if err != nil {
			return nil, Score{}, fmt.Errorf("export: %s: %w", key, err)
		}
		f.Meta[key] = string(text)
	}
	b, err := f.Encode()
	if err != nil {
		return nil, Score{}, fmt.Errorf("export: %w", err)
	}
	return b, score, nil
}

// Score is how well a classifier reads digits that it was not trained on: those
// held out of the training set if there are any, because settings are chosen by
// them, and else the test set.
type Score struct {
	Digits string `json:"digits"` // "test", or "held-out"
	N      int    `json:"n"`
	Right  int    `json:"right"`
}

// Accuracy returns the share of digits that are read right.
func (s Score) Accuracy() float64 { return float64(s.Right) / float64(s.N) }

func (s Score) String() string {
	return fmt.Sprintf("%.2f %% of %d %s digits are read right", 100*s.Accuracy(), s.N, s.Digits)
}

// score reads digits with the classifier of f.
func (r *Run) score(ctx context.Context, f *safetensors.File) (Score, error) {
	b, err := f.Encode()
	if err != nil {
		return Score{}, err
	}
	c, err := classifier.Load(b)
	if err != nil {
		return Score{}, err
	}
	split, first, s := &r.set.Test, 0, Score{Digits: "test", N: r.set.Test.N}
	if r.Config.Holdout > 0 {
		split, first, s = &r.set.Train, r.trained(), Score{Digits: "held-out", N: r.Config.Holdout}
	}
	const span = 1024 // images in memory at a time
	x := make([]float32, min(span, s.N)*dataset.Pixels)
	for lo := 0; lo < s.N; lo += span {
		n := min(span, s.N-lo)
		for i := range n {
			split.Float32(x[i*dataset.Pixels:], first+lo+i)
		}
		if err := split.Err(); err != nil {
			return Score{}, err
		}
		read, err := Read(ctx, c, x[:n*dataset.Pixels])
		if err != nil {
			return Score{}, err
		}
		for i := range n {
			if read.Class(i) == int(split.Labels[first+lo+i]) {
				s.Right++
			}
		}
	}
	return s, nil
}

// Readings are what a classifier makes of n images.
type Readings struct {
	N          int
	Probs      []float32 // n × classifier.Classes
	Embeddings []float32 // n × classifier.Width
}

// Class returns the class that image i is read as.
func (r *Readings) Class(i int) int {
	class, _ := classifier.Best(r.Probs[i*classifier.Classes:])
	return class
}

// Classes returns the class that each image is read as.
func (r *Readings) Classes() []uint8 {
	all := make([]uint8, r.N)
	for i := range all {
		all[i] = uint8(r.Class(i))
	}
	return all
}

// Read classifies images x (n × classifier.Pixels) on all cores. It returns
// ctx's error if that ends first.
func Read(ctx context.Context, c *classifier.Classifier, x []float32) (*Readings, error) {
	const span = 64
	n := len(x) / classifier.Pixels
	out := &Readings{N: n, Probs: make([]float32, n*classifier.Classes), Embeddings: make([]float32, n*classifier.Width)}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (n+span-1)/span) {
		wg.Go(func() {
			run := c.Runner(span)
			for ctx.Err() == nil {
				lo := int(next.Add(span)) - span
				if lo >= n {
					return
				}
				hi := min(lo+span, n)
				run.Classify(out.Probs[lo*classifier.Classes:hi*classifier.Classes], out.Embeddings[lo*classifier.Width:hi*classifier.Width], x[lo*classifier.Pixels:hi*classifier.Pixels])
			}
		})
	}
	wg.Wait()
	return out, ctx.Err()
}
