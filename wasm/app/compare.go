package app

import (
	"fmt"
	"iter"
	"math"
	"time"

	"mppm/shared/ddpm"
	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/ldm"
	"mppm/shared/rng"
	"mppm/wasm/app/timeline"
)

// Baselines is what the app needs of the models that it compares with: a
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

// comparing is what the baselines make of the damaged image.
type comparing struct {
	baselines   Baselines
	autoencoded timeline.Trajectory // one step
	daeScore    Score
	daeReads    Reading
	diffused    timeline.Trajectory // as many steps as the flow has, spread over the diffusion's
	ldmScores   []Score
	ldmReads    []Reading
	wait        time.Duration // until diffusion starts
	total, done int           // its steps
	nextStep    func() (ddpm.Step, bool)
	stopSteps   func()
}

// Rival is what a baseline makes of the damaged image.
type Rival struct {
	Score
	Reads Reading `json:"reads"`
	Done  int     `json:"done"`  // steps of diffusion taken
	Total int     `json:"total"` // of so many; 0 where there are none
}

// SetBaselines brings the models to compare with, once they are there.
func (a *App) SetBaselines(b Baselines) {
	a.baselines = b
	if a.restored.Steps() > 0 {
		a.fail(a.compareNow())
	}
	a.touch()
}

// dropComparison forgets what the baselines made of another image.
func (a *App) dropComparison() {
	if a.stopSteps != nil {
		a.stopSteps()
	}
	a.comparing = comparing{baselines: a.baselines}
}

// compareNow has the autoencoder restore the damaged image, and diffusion do so
// soon.
func (a *App) compareNow() error {
	if a.baselines == nil {
		return nil
	}
	a.dropComparison()
	z, x := make([]float32, latent.Latent), make([]float32, latent.Pixels)
	a.baselines.Encode(z, a.degraded)
	a.baselines.Decode(x, z)
	var err error
	if a.daeScore, err = a.score(x); err != nil {
		return err
	}
	a.autoencoded = timeline.Trajectory{N: 1}
	a.autoencoded.Add(x, z, []float32{0})
	a.daeReads = a.read(x)[0]
	// Diffusion is told the damage. Where there is none, what is restored may be
	// damaged all the same, and nobody says how.
	d := degrade.Degradation{Kind: a.Kind, Severity: a.Severity}
	if a.Kind == None {
		d = ldm.Blind
	}
	if a.total, err = a.baselines.Start(d); err != nil {
		return err
	}
	seq, err := a.baselines.Restore(z, a.total, []*rng.Source{rng.New(a.Seed, diffusionStream)})
	if err != nil {
		return err
	}
	a.diffused = timeline.Trajectory{N: 1}
	a.nextStep, a.stopSteps = iter.Pull(seq)
	a.wait = compareDelay
	return nil
}

// comparingNow reports whether diffusion is under way, or about to be.
func (a *App) comparingNow() bool { return a.nextStep != nil && !a.pad.Drawing() }

// updateComparison takes diffusion on, for a part of a frame.
func (a *App) updateComparison(dt time.Duration) {
	if !a.comparingNow() {
		return
	}
	if a.wait -= dt; a.wait > 0 {
		return
	}
	for start := time.Now(); a.nextStep != nil && time.Since(start) < compareSlice; {
		a.diffuse()
	}
	a.touch()
}

// diffuse takes one step, and keeps it if it is one of those that are shown.
func (a *App) diffuse() {
	s, ok := a.nextStep()
	if !ok || s.Left == 0 {
		a.stopSteps()
		a.nextStep, a.stopSteps = nil, nil
	}
	if !ok {
		return
	}
	a.done = s.Index
	last := a.restored.Steps() - 1
	for a.diffused.Steps() <= last && s.Index >= shownAt(a.diffused.Steps(), last, a.total) {
		z, x := make([]float32, latent.Latent), make([]float32, latent.Pixels)
		a.baselines.Codes(z, s.X, s.Left)
		a.baselines.Decode(x, z)
		a.diffused.Add(x, z, []float32{0})
		score, err := a.score(x)
		if err != nil {
			a.fail(fmt.Errorf("comparing: %w", err))
			return
		}
		a.ldmScores = append(a.ldmScores, score)
		a.ldmReads = append(a.ldmReads, a.read(x)[0])
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
func (a *App) Autoencoded() *timeline.Trajectory { return &a.autoencoded }

// Diffused returns how diffusion goes about it, on the timeline of Path.
func (a *App) Diffused() *timeline.Trajectory { return &a.diffused }

// rivals returns what the baselines made of the image at a step, nil where they
// are not there yet.
func (a *App) rivals(step int) (dae, diffusion *Rival) {
	if a.baselines == nil || a.autoencoded.Steps() == 0 || a.PadEmpty() {
		return nil, nil
	}
	dae = &Rival{Score: a.daeScore, Reads: a.daeReads}
	if n := len(a.ldmScores); n > 0 {
		k := min(step, n-1)
		diffusion = &Rival{Score: a.ldmScores[k], Reads: a.ldmReads[k], Done: a.done, Total: a.total}
	}
	return dae, diffusion
}
