package halfcircle

import (
	"fmt"
	"math"
	"path/filepath"

	"mppm/shared/ambient"
	"mppm/shared/rng"
	"mppm/trainer/internal/plots"
	"mppm/trainer/internal/pointcloud"
	task "mppm/trainer/internal/task/ambient"
)

// view is how the figures look at space: the arc stands up, z comes forward.
var view = plots.View{Azimuth: 12, Elevation: 62}

func space(x []float32) [][2]float64 {
	var all [][2]float64
	for i := 0; i < len(x); i += 3 {
		all = append(all, view.Project(float64(x[i]), float64(x[i+1]), float64(x[i+2])))
	}
	return all
}

func plane(x []float32) [][2]float64 {
	var all [][2]float64
	for i := 0; i < len(x); i += 3 {
		all = append(all, [2]float64{float64(x[i]), float64(x[i+1])})
	}
	return all
}

// arc is the half circle as a line.
func arc(project func([]float32) [][2]float64) plots.Layer {
	const pieces = 180
	var x []float32
	for i := range pieces + 1 {
		x = pointcloud.AppendArc(x, pointcloud.ArcFrom+(pointcloud.ArcTo-pointcloud.ArcFrom)*float64(i)/pieces)
	}
	return plots.Layer{Name: "half circle", XY: project(x), Line: true, Size: 1, Color: plots.Ink}
}

// trajectory returns where one point is after each step of the flow.
func trajectory(r *ambient.Runner, x []float32, p ambient.Preset) ([]float32, error) {
	at := append([]float32(nil), x...)
	steps, err := r.Flow(at, p)
	if err != nil {
		return nil, err
	}
	var path []float32
	for s := range steps {
		path = append(path, s.X...)
	}
	return path, nil
}

// reverse returns where one point is after each step of the diffusion, from the
// step with noise sigma.
func reverse(r *ambient.Runner, x []float32, sigma float64, src *rng.Source) ([]float32, error) {
	at := append([]float32(nil), x...)
	n := r.Schedule.Match(sigma)
	r.Schedule.Enter(at, n)
	steps, err := r.DDPM(at, n, []*rng.Source{src})
	if err != nil {
		return nil, err
	}
	var path []float32
	for s := range steps {
		path = append(path, s.X...)
	}
	return path, nil
}

// figureStarts are where the paths of Figures 4 and 6 begin: off the arc, toward
// its ends and above it.
var figureStarts = [][]float32{{1.25, 0.55, 0.35}, {-1.2, 0.75, 0.3}, {0.35, 0.55, -0.35}, {-0.7, 0.2, 0.3}}

// Figures draws Figures 4 to 7 into dir, from the nets of task.Default on one
// seed, with so many test points.
func Figures(dir string, m *ambient.Model, seed uint64, tests int) error {
	r := m.Runner(64)
	for name, f := range map[string]func(string, *ambient.Runner, uint64, int) error{
		"figure4.png": figure4, "figure5.png": figure5, "figure6.png": figure6, "figure7.png": figure7,
	} {
		if err := f(filepath.Join(dir, name), r, seed, tests); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// figure4 is Fig. 4: how a point flows, with the default flow and with that of
// Table 10, whose wide kernel draws it along the arc to where the points are dense.
func figure4(path string, r *ambient.Runner, _ uint64, _ int) error {
	x := figureStarts[0]
	r3 := math.Hypot(float64(x[0]), float64(x[1]))
	star := []float32{float32(float64(x[0]) / r3), float32(float64(x[1]) / r3), 0}
	var panels []plots.Panel
	for _, f := range []struct {
		title string
		flow  ambient.Preset
	}{{"Default flow", task.Default().Flow}, {"Flow of Table 10, no tolerance", task.PaperFlow()}} {
		p := f.flow
		p.Tolerance = 0
		steps, err := trajectory(r, x, p)
		if err != nil {
			return err
		}
		mean := make([]float32, 3)
		if err := r.Mean(mean, x, p); err != nil {
			return err
		}
		center := []float32{0, 0, 0, float32(math.Cos(pointcloud.ArcCenter)), float32(math.Sin(pointcloud.ArcCenter)), 0}
		panels = append(panels, plots.Panel{
			Title: fmt.Sprintf("%s: σ_d %g, β %g, %d steps", f.title, p.SigmaD, p.Beta, p.Steps),
			Layers: []plots.Layer{
				arc(space),
				{Name: "training points", XY: space(r.Points), Color: plots.Sky, Size: 1.2},
				{Name: "θ₀", XY: space(center), Line: true, Color: plots.Violet, Size: 1},
				{XY: space(steps), Line: true, Color: plots.Red, Size: 0.8},
				{Name: "the flow", XY: space(steps), Color: plots.Red, Size: 1.6},
				{Name: "x", XY: space(x), Color: plots.Ink, Size: 3},
				{Name: "nearest point x*", XY: space(star), Color: plots.Green, Size: 3},
				{Name: "kernel mean at x", XY: space(mean), Color: plots.Amber, Size: 3},
			},
		})
	}
	return plots.Scene(path, panels...)
}

// restored draws what methods make of test points, in the plane of the circle.
func restored(path string, r *ambient.Runner, seed uint64, tests int, c Column, titles []string, methods ...Method) error {
	var panels []plots.Panel
	for i, m := range methods {
		clean, y := c.Test(seed, tests)
		noisy := append([]float32(nil), y...)
		if err := m.Restore(r, y, c.Sigma, seed); err != nil {
			return err
		}
		e := Measure(y, clean)
		panels = append(panels, plots.Panel{
			Title: fmt.Sprintf("%s: mean %.3f, max %.3f, covered %.2f", titles[i], e.Mean, e.Max, e.Covered),
			Layers: []plots.Layer{
				{Name: "noisy points", XY: plane(noisy), Color: plots.Faint, Size: 1.2},
				{Name: "training points", XY: plane(r.Points), Color: plots.Sky, Size: 2.2},
				arc(plane),
				{Name: "restored points", XY: plane(y), Color: plots.Red, Size: 1.2},
			},
		})
	}
	return plots.Scene(path, panels...)
}

// find returns the method of that name with the default nets.
func find(name string) Method {
	for _, m := range Methods() {
		if m.Name == name && m.Nets == Ours {
			return m
		}
	}
	panic("halfcircle: there is no method " + name) // the names are this package's own
}

// figureNoise is the noise of Figures 5 to 7, which the paper does not give.
var figureNoise = Column{Uniform: true, Sigma: 0.2}

// figure5 is Fig. 5: the autoencoder's points and MPPM's.
func figure5(path string, r *ambient.Runner, seed uint64, tests int) error {
	return restored(path, r, seed, tests, figureNoise, []string{"DAE", "MPPM"}, find("DAE"), find("MPPM"))
}

// figure6 is Fig. 6: paths of diffusion and of MPPM.
func figure6(path string, r *ambient.Runner, seed uint64, _ int) error {
	diffusion := plots.Panel{Title: "Diffusion, from the step with noise 0.3"}
	flow := plots.Panel{Title: "MPPM"}
	for _, p := range []*plots.Panel{&diffusion, &flow} {
		p.Layers = append(p.Layers, arc(space), plots.Layer{Name: "training points", XY: space(r.Points), Color: plots.Sky, Size: 1.2})
	}
	for i, x := range figureStarts {
		back, err := reverse(r, x, 0.3, rng.New(seed, streamDiffusion+uint64(i)))
		if err != nil {
			return err
		}
		steps, err := trajectory(r, x, task.Default().Flow)
		if err != nil {
			return err
		}
		for _, at := range []struct {
			p *plots.Panel
			x []float32
		}{{&diffusion, back}, {&flow, steps}} {
			at.p.Layers = append(at.p.Layers,
				plots.Layer{Name: "path", XY: space(at.x), Line: true, Color: plots.Red, Size: 0.7},
				plots.Layer{Name: "start", XY: space(x), Color: plots.Ink, Size: 2.5},
				plots.Layer{Name: "end", XY: space(at.x[len(at.x)-3:]), Color: plots.Green, Size: 2.5})
		}
	}
	return plots.Scene(path, diffusion, flow)
}

// figure7 is Fig. 7: diffusion's points and MPPM's. All steps from the noisy point
// are the start that shows what the paper's text says, most points in the dense
// region.
func figure7(path string, r *ambient.Runner, seed uint64, tests int) error {
	return restored(path, r, seed, tests, figureNoise, []string{"Diffusion, all steps", "MPPM"}, find("DDPM, all steps from the noisy point"), find("MPPM"))
}
