package halfcircle

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// columns are the columns of the report.
var columns = []struct {
	head   string
	of     func(Errors) float64
	digits int
}{
	{"mean", func(e Errors) float64 { return e.Mean }, 4},
	{"RMS", func(e Errors) float64 { return e.RMS }, 4},
	{"mean square", func(e Errors) float64 { return e.Square }, 5},
	{"max", func(e Errors) float64 { return e.Max }, 3},
	{"mean, R³", func(e Errors) float64 { return e.Distance }, 4},
	{"max, R³", func(e Errors) float64 { return e.DistanceMax }, 3},
	{"covered", func(e Errors) float64 { return e.Covered }, 2},
	{"spread", func(e Errors) float64 { return e.Spread }, 2},
	{"along", func(e Errors) float64 { return e.Along }, 3},
}

// Markdown writes the table for people.
func (t *Table) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, `# Restored points and the half circle

Seeds %d to %d, each with points, nets, and %d test points of its own: mean over the
seeds ± standard deviation.

* **mean**, **RMS**, **mean square**, **max**: of |√(x²+y²) − 1|, the deviation from the unit
  circle in 2D that Fig. 5 speaks of.
* **mean, R³**, **max, R³**: the distance to the half circle in space, its ends included.
* **covered**: of the arc's 36 pieces of 5° that hold a clean point, the share that holds a
  restored one. **spread**: standard deviation of the restored angles over that of the clean
  ones; below 1 the method contracts along the arc. **along**: mean of |θ − θ_clean|, radians.

The nets are of train circle (default) or of train circle --paper (paper: Tables 7 and
10 to the letter, and noise of 0.2).

The paper, of which neither noise nor start nor error is known: DAE "MSE" 0.032, max 0.147;
MPPM 0.026, max 0.060; diffusion 0.138.
`, t.First, t.First+uint64(t.Seeds)-1, t.Tests)
	for _, c := range Columns() {
		fmt.Fprintf(&b, "\n## %s%s\n\n| method | nets |", strings.ToUpper(c.String()[:1]), c.String()[1:])
		for _, col := range columns {
			fmt.Fprintf(&b, " %s |", col.head)
		}
		b.WriteString("\n| --- | --- |" + strings.Repeat(" --- |", len(columns)) + "\n")
		for _, r := range t.Rows {
			if r.Column != c {
				continue
			}
			fmt.Fprintf(&b, "| %s | %s |", r.Method, r.Nets)
			for _, col := range columns {
				s := r.Stat(col.of)
				fmt.Fprintf(&b, " %.*f ± %.*f |", col.digits, s.Mean, col.digits, s.Spread)
			}
			b.WriteString("\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// JSON writes everything, seed by seed, for programs.
func (t *Table) JSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	return enc.Encode(t)
}

// CSV writes a line for each row and error.
func (t *Table) CSV(w io.Writer) error {
	var b strings.Builder
	b.WriteString("method,nets,uniform,noise,error,mean,sd\n")
	for _, r := range t.Rows {
		for _, col := range columns {
			s := r.Stat(col.of)
			fmt.Fprintf(&b, "%q,%q,%t,%g,%q,%.6g,%.6g\n", r.Method, r.Nets, r.Column.Uniform, r.Column.Sigma, col.head, s.Mean, s.Spread)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
