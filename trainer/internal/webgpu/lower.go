//go:build webgpu

package webgpu

import (
	"fmt"
	"strings"

	"mppm/shared/nn"
	"mppm/trainer/internal/graph"
)

// lowering turns a program into stages.
type lowering struct {
	stages   []*stage
	bindings int            // how many buffers a shader may have
	inside   map[*value]int // reads of a value by the stage that makes it
}

// lower returns the stages of a program. bindings is how many buffers a shader
// may have; inside counts the reads of a value by the stage that makes it.
func lower(p *program, bindings int) (stages []*stage, inside map[*value]int, err error) {
	l := &lowering{bindings: bindings, inside: map[*value]int{}}
	for _, c := range p.calls {
		if err := l.call(c); err != nil {
			return nil, nil, err
		}
	}
	for _, s := range l.stages {
		for _, v := range s.made {
			if v.Uses > l.inside[v] {
				s.steps = append(s.steps, fmt.Sprintf("y%d[i] = %s;", len(s.outs), s.local[v]))
				s.outs = append(s.outs, v)
			}
		}
	}
	return l.stages, l.inside, nil
}

func (l *lowering) push(s *stage) *stage {
	l.stages = append(l.stages, s)
	return s
}

// result makes v what the stage leaves at emit, before anything is fused.
func (l *lowering) result(s *stage, v *value) {
	s.local = map[*value]string{}
	s.size = v.Size()
	v.stage = len(l.stages) - 1
	s.names(v, "v0")
}

// biased is result for a value that still lacks the bias, of which element i of
// the result takes number i % len(bias).
func (l *lowering) biased(s *stage, v, bias *value) {
	s.local = map[*value]string{}
	s.size = v.Size()
	v.stage = len(l.stages) - 1
	s.then(v, fmt.Sprintf("v0 + %s", s.operand(bias, fmt.Sprintf("i %% %du", bias.Size()))))
}

// pointwise adds a call that works element by element to the last stage that one
// of its operands comes from, or gives it a stage of its own. expression makes
// the result from the operands' names.
func (l *lowering) pointwise(c call, expression func(x []string) string) {
	last := -1
	for _, v := range c.in {
		last = max(last, v.stage)
	}
	var s *stage
	if last >= 0 && l.fits(l.stages[last], c) {
		s = l.stages[last]
		s.name += "+" + string(c.Kind)
	} else {
		var from *value // the shader starts from an operand of full size
		for _, v := range c.in {
			if !v.Known && v.Size() == c.out.Size() {
				from = v
				break
			}
		}
		groups, row := grid((c.out.Size()+255)/256, 1)
		s = l.push(&stage{
			name: string(c.Kind), kernel: "map", groups: groups, in: []*value{from}, size: c.out.Size(),
			args:  map[string]any{"Size": c.out.Size(), "Grid": row, "Value": "return x0[i];", "Consts": "", "Functions": ""},
			local: map[*value]string{from: "v0"},
		})
		last = len(l.stages) - 1
	}
	c.out.stage = last
	var names []string
	for _, v := range c.in {
		at := "i" // or that of a channel, or of all
		if v.Size() == 1 {
			at = "0"
		} else if v.Size() < c.out.Size() {
			at = fmt.Sprintf("i %% %du", v.Size())
		}
		names = append(names, s.operand(v, at))
		for _, made := range s.made {
			if made == v {
				l.inside[v]++
			}
		}
	}
	s.then(c.out, expression(names))
}

// fits reports whether a call can be fused to a stage: whether the stage ends
// element by element and has buffers to spare.
func (l *lowering) fits(s *stage, c call) bool {
	if s.local == nil || s.size != c.out.Size() {
		return false
	}
	reads, here := map[*value]bool{}, map[*value]int{}
	for _, v := range append(append([]*value(nil), s.in...), s.extra...) {
		reads[v] = true
	}
	for _, v := range c.in {
		if _, ok := s.local[v]; ok {
			here[v]++
		} else if !v.Known {
			reads[v] = true
		}
	}
	writes := 1
	for _, v := range s.made {
		if v.Uses > l.inside[v]+here[v] {
			writes++
		}
	}
	return len(reads)+writes <= l.bindings
}

// elements adds a stage that makes every element of out on its own.
func (l *lowering) elements(c call, consts, functions, value string) {
	groups, row := grid((c.out.Size()+255)/256, 1)
	s := l.push(&stage{
		name: string(c.Kind), kernel: "map", groups: groups, in: known(c.in),
		args: map[string]any{"Size": c.out.Size(), "Grid": row, "Consts": consts, "Functions": functions, "Value": value},
	})
	l.result(s, c.out)
}

// known leaves out what needs no buffer. Known values come last in every
// operation.
func known(in []*value) []*value {
	var all []*value
	for _, v := range in {
		if !v.Known {
			all = append(all, v)
		}
	}
	return all
}

// snippet fills in a template of the shaders that is no shader by itself.
func snippet(name string, args any) string {
	var b strings.Builder
	if err := templates.ExecuteTemplate(&b, name, args); err != nil {
		panic(err) // the templates are constants
	}
	return b.String()
}

// scalar is how a shader reads input k of a call, a scalar.
func scalar(c call, k int) string {
	if c.in[k].Known {
		return literal(c.in[k].Num)
	}
	return fmt.Sprintf("x%d[0]", k)
}

// call lowers one call.
func (l *lowering) call(c call) error {
	n, d := 1, 1 // rows and columns of the first operand
	if s := c.in[0].Shape; len(s) == 2 {
		n, d = s[0], s[1]
	}
	rows := fmt.Sprintf("const ROWS = %du; const D = %du;", n, d)
	perRow := fmt.Sprintf("1.0 / %s", literal(float32(n)))
	switch c.Kind {
	case graph.KindAdd:
		l.pointwise(c, func(x []string) string { return x[0] + " + " + x[1] })
	case graph.KindActivate:
		l.pointwise(c, func(x []string) string { return fmt.Sprintf("%s(%s)", c.Activation, x[0]) })
	case graph.KindBackActivate:
		l.pointwise(c, func(x []string) string { return fmt.Sprintf("%s * %s1(%s)", x[1], c.Activation, x[0]) })
	case graph.KindCurve:
		l.pointwise(c, func(x []string) string { return fmt.Sprintf("%s * %s * %s2(%s)", x[2], x[1], c.Activation, x[0]) })
	case graph.KindDifference:
		f := c.Factors[0]
		scale := func(g string) string { return fmt.Sprintf("(%s * %s)", literal(f), g) }
		if c.in[1].Known {
			scale = func(string) string { return literal(f * c.in[1].Num) }
		}
		l.pointwise(c, func(x []string) string {
			if len(x) > 2 {
				return fmt.Sprintf("%s * (%s - %s)", scale(x[1]), x[0], x[2])
			}
			return fmt.Sprintf("%s * %s", scale(x[1]), x[0])
		})
	case graph.KindWeightedSum:
		l.pointwise(c, func(x []string) string {
			var terms []string
			for k, f := range c.Factors {
				terms = append(terms, fmt.Sprintf("%s * %s", literal(f), x[k]))
			}
			return strings.Join(terms, " + ")
		})
	case graph.KindNegativePartBack:
		l.pointwise(c, func(x []string) string {
			return fmt.Sprintf("%s * %s * min(%s, 0.0)", literal(8/float32(n)), x[1], x[0])
		})

	case graph.KindShift:
		l.elements(c, rows, snippet("inverse", "x2"), "let r = i / D; return x0[i] - x1[r] * inverse(r) * x2[i];")
	case graph.KindShiftDistance:
		l.elements(c, rows, snippet("inverse", "x0")+snippet("dot", []string{"x0", "x1"}), "return -dot_(i) * inverse(i);")
	case graph.KindShiftGradient:
		c.in = []*value{c.in[1], c.in[2], c.in[0]}
		l.elements(c, fmt.Sprintf("const D = %du;", c.in[0].Shape[1]), snippet("inverse", "x0")+snippet("dot", []string{"x0", "x1"}),
			"let r = i / D; let s = inverse(r); return -x2[r] * s * (x1[i] - x0[i] * (dot_(r) * s * s));")

	case graph.KindSquaredError:
		term := "let e = x0[r]; return e * e;"
		if len(c.in) > 1 {
			term = "let e = x0[r] - x1[r]; return e * e;"
		}
		l.sum(c, c.in[0].Size(), 1, "", term, perRow)
	case graph.KindDistanceError:
		l.sum(c, n, 1, fmt.Sprintf("const D = %du;", c.in[1].Shape[1])+snippet("length", []string{"x1", "x2"}), "let e = x0[r] - length_(r); return e * e;", perRow)
	case graph.KindDistanceErrorDistance:
		l.elements(c, fmt.Sprintf("const D = %du;", c.in[1].Shape[1]), snippet("length", []string{"x1", "x2"}),
			fmt.Sprintf("return %s * %s * (x0[i] - length_(i));", literal(2/float32(n)), scalar(c, 3)))
	case graph.KindDistanceErrorToward:
		l.elements(c, fmt.Sprintf("const D = %du;", c.in[1].Shape[1]), snippet("length", []string{"x1", "x2"}),
			fmt.Sprintf("let r = i / D; let l = length_(r); return %s * %s * (x0[r] - l) / max(l, 1e-12) * (x1[i] - x2[i]);", literal(-2/float32(n)*c.Factors[0]), scalar(c, 3)))
	case graph.KindNegativePart:
		l.sum(c, n, 1, "", "let e = min(x0[r], 0.0); return 4.0 * e * e;", perRow)
	case graph.KindCrossEntropy:
		l.sum(c, n, 1, rows+snippet("softmax", nil), "return entropy(r);", perRow)
	case graph.KindBinaryCrossEntropy:
		l.sum(c, c.in[0].Size(), 1, "", "let x = x0[r]; return max(x, 0.0) - x1[r] * x + log(1.0 + exp(-abs(x)));", perRow)
	case graph.KindBinaryCrossEntropyBack:
		l.pointwise(c, func(x []string) string {
			return fmt.Sprintf("%s * %s * (sigmoid(%s) - %s)", x[2], literal(1/float32(n)), x[0], x[1])
		})
	case graph.KindCrossEntropyBack:
		l.elements(c, rows, snippet("softmax", nil), fmt.Sprintf("return %s * %s * (share(i) - x1[i]);", scalar(c, 2), perRow))

	case graph.KindConcatenate:
		l.elements(c, fmt.Sprintf("const A = %du; const B = %du;", c.Sizes[0], c.Sizes[1]), "",
			"let p = i / (A + B); let c = i % (A + B); if (c < A) { return x0[p * A + c]; } return x1[p * B + c - A];")
	case graph.KindChannels:
		l.elements(c, fmt.Sprintf("const ALL = %du; const FIRST = %du; const COUNT = %du;", c.Sizes[0], c.Sizes[1], c.Sizes[2]), "",
			"return x0[i / COUNT * ALL + FIRST + i % COUNT];")
	case graph.KindRows:
		l.elements(c, "", "", fmt.Sprintf("return x0[i + %du];", c.Sizes[0]*d))
	case graph.KindPad:
		l.elements(c, "", "", fmt.Sprintf("let k = i - %du; if (k < %du) { return x0[k]; } return 0.0;", c.Sizes[0]*d, n*d))
	case graph.KindStack:
		l.elements(c, "", "", fmt.Sprintf("if (i < %du) { return x0[i]; } return x1[i - %[1]du];", n*d))
	case graph.KindMix:
		l.elements(c, "", "", fmt.Sprintf("let m = x2[i / %du]; return m * x0[i] + (1.0 - m) * x1[i];", c.Sizes[0]))
	case graph.KindWeigh:
		m := fmt.Sprintf("x1[i / %du]", c.Sizes[0])
		if c.Transposed {
			m = "(1.0 - " + m + ")"
		}
		l.elements(c, "", "", fmt.Sprintf("return %s * x0[i];", m))
	case graph.KindMaxPool:
		l.elements(c, geometry(c.Geometry), snippet("pool", nil), "return x0[largest(i)];")
	case graph.KindMaxPoolInput:
		l.elements(c, geometry(c.Geometry), snippet("pool", nil)+snippet("pooled", nil), "return pooled(i);")
	case graph.KindDropout:
		rate := c.Factors[0]
		l.pointwise(c, func(x []string) string {
			return fmt.Sprintf("%s * dropout(i, %s, %du, %du, %s)", x[0], x[1], c.Seed, graph.DropoutLeast(rate), literal(1/(1-rate)))
		})
	case graph.KindChannelMeans:
		l.sum(c, n*d/c.out.Size(), c.out.Size(), "", "return x0[r * W + c];", fmt.Sprintf("1.0 / %s", literal(float32(n*d/c.out.Size()))))
	case graph.KindChannelVariances:
		l.sum(c, n*d/c.out.Size(), c.out.Size(), "", "let e = x0[r * W + c] - x1[c]; return e * e;", fmt.Sprintf("1.0 / %s", literal(float32(n*d/c.out.Size()))))
	case graph.KindBatchNorm:
		l.pointwise(c, func(x []string) string {
			return fmt.Sprintf("%s * ((%s - %s) * inverseSqrt(%s + %s)) + %s", x[3], x[0], x[1], x[2], literal(c.Factors[0]), x[4])
		})
	case graph.KindBatchNormScale:
		l.sum(c, n*d/c.out.Size(), c.out.Size(), "",
			fmt.Sprintf("return x3[r * W + c] * ((x0[r * W + c] - x1[c]) * inverseSqrt(x2[c] + %s));", literal(c.Factors[0])), "")
	case graph.KindBatchNormInput:
		share := literal(float32(c.in[1].Size()) / float32(n*d))
		l.pointwise(c, func(x []string) string {
			inv := fmt.Sprintf("inverseSqrt(%s + %s)", x[2], literal(c.Factors[0]))
			return fmt.Sprintf("%s * %s * (%s - %s * (%s + (%s - %s) * %s * %s))", x[3], inv, x[4], share, x[5], x[0], x[1], inv, x[6])
		})

	case graph.KindColumnSums:
		width := c.out.Size()
		l.sum(c, n*d/width, width, "", "return x0[r * W + c];", "")
	case graph.KindLinear:
		l.product(c, product{
			m: n, n: c.out.Shape[1], k: d, left: "return x0[r * K + k];", right: "return x1[j * K + k];", alongA: true, alongB: true,
		}, c.in[:2], c.in[2])
	case graph.KindProduct:
		p := product{m: n, n: c.out.Shape[1], k: d, left: "return x0[r * K + k];", right: "return x1[k * N + j];", alongA: true}
		if c.Transposed {
			p.right, p.alongB = "return x1[j * K + k];", true
		}
		l.product(c, p, c.in, nil)
	case graph.KindGram:
		l.product(c, product{
			m: c.out.Shape[0], n: c.out.Shape[1], k: n, left: "return x0[k * M + r];", right: "return x1[k * N + j];",
		}, c.in, nil)
	case graph.KindConv, graph.KindConvInput, graph.KindConvWeight, graph.KindConvTranspose, graph.KindConvTransposeInput, graph.KindConvTransposeWeight:
		l.convolution(c, n)
	default:
		return fmt.Errorf("webgpu: the operation %s of the graph has no shader", c.name)
	}
	return nil
}

// convolution lowers a convolution or one of its gradients, of n images.
func (l *lowering) convolution(c call, n int) {
	g := c.Geometry
	size, patch := g.OH*g.OW, g.Patch()
	consts := geometry(g)
	switch c.Kind {
	case graph.KindConv:
		l.product(c, product{
			m: n * size, n: c.in[1].Shape[0], k: patch, consts: consts, functions: snippet("patch", "x0"),
			left: "return patch_(r, k);", right: "return x1[j * K + k];", alongA: true, alongB: true,
		}, c.in[:2], c.in[2])
	case graph.KindConvWeight:
		out := c.out.Shape[0]
		l.product(c, product{
			m: out, n: patch, k: n * size, consts: consts, functions: snippet("patch", "x0"),
			left: "return x1[k * M + r];", right: "return patch_(k, j);",
		}, c.in, nil)
	case graph.KindConvTransposeInput:
		in := c.out.Shape[1] / size
		l.product(c, product{
			m: n * size, n: in, k: patch, consts: consts, functions: snippet("patch", "x0"),
			left: "return patch_(r, k);", right: "return x1[(k % C * (SIDE * SIDE) + k / C) * N + j];", alongA: true,
		}, c.in, nil)
	case graph.KindConvTransposeWeight:
		in := c.in[0].Shape[1] / size
		l.product(c, product{
			m: patch, n: in, k: n * size, consts: consts, functions: snippet("patch", "x1"),
			left: "return patch_(k, r % (SIDE * SIDE) * C + r / (SIDE * SIDE));", right: "return x0[k * N + j];",
		}, c.in[:2], nil)
	case graph.KindConvInput, graph.KindConvTranspose:
		in := c.in[0].Shape[1] / size
		right, along := fmt.Sprintf("let t = tap(k, z); return x1[k %% IN * %du + (t.x * SIDE + t.y) * C + j];", patch), false
		var bias *value
		if c.Kind == graph.KindConvTranspose {
			right, along = "let t = tap(k, z); return x1[(j * (SIDE * SIDE) + t.x * SIDE + t.y) * IN + k % IN];", true
			bias = c.in[2]
		}
		up := func(n int) int { return (n + g.Stride - 1) / g.Stride }
		l.product(c, product{
			m: n * up(g.H) * up(g.W), n: g.C, k: up(g.Side) * up(g.Side) * in,
			consts: consts + fmt.Sprintf("const IN = %du;", in), functions: snippet("classes", nil),
			left: "return gather(r, k, z);", right: right, alongA: true, alongB: along,
			classes: g.Stride * g.Stride, depth: "taps(z).x * taps(z).y * IN", height: fmt.Sprintf("%du * classHeight(z) * classWidth(z)", n),
			at: "pixelIndex(r, z) * C + j",
		}, c.in[:2], bias)
	}
}

// geometry writes a Geometry as constants of a shader.
func geometry(g nn.Geometry) string {
	return fmt.Sprintf("const H = %du; const W = %du; const OH = %du; const OW = %du; const C = %du; const SIDE = %du; const STEP = %du; const PAD = %s;",
		g.H, g.W, g.OH, g.OW, g.C, g.Side, g.Stride, fmt.Sprint(g.Pad))
}
