package restore

import (
	"fmt"

	"mppm/shared/idx"
	"mppm/shared/nn"
)

// Digits are the test digits that the page brings along.
type Digits struct {
	images []byte
	pixels int // of an image
	labels []byte
}

// ParseDigits reads the two IDX files of the page. The images must have the shape
// that the model takes.
func ParseDigits(images, labels []byte, shape nn.Shape) (*Digits, error) {
	f, err := idx.Parse(images)
	if err != nil {
		return nil, fmt.Errorf("the test digits: %w", err)
	}
	n, h, w, err := f.Images()
	if err != nil {
		return nil, fmt.Errorf("the test digits: %w", err)
	}
	if n == 0 || (nn.Shape{H: h, W: w, C: 1}) != shape {
		return nil, fmt.Errorf("the test digits: %d gray images of %d × %d pixels; the model takes %v", n, w, h, shape)
	}
	l, err := idx.Parse(labels)
	if err != nil {
		return nil, fmt.Errorf("the labels of the test digits: %w", err)
	}
	d := &Digits{images: f.Data, pixels: h * w}
	if d.labels, err = l.Labels(); err != nil {
		return nil, fmt.Errorf("the labels of the test digits: %w", err)
	}
	if len(d.labels) != n {
		return nil, fmt.Errorf("there are %d labels for %d test digits", len(d.labels), n)
	}
	for i, v := range d.labels {
		if v > 9 {
			return nil, fmt.Errorf("label %d of the test digits is %d; digits are 0 to 9", i, v)
		}
	}
	return d, nil
}

// Len returns how many digits there are.
func (d *Digits) Len() int { return len(d.labels) }

// Label returns which digit image i shows.
func (d *Digits) Label(i int) int { return int(d.labels[i]) }

// Image writes image i to dst, in [0, 1].
func (d *Digits) Image(dst []float32, i int) {
	for k, v := range d.images[i*d.pixels : (i+1)*d.pixels] {
		dst[k] = float32(v) / 255
	}
}
