package evaluate

import (
	"context"
	"fmt"
	"io"
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
	Name     string                  `json:"name"`
	Images   int                     `json:"images"`
	Distance float64                 `json:"fd"`       // to the training digits
	Classes  float64                 `json:"fd_class"` // mean over the predicted classes
	Shares   []float64               `json:"shares"`   // of the predicted classes
	Entropy  float64                 `json:"entropy"`  // of the shares; 1: all alike
	Covers   quality.PrecisionRecall `json:"coverage"`
	// Nearest is the distance in pixels to the nearest training digit, and Apart
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
	known := infer.Floats(train.Images)
	pixels, width := j.classifier.Image().Size(), j.classifier.Width()
	// Recall compares sets of one size: as many training digits, drawn at random.
	var all []Grown
	for _, s := range sets {
		g := Grown{Name: s.Name, Images: len(s.Images) / pixels}
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
		n := min(g.Images, most, train.N)
		order := rng.New(1, 0).Perm(train.N)[:n]
		var real []byte
		for _, i := range order {
			real = append(real, train.Image(i)...)
		}
		r, _, err := j.embed(ctx, real)
		if err != nil {
			return nil, err
		}
		if g.Covers, err = quality.Coverage(ctx, r, e[:n*width], width, quality.Neighbors); err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
		x := infer.Floats(s.Images[:n*pixels])
		near, _, err := quality.Nearest(ctx, x, known, pixels, false)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
		apart, _, err := quality.Nearest(ctx, x, x, pixels, true)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
		g.Nearest, g.Apart = quality.Summarize(near), quality.Summarize(apart)
		all = append(all, g)
		done(s.Name)
	}
	return all, nil
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
