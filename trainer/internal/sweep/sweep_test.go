package sweep

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"mppm/shared/classifier"
	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/latent/latenttest"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/dataset"
	task "mppm/trainer/internal/task/latent"
	"mppm/weights"
)

// columns are one severe damage and one mild one.
var columns = []degrade.Degradation{{Kind: degrade.Gaussian, Severity: 0.85}, {Kind: degrade.Downsample, Severity: 0.5}}

// digits returns n training digits, and no test digits at all.
func digits(t *testing.T, n int) *dataset.Set {
	t.Helper()
	set, err := dataset.Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	set.Train = dataset.Split{N: n, Images: set.Train.Images[:n*dataset.Pixels], Labels: set.Train.Labels[:n]}
	set.Test = dataset.Split{}
	return set
}

// few are flows of a model with a small bank.
var few = map[string]latent.Preset{
	"restore":  {Alpha: 0.6, Beta: 0.3, Sigma: 0.45, Tau: 1, Steps: 4},
	"sharp":    {Alpha: 0.6, Beta: 0.2, Sigma: 0.4, Steps: 4},
	"faithful": {Alpha: 0.3, Sigma: 0.4, Steps: 4},
	"generate": {Alpha: 0.6, Beta: 0.2, Sigma: 0.5, Steps: 4, Noise: 1.3},
}

const held = 60

// bench is the same for all sweeps of a test.
func bench(t *testing.T) *Bench {
	t.Helper()
	c, err := classifier.Load(weights.Classifier)
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewBench(t.Context(), c, digits(t, 500), held, columns, 3)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sweeper returns a sweep with its log in dir, and the model that it tries.
func sweeper(t *testing.T, b *Bench, dir string, seed uint64) (*Sweep, *Subject) {
	t.Helper()
	log, err := OpenLog(filepath.Join(dir, "trials.json"), len(columns), map[string]string{"seed": "3"})
	if err != nil {
		t.Fatal(err)
	}
	m, err := latent.Load(weights.DAE)
	if err != nil {
		t.Fatal(err)
	}
	dae := Of(m)
	dae.Name = "dae"
	s := Of(latenttest.Model(1))
	s.Presets = few
	return &Sweep{Bench: b, DAE: dae, Log: log, Digits: 40, Budget: 8, Seed: seed}, s
}

func lines(t *testing.T, w *Sweep, r *Result) string {
	t.Helper()
	var b bytes.Buffer
	if err := w.Report("flow", []Row{{Setting: "flow", Result: r}}, nil).Lines(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestResume: a sweep is what its seed says, and one that was cut off anywhere
// ends with the same log, byte for byte, and with the same winners.
func TestResume(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	b := bench(t)
	search := func(ctx context.Context, dir string, seed uint64, progress io.Writer) (string, []byte, error) {
		w, s := sweeper(t, b, dir, seed)
		w.Progress = progress
		r, err := w.Search(ctx, s)
		if err != nil {
			return "", nil, err
		}
		log, err := os.ReadFile(filepath.Join(dir, "trials.json"))
		return lines(t, w, r), log, err
	}
	dir := t.TempDir()
	want, log, err := search(t.Context(), dir, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	var file logFile
	if err := json.Unmarshal(log, &file); err != nil {
		t.Fatal(err)
	}
	if n := len(file.Trials); n < 40 || strings.Count(want, "\n") != 4 {
		t.Fatalf("%d trials, winners:\n%s", n, want)
	}
	if _, other, err := search(t.Context(), t.TempDir(), 2, nil); err != nil || bytes.Equal(other, log) {
		t.Errorf("another seed tries the same: %v", err)
	}
	for _, keep := range []int{1, 25, len(file.Trials)} {
		part, err := json.Marshal(logFile{file.Setup, file.Trials[:keep]})
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "trials.json"), part, 0o666); err != nil {
			t.Fatal(err)
		}
		got, again, err := search(t.Context(), dir, 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got != want || keep < len(file.Trials) && !bytes.Equal(again, log) {
			t.Errorf("with the first %d trials given, the sweep ends otherwise:\n%s\nwant\n%s", keep, got, want)
		}
	}
	// And one that is interrupted in the middle keeps what it has.
	dir = t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	if _, _, err := search(ctx, dir, 1, writer(cancel)); !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted: %v", err)
	}
	part, err := os.ReadFile(filepath.Join(dir, "trials.json"))
	if err != nil || len(part) < 1000 || len(part) >= len(log) {
		t.Fatalf("an interrupted sweep left %d bytes of %d (%v)", len(part), len(log), err)
	}
	if got, again, err := search(t.Context(), dir, 1, nil); err != nil || got != want || !bytes.Equal(again, log) {
		t.Errorf("interrupted, then again: %v\n%s", err, got)
	}
}

// writer calls a function when it is written to.
type writer func()

func (f writer) Write(b []byte) (int, error) { f(); return len(b), nil }

// TestWinnersAreTheBest reads the log as it was written, and finds the winners
// by formulas of its own.
func TestWinnersAreTheBest(t *testing.T) {
	b, dir := bench(t), t.TempDir()
	w, s := sweeper(t, b, dir, 1)
	r, err := w.Search(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "trials.json"))
	if err != nil {
		t.Fatal(err)
	}
	var log logFile
	if err := json.Unmarshal(text, &log); err != nil {
		t.Fatal(err)
	}
	var dae []Cell
	var decoded *Grown
	for _, x := range log.Trials {
		if x.Digits == w.Digits && x.Task == Baseline {
			dae = x.Cells
		}
		if x.Digits == w.Digits && x.Task == Decode {
			decoded = x.Grown
		}
	}
	unit := func(x, u float64) float64 {
		if x > 0 {
			return x / u
		}
		return 0
	}
	mean := func(c []Cell) float64 { return (c[0].SSIM + c[1].SSIM) / 2 }
	for preset, score := range map[string]func(x *Trial) [2]float64{
		"sharp": func(x *Trial) [2]float64 {
			if x.Flow.Tau != 0 || x.Flow.Beta == 0 || x.Flow.Alpha == 0 {
				return [2]float64{math.Inf(1)}
			}
			return [2]float64{0, math.Log(x.Cells[0].Distance / dae[0].Distance)} // the severe column alone
		},
		"faithful": func(x *Trial) [2]float64 {
			v := 0.
			for i, c := range x.Cells {
				v += unit(dae[i].SSIM-c.SSIM, 0.01) + unit(math.Log(c.Distance/dae[i].Distance), 0.1)
			}
			return [2]float64{v, -mean(x.Cells)}
		},
		"restore": func(x *Trial) [2]float64 {
			v := 0.
			goals := []float64{min(dae[0].Distance, max(0.35*dae[0].Distance, decoded.Distance)), dae[1].Distance}
			for i, c := range x.Cells {
				v += unit(dae[i].SSIM-c.SSIM, 0.01) + unit(dae[i].Accuracy-c.Accuracy, 0.01) + unit(math.Log(c.Distance/goals[i]), 0.1)
			}
			return [2]float64{v, -mean(x.Cells)}
		},
		"generate": func(x *Trial) [2]float64 {
			g := x.Grown
			return [2]float64{unit(0.95-g.Apart/decoded.Apart, 0.01) + unit(0.05-g.Least, 0.01) + unit(g.Most-0.16, 0.01), g.Distance}
		},
	} {
		task := Restore
		if preset == "generate" {
			task = Generate
		}
		i := slices.IndexFunc(r.Winners, func(w Winner) bool { return w.Preset == preset })
		if i < 0 {
			t.Errorf("%s: nothing won", preset)
			continue
		}
		won, n := score(r.Winners[i].Trial), 0
		for _, x := range log.Trials {
			if x.Task != task || x.Digits != w.Digits || x.Flow.Alpha == 0 {
				continue
			}
			n++
			if got := score(x); slices.Compare(got[:], won[:]) < 0 && math.Abs(got[0]-won[0])+math.Abs(got[1]-won[1]) > 1e-9 {
				t.Errorf("%s: %+v scores %v, the winner %+v %v", preset, x.Flow, got, r.Winners[i].Trial.Flow, won)
			}
		}
		if n < 3 {
			t.Errorf("%s: %d flows came to the last look", preset, n)
		}
		if b := r.Winners[i].Before; b == nil || b.Flow.Alpha != few[preset].Alpha {
			t.Errorf("%s: the preset as it was is not beside the winner", preset)
		}
	}
	if a := r.Ablation; a == nil || a.Flow.Alpha != 0 || a.Flow.Tau != 0 {
		t.Errorf("the ablation is %+v", a)
	}
	// All that is written, reads as it should.
	report := w.Report("flow", []Row{{Setting: "flow", Result: r}}, []string{"a word"})
	if err := report.Save(dir); err != nil {
		t.Fatal(err)
	}
	c, err := os.ReadFile(filepath.Join(dir, "flow.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if rows, err := csv.NewReader(bytes.NewReader(c)).ReadAll(); err != nil || len(rows) != 1+len(log.Trials)+1 && len(rows) != 1+len(log.Trials) {
		t.Errorf("CSV of %d trials has %d lines (%v)", len(log.Trials), len(rows), err)
	}
	md, err := os.ReadFile(filepath.Join(dir, "flow.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"**Note.** a word.", "**restore**", "sharp, α = 0", "## The best by `generate`", "| gaussian=0.85 |"} {
		if !strings.Contains(string(md), want) {
			t.Errorf("flow.md has no %q:\n%s", want, md)
		}
	}
	for _, name := range []string{"flow.json", "flow.png", "flow-generate.png"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPresent: the winners go into the metadata, and no tensor changes.
func TestPresent(t *testing.T) {
	f := latenttest.File(1)
	f.Meta["scores"] = "{}"
	before := slices.Clone(f.Tensors)
	p := latent.Preset{Alpha: 0.25, Beta: 0.5, Sigma: 0.3, Steps: 7}
	r := &Result{Winners: []Winner{{Preset: "restore", Trial: &Trial{Flow: p}}}}
	if err := r.Present(f, map[string]string{"seed": "1"}); err != nil {
		t.Fatal(err)
	}
	m, err := latent.New(f)
	if err != nil {
		t.Fatal(err)
	}
	if m.Restore != p || m.Generate == p || m.Meta["scores"] != "" || m.Meta["sweep"] == "" || !reflect.DeepEqual(f.Tensors, before) {
		t.Errorf("the weights now say %+v", m.Meta)
	}
}

// TestSpace: what is drawn can run, covers every range evenly, and steps change
// one parameter.
func TestSpace(t *testing.T) {
	const n = 60
	for _, task := range []Task{Restore, Generate} {
		drawn := sample(task, n, rng.New(1, 0))
		for k, s := range spans(task) {
			yields := k == 1 || k == 3 // β to α, where the kernel starts to where it ends
			var at []float64
			zeros := 0
			for _, p := range drawn {
				v := s.get(&p)
				if v == 0 {
					zeros++
				} else if v < s.lo-0.02 || v > s.hi+1e-6 {
					if !yields {
						t.Errorf("%s: parameter %d is %v, outside of %v to %v", task, k, v, s.lo, s.hi)
					}
				}
				at = append(at, s.at(&p))
			}
			if share := float64(zeros) / n; !yields && math.Abs(share-s.zero) > 1.5/n {
				t.Errorf("%s: parameter %d is 0 in %.2f of flows, want %.2f", task, k, share, s.zero)
			}
			if yields || s.digits == 1 { // steps are few
				continue
			}
			slices.Sort(at)
			for i, u := range at {
				if lo := float64(i) / n; u > s.zero+0.02 && math.Abs(u-lo-0.5/n) > 0.5/n+0.03 {
					t.Errorf("%s: the %d-th value of parameter %d lies at %.3f", task, i, k, u)
				}
			}
		}
		for _, p := range drawn {
			if err := p.Validate(); err != nil {
				t.Error(err)
			}
			near := neighbors(task, p, 0.12)
			if len(near) < 5 {
				t.Errorf("%+v has %d neighbors", p, len(near))
			}
			for _, q := range near {
				changed := 0
				for _, s := range spans(task) {
					if s.get(&p) != s.get(&q) {
						changed++
					}
				}
				if err := q.Validate(); err != nil || changed == 0 || changed > 2 || changed == 2 && (p.Alpha == q.Alpha || p.Beta == q.Beta) {
					t.Errorf("%+v is a neighbor of %+v (%v)", q, p, err)
				}
			}
			for _, s := range spans(task) {
				q := p
				if s.set(&q, s.at(&p)); math.Abs(s.get(&q)-s.get(&p)) > 1.01/s.digits && s.get(&p) >= s.lo {
					t.Errorf("%v becomes %v", s.get(&p), s.get(&q))
				}
			}
		}
	}
}

func TestOpenLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trials.json")
	setup := map[string]string{"weights": "a", "seed": "1"}
	for _, c := range []struct{ text, want string }{
		{`{"setup":{"weights":"b","seed":"1"}}`, `weights was "b" and is now "a"`},
		{`nonsense`, "not a log"},
		{`{"setup":{"weights":"a","seed":"1"},"trials":[null]}`, "trial 0 is not whole"},
		{`{"setup":{"weights":"a","seed":"1"},"trials":[{"task":"restore","cells":[{}]}]}`, "trial 0 is not whole"},
		{`{"setup":{"weights":"a","seed":"1"},"trials":[{"task":"generate"}]}`, "trial 0 is not whole"},
		{`{"setup":{"weights":"a","seed":"1"},"trials":[{"task":"dream"}]}`, "trial 0 is not whole"},
	} {
		if err := os.WriteFile(path, []byte(c.text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenLog(path, 2, setup); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.text, err, c.want)
		}
	}
}

// TestBanks scores code banks of other sizes: the nets are the same, so clean
// digits are decoded alike, and flows differ.
func TestBanks(t *testing.T) {
	b, dir := bench(t), t.TempDir()
	f, err := safetensors.Parse(weights.MNIST)
	if err != nil {
		t.Fatal(err)
	}
	w, _ := sweeper(t, b, dir, 1)
	w.Budget, w.Digits = 0, 20
	rows, err := w.Banks(t.Context(), f, []int{5, 50, 441}, few)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 2 || rows[0].Decoded.Distance != rows[1].Decoded.Distance {
		t.Fatalf("%d rows of banks that 440 digits can fill: %+v", len(rows), rows)
	}
	for _, row := range rows {
		for _, win := range row.Winners {
			if win.Trial.Flow.Alpha != few[win.Preset].Alpha || win.Trial.Flow.Steps != few[win.Preset].Steps {
				t.Errorf("%s: without a search %s became %+v", row.Setting, win.Preset, win.Trial.Flow)
			}
		}
	}
	sharp := func(r Row) *Trial { return r.Winners[1].Trial }
	if cmp.Compare(sharp(rows[0]).Cells[0].SSIM, sharp(rows[1]).Cells[0].SSIM) == 0 {
		t.Error("banks of 5 and of 50 codes restore alike")
	}
	if err := w.Report("bank", rows, nil).Save(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bank.md", "bank-fd.png", "bank-ssim.png", "bank-generate.png"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

// TestTrainings trains at two settings, and at one that diverges; done again, it
// takes all from the log, and trains nothing.
func TestTrainings(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	b, dir := bench(t), t.TempDir()
	base := task.Default()
	base.Epochs, base.Refine, base.Batch, base.Centers = 1, 0, 64, 16
	settings := []Setting{
		{Name: "default", X: 1, change: func(*task.Config) {}},
		{Name: "λ2 × 2", Line: "λ2", X: 2, change: func(c *task.Config) { c.Lambda[1] *= 2 }},
		{Name: "far too fast", Line: "λ2", X: 3, change: func(c *task.Config) { c.Rate = 1e9 }},
	}
	set := digits(t, 500)
	run := func() []Row {
		w, _ := sweeper(t, b, dir, 1)
		w.Budget, w.Digits = 0, 20
		rows, err := w.Trainings(t.Context(), set, base, settings, few, filepath.Join(dir, "runs"))
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Report("loss", rows, nil).Save(dir); err != nil {
			t.Fatal(err)
		}
		return rows
	}
	rows := run()
	if len(rows) != 3 || rows[0].Result == nil || rows[1].Result == nil {
		t.Fatalf("%+v", rows)
	}
	if rows[0].Decoded.Distance == rows[1].Decoded.Distance {
		t.Error("other weights of the loss give the same nets")
	}
	if rows[2].Result != nil || !strings.Contains(rows[2].Failed, "diverged") {
		t.Errorf("a rate of 1e9 ends with %q, and %+v", rows[2].Failed, rows[2].Result)
	}
	md, err := os.ReadFile(filepath.Join(dir, "loss.md"))
	if err != nil || !strings.Contains(string(md), "diverged") {
		t.Errorf("loss.md: %v\n%s", err, md)
	}
	if err := os.RemoveAll(filepath.Join(dir, "runs")); err != nil {
		t.Fatal(err)
	}
	again := run()
	if _, err := os.Stat(filepath.Join(dir, "runs")); err == nil {
		t.Error("what the log has was trained again")
	}
	for i := range rows {
		if rows[i].Failed != again[i].Failed || rows[i].Result != nil && rows[i].Winners[0].Score != again[i].Winners[0].Score {
			t.Errorf("setting %d: %+v, then %+v", i, rows[i], again[i])
		}
	}
}

func TestSettings(t *testing.T) {
	if n := len(Losses()); n != 1+3*task.Terms {
		t.Errorf("%d settings of the loss", n)
	}
	seen := map[string]bool{}
	for _, s := range slices.Concat(Losses(), Noises()) {
		c := task.Default()
		s.change(&c)
		if err := c.Validate(60000); err != nil || seen[s.Name] {
			t.Errorf("%s: %v", s.Name, err)
		}
		if same := reflect.DeepEqual(c, task.Default()); same != (s.Name == "default" || s.Name == "σ from 0 to 0.8") {
			t.Errorf("%s: %+v", s.Name, c)
		}
		seen[s.Name] = true
	}
}

func TestNewBench(t *testing.T) {
	c, err := classifier.Load(weights.Classifier)
	if err != nil {
		t.Fatal(err)
	}
	set := digits(t, 100)
	set.Train.Labels = nil
	if _, err := NewBench(t.Context(), c, set, 10, columns, 1); err == nil || !strings.Contains(err.Error(), "train-labels") {
		t.Errorf("without labels: %v", err)
	}
}
