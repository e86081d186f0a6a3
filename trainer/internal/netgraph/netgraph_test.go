package netgraph

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"mppm/shared/flow"
	"mppm/shared/nn"
	"mppm/shared/nn/nntest"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
	"mppm/shared/unet"
	"mppm/trainer/internal/graph"
	"mppm/trainer/internal/optim"
)

// file returns what a weights file has of parameters and buffers.
func file(t testing.TB, params []*optim.Parameter, buffers []optim.Buffer, eight bool) *safetensors.File {
	t.Helper()
	f := new(safetensors.File)
	if err := optim.Export(f, !eight, params, buffers...); err != nil {
		t.Fatal(err)
	}
	return f
}

func run(t testing.TB, b *Builder) {
	t.Helper()
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	vm := gorgonia.NewTapeMachine(b.Graph)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
}

// evaluate loads a net and computes it.
func evaluate(t testing.TB, n *nn.Net, f *safetensors.File, x []float32, further ...[]float32) []float32 {
	t.Helper()
	fn, err := n.Load(f)
	if err != nil {
		t.Fatal(err)
	}
	y := make([]float32, len(x)/n.In().Size()*n.Out().Size())
	fn.Runner(3).Forward(y, x, further...)
	return y
}

func near(t testing.TB, what string, got, want []float32) {
	t.Helper()
	wide := make([]float64, len(want))
	for i, v := range want {
		wide[i] = float64(v)
	}
	nntest.Near(t, what, got, wide, 1e-4)
}

// TestMatchesShared: the graph of each kind of layer makes what the loaded net does,
// if that has for batch norm the means and variances of the batch.
func TestMatchesShared(t *testing.T) {
	f, g, u := nntest.Unplanned(t)
	const rows = 5
	for i, n := range []*nn.Net{f, g, u} {
		params, buffers := Parameters(1, 0, n), Buffers(n)
		r := rng.New(2, uint64(i))
		for _, p := range params {
			if strings.Contains(p.Name, "norm") {
				for k := range p.Data {
					p.Data[k] += 0.3 * r.Float32()
				}
			}
		}
		b := New(params)
		x := make([]float32, rows*n.In().Size())
		r.FillNorm(x, 1)
		values := b.Apply(undropped(t, n), b.Matrix("x", rows, n.In().Size(), x))
		got := make([]float32, rows*n.Out().Size())
		b.Keep("y", values.Out(), got)
		run(t, b)
		for _, k := range b.norms {
			for _, f := range buffers {
				switch f.Name {
				case k.name + ".running_mean":
					copy(f.Data, k.mean)
				case k.name + ".running_var":
					copy(f.Data, k.variance)
				}
			}
		}
		near(t, "output", got, evaluate(t, n, file(t, params, buffers, false), x))
	}
}

// undropped returns a net without its dropout, which the net as it is used has not
// either.
func undropped(t testing.TB, n *nn.Net) *nn.Net {
	t.Helper()
	layers := slices.DeleteFunc(n.Layers(), func(l nn.Layer) bool { _, ok := l.(nn.Dropout); return ok })
	n, err := nn.New(n.In(), layers...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestParameters: batch norm starts from γ = 1 and β = 0, means of 0 and variances
// of 1, and all else is drawn as ever.
func TestParameters(t *testing.T) {
	_, _, u := nntest.Unplanned(t)
	want := optim.NewParameters(3, 7, u.Specs())
	for i, p := range Parameters(3, 7, u) {
		data := want[i].Data
		if strings.Contains(p.Name, "norm") {
			v := float32(0)
			if strings.HasSuffix(p.Name, ".weight") {
				v = 1
			}
			data = slices.Repeat([]float32{v}, len(p.Data))
		}
		if p.Name != want[i].Name || !slices.Equal(p.Data, data) {
			t.Errorf("%s starts from %v, want %v", p.Name, p.Data, data)
		}
	}
	for _, b := range Buffers(u) {
		v := float32(0)
		if strings.HasSuffix(b.Name, "_var") {
			v = 1
		}
		if !slices.Equal(b.Data, slices.Repeat([]float32{v}, b.Shape[0])) {
			t.Errorf("%s starts from %v, want %v", b.Name, b.Data, v)
		}
	}
}

// TestGradient: the gradient with respect to the input is that of the loaded net, for
// a net of an image too, and can be differentiated once more.
func TestGradient(t *testing.T) {
	for _, act := range []nn.Activation{nn.SiLU, nn.ReLU, nn.LeakyReLU, nn.Identity} {
		n, err := nn.New(nn.Shape{H: 2, W: 2, C: 2},
			nn.Linear{Name: "d.0", Out: nn.Vector(9)}, act, nn.Linear{Name: "d.1", Out: nn.Vector(5)}, act, nn.Linear{Name: "d.2", Out: nn.Vector(1)})
		if err != nil {
			t.Fatal(err)
		}
		const rows = 4
		params := Parameters(1, 0, n)
		b := New(params)
		x := make([]float32, rows*8)
		rng.New(2, 0).FillNorm(x, 1)
		values := b.Apply(n, b.Matrix("x", rows, 8, x))
		grad := values.Gradient(b.Ones(rows))
		got, loss := make([]float32, len(x)), make([]float32, 1)
		b.Keep("gradient", grad, got)
		slope := b.SquaredError(grad, nil)
		b.Keep("loss", slope, loss)
		if err := b.Err(); err != nil {
			t.Fatal(err)
		}
		// The last bias is no part of the gradient.
		if err := optim.Differentiate(b.Do(func() (node, error) {
			return graph.WeightedSum([]float32{1, 1}, slope, b.SquaredError(values.Out(), nil))
		}), params); err != nil {
			t.Fatal(err)
		}
		run(t, b)
		fn, err := n.Load(file(t, params, nil, false))
		if err != nil {
			t.Fatal(err)
		}
		field, err := fn.Field()
		if err != nil {
			t.Fatal(err)
		}
		want := make([]float32, len(x))
		field.Runner(3).Evaluate(make([]float32, rows), want, x)
		near(t, string(act), got, want)
	}
}

func TestRefused(t *testing.T) {
	f, _, u := nntest.Unplanned(t)
	x := func(b *Builder, n *nn.Net) node {
		return b.Matrix("x", 2, n.In().Size(), make([]float32, 2*n.In().Size()))
	}
	b := New(Parameters(1, 0, f))
	b.Apply(f, x(b, f)).Gradient(nil)
	if err := b.Err(); err == nil || !strings.Contains(err.Error(), "neither linear nor") {
		t.Errorf("a gradient through convolutions: %v", err)
	}
	b = New(Parameters(1, 0, u))
	if v := b.Apply(f, x(b, f)); b.Err() == nil || !strings.Contains(b.Err().Error(), "f.1.weight") || v.Out() != nil || v.Kept("x") != nil {
		t.Errorf("a net without parameters: %v", b.Err())
	}
	b = New(Parameters(1, 0, u))
	if b.Apply(u, x(b, u), x(b, u)); b.Err() == nil || !strings.Contains(b.Err().Error(), "1 inputs is applied to 2") {
		t.Errorf("an input too many: %v", b.Err())
	}
	b = New(Parameters(1, 0, u))
	b.Apply(u, x(b, u))
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Follow(Buffers(u)[1:]); err == nil || !strings.Contains(err.Error(), "u.norm1") {
		t.Errorf("without a buffer: %v", err)
	}
}

// A trained is a step of training: of a U-Net with its projections and a D, or of
// F, G and D that no table has.
type trained struct {
	b       *Builder
	params  []*optim.Parameter
	buffers []optim.Buffer
	running *Running
	x       []float32
	loss    []float32
	nets    []*nn.Net
}

const images = 4

// projected is a U-Net of odd sides: an image is made of z and of S_i + Ŝ_i(z).
func projected(t testing.TB) *trained {
	t.Helper()
	nets, err := unet.New(nn.Shape{H: 13, W: 11, C: 3}, unet.Config{Channels: []int{4, 6}, Latent: 7})
	if err != nil {
		t.Fatal(err)
	}
	d, err := unet.Distance(7, []int{6, 4})
	if err != nil {
		t.Fatal(err)
	}
	return newTrained(t, []*nn.Net{nets.F, nets.P, nets.G, d}, func(b *Builder, x node) (back, z node) {
		f := b.Apply(nets.F, x)
		p := b.Apply(nets.P, f.Out())
		var skips []node
		for _, name := range nets.Skips() {
			skips = append(skips, b.Do(func() (node, error) { return gorgonia.Add(f.Kept(name), p.Kept(name)) }))
		}
		return b.Apply(nets.G, f.Out(), skips...).Out(), f.Out()
	})
}

// strange are nets that no table has, with D.
func strange(t testing.TB) *trained {
	t.Helper()
	f, g, _ := nntest.Unplanned(t)
	d, err := nn.MLP("distance", 64, []int{20, 10}, 1, nn.SiLU)
	if err != nil {
		t.Fatal(err)
	}
	return newTrained(t, []*nn.Net{f, g, d}, func(b *Builder, x node) (back, z node) {
		z = b.Apply(f, x).Out()
		return b.Apply(g, z).Out(), z
	})
}

// newTrained has autoencode make an image of one, and D, the last net, a slope of
// length 1 and a distance of 0 where the codes are.
func newTrained(t testing.TB, nets []*nn.Net, autoencode func(b *Builder, x node) (back, z node)) *trained {
	t.Helper()
	s := &trained{params: Parameters(1, 0, nets...), buffers: Buffers(nets...), loss: make([]float32, 1), nets: nets}
	b := New(s.params)
	s.b = b
	pixels := nets[0].In().Size()
	s.x = make([]float32, images*pixels)
	x := b.Matrix("x", images, pixels, s.x)
	back, z := autoencode(b, x)
	d := b.Apply(nets[len(nets)-1], z)
	one := b.Ones(images)
	shift := b.Do(func() (node, error) { return graph.Shift(z, d.Out(), d.Gradient(one)) })
	loss := b.Do(func() (node, error) {
		return graph.WeightedSum([]float32{0.1, 1, 1}, b.SquaredError(back, x), b.SquaredError(d.Out(), one), b.SquaredError(shift, z))
	})
	b.Keep("loss", loss, s.loss)
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	if err := optim.Differentiate(loss, s.params); err != nil {
		t.Fatal(err)
	}
	var err error
	if s.running, err = b.Follow(s.buffers); err != nil {
		t.Fatal(err)
	}
	return s
}

// fill makes the batch of a step.
func (s *trained) fill(step int) {
	s.b.Step[0] = float32(step)
	for i := range s.x {
		s.x[i] = float32(0.5 + 0.4*math.Sin(float64(i%89)*0.2+float64(step%3)))
	}
}

// train takes steps from one number up to another, and returns the losses.
func (s *trained) train(t testing.TB, from, to int) (losses []float32) {
	t.Helper()
	m := optim.NewTape(s.b.Graph, s.params, func(int) error {
		losses = append(losses, s.loss[0])
		s.running.Step()
		return nil
	})
	defer m.Close()
	for step := from; step < to; step++ {
		s.fill(step)
		if err := m.Step(step+1, 3e-3); err != nil {
			t.Fatal(err)
		}
	}
	return losses
}

// TestDifferentiates holds the gradients of every layer's parameters to differences.
func TestDifferentiates(t *testing.T) {
	for name, build := range map[string]func(testing.TB) *trained{"projected": projected, "strange": strange} {
		s := build(t)
		s.fill(1)
		loss := func() float64 {
			run(t, s.b)
			return float64(s.loss[0])
		}
		loss()
		grads := map[string][]float32{}
		for _, p := range s.params {
			grads[p.Name] = slices.Clone(p.Grad)
		}
		// Along its own gradient each parameter changes the loss most.
		const h = 2e-3
		for _, p := range s.params {
			grad, was := grads[p.Name], slices.Clone(p.Data)
			var square float64
			for _, g := range grad {
				square += float64(g * g)
			}
			want := math.Sqrt(square)
			along := func(by float64) float64 {
				for i, g := range grad {
					p.Data[i] = was[i] + float32(by*float64(g)/max(want, 1e-9))
				}
				return loss()
			}
			got := (along(h) - along(-h)) / (2 * h)
			copy(p.Data, was)
			if math.Abs(got-want) > 0.05*want+0.03 { // the loss is rounded to some 1e-4
				t.Errorf("%s: %s: the gradient has length %v, differences give %v", name, p.Name, want, got)
			}
		}
	}
}

// TestTrainsAndExports: ten steps make the loss less. What is exported in eight bits,
// batch norm folded away, and loaded again makes images near those of the nets in 32,
// and its codes flow along its D.
func TestTrainsAndExports(t *testing.T) {
	s := strange(t)
	losses := s.train(t, 0, 10)
	if !(losses[9] < losses[0]) {
		t.Errorf("the losses are %v", losses)
	}
	s.fill(0)
	var z, back [2][]float32
	for i, eight := range []bool{false, true} {
		f := file(t, s.params, s.buffers, eight)
		z[i] = evaluate(t, s.nets[0], f, s.x)
		back[i] = evaluate(t, s.nets[1], f, z[i])
	}
	agree := func(what string, got, want []float32) {
		t.Helper()
		for i, v := range got {
			if math.Abs(float64(v-want[i])) > 0.05 {
				t.Fatalf("%s: number %d is %v in eight bits, %v in 32", what, i, v, want[i])
			}
		}
	}
	agree("strange", back[1], back[0])

	fn, err := s.nets[2].Load(file(t, s.params, nil, true))
	if err != nil {
		t.Fatal(err)
	}
	d, err := fn.Field()
	if err != nil {
		t.Fatal(err)
	}
	steps, err := flow.Run(field{d.Runner(3)}, flow.Params{Alpha: 0.3, Steps: 5}, z[1])
	if err != nil {
		t.Fatal(err)
	}
	var far []float32 // of the first code, at each step
	for s := range steps {
		far = append(far, s.Distance[0])
	}
	if len(far) != 6 || !(far[0] > 0 && far[5] < far[0]) {
		t.Errorf("the distances along the flow are %v", far)
	}

	u := projected(t)
	u.train(t, 0, 10)
	u.fill(0)
	whole := file(t, u.params, u.buffers, false)
	f, folded, err := u.nets[0].Fold(whole)
	if err != nil {
		t.Fatal(err)
	}
	small := new(safetensors.File)
	for _, spec := range f.Specs() {
		data, err := folded.Float32(spec.Name, spec.Shape...)
		if err != nil {
			t.Fatal(err)
		}
		if err := optim.Export(small, false, []*optim.Parameter{{Spec: spec, Data: data}}); err != nil {
			t.Fatal(err)
		}
	}
	agree("projected", evaluate(t, f, small, u.x), evaluate(t, u.nets[0], whole, u.x))
}

// field is a D as a flow follows it.
type field struct{ d *nn.FieldRunner }

func (f field) Dim() int            { return f.d.In().Size() }
func (f field) Mean(m, z []float32) { copy(m, z) }
func (f field) Distance(d, grad, z []float32) {
	f.d.Evaluate(d, grad, z)
	for i, v := range d {
		d[i] = max(v, 0)
	}
	flow.Unit(grad, f.Dim())
}

// TestResumes: parameters, moments, running means and variances of a checkpoint lead
// to the same bits as a run that went through.
func TestResumes(t *testing.T) {
	through := projected(t)
	want := through.train(t, 0, 6)
	if !(want[5] < want[0]) {
		t.Errorf("the losses are %v", want)
	}
	first, dir := projected(t), t.TempDir()
	got := first.train(t, 0, 3)
	if err := optim.Save(dir, "test", struct{}{}, first.params, first.buffers...); err != nil {
		t.Fatal(err)
	}
	second := projected(t)
	c, err := optim.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Parameters(second.params); err != nil {
		t.Fatal(err)
	}
	if err := c.Buffers(second.buffers); err != nil {
		t.Fatal(err)
	}
	got = append(got, second.train(t, 3, 6)...)
	if !slices.Equal(got, want) {
		t.Errorf("the losses are %v, and of a run that went through %v", got, want)
	}
	for i, b := range second.buffers {
		if !slices.Equal(b.Data, through.buffers[i].Data) {
			t.Errorf("%s is %v, and of a run that went through %v", b.Name, b.Data, through.buffers[i].Data)
		}
		if start := Buffers(second.nets...)[i].Data; slices.Equal(b.Data, start) {
			t.Errorf("%s is as it was", b.Name)
		}
	}
}

// TestDropout: each step drops others, and a net and its gradient drop the same.
func TestDropout(t *testing.T) {
	n, err := nn.New(nn.Vector(50), nn.Dropout{Rate: 0.5}, nn.Linear{Name: "d", Out: nn.Vector(1)})
	if err != nil {
		t.Fatal(err)
	}
	params := Parameters(1, 0, n)
	set(params[0].Data, 1)
	set(params[1].Data, 0)
	b := New(params)
	x := slices.Repeat([]float32{1}, 50)
	v := b.Apply(n, b.Matrix("x", 1, 50, x))
	y, grad := make([]float32, 1), make([]float32, 50)
	b.Keep("y", v.Out(), y)
	b.Keep("gradient", v.Gradient(b.Ones(1)), grad)
	var seen []float32
	for step := range 3 {
		b.Step[0] = float32(step)
		run(t, b)
		var sum float32
		for _, g := range grad {
			sum += g
		}
		if sum != y[0] || slices.Contains(seen, sum) && step == 2 && seen[0] == seen[1] {
			t.Errorf("step %d: the output is %v, the gradient's sum %v, and before %v", step, y[0], sum, seen)
		}
		seen = append(seen, sum)
	}
}
