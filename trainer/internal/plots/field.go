package plots

import (
	"fmt"

	"gonum.org/v1/plot/palette/moreland"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"mppm/trainer/internal/curves"
)

// Grid is a function on a rectangle: W × H values, row by row, the first at (X0,
// Y0) and the last at (X1, Y1).
type Grid struct {
	W, H           int
	Values         []float32
	X0, Y0, X1, Y1 float64
}

// gridXYZ is a Grid as gonum's plotter reads it.
type gridXYZ struct{ Grid }

func (g gridXYZ) Dims() (c, r int)   { return g.W, g.H }
func (g gridXYZ) Z(c, r int) float64 { return float64(g.Values[r*g.W+c]) }
func (g gridXYZ) X(c int) float64    { return g.X0 + (g.X1-g.X0)*float64(c)/float64(g.W-1) }
func (g gridXYZ) Y(r int) float64    { return g.Y0 + (g.Y1-g.Y0)*float64(r)/float64(g.H-1) }

// levels is how many colors a field is drawn with: bands, as on a map of heights.
const levels = 16

// Field draws a function as color, dark where it is low, and a cloud of points
// above it, into one PNG as Curves does. It returns an error if the grid is not
// of W × H ≥ 2 × 2 values.
func Field(path string, a curves.Axes, g Grid, cloud curves.Line) error {
	if g.W < 2 || g.H < 2 || len(g.Values) != g.W*g.H {
		return fmt.Errorf("the grid has %d values, not %d × %d", len(g.Values), g.W, g.H)
	}
	p, legend := newPlot(a)
	colors := moreland.Kindlmann()
	heat := plotter.NewHeatMap(gridXYZ{g}, nil)
	heat.Rasterized = true // no seams between its cells

	colors.SetMin(heat.Min)
	colors.SetMax(max(heat.Max, heat.Min+1e-9))
	heat.Palette = colors.Palette(levels)
	p.Add(heat)
	var r reach
	style := draw.GlyphStyle{Color: palette[4], Radius: vg.Points(0.8), Shape: draw.CircleGlyph{}}
	for _, run := range finite(cloud, a) {
		if err := r.glyphs(p, run, style); err != nil {
			return err
		}
	}
	r.add(plotter.XYs{{X: g.X0, Y: g.Y0}, {X: g.X1, Y: g.Y1}})
	legend.Add(cloud.Name, &plotter.Scatter{GlyphStyle: style})
	for i := range 5 {
		v := heat.Min + (heat.Max-heat.Min)*float64(i)/4
		c, err := colors.At(v)
		if err != nil {
			return err
		}
		legend.Add(fmt.Sprintf("%.1f", v), &plotter.Scatter{GlyphStyle: draw.GlyphStyle{Color: c, Radius: vg.Points(4), Shape: draw.BoxGlyph{}}})
	}
	return save(path, p, legend, a, r)
}
