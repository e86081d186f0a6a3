package plots

import (
	"errors"
	"fmt"
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot"
	align "gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"mppm/trainer/internal/atomicfile"
)

// The colors of a scene: what is given in gray and blue, what is made of it in
// warm ones. They are of Okabe and Ito's palette but for the grays.
var (
	Gray   color.Color = color.RGBA{0x9a, 0x9a, 0x9a, 0xff}
	Faint  color.Color = color.RGBA{0xd8, 0xd8, 0xd8, 0xff}
	Ink    color.Color = palette[6]
	Blue   color.Color = palette[0]
	Red    color.Color = palette[1]
	Green  color.Color = palette[2]
	Violet color.Color = palette[3]
	Sky    color.Color = palette[4]
	Amber  color.Color = palette[5]
)

// Layer is what one thing of a scene looks like: dots, or a line through them.
// Those with a name are in the legend, once for all panels.
type Layer struct {
	Name  string
	XY    [][2]float64
	Line  bool
	Size  float64 // points: radius of a dot or width of the line; 0: 1.5
	Color color.Color
}

// Panel is one picture of a row.
type Panel struct {
	Title  string
	Layers []Layer // the last on top
}

// Scene draws panels side by side into a PNG of 1200 pixels' width at path,
// atomically, with one scale for both axes and for all panels.
func Scene(path string, panels ...Panel) error {
	lo, hi := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for _, p := range panels {
		for _, l := range p.Layers {
			for i, at := range l.XY {
				for k, v := range at {
					if !(math.Abs(v) <= 1e300) {
						return fmt.Errorf("cannot draw %s: point %d of %q is (%v, %v)", path, i, l.Name, at[0], at[1])
					}
					lo[k], hi[k] = min(lo[k], v), max(hi[k], v)
				}
			}
		}
	}
	if lo[0] > hi[0] {
		return errors.New("cannot draw " + path + ": the scene has no point")
	}
	const (
		width = vg.Length(576) // 1200 pixels at 150 to the inch
		title = vg.Length(18)
		room  = vg.Length(8) // around a panel
	)
	each := width / vg.Length(len(panels))
	dx, dy := max(hi[0]-lo[0], 1e-9), max(hi[1]-lo[1], 1e-9)
	scale := float64(each-2*room) / dx
	const tallest = 420
	if dy*scale > tallest {
		scale = tallest / dy
	}
	legend := legendOf(panels)
	foot := vg.Length(0)
	if legend != nil {
		foot = vg.Length(len(legend.rows)) * legendRow
	}
	height := title + 2*room + vg.Length(dy*scale) + foot
	canvas := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(150))}
	all := draw.New(canvas)
	style := plot.New().Title.TextStyle
	style.Font.Size = vg.Points(10)
	style.XAlign, style.YAlign = align.XCenter, align.YTop
	for i, p := range panels {
		left := each * vg.Length(i)
		all.FillText(style, vg.Point{X: left + each/2, Y: height - room/2}, p.Title)
		place := func(at [2]float64) vg.Point {
			return vg.Point{
				X: left + each/2 + vg.Length((at[0]-(lo[0]+hi[0])/2)*scale),
				Y: foot + room + vg.Length((at[1]-lo[1])*scale),
			}
		}
		for _, l := range p.Layers {
			l.draw(all, place)
		}
	}
	if legend != nil {
		legend.draw(all, width, foot)
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		_, err := canvas.WriteTo(w)
		return err
	})
}

func (l Layer) size() vg.Length {
	if l.Size > 0 {
		return vg.Points(l.Size)
	}
	return vg.Points(1.5)
}

func (l Layer) draw(c draw.Canvas, place func([2]float64) vg.Point) {
	if l.Line {
		line := make([]vg.Point, len(l.XY))
		for i, at := range l.XY {
			line[i] = place(at)
		}
		c.StrokeLines(draw.LineStyle{Color: l.Color, Width: l.size()}, line)
		return
	}
	for _, at := range l.XY {
		c.DrawGlyph(draw.GlyphStyle{Color: l.Color, Radius: l.size(), Shape: draw.CircleGlyph{}}, place(at))
	}
}

const legendRow = vg.Length(14)

// legend is the names of layers in rows under the panels.
type legend struct{ rows [][]Layer }

// legendOf collects the layers with names, each name once; nil for none.
func legendOf(panels []Panel) *legend {
	const most = 5 // in a row
	seen := map[string]bool{}
	var g legend
	for _, p := range panels {
		for _, l := range p.Layers {
			if l.Name == "" || seen[l.Name] {
				continue
			}
			seen[l.Name] = true
			if n := len(g.rows); n == 0 || len(g.rows[n-1]) == most {
				g.rows = append(g.rows, nil)
			}
			g.rows[len(g.rows)-1] = append(g.rows[len(g.rows)-1], l)
		}
	}
	if g.rows == nil {
		return nil
	}
	return &g
}

func (g *legend) draw(c draw.Canvas, width, top vg.Length) {
	style := plot.New().Legend.TextStyle
	style.Font.Size = vg.Points(9)
	style.YAlign = align.YCenter
	const mark, space = vg.Length(16), vg.Length(14)
	for i, row := range g.rows {
		var all vg.Length
		for _, l := range row {
			all += mark + style.Width(l.Name) + space
		}
		x := (width - all + space) / 2
		y := top - legendRow*vg.Length(i) - legendRow/2
		for _, l := range row {
			if l.Line {
				c.StrokeLines(draw.LineStyle{Color: l.Color, Width: l.size()}, []vg.Point{{X: x, Y: y}, {X: x + mark - 4, Y: y}})
			} else {
				c.DrawGlyph(draw.GlyphStyle{Color: l.Color, Radius: max(l.size(), 2), Shape: draw.CircleGlyph{}}, vg.Point{X: x + mark/2 - 2, Y: y})
			}
			c.FillText(style, vg.Point{X: x + mark, Y: y}, l.Name)
			x += mark + style.Width(l.Name) + space
		}
	}
}

// View turns points of space for drawing: by an azimuth around z, then by an
// elevation, both in degrees; without perspective.
type View struct{ Azimuth, Elevation float64 }

// Project returns where the view shows a point.
func (v View) Project(x, y, z float64) [2]float64 {
	sa, ca := math.Sincos(v.Azimuth * math.Pi / 180)
	se, ce := math.Sincos(v.Elevation * math.Pi / 180)
	return [2]float64{ca*x + sa*y, ce*z + se*(ca*y-sa*x)}
}
