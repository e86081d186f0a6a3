// Package timeline is what all rooms of the page have in common: the steps of a
// flow, decoded, the playhead on them, and the strip of film below. It knows no
// room and draws nothing.
package timeline

import (
	"math"
	"time"
)

// Timing of the timeline.
const (
	// Ease is how long the picture takes from one step to the next.
	Ease = 120 * time.Millisecond
	// Beat is the time from step to step while playing: ease, then a short rest.
	Beat = 190 * time.Millisecond
	// Hold is how long a restart rests on the start, so that one sees it.
	Hold = 450 * time.Millisecond
)

// Playhead is a place on a timeline of steps 0 … End. It goes to whole steps,
// and eases between them.
type Playhead struct {
	step, end int
	from      float64 // where the easing began
	since     time.Duration
	wait      time.Duration // until the next step, while playing
	playing   bool
}

// Step returns the step the playhead is at, or easing to.
func (p *Playhead) Step() int { return p.step }

// End returns the last step.
func (p *Playhead) End() int { return p.end }

// Playing reports whether the playhead moves on by itself.
func (p *Playhead) Playing() bool { return p.playing }

// Moving reports whether time changes what is shown.
func (p *Playhead) Moving() bool { return p.playing || p.Pos() != float64(p.step) }

// Pos returns the place shown, between steps while easing.
func (p *Playhead) Pos() float64 {
	t := min(float64(p.since)/float64(Ease), 1)
	t = 1 - (1-t)*(1-t)*(1-t) // fast, then settling
	return p.from + (float64(p.step)-p.from)*t
}

// SetEnd changes the number of steps; beyond them the playhead falls back.
func (p *Playhead) SetEnd(end int) {
	p.end = max(end, 0)
	if p.step > p.end {
		p.Jump(p.end)
	}
}

// Follow is SetEnd, but where the playhead rests at the end, it stays there.
func (p *Playhead) Follow(end int) {
	rests := p.step == p.end && p.end > 0 && !p.playing
	p.SetEnd(end)
	if rests {
		p.Jump(p.end)
	}
}

// Restart goes to the start and plays.
func (p *Playhead) Restart() {
	p.Jump(0)
	p.playing, p.wait = p.end > 0, Hold
}

// Begin is Restart, or, for who wants nothing to move, at the end at once.
func (p *Playhead) Begin(still bool) {
	if p.Restart(); still {
		p.playing = false
		p.Jump(p.end)
	}
}

// Skip has so much time pass at once.
func (p *Playhead) Skip(d time.Duration) {
	for ; d > 0 && p.Moving(); d -= Beat / 4 {
		p.Advance(min(d, Beat/4), false) // which goes a step on at most
	}
}

// Play plays on, from the start if at the end.
func (p *Playhead) Play() {
	if p.step >= p.end {
		p.Restart()
		return
	}
	p.playing, p.wait = true, 0
}

// Pause stops at the step the playhead is at.
func (p *Playhead) Pause() { p.playing = false }

// Seek pauses and eases to a step.
func (p *Playhead) Seek(step int) {
	p.playing = false
	p.goTo(step)
}

// Jump is at a step at once.
func (p *Playhead) Jump(step int) {
	p.step = min(max(step, 0), p.end)
	p.from, p.since = float64(p.step), Ease
}

func (p *Playhead) goTo(step int) {
	p.from = p.Pos()
	p.step, p.since = min(max(step, 0), p.end), 0
}

// Advance lets dt pass and reports whether what is shown changed. jump leaves
// out the easing.
func (p *Playhead) Advance(dt time.Duration, jump bool) bool {
	pos, playing := p.Pos(), p.playing
	p.since = min(p.since+dt, time.Hour)
	if p.playing {
		// A slow frame moves one step, not several: nothing is left out.
		if p.wait -= dt; p.wait <= 0 {
			p.goTo(p.step + 1)
			p.wait = max(p.wait+Beat, Beat/2)
			p.playing = p.step < p.end
		}
	}
	if jump && !math.IsNaN(p.from) {
		p.Jump(p.step)
	}
	return p.Pos() != pos || p.playing != playing
}
