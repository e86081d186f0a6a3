package optim

import (
	"context"
	"fmt"

	"mppm/trainer/internal/progress"
)

// Loop is what every training run does with its steps: Adam with the cosine
// schedule, progress, epochs, checkpoints, and a stop that loses nothing.
type Loop struct {
	Params   []*Parameter
	Rate     float64 // Adam's learning rate at the start
	Batch    int     // things in a step, for the progress bar
	First    int     // step that the loop begins with: a run may have several loops, one after another
	PerEpoch int     // steps of an epoch
	Epochs   int
	Every    int // epochs between checkpoints
	Bar      *progress.Bar

	// Machine trains Params. Without one, the CPU does, with the gradients that Do
	// leaves in Params.
	Machine Machine
	// Do takes the batch of the next step.
	Do func() error
	// EndEpoch puts what the epoch's loss was on record, and on the bar.
	EndEpoch func()
	// Save writes a checkpoint, and Draw what there is to look at beside it.
	Save, Draw func() error
}

// Run goes on from step, the number of steps of the run done, to the end of the
// loop, and keeps step up to date for Save. It saves every so many epochs, at the
// end, when there is no next batch, and when ctx ends, and then returns
// ErrInterrupted.
func (l *Loop) Run(ctx context.Context, step *int) error {
	total, begun := l.PerEpoch*l.Epochs, *step
	for *step-l.First < total {
		if ctx.Err() != nil {
			if err := l.sync(); err != nil {
				return err
			}
			if err := l.Save(); err != nil {
				return err
			}
			return ErrInterrupted
		}
		if err := l.Do(); err != nil {
			return l.keep(err, *step > begun)
		}
		done := *step - l.First + 1
		if err := l.adam(done, Cosine(l.Rate, done-1, total)); err != nil {
			return err
		}
		*step++
		l.Bar.Add(l.Batch)
		if done%l.PerEpoch != 0 {
			continue
		}
		if err := l.sync(); err != nil {
			return err
		}
		l.EndEpoch()
		if done/l.PerEpoch%l.Every != 0 && done < total {
			continue
		}
		// The picture first: a run that is killed between the two draws it again.
		drawn := l.Draw()
		if err := l.Save(); err != nil {
			return err
		}
		if drawn != nil {
			return drawn
		}
	}
	return nil
}

// keep saves what was trained, if anything is new, before a batch could not be had
// because of err.
func (l *Loop) keep(err error, anew bool) error {
	if !anew {
		return err
	}
	failed := l.sync()
	if failed == nil {
		failed = l.Save()
	}
	if failed != nil {
		return fmt.Errorf("%w; and what was trained is not saved: %w", err, failed)
	}
	return fmt.Errorf("%w; what was trained until then is saved, and --resume goes on once this is mended", err)
}

func (l *Loop) adam(step int, rate float64) error {
	if l.Machine != nil {
		return l.Machine.Step(step, rate)
	}
	Adam(l.Params, step, rate)
	return nil
}

func (l *Loop) sync() error {
	if l.Machine != nil {
		return l.Machine.Sync()
	}
	return nil
}
