package ambient

import (
	"math"
	"path/filepath"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"mppm/shared/ambient"
	"mppm/shared/rng"
	"mppm/trainer/internal/plots"
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

// restored is held-out points with noise, and what each method makes of them.
type restored struct {
	noise                  float32
	noisy, dae, ddpm, mppm []float32
}

// restore damages the held-out points with half of the most noise of training,
// and restores them.
func (t *Task) restore(m *ambient.Model) (*restored, error) {
	const most = 500
	dim := t.cloud.Dim
	n := min(len(t.held)/dim, most)
	out := &restored{noise: float32(t.Config.Noise / 2)}
	sources := make([]*rng.Source, n)
	for i := range n {
		sources[i] = rng.New(t.Config.Seed, streamScore+uint64(i))
		e := make([]float32, dim)
		sources[i].FillNorm(e, out.noise)
		for k, v := range t.held[i*dim : (i+1)*dim] {
			out.noisy = append(out.noisy, v+e[k])
		}
	}
	run := m.Runner(64)
	out.dae = append(out.dae, out.noisy...)
	out.ddpm = append(out.ddpm, out.noisy...)
	out.mppm = append(out.mppm, out.noisy...)
	run.DAE(out.dae, out.dae)
	steps := m.Schedule.Match(float64(out.noise))
	m.Schedule.Enter(out.ddpm, steps)
	back, err := run.DDPM(out.ddpm, steps, sources)
	if err != nil {
		return nil, err
	}
	for range back {
	}
	flow, err := run.Flow(out.mppm, m.Flow)
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
// held out, and, if path is not empty, draws them there.
func (t *Task) Score(m *ambient.Model, path string) (Scores, error) {
	s, err := t.restore(m)
	if err != nil {
		return Scores{}, err
	}
	if path != "" {
		if err := t.picture(m, s, path); err != nil {
			return Scores{}, err
		}
	}
	return Scores{s.noise, t.mean(m, s.noisy), t.mean(m, s.dae), t.mean(m, s.ddpm), t.mean(m, s.mppm)}, nil
}

// picture draws the noisy points and what each method makes of them over the
// training points.
func (t *Task) picture(m *ambient.Model, s *restored, path string) error {
	flat := flatten(m.Points, m.Dim)
	base := plots.Layer{Name: "training points", XY: flat(m.Points), Color: plots.Faint, Size: 1.5}
	var panels []plots.Panel
	for _, p := range []struct {
		title string
		x     []float32
		layer plots.Layer
	}{
		{"noisy", s.noisy, plots.Layer{Name: "noisy", Color: plots.Gray}},
		{"DAE", s.dae, plots.Layer{Name: "DAE", Color: plots.Blue}},
		{"DDPM", s.ddpm, plots.Layer{Name: "DDPM", Color: plots.Green}},
		{"MPPM", s.mppm, plots.Layer{Name: "MPPM", Color: plots.Red}},
	} {
		p.layer.XY, p.layer.Size = flat(p.x), 1
		panels = append(panels, plots.Panel{Title: p.title, Layers: []plots.Layer{base, p.layer}})
	}
	return plots.Scene(filepath.Clean(path), panels...)
}

// flatten returns what brings points of dim coordinates to the plane: nothing in
// two dimensions, an oblique view in three, and beyond that the two directions in
// which the points x vary most.
func flatten(x []float32, dim int) func([]float32) [][2]float64 {
	to := func(p []float64) [2]float64 { return [2]float64{p[0], p[1]} }
	switch {
	case dim == 1:
		to = func(p []float64) [2]float64 { return [2]float64{p[0], 0} }
	case dim == 3:
		to = func(p []float64) [2]float64 { return plots.View{Azimuth: 20, Elevation: 55}.Project(p[0], p[1], p[2]) }
	case dim > 3:
		all := make([]float64, len(x))
		for i, v := range x {
			all[i] = float64(v)
		}
		var pc stat.PC
		if len(x)/dim > 1 && pc.PrincipalComponents(mat.NewDense(len(x)/dim, dim, all), nil) {
			var axes mat.Dense
			pc.VectorsTo(&axes)
			to = func(p []float64) (at [2]float64) {
				for k, v := range p {
					at[0] += v * axes.At(k, 0)
					if _, c := axes.Dims(); c > 1 {
						at[1] += v * axes.At(k, 1)
					}
				}
				return at
			}
		}
	}
	return func(x []float32) [][2]float64 {
		var all [][2]float64
		p := make([]float64, dim)
		for i := 0; i < len(x); i += dim {
			for k := range p {
				p[k] = float64(x[i+k])
			}
			all = append(all, to(p))
		}
		return all
	}
}
