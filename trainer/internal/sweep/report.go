package sweep

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"mppm/shared/latent"
	"mppm/trainer/internal/atomicfile"
	"mppm/trainer/internal/curves"
	"mppm/trainer/internal/plots"
)

// Report is what a sweep found along one axis. The axis of the flow has one row.
type Report struct {
	Axis    string   `json:"axis"`
	Held    int      `json:"held_out"`
	Digits  int      `json:"digits"`
	Seed    uint64   `json:"seed"`
	Budget  int      `json:"budget"`
	Columns []string `json:"columns"`
	Notes   []string `json:"notes,omitempty"` // what a reader has to know
	Rows    []Row    `json:"rows"`

	w *Sweep
}

// Report returns the report of rows.
func (w *Sweep) Report(axis string, rows []Row, notes []string) *Report {
	r := &Report{Axis: axis, Held: w.Bench.N, Digits: w.Digits, Seed: w.Seed, Budget: w.Budget, Notes: notes, Rows: rows, w: w}
	for _, c := range w.Bench.Columns {
		r.Columns = append(r.Columns, c.String())
	}
	return r
}

// means are the scores of a flow on damaged digits, over the columns, beside
// those of the autoencoder.
type means struct {
	SSIM         float64 `json:"ssim"`
	SSIMGain     float64 `json:"ssim_gain"`
	Ratio        float64 `json:"fd_ratio"`        // of distances to the autoencoder's, the geometric mean
	Severe       float64 `json:"fd_ratio_severe"` // over the severe columns
	Accuracy     float64 `json:"accuracy"`
	AccuracyGain float64 `json:"accuracy_gain"`
}

func (y *yardstick) means(cells []Cell) means {
	m := means{SSIM: meanSSIM(cells), Ratio: math.Exp(y.logRatio(cells, false)), Severe: math.Exp(y.logRatio(cells, true))}
	m.SSIMGain = m.SSIM - meanSSIM(y.dae)
	for i, c := range cells {
		m.Accuracy += c.Accuracy / float64(len(cells))
		m.AccuracyGain += (c.Accuracy - y.dae[i].Accuracy) / float64(len(cells))
	}
	return m
}

// line is a winner as Lines writes it.
type line struct {
	Setting   string        `json:"setting,omitempty"`
	Preset    string        `json:"preset"`
	Flow      latent.Preset `json:"flow"`
	Digits    int           `json:"digits"`
	Violation float64       `json:"violation"`
	*means
	*Grown
}

// Lines writes the winners, a line of JSON each.
func (r *Report) Lines(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for _, row := range r.Rows {
		if row.Result == nil {
			continue
		}
		for _, win := range row.Winners {
			l := line{Setting: row.Setting, Preset: win.Preset, Flow: win.Trial.Flow, Digits: r.Digits, Violation: win.Score.Violation, Grown: win.Trial.Grown}
			if win.Trial.Cells != nil {
				m := row.y.means(win.Trial.Cells)
				l.means = &m
			}
			if err := e.Encode(l); err != nil {
				return err
			}
		}
	}
	return nil
}

// Save writes the report into dir: its tables as Markdown, CSV (every trial) and
// JSON (the winners), and its plots.
func (r *Report) Save(dir string) error {
	at := func(suffix string) string { return filepath.Join(dir, r.Axis+suffix) }
	if err := atomicfile.WriteAll(dir, map[string]func(io.Writer) error{r.Axis + ".md": r.Markdown, r.Axis + ".csv": r.CSV, r.Axis + ".json": r.JSON}); err != nil {
		return err
	}
	if r.Axis == "flow" {
		return r.scatter(at)
	}
	return r.curves(at)
}

// JSON writes the winners as JSON.
func (r *Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// flowText names a flow's parameters in a table.
func flowText(p latent.Preset) string {
	sigma := fmt.Sprint(p.Sigma)
	if p.Start > 0 {
		sigma = fmt.Sprintf("%g to %g", p.Start, p.Sigma)
	}
	s := fmt.Sprintf("α %g, β %g, σ %s, τ %g, %d steps", p.Alpha, p.Beta, sigma, p.Tau, p.Steps)
	if p.Tolerance > 0 {
		s += fmt.Sprintf(", tolerance %g", p.Tolerance)
	}
	if p.Noise > 0 {
		s += fmt.Sprintf(", noise %g", p.Noise)
	}
	return s
}

// Markdown writes what was chosen, by what, and how it does.
func (r *Report) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Axis %s. %d training digits are held out of training, and settings are chosen on %d of them (as many are grown); the test digits are not read. Seed %d; %d flows were drawn for each task. FD is the Fréchet distance to the other training digits in the classifier's embedding; ratios are to the distance of the denoising autoencoder on the same digits, and their means geometric.\n", r.Axis, r.Held, r.Digits, r.Seed, r.Budget)
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "\n**Note.** %s.\n", n)
	}
	b.WriteString("\n## What the presets are chosen by\n\n")
	for _, o := range objectives {
		fmt.Fprintf(&b, "* `%s`: %s.\n", o.Preset, o.Says)
	}
	r.restoration(&b)
	r.generation(&b)
	if len(r.Rows) == 1 && r.Rows[0].Result != nil {
		r.columns(&b, &r.Rows[0])
		r.ranking(&b, &r.Rows[0])
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) restoration(b *strings.Builder) {
	b.WriteString("\n## Restoration\n\nMeans over the columns; gains are over the autoencoder. \"Violation\" is how many units the objective's bounds are missed by.\n\n| setting | preset | flow | SSIM | gain | FD ratio | severe columns | read right | gain | violation |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	put := func(setting, preset string, p latent.Preset, m means, s *Score) {
		violation := ""
		if s != nil {
			violation = fmt.Sprintf("%.2f", s.Violation)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %.4f | %+.4f | %.3f | %.3f | %.2f %% | %+.2f %% | %s |\n", setting, preset, flowText(p), m.SSIM, m.SSIMGain, m.Ratio, m.Severe, 100*m.Accuracy, 100*m.AccuracyGain, violation)
	}
	for _, row := range r.Rows {
		if row.Result == nil {
			fmt.Fprintf(b, "| %s | | %s | | | | | | | |\n", row.Setting, row.Failed)
			continue
		}
		for _, win := range row.Winners {
			if win.Trial.Cells == nil {
				continue
			}
			put(row.Setting, "**"+win.Preset+"**", win.Trial.Flow, row.y.means(win.Trial.Cells), &win.Score)
			if t := win.Before; t != nil && t != win.Trial {
				s := objective(win.Preset).score(row.y, t)
				put(row.Setting, win.Preset+", as it was", t.Flow, row.y.means(t.Cells), &s)
			}
		}
		if t := row.Ablation; t != nil {
			put(row.Setting, "sharp, α = 0", t.Flow, row.y.means(t.Cells), nil)
		}
	}
}

func objective(preset string) *Objective {
	i := slices.IndexFunc(objectives, func(o Objective) bool { return o.Preset == preset })
	return &objectives[i]
}

func (r *Report) generation(b *strings.Builder) {
	b.WriteString("\n## Generation\n\n| setting | digits | flow | FD | to the nearest other | share of that of decoded digits | class shares | violation |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, row := range r.Rows {
		if row.Result == nil {
			continue
		}
		put := func(what, flow string, g *Grown, violation string) {
			fmt.Fprintf(b, "| %s | %s | %s | %.2f | %.3f | %.3f | %.1f to %.1f %% | %s |\n", row.Setting, what, flow, g.Distance, g.Apart, g.Apart/row.Decoded.Apart, 100*g.Least, 100*g.Most, violation)
		}
		put(fmt.Sprintf("held out, encoded and decoded (SSIM %.4f)", row.Decoded.SSIM), "", row.Decoded, "")
		for _, win := range row.Winners {
			if win.Trial.Grown == nil {
				continue
			}
			put("**"+win.Preset+"**", flowText(win.Trial.Flow), win.Trial.Grown, fmt.Sprintf("%.2f", win.Score.Violation))
			if t := win.Before; t != nil && t != win.Trial {
				put(win.Preset+", as it was", flowText(t.Flow), t.Grown, fmt.Sprintf("%.2f", objective(win.Preset).score(row.y, t).Violation))
			}
		}
	}
}

// columns writes the winners of a row on each damage.
func (r *Report) columns(b *strings.Builder, row *Row) {
	b.WriteString("\n## By damage\n\nSSIM, FD, and the share read right.\n\n| damage | DAE |")
	for _, win := range row.Winners {
		if win.Trial.Cells != nil {
			fmt.Fprintf(b, " %s |", win.Preset)
		}
	}
	b.WriteString("\n| --- | --- |")
	for _, win := range row.Winners {
		if win.Trial.Cells != nil {
			b.WriteString(" --- |")
		}
	}
	b.WriteString("\n")
	for i, column := range r.Columns {
		d := row.DAE[i]
		fmt.Fprintf(b, "| %s | %.4f, %.2f, %.2f %% |", column, d.SSIM, d.Distance, 100*d.Accuracy)
		for _, win := range row.Winners {
			if c := win.Trial.Cells; c != nil {
				fmt.Fprintf(b, " %.4f, %.2f (%.2f of DAE), %.2f %% |", c[i].SSIM, c[i].Distance, c[i].Distance/d.Distance, 100*c[i].Accuracy)
			}
		}
		b.WriteString("\n")
	}
}

// ranking writes the best trials of a row by each objective.
func (r *Report) ranking(b *strings.Builder, row *Row) {
	const shown = 8
	var last []*Trial
	for _, t := range r.w.Log.file.Trials {
		if t.Subject == row.Subject && t.Digits == r.Digits {
			last = append(last, t)
		}
	}
	for i := range objectives {
		o := &objectives[i]
		fmt.Fprintf(b, "\n## The best by `%s`, on all %d digits\n\n| flow | violation | SSIM | FD ratio | severe columns | FD of grown digits | apart |\n| --- | --- | --- | --- | --- | --- | --- |\n", o.Preset, r.Digits)
		for k, t := range rank(o, row.y, last) {
			if k == shown {
				break
			}
			s := o.score(row.y, t)
			if t.Cells != nil {
				m := row.y.means(t.Cells)
				fmt.Fprintf(b, "| %s | %.2f | %.4f | %.3f | %.3f | | |\n", flowText(t.Flow), s.Violation, m.SSIM, m.Ratio, m.Severe)
			} else {
				fmt.Fprintf(b, "| %s | %.2f | | | | %.2f | %.3f |\n", flowText(t.Flow), s.Violation, t.Grown.Distance, t.Grown.Apart)
			}
		}
	}
}

// logged returns what a trial is measured by, from the log; nil if an earlier
// sweep was ended before it scored that.
func (r *Report) logged(t *Trial) *yardstick {
	dae := r.w.Log.find(&Trial{Subject: r.w.DAE.Name, Task: Baseline, Flow: r.w.DAE.Presets["restore"], Digits: t.Digits})
	decoded := r.w.Log.find(&Trial{Subject: t.Subject, Task: Decode, Digits: t.Digits})
	if dae == nil || decoded == nil {
		return nil
	}
	return r.w.measure(dae, decoded)
}

// CSV writes every trial of the log, a line each.
func (r *Report) CSV(w io.Writer) error {
	c := csv.NewWriter(w)
	head := []string{"setting", "task", "digits", "alpha", "beta", "sigma", "start", "tau", "steps", "tolerance", "noise", "ssim", "ssim_gain", "fd_ratio", "fd_ratio_severe", "accuracy", "accuracy_gain", "grown_fd", "grown_apart", "grown_apart_share", "least_share", "most_share"}
	for _, o := range objectives {
		head = append(head, o.Preset+"_violation", o.Preset+"_value")
	}
	for _, column := range r.Columns {
		head = append(head, "ssim "+column, "fd "+column, "accuracy "+column)
	}
	c.Write(head)
	settings := map[string]string{}
	for _, row := range r.Rows {
		if row.Result != nil {
			settings[row.Subject] = row.Setting
		}
	}
	f := func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
	for _, t := range r.w.Log.file.Trials {
		if t.Task == Train {
			continue
		}
		setting, ok := settings[t.Subject]
		if !ok {
			setting = t.Subject
		}
		p := t.Flow
		line := []string{setting, string(t.Task), strconv.Itoa(t.Digits), f(float64(p.Alpha)), f(float64(p.Beta)), f(float64(p.Sigma)), f(float64(p.Start)), f(float64(p.Tau)), strconv.Itoa(p.Steps), f(float64(p.Tolerance)), f(float64(p.Noise))}
		y := r.logged(t)
		if y != nil && t.Cells != nil {
			m := y.means(t.Cells)
			line = append(line, f(m.SSIM), f(m.SSIMGain), f(m.Ratio), f(m.Severe), f(m.Accuracy), f(m.AccuracyGain))
		} else {
			line = append(line, make([]string, 6)...)
		}
		if g := t.Grown; g != nil {
			share := ""
			if y != nil {
				share = f(g.Apart / y.decoded.Apart)
			}
			line = append(line, f(g.Distance), f(g.Apart), share, f(g.Least), f(g.Most))
		} else {
			line = append(line, make([]string, 5)...)
		}
		for i := range objectives {
			if o := &objectives[i]; y != nil && o.takes(t.Task, t.Flow) {
				s := o.score(y, t)
				line = append(line, f(s.Violation), f(s.Value))
			} else {
				line = append(line, "", "")
			}
		}
		for _, cell := range t.Cells {
			line = append(line, f(cell.SSIM), f(cell.Distance), f(cell.Accuracy))
		}
		c.Write(append(line, make([]string, len(head)-len(line))...))
	}
	c.Flush()
	return c.Error()
}

// scatter draws all trials: what a flow gains in SSIM against what it gains in
// distance, and what grown digits gain in distance against how diverse they are.
func (r *Report) scatter(at func(string) string) error {
	restored, grown := map[int]*curves.Line{}, map[int]*curves.Line{}
	var sizes []int
	for _, t := range r.w.Log.file.Trials {
		y := r.logged(t)
		if y == nil || t.Task != Restore && t.Task != Generate {
			continue
		}
		if restored[t.Digits] == nil {
			name := fmt.Sprintf("%d digits", t.Digits)
			restored[t.Digits], grown[t.Digits] = &curves.Line{Name: name}, &curves.Line{Name: name}
			sizes = append(sizes, t.Digits)
		}
		l, x, v := grown[t.Digits], 0., 0.
		if t.Task == Restore {
			l = restored[t.Digits]
			m := y.means(t.Cells)
			x, v = m.SSIMGain, m.Severe
		} else {
			x, v = t.Grown.Apart/y.decoded.Apart, t.Grown.Distance/y.decoded.Distance
		}
		l.X, l.Y = append(l.X, x), append(l.Y, v)
	}
	slices.Sort(sizes)
	var a, b []curves.Line
	for _, n := range sizes {
		a, b = append(a, *restored[n]), append(b, *grown[n])
	}
	marks, row := []plots.Mark{{Name: "DAE", X: 0, Y: 1}}, r.Rows[0]
	var chosen []plots.Mark
	for _, win := range row.Winners {
		if t := win.Trial; t.Cells != nil {
			m := row.y.means(t.Cells)
			marks = append(marks, plots.Mark{Name: win.Preset, X: m.SSIMGain, Y: m.Severe})
		} else {
			chosen = append(chosen, plots.Mark{Name: win.Preset, X: t.Grown.Apart / row.Decoded.Apart, Y: t.Grown.Distance / row.Decoded.Distance})
		}
	}
	if err := plots.Scatter(at(".png"), curves.Axes{Title: "Flows tried on held-out digits", X: "mean SSIM, gain over the autoencoder", Y: "FD over the autoencoder's, severe columns", LogY: true}, a, marks); err != nil {
		return err
	}
	if len(chosen) == 0 {
		return nil
	}
	return plots.Scatter(at("-generate.png"), curves.Axes{Title: "Flows tried from noise", X: "distance to the nearest other, over that of decoded digits", Y: "FD over that of decoded digits", LogY: true}, b, chosen)
}

// curves draws the winners along the axis.
func (r *Report) curves(at func(string) string) error {
	x := map[string]string{"bank": "codes of the bank", "loss": "weight of the term, in multiples of the default", "noise": "σ, noise of training"}[r.Axis]
	presets := []string{"restore", "sharp", "faithful"}
	if r.Axis == "loss" { // six terms, one preset
		presets = presets[:1]
	}
	of := func(figure func(m means) float64) func(row *Row, w *Winner) float64 {
		return func(row *Row, w *Winner) float64 { return figure(row.y.means(w.Trial.Cells)) }
	}
	for _, p := range []struct {
		suffix, title, y string
		presets          []string
		figure           func(row *Row, w *Winner) float64
	}{
		{"-fd.png", "Distance from real digits", "FD over the autoencoder's, all columns", presets, of(func(m means) float64 { return m.Ratio })},
		{"-ssim.png", "Faithfulness", "mean SSIM, all columns", presets, of(func(m means) float64 { return m.SSIM })},
		{"-generate.png", "Digits from noise", "FD", []string{"generate"}, func(_ *Row, w *Winner) float64 { return w.Trial.Grown.Distance }},
	} {
		lines := r.lines(p.presets, p.figure)
		if len(lines) == 0 {
			continue
		}
		if err := plots.Curves(at(p.suffix), curves.Axes{Title: p.title, X: x, Y: p.y}, lines...); err != nil {
			return err
		}
	}
	return nil
}

// lines are the values of a figure along the axis, for each preset and each
// parameter that is changed. A row of no parameter is on all lines.
func (r *Report) lines(presets []string, figure func(row *Row, w *Winner) float64) []curves.Line {
	var names []string
	for _, row := range r.Rows {
		if row.Line != "" && !slices.Contains(names, row.Line) {
			names = append(names, row.Line)
		}
	}
	type point struct{ x, y float64 }
	var lines []curves.Line
	for _, preset := range presets {
		for _, name := range names {
			var points []point
			for i := range r.Rows {
				row := &r.Rows[i]
				if row.Result == nil || row.Line != name && row.Line != "" {
					continue
				}
				for k := range row.Winners {
					if w := &row.Winners[k]; w.Preset == preset {
						points = append(points, point{row.X, figure(row, w)})
					}
				}
			}
			if len(points) == 0 {
				continue
			}
			slices.SortStableFunc(points, func(a, b point) int { return cmp.Compare(a.x, b.x) })
			l := curves.Line{Name: preset}
			switch {
			case len(presets) == 1 && len(names) > 1:
				l.Name = name
			case len(names) > 1:
				l.Name = preset + ", " + name
			}
			for _, p := range points {
				l.X, l.Y = append(l.X, p.x), append(l.Y, p.y)
			}
			lines = append(lines, l)
		}
	}
	return lines
}
