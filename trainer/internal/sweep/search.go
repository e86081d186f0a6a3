package sweep

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"

	"mppm/shared/latent"
	"mppm/shared/rng"
	"mppm/trainer/internal/progress"
)

// Sweep tries settings.
type Sweep struct {
	Bench *Bench
	DAE   *Subject // the denoising autoencoder, which every score is measured by
	Log   *Log
	// Digits is how many held-out digits, or digits from noise, the choice is made
	// on; the first looks take fewer.
	Digits int
	// Budget is how many flows are drawn for each task; 0: the presets are scored as
	// they are, and nothing else.
	Budget   int
	Seed     uint64
	Progress io.Writer // nil: none
}

// Winner is the best trial by one objective.
type Winner struct {
	Preset string `json:"preset"`
	Score  Score  `json:"score"`
	Trial  *Trial `json:"trial"`
	// Before is the preset as it was, on as many digits; nil if there was none.
	Before *Trial `json:"before,omitempty"`
}

// Result is what a search found for one subject.
type Result struct {
	Subject string   `json:"subject,omitempty"`
	Digits  int      `json:"digits"`
	DAE     []Cell   `json:"dae"`
	Decoded *Grown   `json:"decoded"`
	Winners []Winner `json:"winners"`
	// Ablation is the preset sharp with α = 0.
	Ablation *Trial `json:"ablation,omitempty"`

	y *yardstick
}

// score returns the trial of the subject's flow on so many digits: from the log,
// or by trying it.
func (w *Sweep) score(ctx context.Context, s *Subject, task Task, p latent.Preset, digits int) (*Trial, error) {
	t := &Trial{Subject: s.Name, Task: task, Flow: p, Digits: digits}
	if known := w.Log.find(t); known != nil {
		return known, nil
	}
	var err error
	switch task {
	case Restore, Baseline:
		t.Cells, err = w.Bench.restore(ctx, s, p, digits)
	case Generate:
		t.Grown, err = w.Bench.generate(ctx, s, p, digits)
	case Decode:
		t.Grown, err = w.Bench.decoded(ctx, s, digits)
	}
	if err != nil {
		return nil, err
	}
	return t, w.Log.add(t)
}

// yardstick returns what trials of the subject on so many digits are measured by.
func (w *Sweep) yardstick(ctx context.Context, s *Subject, digits int) (*yardstick, error) {
	dae, err := w.score(ctx, w.DAE, Baseline, w.DAE.Presets["restore"], digits)
	if err != nil {
		return nil, fmt.Errorf("the autoencoder: %w", err)
	}
	decoded, err := w.score(ctx, s, Decode, latent.Preset{}, digits)
	if err != nil {
		return nil, err
	}
	return w.measure(dae, decoded), nil
}

func (w *Sweep) measure(dae, decoded *Trial) *yardstick {
	y := &yardstick{dae: dae.Cells, decoded: decoded.Grown}
	for _, d := range w.Bench.Columns {
		y.severe = append(y.severe, Severe(d))
	}
	return y
}

// Search looks for the best flows of a subject: many flows on few digits, those
// that did best on more (successive halving: Jamieson and Talwalkar 2016), then
// steps in one parameter at a time from the best, and the last few on all digits.
// The subject's presets are among them to the end, so that what wins is no worse.
func (w *Sweep) Search(ctx context.Context, s *Subject) (*Result, error) {
	r := &Result{Subject: s.Name, Digits: w.Digits}
	var err error
	if r.y, err = w.yardstick(ctx, s, w.Digits); err != nil {
		return nil, err
	}
	r.DAE, r.Decoded = r.y.dae, r.y.decoded
	for k, task := range []Task{Restore, Generate} {
		last, err := w.narrow(ctx, s, task, rng.New(w.Seed, uint64(k)))
		if err != nil {
			return nil, err
		}
		if _, err := w.look(ctx, s, task, "last look", last, w.Digits); err != nil {
			return nil, err
		}
	}
	for i := range objectives {
		if err := w.choose(ctx, s, &objectives[i], r); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Shares of the budget.
const (
	keepOneOf   = 8 // flows of the first look that are looked at again, for each objective
	refineOneOf = 2 // steps from the best of them
	finalists   = 3 // flows for the last look
)

// Shares of the digits of the last look that the two before it take.
const (
	firstDigits  = 10
	secondDigits = 2.5
)

// narrow returns the flows of a task for the last look.
func (w *Sweep) narrow(ctx context.Context, s *Subject, task Task, r *rng.Source) ([]latent.Preset, error) {
	var presets []latent.Preset
	for _, o := range objectives {
		if p, ok := s.Presets[o.Preset]; ok && o.Task == task {
			presets = append(presets, p)
		}
	}
	if w.Budget == 0 {
		return presets, nil
	}
	few := max(2, w.Digits/firstDigits)
	some := max(2, int(float64(w.Digits)/secondDigits))
	if task == Generate {
		// How far digits from noise are apart depends on how many there are, and
		// there is one column, not twelve: no fewer than are compared in the end.
		few = min(w.Digits, most)
		some = few
	}
	tried, err := w.look(ctx, s, task, "first look", slices.Concat(presets, sample(task, w.Budget, r)), few)
	if err != nil {
		return nil, err
	}
	kept, err := w.best(ctx, s, tried, max(1, w.Budget/keepOneOf), few)
	if err != nil {
		return nil, err
	}
	if tried, err = w.look(ctx, s, task, "second look", slices.Concat(presets, kept), some); err != nil {
		return nil, err
	}
	y, err := w.yardstick(ctx, s, some)
	if err != nil {
		return nil, err
	}
	for i := range objectives {
		o := &objectives[i]
		if o.Task != task {
			continue
		}
		more, err := w.refine(ctx, s, o, y, tried, some)
		if err != nil {
			return nil, err
		}
		tried = append(tried, more...)
	}
	kept, err = w.best(ctx, s, tried, finalists, some)
	return slices.Concat(presets, kept), err
}

// look scores flows on so many digits.
func (w *Sweep) look(ctx context.Context, s *Subject, task Task, label string, flows []latent.Preset, digits int) ([]*Trial, error) {
	var all []*Trial
	bar := w.bar(s, task, label, len(flows))
	defer bar.Finish()
	for _, p := range flows {
		if task == Restore {
			p.Noise = 0 // which restoration has no use for
		}
		t, err := w.score(ctx, s, task, p, digits)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(all, t) {
			all = append(all, t)
		}
		bar.Add(1)
	}
	return all, nil
}

func (w *Sweep) bar(s *Subject, task Task, label string, total int) *progress.Bar {
	name := fmt.Sprintf("%s, %s", task, label)
	if s.Label != "" {
		name = s.Label + ": " + name
	}
	return progress.New(w.Progress, name, total, progress.Options{Unit: "flows"})
}

// best returns the flows of the k best trials by each objective.
func (w *Sweep) best(ctx context.Context, s *Subject, tried []*Trial, k, digits int) ([]latent.Preset, error) {
	y, err := w.yardstick(ctx, s, digits)
	if err != nil {
		return nil, err
	}
	var flows []latent.Preset
	for i := range objectives {
		for j, t := range rank(&objectives[i], y, tried) {
			if j < k && !slices.Contains(flows, t.Flow) {
				flows = append(flows, t.Flow)
			}
		}
	}
	return flows, nil
}

// rank sorts the trials that an objective is about, the best first.
func rank(o *Objective, y *yardstick, tried []*Trial) []*Trial {
	var of []*Trial
	for _, t := range tried {
		if o.takes(t.Task, t.Flow) {
			of = append(of, t)
		}
	}
	slices.SortStableFunc(of, func(a, b *Trial) int {
		p, q := a.Flow, b.Flow
		return cmp.Or(o.score(y, a).compare(o.score(y, b)),
			// Of equals the cheaper one; the rest only makes an order.
			cmp.Compare(p.Steps, q.Steps), cmp.Compare(p.Alpha, q.Alpha), cmp.Compare(p.Beta, q.Beta),
			cmp.Compare(p.Sigma, q.Sigma), cmp.Compare(p.Start, q.Start), cmp.Compare(p.Tau, q.Tau), cmp.Compare(p.Noise, q.Noise), cmp.Compare(p.Tolerance, q.Tolerance))
	})
	return of
}

// Steps of refine along a parameter's span.
const (
	firstStep = 0.12
	lastStep  = 0.03
)

// refine steps from the best trial by an objective, in one parameter at a time,
// to whatever is better; where nothing is, with steps of half the length.
func (w *Sweep) refine(ctx context.Context, s *Subject, o *Objective, y *yardstick, tried []*Trial, digits int) ([]*Trial, error) {
	ranked := rank(o, y, tried)
	if len(ranked) == 0 {
		return nil, nil
	}
	best := ranked[0]
	left := w.Budget / refineOneOf
	bar := w.bar(s, o.Task, "refining "+o.Preset, left)
	defer bar.Finish()
	known := map[latent.Preset]bool{}
	for _, t := range tried {
		known[t.Flow] = true
	}
	var made []*Trial
	for h := firstStep; h >= lastStep; {
		from := best
		for _, p := range neighbors(o.Task, best.Flow, h) {
			if known[p] || !o.takes(o.Task, p) {
				continue
			}
			if left == 0 {
				return made, nil
			}
			left--
			known[p] = true
			t, err := w.score(ctx, s, o.Task, p, digits)
			if err != nil {
				return nil, err
			}
			bar.Add(1)
			made = append(made, t)
			if o.score(y, t).compare(o.score(y, best)) < 0 {
				best = t
			}
		}
		if best == from {
			h /= 2
		}
	}
	return made, nil
}

// choose finds the best of all trials of the subject on all digits; where none
// are drawn, there is no choice, and the preset stands as it is.
func (w *Sweep) choose(ctx context.Context, s *Subject, o *Objective, r *Result) error {
	var last []*Trial
	for _, t := range w.Log.file.Trials {
		if t.Subject == s.Name && t.Digits == w.Digits {
			last = append(last, t)
		}
	}
	ranked := rank(o, r.y, last)
	if len(ranked) == 0 {
		return nil
	}
	win := Winner{Preset: o.Preset, Trial: ranked[0]}
	if p, ok := s.Presets[o.Preset]; ok {
		if o.Task == Restore {
			p.Noise = 0
		}
		win.Before = w.Log.find(&Trial{Subject: s.Name, Task: o.Task, Flow: p, Digits: w.Digits})
		if w.Budget == 0 {
			win.Trial = win.Before
		}
	}
	win.Score = o.score(r.y, win.Trial)
	r.Winners = append(r.Winners, win)
	if o.Preset == "sharp" {
		p := win.Trial.Flow
		p.Alpha = 0
		t, err := w.score(ctx, s, Restore, p, w.Digits)
		if err != nil {
			return err
		}
		r.Ablation = t
	}
	return nil
}
