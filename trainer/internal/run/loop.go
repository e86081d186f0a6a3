package run

import (
	"context"
	"fmt"

	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/progress"
)

// loop is one part of a run under way.
type loop struct {
	*Run
	Part
	Options
	bar   *progress.Bar
	first int // step that the part begins with
	s     *Step
}

// batch is what a step is given.
type batch struct {
	inputs [][]float32
	err    error
}

func (l *loop) run(ctx context.Context) error {
	var err error
	if l.s, err = l.Build(l.plan.Batch); err != nil {
		return err
	}
	defer l.close()
	for _, g := range l.s.Graphs {
		if err := l.start(g); err != nil {
			return err
		}
	}
	fill, err := l.Begin(ctx, l.s)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		if err := l.Save(); err != nil {
			return err
		}
		return ErrInterrupted
	default:
		return err
	}
	load := l.loader(fill)
	defer load.Stop()
	total, begun := l.Epochs*l.perEpoch(), *l.step
	for *l.step-l.first < total {
		if ctx.Err() != nil {
			if err := l.keep(); err != nil {
				return err
			}
			return ErrInterrupted
		}
		if err := l.prepare(load); err != nil {
			return l.without(err, *l.step > begun)
		}
		done := *l.step - l.first + 1
		for _, g := range l.s.Graphs {
			if err := g.step(done, optim.Cosine(l.plan.Rate, done-1, total)); err != nil {
				return err
			}
		}
		*l.step++
		l.bar.Add(l.counts())
		if done%l.perEpoch() == 0 {
			if err := l.endEpoch(done == total); err != nil {
				return err
			}
		}
		if l.After != nil {
			l.After()
		}
	}
	return nil
}

// start makes the machine that trains a graph. A part begins without the moments of
// another loss.
func (l *loop) start(g *Graph) error {
	if g.idle() {
		return nil
	}
	if *l.step == l.first {
		for _, p := range g.Params {
			clear(p.M)
			clear(p.V)
		}
	}
	running, err := g.b.Follow(l.buffers())
	if err != nil {
		return err
	}
	m, on, err := l.Device.Start(g.Expr(), g.Params, func(step int) error {
		running.Step()
		return g.Seen(l.first + step)
	})
	if err != nil {
		return err
	}
	g.machine = m
	if l.Device != "" {
		l.bar.Note("training on %s", on)
	}
	return nil
}

// close gives back the machines.
func (l *loop) close() {
	for _, g := range l.s.Graphs {
		if g.machine != nil {
			_ = g.machine.Close() // what is trained lies in the parameters
		}
	}
	if l.s.Close != nil {
		l.s.Close()
	}
}

// loader makes the batches of the coming steps.
func (l *loop) loader(fill Fill) *optim.Loader[*batch] {
	var order []int
	return optim.NewLoader(*l.step,
		func() *batch {
			b := new(batch)
			for _, in := range l.s.Inputs {
				b.inputs = append(b.inputs, make([]float32, len(in)))
			}
			return b
		},
		func(b *batch, step int) {
			b.err = fill(b.inputs, l.order(l.Part, l.first, step, &order), step)
		})
}

// prepare lays out the batch of the next step.
func (l *loop) prepare(load *optim.Loader[*batch]) error {
	if l.s.Prepare != nil {
		if err := l.s.Prepare(*l.step); err != nil {
			return err
		}
	}
	b := load.Next()
	defer load.Recycle(b)
	for i, in := range b.inputs {
		copy(l.s.Inputs[i], in)
	}
	for _, g := range l.s.Graphs {
		g.b.Step[0] = float32(*l.step)
	}
	return b.err
}

// step trains the graph's parameters on the batch that lies there; it counts from 1, in
// the part.
func (g *Graph) step(step int, rate float64) error {
	if g.idle() {
		// Their momentum runs out, as it did when all methods had one optimizer: a
		// checkpoint has the same bits.
		for _, p := range g.Params {
			clear(p.Grad)
			p.Decay = 0
		}
		optim.Adam(g.Params, step, rate)
		return nil
	}
	return g.machine.Step(step, rate)
}

func (g *Graph) idle() bool { return g.Idle != nil && g.Idle() }

// sync waits until all steps lie in the parameters.
func (l *loop) sync() error {
	for _, g := range l.s.Graphs {
		if g.idle() {
			continue
		}
		if err := g.machine.Sync(); err != nil {
			return err
		}
	}
	return nil
}

// keep saves what is trained by now.
func (l *loop) keep() error {
	if err := l.sync(); err != nil {
		return err
	}
	return l.Save()
}

// without is keep, if anything is new, before a batch could not be had because of err.
func (l *loop) without(err error, anew bool) error {
	if !anew {
		return err
	}
	if failed := l.keep(); failed != nil {
		return fmt.Errorf("%w; and what was trained is not saved: %w", err, failed)
	}
	return fmt.Errorf("%w; what was trained until then is saved, and --resume goes on once this is mended", err)
}

// endEpoch puts an epoch on record, and saves what is to be saved then.
func (l *loop) endEpoch(last bool) error {
	if err := l.sync(); err != nil {
		return err
	}
	note, err := l.task.EndEpoch()
	if err != nil {
		return err
	}
	if note != "" {
		l.bar.Note("%s", note)
	}
	if (*l.step-l.first)/l.perEpoch()%l.Every != 0 && !last {
		return nil
	}
	// The picture first: a run that is killed between the two draws it again.
	drawn := l.draw()
	if err := l.Save(); err != nil {
		return err
	}
	return drawn
}
