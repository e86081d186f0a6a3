package probe

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"mppm/shared/latent"
	"mppm/trainer/internal/curves"
	"mppm/trainer/internal/plots"
)

// Markdown writes the report as Markdown.
func (r *Report) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, `Is D a distance? %d test digits, seed %d. The nearest code is that of the bank; the codes lie %.2f apart. The distance that D should be is ‖z − F(x)‖ for the code z of a noisy image of x, 0 for codes of clean images, and max(0, d − %.2f) elsewhere, d being the distance to the nearest code and %.2f what it is for half of these digits.

| points of the latent space | D | should be | nearest code | correlation with what it should be | with the nearest code | D = 0 | \|∇D\| | from 0.7 to 1.3 |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
`, r.Images, r.Seed, r.Spacing, r.Reach, r.Reach)
	for _, f := range r.Families {
		with := "–"
		if f.WithTrue != 0 {
			with = fmt.Sprintf("%.2f", f.WithTrue)
		}
		fmt.Fprintf(&b, "| %s | %.2f | %.2f | %.2f | %s | %.2f | %.1f %% | %.2f | %.1f %% |\n", f.Name, f.D, f.True, f.Nearest, with, f.WithNearest, 100*f.Zero, f.Slope, 100*f.Unit)
	}
	fmt.Fprintf(&b, "\nOver all of them the correlation of D with what it should be is **%.3f**.\n\n| nearer | farther | D orders them so |\n| --- | --- | --- |\n", r.Pooled)
	for _, p := range r.Pairs {
		fmt.Fprintf(&b, "| %s | %s | %.1f %% |\n", p.Near, p.Far, 100*p.Share)
	}
	b.WriteString("\nRays from clean codes, each in a random direction:\n\n| spacings from the code | D | should be | mean of \\| \\|∇D\\| − 1 \\| |\n| --- | --- | --- | --- |\n")
	for _, ray := range r.Rays {
		fmt.Fprintf(&b, "| %g | %.2f | %.2f | %.2f |\n", ray.Length, ray.D, ray.True, ray.Residual)
	}
	b.WriteString("\nD along flows, where it is more than a tenth of the support's reach:\n\n| flow | from | α | β | D at the start | in the end | steps in which D falls | D after a step over D before |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, f := range r.Falls {
		factor := fmt.Sprintf("%.2f", f.Factor)
		if f.Beta == 0 {
			factor += fmt.Sprintf(" (1 − α = %.2f)", 1-f.Alpha)
		}
		fmt.Fprintf(&b, "| %s | %s | %g | %g | %.2f | %.2f | %.1f %% | %s |\n", f.Flow, f.From, round(f.Alpha), round(f.Beta), f.D[0], f.D[len(f.D)-1], 100*f.Falls, factor)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// round undoes the digits that a float32 has as a float64.
func round(v float64) float64 { return float64(int(v*1000+0.5)) / 1000 }

// JSON writes the report as JSON.
func (r *Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// Scatter draws D against what it should be, some points of each family.
func (r *Report) Scatter(path string) error {
	const some = 300
	var clouds []curves.Line
	most := 0.0
	for _, f := range r.Families {
		n := min(some, len(f.d))
		clouds = append(clouds, curves.Line{Name: f.Name, X: f.distance[:n], Y: f.d[:n]})
		for _, v := range f.distance[:n] {
			most = max(most, v)
		}
	}
	var same []plots.Mark
	same = append(same, plots.Mark{Name: "D as it should be", X: most, Y: most})
	return plots.Scatter(path, curves.Axes{Title: "The learned distance against the distance", X: "distance from the support of the clean codes, or from the code of the clean image", Y: "D"}, clouds, same)
}

// Plane draws D on the map's plane, through the mean of the codes, with the
// codes' places on it.
func Plane(path string, m *latent.Model) error {
	if m.Plane == nil {
		return fmt.Errorf("the weights name no plane to draw D on")
	}
	const (
		side = 120
		some = 1000 // codes that are drawn, at most about so many
	)
	code := make([]float32, m.Latent())
	cloud := curves.Line{Name: "codes"}
	var lo, hi [2]float64
	for j := range m.Bank.Len() {
		m.Bank.Code(code, j)
		x, y := m.Plane.Shadow(code)
		if j%(1+m.Bank.Len()/some) == 0 {
			cloud.X, cloud.Y = append(cloud.X, float64(x)), append(cloud.Y, float64(y))
		}
		for k, v := range [2]float64{float64(x), float64(y)} {
			lo[k], hi[k] = min(lo[k], v), max(hi[k], v)
		}
	}
	for k := range lo {
		margin := 0.3 * (hi[k] - lo[k])
		lo[k], hi[k] = lo[k]-margin, hi[k]+margin
	}
	z := make([]float32, side*side*m.Latent())
	for i := range side * side {
		x := lo[0] + (hi[0]-lo[0])*float64(i%side)/(side-1)
		y := lo[1] + (hi[1]-lo[1])*float64(i/side)/(side-1)
		m.Plane.Shift(z[i*m.Latent():(i+1)*m.Latent()], m.Plane.Mean(), float32(x), float32(y))
	}
	d := make([]float32, side*side)
	m.Runner(side).Distance(d, nil, z)
	return plots.Field(path, curves.Axes{Title: "D on the map's plane", X: "first axis", Y: "second axis"},
		plots.Grid{W: side, H: side, Values: d, X0: lo[0], Y0: lo[1], X1: hi[0], Y1: hi[1]}, cloud)
}
