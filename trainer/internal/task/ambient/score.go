package ambient

import (
	"math"

	"mppm/shared/ambient"
	"mppm/shared/rng"
)

// streamScore is the stream of the points that a finished run is scored on.
const streamScore = 7 << 40

// Scores is how far points are from the manifold, on average, in the model's
// coordinates: held-out points with noise, and what each method makes of them.
// The manifold is the curve the points are from, if that is known, and otherwise
// all of the points.
type Scores struct {
	Noise float32 `json:"noise"` // deviation in each coordinate
	Noisy float64 `json:"noisy"`
	DAE   float64 `json:"dae"`
	DDPM  float64 `json:"ddpm"`
	MPPM  float64 `json:"mppm"`
}

// Restored is held-out points with noise, and what each method makes of them, in the
// model's coordinates.
type Restored struct {
	Noise                  float32 // deviation in each coordinate
	Noisy, DAE, DDPM, MPPM []float32
}

// restore damages the held-out points with half of the most noise of training,
// and restores them.
func (t *Task) restore(m *ambient.Model) (*Restored, error) {
	const most = 500
	dim := t.cloud.Dim
	n := min(len(t.held)/dim, most)
	out := &Restored{Noise: float32(t.Config.Noise / 2)}
	sources := make([]*rng.Source, n)
	for i := range n {
		sources[i] = rng.New(t.Config.Seed, streamScore+uint64(i))
		e := make([]float32, dim)
		sources[i].FillNorm(e, out.Noise)
		for k, v := range t.held[i*dim : (i+1)*dim] {
			out.Noisy = append(out.Noisy, v+e[k])
		}
	}
	run := m.Runner(64)
	out.DAE = append(out.DAE, out.Noisy...)
	out.DDPM = append(out.DDPM, out.Noisy...)
	out.MPPM = append(out.MPPM, out.Noisy...)
	run.DAE(out.DAE, out.DAE)
	steps := m.Schedule.Match(float64(out.Noise))
	m.Schedule.Enter(out.DDPM, steps)
	back, err := run.DDPM(out.DDPM, steps, sources)
	if err != nil {
		return nil, err
	}
	for range back {
	}
	flow, err := run.Flow(out.MPPM, m.Flow)
	if err != nil {
		return nil, err
	}
	for range flow {
	}
	return out, nil
}

// mean returns the mean distance of points from the manifold, all in the model's
// coordinates.
func (t *Task) mean(m *ambient.Model, x []float32) float64 {
	dim := t.cloud.Dim
	own := make([]float64, dim)
	var sum float64
	for i := 0; i < len(x); i += dim {
		if t.cloud.Nearest == nil {
			sum += math.Sqrt(min(closest(t.train, x[i:i+dim]), closest(t.held, x[i:i+dim])))
			continue
		}
		m.Denormalize(own, x[i:i+dim])
		sum += t.cloud.Nearest(own) / float64(t.frame.scale)
	}
	return math.Round(sum/float64(len(x)/dim)*1e5) / 1e5
}

// closest returns the squared distance from x to the nearest of points.
func closest(points, x []float32) float64 {
	best := math.Inf(1)
	for i := 0; i < len(points); i += len(x) {
		var d2 float64
		for k, v := range points[i : i+len(x)] {
			e := float64(v) - float64(x[k])
			d2 += float64(e * e)
		}
		best = min(best, d2)
	}
	return best
}

// Score scores a model, as its weights file gives it, on the points that the run
// held out.
func (t *Task) Score(m *ambient.Model) (Scores, *Restored, error) {
	r, err := t.restore(m)
	if err != nil {
		return Scores{}, nil, err
	}
	return Scores{r.Noise, t.mean(m, r.Noisy), t.mean(m, r.DAE), t.mean(m, r.DDPM), t.mean(m, r.MPPM)}, r, nil
}
