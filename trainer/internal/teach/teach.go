// Package teach trains what a page asks for, and tells it how that goes: a lesson.Task
// with the run of package ambient, one method after the other, MPPM first. What comes of
// it is, byte for byte, what the command line makes of the same points.
package teach

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"mppm/shared/lesson"
	"mppm/trainer/internal/pointcloud"
	"mppm/trainer/internal/run"
	"mppm/trainer/internal/task/ambient"
)

// Reports come no more often than this, and weights in them.
const (
	tellEvery = 100 * time.Millisecond
	showEvery = 250 * time.Millisecond
)

// Class is who is taught: what the program around a task provides.
type Class struct {
	Tell func(*lesson.Report) // is given reports
	// Rest is called after each step, and told the time; it returns what that is
	// afterwards. It may take long: a task that is paused waits there.
	Rest func(now time.Time) time.Time
	Now  func() time.Time // the clock
}

// Stopped is the cause of a context that ends a task with what there is. One that ends
// for another cause drops it.
var Stopped = errors.New("stopped")

// Teach trains a task to its end, and tells it in reports, of which the last is of a state
// that is over, unless the task is dropped.
func (c Class) Teach(ctx context.Context, t *lesson.Task) {
	l := &course{Class: c, task: t, last: lesson.Report{ID: t.ID, Left: -1}}
	err := l.run(ctx)
	if err != nil && ctx.Err() != nil && !errors.Is(context.Cause(ctx), Stopped) {
		return
	}
	if err != nil {
		l.last.State, l.last.Err, l.last.Weights = lesson.Failed, err.Error(), nil
		c.Tell(&l.last)
	}
}

// course is a task that is taught.
type course struct {
	Class
	task  *lesson.Task
	whole *ambient.Task // has what all methods have learnt
	last  lesson.Report

	steps, before int       // of all methods at most, and of those that are done with
	left          float64   // shares of the work of the methods to come, that of MPPM being 1
	begun         time.Time // the method, later by the time of all rests
	told, shown   time.Time
	marked        int  // records that are told of
	news          bool // there are weights to show
}

// work is about how long a step of a method takes, beside one of MPPM, on one core with
// the nets of ambient.Default.
var work = [lesson.Methods]float64{lesson.MPPM: 1, lesson.DAE: 0.4, lesson.DDPM: 0.35}

// Config returns the configuration of a task's run, as the command line has it, and what
// it begins with, or nil.
func Config(t *lesson.Task) (ambient.Config, *ambient.Start, error) {
	c := ambient.Default()
	var start *ambient.Start
	if len(t.From) > 0 {
		var err error
		if start, err = ambient.ReadStart(t.From); err != nil {
			return c, nil, fmt.Errorf("the weights to go on from: %w", err)
		}
		start.Shape(&c)
	}
	set(&c.Epochs, t.Epochs)
	set(&c.Patience, t.Patience)
	set(&c.Batch, t.Batch)
	set(&c.Rate, t.Rate)
	set(&c.Noise, t.Noise)
	set(&c.Latent, t.Latent)
	for to, widths := range map[*[]int][]int{&c.Hidden: t.Hidden, &c.Distance: t.Distance, &c.Denoiser: t.Denoiser} {
		if len(widths) > 0 {
			*to = slices.Clone(widths)
		}
	}
	c.Seed = t.Seed
	return c, start, c.Validate()
}

// set sets what is given.
func set[N int | float64](to *N, v N) {
	if v != 0 {
		*to = v
	}
}

func (l *course) run(ctx context.Context) error {
	if err := l.task.Check(); err != nil {
		return err
	}
	config, start, err := Config(l.task)
	if err != nil {
		return err
	}
	cloud := &pointcloud.Cloud{Name: l.task.Name, Dim: l.task.Dim, Points: l.task.Points}
	if n := ambient.Trained(cloud.Len()); config.Batch > n {
		l.last.Note = fmt.Sprintf("With so few points to train on, a step takes %d of them, not %d.", n, config.Batch)
	}
	fresh := func() (*ambient.Task, *run.Run, error) {
		t := ambient.New(config, cloud)
		if start != nil {
			t.From(start)
		}
		r, err := run.New(t, "")
		return t, r, err
	}
	var r *run.Run
	if l.whole, r, err = fresh(); err != nil {
		return err
	}
	_, each := r.Steps()
	for m := range lesson.Methods {
		if l.task.Trains(m) {
			l.steps += each
			l.left += work[m]
		}
	}
	for m := range lesson.Methods {
		if !l.task.Trains(m) {
			continue
		}
		t, r, err := fresh()
		if err != nil {
			return err
		}
		if err := l.method(ctx, m, t, r); err != nil {
			if errors.Is(err, run.ErrInterrupted) && errors.Is(context.Cause(ctx), Stopped) {
				return l.end(lesson.Stopped)
			}
			return err
		}
	}
	return l.end(lesson.Done)
}

// method has a method learn until its patience or its epochs are at an end, or ctx is.
func (l *course) method(ctx context.Context, m lesson.Method, t *ambient.Task, r *run.Run) error {
	t.Only(m)
	_, each := r.Steps()
	l.left -= work[m]
	l.last.Method, l.last.Epochs, l.last.Epoch = m, t.Config.Epochs, 0
	l.begun, l.marked = l.Now(), 0
	enough, stop := context.WithCancel(ctx)
	defer stop()
	after := func() {
		l.after(m, t, r)
		if t.Best[m].Stopped {
			stop()
		}
	}
	err := r.Train(enough, run.Options{After: after})
	l.whole.Adopt(t, m)
	if done, _ := r.Steps(); ctx.Err() == nil && t.Best[m].Stopped {
		err = nil
		l.steps -= each - done
		l.before += done
	} else {
		l.before += done
	}
	return err
}

// after is what there is to do after a step.
func (l *course) after(m lesson.Method, t *ambient.Task, r *run.Run) {
	now := l.Now()
	done, all := r.Steps()
	if n := len(t.History); n > l.marked && now.Sub(l.shown) >= showEvery {
		l.news = true
	}
	if l.news || now.Sub(l.told) >= tellEvery {
		active := now.Sub(l.begun).Seconds()
		per := active / float64(done)
		l.last.Left = per * (float64(all-done) + float64(all)*l.left/work[m])
		l.last.Step, l.last.Steps = l.before+done, l.steps
		l.last.Epoch = done * t.Config.Epochs / all
		for _, rec := range t.History[l.marked:] {
			mark := lesson.Mark{Method: m, Epoch: rec.Epoch, Held: rec.Held[m]}
			if m == lesson.MPPM {
				for i, name := range ambient.TermNames() {
					mark.Terms = append(mark.Terms, lesson.Loss{Name: name, Value: rec.Terms[i]})
				}
			}
			l.last.Marks = append(l.last.Marks, mark)
		}
		l.marked = len(t.History)
		if l.news {
			l.whole.Adopt(t, m)
			if f, err := l.whole.Weights(false); err == nil {
				l.last.Weights, _ = f.Encode() // what cannot be written, the end says
			}
			l.news, l.shown = false, now
		}
		l.tell(now)
	}
	l.begun = l.begun.Add(l.Rest(now).Sub(now))
}

// tell sends the report.
func (l *course) tell(now time.Time) {
	l.Tell(&l.last)
	l.told = now
	l.last.Marks, l.last.Weights, l.last.Note = nil, nil, ""
}

// end tells what has been learnt.
func (l *course) end(s lesson.State) error {
	f, _, _, err := l.whole.Finish(false)
	if err != nil {
		return err
	}
	if l.last.Weights, err = f.Encode(); err != nil {
		return err
	}
	l.last.State, l.last.Left = s, 0
	l.last.Step, l.last.Steps = l.before, l.before
	l.tell(l.Now())
	return nil
}
