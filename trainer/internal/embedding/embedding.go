// Package embedding makes of pictures the numbers in which the Fréchet distance is
// measured (Sec. 5.1): by a net, whoever trained it, or by another program.
package embedding

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"mppm/shared/nn"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/onnx"
	"mppm/trainer/internal/photo"
)

// Embedding makes numbers of pictures.
type Embedding interface {
	// Name says what the numbers are, to a person.
	Name() string
	// Embed returns the numbers of images (bytes) of a shape, as many of each. It returns
	// ctx's error if that ends first.
	Embed(ctx context.Context, image nn.Shape, images []byte) ([]float32, error)
}

// What the metadata of a file says of its net.
const (
	// Kind is the kind of files that the project's own training writes.
	Kind = "embedding"

	netKey  = "net"        // nn.Net's text
	meanKey = "input.mean" // JSON: what is taken off the channels, which are from 0 to 1
	stdKey  = "input.std"  // JSON: what they are divided by then
	nameKey = "name"       // what it is
	kept    = "embedding"  // the value that is taken, if the net keeps one by that name
)

// Describe writes to the metadata of a file its net and what it is.
func Describe(meta map[string]string, net *nn.Net, name string) error {
	text, err := net.Text()
	if err != nil {
		return fmt.Errorf("embedding: %w", err)
	}
	meta["kind"], meta[netKey], meta[nameKey] = Kind, text, name
	return nil
}

// Options say how a net takes its input, where its file does not, and which of its values
// the numbers are.
type Options struct {
	Mean, Std []float64 // of each channel, or of all; nil: as the file says, or 0 and 1
	Output    string    // of an ONNX net: the value by its name; "": what the net makes
	Side      int       // of an ONNX net: the side of the input, where the file leaves it open
}

// Net is an embedding by a net. It is safe for concurrent use.
type Net struct {
	Meta map[string]string // the file's metadata; none of an ONNX file

	name      string
	fn        *nn.Function
	value     string // that the net keeps; "" for what it makes
	width     int
	mean, std []float32 // of each channel
}

// Load reads a net from the bytes of a file, a safetensors file with the net's text in its
// metadata or an ONNX file; name is the file's, for tables. It trusts nothing in it, and
// returns an error that says what is wrong.
func Load(b []byte, name string, o Options) (*Net, error) {
	n, err := load(b, name, o)
	if err != nil {
		return nil, fmt.Errorf("embedding: %s: %w", name, err)
	}
	return n, nil
}

func load(b []byte, name string, o Options) (*Net, error) {
	n := &Net{name: name, Meta: map[string]string{}}
	var net *nn.Net
	var f *safetensors.File
	var err error
	if len(b) > 8 && b[8] == '{' && safetensors.CheckStart(b) == nil {
		if o.Output != "" || o.Side != 0 {
			return nil, errors.New("an output or a side is chosen, which is for ONNX files: this net says both itself")
		}
		if f, err = safetensors.Parse(b); err != nil {
			return nil, err
		}
		n.Meta = f.Meta
		text, ok := n.Meta[netKey]
		if !ok {
			return nil, fmt.Errorf("metadata: there is no %q, which is the net: layers with semicolons between, as of the files of train embedding", netKey)
		}
		if net, err = nn.Parse(text); err != nil {
			return nil, fmt.Errorf("metadata: %s: %w", netKey, err)
		}
		if v, ok := net.Value(kept); ok {
			n.value, n.width = kept, net.Shape(v).Size()
		}
		if n.Meta[nameKey] != "" {
			n.name = n.Meta[nameKey]
		}
	} else if net, f, err = onnx.Read(b, onnx.Options{Output: o.Output, Side: o.Side}); err != nil {
		return nil, err
	}
	if n.value == "" {
		n.width = net.Out().Size()
	}
	in := net.In()
	switch {
	case len(net.Inputs()) > 1:
		return nil, fmt.Errorf("the net has %d inputs; want one, a picture", len(net.Inputs()))
	case in.H != in.W || in.C != 1 && in.C != 3:
		return nil, fmt.Errorf("the net takes %v; want square pictures with one channel or three", in)
	case n.width < 2 || n.width > maxWidth:
		return nil, fmt.Errorf("the net makes %d numbers; want 2 to %d", n.width, maxWidth)
	}
	if n.mean, err = channels(in.C, o.Mean, n.Meta, meanKey, 0); err != nil {
		return nil, err
	}
	if n.std, err = channels(in.C, o.Std, n.Meta, stdKey, 1); err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(n.std, func(v float32) bool { return !(v > 0) }); i >= 0 {
		return nil, fmt.Errorf("channel %d is divided by %v; give more than 0", i, n.std[i])
	}
	n.fn, err = net.Load(f)
	return n, err
}

// maxWidth bounds the numbers of an embedding: a covariance of more is none that a few
// hundred or thousand images could give.
const maxWidth = 4096

// channels returns a number for each of c channels: as given, or as the metadata has it.
func channels(c int, given []float64, meta map[string]string, key string, otherwise float32) ([]float32, error) {
	if text, ok := meta[key]; ok && given == nil {
		if err := json.Unmarshal([]byte(text), &given); err != nil {
			return nil, fmt.Errorf("metadata: %s: %w", key, err)
		}
	}
	all := slices.Repeat([]float32{otherwise}, c)
	if given == nil {
		return all, nil
	}
	if len(given) != 1 && len(given) != c {
		return nil, fmt.Errorf("%s has %d numbers; want one, or one for each of %d channels", key, len(given), c)
	}
	for i := range all {
		if all[i] = float32(given[min(i, len(given)-1)]); all[i]-all[i] != 0 {
			return nil, fmt.Errorf("%s: number %d is %v", key, i, all[i])
		}
	}
	return all, nil
}

// Name returns what the file calls the embedding, or the file's own name.
func (n *Net) Name() string { return n.name }

// Width returns how many numbers an embedding has.
func (n *Net) Width() int { return n.width }

// In returns the shape of the pictures that the net takes. Others are scaled to it.
func (n *Net) In() nn.Shape { return n.fn.In() }

// batch is how many images go through the net together. It divides the work among the
// cores, and no image depends on it.
const batch = 16

// Embed is of Embedding: images are scaled to the net's side, as Photo.Square does it, and
// all cores work.
func (n *Net) Embed(ctx context.Context, image nn.Shape, images []byte) ([]float32, error) {
	size := image.Size()
	if err := drawable(image, len(images)); err != nil {
		return nil, err
	}
	count, in := len(images)/size, n.fn.In()
	out := make([]float32, count*n.width)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (count+batch-1)/batch) {
		wg.Go(func() {
			r := n.fn.Runner(batch)
			x, y, scaled := make([]float32, batch*in.Size()), make([]float32, batch*n.fn.Out().Size()), make([]byte, in.Size())
			for ctx.Err() == nil {
				lo := int(next.Add(batch)) - batch
				if lo >= count {
					return
				}
				hi := min(lo+batch, count)
				for i := lo; i < hi; i++ {
					n.take(x[(i-lo)*in.Size():], image, images[i*size:(i+1)*size], scaled)
				}
				some := y[:(hi-lo)*n.fn.Out().Size()]
				r.Forward(some, x[:(hi-lo)*in.Size()])
				if n.value != "" {
					some = r.Kept(n.value)
				}
				copy(out[lo*n.width:], some)
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return out, finite(out, n.width)
}

// take writes to dst an image as the net takes it. scaled is room for its bytes.
func (n *Net) take(dst []float32, image nn.Shape, pixels, scaled []byte) {
	in := n.fn.In()
	if image != in {
		photo.OfPixels(pixels, image.W, image.H, image.C).Square(scaled, in.H, in.C)
		pixels = scaled
	}
	for i, b := range pixels {
		dst[i] = (float32(b)/255 - n.mean[i%in.C]) / n.std[i%in.C]
	}
}

// drawable returns an error if so many bytes are no images of that shape.
func drawable(image nn.Shape, bytes int) error {
	if image.C != 1 && image.C != 3 {
		return fmt.Errorf("embedding: images of %v are no pictures: want one channel or three", image)
	}
	if bytes == 0 || bytes%image.Size() != 0 {
		return fmt.Errorf("embedding: %d bytes are no whole number of images of %v", bytes, image)
	}
	return nil
}

// finite returns an error if a number is none.
func finite(e []float32, width int) error {
	for i, v := range e {
		if v-v != 0 {
			return fmt.Errorf("embedding: number %d of image %d is %v", i%width, i/width, v)
		}
	}
	return nil
}

// Numbers reads what a flag says of channels: numbers with commas between.
func Numbers(text string) ([]float64, error) {
	var all []float64
	if err := json.Unmarshal([]byte("["+strings.TrimSpace(text)+"]"), &all); err != nil || len(all) == 0 {
		return nil, fmt.Errorf("%q is no list of numbers such as 0.5 or 0.485,0.456,0.406", text)
	}
	return all, nil
}
