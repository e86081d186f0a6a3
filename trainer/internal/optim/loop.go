package optim

import (
	"context"

	"mppm/trainer/internal/progress"
)

// Loop is what every training run does with its steps: Adam with the cosine
// schedule, progress, epochs, checkpoints, and a stop that loses nothing.
type Loop struct {
	Params   []*Parameter
	Rate     float64 // Adam's learning rate at the start
	Batch    int     // things in a step, for the progress bar
	PerEpoch int     // steps of an epoch
	Epochs   int
	Every    int // epochs between checkpoints
	Bar      *progress.Bar

	// Do takes the batch of the next step, and leaves its gradients in Params.
	Do func() error
	// EndEpoch puts what the epoch's loss was on record, and on the bar.
	EndEpoch func()
	// Save writes a checkpoint, and Draw what there is to look at beside it.
	Save, Draw func() error
}

// Run goes on from step, the number of steps done, to the end of the run, and
// keeps step up to date for Save. It saves every so many epochs, at the end, and
// when ctx ends, and then returns ErrInterrupted.
func (l *Loop) Run(ctx context.Context, step *int) error {
	total := l.PerEpoch * l.Epochs
	for *step < total {
		if ctx.Err() != nil {
			if err := l.Save(); err != nil {
				return err
			}
			return ErrInterrupted
		}
		if err := l.Do(); err != nil {
			return err
		}
		Adam(l.Params, *step+1, Cosine(l.Rate, *step, total))
		*step++
		l.Bar.Add(l.Batch)
		if *step%l.PerEpoch != 0 {
			continue
		}
		l.EndEpoch()
		if *step/l.PerEpoch%l.Every != 0 && *step < total {
			continue
		}
		if err := l.Save(); err != nil {
			return err
		}
		if err := l.Draw(); err != nil {
			return err
		}
	}
	return nil
}
