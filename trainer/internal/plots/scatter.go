package plots

import (
	"errors"
	"fmt"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"mppm/trainer/internal/curves"
)

// Mark is a point with a name.
type Mark struct {
	Name string
	X, Y float64
}

// marked are the shapes of marks, in turn.
var marked = []draw.GlyphDrawer{draw.PyramidGlyph{}, draw.BoxGlyph{}, draw.RingGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}, draw.CrossGlyph{}, draw.PlusGlyph{}}

// clouded are the shapes of clouds' points: the colors are fewer than clouds may be.
var clouded = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.CrossGlyph{}}

// Scatter draws clouds of points, whose lines are not drawn, and marks above
// them into one PNG as Curves does. Points and marks that are not finite are left
// out; it returns an error if none is left.
func Scatter(path string, a curves.Axes, clouds []curves.Line, marks []Mark) error {
	p, legend := newPlot(a)
	var r reach
	for i, c := range clouds {
		if len(c.X) != len(c.Y) {
			return fmt.Errorf("the cloud %q has %d values of x and %d of y", c.Name, len(c.X), len(c.Y))
		}
		style := draw.GlyphStyle{Color: palette[i%len(palette)], Radius: vg.Points(2), Shape: clouded[i/len(palette)%len(clouded)]}
		for _, run := range finite(c, a) {
			if err := r.glyphs(p, run, style); err != nil {
				return err
			}
		}
		if c.Name != "" {
			legend.Add(c.Name, &plotter.Scatter{GlyphStyle: style})
		}
	}
	for i, m := range marks {
		style := draw.GlyphStyle{Color: palette[len(palette)-1], Radius: vg.Points(4.5), Shape: marked[i%len(marked)]}
		for _, run := range finite(curves.Line{X: []float64{m.X}, Y: []float64{m.Y}}, a) {
			if err := r.glyphs(p, run, style); err != nil {
				return err
			}
		}
		legend.Add(m.Name, &plotter.Scatter{GlyphStyle: style})
	}
	if r.empty() {
		return errors.New("no point can be drawn")
	}
	return save(path, p, legend, a, r)
}

// glyphs draws a run of points.
func (r *reach) glyphs(p *plot.Plot, run plotter.XYs, style draw.GlyphStyle) error {
	s, err := plotter.NewScatter(run)
	if err != nil {
		return err
	}
	s.GlyphStyle = style
	p.Add(s)
	r.add(run)
	return nil
}
