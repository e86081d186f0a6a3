package link

import (
	"math"

	"mppm/shared/degrade"
	"mppm/shared/rng"
)

// Likeness is how far around a digit its likes start, as a share of the spread
// of the noise that all digits grow from.
const Likeness = 0.4

// Damaged writes to dst the original, an image of w × h pixels, as the state
// damages it. It returns an error where degrade.Degradation.Apply does.
func (s *State) Damaged(dst, original []float32, w, h int) error {
	copy(dst, original)
	if s.Kind == None {
		return nil
	}
	d := degrade.Degradation{Kind: s.Kind, Severity: s.Severity}
	return d.Apply(dst, original, w, h, rng.New(s.Seed, 0))
}

// Starts writes to z the codes that the state's grid grows from: noise, or the
// code that digits shall be like with some noise, the first without. noise fills
// codes with the starts of generation. It returns an error if what is packed in
// Like is not a code of the page's model.
func (p *Page) Starts(z []float32, s *State, noise func(z []float32, src *rng.Source)) error {
	noise(z, rng.New(s.GenerateSeed, 0))
	if s.Like == "" {
		return nil
	}
	like, err := p.UnpackCode(s.Like)
	if err != nil {
		return err
	}
	// The difference of two draws has no mean, and √2 times their spread.
	other := make([]float32, len(z))
	noise(other, rng.New(s.GenerateSeed, 1))
	const share = Likeness / math.Sqrt2
	for i, v := range other {
		z[i] = like[i%len(like)] + float32((z[i]-v)*share)
	}
	copy(z, like)
	return nil
}
