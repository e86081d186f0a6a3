package metric

import (
	"fmt"

	"mppm/shared/fault"
)

// The constants of Wang, Bovik, Sheikh and Simoncelli, "Image quality
// assessment: from error visibility to structural similarity", 2004, for data
// range 1: C1 = (0.01)², C2 = (0.03)².
const (
	c1 = 0.0001
	c2 = 0.0009
)

// Window is the side of SSIM's window in pixels, and so of the smallest image
// that has an SSIM.
const Window = 2*radius + 1

const radius = 5

// taps are the Gaussian window of σ = 1.5 from its middle outwards, normalized
// to a sum of 1 over all 11: exp(-k²/4.5) / Σ. They are written out because
// math.Exp differs between platforms.
var taps = [radius + 1]float64{
	0.2660117248617943434092,
	0.2130055377112536998944,
	0.1093606895097000106868,
	0.0360007721284308236480,
	0.0075987581352391841845,
	0.0010283800844791098817,
}

// SSIM returns the structural similarity of a and b, of w×h pixels each: at most
// 1, which equal images have. It is the mean over all 11×11 Gaussian windows
// (σ 1.5) that lie wholly inside, with population covariances: scikit-image's
// structural_similarity with gaussian_weights, sigma 1.5 and
// use_sample_covariance off. It returns an error where a side is below Window or
// a slice is not of w·h pixels. NaN in a pixel gives NaN.
//
// To score many images, use a Scorer.
func SSIM(a, b []float32, w, h int) (float64, error) {
	var s Scorer
	return s.SSIM(a, b, w, h)
}

// Scorer computes SSIM without allocating for each image. The zero value is
// ready. It is not safe for concurrent use.
type Scorer struct {
	// planes are the filtered rows of a, b, a²+b² and ab, h×(w-10) each. The
	// formula needs the variances only as a sum, hence four and not five.
	planes [4][]float64
	lines  [4][]float64 // one row of each before filtering, w
}

// SSIMColor is SSIM of images with c channels, those of a pixel side by side: the mean
// over the channels, as scikit-image's with channel_axis.
func (s *Scorer) SSIMColor(a, b []float32, w, h, c int) (float64, error) {
	if c == 1 {
		return s.SSIM(a, b, w, h)
	}
	if c < 1 || len(a) != w*h*c || len(b) != len(a) {
		return 0, fault.New(fault.ErrSize, "metric: images of %d×%d pixels need as many values in each of %d channels, got %d and %d", w, h, c, len(a), len(b))
	}
	one, other := make([]float32, w*h), make([]float32, w*h)
	sum := 0.0
	for k := range c {
		for i := range one {
			one[i], other[i] = a[i*c+k], b[i*c+k]
		}
		v, err := s.SSIM(one, other, w, h)
		if err != nil {
			return 0, err
		}
		sum += v
	}
	return sum / float64(c), nil
}

// SSIM is the function SSIM.
func (s *Scorer) SSIM(a, b []float32, w, h int) (float64, error) {
	if w < Window || h < Window {
		return 0, fmt.Errorf("metric: SSIM needs at least %d×%d pixels, the image has %d×%d", Window, Window, w, h)
	}
	if len(a)/w != h || len(a)%w != 0 || len(b) != len(a) {
		return 0, fault.New(fault.ErrSize, "metric: images of %d×%d pixels need as many values, got %d and %d", w, h, len(a), len(b))
	}
	ow, oh := w-2*radius, h-2*radius
	for i := range s.planes {
		s.planes[i] = resize(s.planes[i], h*ow)
		s.lines[i] = resize(s.lines[i], w)
	}
	for y := range h {
		s.split(a[y*w:(y+1)*w], b[y*w:(y+1)*w])
		for i, line := range s.lines {
			across(s.planes[i][y*ow:(y+1)*ow], line)
		}
	}
	sum := 0.0
	for y := range oh {
		row := 0.0
		for x := range ow {
			at := y*ow + x
			ma, mb := down(s.planes[0][at:], ow), down(s.planes[1][at:], ow)
			squares, product := down(s.planes[2][at:], ow), down(s.planes[3][at:], ow)
			mm := float64(ma * mb)
			m2 := float64(ma*ma) + float64(mb*mb)
			// All of 2·(…) is exact, so equal images score 1 and not nearly.
			num := float64((float64(2*mm) + c1) * (float64(2*(product-mm)) + c2))
			den := float64((m2 + c1) * (squares - m2 + c2))
			row += num / den
		}
		sum += row
	}
	return sum / float64(ow*oh), nil
}

// split fills the lines with a, b, a²+b² and ab.
func (s *Scorer) split(a, b []float32) {
	la, lb, ls, lp := s.lines[0], s.lines[1], s.lines[2], s.lines[3]
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		la[i], lb[i] = x, y
		ls[i], lp[i] = float64(x*x)+float64(y*y), float64(x*y)
	}
}

// across filters a line into dst, which is shorter by 10.
func across(dst, line []float64) {
	line = line[:len(dst)+2*radius]
	for i := range dst {
		v := line[i : i+Window]
		dst[i] = float64(taps[0]*v[5]) + float64(taps[1]*(v[4]+v[6])) + float64(taps[2]*(v[3]+v[7])) +
			float64(taps[3]*(v[2]+v[8])) + float64(taps[4]*(v[1]+v[9])) + float64(taps[5]*(v[0]+v[10]))
	}
}

// down filters the first 11 values of p at that stride.
func down(p []float64, stride int) float64 {
	p = p[:10*stride+1]
	return float64(taps[0]*p[5*stride]) + float64(taps[1]*(p[4*stride]+p[6*stride])) + float64(taps[2]*(p[3*stride]+p[7*stride])) +
		float64(taps[3]*(p[2*stride]+p[8*stride])) + float64(taps[4]*(p[stride]+p[9*stride])) + float64(taps[5]*(p[0]+p[10*stride]))
}

func resize(s []float64, n int) []float64 {
	if cap(s) < n {
		return make([]float64, n)
	}
	return s[:n]
}
