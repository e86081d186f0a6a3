package api

import (
	"fmt"

	"mppm/shared/idx"
	"mppm/shared/nn"
)

// digits are the page's test digits.
type digits struct {
	images, labels []byte
}

// parseDigits reads IDX files of images of one shape, and of their classes.
func parseDigits(images, labels []byte, shape nn.Shape) (*digits, error) {
	f, err := idx.Parse(images)
	if err != nil {
		return nil, fmt.Errorf("the test digits: %w", err)
	}
	n, h, w, err := f.Images()
	if err != nil {
		return nil, fmt.Errorf("the test digits: %w", err)
	}
	l, err := idx.Parse(labels)
	if err != nil {
		return nil, fmt.Errorf("the labels of the test digits: %w", err)
	}
	d := &digits{images: f.Data}
	if d.labels, err = l.Labels(); err != nil {
		return nil, fmt.Errorf("the labels of the test digits: %w", err)
	}
	if n == 0 || h != shape.H || w != shape.W || len(d.labels) != n {
		return nil, fmt.Errorf("the test digits: %d images of %d × %d pixels with %d labels; the model's have %d × %d", n, w, h, len(d.labels), shape.W, shape.H)
	}
	return d, nil
}

// len returns how many there are; links count them from 0.
func (d *digits) len() int { return len(d.labels) }

// image writes digit i to dst, in [0, 1].
func (d *digits) image(dst []float32, i int) {
	for k, v := range d.images[i*len(dst):][:len(dst)] {
		dst[k] = float32(v) / 255
	}
}
