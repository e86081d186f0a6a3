package classifier

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"mppm/shared/classifier"
	"mppm/shared/metadata"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/run"
)

// Weights turns the run into a weights file: eight bits for each weight with one
// scale for each output channel, unless float is set. It reads the digits of
// Score with the result; the metadata has that, and how the run was trained.
func (t *Task) Weights(ctx context.Context, float bool) ([]byte, Score, error) {
	f := &safetensors.File{Meta: map[string]string{}}
	if err := classifier.Describe(f.Meta, t.net); err != nil {
		return nil, Score{}, fmt.Errorf("export: %w", err)
	}
	if err := metadata.SetClasses(f.Meta, t.set.Classes); err != nil {
		return nil, Score{}, fmt.Errorf("export: %w", err)
	}
	if err := optim.Export(f, float, t.params); err != nil {
		return nil, Score{}, fmt.Errorf("export: %w", err)
	}
	score, err := t.score(ctx, f)
	if err != nil {
		return nil, Score{}, fmt.Errorf("export: %w", err)
	}
	if err := run.Describe(f, map[string]any{"training": t.Config, "data": map[string]any{"name": t.set.Name, "md5": t.set.Checksums}, "scores": score}); err != nil {
		return nil, Score{}, err
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
func (t *Task) score(ctx context.Context, f *safetensors.File) (Score, error) {
	b, err := f.Encode()
	if err != nil {
		return Score{}, err
	}
	c, err := classifier.Load(b)
	if err != nil {
		return Score{}, err
	}
	split, first, s := &t.set.Test, 0, Score{Digits: "test", N: t.set.Test.N}
	if t.Config.Holdout > 0 {
		split, first, s = &t.set.Train, t.trained(), Score{Digits: "held-out", N: t.Config.Holdout}
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
	Probs      []float32 // n × classes
	Embeddings []float32 // n × width
}

// Class returns the class that image i is read as.
func (r *Readings) Class(i int) int {
	class, _ := classifier.Best(r.Probs[i*len(r.Probs)/r.N : (i+1)*len(r.Probs)/r.N])
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

// Read classifies images x (n × pixels) on all cores. It returns
// ctx's error if that ends first.
func Read(ctx context.Context, c *classifier.Classifier, x []float32) (*Readings, error) {
	const span = 64
	pixels, classes, width := c.Image().Size(), c.Classes(), c.Width()
	n := len(x) / pixels
	out := &Readings{N: n, Probs: make([]float32, n*classes), Embeddings: make([]float32, n*width)}
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
				run.Classify(out.Probs[lo*classes:hi*classes], out.Embeddings[lo*width:hi*width], x[lo*pixels:hi*pixels])
			}
		})
	}
	wg.Wait()
	return out, ctx.Err()
}
