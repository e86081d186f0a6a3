// Package restored draws what a run on points makes of those that it held out. It is
// apart from the run, which a program without pictures has too.
package restored

import (
	"path/filepath"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"mppm/shared/ambient"
	"mppm/trainer/internal/plots"
	task "mppm/trainer/internal/task/ambient"
)

// Draw draws noisy points, and what each method makes of them, over the training
// points, to a PNG file at path.
func Draw(path string, m *ambient.Model, r *task.Restored) error {
	flat := flatten(m.Points, m.Dim)
	base := plots.Layer{Name: "training points", XY: flat(m.Points), Color: plots.Faint, Size: 1.5}
	var panels []plots.Panel
	for _, p := range []struct {
		title string
		x     []float32
		layer plots.Layer
	}{
		{"noisy", r.Noisy, plots.Layer{Name: "noisy", Color: plots.Gray}},
		{"DAE", r.DAE, plots.Layer{Name: "DAE", Color: plots.Blue}},
		{"DDPM", r.DDPM, plots.Layer{Name: "DDPM", Color: plots.Green}},
		{"MPPM", r.MPPM, plots.Layer{Name: "MPPM", Color: plots.Red}},
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
