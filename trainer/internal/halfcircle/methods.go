package halfcircle

import (
	"mppm/shared/ambient"
	"mppm/shared/rng"
	task "mppm/trainer/internal/task/ambient"
)

// Method is one row of the table: it restores points with the nets of a run.
type Method struct {
	Name string
	Nets string // the training that its nets come from: a key of Trainings
	// Restore restores n points y in place, which have noise of a deviation sigma;
	// seed is that of what it draws.
	Restore func(r *ambient.Runner, y []float32, sigma float32, seed uint64) error
	// In says which columns the method is in; nil: all. After all steps of the
	// diffusion nothing is left of where a point started, so that one noise, and one
	// set of starts, stands for the others.
	In func(Column) bool
}

// Methods are the rows of the table.
func Methods() []Method {
	// The flows are the program's, not the file's: nets may be older than they.
	preset := func(p ambient.Preset, change func(*ambient.Preset)) func(*ambient.Runner, []float32, float32, uint64) error {
		if change != nil {
			change(&p)
		}
		return func(r *ambient.Runner, y []float32, _ float32, _ uint64) error { return finish(r.Flow(y, p)) }
	}
	ours, paper := task.Default().Flow, task.PaperFlow()
	dae := func(r *ambient.Runner, y []float32, _ float32, _ uint64) error {
		r.DAE(y, y)
		return nil
	}
	project := func(r *ambient.Runner, y []float32, _ float32, _ uint64) error {
		r.Project(y, y)
		return nil
	}
	return []Method{
		{Name: "noisy points, as they are", Nets: Ours, Restore: func(*ambient.Runner, []float32, float32, uint64) error { return nil }},
		{Name: "DAE", Nets: Ours, Restore: dae},
		{Name: "DDPM, from the step with that noise", Nets: Ours, Restore: matched},
		{Name: "DDPM, all steps from the noisy point", Nets: Ours, Restore: direct, In: func(c Column) bool { return c.Sigma == 0.2 }},
		{Name: "DDPM, all steps from pure noise", Nets: Ours, Restore: generate, In: func(c Column) bool { return c == figureNoise }},
		{Name: "MPPM", Nets: Ours, Restore: preset(ours, nil)},
		{Name: "MPPM, distance alone (β = 0)", Nets: Ours, Restore: preset(ours, func(p *ambient.Preset) { p.Beta = 0 })},
		{Name: "MPPM, kernel alone (α = 0)", Nets: Ours, Restore: preset(ours, func(p *ambient.Preset) { p.Alpha = 0 })},
		{Name: "MPPM's nets, no flow: G(F(x))", Nets: Ours, Restore: project},
		{Name: "MPPM, flow of Table 10", Nets: Ours, Restore: preset(paper, nil)},
		{Name: "MPPM, flow of Table 10, no tolerance", Nets: Ours, Restore: preset(paper, func(p *ambient.Preset) { p.Tolerance = 0 })},
		{Name: "DAE", Nets: Theirs, Restore: dae},
		{Name: "DDPM, from the step with that noise", Nets: Theirs, Restore: matched},
		{Name: "MPPM's nets, no flow: G(F(x))", Nets: Theirs, Restore: project},
		{Name: "MPPM, flow of Table 10", Nets: Theirs, Restore: preset(paper, nil)},
		{Name: "MPPM, flow of Table 10, no tolerance", Nets: Theirs, Restore: preset(paper, func(p *ambient.Preset) { p.Tolerance = 0 })},
		{Name: "MPPM, default flow", Nets: Theirs, Restore: preset(ours, nil)},
	}
}

// finish runs a sequence of steps to its end.
func finish[S any](steps func(func(S) bool), err error) error {
	if err != nil {
		return err
	}
	for range steps {
	}
	return nil
}

func sources(n int, seed uint64) []*rng.Source {
	all := make([]*rng.Source, n)
	for i := range all {
		all[i] = rng.New(seed, streamDiffusion+uint64(i))
	}
	return all
}

// matched starts at the step after which diffusion has points as noisy as these:
// the method is told the noise.
func matched(r *ambient.Runner, y []float32, sigma float32, seed uint64) error {
	steps := r.Schedule.Match(float64(sigma))
	r.Schedule.Enter(y, steps)
	return finish(r.DDPM(y, steps, sources(len(y)/r.Dim, seed)))
}

// direct takes the noisy point for x_T.
func direct(r *ambient.Runner, y []float32, _ float32, seed uint64) error {
	return finish(r.DDPM(y, r.Schedule.Len(), sources(len(y)/r.Dim, seed)))
}

// generate is Alg. 3 to the letter: x_T is noise, and the noisy point does not
// matter.
func generate(r *ambient.Runner, y []float32, _ float32, seed uint64) error {
	rng.New(seed, streamStart).FillNorm(y, 1)
	return direct(r, y, 0, seed)
}
