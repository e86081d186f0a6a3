package restore

import (
	"fmt"

	"mppm/shared/idx"
	"mppm/shared/nn"
	"mppm/wasm/app/model"
)

// Samples are clean images to begin with.
type Samples interface {
	// Len returns how many there are, at least 1.
	Len() int
	// Label returns the class of image i, -1 where it has none.
	Label(i int) int
	// Image writes image i to dst, in [0, 1].
	Image(dst []float32, i int)
}

// Own are images that a model has of its own: what it decodes its known codes to.
type Own struct {
	engine model.Engine
	codes  []float32
	labels []uint8
	n      int
}

// maxOwn bounds how many of its codes a model shows.
const maxOwn = 200

// NewOwn returns the images of an engine's own codes, spread over all of them.
func NewOwn(e model.Engine) *Own {
	o := &Own{engine: e}
	o.codes, o.labels = e.Bank()
	o.n = min(len(o.codes)/e.Latent(), maxOwn)
	return o
}

// Len returns how many images there are.
func (o *Own) Len() int { return o.n }

// code returns which code image i is of.
func (o *Own) code(i int) int { return i * (len(o.codes) / o.engine.Latent()) / o.n }

// Label returns the class of image i, -1 where the model knows no classes.
func (o *Own) Label(i int) int {
	if len(o.labels) == 0 {
		return -1
	}
	return int(o.labels[o.code(i)])
}

// Image writes image i to dst, in [0, 1].
func (o *Own) Image(dst []float32, i int) {
	d, k := o.engine.Latent(), o.code(i)
	o.engine.Decode(dst, o.codes[k*d:(k+1)*d])
}

// Digits are the test images that the page brings along.
type Digits struct {
	images []byte
	pixels int // of an image
	labels []byte
}

// unlabeled is the label of an image without a class.
const unlabeled = 255

// ParseDigits reads the two IDX files of the page. The images must have the shape
// that the model takes, and be of its classes.
func ParseDigits(images, labels []byte, shape nn.Shape, classes int) (*Digits, error) {
	f, err := idx.Parse(images)
	if err != nil {
		return nil, fmt.Errorf("the test images: %w", err)
	}
	n, h, w, err := f.Images()
	if err != nil {
		return nil, fmt.Errorf("the test images: %w", err)
	}
	if n == 0 || (nn.Shape{H: h, W: w, C: 1}) != shape {
		return nil, fmt.Errorf("the test images: %d gray images of %d × %d pixels; the model takes %v", n, w, h, shape)
	}
	l, err := idx.Parse(labels)
	if err != nil {
		return nil, fmt.Errorf("the labels of the test images: %w", err)
	}
	d := &Digits{images: f.Data, pixels: h * w}
	if d.labels, err = l.Labels(); err != nil {
		return nil, fmt.Errorf("the labels of the test images: %w", err)
	}
	if len(d.labels) != n {
		return nil, fmt.Errorf("there are %d labels for %d test images", len(d.labels), n)
	}
	for i, v := range d.labels {
		if int(v) >= classes && v != unlabeled {
			return nil, fmt.Errorf("label %d of the test images is %d; the model's classes are 0 to %d", i, v, classes-1)
		}
	}
	return d, nil
}

// Len returns how many there are.
func (d *Digits) Len() int { return len(d.labels) }

// Label returns the class of image i, -1 where it has none.
func (d *Digits) Label(i int) int {
	if d.labels[i] == unlabeled {
		return -1
	}
	return int(d.labels[i])
}

// Image writes image i to dst, in [0, 1].
func (d *Digits) Image(dst []float32, i int) {
	for k, v := range d.images[i*d.pixels : (i+1)*d.pixels] {
		dst[k] = float32(v) / 255
	}
}
