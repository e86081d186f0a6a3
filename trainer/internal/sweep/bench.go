// Package sweep searches for the settings of the model: the parameters of its
// flows (α, β, σ_ker, τ, steps, the spread of starts), the size of the code bank,
// and the weights of the loss and the noise of training. Everything is scored on
// digits held out of the training set; the test digits are never looked at.
package sweep

import (
	"context"
	"errors"
	"fmt"

	"mppm/shared/classifier"
	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/evaluate"
	"mppm/trainer/internal/infer"
	"mppm/trainer/internal/quality"
)

// Cell is how a flow does on one damage.
type Cell struct {
	SSIM     float64 `json:"ssim"`
	Distance float64 `json:"fd"`       // Fréchet distance to the training digits that are not held out
	Accuracy float64 `json:"accuracy"` // share that the classifier reads as what it was
}

// Grown says how good and how diverse digits from noise are.
type Grown struct {
	Distance float64 `json:"fd"`
	Apart    float64 `json:"apart"` // median distance to the nearest other digit of the set, in pixels' values
	Least    float64 `json:"least"` // share of the rarest class
	Most     float64 `json:"most"`  // share of the most frequent one
	// SSIM against the digits themselves: of decoded digits alone.
	SSIM float64 `json:"decoded_ssim,omitempty"`
}

// Bench is what settings are scored on.
type Bench struct {
	Columns []degrade.Degradation
	N       int // held-out digits at hand

	data  *dataset.Set // Test are the held-out digits
	judge *evaluate.Judge
	seed  uint64
}

// NewBench holds out so many training digits of set, and scores on them with the
// damages columns. seed is that of damage and noise. The test digits of set are
// not read. It returns an error if the data has no labels.
func NewBench(ctx context.Context, c *classifier.Classifier, set *dataset.Set, held int, columns []degrade.Degradation, seed uint64) (*Bench, error) {
	if set.Train.Labels == nil {
		return nil, errors.New("the training digits have no labels, which the accuracy needs: put train-labels-idx1-ubyte beside the images")
	}
	data, err := set.HoldOut(held)
	if err != nil {
		return nil, err
	}
	j, err := evaluate.NewJudge(ctx, c, data.Train.Images)
	if err != nil {
		return nil, err
	}
	return &Bench{Columns: columns, N: held, data: data, judge: j, seed: seed}, nil
}

// Severe reports whether a damage is the severe one of its kind in Table 6.
func Severe(d degrade.Degradation) bool {
	k, _ := d.Kind.Info()
	return d.Severity == k.Severe
}

// Subject is a model that flows are tried with.
type Subject struct {
	Name    string                   // tells it from others in the log
	Label   string                   // names it to people; empty: there are no others
	Presets map[string]latent.Preset // flows to begin from
	// Open makes or reads the model. It is called once, and not at all where the
	// log has all that is asked for.
	Open func() (*latent.Model, error)

	opened *latent.Model
	codes  [][]float32 // of the held-out digits, by column
	clean  []float32   // and as they are
}

// Of is the subject that is a model, with the model's own presets.
func Of(m *latent.Model) *Subject {
	return &Subject{Presets: m.Presets, Open: func() (*latent.Model, error) { return m, nil }}
}

func (s *Subject) model() (*latent.Model, error) {
	if s.opened == nil {
		m, err := s.Open()
		if err != nil {
			return nil, err
		}
		s.opened = m
	}
	return s.opened, nil
}

// encoded returns the codes of n held-out digits with the damage of a column. A
// model encodes each digit once, whatever is tried with it.
func (b *Bench) encoded(ctx context.Context, s *Subject, column, n int) ([]float32, error) {
	m, err := s.model()
	if err != nil {
		return nil, err
	}
	if s.codes == nil {
		s.codes = make([][]float32, len(b.Columns))
	}
	if s.codes[column] == nil {
		z, err := infer.Codes(ctx, m, &b.Columns[column], b.data.Test.Images, infer.Options{Seed: b.seed})
		if err != nil {
			return nil, err
		}
		s.codes[column] = z
	}
	return s.codes[column][:n*m.Latent()], nil
}

// restore scores the flow p on the first n held-out digits, damaged in each way.
func (b *Bench) restore(ctx context.Context, s *Subject, p latent.Preset, n int) ([]Cell, error) {
	cells := make([]Cell, len(b.Columns))
	for i, d := range b.Columns {
		z, err := b.encoded(ctx, s, i, n)
		if err != nil {
			return nil, err
		}
		r, err := infer.RestoreCodes(ctx, s.opened, p, z, b.data.Test.Images, infer.Options{})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d, err)
		}
		c := &cells[i]
		c.SSIM = infer.Mean(r.Output).SSIM
		distance, read, err := b.judge.See(ctx, r.Pixels)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d, err)
		}
		c.Distance = distance
		right := 0
		for k, class := range read {
			if class == b.data.Test.Labels[k] {
				right++
			}
		}
		c.Accuracy = float64(right) / float64(n)
	}
	return cells, nil
}

// generate scores n digits that the flow p grows from noise.
func (b *Bench) generate(ctx context.Context, s *Subject, p latent.Preset, n int) (*Grown, error) {
	m, err := s.model()
	if err != nil {
		return nil, err
	}
	pixels, err := infer.Generate(ctx, m, p, n, infer.Options{Seed: b.seed})
	if err != nil {
		return nil, err
	}
	return b.grown(ctx, pixels)
}

// decoded scores the first n held-out digits as F and G alone return them: what
// no flow of these nets can be expected to beat.
func (b *Bench) decoded(ctx context.Context, s *Subject, n int) (*Grown, error) {
	m, err := s.model()
	if err != nil {
		return nil, err
	}
	if s.clean == nil {
		z, err := infer.Codes(ctx, m, nil, b.data.Test.Images, infer.Options{})
		if err != nil {
			return nil, err
		}
		s.clean = z
	}
	still := m.Restore
	still.Steps = 0
	r, err := infer.RestoreCodes(ctx, m, still, s.clean[:n*m.Latent()], b.data.Test.Images, infer.Options{})
	if err != nil {
		return nil, err
	}
	g, err := b.grown(ctx, r.Pixels)
	if err == nil {
		g.SSIM = infer.Mean(r.Output).SSIM
	}
	return g, err
}

// most is how many digits are compared with one another.
const most = 2000

func (b *Bench) grown(ctx context.Context, pixels []byte) (*Grown, error) {
	distance, read, err := b.judge.See(ctx, pixels)
	if err != nil {
		return nil, err
	}
	g := &Grown{Distance: distance, Least: 1}
	for _, k := range quality.Histogram(read, b.judge.Classes()) {
		share := float64(k) / float64(len(read))
		g.Least, g.Most = min(g.Least, share), max(g.Most, share)
	}
	size := len(pixels) / len(read)
	x := infer.Floats(pixels[:min(len(read), most)*size])
	apart, _, err := quality.Nearest(ctx, x, x, size, true)
	if err != nil {
		return nil, err
	}
	g.Apart = quality.Summarize(apart).Median
	return g, nil
}
