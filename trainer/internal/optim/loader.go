package optim

// Loader makes the batches of a run's coming steps while others are trained on.
type Loader[B any] struct {
	ready, free chan B
	quit        chan struct{}
}

// ahead is how many batches a Loader makes before they are asked for.
const ahead = 3

// NewLoader makes batches from step number first on: create allocates one, and
// fill makes it that of a step. fill is called in the order of the steps, from
// one goroutine.
func NewLoader[B any](first int, create func() B, fill func(b B, step int)) *Loader[B] {
	l := &Loader[B]{make(chan B, ahead), make(chan B, ahead), make(chan struct{})}
	for range ahead {
		l.free <- create()
	}
	go func() {
		for step := first; ; step++ {
			var b B
			select {
			case <-l.quit:
				return
			case b = <-l.free:
			}
			fill(b, step)
			l.ready <- b
		}
	}()
	return l
}

// Next returns the batch of the next step.
func (l *Loader[B]) Next() B { return <-l.ready }

// Recycle gives back a batch that is no longer read.
func (l *Loader[B]) Recycle(b B) { l.free <- b }

// Stop ends the work.
func (l *Loader[B]) Stop() { close(l.quit) }
