// Package app is the page's state and what it does, as plain Go: what the user
// chose, what the model made of it, and where on the timeline one looks. It
// draws nothing, knows no browser, and is tested natively.
//
// Everything here runs on one goroutine: the page's callbacks queue their calls
// and the frame loop makes them.
package app

import (
	"errors"
	"fmt"
	"time"

	"mppm/shared/classifier"
	"mppm/shared/latent"
	"mppm/shared/link"
	"mppm/wasm/app/timeline"
)

// Reader is what the app needs of a classifier; *classifier.Runner is one.
type Reader interface {
	// Classify writes the probability of each class (n × classifier.Classes) of
	// images x (n × classifier.Pixels) to probs; embeddings may be nil.
	Classify(probs, embeddings, x []float32)
}

// Reading is what the classifier takes an image for.
type Reading struct {
	Digit      int     `json:"digit"`
	Confidence float64 `json:"confidence"` // the probability of Digit, 0 where nothing is read
}

// Percent says how sure it is.
func (r Reading) Percent() string {
	if r.Confidence >= 0.995 {
		return "> 99 %" // it is never quite sure
	}
	return fmt.Sprintf("%.0f %%", 100*r.Confidence)
}

// String says it, as in "reads as 4 (97 %)".
func (r Reading) String() string { return fmt.Sprintf("reads as %d (%s)", r.Digit, r.Percent()) }

// App is a State, what follows from it, and the playheads.
type App struct {
	State

	page          *link.Page // what its links are about
	engine        Engine
	reader        Reader
	first         State // of the first screen
	opened        int   // the step that a link asked for, -1 once it is shown
	defaults      map[Mode]latent.Preset
	heads         map[Subject]*timeline.Playhead
	silenced      map[switched]float64 // what forces were before they were switched off
	reducedMotion bool
	err           error
	revision      uint64

	restoring
	growing
	walking
	mapping
	comparing
	figuring
}

// New returns the app at its first screen: a test digit under severe noise,
// about to be restored.
func New(e Engine, r Reader, restore, generate latent.Preset, d *Digits) (*App, error) {
	if err := restore.Validate(); err != nil {
		return nil, fmt.Errorf("the model's flow for restoring: %w", err)
	}
	if err := generate.Validate(); err != nil {
		return nil, fmt.Errorf("the model's flow for generating: %w", err)
	}
	if d == nil || d.Len() == 0 {
		return nil, errors.New("there are no digits to show")
	}
	page := link.New(d.Len(), restore, generate, func(class int) error {
		_, err := e.Only(class)
		return err
	})
	a := &App{
		State: page.First(), page: page,
		engine: e, reader: r, defaults: map[Mode]latent.Preset{Restore: restore, Generate: generate},
		heads: map[Subject]*timeline.Playhead{Restoration: {}, Growth: {}, Walk: {}, Spot: {}, Descent: {}},
	}
	a.restoring = restoring{
		digits:   d,
		original: make([]float32, latent.Pixels), degraded: make([]float32, latent.Pixels),
		staleFlow: true, playFlow: true,
	}
	a.staleGrid, a.staleWays, a.playWays = true, true, true
	a.first, a.opened = a.State, -1
	return a, nil
}

// Revision grows whenever something on the screen may have changed.
func (a *App) Revision() uint64 { return a.revision }

func (a *App) touch() { a.revision++ }

// Err returns what went wrong with the last computation, nil if nothing did.
func (a *App) Err() error { return a.err }

func (a *App) fail(err error) { a.err = err }

// SetMode shows a tab. Entering Generate for the first time grows its grid; a
// tab that was left while playing plays on when it is shown again.
func (a *App) SetMode(m Mode) error {
	if !m.Known() {
		return fmt.Errorf("there is no mode %q; choose one of %q", m, Modes())
	}
	if a.Mode != m {
		a.Mode = m
		a.touch()
	}
	return nil
}

// SetReducedMotion stops easing and playing by itself.
func (a *App) SetReducedMotion(on bool) { a.reducedMotion = on }

// FlowOf returns the mode whose flow the sliders set: on the map that of the path
// that is shown, and a point on it flows as in Restore.
func (a *App) FlowOf() Mode {
	if s := a.Subject(); s == Growth || s == Walk {
		return Generate
	}
	return Restore
}

// Preset returns the flow that the sliders set.
func (a *App) Preset() latent.Preset { return *a.flow(a.FlowOf()) }

// flow returns the flow of Restore or of Generate.
func (a *App) flow(m Mode) *latent.Preset {
	if m == Generate {
		return &a.GenerateFlow
	}
	return &a.RestoreFlow
}

// Head returns the playhead of what is shown.
func (a *App) Head() *timeline.Playhead { return a.heads[a.Subject()] }

// Path returns what the flow that is shown went through; nothing in Manifold,
// where no images flow.
func (a *App) Path() *timeline.Trajectory {
	switch a.Subject() {
	case Growth:
		return &a.generated
	case Walk:
		return &a.walk
	case Spot:
		return &a.spot
	case Descent:
		return &nowhere
	}
	return &a.restored
}

// nowhere is the path of what are no images.
var nowhere timeline.Trajectory

// Shown returns which image of Path the film and the curve are about.
func (a *App) Shown() int {
	if a.Subject() == Growth {
		return a.Selected
	}
	return 0
}

// TogglePlay plays or pauses; at the end it starts over.
func (a *App) TogglePlay() {
	h := a.Head()
	if h.Playing() {
		h.Pause()
	} else {
		h.Play()
	}
	a.touch()
}

// Seek pauses and goes to a step; outside the flow it goes to the nearest end.
func (a *App) Seek(step int) {
	a.Head().Seek(step)
	a.touch()
}

// StepBy pauses and goes n steps on, or back.
func (a *App) StepBy(n int) { a.Seek(a.Head().Step() + n) }

// open goes to the step that a link asked for, and reports whether one did.
func (a *App) open(h *timeline.Playhead) bool {
	if a.opened < 0 {
		return false
	}
	h.Jump(a.opened)
	a.opened = -1
	return true
}

// Update computes what is out of date, one step of the grid at most and a slice
// of what takes long, and moves the playhead on by dt.
func (a *App) Update(dt time.Duration) {
	switch a.Subject() {
	case Restoration:
		a.updateRestoration(dt)
	case Growth:
		a.updateGrowth()
	case Walk:
		a.updateGrowth()
		a.updateWalk()
	case Spot:
		a.updateSpot()
	case Descent:
		a.updateFigure()
	}
	if a.Head().Advance(dt, a.reducedMotion) {
		a.touch()
	}
	switch a.Mode {
	case Restore:
		a.updateComparison(dt)
	case Map:
		a.updateMap()
	case Manifold:
		if a.updateSlice() {
			a.touch()
		}
	}
}

// Busy reports whether what is shown is still being computed, or moves.
func (a *App) Busy() bool {
	if a.Head().Moving() {
		return true
	}
	switch a.Subject() {
	case Restoration:
		return a.staleFlow || !a.Settled() && !a.pad.Drawing()
	case Growth:
		return a.growingNow()
	case Walk:
		return a.growingNow() || a.staleWalk
	case Descent:
		return a.figuringNow()
	default:
		return a.staleSpot
	}
}

// Active reports whether the next Update has something to do: a comparison may
// go on, or the colors of the map, when all else is at rest.
func (a *App) Active() bool {
	return a.Busy() || a.Mode == Restore && a.comparingNow() || a.Mode == Map && a.mappingNow() || a.Mode == Manifold && a.slicingNow()
}

// read returns what each of the images x is taken for.
func (a *App) read(x []float32) []Reading {
	n := len(x) / latent.Pixels
	probs := make([]float32, n*classifier.Classes)
	a.reader.Classify(probs, nil, x)
	out := make([]Reading, n)
	for i := range out {
		d, p := classifier.Best(probs[i*classifier.Classes:])
		out[i] = Reading{Digit: d, Confidence: float64(p)}
	}
	return out
}
