package api

import (
	"fmt"

	"mppm/shared/idx"
	"mppm/shared/latent"
)

// Digits is how many test digits the page has; links count them from 0.
const Digits = 200

// digits are the page's test digits.
type digits struct {
	images, labels []byte
}

func parseDigits(images, labels []byte) (*digits, error) {
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
	if n != Digits || h != latent.Side || w != latent.Side || len(d.labels) != n {
		return nil, fmt.Errorf("the test digits: %d images of %d × %d pixels with %d labels; the page has %d of %d × %d", n, w, h, len(d.labels), Digits, latent.Side, latent.Side)
	}
	return d, nil
}

// image writes digit i to dst (latent.Pixels, in [0, 1]).
func (d *digits) image(dst []float32, i int) {
	for k, v := range d.images[i*latent.Pixels:][:latent.Pixels] {
		dst[k] = float32(v) / 255
	}
}
