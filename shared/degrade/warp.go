package degrade

import (
	"math"

	"mppm/shared/rng"
)

// alpha is ElasticTransform's displacement in units of the sampling grid, which
// spans 2 over an image: Appendix B.2 has α = 34.
const alpha = 34

// field is by how many pixels each pixel of an image is displaced.
type field struct{ dx, dy []float64 }

// displacement draws the field of a w×h image.
func displacement(w, h int, sigma float64, r *rng.Source) field {
	dx, dy := uniform(r, w*h), uniform(r, w*h)
	return smooth(dx, dy, w, h, sigma)
}

// smooth makes a field of uniform numbers in [-1, 1]: it blurs them by σ.
func smooth(dx, dy []float64, w, h int, sigma float64) field {
	taps := gaussian(sigma, kernelSize(sigma))
	return field{blur(dx, w, h, taps), blur(dy, w, h, taps)}
}

// elastic displaces src.
func (f field) elastic(dst, src []float32, w, h int) {
	// torchvision divides both fields by the image's sizes as (height, width)
	// before the grid multiplies them with half of (width, height).
	sx := float64(alpha) / float64(h) * float64(w) / 2
	sy := float64(alpha) / float64(w) * float64(h) / 2
	out := make([]float64, len(src))
	for y := range h {
		for x := range w {
			i := y*w + x
			out[i] = bilinear(src, w, h, float64(x)+float64(sx*f.dx[i]), float64(y)+float64(sy*f.dy[i]))
		}
	}
	for i, v := range out {
		dst[i] = float32(v)
	}
}

// bilinear samples p at (x, y) in pixels. Beyond the border all is black, and a
// sample that straddles it counts by the part that is inside: once more than
// interpolation with black does, because torchvision blends its fill color by
// that part after it has sampled.
func bilinear(p []float32, w, h int, x, y float64) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	// The conversions below are of numbers near the image, or are not made.
	if fx < -1 || fy < -1 || fx >= float64(w) || fy >= float64(h) {
		return 0
	}
	x0, y0 := int(fx), int(fy)
	tx, ty := x-fx, y-fy
	sum, inside := 0.0, 0.0
	for j, wy := range [2]float64{1 - ty, ty} {
		for i, wx := range [2]float64{1 - tx, tx} {
			if x, y := x0+i, y0+j; x >= 0 && x < w && y >= 0 && y < h {
				weight := float64(wx * wy)
				sum += float64(weight * float64(p[y*w+x]))
				inside += weight
			}
		}
	}
	if x0 >= 0 && y0 >= 0 && x0 < w-1 && y0 < h-1 {
		return sum
	}
	return float64(sum * inside)
}

// downsample shrinks src to that share of each side and enlarges it again.
func downsample(dst, src []float32, w, h int, factor float64) {
	lw, lh := lowSize(w, factor), lowSize(h, factor)
	p := make([]float64, len(src))
	for i, v := range src {
		p[i] = float64(v)
	}
	p = resize(p, w, h, lw, lh)
	p = resize(p, lw, lh, w, h)
	for i, v := range p {
		dst[i] = float32(v)
	}
}

// lowSize is the floor of n·factor, at least 1. The small term makes up for
// factors that are not exact: 0.29 of 100 is 29 pixels.
func lowSize(n int, factor float64) int {
	return min(n, max(1, int(float64(float64(n)*factor)+1e-9)))
}

// resize samples p, w×h, at the centers of nw×nh pixels, interpolating between
// the two neighbors along each axis; the border continues.
func resize(p []float64, w, h, nw, nh int) []float64 {
	rows := make([]float64, nw*h)
	for x := range nw {
		x0, x1, t := between(x, w, nw)
		for y := range h {
			rows[y*nw+x] = float64((1-t)*p[y*w+x0]) + float64(t*p[y*w+x1])
		}
	}
	out := make([]float64, nw*nh)
	for y := range nh {
		y0, y1, t := between(y, h, nh)
		for x := range nw {
			out[y*nw+x] = float64((1-t)*rows[y0*nw+x]) + float64(t*rows[y1*nw+x])
		}
	}
	return out
}

// between returns the two of n pixels around the center of pixel i of m, and the
// share of the second.
func between(i, n, m int) (lo, hi int, t float64) {
	at := max(0, float64((float64(i)+.5)*(float64(n)/float64(m)))-.5)
	lo = min(int(at), n-1)
	return lo, min(lo+1, n-1), at - float64(lo)
}

// sharpen adds strength times what a blur of one pixel takes away.
func sharpen(dst, src []float32, w, h int, strength float64) {
	p := make([]float64, len(src))
	for i, v := range src {
		p[i] = float64(v)
	}
	smooth := blur(p, w, h, gaussian(1, kernelSize(1)))
	for i, v := range p {
		dst[i] = float32(min(max(v+float64(strength*(v-smooth[i])), 0), 1))
	}
}
