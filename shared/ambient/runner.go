package ambient

import (
	"iter"

	"mppm/shared/ddpm"
	"mppm/shared/flow"
	"mppm/shared/kde"
	"mppm/shared/nn"
	"mppm/shared/rng"
)

// Runner computes with a model. Points are rows of Dim numbers in the model's
// coordinates. It holds the workspaces of the nets and is not safe for
// concurrent use.
//
// It takes whole points: n is how many of them all of a method's slices have room for, and
// what is behind those stays as it is. Who cannot be sure of theirs asks CheckPoints first.
type Runner struct {
	*Model
	batch      int
	f, g       *nn.Runner
	d          *nn.FieldRunner
	daeF, daeG *nn.Runner
	predictor  *ddpm.Runner
	codes      []float32 // of a batch, on their way from an encoder to a decoder

	bank *kde.Bank // what the kernel mean sums over
	of   samples   // what it was drawn for
	kde  kde.Workspace
}

// samples is what the samples of the kernel mean depend on.
type samples struct {
	sigma float32
	n     int
	seed  uint64
}

// Runner returns a runner that computes at most batch ≥ 1 points at a time.
func (m *Model) Runner(batch int) *Runner {
	r := &Runner{Model: m, batch: max(batch, 1)}
	r.f, r.g, r.d = m.f.Runner(r.batch), m.g.Runner(r.batch), m.d.Runner(r.batch)
	r.daeF, r.daeG = m.daeF.Runner(r.batch), m.daeG.Runner(r.batch)
	r.predictor = m.denoiser.Runner(r.batch)
	r.codes = make([]float32, r.batch*max(m.Latent, m.daeF.Out().Size()))
	return r
}

// Encode writes to z (n × Latent) the codes F(x) of points x (n × Dim).
func (r *Runner) Encode(z, x []float32) { r.f.Forward(z, x) }

// Decode writes to x (n × Dim) the points G(z) of codes z (n × Latent).
func (r *Runner) Decode(x, z []float32) { r.g.Forward(x, z) }

// Project writes to y the projections x* = G(F(x)) of points x (Eq. 18), both
// n × Dim. y may be x.
func (r *Runner) Project(y, x []float32) { r.through(y, x, r.f, r.g) }

// DAE writes to y what the denoising autoencoder makes of points x, both
// n × Dim. y may be x.
func (r *Runner) DAE(y, x []float32) { r.through(y, x, r.daeF, r.daeG) }

func (r *Runner) through(y, x []float32, f, g *nn.Runner) {
	x = x[:min(len(x), len(y))]
	for n := len(x) / r.Dim; n > 0; n = len(x) / r.Dim {
		n = min(n, r.batch)
		z := r.codes[:n*f.Out().Size()]
		f.Forward(z, x[:n*r.Dim])
		g.Forward(y, z)
		x, y = x[n*r.Dim:], y[n*r.Dim:]
	}
}

// Distance writes to d (n) the learned distance of each point of x (n × Dim) to
// the manifold, cut off below at 0, and to grad (n × Dim) its unit gradient
// (Eq. 14), or 0 where there is none. grad may be nil.
func (r *Runner) Distance(d, grad, x []float32) {
	n := min(len(x)/r.Dim, len(d))
	if grad != nil {
		n = min(n, len(grad)/r.Dim)
		grad = grad[:n*r.Dim]
	}
	r.d.Evaluate(d, grad, x[:n*r.Dim])
	for i, v := range d[:n] {
		d[i] = max(v, 0)
	}
	flow.Unit(grad, r.Dim)
}

// Samples returns the bank of the points G(z_i) that the kernel mean of a flow
// sums over: for each code z_α, p.Samples draws z_i from a normal distribution
// around it of deviation σ_ker (Eq. 24). It is kept until another σ_ker, number
// or seed is asked for. It returns an error if p is not valid.
func (r *Runner) Samples(p Preset) (*kde.Bank, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	want := samples{p.SigmaKer, p.Samples, p.Seed}
	if r.bank != nil && r.of == want {
		return r.bank, nil
	}
	n := len(r.Codes) / r.Latent
	z := make([]float32, n*p.Samples*r.Latent)
	sigma := float32(p.SigmaKer * r.Spread)
	for a := range n {
		src := rng.New(p.Seed, uint64(a))
		code := r.Codes[a*r.Latent : (a+1)*r.Latent]
		at := z[a*p.Samples*r.Latent : (a+1)*p.Samples*r.Latent]
		src.FillNorm(at, sigma)
		for i := range at {
			at[i] += code[i%r.Latent]
		}
	}
	x := make([]float32, n*p.Samples*r.Dim)
	r.Decode(x, z)
	rows := make([]float32, len(x)) // the bank has a row for each coordinate
	for i, v := range x {
		rows[i%r.Dim*n*p.Samples+i/r.Dim] = v
	}
	bank, err := kde.New(rows, r.Dim)
	if err != nil {
		return nil, err
	}
	r.bank, r.of, r.kde = bank, want, kde.Workspace{}
	return bank, nil
}

// Mean writes to mean the kernel mean Ḡ(x) of each point of x, both n × Dim:
// Eq. 19, whose sums run over the samples of all training points together, as
// Eq. 8 and 12 have it:
//
//	Ḡ(x) = Σ_i G(z_i)·exp(−‖x−G(z_i)‖²/2σ_d²) / Σ_i exp(−‖x−G(z_i)‖²/2σ_d²)
//
// The largest exponent is taken out of both sums (log-sum-exp), so that the mean
// exists however far x is. It returns an error if p is not valid.
func (r *Runner) Mean(mean, x []float32, p Preset) error {
	bank, err := r.Samples(p)
	if err != nil {
		return err
	}
	bank.Mean(mean, x, p.SigmaD, &r.kde)
	return nil
}

// Flow flows the points x (n × Dim) in place, and yields the start and every
// step (Alg. 1). It returns an error if p is not valid, or x is not a whole
// number of finite points.
func (r *Runner) Flow(x []float32, p Preset) (iter.Seq[flow.Step], error) {
	bank, err := r.Samples(p)
	if err != nil {
		return nil, err
	}
	if err := r.CheckPoints(x); err != nil {
		return nil, err
	}
	return flow.Run(field{r, bank, p.SigmaD}, p.flow(), x)
}

// field is a runner seen as a flow's field, for one kernel.
type field struct {
	r     *Runner
	bank  *kde.Bank
	sigma float32
}

func (f field) Dim() int                      { return f.r.Dim }
func (f field) Mean(mean, x []float32)        { f.bank.Mean(mean, x, f.sigma, &f.r.kde) }
func (f field) Distance(d, grad, x []float32) { f.r.Distance(d, grad, x) }

// DDPM takes the points x (n × Dim) back through the last so many steps of the
// diffusion, in place, and yields the start and every step (Alg. 3). Point i
// draws from sources[i] alone. x must be as diffusion has it after that many
// steps: Schedule.Enter scales points with added noise, Schedule.Match says how
// many steps give so much. All Len steps from standard normal noise generate. It
// returns an error if steps is out of range, or x is not one finite point for
// each source.
func (r *Runner) DDPM(x []float32, steps int, sources []*rng.Source) (iter.Seq[ddpm.Step], error) {
	if err := r.CheckPoints(x); err != nil {
		return nil, err
	}
	return r.Schedule.Run(r.predictor, steps, x, sources)
}
