package latent

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"

	"gorgonia.org/gorgonia"

	"mppm/shared/kde"
	"mppm/shared/latent"
	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/trainer/internal/graph"
	"mppm/trainer/internal/memory"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/run"
)

// Support is what makes D a distance all over the latent space: epochs after the
// joint ones, in which D alone learns. The terms of Eq. 20 show D the codes of noisy
// images, which lie on one sheet of it, and D may be anything elsewhere. That D has
// F lay out the codes so that it can lead them home, and is then replaced: where D
// is a distance while F still learns, F finds it cheaper to hide the damage, which
// leaves nothing to measure.
//
// S, the support of the codes of clean images, is taken to be all that is no
// farther from one of many codes than an image that is none of theirs usually is:
// m, the median. So T(z) = max(0, d(z) − m), with d the distance to the nearest
// code, is the distance of z from S; a clean image that was not trained on is in S
// too. D learns T at points off S, ‖z − F(x)‖ on the way from F(x) to the code z
// of a noisy x, and 0 at F(x), from a part of the training images that changes
// twice an epoch; and the terms of Eq. 20 as before.
type Support struct {
	Epochs   int     `json:"epochs"`   // 0: D stays what the joint epochs made it
	Distance float32 `json:"distance"` // weight of the squared error of D at those points
	Eikonal  float32 `json:"eikonal"`  // weight of (|∇D| − 1)² off S
}

// Sizes of a survey.
const (
	bankCodes  = 10_000 // codes that stand for S
	freshCodes = 2048   // images that are none of theirs
	offPoints  = 8192   // points off S
)

// A survey is what D learns from besides batches of images: codes, and points whose
// distance from S is known.
type survey struct {
	clean, noisy []float32 // codes of the same images, n × dim, n the same in every survey of a run
	off, far     []float32 // points, offPoints × dim, and T at each
	reach        []float32 // m, alone
	dim          int       // numbers of a code
}

// between is the number of steps from one survey to the next.
func (t *Task) between() int { return max(1, t.perEpoch()/2) }

// fresh is how many images of a survey stand for those not trained on.
func (t *Task) fresh() int { return min(freshCodes, max(1, t.set.Train.N/4)) }

// look makes survey number k of the run.
func (t *Task) look(k int) (*survey, error) {
	a, err := t.autoencoder()
	if err != nil {
		return nil, err
	}
	src := rng.New(t.Config.Seed, streamSurvey+uint64(k))
	order := src.Perm(t.set.Train.N)
	n := t.fresh()
	fresh, known := order[:n], order[n:]
	if len(known) == 0 { // a single image
		known = order
	}
	known = known[:min(len(known), bankCodes)]
	noise := src.Uint64()
	s := &survey{clean: t.encode(a, fresh, nil), far: make([]float32, offPoints), reach: make([]float32, 1), dim: t.dim()}
	s.noisy = t.encode(a, fresh, func(y, x []float32, i int) { t.damage(y, x, rng.New(noise, uint64(i))) })
	codes := t.encode(a, known, nil)
	if err := t.set.Train.Err(); err != nil {
		return nil, err
	}
	bank, err := newBank(codes, t.dim())
	if err != nil {
		return nil, fmt.Errorf("the encoder has diverged: %w", err)
	}
	d := make([]float32, n)
	nearest(d, s.clean, bank)
	slices.Sort(d)
	s.reach[0] = max(d[n/2], 1e-6)
	mean, factor, err := Cloud(codes, t.dim())
	if err != nil {
		return nil, err
	}
	s.off = s.scatter(mean, factor, src)
	nearest(s.far, s.off, bank)
	for i, d := range s.far {
		s.far[i] = max(0, d-s.reach[0])
	}
	return s, nil
}

// scatter draws points off S: half of them clean codes that are moved in any
// direction, by 1/4 to 7 times m, the others from a Gaussian with the mean of the
// codes, and 0.8 to 3 times their spread, where generation starts.
func (s *survey) scatter(mean, factor []float32, src *rng.Source) []float32 {
	const (
		least, most  = 0.25, 7
		narrow, wide = 0.8, 3
	)
	off := make([]float32, offPoints*s.dim)
	e := make([]float32, s.dim)
	for i := range offPoints {
		z := s.row(off, i)
		src.FillNorm(e, 1)
		if i%2 == 0 {
			by := float64(s.reach[0]) * least * math.Pow(most/least, src.Float64())
			scale := float32(by / max(norm(e), 1e-12))
			copy(z, s.row(s.clean, src.IntN(len(s.clean)/s.dim)))
			for j, v := range e {
				z[j] += scale * v
			}
			continue
		}
		by := float32(narrow + (wide-narrow)*src.Float64())
		for j := range z {
			z[j] = mean[j]
			for l := range j + 1 {
				z[j] += by * factor[j*s.dim+l] * e[l]
			}
		}
	}
	return off
}

// row is point i of points.
func (s *survey) row(points []float32, i int) []float32 { return row(points, i, s.dim) }

// row is point i of points of dim numbers.
func row(points []float32, i, dim int) []float32 { return points[i*dim : (i+1)*dim] }

func norm(v []float32) float64 {
	var sum float64
	for _, x := range v {
		sum += float64(x * x)
	}
	return math.Sqrt(sum)
}

// encode returns F(x) of the training images whose numbers are given, or F(y) if
// damage makes y of x.
func (t *Task) encode(a *latent.Autoencoder, which []int, damage func(y, x []float32, i int)) []float32 {
	pixels, dim := a.Pixels(), a.Latent()
	codes := make([]float32, len(which)*dim)
	spread(len(which), func(lo, hi int) {
		x, clean := make([]float32, (hi-lo)*pixels), make([]float32, pixels)
		for i := lo; i < hi; i++ {
			at := row(x, i-lo, pixels)
			if damage == nil {
				t.set.Train.Float32(at, which[i])
				continue
			}
			t.set.Train.Float32(clean, which[i])
			damage(at, clean, i)
		}
		a.Coder(memory.Together(64, pixels)).Encode(codes[lo*dim:], x)
	})
	return codes
}

// newBank returns the bank of codes that follow one another.
func newBank(codes []float32, dim int) (*kde.Bank, error) { return kde.New(columns(codes, dim), dim) }

// columns returns codes with a row for each coordinate, as banks have them.
func columns(codes []float32, dim int) []float32 {
	n := len(codes) / dim
	rows := make([]float32, len(codes))
	for i := range n {
		for d, v := range row(codes, i, dim) {
			rows[d*n+i] = v
		}
	}
	return rows
}

// nearest writes to d the distance of each point of z to the nearest code.
func nearest(d, z []float32, bank *kde.Bank) {
	spread(len(d), func(lo, hi int) {
		var ws kde.Workspace
		for i := lo; i < hi; i++ {
			d2, _ := bank.Nearest(row(z, i, bank.Dim()), &ws)
			d[i] = float32(math.Sqrt(float64(d2)))
		}
	})
}

// spread calls f for parts of n things on all processors.
func spread(n int, f func(lo, hi int)) {
	const span = 128
	var wg sync.WaitGroup
	work := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for lo := range work {
				f(lo, min(n, lo+span))
			}
		})
	}
	for lo := 0; lo < n; lo += span {
		work <- lo
	}
	close(work)
	wg.Wait()
}

// probes are the points of one step: where D is known, and where its slope is.
type probes struct {
	points, distances []float32 // count × dim, count
	slopes            []float32 // batch × dim
	losses            [2]float32
}

// newProbes returns those of a batch of n. There are as many points where D is known as
// the batch has images on the way from noisy codes to clean ones, as many off S, and half
// as many clean codes.
func newProbes(n, dim int) *probes {
	count := 2*n + max(1, n/2)
	return &probes{points: make([]float32, count*dim), distances: make([]float32, count), slopes: make([]float32, n*dim)}
}

// draw fills the points of a step.
func (s *survey) draw(p *probes, batch int, src *rng.Source) {
	for i := range batch {
		p.distances[i] = s.homeward(s.row(p.points, i), 0, src)
		p.distances[batch+i] = s.outside(s.row(p.points, batch+i), 0, src)
	}
	for i := 2 * batch; i < len(p.distances); i++ {
		copy(s.row(p.points, i), s.row(s.clean, src.IntN(len(s.clean)/s.dim)))
		p.distances[i] = 0
	}
	// On S and at its edge the slope is that of a kink.
	least := s.reach[0] / 10
	for i := range batch {
		if i%4 == 0 {
			s.homeward(s.row(p.slopes, i), least, src)
		} else {
			s.outside(s.row(p.slopes, i), least, src)
		}
	}
}

// tries bounds the search for a point that is far enough away: early in a run
// there may be none.
const tries = 20

// homeward writes to z a noisy code, or a point between it and the clean one, that
// is at least so far from that, and returns how far.
func (s *survey) homeward(z []float32, least float32, src *rng.Source) float32 {
	for try := 1; ; try++ {
		i := src.IntN(len(s.clean) / s.dim)
		t := float32(1)
		if src.Uint64()&1 == 1 {
			t = src.Float32()
		}
		from := s.row(s.clean, i)
		for j, v := range s.row(s.noisy, i) {
			z[j] = t * (v - from[j])
		}
		d := float32(norm(z))
		for j, v := range from {
			z[j] += v
		}
		if d >= least || try == tries {
			return d
		}
	}
}

// outside writes to z a point off S with a T of at least so much, and returns T.
func (s *survey) outside(z []float32, least float32, src *rng.Source) float32 {
	for try := 1; ; try++ {
		i := src.IntN(len(s.far))
		if s.far[i] >= least || try == tries {
			copy(z, s.row(s.off, i))
			return s.far[i]
		}
	}
}

// Inputs of a step of D alone.
const (
	inPictures = iota // batch × pixels: what the codes are of
	inStar            // batch × dim: z*
	inZ               // batch × dim: z, of the same with noise
)

// buildDistance makes the graph of a step that trains D alone, on n images.
func (t *Task) buildDistance(n int) (*run.Step, error) {
	b, pixels, dim := t.builder(t.part(t.G, t.d)), t.pixels(), t.dim()
	x, z, zStar := make([]float32, n*pixels), make([]float32, n*dim), make([]float32, n*dim)
	t.probes = newProbes(n, dim)
	clean := b.Matrix("clean", n, pixels, x)
	codes, noisy := b.Matrix("codes", n, dim, zStar), b.Matrix("noisy codes", n, dim, z)
	one := b.Ones(n)
	terms := append(b.eq20(one, codes, noisy, clean, false), b.support(t.probes, n, one)...)
	c := t.Config
	weights := append(slices.Delete(slices.Clone(c.Lambda[:]), 1, 2), c.Support.Distance, c.Support.Eikonal)
	loss := b.Do(func() (*gorgonia.Node, error) { return graph.WeightedSum(weights, terms...) })
	g, err := run.NewGraph(b.Builder, loss, t.part(t.d), t.sum)
	return &run.Step{Inputs: [][]float32{inPictures: x, inStar: zStar, inZ: z}, Graphs: []*run.Graph{g}, Prepare: t.probe}, err
}

// beginDistance has the codes z* of the clean images, and makes those z of noisy ones.
func (t *Task) beginDistance(ctx context.Context, _ *run.Step) (run.Fill, error) {
	if s := t.survey; s != nil && !(s.reach[0] > 0) {
		return nil, errors.New("the checkpoint's tensor survey.reach must be more than 0")
	}
	codes, err := t.codes(ctx)
	if err != nil {
		return nil, err
	}
	a, err := t.autoencoder()
	if err != nil {
		return nil, err
	}
	n := t.Config.Batch
	coder, noisy := a.Coder(n), make([]float32, n*t.pixels())
	return func(batch [][]float32, which []int, step int) error {
		t.pick(batch[inPictures], batch[inStar], which, codes)
		t.spoil(noisy, batch[inPictures], step)
		coder.Encode(batch[inZ], noisy)
		return t.set.Train.Err()
	}, nil
}

// probe fills the points of a step, after a new survey if it is time for one.
func (t *Task) probe(step int) error {
	if done := step - t.perEpoch()*t.Config.Epochs; t.survey == nil || done%t.between() == 0 {
		var err error
		if t.survey, err = t.look(done / t.between()); err != nil {
			return err
		}
	}
	t.survey.draw(t.probes, t.Config.Batch, rng.New(t.Config.Seed, streamProbes+uint64(step)))
	return nil
}

// support adds the terms of Support to a graph, for batches of n images; one is n
// ones.
func (b *builder) support(p *probes, n int, one *gorgonia.Node) []*gorgonia.Node {
	count, dim := len(p.distances), b.dim()
	d := b.distance(b.Matrix("points", count, dim, p.points)).Out()
	known := b.Matrix("distances", count, 1, p.distances)
	grad := b.distance(b.Matrix("slopes", n, dim, p.slopes)).Gradient(one)
	zero := b.Matrix("zero", n, dim, make([]float32, n*dim))
	terms := []*gorgonia.Node{
		b.SquaredError(d, known),
		b.Do(func() (*gorgonia.Node, error) { return graph.DistanceError(one, grad, zero) }),
	}
	for i, name := range []string{"distance", "eikonal"} {
		b.Keep(name, terms[i], p.losses[i:i+1])
	}
	return terms
}

// surveyed reports whether the run goes on with a survey that it has made.
func (t *Task) surveyed() bool {
	done := t.Step - t.perEpoch()*t.Config.Epochs
	return done > 0 && done < t.perEpoch()*t.Config.Support.Epochs
}

// newSurvey returns a survey with room for n codes of dim numbers.
func newSurvey(n, dim int) *survey {
	return &survey{
		clean: make([]float32, n*dim), noisy: make([]float32, n*dim), dim: dim,
		off: make([]float32, offPoints*dim), far: make([]float32, offPoints), reach: make([]float32, 1),
	}
}

// buffers returns the survey that a run which is resumed between two goes on with.
func (t *Task) buffers() []optim.Buffer {
	if !t.surveyed() {
		return nil
	}
	s := t.survey
	n := len(s.clean) / s.dim
	var all []optim.Buffer
	for _, b := range []struct {
		name  string
		data  []float32
		shape []int
	}{
		{"clean", s.clean, []int{n, s.dim}}, {"noisy", s.noisy, []int{n, s.dim}},
		{"off", s.off, []int{offPoints, s.dim}}, {"far", s.far, []int{offPoints}}, {"reach", s.reach, []int{1}},
	} {
		all = append(all, optim.Buffer{Spec: nn.Spec{Name: "survey." + b.name, Shape: b.shape}, Data: b.data})
	}
	return all
}
