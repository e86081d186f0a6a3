package unet

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"gorgonia.org/gorgonia"

	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/trainer/internal/curves"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/graph"
	"mppm/trainer/internal/netgraph"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/run"
	"mppm/trainer/internal/spoil"
)

// Streams of the seed: what is drawn for one purpose never depends on how much was
// drawn for another, so a run resumes from its step number alone.
const (
	streamInit   = 1 << 40 // + the number of the parameter
	streamOrder  = 2 << 40 // + the epoch
	streamDamage = 3 << 40 // + the number of the image since the start of the run
	streamBank   = 4 << 40
	streamChart  = 5 << 40
	streamAlone  = 6 << 40 // + the epoch of D alone
	streamCodes  = 7 << 40 // + the number of the code that D learns from
	streamPoints = 8 << 40 // + the number of the point since the start of the run
	streamLocal  = 9 << 40 // + the epoch of the distance at each pixel
)

// Task is the nets in training.
type Task struct {
	state
	*nets
	// From, unless it is "", is the folder of a run of the same nets that a new run takes
	// them from.
	From    string
	set     *dataset.Set
	params  []*optim.Parameter
	buffers []optim.Buffer
	losses
}

// losses are what the last step left: 0 but for the part that is under way.
type losses struct {
	terms [Terms]float32 // of Eq. 20
	slope [1]float32     // of D alone: how far |∇D| was from 1, squared
	local [1]float32     // of L
}

// state is the metadata of a checkpoint. Sums, Slope and Local are those of the epoch
// under way.
type state struct {
	Config    Config            `json:"config"`
	Step      int               `json:"step"`
	History   []Record          `json:"history"`
	Sums      [Terms]float64    `json:"sums"`
	Slope     float64           `json:"slope,omitempty"`
	Local     float64           `json:"local,omitempty"`
	Checksums map[string]string `json:"checksums"`
}

// Record is the loss of one epoch: the mean of each term of Eq. 20, before its weight.
// The loss of a denoising autoencoder is the second of them.
type Record struct {
	Terms [Terms]float64 `json:"terms"`
	Slope float64        `json:"slope,omitempty"` // mean of (|∇D| − 1)², where D learns alone
	Local float64        `json:"local,omitempty"` // mean squared error of L, summed over the pixels
}

// New returns the task of training with c on a set, or, for a run that is resumed, with
// whatever its checkpoint says.
func New(c Config, set *dataset.Set) *Task { return &Task{state: state{Config: c}, set: set} }

// CheckpointKind is the kind of the checkpoints.
const CheckpointKind = "unet-checkpoint"

// Kind returns CheckpointKind.
func (t *Task) Kind() string { return CheckpointKind }

// State returns the metadata of a checkpoint.
func (t *Task) State() (any, *int) { return &t.state, &t.Step }

// Data returns the set that is trained on.
func (t *Task) Data() *dataset.Set { return t.set }

// Plan draws the parameters, and makes the chart of the data. It returns an error if the
// data is not that of the checkpoint.
func (t *Task) Plan(string) (*run.Plan, error) {
	c := t.Config
	if err := optim.CheckData(t.Checksums, t.set.Checksums); err != nil {
		return nil, err
	}
	if err := c.Validate(t.set.Train.N); err != nil {
		return nil, err
	}
	var err error
	if t.nets, err = c.nets(); err != nil {
		return nil, err
	}
	if got := t.set.Train.Pixels(); got != t.F.In().Size() {
		return nil, fmt.Errorf("the images of the data have %d numbers; the encoder takes images of %v", got, t.F.In())
	}
	if err := optim.Fits(netgraph.Specs(t.all()...)); err != nil {
		return nil, err
	}
	resumed := t.Checksums != nil
	t.Checksums = t.set.Checksums
	t.params = netgraph.Parameters(c.Seed, streamInit, t.all()...)
	t.buffers = netgraph.Buffers(t.all()...)
	switch {
	case resumed:
	case t.From != "":
		if err := t.begun(); err != nil {
			return nil, err
		}
	case c.Chart > 0:
		if err := chart(context.Background(), t.nets, t.byName(), &t.set.Train, c.Seed); err != nil {
			return nil, err
		}
	}
	return &run.Plan{
		Things: t.set.Train.N, Batch: c.Batch, Seed: c.Seed, Rate: c.Rate, Params: t.params,
		Parts: []run.Part{
			{Epochs: c.Epochs, Order: streamOrder, Build: t.build, Begin: t.begin},
			{Epochs: c.Alone, Order: streamAlone, Build: t.buildAlone, Begin: t.beginAlone},
			{Epochs: c.Local, Order: streamLocal, Build: t.buildLocal, Begin: t.beginLocal},
		},
		Beside:  int64(t.pairCount()) * int64(8*c.Latent),
		Buffers: func() []optim.Buffer { return t.buffers },
	}, nil
}

// begun takes the nets of the run in From. L may be new.
func (t *Task) begun() error {
	c, err := optim.Open(t.From)
	if err != nil {
		return err
	}
	if err := c.State(CheckpointKind, new(state)); err != nil {
		return err
	}
	params := t.params
	if t.L != nil && !c.Has(t.L.Specs()[0].Name) {
		params = params[:len(params)-len(t.L.Specs())] // L is the last
	}
	if err := c.Parameters(params); err != nil {
		return err
	}
	return c.Buffers(t.buffers)
}

func (t *Task) byName() map[string]*optim.Parameter {
	m := map[string]*optim.Parameter{}
	for _, p := range t.params {
		m[p.Name] = p
	}
	return m
}

// learning returns the parameters of some of the nets, without the chart's.
func (t *Task) learning(nets ...*nn.Net) []*optim.Parameter {
	specs := netgraph.Specs(nets...)
	var params []*optim.Parameter
	for _, p := range t.params {
		layer := p.Name[:strings.LastIndex(p.Name, ".")]
		if !slices.Contains(frozen, layer) && slices.ContainsFunc(specs, func(s nn.Spec) bool { return s.Name == p.Name }) {
			params = append(params, p)
		}
	}
	return params
}

// EndEpoch puts the mean of each term over the epoch on record.
func (t *Task) EndEpoch() (string, error) {
	rec, n := Record{t.Sums, t.Slope, t.Local}, float64(t.set.Train.N/t.Config.Batch)
	for i := range rec.Terms {
		rec.Terms[i] /= n
	}
	rec.Slope /= n
	rec.Local /= n
	t.History = append(t.History, rec)
	t.Sums, t.Slope, t.Local = [Terms]float64{}, 0, 0
	return fmt.Sprintf("epoch %d/%d loss %.3f", len(t.History), t.Config.Epochs+t.Config.Alone+t.Config.Local, t.loss(rec)), nil
}

// loss is what the steps of an epoch went down.
func (t *Task) loss(r Record) float64 {
	if t.Config.DAE {
		return r.Terms[1]
	}
	sum := float64(t.Config.Eikonal)*r.Slope + r.Local
	for i, v := range r.Terms {
		sum += float64(t.Config.Lambda[i]) * v
	}
	return sum
}

// Curves returns a curve of each term of the loss.
func (t *Task) Curves() (curves.Axes, []curves.Line) {
	names := []string{"λ1: D = ‖z − z*‖", "λ2: G(Ŝ(z*), z*) = x", "λ3: D(z*) = 0", "λ4: D ≥ 0", "λ5: z_shift = z*", "λ6: G(S, z_shift) = x", "slope of D = 1", "L = distance at the pixel"}
	title := "Terms of the loss (Eq. 20)"
	if t.Config.DAE {
		names[1], title = "G(F(damaged)) = x", "Squared error, summed over the pixels"
	}
	var lines []curves.Line
	for i, name := range names {
		l := curves.Line{Name: name}
		for e, rec := range t.History {
			if v := append(rec.Terms[:Terms:Terms], rec.Slope, rec.Local)[i]; v != 0 { // an epoch has what is learnt in it
				l.X, l.Y = append(l.X, float64(e+1)), append(l.Y, v)
			}
		}
		if l.X != nil {
			lines = append(lines, l)
		}
	}
	return curves.Axes{Title: title, X: "epoch", Y: "mean over the epoch", LogY: true}, lines
}

// Inputs of a step of the joint part. A batch has n damaged images, and after them,
// but for a denoising autoencoder, the first half of them clean: so batch norm sees both.
const (
	inImages = iota // (n + half) × pixels
	inClean         // n × pixels: what the damaged ones are to become
	inMasks         // and on: for each skip (n + half) × its pixels, how far S counts against Ŝ
)

// half is how many clean images there are beside n damaged ones.
func half(n int) int { return max(1, n/2) }

// build makes the graph of Eq. 20 for n images, or that of the denoising autoencoder.
//
// The first term and the fifth are of the images that are clean in the batch too. A clean
// image is decoded from its code alone, G(Ŝ(z*), z*); a damaged one after a step along
// the distance, with skips that are its own in some places and projections in others.
func (t *Task) build(n int) (*run.Step, error) {
	t.losses = losses{}
	params := t.learning(t.joint()...)
	b := netgraph.New(t.params)
	pixels := t.F.In().Size()
	if t.Config.DAE {
		x, clean := make([]float32, n*pixels), make([]float32, n*pixels)
		f := b.Apply(t.F, b.Matrix("images", n, pixels, x))
		var skips []*gorgonia.Node
		for _, name := range t.Skips() {
			skips = append(skips, f.Kept(name))
		}
		y := b.Apply(t.G, f.Out(), skips...).Out()
		loss := b.SquaredError(y, b.Matrix("clean", n, pixels, clean))
		b.Keep("error", loss, t.terms[1:2])
		g, err := run.NewGraph(b, loss, params, t.sum)
		return &run.Step{Inputs: [][]float32{inImages: x, inClean: clean}, Graphs: []*run.Graph{g}}, err
	}
	k := half(n)
	do := b.Do
	inputs := [][]float32{inImages: make([]float32, (n+k)*pixels), inClean: make([]float32, n*pixels)}
	f := b.Apply(t.F, b.Matrix("images", n+k, pixels, inputs[inImages]))
	clean := b.Matrix("clean", n, pixels, inputs[inClean])
	rows := func(x *gorgonia.Node, first, count int) *gorgonia.Node {
		return do(func() (*gorgonia.Node, error) { return graph.Rows(x, first, count) })
	}
	z, zStar := rows(f.Out(), 0, n), rows(f.Out(), n, k)
	at, dStar := b.Apply(t.d, z), b.Apply(t.d, zStar).Out()
	d, grad := at.Out(), at.Gradient(b.Ones(n))
	shift := do(func() (*gorgonia.Node, error) { return graph.Shift(z, d, grad) })
	codes := do(func() (*gorgonia.Node, error) { return graph.Stack(shift, zStar) })
	projected := b.Apply(t.P, codes)
	var skips []*gorgonia.Node
	for i, name := range t.Skips() {
		s := t.G.Shape(t.G.Inputs()[i+1])
		mask := make([]float32, (n+k)*s.H*s.W)
		inputs = append(inputs, mask)
		m := b.Matrix(fmt.Sprintf("mask.%d", i), n+k, s.H*s.W, mask)
		skips = append(skips, do(func() (*gorgonia.Node, error) { return graph.Mix(f.Kept(name), projected.Kept(name), m) }))
	}
	y := b.Apply(t.G, codes, skips...).Out()
	early := rows(z, 0, k)
	terms := []*gorgonia.Node{
		do(func() (*gorgonia.Node, error) { return graph.DistanceError(rows(d, 0, k), early, zStar) }),
		b.SquaredError(rows(y, n, k), rows(clean, 0, k)),
		b.SquaredError(dStar, nil),
		b.NegativePart(dStar, d),
		b.SquaredError(rows(shift, 0, k), zStar),
		b.SquaredError(rows(y, 0, n), clean),
	}
	for i, term := range terms {
		b.Keep(fmt.Sprintf("term %d", i+1), term, t.terms[i:i+1])
	}
	loss := do(func() (*gorgonia.Node, error) { return graph.WeightedSum(t.Config.Lambda[:], terms...) })
	g, err := run.NewGraph(b, loss, params, t.sum)
	return &run.Step{Inputs: inputs, Graphs: []*run.Graph{g}}, err
}

// sum puts the terms of a step's loss on record.
func (t *Task) sum(step int) error {
	for i, v := range t.terms {
		if err := run.Diverged(fmt.Sprintf("term %d of the loss", i+1), float64(v), step); err != nil {
			return err
		}
		t.Sums[i] += float64(v)
	}
	t.Slope += float64(t.slope[0])
	t.Local += float64(t.local[0])
	return run.Diverged("the loss of the distance at each pixel", float64(t.local[0]), step)
}

// begin returns what fills a batch of the joint part.
func (t *Task) begin(context.Context, *run.Step) (run.Fill, error) {
	s, err := spoil.New(t.Config.Damage, t.F.In(), t.Config.Noise)
	if err != nil {
		return nil, err
	}
	pixels := t.F.In().Size()
	raw := make([]float32, t.Config.Batch*pixels)
	in := t.F.In()
	d, square := make([]float32, in.H*in.W), make([]float32, in.H*in.W)
	return func(batch [][]float32, which []int, step int) error {
		n := len(which)
		t.set.Train.Fill(raw, which)
		for i := range n {
			src := rng.New(t.Config.Seed, streamDamage+uint64(step*n+i))
			clean := batch[inClean][i*pixels : (i+1)*pixels]
			vary(clean, raw[i*pixels:(i+1)*pixels], t.F.In(), src)
			damaged := batch[inImages][i*pixels : (i+1)*pixels]
			s.Apply(damaged, clean, src)
			if !t.Config.DAE {
				t.mask(batch[inMasks:], i, func() []float32 {
					offBy(d, damaged, clean, square, in)
					return d
				}, src)
			}
		}
		if !t.Config.DAE {
			k := half(n)
			copy(batch[inImages][n*pixels:], batch[inClean][:k*pixels])
			for _, m := range batch[inMasks:] {
				clear(m[n*len(m)/(n+k):])
			}
		}
		return t.set.Train.Err()
	}, nil
}

// vary writes to y the image x, in half of all cases in a mirror, and moved by up to a
// 32nd of its side: its edge follows.
func vary(y, x []float32, s nn.Shape, src *rng.Source) {
	mirror := src.Uint64()&1 == 1
	reach := max(s.H, s.W) / 32
	down, right := src.IntN(2*reach+1)-reach, src.IntN(2*reach+1)-reach
	for r := range s.H {
		from := min(max(r+down, 0), s.H-1) * s.W
		for c := range s.W {
			k := min(max(c+right, 0), s.W-1)
			if mirror {
				k = s.W - 1 - k
			}
			copy(y[(r*s.W+c)*s.C:(r*s.W+c+1)*s.C], x[(from+k)*s.C:])
		}
	}
}

// mask draws how far the skips of image i of a batch count: all, not at all, all of one
// weight, in some places, or where the image is as it was: off says how far each pixel is
// from that. So the projections learn to stand in for any of them.
func (t *Task) mask(masks [][]float32, i int, off func() []float32, src *rng.Source) {
	in := t.F.In()
	full := make([]float32, in.H*in.W)
	kind := src.Float64()
	weight := src.Float32()
	switch {
	case kind < 0.6:
		weight = 1
	case kind < 0.66:
		weight = 0
	}
	for p := range full {
		full[p] = weight
	}
	if kind >= 0.88 {
		reach := float32(0.03 * math.Pow(20, src.Float64()))
		for p, v := range off() {
			full[p] = reach * reach / (reach*reach + v*v)
		}
	}
	if kind >= 0.76 && kind < 0.88 { // holes of any size
		for p := range full {
			full[p] = 1
		}
		for range 1 + src.IntN(6) {
			h, w := 1+int(float64(in.H)*(0.05+0.5*src.Float64())), 1+int(float64(in.W)*(0.05+0.5*src.Float64()))
			top, left := src.IntN(in.H), src.IntN(in.W)
			for r := top; r < min(in.H, top+h); r++ {
				for c := left; c < min(in.W, left+w); c++ {
					full[r*in.W+c] = 0
				}
			}
		}
	}
	h, w := in.H, in.W
	for k, m := range masks {
		if k > 0 {
			h, w = halve(full, h, w)
		}
		copy(m[i*h*w:(i+1)*h*w], full[:h*w])
	}
}

// halve averages pairs of rows and columns in place, and returns the smaller size.
func halve(m []float32, h, w int) (int, int) {
	h2, w2 := h/2, w/2
	for r := range h2 {
		for c := range w2 {
			p := 2*r*w + 2*c
			m[r*w2+c] = (m[p] + m[p+1] + m[p+w] + m[p+w+1]) / 4
		}
	}
	return h2, w2
}
