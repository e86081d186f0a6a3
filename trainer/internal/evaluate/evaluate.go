// Package evaluate scores methods of restoration on damaged test images, digits and
// pictures: the whole of Tables 1 and 2, by what is written out and read back as bytes.
package evaluate

import (
	"context"
	"fmt"
	"math"

	"mppm/shared/classifier"
	"mppm/shared/degrade"
	"mppm/shared/nn"
	"mppm/trainer/internal/frechet"
	"mppm/trainer/internal/infer"
	task "mppm/trainer/internal/task/classifier"
)

// Method is one row of the table.
type Method struct {
	Name string
	// Restore damages images (bytes) and restores them,
	// as infer.Restore does.
	Restore func(ctx context.Context, d degrade.Degradation, images []byte) (*infer.Restored, error)
}

// Columns are the damages of Table 6 for MNIST of some kinds, the mild one before
// the severe.
func Columns(kinds []degrade.Info) []degrade.Degradation {
	var c []degrade.Degradation
	for _, k := range kinds {
		c = append(c, degrade.Degradation{Kind: k.Kind, Severity: k.Mild}, degrade.Degradation{Kind: k.Kind, Severity: k.Severe})
	}
	return c
}

// Interval is a mean and the half width of its 95 % confidence interval.
type Interval struct {
	Mean float64 `json:"mean"`
	Half float64 `json:"half"`
}

// Cell is how one method does on one damage.
type Cell struct {
	SSIM     Interval `json:"ssim"`
	PSNR     float64  `json:"psnr"`     // dB, the mean
	Distance float64  `json:"fd"`       // to the training digits, over all embeddings
	Classes  float64  `json:"fd_class"` // the mean of the ten distances of the digits predicted to be of a class
	Accuracy Interval `json:"accuracy"` // share that the classifier reads as what it was
}

// Row is a method's cells, one for each column.
type Row[C any] struct {
	Method string `json:"method"`
	Cells  []C    `json:"cells"`
}

// Table is the whole evaluation.
type Table struct {
	Images  int      `json:"images"`
	Seed    uint64   `json:"seed"`
	Columns []string `json:"columns"` // as degrade.Degradation.String
	// Floor is the distance of the real test digits to the training digits.
	Floor Cell        `json:"floor"`
	Rows  []Row[Cell] `json:"rows"`
}

// Judge reads digits and embeds them.
type Judge struct {
	classifier *classifier.Classifier
	reference  *frechet.Reference
}

// NewJudge returns the judge that measures distances from the real images
// (bytes).
func NewJudge(ctx context.Context, c *classifier.Classifier, real []byte) (*Judge, error) {
	j := &Judge{classifier: c}
	e, read, err := j.embed(ctx, real)
	if err != nil {
		return nil, err
	}
	j.reference, err = j.fit(e, read)
	return j, err
}

// Classes returns how many classes the judge tells apart.
func (j *Judge) Classes() int { return j.classifier.Classes() }

func (j *Judge) fit(e []float32, read []uint8) (*frechet.Reference, error) {
	return frechet.NewReference(e, read, j.classifier.Classes(), j.classifier.Width())
}

// embed returns the embeddings of images (bytes), and what each is read as.
func (j *Judge) embed(ctx context.Context, images []byte) (e []float32, read []uint8, err error) {
	r, err := task.Read(ctx, j.classifier, infer.Floats(images))
	if err != nil {
		return nil, nil, err
	}
	return r.Embeddings, r.Classes(), nil
}

// See returns the distance of images (bytes) from the training digits, over all
// embeddings, and what each is read as: Score where no more is asked.
func (j *Judge) See(ctx context.Context, images []byte) (distance float64, read []uint8, err error) {
	e, read, err := j.embed(ctx, images)
	if err != nil {
		return 0, nil, err
	}
	set, err := frechet.Fit(e, j.classifier.Width())
	if err != nil {
		return 0, nil, err
	}
	distance, err = frechet.Distance(set, j.reference.All)
	return distance, read, err
}

// Score judges images that were made of digits with the given labels. scores are
// those against the clean images, or nil.
func (j *Judge) Score(ctx context.Context, images []byte, labels []uint8, scores []infer.Score) (Cell, error) {
	e, read, err := j.embed(ctx, images)
	if err != nil {
		return Cell{}, err
	}
	set, err := j.fit(e, read)
	if err != nil {
		return Cell{}, err
	}
	d, err := frechet.Between(set, j.reference)
	if err != nil {
		return Cell{}, err
	}
	c := Cell{Distance: d.Overall, Classes: d.ClassMean}
	right := make([]float64, len(read))
	for i, r := range read {
		if labels != nil && r == labels[i] {
			right[i] = 1
		}
	}
	c.Accuracy = interval(right)
	if scores != nil {
		ssim := make([]float64, len(scores))
		for i, s := range scores {
			ssim[i] = s.SSIM
		}
		c.SSIM = interval(ssim)
		c.PSNR = infer.Mean(scores).PSNR
	}
	return c, nil
}

// interval is the mean of x and 1.96 standard errors.
func interval(x []float64) Interval {
	var mean float64
	for _, v := range x {
		mean += v
	}
	mean /= float64(len(x))
	var square float64
	for _, v := range x {
		square += (v - mean) * (v - mean)
	}
	n := float64(len(x))
	if n < 2 {
		return Interval{Mean: mean}
	}
	return Interval{mean, 1.96 * math.Sqrt(square/(n-1)/n)}
}

// Run fills the table: every method on every column of images, whose labels are
// given. done is told of each cell.
func Run(ctx context.Context, j *Judge, methods []Method, columns []degrade.Degradation, images []byte, labels []uint8, seed uint64, done func(method, column string)) (*Table, error) {
	t := &Table{Images: len(images) / j.classifier.Image().Size(), Seed: seed}
	var err error
	if t.Floor, err = j.Score(ctx, images, labels, nil); err != nil {
		return nil, err
	}
	for _, c := range columns {
		t.Columns = append(t.Columns, c.String())
	}
	t.Rows, err = fill(ctx, methods, columns, j.classifier.Image(), images, seed, func(_, _ int, pixels []byte, scores []infer.Score) (Cell, error) {
		return j.Score(ctx, pixels, labels, scores)
	}, done)
	return t, err
}

// fill has every method restore the images of that shape on every column, and returns a
// row for each of them, after one of the damaged images themselves, cut off at black and
// white. score is given the row and the column, what is in the cell, and its scores against
// the clean images. done is told of each cell of a method.
func fill[C any](ctx context.Context, methods []Method, columns []degrade.Degradation, image nn.Shape, images []byte, seed uint64,
	score func(row, column int, pixels []byte, scores []infer.Score) (C, error), done func(method, column string)) ([]Row[C], error) {
	rows := []Row[C]{{Method: untouched, Cells: make([]C, len(columns))}}
	for m, method := range methods {
		row := Row[C]{Method: method.Name}
		for i, d := range columns {
			r, err := method.Restore(ctx, d, images)
			if err != nil {
				return nil, fmt.Errorf("%s on %s: %w", method.Name, d, err)
			}
			if m == 0 {
				pixels, err := infer.Damage(ctx, d, image, images, infer.Options{Seed: seed})
				if err == nil {
					rows[0].Cells[i], err = score(0, i, pixels, r.Degraded)
				}
				if err != nil {
					return nil, fmt.Errorf("%s on %s: %w", untouched, d, err)
				}
			}
			cell, err := score(m+1, i, r.Pixels, r.Output)
			if err != nil {
				return nil, fmt.Errorf("%s on %s: %w", method.Name, d, err)
			}
			row.Cells = append(row.Cells, cell)
			done(method.Name, d.String())
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// untouched is the row of the images as they were damaged.
const untouched = "degraded input"
