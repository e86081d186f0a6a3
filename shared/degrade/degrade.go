// Package degrade spoils images in the six ways of Appendix B.2, at the
// severities of Table 6, for evaluation and for the page alike.
//
// Images are []float32, row-major, black 0 to white 1, of one channel or with the
// channels of a pixel side by side, and a spoiled one is such an image too, which a
// file can hold; GaussianUnclipped alone makes none. All randomness comes from a rng.Source, and how much is drawn depends on
// the severity and the image's size alone, never on its pixels: the same seed gives
// the same damage to every image. All arithmetic is float64 of operations that are
// exact to the last bit everywhere, so that a seed gives the same bits on every
// platform.
//
// The paper names the degradations but leaves out most of their details. What
// was chosen here is said at each.
package degrade

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"mppm/shared/fault"
	"mppm/shared/rng"
)

// Kind names a degradation, as Parse reads it.
type Kind string

const (
	// Gaussian adds normal noise of standard deviation σ, the severity, to each
	// pixel. The result is clipped to [0, 1].
	Gaussian Kind = "gaussian"

	// GaussianUnclipped is the same noise with what goes below 0 and above 1 left
	// as it is. No file holds such an image and no screen shows it, so it is not
	// one of Kinds; papers score it, and it is here to be compared with.
	GaussianUnclipped Kind = "gaussian-unclipped"

	// Elastic displaces each pixel by a smooth random field, as torchvision's
	// ElasticTransform(alpha=34, sigma) does, sigma being the severity in pixels:
	// per axis, uniform numbers in [-1, 1] blurred by a Gaussian of that σ, times
	// 17 pixels. A smaller σ averages less and so bends more. All channels move
	// alike. What comes from outside is black. The result needs no clipping: it keeps to the range of
	// the input and 0.
	Elastic Kind = "elastic"

	// Downsample shrinks the image to the severity's share of its sides, rounded
	// down to whole pixels, and enlarges it again; both bilinear as PyTorch's
	// interpolate does it (align_corners and antialias off). A factor of 1
	// changes nothing. The result keeps to the range of the input.
	Downsample Kind = "downsample"

	// Missing covers a share of the pixels, the severity, with black squares at
	// random places, whose side is an eighth of the image's shorter one (3 pixels
	// of 28). They may overlap; the last is cut short so that the share is met to
	// the pixel. Other pixels are untouched, so nothing is clipped.
	Missing Kind = "missing"

	// Scribble draws strokes over the image, as many as the severity says: cubic
	// Bézier curves that start anywhere, of a quarter to half the image's shorter
	// side in length, one pixel of 28 wide, anti-aliased, each of a random gray
	// from 0 to 1, or of a random color. Other pixels are untouched, so nothing is clipped.
	Scribble Kind = "scribble"

	// Sharpen replaces I by I + s·(I − I∗G), where s is the severity and G a
	// Gaussian of σ = 1 pixel (9 taps, reflected at the border). The result is
	// clipped to [0, 1]; it is not random.
	Sharpen Kind = "sharpen"
)

// Info describes a degradation to people and programs.
type Info struct {
	Kind  Kind
	Label string // "Gaussian noise"
	Unit  string // what the severity measures

	Min, Max, Step float64 // the severities allowed, and a slider's step

	// Table 6, its row for MNIST. Where Mild > Severe, lower is worse.
	Mild, Severe float64
	// Color are severities for faces, from mild to severe: those of Tables 2 and 6, and
	// of Downsample a step between what Table 6 has for all images. All are 0 where the
	// paper does not damage faces so.
	Color [3]float64
}

var infos = []Info{
	{Gaussian, "Gaussian noise", "standard deviation σ", 0, 2, .05, .7, .85, [3]float64{.2, .25, .3}},
	{Elastic, "Elastic deformation", "smoothness σ in pixels, lower is worse", 1, 6, .1, 2.3, 1.8, [3]float64{}},
	{Downsample, "Super-resolution", "downsampling factor, lower is worse", .1, 1, .05, .5, .35, [3]float64{.5, .42, .35}},
	{Missing, "Missing pixels", "share of pixels", 0, .9, .01, .04, .1, [3]float64{.04, .08, .1}},
	{Scribble, "Scribbles", "number of strokes", 0, 50, 1, 6, 22, [3]float64{6, 13, 20}},
	{Sharpen, "Over-sharpening", "strength s", 0, 30, 1, 8, 18, [3]float64{8, 10, 18}},
	{GaussianUnclipped, "Gaussian noise, unclipped", "standard deviation σ", 0, 2, .05, .7, .85, [3]float64{.2, .25, .3}},
}

// Kinds returns the degradations whose results are images, that is, in [0, 1], in
// the order of Table 6.
func Kinds() []Info {
	return slices.DeleteFunc(All(), func(in Info) bool { return in.Kind == GaussianUnclipped })
}

// All returns Kinds, and GaussianUnclipped at the end.
func All() []Info { return slices.Clone(infos) }

// Info describes the degradation; ok is false if there is none of that name.
func (k Kind) Info() (info Info, ok bool) {
	for _, in := range infos {
		if in.Kind == k {
			return in, true
		}
	}
	return Info{}, false
}

// Degradation is one kind at one severity.
type Degradation struct {
	Kind     Kind
	Severity float64
}

// Parse reads what String writes: the kind, an equals sign and the severity, as
// in "gaussian=0.7".
func Parse(s string) (Degradation, error) {
	kind, value, found := strings.Cut(s, "=")
	d := Degradation{Kind: Kind(kind)}
	in, ok := d.Kind.Info()
	if !ok {
		return Degradation{}, unknown(d.Kind)
	}
	if !found {
		return Degradation{}, fmt.Errorf("degrade: %q has no severity; write %s=%v (mild) or %s=%v (severe)", s, kind, in.Mild, kind, in.Severe)
	}
	v, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return Degradation{}, fmt.Errorf("degrade: the severity %q in %q is not a number", value, s)
	}
	d.Severity = v
	if err := d.Validate(); err != nil {
		return Degradation{}, err
	}
	return d, nil
}

func unknown(k Kind) error {
	names := make([]string, len(infos))
	for i, in := range infos {
		names[i] = string(in.Kind)
	}
	return fmt.Errorf("degrade: there is no degradation %q; there are %s", string(k), strings.Join(names, ", "))
}

// String returns d as Parse reads it.
func (d Degradation) String() string {
	return string(d.Kind) + "=" + strconv.FormatFloat(d.Severity, 'g', -1, 64)
}

// Validate says what is wrong with d: a kind that does not exist, a severity
// outside of its Info's range, half a scribble.
func (d Degradation) Validate() error {
	in, ok := d.Kind.Info()
	if !ok {
		return unknown(d.Kind)
	}
	if !(d.Severity >= in.Min && d.Severity <= in.Max) { // so that NaN fails
		return fmt.Errorf("degrade: %s takes a severity from %v to %v (%s), not %v", d.Kind, in.Min, in.Max, in.Unit, d.Severity)
	}
	if d.Kind == Scribble && d.Severity != math.Trunc(d.Severity) {
		return fmt.Errorf("degrade: scribbles are counted; %v is not a whole number", d.Severity)
	}
	return nil
}

// Apply is ApplyColor for images of one channel.
func (d Degradation) Apply(dst, src []float32, w, h int, r *rng.Source) error {
	return d.ApplyColor(dst, src, w, h, 1, r)
}

// ApplyColor writes src, an image of w×h pixels with c channels, to dst as d spoils
// it. dst may be src, but must not overlap it otherwise. Downsample and Sharpen draw nothing
// from r, which may then be nil. It returns an error, and leaves dst alone, if d
// is not valid, a size does not fit or a pixel is not finite.
func (d Degradation) ApplyColor(dst, src []float32, w, h, c int, r *rng.Source) error {
	if err := d.Validate(); err != nil {
		return err
	}
	if w < 1 || h < 1 || c < 1 || len(src)%c != 0 || len(src)/c%w != 0 || len(src)/c/w != h {
		return fault.New(fault.ErrSize, "degrade: an image of %d×%d pixels needs as many values in each of %d channels, got %d", w, h, c, len(src))
	}
	if len(dst) != len(src) {
		return fault.New(fault.ErrSize, "degrade: the result has room for %d numbers, the image has %d", len(dst), len(src))
	}
	for i, v := range src {
		if x := float64(v); math.IsNaN(x) || math.IsInf(x, 0) {
			return fault.New(fault.ErrNotFinite, "degrade: the pixel at column %d, row %d is %v", i/c%w, i/c/w, v)
		}
	}
	if r == nil && d.Kind != Downsample && d.Kind != Sharpen {
		return fmt.Errorf("degrade: %s needs a source of random numbers", d.Kind)
	}
	switch d.Kind {
	case Gaussian, GaussianUnclipped:
		for i, v := range src {
			dst[i] = v + float32(d.Severity*r.Norm())
			if d.Kind == Gaussian {
				dst[i] = min(max(dst[i], 0), 1)
			}
		}
	case Elastic:
		field := displacement(w, h, d.Severity, r)
		planes(dst, src, c, func(dst, src []float32) { field.elastic(dst, src, w, h) })
	case Downsample:
		planes(dst, src, c, func(dst, src []float32) { downsample(dst, src, w, h, d.Severity) })
	case Missing:
		copy(dst, src)
		missing(dst, w, h, c, d.Severity, r)
	case Scribble:
		copy(dst, src)
		scribble(dst, w, h, c, int(d.Severity), r)
	case Sharpen:
		planes(dst, src, c, func(dst, src []float32) { sharpen(dst, src, w, h, d.Severity) })
	}
	return nil
}

// planes has spoil write each of the c channels of src to dst, as an image of its own.
func planes(dst, src []float32, c int, spoil func(dst, src []float32)) {
	if c == 1 {
		spoil(dst, src)
		return
	}
	plane := make([]float32, len(src)/c)
	for k := range c {
		for i := range plane {
			plane[i] = src[i*c+k]
		}
		spoil(plane, plane)
		for i, v := range plane {
			dst[i*c+k] = v
		}
	}
}

// uniform returns n numbers from -1 to 1.
func uniform(r *rng.Source, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = float64(2*r.Float64()) - 1
	}
	return out
}

// scaleOf is the unit of sizes in pixels: 1 for MNIST's images, in proportion
// for larger ones, never less.
func scaleOf(w, h int) float64 { return max(1, float64(min(w, h))/28) }
