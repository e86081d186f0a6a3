package embedding

import (
	"context"
	"fmt"
	"math"

	"mppm/shared/rng"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/embedding"
	"mppm/trainer/internal/imageio"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/run"
)

// Name is what embeddings of this training are called in tables.
const Name = "the project's own, trained on views of the training images"

// Weights turns the run into a weights file of the embedding, batch norm folded away, in
// 32 bits: it is for measuring. It scores the embedding
// on the pictures held out; the metadata has that, and how the run was trained.
func (t *Task) Weights(ctx context.Context) ([]byte, Score, error) {
	b, score, err := t.weights(ctx)
	if err != nil {
		return nil, Score{}, fmt.Errorf("export: %w", err)
	}
	return b, score, nil
}

func (t *Task) weights(ctx context.Context) ([]byte, Score, error) {
	whole := new(safetensors.File)
	if err := optim.Export(whole, true, t.params, t.buffers...); err != nil {
		return nil, Score{}, err
	}
	net, folded, err := t.net.Fold(whole)
	if err != nil {
		return nil, Score{}, err
	}
	f := &safetensors.File{Meta: map[string]string{}}
	for _, s := range net.Specs() {
		data, err := folded.Float32(s.Name, s.Shape...)
		if err == nil {
			err = f.AddFloat32(s.Name, data, s.Shape...)
		}
		if err != nil {
			return nil, Score{}, err
		}
	}
	if err := embedding.Describe(f.Meta, net, Name); err != nil {
		return nil, Score{}, err
	}
	b, err := f.Encode()
	if err != nil {
		return nil, Score{}, err
	}
	e, err := embedding.Load(b, Name, embedding.Options{})
	if err != nil {
		return nil, Score{}, err
	}
	score, err := t.score(ctx, e)
	if err != nil {
		return nil, Score{}, err
	}
	if err := run.Describe(f, map[string]any{"training": t.Config, "data": map[string]any{"name": t.set.Name, "md5": t.set.Checksums}, "scores": score}); err != nil {
		return nil, Score{}, err
	}
	b, err = f.Encode()
	return b, score, err
}

// Score is how often a view of a picture that was not trained on is found again by
// another view of it.
type Score struct {
	Images int `json:"images"` // held-out pictures
	Found  int `json:"found"`  // of which one view is nearest to the other, by the cosine, of the other views of all
}

func (s Score) String() string {
	return fmt.Sprintf("of %d held-out images, %.1f %% are found again by another view", s.Images, 100*float64(s.Found)/float64(max(1, s.Images)))
}

// most is how many held-out pictures are scored.
const most = 1000

// score looks for views of held-out pictures among others of the same ones.
func (t *Task) score(ctx context.Context, e *embedding.Net) (Score, error) {
	image, n := t.net.In(), min(most, t.set.Test.N)
	size := image.Size()
	var views [2][]float32 // embeddings of two views of each picture, of length 1
	x, view := make([]float32, size), make([]float32, size)
	for k := range views {
		pixels := make([]byte, n*size)
		for i := range n {
			t.set.Test.Float32(x, i)
			t.Config.Views.apply(view, x, image, rng.New(t.Config.Seed, streamScore+uint64(2*i+k)))
			imageio.Quantize(pixels[i*size:(i+1)*size], view)
		}
		if err := t.set.Test.Err(); err != nil {
			return Score{}, err
		}
		var err error
		if views[k], err = e.Embed(ctx, image, pixels); err != nil {
			return Score{}, err
		}
		unit(views[k], e.Width())
	}
	s := Score{Images: n}
	w := e.Width()
	for i := range n {
		best, at := math.Inf(-1), -1
		for j := range n {
			var cosine float64
			for k, v := range views[0][i*w : (i+1)*w] {
				cosine += float64(v) * float64(views[1][j*w+k])
			}
			if cosine > best {
				best, at = cosine, j
			}
		}
		if at == i {
			s.Found++
		}
	}
	return s, nil
}

// unit gives each of the embeddings e the length 1.
func unit(e []float32, width int) {
	for ; len(e) >= width; e = e[width:] {
		var sum float64
		for _, v := range e[:width] {
			sum += float64(v) * float64(v)
		}
		scale := float32(1 / max(math.Sqrt(sum), 1e-12))
		for k := range e[:width] {
			e[k] *= scale
		}
	}
}
