package restore

import (
	"fmt"
	"iter"
	"math"
	"time"

	"mppm/shared/ddpm"
	"mppm/shared/degrade"
	"mppm/shared/ldm"
	"mppm/shared/link"
	"mppm/shared/rng"
	"mppm/wasm/app/model"
	"mppm/wasm/app/timeline"
)

// Baselines is what the room needs of the models that it compares with: a
// denoising autoencoder, and diffusion between its two halves; *ldm.Runner is
// one.
type Baselines interface {
	// Encode and Decode are those of the autoencoder.
	Encode(z, x []float32)
	Decode(x, z []float32)
	// Start returns from how many steps restoration of such a damage starts.
	Start(d degrade.Degradation) (int, error)
	// Restore takes codes into the diffusion and back, and yields every step.
	Restore(z []float32, steps int, sources []*rng.Source) (iter.Seq[ddpm.Step], error)
	// Codes makes codes of points with so many steps left.
	Codes(z, x []float32, left int)
}

// compareDelay is how long the damage must stay as it is before diffusion
// starts: its many steps are lost with every move of a slider.
const compareDelay = 200 * time.Millisecond

// compareSlice is how much of a frame diffusion may take.
const compareSlice = 5 * time.Millisecond

// diffusionStream is the stream of a seed that diffusion draws from; the damage
// draws from stream 0.
const diffusionStream = 1

// comparison is what the baselines make of the damaged image.
type comparison struct {
	baselines   Baselines
	autoencoded timeline.Trajectory // one step
	daeScore    Score
	daeReads    model.Reading
	diffused    timeline.Trajectory // as many steps as the flow has, spread over the diffusion's
	ldmScores   []Score
	ldmReads    []model.Reading
	wait        time.Duration // until diffusion starts
	total, done int           // its steps
	nextStep    func() (ddpm.Step, bool)
	stopSteps   func()
}

// Attempt is what a baseline makes of the damaged image.
type Attempt struct {
	Score
	Reads model.Reading `json:"reads"`
	Done  int           `json:"done"`  // steps of diffusion taken
	Total int           `json:"total"` // of so many; 0 where there are none
}

// SetBaselines brings the models to compare with, once they are there.
func (r *Room) SetBaselines(b Baselines) {
	r.baselines = b
	if r.path.Steps() > 0 {
		r.s.Fail(r.compareNow())
	}
	r.s.Touch()
}

// dropComparison forgets what the baselines made of another image.
func (r *Room) dropComparison() {
	if r.stopSteps != nil {
		r.stopSteps()
	}
	r.comparison = comparison{baselines: r.baselines}
}

// compareNow has the autoencoder restore the damaged image, and diffusion do so
// soon.
func (r *Room) compareNow() error {
	if r.baselines == nil {
		return nil
	}
	r.dropComparison()
	z, x := make([]float32, r.s.Engine.Latent()), make([]float32, r.s.Pixels())
	r.baselines.Encode(z, r.degraded)
	r.baselines.Decode(x, z)
	var err error
	if r.daeScore, err = r.score(x); err != nil {
		return err
	}
	r.autoencoded = timeline.Trajectory{N: 1}
	r.autoencoded.Add(x, z, []float32{0})
	r.daeReads = r.s.Read(x)[0]
	// Diffusion is told the damage. Where there is none, what is restored may be
	// damaged all the same, and nobody says how.
	d := degrade.Degradation{Kind: r.s.Kind, Severity: r.s.Severity}
	if r.s.Kind == link.None {
		d = ldm.Blind
	}
	if r.total, err = r.baselines.Start(d); err != nil {
		return err
	}
	seq, err := r.baselines.Restore(z, r.total, []*rng.Source{rng.New(r.s.Seed, diffusionStream)})
	if err != nil {
		return err
	}
	r.diffused = timeline.Trajectory{N: 1}
	r.nextStep, r.stopSteps = iter.Pull(seq)
	r.wait = compareDelay
	return nil
}

// Working reports whether diffusion is under way, or about to be.
func (r *Room) Working() bool { return r.nextStep != nil && !r.pad.Drawing() }

// Work takes diffusion on, for a part of a frame.
func (r *Room) Work(dt time.Duration) {
	if !r.Working() {
		return
	}
	if r.wait -= dt; r.wait > 0 {
		return
	}
	for start := time.Now(); r.nextStep != nil && time.Since(start) < compareSlice; {
		r.diffuse()
	}
	r.s.Touch()
}

// diffuse takes one step, and keeps it if it is one of those that are shown.
func (r *Room) diffuse() {
	s, ok := r.nextStep()
	if !ok || s.Left == 0 {
		r.stopSteps()
		r.nextStep, r.stopSteps = nil, nil
	}
	if !ok {
		return
	}
	r.done = s.Index
	last := r.path.Steps() - 1
	for r.diffused.Steps() <= last && s.Index >= shownAt(r.diffused.Steps(), last, r.total) {
		z, x := make([]float32, r.s.Engine.Latent()), make([]float32, r.s.Pixels())
		r.baselines.Codes(z, s.X, s.Left)
		r.baselines.Decode(x, z)
		r.diffused.Add(x, z, []float32{0})
		score, err := r.score(x)
		if err != nil {
			r.s.Fail(fmt.Errorf("comparing: %w", err))
			return
		}
		r.ldmScores = append(r.ldmScores, score)
		r.ldmReads = append(r.ldmReads, r.s.Read(x)[0])
	}
}

// shownAt returns after which of total steps of diffusion its picture at a step
// of the timeline 0 … last is taken.
func shownAt(step, last, total int) int {
	if last < 1 {
		return total
	}
	return int(math.Round(float64(step) / float64(last) * float64(total)))
}

// Autoencoded returns what the denoising autoencoder makes of the damaged image,
// a path of one step; of none before there is one.
func (r *Room) Autoencoded() *timeline.Trajectory { return &r.autoencoded }

// Diffused returns how diffusion goes about it, on the timeline of Path.
func (r *Room) Diffused() *timeline.Trajectory { return &r.diffused }

// attempts returns what the baselines made of the image at a step, nil where they
// are not there yet.
func (r *Room) attempts(step int) (dae, diffusion *Attempt) {
	if r.baselines == nil || r.autoencoded.Steps() == 0 || r.PadEmpty() {
		return nil, nil
	}
	dae = &Attempt{Score: r.daeScore, Reads: r.daeReads}
	if n := len(r.ldmScores); n > 0 {
		k := min(step, n-1)
		diffusion = &Attempt{Score: r.ldmScores[k], Reads: r.ldmReads[k], Done: r.done, Total: r.total}
	}
	return dae, diffusion
}
