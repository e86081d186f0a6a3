package evaluate

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"

	"mppm/shared/rng"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/frechet"
	"mppm/trainer/internal/infer"
	"mppm/trainer/internal/quality"
)

// Grown says how good generated digits are, how diverse, and whether they are
// copies of training digits.
type Grown struct {
	Name     string    `json:"name"`
	Images   int       `json:"images"`
	Distance float64   `json:"fd"`       // to the training digits
	Classes  float64   `json:"fd_class"` // mean over the predicted classes
	Shares   []float64 `json:"shares"`   // of the predicted classes
	Entropy  float64   `json:"entropy"`  // of the shares; 1: all alike
	Likeness
}

// Likeness says what a set of images has of the training images.
type Likeness struct {
	Covers quality.PrecisionRecall `json:"coverage"`
	// Nearest is the distance in pixels to the nearest training image, and Apart
	// that to the nearest other image of the set.
	Nearest quality.Spread `json:"nearest_training"`
	Apart   quality.Spread `json:"apart"`
}

// Set is a set of images to look at with Grow.
type Set struct {
	Name   string
	Images []byte
}

// most is how many images of a set are compared with all training digits, and
// with one another.
const most = 2000

// Grow judges sets of generated digits; the first should be real digits of the
// same number, which the others are then read beside.
func Grow(ctx context.Context, j *Judge, train *dataset.Split, sets []Set, done func(name string)) ([]Grown, error) {
	width := j.classifier.Width()
	var all []Grown
	for _, s := range sets {
		g := Grown{Name: s.Name, Images: len(s.Images) / j.classifier.Image().Size()}
		e, read, err := j.embed(ctx, s.Images)
		if err != nil {
			return nil, err
		}
		set, err := j.fit(e, read)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
		d, err := frechet.Between(set, j.reference)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
		g.Distance, g.Classes = d.Overall, d.ClassMean
		counts := quality.Histogram(read, j.classifier.Classes())
		g.Entropy = quality.Entropy(counts)
		for _, n := range counts {
			g.Shares = append(g.Shares, float64(n)/float64(g.Images))
		}
		real, err := drawn(train, g.Images)
		if err != nil {
			return nil, err
		}
		r, _, err := j.embed(ctx, real)
		if err != nil {
			return nil, err
		}
		if g.Likeness, err = likeness(ctx, e, r, width, s.Images, train); err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
		all = append(all, g)
		done(s.Name)
	}
	return all, nil
}

// drawn returns as many training images as a set of n has that are compared: drawn at
// random, but always the same. Recall compares sets of one size.
func drawn(train *dataset.Split, n int) ([]byte, error) {
	var real []byte
	for _, i := range rng.New(1, 0).Perm(train.N)[:min(n, most, train.N)] {
		real = append(real, train.Image(i)...)
	}
	return real, train.Err()
}

// likeness compares images, e their embeddings of that width, with all training images,
// and with those of drawn, real their embeddings.
func likeness(ctx context.Context, e, real []float32, width int, images []byte, train *dataset.Split) (l Likeness, err error) {
	pixels := train.Pixels()
	n := len(real) / width
	if l.Covers, err = quality.Coverage(ctx, real, e[:n*width], width, quality.Neighbors); err != nil {
		return l, err
	}
	x := infer.Floats(images[:n*pixels])
	near, err := nearest(ctx, x, train)
	if err != nil {
		return l, err
	}
	apart, _, err := quality.Nearest(ctx, x, x, pixels, true)
	if err != nil {
		return l, err
	}
	l.Nearest, l.Apart = quality.Summarize(near), quality.Summarize(apart)
	return l, nil
}

// span is how many numbers of training images are in memory at a time.
const span = 1 << 25

// nearest returns the distance from each of the images x to the nearest training image.
func nearest(ctx context.Context, x []float32, train *dataset.Split) ([]float64, error) {
	pixels := train.Pixels()
	least := slices.Repeat([]float64{math.Inf(1)}, len(x)/pixels)
	some := max(1, span/pixels)
	known, at := make([]float32, min(some, train.N)*pixels), make([]int, 0, some)
	for lo := 0; lo < train.N; lo += some {
		at = at[:0]
		for i := lo; i < min(lo+some, train.N); i++ {
			at = append(at, i)
		}
		train.Fill(known, at)
		if err := train.Err(); err != nil {
			return nil, err
		}
		near, _, err := quality.Nearest(ctx, x, known[:len(at)*pixels], pixels, false)
		if err != nil {
			return nil, err
		}
		for i, d := range near {
			least[i] = min(least[i], d)
		}
	}
	return least, nil
}

// GrownMarkdown writes what Grow found as a table.
func GrownMarkdown(w io.Writer, all []Grown) error {
	if _, err := fmt.Fprintf(w, "| images | n | FD ↓ | FD by class ↓ | precision ↑ | recall ↑ | entropy ↑ | class shares | to the nearest training digit | to the nearest of the set |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"); err != nil {
		return err
	}
	for _, g := range all {
		if _, err := fmt.Fprintf(w, "| %s | %d | %.2f | %.2f | %.3f | %.3f | %.4f | %.1f to %.1f %% | %.2f (a tenth below %.2f) | %.2f |\n",
			g.Name, g.Images, g.Distance, g.Classes, g.Covers.Precision, g.Covers.Recall, g.Entropy,
			100*slices.Min(g.Shares), 100*slices.Max(g.Shares), g.Nearest.Mean, g.Nearest.Low, g.Apart.Mean); err != nil {
			return err
		}
	}
	return nil
}
