package evaluate

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/frechet"
)

// GrownImages says how good generated pictures are, how diverse, and whether they are
// copies of training images.
type GrownImages struct {
	Name   string    `json:"name"`
	Images int       `json:"images"`
	FD     []float64 `json:"fd"` // to the training images, in each embedding, as Judgement has it
	Likeness
}

// GrowImages judges sets of pictures beside the training images, which the judge has to
// know; the first two should be clean images, and what the nets make of those, in the same
// number as the others, which are then read beside them. Coverage is in the first
// embedding.
func GrowImages(ctx context.Context, j *ImageJudge, train *dataset.Split, sets []Set, done func(name string)) ([]GrownImages, error) {
	var all []GrownImages
	for _, s := range sets {
		g := GrownImages{Name: s.Name, Images: len(s.Images) / j.image.Size()}
		real, err := drawn(train, g.Images)
		if err != nil {
			return nil, err
		}
		for i, d := range j.embeddings {
			e, err := d.Embed(ctx, j.image, s.Images)
			if err != nil {
				return nil, err
			}
			set, err := frechet.Fit(e, d.Numbers)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.Name, err)
			}
			distance, err := d.distance(set, d.training)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.Name, err)
			}
			g.FD = append(g.FD, distance)
			if i > 0 {
				continue
			}
			r, err := d.Embed(ctx, j.image, real)
			if err != nil {
				return nil, err
			}
			if g.Likeness, err = likeness(ctx, e, r, d.Numbers, s.Images, train); err != nil {
				return nil, fmt.Errorf("%s: %w", s.Name, err)
			}
		}
		all = append(all, g)
		done(s.Name)
	}
	return all, nil
}

// GrownImagesMarkdown writes what GrowImages found as a table.
func GrownImagesMarkdown(w io.Writer, all []GrownImages) error {
	var b strings.Builder
	b.WriteString("| images | n | FD to training, in each embedding ↓ | precision ↑ | recall ↑ | to the nearest training image | to the nearest of the set |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, g := range all {
		var fd []string
		for _, v := range g.FD {
			fd = append(fd, fmt.Sprintf("%.2f", v))
		}
		fmt.Fprintf(&b, "| %s | %d | %s | %.3f | %.3f | %.2f (a tenth below %.2f, the least %.2f) | %.2f (the least %.2f) |\n",
			g.Name, g.Images, strings.Join(fd, "; "), g.Covers.Precision, g.Covers.Recall, g.Nearest.Mean, g.Nearest.Low, g.Nearest.Least, g.Apart.Mean, g.Apart.Least)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// GrownImagesJSON writes it as JSON.
func GrownImagesJSON(w io.Writer, all []GrownImages) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(all)
}
