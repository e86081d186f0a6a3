// Package onnx makes an nn.Net of a net in ONNX: of those operators that convolutional nets
// which embed or classify pictures are made of. What nn has not is made of what it has: a
// convolution with windows that are not square, uneven padding, dilation or groups becomes
// one with zeros in its weights, and what works channel by channel becomes batch norm.
package onnx

import (
	"fmt"
	"math"
	"slices"

	"mppm/shared/nn"
	"mppm/shared/safetensors"
)

// Options say what is taken of a net.
type Options struct {
	Output string // the value that is its output, by its name; "": its first output
	Side   int    // of the input, where the file leaves it open
}

// Read reads a net, and a file with its tensors. Pictures go in as nn has them, the
// channels of a pixel side by side; numbers that come out of an image flattened are in
// nn's order too. It trusts nothing in b, and returns an error that says which node or
// tensor is none that it knows.
func Read(b []byte, o Options) (*nn.Net, *safetensors.File, error) {
	net, f, err := read(b, o)
	if err != nil {
		return nil, nil, fmt.Errorf("onnx: %w", err)
	}
	return net, f, nil
}

func read(b []byte, o Options) (*nn.Net, *safetensors.File, error) {
	m, err := parse(b)
	if err != nil {
		return nil, nil, fmt.Errorf("this is no ONNX file, or a broken one: %w", err)
	}
	c := &converter{model: m, file: new(safetensors.File), values: map[string]*value{}}
	if err := c.input(o.Side); err != nil {
		return nil, nil, err
	}
	if o.Output == "" {
		if len(m.outputs) == 0 {
			return nil, nil, fmt.Errorf("the graph has no output")
		}
		o.Output = m.outputs[0].name
	}
	for _, i := range m.needed(o.Output) {
		n := m.nodes[i]
		if err := c.node(n); err != nil {
			return nil, nil, fmt.Errorf("node %d, %s %q: %w", i, n.op, n.name, err)
		}
	}
	out := c.values[o.Output]
	if out == nil {
		return nil, nil, fmt.Errorf("no node makes a value %q; the graph's outputs are %v", o.Output, m.outputs)
	}
	net, err := c.net(out)
	return net, c.file, err
}

// needed returns the numbers of the nodes that a value is made by, in the graph's order.
func (m *model) needed(output string) []int {
	maker := map[string]int{}
	for i, n := range m.nodes {
		for _, v := range n.out {
			if v != "" {
				maker[v] = i
			}
		}
	}
	want := make([]bool, len(m.nodes))
	for next := []string{output}; len(next) > 0; {
		v := next[len(next)-1]
		next = next[:len(next)-1]
		if i, ok := maker[v]; ok && !want[i] {
			want[i] = true
			next = append(next, m.nodes[i].in...)
		}
	}
	var all []int
	for i, w := range want {
		if w {
			all = append(all, i)
		}
	}
	return all
}

// value is what goes through the net.
type value struct {
	id    int
	shape nn.Shape
	// flat is set where ONNX has it as a vector, whatever shape it has here.
	flat bool
	// last is set where ONNX has the channels last: of an input, before it is transposed.
	last bool
}

// step is a layer with what it takes and makes, by the numbers of values.
type step struct {
	layer         nn.Layer // nil where layers of x and other are joined
	concat        bool     // those are concatenated, not added
	x, other, out int
}

// converter collects the layers of a net.
type converter struct {
	*model
	in     nn.Shape
	values map[string]*value
	steps  []step
	ids    int
	total  int // numbers of all values and convolutions
	names  int
	file   *safetensors.File
}

// input finds the one input of the graph.
func (c *converter) input(side int) error {
	var in []valueInfo
	for _, v := range c.inputs {
		if c.tensors[v.name] == nil {
			in = append(in, v)
		}
	}
	if len(in) != 1 || len(in[0].dims) != 4 {
		return fmt.Errorf("the graph takes %v; want one picture: images, channels, height, width", in)
	}
	d := slices.Clone(in[0].dims[1:]) // channels, height, width
	last := d[0] != 1 && d[0] != 3 && (d[2] == 1 || d[2] == 3)
	if last {
		d[0], d[1], d[2] = d[2], d[0], d[1]
	}
	for i := 1; i < 3; i++ {
		switch {
		case d[i] == 0 && side == 0:
			return fmt.Errorf("the file leaves the size of the input %q open: say the side of pictures", in[0].name)
		case d[i] == 0:
			d[i] = side
		case side != 0 && side != d[i]:
			return fmt.Errorf("the side of pictures is to be %d, and the input %q is of %d", side, in[0].name, d[i])
		}
	}
	c.in = nn.Shape{H: d[1], W: d[2], C: d[0]}
	if d[0] < 1 || d[0] > 4096 || d[1] > 4096 || d[2] > 4096 {
		return fmt.Errorf("the input %q is of %v", in[0].name, c.in)
	}
	c.values[in[0].name] = &value{shape: c.in, last: last}
	return nil
}

// put adds a layer at x, which makes a value of a shape.
func (c *converter) put(l nn.Layer, x *value, out nn.Shape) (*value, error) {
	return c.add(step{layer: l, x: x.id, other: -1}, x, out)
}

func (c *converter) add(s step, x *value, out nn.Shape) (*value, error) {
	if out.H < 1 || out.W < 1 || out.C < 1 || out.C > maxNumbers/(out.H*out.W) {
		return nil, fmt.Errorf("it makes %v of %v", out, x.shape)
	}
	if c.total += out.Size(); c.total > maxNumbers {
		return nil, fmt.Errorf("the net has more than %d numbers", maxNumbers)
	}
	c.ids++
	s.out = c.ids
	c.steps = append(c.steps, s)
	return &value{id: c.ids, shape: out, flat: x.flat}, nil
}

// name returns a new name for a layer.
func (c *converter) name() string {
	c.names++
	return fmt.Sprintf("onnx.%d", c.names)
}

// value returns the value by a name.
func (c *converter) value(n node, i int) (*value, error) {
	if i >= len(n.in) || n.in[i] == "" {
		return nil, fmt.Errorf("input %d is missing", i)
	}
	v := c.values[n.in[i]]
	if v == nil {
		if c.tensors[n.in[i]] != nil {
			return nil, fmt.Errorf("input %d, %q, is constant; it has to come from the picture", i, n.in[i])
		}
		return nil, fmt.Errorf("nothing before it makes its input %q", n.in[i])
	}
	if v.last && n.op != "Transpose" {
		return nil, fmt.Errorf("its input has the channels last; want a net whose first node transposes them")
	}
	return v, nil
}

// constant returns the tensor by a name; nil where the input is left out.
func (c *converter) constant(n node, i int) (*tensor, error) {
	if i >= len(n.in) || n.in[i] == "" {
		return nil, nil
	}
	t := c.tensors[n.in[i]]
	if t == nil {
		return nil, fmt.Errorf("input %d, %q, is not constant", i, n.in[i])
	}
	return t, nil
}

// floats is constant where the tensor has to be there and to hold so many floats; 0 is any
// number of them.
func (c *converter) floats(n node, i, size int) (*tensor, error) {
	t, err := c.constant(n, i)
	if err != nil {
		return nil, err
	}
	if t == nil || t.floats == nil || size > 0 && len(t.floats) != size {
		return nil, fmt.Errorf("input %d is missing, or not of %d numbers", i, size)
	}
	return t, nil
}

// node adds what a node computes.
func (c *converter) node(n node) error {
	if n.domain != "" && n.domain != "ai.onnx" {
		return fmt.Errorf("it is of the domain %q, which is not known", n.domain)
	}
	if len(n.out) == 0 {
		return fmt.Errorf("it has no output")
	}
	var out *value
	var err error
	if n.op == "Constant" {
		t := n.attributes["value"].t
		if t == nil {
			return fmt.Errorf("it has no tensor")
		}
		c.tensors[n.out[0]] = t
		return nil
	}
	convert, ok := operators[n.op]
	if !ok {
		return fmt.Errorf("this operator is not known; those are: %v", known())
	}
	if out, err = convert(c, n); err != nil {
		return err
	}
	c.values[n.out[0]] = out
	return nil
}

// operators are those that are known, but Constant.
var operators map[string]func(*converter, node) (*value, error)

func init() {
	operators = map[string]func(*converter, node) (*value, error){
		"Conv": (*converter).conv, "Gemm": (*converter).gemm, "MatMul": (*converter).gemm,
		"BatchNormalization": (*converter).batchNorm,
		"Relu":               activation(nn.ReLU), "Sigmoid": activation(nn.Sigmoid),
		"LeakyRelu": (*converter).leakyRelu, "PRelu": (*converter).prelu,
		"MaxPool": (*converter).pool, "AveragePool": (*converter).pool, "GlobalAveragePool": (*converter).globalPool, "ReduceMean": (*converter).globalPool,
		"Add": (*converter).arithmetic, "Sub": (*converter).arithmetic, "Mul": (*converter).arithmetic, "Div": (*converter).arithmetic,
		"Sum": (*converter).arithmetic, "Concat": (*converter).concat,
		"Flatten": (*converter).flatten, "Reshape": (*converter).flatten, "Squeeze": (*converter).flatten,
		"Dropout": (*converter).same, "Identity": (*converter).same, "Transpose": (*converter).transpose,
	}
}

func known() []string {
	names := []string{"Constant"}
	for name := range operators {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// window is where a kernel lies: its size, and what lies around the image, along each axis.
type window struct {
	size, stride, dilation, before, after [2]int
}

// windowOf reads the attributes of a kernel over images of a shape. size is that of a
// kernel whose attribute is left out, or 0.
func windowOf(n node, s nn.Shape, size [2]int) (window, error) {
	w := window{size: size, stride: [2]int{1, 1}, dilation: [2]int{1, 1}}
	for name, to := range map[string]*[2]int{"kernel_shape": &w.size, "strides": &w.stride, "dilations": &w.dilation} {
		v := n.attributes[name].ints
		if v == nil {
			continue
		}
		if len(v) != 2 || v[0] < 1 || v[1] < 1 || v[0] > 1024 || v[1] > 1024 {
			return w, fmt.Errorf("%s is %v; want two numbers, 1 to 1024", name, v)
		}
		*to = [2]int{int(v[0]), int(v[1])}
	}
	if w.size[0] < 1 || w.size[1] < 1 {
		return w, fmt.Errorf("it has no kernel_shape")
	}
	if p := n.attributes["pads"].ints; p != nil {
		if len(p) != 4 || slices.Min(p) < 0 || slices.Max(p) > 1024 {
			return w, fmt.Errorf("pads is %v; want four numbers, 0 to 1024", p)
		}
		w.before, w.after = [2]int{int(p[0]), int(p[1])}, [2]int{int(p[2]), int(p[3])}
	}
	switch auto := n.attributes["auto_pad"].s; auto {
	case "", "NOTSET":
	case "VALID":
		w.before, w.after = [2]int{}, [2]int{}
	case "SAME_UPPER", "SAME_LOWER":
		for a, length := range [2]int{s.H, s.W} {
			places := (length + w.stride[a] - 1) / w.stride[a]
			pad := max(0, (places-1)*w.stride[a]+w.reach(a)-length)
			w.before[a], w.after[a] = pad/2, pad-pad/2
			if auto == "SAME_LOWER" {
				w.before[a], w.after[a] = w.after[a], w.before[a]
			}
		}
	default:
		return w, fmt.Errorf("auto_pad is %q", auto)
	}
	if w.stride[0] != w.stride[1] {
		return w, fmt.Errorf("strides are %v; want the same along both axes", w.stride)
	}
	return w, nil
}

// reach is how many pixels lie under the kernel along an axis, from the first to the last.
func (w window) reach(a int) int { return w.dilation[a]*(w.size[a]-1) + 1 }

// conv adds a convolution. nn has square windows with even padding: zeros around the
// kernel make it so.
func (c *converter) conv(n node) (*value, error) {
	x, err := c.value(n, 0)
	if err != nil {
		return nil, err
	}
	t, err := c.floats(n, 1, 0)
	if err != nil {
		return nil, err
	}
	groups := 1
	if g, ok := n.attributes["group"]; ok {
		groups = int(g.i)
	}
	if x.flat || len(t.dims) != 4 || groups < 1 || t.dims[0] < 1 || t.dims[0]%groups != 0 || x.shape.C%groups != 0 || t.dims[1] != x.shape.C/groups || len(t.floats) == 0 {
		return nil, fmt.Errorf("weights of %v in %d groups do not fit %v", t.dims, groups, x.shape)
	}
	w, err := windowOf(n, x.shape, [2]int{t.dims[2], t.dims[3]})
	if err != nil {
		return nil, err
	}
	if w.size != [2]int{t.dims[2], t.dims[3]} {
		return nil, fmt.Errorf("kernel_shape is %v, and the weights are of %v", w.size, t.dims)
	}
	pad := max(w.before[0], w.before[1], w.after[0], w.after[1])
	var side [2]int
	for a := range side {
		side[a] = w.reach(a) + 2*pad - w.before[a] - w.after[a]
	}
	if side[0] != side[1] {
		return nil, fmt.Errorf("a kernel of %v with padding %v and %v cannot be made square", w.size, w.before, w.after)
	}
	l := nn.Conv{Name: c.name(), Window: nn.Window{Side: side[0], Stride: w.stride[0], Pad: pad}, Out: t.dims[0]}
	per := l.Side * l.Side * x.shape.C
	if per > (maxNumbers-c.total)/l.Out {
		return nil, fmt.Errorf("with %d kernels of %d numbers, the net has more than %d", l.Out, per, maxNumbers)
	}
	c.total += per * l.Out
	weight := make([]float32, l.Out*l.Side*l.Side*x.shape.C)
	in, out := x.shape.C/groups, l.Out/groups
	for o := range l.Out {
		for k := range in {
			for i := range w.size[0] {
				for j := range w.size[1] {
					row, column := pad-w.before[0]+i*w.dilation[0], pad-w.before[1]+j*w.dilation[1]
					weight[((o*l.Side+row)*l.Side+column)*x.shape.C+o/out*in+k] = t.floats[((o*in+k)*w.size[0]+i)*w.size[1]+j]
				}
			}
		}
	}
	if err := c.weights(n, l.Name, weight, 2, 1, l.Out, l.Side, l.Side, x.shape.C); err != nil {
		return nil, err
	}
	g := l.On(x.shape)
	return c.put(l, x, nn.Shape{H: g.OH, W: g.OW, C: l.Out})
}

// weights adds a weight, and for a bias the constant of a node's input, times a factor, or
// zeros.
func (c *converter) weights(n node, name string, weight []float32, bias int, factor float32, shape ...int) error {
	b := make([]float32, shape[0])
	t, err := c.constant(n, bias)
	if err != nil {
		return err
	}
	if t != nil {
		if len(t.floats) != len(b) && len(t.floats) != 1 {
			return fmt.Errorf("the bias is of %v; want %d numbers", t.dims, len(b))
		}
		for i := range b {
			b[i] = factor * t.floats[min(i, len(t.floats)-1)]
		}
	}
	if err := c.file.AddFloat32(name+".weight", weight, shape...); err != nil {
		return err
	}
	return c.file.AddFloat32(name+".bias", b, len(b))
}

// gemm adds a linear layer: of Gemm, or of MatMul, which is one without a bias.
func (c *converter) gemm(n node) (*value, error) {
	x, err := c.value(n, 0)
	if err != nil {
		return nil, err
	}
	if !x.flat {
		return nil, fmt.Errorf("its input is an image of %v; want one that was flattened", x.shape)
	}
	t, err := c.floats(n, 1, 0)
	if err != nil {
		return nil, err
	}
	alpha, beta := float32(1), float32(1)
	if a, ok := n.attributes["alpha"]; ok {
		alpha = a.f
	}
	if b, ok := n.attributes["beta"]; ok {
		beta = b.f
	}
	if n.attributes["transA"].i != 0 || len(t.dims) != 2 {
		return nil, fmt.Errorf("weights of %v, or a transposed input, are not known", t.dims)
	}
	in, out, byOut := t.dims[0], t.dims[1], false
	if n.attributes["transB"].i != 0 {
		in, out, byOut = out, in, true
	}
	s := x.shape
	if in != s.Size() || out < 1 {
		return nil, fmt.Errorf("weights of %v do not fit %v", t.dims, s)
	}
	weight := make([]float32, len(t.floats))
	for o := range out {
		for i := range in {
			// Number i of an image that ONNX flattened: its channels come first.
			from := i
			if s.H*s.W > 1 {
				from = i%s.C*s.H*s.W + i/s.C
			}
			at := from*out + o
			if byOut {
				at = o*in + from
			}
			weight[o*in+i] = alpha * t.floats[at]
		}
	}
	name := c.name()
	if n.op == "MatMul" {
		n.in = n.in[:2]
	}
	if err := c.weights(n, name, weight, 2, beta, out, in); err != nil {
		return nil, err
	}
	return c.put(nn.Linear{Name: name, Out: nn.Vector(out)}, x, nn.Vector(out))
}

// affine adds scale·x + shift for each channel: batch norm of mean 0 and, but for what it
// adds itself, variance 1.
func (c *converter) affine(x *value, scale, shift []float32) (*value, error) {
	name := c.name()
	variance := make([]float32, len(scale))
	for i := range variance {
		variance[i] = 1 - nn.NormEpsilon
	}
	for suffix, data := range map[string][]float32{".weight": scale, ".bias": shift, ".running_mean": make([]float32, len(scale)), ".running_var": variance} {
		for i, v := range data {
			if v-v != 0 {
				return nil, fmt.Errorf("channel %d is multiplied with, or moved by, %v", i, v)
			}
		}
		if err := c.file.AddFloat32(name+suffix, data, len(data)); err != nil {
			return nil, err
		}
	}
	return c.put(nn.BatchNorm{Name: name}, x, x.shape)
}

// channelwise returns an error if ONNX's channels of x are not nn's.
func channelwise(x *value) error {
	if x.flat && x.shape.H*x.shape.W > 1 {
		return fmt.Errorf("its input is an image of %v that was flattened; want it before that", x.shape)
	}
	return nil
}

func (c *converter) batchNorm(n node) (*value, error) {
	x, err := c.value(n, 0)
	if err == nil {
		err = channelwise(x)
	}
	if err != nil {
		return nil, err
	}
	var t [4]*tensor // γ, β, means, variances
	for i := range t {
		if t[i], err = c.floats(n, i+1, x.shape.C); err != nil {
			return nil, err
		}
	}
	epsilon := 1e-5
	if e, ok := n.attributes["epsilon"]; ok {
		epsilon = float64(e.f)
	}
	scale, shift := make([]float32, x.shape.C), make([]float32, x.shape.C)
	for k := range scale {
		s := float64(t[0].floats[k]) / math.Sqrt(float64(t[3].floats[k])+epsilon)
		scale[k], shift[k] = float32(s), float32(float64(t[1].floats[k])-s*float64(t[2].floats[k]))
	}
	return c.affine(x, scale, shift)
}

func activation(a nn.Activation) func(*converter, node) (*value, error) {
	return func(c *converter, n node) (*value, error) {
		x, err := c.value(n, 0)
		if err != nil {
			return nil, err
		}
		return c.put(a, x, x.shape)
	}
}

func (c *converter) leakyRelu(n node) (*value, error) {
	slope := float32(0.01)
	if a, ok := n.attributes["alpha"]; ok {
		slope = a.f
	}
	if math.Abs(float64(slope)-nn.Leak) < 1e-6 {
		return activation(nn.LeakyReLU)(c, n)
	}
	x, err := c.value(n, 0)
	if err != nil {
		return nil, err
	}
	return c.leaky(x, slices.Repeat([]float32{slope}, x.shape.C))
}

func (c *converter) prelu(n node) (*value, error) {
	x, err := c.value(n, 0)
	if err != nil {
		return nil, err
	}
	slopes, err := c.perChannel(n, 1, x)
	if err != nil {
		return nil, err
	}
	return c.leaky(x, slopes)
}

// leaky adds (1 − s)·max(x, 0) + s·x: slope s below 0.
func (c *converter) leaky(x *value, slopes []float32) (*value, error) {
	rest, none := make([]float32, len(slopes)), make([]float32, len(slopes))
	for i, s := range slopes {
		rest[i] = 1 - s
	}
	up, err := c.put(nn.ReLU, x, x.shape)
	if err == nil {
		up, err = c.affine(up, rest, none)
	}
	if err != nil {
		return nil, err
	}
	down, err := c.affine(x, slopes, none)
	if err != nil {
		return nil, err
	}
	return c.add(step{x: down.id, other: up.id}, x, x.shape)
}

// pool adds a pooling.
func (c *converter) pool(n node) (*value, error) {
	x, err := c.value(n, 0)
	if err != nil {
		return nil, err
	}
	w, err := windowOf(n, x.shape, [2]int{})
	if err != nil {
		return nil, err
	}
	pad := w.before[0]
	if x.flat || w.size[0] != w.size[1] || w.dilation != [2]int{1, 1} || w.before != [2]int{pad, pad} || w.after != [2]int{pad, pad} || pad >= w.size[0] {
		return nil, fmt.Errorf("a window of %v with padding %v and %v and dilation %v over %v is not known; want a square one with even padding", w.size, w.before, w.after, w.dilation, x.shape)
	}
	window := nn.Window{Side: w.size[0], Stride: w.stride[0], Pad: pad}
	g := window.On(x.shape)
	if n.attributes["ceil_mode"].i != 0 && ((x.shape.H+2*pad-window.Side)%window.Stride != 0 || (x.shape.W+2*pad-window.Side)%window.Stride != 0) {
		return nil, fmt.Errorf("windows that hang over the end (ceil_mode) are not known")
	}
	if n.op == "MaxPool" {
		return c.put(nn.MaxPool{Window: window}, x, nn.Shape{H: g.OH, W: g.OW, C: x.shape.C})
	}
	if n.attributes["count_include_pad"].i != 0 && pad > 0 {
		return nil, fmt.Errorf("means that count what lies outside (count_include_pad) are not known")
	}
	return c.put(nn.AvgPool{Window: window}, x, nn.Shape{H: g.OH, W: g.OW, C: x.shape.C})
}

// globalPool adds the mean over all pixels: of GlobalAveragePool, or of ReduceMean over
// height and width.
func (c *converter) globalPool(n node) (*value, error) {
	x, err := c.value(n, 0)
	if err != nil {
		return nil, err
	}
	flat := false
	if n.op == "ReduceMean" {
		axes := slices.Clone(n.attributes["axes"].ints)
		if t, err := c.constant(n, 1); err != nil {
			return nil, err
		} else if t != nil {
			axes = slices.Clone(t.ints)
		}
		for i, a := range axes {
			if a < 0 {
				axes[i] += 4
			}
		}
		slices.Sort(axes)
		if !slices.Equal(axes, []int64{2, 3}) {
			return nil, fmt.Errorf("a mean over the axes %v is not known; want height and width", axes)
		}
		keep, ok := n.attributes["keepdims"]
		flat = ok && keep.i == 0
	}
	if x.flat || x.shape.H != x.shape.W {
		return nil, fmt.Errorf("its input is of %v; want a square image", x.shape)
	}
	out, err := c.put(nn.AvgPool{Window: nn.Window{Side: x.shape.H, Stride: 1}}, x, nn.Vector(x.shape.C))
	if err == nil && flat {
		out.flat = true
	}
	return out, err
}

// perChannel returns a constant of a node as a number for each channel of x.
func (c *converter) perChannel(n node, i int, x *value) ([]float32, error) {
	t, err := c.floats(n, i, 0)
	if err != nil {
		return nil, err
	}
	rank, channel := 4, 1 // of x, as ONNX has it
	if x.flat {
		rank = 2
	}
	ahead := rank - len(t.dims)
	if n.op == "PRelu" && len(t.dims) == 1 && len(t.floats) == x.shape.C { // as some write it
		ahead = channel
	}
	for a, d := range t.dims {
		if d != 1 && (a+ahead != channel || d != x.shape.C) {
			return nil, fmt.Errorf("numbers of %v do not go with the channels of %v", t.dims, x.shape)
		}
	}
	if len(t.floats) == 1 {
		return slices.Repeat(t.floats, x.shape.C), nil
	}
	if len(t.floats) != x.shape.C {
		return nil, fmt.Errorf("numbers of %v do not go with the channels of %v", t.dims, x.shape)
	}
	return t.floats, channelwise(x)
}

// arithmetic adds a sum of two values, or what a constant does to the channels of one.
func (c *converter) arithmetic(n node) (*value, error) {
	if len(n.in) != 2 {
		return nil, fmt.Errorf("it has %d inputs; want two", len(n.in))
	}
	fixed := -1
	for i, name := range n.in {
		if c.tensors[name] != nil {
			fixed = i
		}
	}
	if fixed < 0 {
		a, err := c.value(n, 0)
		if err != nil {
			return nil, err
		}
		b, err := c.value(n, 1)
		if err != nil {
			return nil, err
		}
		if n.op != "Add" && n.op != "Sum" || a.shape != b.shape || a.flat != b.flat {
			return nil, fmt.Errorf("of two values, of %v and %v, only the sum of equal shapes is known", a.shape, b.shape)
		}
		return c.add(step{x: a.id, other: b.id}, a, a.shape)
	}
	x, err := c.value(n, 1-fixed)
	if err != nil {
		return nil, err
	}
	k, err := c.perChannel(n, fixed, x)
	if err != nil {
		return nil, err
	}
	scale, shift := slices.Repeat([]float32{1}, len(k)), make([]float32, len(k))
	for i, v := range k {
		switch {
		case n.op == "Mul":
			scale[i] = v
		case n.op == "Div" && fixed == 1:
			scale[i] = 1 / v
		case n.op == "Add" || n.op == "Sum":
			shift[i] = v
		case n.op == "Sub" && fixed == 1:
			shift[i] = -v
		case n.op == "Sub":
			scale[i], shift[i] = -1, v
		default:
			return nil, fmt.Errorf("a constant divided by a value is not known")
		}
	}
	if x.flat && x.shape.H*x.shape.W > 1 && !uniform(scale, shift) {
		return nil, channelwise(x)
	}
	return c.affine(x, scale, shift)
}

// uniform reports whether each of the slices holds one number alone.
func uniform(all ...[]float32) bool {
	return !slices.ContainsFunc(all, func(x []float32) bool {
		return slices.ContainsFunc(x, func(v float32) bool { return v != x[0] })
	})
}

// concat joins the channels of values.
func (c *converter) concat(n node) (*value, error) {
	out, err := c.value(n, 0)
	if err == nil {
		err = channelwise(out)
	}
	if err != nil {
		return nil, err
	}
	if a := n.attributes["axis"].i; a != 1 && !(a == -3 && !out.flat) && !(a == -1 && out.flat) {
		return nil, fmt.Errorf("along axis %d, which is not that of the channels", a)
	}
	for i := 1; i < len(n.in); i++ {
		other, err := c.value(n, i)
		if err == nil {
			err = channelwise(other)
		}
		if err != nil {
			return nil, err
		}
		if other.shape.H != out.shape.H || other.shape.W != out.shape.W || other.flat != out.flat {
			return nil, fmt.Errorf("of %v and %v", out.shape, other.shape)
		}
		s := out.shape
		s.C += other.shape.C
		if out, err = c.add(step{concat: true, x: out.id, other: other.id}, out, s); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// flatten makes a vector of an image, in ONNX's eyes alone: of Flatten, of Reshape to a
// vector, and of Squeeze of the pixels of one.
func (c *converter) flatten(n node) (*value, error) {
	x, err := c.value(n, 0)
	if err != nil {
		return nil, err
	}
	v := *x
	v.flat = true
	switch n.op {
	case "Flatten":
		if a, ok := n.attributes["axis"]; ok && a.i != 1 {
			return nil, fmt.Errorf("along axis %d; want 1: all of an image", a.i)
		}
	case "Reshape":
		t, err := c.constant(n, 1)
		if err != nil {
			return nil, err
		}
		if t == nil || len(t.ints) != 2 || t.ints[1] != -1 && t.ints[1] != int64(x.shape.Size()) || t.ints[0] > 1 && t.ints[1] == -1 {
			return nil, fmt.Errorf("it makes another shape than a vector of each image")
		}
	case "Squeeze":
		if x.shape.H*x.shape.W != 1 {
			return nil, fmt.Errorf("its input is of %v; want one pixel", x.shape)
		}
	}
	return &v, nil
}

// same is of operators that do nothing when a net is used.
func (c *converter) same(n node) (*value, error) { return c.value(n, 0) }

// transpose brings channels of an input to the front, where ONNX has them last.
func (c *converter) transpose(n node) (*value, error) {
	x, err := c.value(n, 0)
	if err != nil {
		return nil, err
	}
	if !x.last || !slices.Equal(n.attributes["perm"].ints, []int64{0, 3, 1, 2}) {
		return nil, fmt.Errorf("it is known of an input alone that has the channels last")
	}
	v := *x
	v.last = false
	return &v, nil
}

// net makes the net of the steps. Values that are not taken by the next step alone are
// kept by a name.
func (c *converter) net(out *value) (*nn.Net, error) {
	taken, next := map[int]int{out.id: 1}, map[int]bool{} // how often, and whether by the step that follows
	before := 0
	for _, s := range c.steps {
		taken[s.x]++
		if s.x == before {
			next[s.x] = true
		}
		if s.other >= 0 {
			taken[s.other] += 2 // it is always asked for by its name
		}
		before = s.out
	}
	next[out.id] = next[out.id] || out.id == before
	name := func(id int) string { return fmt.Sprintf("value.%d", id) }
	var layers []nn.Layer
	keep := func(id int) {
		if taken[id] > 1 || taken[id] == 1 && !next[id] {
			layers = append(layers, nn.Keep(name(id)))
		}
	}
	keep(0)
	at := 0
	for _, s := range c.steps {
		if s.x != at {
			layers = append(layers, nn.From(name(s.x)))
		}
		switch {
		case s.layer != nil:
			layers = append(layers, s.layer)
		case s.concat:
			layers = append(layers, nn.Concat(name(s.other)))
		default:
			layers = append(layers, nn.Add(name(s.other)))
		}
		at = s.out
		keep(at)
	}
	if out.id != at {
		layers = append(layers, nn.From(name(out.id)))
	}
	return nn.New(c.in, layers...)
}
