// Package plots draws what a training run is judged by: loss curves, sheets of
// digits and strips of the flow, as PNG files.
package plots

import (
	"errors"
	"fmt"
	"image/color"
	"io"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"mppm/trainer/internal/atomicfile"
	"mppm/trainer/internal/curves"
)

// palette is that of Okabe and Ito (2008), which color-blind people can tell
// apart, without its yellow, which is faint on white.
var palette = []color.Color{
	color.RGBA{0x00, 0x72, 0xb2, 0xff},
	color.RGBA{0xd5, 0x5e, 0x00, 0xff},
	color.RGBA{0x00, 0x9e, 0x73, 0xff},
	color.RGBA{0xcc, 0x79, 0xa7, 0xff},
	color.RGBA{0x56, 0xb4, 0xe9, 0xff},
	color.RGBA{0xe6, 0x9f, 0x00, 0xff},
	color.RGBA{0x22, 0x22, 0x22, 0xff},
}

// dashes tells apart the lines after the palette's last color.
var dashes = [][]vg.Length{nil, {vg.Points(5), vg.Points(3)}, {vg.Points(1.5), vg.Points(2.5)}}

// Curves draws the lines into one PNG of 1200×750 pixels at path, atomically.
// Lines without a finite point are named in the legend and not drawn.
func Curves(path string, a curves.Axes, lines ...curves.Line) error {
	p, legend := newPlot(a)
	var r reach
	for i, line := range lines {
		if len(line.X) != len(line.Y) {
			return fmt.Errorf("the curve %q has %d values of x and %d of y", line.Name, len(line.X), len(line.Y))
		}
		runs := finite(line, a)
		style := plotter.DefaultLineStyle
		style.Width = vg.Points(1.6)
		style.Color = palette[i%len(palette)]
		style.Dashes = dashes[i/len(palette)%len(dashes)]
		for _, run := range runs {
			r.add(run)
			if len(run) == 1 { // a line of one point has no length: mark it
				dot, err := plotter.NewScatter(run)
				if err != nil {
					return err
				}
				dot.Color, dot.Radius = style.Color, vg.Points(2)
				p.Add(dot)
				continue
			}
			l, err := plotter.NewLine(run)
			if err != nil {
				return err
			}
			l.LineStyle = style
			p.Add(l)
		}
		if line.Name != "" {
			legend.Add(line.Name, &plotter.Line{LineStyle: style})
		}
	}
	if r.empty() {
		return errors.New("no curve has a point that can be drawn")
	}
	return save(path, p, legend, a, r)
}

// newPlot returns an empty plot and its legend.
func newPlot(a curves.Axes) (*plot.Plot, *plot.Legend) {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = a.Title, a.X, a.Y
	legend := plot.NewLegend()
	legend.Top = true
	legend.YPosition = draw.PosCenter
	legend.Padding = vg.Points(3)
	legend.ThumbnailWidth = vg.Points(18)
	p.Add(plotter.NewGrid())
	return p, &legend
}

// reach is how many points were drawn, and between which heights.
type reach struct {
	n      int
	lo, hi float64
}

func (r *reach) add(run plotter.XYs) {
	for _, pt := range run {
		if r.n == 0 {
			r.lo, r.hi = pt.Y, pt.Y
		}
		r.n++
		r.lo, r.hi = min(r.lo, pt.Y), max(r.hi, pt.Y)
	}
}

func (r *reach) empty() bool { return r.n == 0 }

// save draws the plot and its legend into a file.
func save(path string, p *plot.Plot, legend *plot.Legend, a curves.Axes, r reach) error {
	if lo, hi := r.lo, r.hi; a.LogY {
		if hi/lo < 1.2 { // an axis needs some length
			lo, hi = lo/1.2, hi*1.2
		}
		p.Y.Min, p.Y.Max = lo, hi
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, decades{}
	}
	if a.LogX {
		if p.X.Max/p.X.Min < 1.2 {
			p.X.Min, p.X.Max = p.X.Min/1.2, p.X.Max*1.2
		}
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, decades{}
	}
	// 576×360 points of 1/72 inch at 150 dots per inch.
	canvas := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(vg.Points(576), vg.Points(360)), vgimg.UseDPI(150))}
	all := draw.Crop(draw.New(canvas), vg.Points(4), -vg.Points(8), vg.Points(4), -vg.Points(6))
	// The legend stands beside the curves, where it hides none of them.
	beside := legend.Rectangle(all).Size().X
	if beside > 0 {
		legend.Draw(draw.Crop(all, 0, 0, 0, -vg.Points(20)))
		beside += vg.Points(10)
	}
	p.Draw(draw.Crop(all, 0, -min(beside, all.Size().X/2), 0, 0))
	return atomicfile.Write(path, func(w io.Writer) error {
		_, err := canvas.WriteTo(w)
		return err
	})
}

// finite cuts a line into runs of points that can be drawn.
func finite(line curves.Line, a curves.Axes) []plotter.XYs {
	var runs []plotter.XYs
	var run plotter.XYs
	flush := func() {
		if len(run) > 0 {
			runs = append(runs, run)
			run = nil
		}
	}
	for i, y := range line.Y {
		x := line.X[i]
		// Beyond 1e300 the width of an axis overflows.
		if !(math.Abs(x) <= 1e300 && math.Abs(y) <= 1e300) || a.LogY && y < 1e-300 || a.LogX && x < 1e-300 {
			flush()
			continue
		}
		run = append(run, plotter.XY{X: x, Y: y})
	}
	flush()
	return runs
}

// decades puts ticks on a logarithmic axis, with numbers at the powers of ten,
// and at 2 and 5 times them (or at every figure) where there are few powers.
type decades struct{}

// Ticks implements plot.Ticker.
func (decades) Ticks(lo, hi float64) []plot.Tick {
	span := math.Log10(hi / lo)
	labeled := func(m int) bool {
		switch {
		case span < 0.7:
			return true
		case span < 3:
			return m == 1 || m == 2 || m == 5
		}
		return m == 1
	}
	var ticks []plot.Tick
	for e := math.Floor(math.Log10(lo)); e <= math.Ceil(math.Log10(hi)); e++ {
		for m := 1; m <= 9; m++ {
			v := float64(m) * math.Pow(10, e)
			if v < lo || v > hi {
				continue
			}
			t := plot.Tick{Value: v}
			if labeled(m) {
				t.Label = strconv.FormatFloat(v, 'g', 6, 64)
			}
			ticks = append(ticks, t)
		}
	}
	if len(ticks) < 2 { // a narrow range between two of them
		for _, v := range []float64{lo, hi} {
			ticks = append(ticks, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'g', 3, 64)})
		}
	}
	return ticks
}
