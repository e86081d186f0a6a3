package degrade

import (
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"testing"

	"mppm/shared/golden"
	"mppm/shared/rng"
)

// colored is ring in each of three channels, dimmer from one to the next.
func colored(w, h int) []float32 {
	p := make([]float32, 0, 3*w*h)
	for _, v := range ring(w, h) {
		p = append(p, v, v/2, v/4)
	}
	return p
}

func applyColor(t testing.TB, d Degradation, src []float32, w, h int, seed uint64) []float32 {
	t.Helper()
	dst := make([]float32, len(src))
	if err := d.ApplyColor(dst, src, w, h, 3, rng.New(seed, 0)); err != nil {
		t.Fatalf("%v: %v", d, err)
	}
	return dst
}

func channel(p []float32, k int) []float32 {
	one := make([]float32, len(p)/3)
	for i := range one {
		one[i] = p[i*3+k]
	}
	return one
}

// TestColor: what moves or blurs pixels does so to each channel as to an image of its
// own, and in place as elsewhere; what covers them covers all channels.
func TestColor(t *testing.T) {
	const w, h = 40, 32
	src := colored(w, h)
	for _, in := range All() {
		d := Degradation{in.Kind, in.Severe}
		got := applyColor(t, d, src, w, h, 3)
		inPlace := slices.Clone(src)
		if err := d.ApplyColor(inPlace, inPlace, w, h, 3, rng.New(3, 0)); err != nil || !slices.Equal(inPlace, got) {
			t.Errorf("%s: in place the result is another: %v", d, err)
		}
		for k := range 3 {
			alone := apply(t, d, channel(src, k), w, h, 3)
			if same := slices.Equal(alone, channel(got, k)); same != (d.Kind == Elastic || d.Kind == Downsample || d.Kind == Sharpen || d.Kind == Missing) {
				t.Errorf("%s: channel %d is that of an image of its own: %v", d, k, same)
			}
		}
		for i, v := range got {
			if d.Kind != GaussianUnclipped && !(v >= 0 && v <= 1) {
				t.Fatalf("%s: number %d is %v", d, i, v)
			}
		}
	}
	// Scribbles are in color, and leave most of the image alone.
	got := applyColor(t, Degradation{Scribble, 1}, make([]float32, 3*w*h), w, h, 1)
	covered := 0
	for i := 0; i < len(got); i += 3 {
		if got[i] > 0 || got[i+1] > 0 || got[i+2] > 0 {
			covered++
			if got[i] == got[i+1] || got[i+1] == got[i+2] {
				t.Errorf("pixel %d is %v: gray", i/3, got[i:i+3])
			}
		}
	}
	if covered == 0 || covered > w*h/10 {
		t.Errorf("a scribble covers %d of %d pixels", covered, w*h)
	}
}

// TestColorSeverities: the damages of Table 2 are allowed ones, from mild to severe.
func TestColorSeverities(t *testing.T) {
	for _, in := range All() {
		if in.Kind == Elastic {
			continue
		}
		for i, s := range in.Color {
			if err := (Degradation{in.Kind, s}).Validate(); err != nil {
				t.Error(err)
			}
			if i > 0 && (s > in.Color[i-1]) != (in.Severe > in.Mild) {
				t.Errorf("%s: %v is no worse than %v", in.Kind, s, in.Color[i-1])
			}
		}
	}
}

// TestColorErrors: sizes that do not fit are said.
func TestColorErrors(t *testing.T) {
	d := Degradation{Sharpen, 8}
	for _, size := range [][3]int{{4, 4, 0}, {4, 4, 2}, {4, 3, 3}, {3, 4, 3}, {0, 4, 3}, {48, 1, 3}} {
		p := make([]float32, 4*4*3)
		if err := d.ApplyColor(p, p, size[0], size[1], size[2], nil); err == nil {
			t.Errorf("an image of %v took %d numbers", size, len(p))
		}
	}
}

// TestColorChecksums pins every result to the last bit, on every platform.
func TestColorChecksums(t *testing.T) {
	src := colored(40, 32)
	for _, in := range Kinds() {
		d := Degradation{in.Kind, in.Mild}
		sum := fnv.New64a()
		for _, v := range applyColor(t, d, src, 40, 32, 1) {
			b := math.Float32bits(v)
			sum.Write([]byte{byte(b), byte(b >> 8), byte(b >> 16), byte(b >> 24)})
		}
		golden.Check(t, "degrade: in color, "+d.String(), fmt.Sprintf("%016x", sum.Sum64()))
	}
}
