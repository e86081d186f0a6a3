// Package classifier reads handwritten digits: a small convolutional net that
// gives the probability of each class, and the embedding in which Sec. 5.1
// measures the Fréchet distance.
//
// A Classifier is read from a safetensors file, is immutable, and is safe for
// concurrent use; a Runner computes with it, one for each goroutine. The numbers
// are the same, bit for bit, on every platform.
package classifier

import (
	"fmt"

	"mppm/shared/nn"
	"mppm/shared/safetensors"
	"mppm/shared/vec"
)

// The sizes of the net.
const (
	Side    = 28          // pixels along each edge of an image
	Pixels  = Side * Side // numbers of an image
	Classes = 10          // digits
	Width   = 128         // numbers of an embedding
)

// Kind is the value of the metadata key "kind" of the files Load reads.
const Kind = "classifier-28x28"

// channels of the two convolutions' outputs.
const (
	channels1 = 32
	channels2 = 64
)

// The geometries of the two convolutions: 28 × 28 × 1 → 14 × 14 × 32 → 7 × 7 × 64.
var (
	Outer = nn.Halving(Side, Side, 1)
	Inner = nn.Halving(Outer.OH, Outer.OW, channels1)
)

const flat = 7 * 7 * channels2

// Spec names one tensor of a classifier file and gives its shape.
type Spec struct {
	Name  string
	Shape []int
}

// Specs lists the parameters of the net in the order of its layers, each weight
// with its output channel first and its bias after it. Every layer but the last
// is followed by ReLU; the embedding is what follows layer "embedding".
func Specs() []Spec {
	return []Spec{
		{"conv1.weight", []int{channels1, Outer.Side, Outer.Side, Outer.C}}, {"conv1.bias", []int{channels1}},
		{"conv2.weight", []int{channels2, Inner.Side, Inner.Side, Inner.C}}, {"conv2.bias", []int{channels2}},
		{"embedding.weight", []int{Width, flat}}, {"embedding.bias", []int{Width}},
		{"classes.weight", []int{Classes, Width}}, {"classes.bias", []int{Classes}},
	}
}

// Classifier is the net.
type Classifier struct {
	Meta map[string]string // the file's metadata

	conv1, conv2   *nn.Conv
	embed, classes *nn.Linear
}

// Load reads a classifier from the bytes of a safetensors file. It trusts
// nothing in it, and returns an error that says which tensor or metadata key is
// wrong.
func Load(b []byte) (*Classifier, error) {
	f, err := safetensors.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("classifier: %w", err)
	}
	c, err := load(f)
	if err != nil {
		return nil, fmt.Errorf("classifier: %w", err)
	}
	return c, nil
}

func load(f *safetensors.File) (*Classifier, error) {
	if k := f.Meta["kind"]; k != Kind {
		return nil, fmt.Errorf("metadata: kind is %q; this program reads %q", k, Kind)
	}
	t := map[string][]float32{}
	for _, s := range Specs() {
		var err error
		if t[s.Name], err = f.Float32(s.Name, s.Shape...); err != nil {
			return nil, err
		}
	}
	c := &Classifier{Meta: f.Meta}
	var err error
	if c.conv1, err = nn.NewConv(Outer, channels1, t["conv1.weight"], t["conv1.bias"]); err != nil {
		return nil, err
	}
	if c.conv2, err = nn.NewConv(Inner, channels2, t["conv2.weight"], t["conv2.bias"]); err != nil {
		return nil, err
	}
	if c.embed, err = nn.NewLinear(flat, Width, t["embedding.weight"], t["embedding.bias"]); err != nil {
		return nil, err
	}
	if c.classes, err = nn.NewLinear(Width, Classes, t["classes.weight"], t["classes.bias"]); err != nil {
		return nil, err
	}
	return c, nil
}

// Runner computes with a classifier. It holds the workspaces of the layers and
// is not safe for concurrent use.
type Runner struct {
	*Classifier
	batch         int
	ws            nn.Workspace
	a, b          []float32
	embedding, ps []float32
}

// Runner returns a runner that computes at most batch ≥ 1 images at a time:
// memory for about 40 KB an image.
func (c *Classifier) Runner(batch int) *Runner {
	batch = max(batch, 1)
	return &Runner{
		Classifier: c, batch: batch,
		a: make([]float32, batch*Outer.OH*Outer.OW*channels1), b: make([]float32, batch*flat),
		embedding: make([]float32, batch*Width), ps: make([]float32, batch*Classes),
	}
}

// Classify reads n images x (n × Pixels, nominally in [0, 1]). It writes to
// probs (n × Classes) the probability of each class and to embeddings
// (n × Width) the numbers ≥ 0 that the last layer decides by; either may be nil.
// What an image gives does not depend on the others. An image that is not finite
// gives numbers that are not.
func (r *Runner) Classify(probs, embeddings, x []float32) {
	for n := len(x) / Pixels; n > 0; n = len(x) / Pixels {
		n = min(n, r.batch)
		a, b, e := r.a[:n*Outer.OH*Outer.OW*channels1], r.b[:n*flat], r.embedding[:n*Width]
		r.conv1.Forward(a, x, n, &r.ws)
		nn.ReLU.Apply(a, a, &r.ws)
		r.conv2.Forward(b, a, n, &r.ws)
		nn.ReLU.Apply(b, b, &r.ws)
		r.embed.Forward(e, b, n, &r.ws)
		nn.ReLU.Apply(e, e, &r.ws)
		x = x[n*Pixels:]
		if embeddings != nil {
			copy(embeddings[:n*Width], e)
			embeddings = embeddings[n*Width:]
		}
		if probs != nil {
			p := r.ps[:n*Classes]
			r.classes.Forward(p, e, n, &r.ws)
			for i := 0; i < len(p); i += Classes {
				softmax(probs[i:i+Classes], p[i:i+Classes])
			}
			probs = probs[n*Classes:]
		}
	}
}

// softmax writes to p e^x over its sum. The largest number is taken off first,
// so that nothing overflows.
func softmax(p, x []float32) {
	top := vec.Max(x)
	for i, v := range x {
		p[i] = v - top
	}
	vec.Exp(p, p)
	var sum float32
	for _, v := range p {
		sum += v
	}
	for i := range p {
		p[i] /= sum
	}
}

// Best returns the class of the largest probability, the first of equals, and
// that probability.
func Best(probs []float32) (class int, p float32) {
	for i, v := range probs[:Classes] {
		if v > p {
			class, p = i, v
		}
	}
	return class, p
}
