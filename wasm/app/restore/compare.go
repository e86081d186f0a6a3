package restore

import (
	"time"

	"mppm/shared/degrade"
	"mppm/shared/ldm"
	"mppm/shared/link"
	"mppm/wasm/app/compute"
	"mppm/wasm/app/model"
	"mppm/wasm/app/room"
	"mppm/wasm/app/timeline"
)

// compareDelay is how long the damage must stay as it is before diffusion
// starts: its many steps are lost with every move of a slider.
const compareDelay = 200 * time.Millisecond

// compareSlice is how much of a frame diffusion may take.
const compareSlice = 5 * time.Millisecond

// comparison is what the baselines make of the damaged image.
type comparison struct {
	there       bool                         // there are models to compare with
	once        *compute.Work[compute.Rival] // the autoencoder's
	diffusion   *compute.Work[compute.Rival]
	next        *compute.Rivals     // what diffusion is to begin with soon
	wait        time.Duration       // until it does
	autoencoded timeline.Trajectory // one step
	daeScore    Score
	daeReads    model.Reading
	diffused    timeline.Trajectory // as many steps as the flow has, spread over the diffusion's
	ldmScores   []Score
	ldmReads    []model.Reading
	total, done int // its steps
}

// Attempt is what a baseline makes of the damaged image.
type Attempt struct {
	Score
	Reads model.Reading `json:"reads"`
	Done  int           `json:"done"`  // steps of diffusion taken
	Total int           `json:"total"` // of so many; 0 where there are none
}

// Comparable says that the models to compare with are there.
func (r *Room) Comparable() {
	r.there = true
	if r.path.Steps() > 0 && r.work == nil {
		r.compare()
	}
	r.s.Touch()
}

// stopComparing ends what is under way: the damaged image is another.
func (r *Room) stopComparing() {
	r.once.Stop()
	r.diffusion.Stop()
	r.once, r.diffusion, r.next = nil, nil, nil
}

// compare has the autoencoder restore the damaged image, and diffusion do so soon. What
// they made of the last one is shown until then.
func (r *Room) compare() {
	r.stopComparing()
	if !r.there {
		return
	}
	// Diffusion is told the damage. Where there is none, what is restored may be
	// damaged all the same, and nobody says how.
	d := degrade.Degradation{Kind: r.s.Kind, Severity: r.s.Severity}
	if r.s.Kind == link.None {
		d = ldm.Blind
	}
	j := compute.Rivals{Original: r.original, Damaged: r.degraded, Damage: d, Seed: r.s.Seed, Shown: r.path.Steps() - 1}
	r.once = compute.Ask(r.s.Compute, &j)
	later := j
	later.Diffusion = true
	r.next, r.wait = &later, compareDelay
	r.takeOnce()
}

// takeOnce shows what the autoencoder made of the image, once it has.
func (r *Room) takeOnce() {
	over := r.once.All(room.Ever, func(p *compute.Rival) {
		r.autoencoded, r.diffused = timeline.Trajectory{N: 1}, timeline.Trajectory{N: 1}
		r.ldmScores, r.ldmReads, r.done = nil, nil, 0
		r.autoencoded.Add(p.Ink, p.Code, []float32{0})
		r.daeScore, r.daeReads, r.total = p.Score, p.Reads, p.Total
		r.s.Touch()
	})
	if over {
		if err := r.once.Err(); err != nil {
			r.stopComparing()
			r.s.Fail(err)
		}
		r.once = nil
	}
}

// Working reports whether a comparison is under way, or about to be.
func (r *Room) Working() bool {
	return r.once != nil || (r.next != nil || r.diffusion != nil) && !r.pad.Drawing()
}

// Work takes diffusion on, for a part of a frame.
func (r *Room) Work(dt time.Duration) {
	r.takeOnce()
	if r.once != nil || !r.Working() {
		return
	}
	if r.diffusion == nil {
		if r.wait -= dt; r.wait > 0 {
			return
		}
		r.diffusion, r.next = compute.Ask(r.s.Compute, r.next), nil
	}
	over := r.diffusion.All(room.Within(compareSlice), func(p *compute.Rival) {
		if r.done = p.Done; p.Ink != nil {
			r.diffused.Add(p.Ink, p.Code, []float32{0})
			r.ldmScores, r.ldmReads = append(r.ldmScores, p.Score), append(r.ldmReads, p.Reads)
		}
		r.s.Touch()
	})
	if over {
		if err := r.diffusion.Err(); err != nil {
			r.s.Fail(err)
		}
		r.diffusion = nil
		r.s.Touch()
	}
}

// Autoencoded returns what the denoising autoencoder makes of the damaged image,
// a path of one step; of none before there is one.
func (r *Room) Autoencoded() *timeline.Trajectory { return &r.autoencoded }

// Diffused returns how diffusion goes about it, on the timeline of Path.
func (r *Room) Diffused() *timeline.Trajectory { return &r.diffused }

// attempts returns what the baselines made of the image at a step, nil where they
// are not there yet.
func (r *Room) attempts(step int) (dae, diffusion *Attempt) {
	if !r.there || r.autoencoded.Steps() == 0 || r.PadEmpty() {
		return nil, nil
	}
	dae = &Attempt{Score: r.daeScore, Reads: r.daeReads}
	if n := len(r.ldmScores); n > 0 {
		k := min(step, n-1)
		diffusion = &Attempt{Score: r.ldmScores[k], Reads: r.ldmReads[k], Done: r.done, Total: r.total}
	}
	return dae, diffusion
}
