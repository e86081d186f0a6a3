package degrade

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"mppm/shared/golden"
	"mppm/shared/rng"
)

// ring is a digit of sorts: a bright oval on black, anti-aliased by hand.
func ring(w, h int) []float32 {
	p := make([]float32, w*h)
	for y := range h {
		for x := range w {
			dx, dy := (float64(x)-float64(w)/2)*1.5, float64(y)-float64(h)/2
			d := math.Sqrt(dx*dx+dy*dy) - float64(h)/3
			// Rounded to 1/256, so that no platform's fused operations show.
			p[y*w+x] = float32(math.Floor(256*min(max(2.5-math.Abs(d), 0), 1)) / 256)
		}
	}
	return p
}

func apply(t testing.TB, d Degradation, src []float32, w, h int, seed uint64) []float32 {
	t.Helper()
	dst := make([]float32, len(src))
	if err := d.Apply(dst, src, w, h, rng.New(seed, 0)); err != nil {
		t.Fatalf("%v: %v", d, err)
	}
	return dst
}

// each runs f for every kind at its mild, severe, least and largest severity.
func each(f func(d Degradation)) {
	for _, in := range All() {
		for _, s := range []float64{in.Mild, in.Severe, in.Min, in.Max} {
			f(Degradation{in.Kind, s})
		}
	}
}

func TestKinds(t *testing.T) {
	want := map[Kind][2]float64{ // Table 6
		Gaussian: {.7, .85}, Elastic: {2.3, 1.8}, Downsample: {.5, .35}, Missing: {.04, .1}, Scribble: {6, 22}, Sharpen: {8, 18},
	}
	kinds := Kinds()
	if len(kinds) != len(want) {
		t.Fatalf("%d kinds, want %d", len(kinds), len(want))
	}
	for _, in := range kinds {
		if w := want[in.Kind]; in.Mild != w[0] || in.Severe != w[1] {
			t.Errorf("%s: %v and %v, Table 6 has %v", in.Kind, in.Mild, in.Severe, w)
		}
		if in.Label == "" || in.Unit == "" || in.Step <= 0 || in.Min >= in.Max {
			t.Errorf("%s: %+v", in.Kind, in)
		}
		for _, s := range []float64{in.Min, in.Max, in.Mild, in.Severe} {
			if err := (Degradation{in.Kind, s}).Validate(); err != nil {
				t.Error(err)
			}
		}
		if got, ok := in.Kind.Info(); !ok || got != in {
			t.Errorf("Info of %s is %+v", in.Kind, got)
		}
	}
	kinds[0].Kind = "changed"
	if Kinds()[0].Kind != Gaussian {
		t.Error("Kinds gives out the package's own slice")
	}
	all := All()
	if in := all[len(all)-1]; len(all) != len(kinds)+1 || in.Kind != GaussianUnclipped {
		t.Errorf("All is %+v", all)
	}
	if all[0].Kind = "changed"; All()[0].Kind != Gaussian {
		t.Error("All gives out the package's own slice")
	}
}

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want Degradation
		err  string
	}{
		{"gaussian=0.7", Degradation{Gaussian, .7}, ""},
		{"elastic=2.3", Degradation{Elastic, 2.3}, ""},
		{"downsample=.5", Degradation{Downsample, .5}, ""},
		{"missing=4e-2", Degradation{Missing, .04}, ""},
		{"scribble=22", Degradation{Scribble, 22}, ""},
		{"sharpen=18", Degradation{Sharpen, 18}, ""},
		{"gaussian=0", Degradation{Gaussian, 0}, ""},
		{"gaussian-unclipped=0.7", Degradation{GaussianUnclipped, .7}, ""},
		{"", Degradation{}, "no degradation"},
		{"blur=1", Degradation{}, "there are gaussian, elastic, downsample, missing, scribble, sharpen"},
		{"Gaussian=1", Degradation{}, "no degradation"},
		{" gaussian=1", Degradation{}, "no degradation"},
		{"=1", Degradation{}, "no degradation"},
		{"gaussian", Degradation{}, "gaussian=0.7 (mild)"},
		{"gaussian=", Degradation{}, "not a number"},
		{"gaussian=a", Degradation{}, "not a number"},
		{"gaussian=1=2", Degradation{}, "not a number"},
		{"gaussian= 1", Degradation{}, "not a number"},
		{"gaussian=1e999", Degradation{}, "not a number"},
		{"gaussian=NaN", Degradation{}, "from 0 to 2"},
		{"gaussian=-Inf", Degradation{}, "from 0 to 2"},
		{"gaussian=inf", Degradation{}, "from 0 to 2"},
		{"gaussian=-0.1", Degradation{}, "from 0 to 2"},
		{"gaussian=2.01", Degradation{}, "from 0 to 2"},
		{"elastic=0", Degradation{}, "from 1 to 6"},
		{"downsample=0", Degradation{}, "from 0.1 to 1"},
		{"downsample=2", Degradation{}, "from 0.1 to 1"},
		{"missing=10", Degradation{}, "from 0 to 0.9"},
		{"scribble=2.5", Degradation{}, "whole number"},
		{"scribble=1e9", Degradation{}, "from 0 to 50"},
	} {
		got, err := Parse(tt.in)
		if got != tt.want || (err == nil) != (tt.err == "") || err != nil && (!strings.Contains(err.Error(), tt.err) || !strings.HasPrefix(err.Error(), "degrade: ")) {
			t.Errorf("%q: %v, %v, want %v, %q", tt.in, got, err, tt.want, tt.err)
		}
	}
	if err := (Degradation{}).Validate(); err == nil {
		t.Error("Validate took no degradation at all")
	}
	if _, ok := Kind("blur").Info(); ok {
		t.Error("Info found a kind that is not there")
	}
}

func FuzzParse(f *testing.F) {
	each(func(d Degradation) { f.Add(d.String()) })
	for _, s := range []string{"", "=", "gaussian", "gaussian=", "gaussian=0x1p-2", "gaussian=1_0", "missing=-0", "scribble=1.5", "sharpen=NaN"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := Parse(s)
		if err != nil {
			return
		}
		if again, err := Parse(d.String()); err != nil || again != d {
			t.Fatalf("%q is %v, which reads back as %v, %v", s, d, again, err)
		}
	})
}

func TestApplyErrors(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	bad := func(i int, v float32) []float32 {
		p := ring(28, 28)
		p[i] = v
		return p
	}
	good := ring(28, 28)
	for _, tt := range []struct {
		name string
		d    Degradation
		src  []float32
		n    int // of dst
		w, h int
		r    *rng.Source
		want string
	}{
		{"no kind", Degradation{"", 1}, good, 784, 28, 28, rng.New(1, 1), "no degradation"},
		{"severity", Degradation{Gaussian, -1}, good, 784, 28, 28, rng.New(1, 1), "severity"},
		{"height", Degradation{Gaussian, 1}, good, 784, 28, 27, rng.New(1, 1), "28×27"},
		{"one pixel short", Degradation{Gaussian, 1}, good[:783], 783, 28, 28, rng.New(1, 1), "got 783"},
		{"no width", Degradation{Gaussian, 1}, nil, 0, 0, 0, rng.New(1, 1), "0×0"},
		{"negative", Degradation{Gaussian, 1}, good, 784, -28, -28, rng.New(1, 1), "-28×-28"},
		{"overflow", Degradation{Gaussian, 1}, good, 784, math.MaxInt, math.MaxInt, rng.New(1, 1), "needs as many"},
		{"dst short", Degradation{Gaussian, 1}, good, 783, 28, 28, rng.New(1, 1), "room for 783"},
		{"NaN", Degradation{Gaussian, 1}, bad(30, nan), 784, 28, 28, rng.New(1, 1), "column 2, row 1 is NaN"},
		{"infinite", Degradation{Sharpen, 1}, bad(783, inf), 784, 28, 28, nil, "column 27, row 27 is -Inf"},
		{"no source", Degradation{Gaussian, 1}, good, 784, 28, 28, nil, "random"},
		{"no source", Degradation{Scribble, 1}, good, 784, 28, 28, nil, "random"},
	} {
		dst := slices.Repeat([]float32{9}, tt.n)
		err := tt.d.Apply(dst, tt.src, tt.w, tt.h, tt.r)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "degrade: ") {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.want)
		}
		if slices.ContainsFunc(dst, func(v float32) bool { return v != 9 }) {
			t.Errorf("%s: dst was written to", tt.name)
		}
	}
	for _, d := range []Degradation{{Downsample, .5}, {Sharpen, 8}} {
		if err := d.Apply(make([]float32, 784), good, 28, 28, nil); err != nil {
			t.Errorf("%v without a source: %v", d, err)
		}
	}
}

// TestAnySize applies everything to images down to one pixel: no panic, finite
// results, the source left as the caller's next draw expects.
func TestAnySize(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {1, 9}, {9, 1}, {2, 2}, {3, 5}, {28, 28}, {64, 40}} {
		w, h := size[0], size[1]
		src := ring(w, h)
		before := slices.Clone(src)
		black := make([]float32, w*h)
		each(func(d Degradation) {
			a, b := rng.New(5, 0), rng.New(5, 0)
			dst := make([]float32, w*h)
			if err := d.Apply(dst, src, w, h, a); err != nil {
				t.Fatalf("%v, %d×%d: %v", d, w, h, err)
			}
			if !slices.Equal(src, before) {
				t.Fatalf("%v, %d×%d: src was written to", d, w, h)
			}
			if i := slices.IndexFunc(dst, func(v float32) bool { return math.IsNaN(float64(v)) || math.Abs(float64(v)) > 20 }); i >= 0 {
				t.Errorf("%v, %d×%d: pixel %d is %v", d, w, h, i, dst[i])
			}
			if err := d.Apply(black, black, w, h, b); err != nil {
				t.Fatal(err)
			}
			if a.Uint64() != b.Uint64() {
				t.Errorf("%v, %d×%d: what is drawn depends on the pixels", d, w, h)
			}
			clear(black)
			inPlace := slices.Clone(src)
			if err := d.Apply(inPlace, inPlace, w, h, rng.New(5, 0)); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(inPlace, dst) {
				t.Errorf("%v, %d×%d: another result where dst is src", d, w, h)
			}
		})
	}
}

func TestSeeds(t *testing.T) {
	src := ring(28, 28)
	for _, in := range Kinds() {
		d := Degradation{in.Kind, in.Severe}
		a, b, c := apply(t, d, src, 28, 28, 1), apply(t, d, src, 28, 28, 1), apply(t, d, src, 28, 28, 2)
		if !slices.Equal(a, b) {
			t.Errorf("%v: one seed, two results", d)
		}
		random := in.Kind != Downsample && in.Kind != Sharpen
		if slices.Equal(a, c) == random {
			t.Errorf("%v: two seeds, same result: %v", d, !random)
		}
	}
}

// reference is a case of testdata/reference.json: what PyTorch 1.13 and torchvision
// 0.14 made, in float64, of images written by testdata/reference.py.
type reference struct {
	Kind        Kind
	Severity    float64
	W, H        int
	Src, Dx, Dy []int // in units of 1/256
	Want        []float64
}

//go:embed testdata/reference.json
var referenceJSON []byte

func TestAgainstTorch(t *testing.T) {
	var cases []reference
	if err := json.Unmarshal(referenceJSON, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) != 11 {
		t.Fatalf("%d cases", len(cases))
	}
	unit := func(x []int) []float64 {
		out := make([]float64, len(x))
		for i, v := range x {
			out[i] = float64(v) / 256
		}
		return out
	}
	for _, c := range cases {
		src := make([]float32, len(c.Src))
		for i, v := range c.Src {
			src[i] = float32(v) / 256
		}
		got := make([]float32, len(src))
		switch c.Kind {
		case Elastic:
			smooth(unit(c.Dx), unit(c.Dy), c.W, c.H, c.Severity).elastic(got, src, c.W, c.H)
		default:
			d := Degradation{c.Kind, c.Severity}
			if err := d.Apply(got, src, c.W, c.H, nil); err != nil {
				t.Fatal(err)
			}
		}
		for i, want := range c.Want {
			if !(math.Abs(float64(got[i])-want) <= 2e-7) {
				t.Errorf("%s %v, %d×%d: pixel %d is %v, PyTorch has %v", c.Kind, c.Severity, c.W, c.H, i, got[i], want)
				break
			}
		}
	}
}

// TestGaussian measures the noise, which is the same clipped and not.
func TestGaussian(t *testing.T) {
	const n = 200
	src := slices.Repeat([]float32{.25}, n*n)
	whole := apply(t, Degradation{GaussianUnclipped, .85}, src, n, n, 3)
	var sum, squares float64
	below, above := 0, 0
	for _, v := range whole {
		d := float64(v) - .25
		sum += d
		squares += d * d
		if v < 0 {
			below++
		}
		if v > 1 {
			above++
		}
	}
	mean, sigma := sum/(n*n), math.Sqrt(squares/(n*n))
	// Five standard errors of each.
	if math.Abs(mean) > 5*.85/n || math.Abs(sigma-.85) > 5*.85/(n*math.Sqrt2) {
		t.Errorf("mean %v, σ %v, want 0, 0.85", mean, sigma)
	}
	// Φ(-.25/.85) = .3843, 1-Φ(.75/.85) = .1888.
	if b, a := float64(below)/(n*n), float64(above)/(n*n); math.Abs(b-.3843) > .013 || math.Abs(a-.1888) > .01 {
		t.Errorf("%.4f below 0, %.4f above 1, want .3843, .1888", b, a)
	}
	for i, v := range apply(t, Degradation{Gaussian, .85}, src, n, n, 3) {
		if want := min(max(whole[i], 0), 1); v != want {
			t.Fatalf("pixel %d is %v, %v where nothing is clipped", i, v, whole[i])
		}
	}
	for _, k := range []Kind{Gaussian, GaussianUnclipped} {
		if got := apply(t, Degradation{k, 0}, src, n, n, 3); !slices.Equal(got, src) {
			t.Errorf("%s of σ = 0 changes the image", k)
		}
	}
}

// TestImages: what is spoiled is an image, as a file holds it.
func TestImages(t *testing.T) {
	for _, src := range [][]float32{ring(28, 28), slices.Repeat([]float32{1}, 784), make([]float32, 784)} {
		each(func(d Degradation) {
			if d.Kind == GaussianUnclipped {
				return
			}
			for seed := range uint64(20) {
				for i, v := range apply(t, d, src, 28, 28, seed) {
					if !(v >= 0 && v <= 1) {
						t.Fatalf("%v, seed %d: pixel %d is %v", d, seed, i, v)
					}
				}
			}
		})
	}
}

// TestElasticSize measures the displacement: a field of uniform numbers, of
// standard deviation 1/√3, blurred by σ in two dimensions, has 1/√3/(2σ√π), and
// is scaled by 17 pixels of 28.
func TestElasticSize(t *testing.T) {
	const w, h = 28, 28
	ramp := make([]float32, w*h) // its value is the column, so a result shows where from
	for i := range ramp {
		ramp[i] = float32(i % w)
	}
	for _, sigma := range []float64{1.8, 2.3} {
		var squares, n float64
		for seed := range uint64(200) {
			got := apply(t, Degradation{Elastic, sigma}, ramp, w, h, seed)
			for y := 10; y < 18; y++ { // the border's reflection doubles the variance there
				for x := 10; x < 18; x++ {
					d := float64(got[y*w+x]) - float64(x)
					squares += d * d
					n++
				}
			}
		}
		got, want := math.Sqrt(squares/n), 17/math.Sqrt(3)/(2*sigma*math.Sqrt(math.Pi))
		if math.Abs(got/want-1) > .05 {
			t.Errorf("σ = %v moves by %.3f pixels, want %.3f", sigma, got, want)
		}
	}
	// Outside is black: a white image darkens at the border and nowhere else.
	white := slices.Repeat([]float32{1}, w*h)
	got := apply(t, Degradation{Elastic, 1}, white, w, h, 1)
	if low := slices.Min(got); low != 0 {
		t.Errorf("what comes from outside is %v, want 0", low)
	}
	if math.Abs(float64(got[14*w+14])-1) > 1e-6 {
		t.Errorf("the middle of a white image is %v", got[14*w+14])
	}
}

func TestDownsample(t *testing.T) {
	src := ring(28, 28)
	if got := apply(t, Degradation{Downsample, 1}, src, 28, 28, 1); !slices.Equal(got, src) {
		t.Error("a factor of 1 changes the image")
	}
	flat := slices.Repeat([]float32{.3}, 28*20)
	for _, f := range []float64{.1, .35, .5, .77} {
		if got := apply(t, Degradation{Downsample, f}, flat, 28, 20, 1); !slices.Equal(got, flat) {
			t.Errorf("factor %v changes a flat image", f)
		}
	}
	for _, tt := range []struct {
		n      int
		factor float64
		want   int
	}{{28, .5, 14}, {28, .35, 9}, {28, 1, 28}, {28, .1, 2}, {100, .29, 29}, {3, .1, 1}, {1, .1, 1}, {20, .55, 11}} {
		if got := lowSize(tt.n, tt.factor); got != tt.want {
			t.Errorf("%v of %d is %d, want %d", tt.factor, tt.n, got, tt.want)
		}
	}
}

func TestMissing(t *testing.T) {
	for _, size := range [][2]int{{28, 28}, {50, 20}, {7, 5}, {1, 1}} {
		w, h := size[0], size[1]
		src := make([]float32, w*h)
		for i := range src {
			src[i] = 1 + float32(i)
		}
		for _, share := range []float64{0, .01, .04, .1, .5, .9} {
			got := apply(t, Degradation{Missing, share}, src, w, h, 4)
			gone := 0
			for i, v := range got {
				if v == 0 {
					gone++
				} else if v != src[i] {
					t.Fatalf("%d×%d, %v: pixel %d is %v, not covered and not %v", w, h, share, i, v, src[i])
				}
			}
			if want := int(math.Round(share * float64(w*h))); gone != want {
				t.Errorf("%d×%d, %v: %d pixels are black, want %d", w, h, share, gone, want)
			}
		}
	}
	// Whole 3×3 squares at 28×28: .04 of 784 is 31, three squares and 4 pixels
	// where none overlap.
	src := slices.Repeat([]float32{1}, 784)
	whole := 0
	got := apply(t, Degradation{Missing, .04}, src, 28, 28, 1)
	for y := range 26 {
		for x := range 26 {
			if slices.Max([]float32{slices.Max(got[y*28+x : y*28+x+3]), slices.Max(got[(y+1)*28+x : (y+1)*28+x+3]), slices.Max(got[(y+2)*28+x : (y+2)*28+x+3])}) == 0 {
				whole++
			}
		}
	}
	if whole < 2 || whole > 8 {
		t.Errorf("%d squares of 3×3 are black", whole)
	}
}

func TestScribble(t *testing.T) {
	black := make([]float32, 784)
	if got := apply(t, Degradation{Scribble, 0}, black, 28, 28, 1); !slices.Equal(got, black) {
		t.Error("no scribbles change the image")
	}
	touched := func(n float64) (share, mean float64) {
		const images = 200
		for seed := range uint64(images) {
			for _, v := range apply(t, Degradation{Scribble, n}, black, 28, 28, seed) {
				if v < 0 || v > 1 {
					t.Fatalf("a scribble of gray %v", v)
				}
				if v > 0 {
					share += 1. / 784 / images
				}
				mean += float64(v) / 784 / images
			}
		}
		return share, mean
	}
	// One stroke has 7 to 14 pixels of length and one of width, less what leaves
	// the image, at a mean gray of ½; anti-aliasing touches about twice the area.
	share, mean := touched(1)
	if share < .015 || share > .035 || mean < .004 || mean > .0075 {
		t.Errorf("one scribble touches %.4f of the image and adds %.4f", share, mean)
	}
	six, _ := touched(6)
	many, _ := touched(22)
	if !(six > 4*share && many > 2*six && many < .5) {
		t.Errorf("1, 6 and 22 scribbles touch %.3f, %.3f, %.3f of the image", share, six, many)
	}
	// The whole range of grays: on white, black shows.
	white := slices.Repeat([]float32{1}, 784)
	low := float32(1)
	for seed := range uint64(50) {
		low = min(low, slices.Min(apply(t, Degradation{Scribble, 22}, white, 28, 28, seed)))
	}
	if low > .01 {
		t.Errorf("the darkest of 1100 scribbles is %v", low)
	}
}

// TestStroke draws straight lines, of which the coverage is known.
func TestStroke(t *testing.T) {
	line := func(a, b point) [4]point {
		at := func(t float64) point { return point{a.x + t*(b.x-a.x), a.y + t*(b.y-a.y)} }
		return [4]point{a, at(1. / 3), at(2. / 3), b}
	}
	for _, tt := range []struct {
		name   string
		a, b   point
		radius float64
		column []float64 // of rows 0 to 8, at column 10
	}{
		{"on a row of pixels", point{3, 4.5}, point{17, 4.5}, .5, []float64{0, 0, 0, 0, 1, 0, 0, 0, 0}},
		{"between two rows", point{17, 4}, point{3, 4}, .5, []float64{0, 0, 0, .5, .5, 0, 0, 0, 0}},
		{"a quarter down", point{3, 4.25}, point{17, 4.25}, .5, []float64{0, 0, 0, .25, .75, 0, 0, 0, 0}},
		{"three wide", point{3, 4.5}, point{17, 4.5}, 1.5, []float64{0, 0, 0, 1, 1, 1, 0, 0, 0}},
		{"no length", point{10.5, 4.5}, point{10.5, 4.5}, .5, []float64{0, 0, 0, 0, 1, 0, 0, 0, 0}},
		{"above the image", point{3, -4}, point{17, -4}, .5, make([]float64, 9)},
		{"half out", point{3, 0}, point{17, 0}, .5, []float64{.5, 0, 0, 0, 0, 0, 0, 0, 0}},
		{"across the whole", point{10.5, -40}, point{10.5, 40}, .5, []float64{1, 1, 1, 1, 1, 1, 1, 1, 1}},
	} {
		cover := make([]float64, 20*9)
		stroke(cover, 20, 9, line(tt.a, tt.b), tt.radius)
		for y, want := range tt.column {
			if got := cover[y*20+10]; math.Abs(got-want) > 1e-9 {
				t.Errorf("%s: row %d is covered by %v, want %v", tt.name, y, got, want)
			}
		}
	}
	// A curve ends where it says, and bends: de Casteljau against the polynomial.
	c := [4]point{{0, 0}, {3, 9}, {-2, 5}, {7, 1}}
	for i := range 11 {
		s := float64(i) / 10
		u := 1 - s
		want := point{3*u*s*s*-2 + 3*u*u*s*3 + s*s*s*7, 3*u*u*s*9 + 3*u*s*s*5 + s*s*s}
		if got := bezier(c, s); math.Abs(got.x-want.x)+math.Abs(got.y-want.y) > 1e-12 {
			t.Errorf("the curve at %v is %v, want %v", s, got, want)
		}
	}
}

func TestSharpen(t *testing.T) {
	src := ring(28, 28)
	for i := range src {
		src[i] = .2 + .6*src[i]
	}
	if got := apply(t, Degradation{Sharpen, 0}, src, 28, 28, 1); !slices.Equal(got, src) {
		t.Error("a strength of 0 changes the image")
	}
	got := apply(t, Degradation{Sharpen, 18}, src, 28, 28, 1)
	if slices.Min(got) != 0 || slices.Max(got) != 1 {
		t.Errorf("a strong sharpening spans %v to %v, want 0 to 1", slices.Min(got), slices.Max(got))
	}
	flat := slices.Repeat([]float32{.3}, 784)
	for i, v := range apply(t, Degradation{Sharpen, 30}, flat, 28, 28, 1) {
		if math.Abs(float64(v)-.3) > 1e-6 {
			t.Fatalf("pixel %d of a flat image is %v", i, v)
		}
	}
	if got := apply(t, Degradation{Sharpen, 0}, []float32{-1, 2}, 2, 1, 1); got[0] != 0 || got[1] != 1 {
		t.Errorf("-1 and 2 are %v, want them clipped", got)
	}
}

func TestExp(t *testing.T) {
	for i := range 100_000 {
		x := -float64(i) * .007
		if got, want := exp(x), math.Exp(x); !(math.Abs(got/want-1) <= 4e-16*math.Max(1, -x)) {
			t.Fatalf("exp(%v) = %v, want %v", x, got, want)
		}
	}
}

func TestTaps(t *testing.T) {
	for sigma, want := range map[float64]int{1: 9, 1.05: 9, 1.8: 15, 2: 17, 2.3: 19, 2.4: 21, 6: 49} {
		if got := kernelSize(sigma); got != want {
			t.Errorf("kernel of σ = %v has %d taps, torchvision's %d", sigma, got, want)
		}
		k := gaussian(sigma, kernelSize(sigma))
		sum := 0.0
		for i := range k {
			sum += k[i]
			if k[i] != k[len(k)-1-i] {
				t.Errorf("σ = %v: tap %d differs from its mirror", sigma, i)
			}
		}
		if math.Abs(sum-1) > 1e-15 {
			t.Errorf("σ = %v: taps sum to %v", sigma, sum)
		}
	}
	for _, tt := range []struct{ i, n, want int }{
		{0, 5, 0}, {4, 5, 4}, {-1, 5, 1}, {-4, 5, 4}, {5, 5, 3}, {8, 5, 0}, {9, 5, 1}, {-5, 5, 3}, {-8, 5, 0},
		{-1, 2, 1}, {2, 2, 0}, {3, 2, 1}, {-7, 1, 0}, {7, 1, 0}, {1000, 3, 0},
	} {
		if got := reflect(tt.i, tt.n); got != tt.want {
			t.Errorf("reflect(%d, %d) = %d, want %d", tt.i, tt.n, got, tt.want)
		}
	}
}

// TestChecksums pins every result to the last bit. The same sums are checked in
// WASM, and with and without SIMD: a change here changes every shared link and
// every score.
func TestChecksums(t *testing.T) {
	src := ring(28, 28)
	each(func(d Degradation) {
		bits := golden.NewBits()
		for seed := range uint64(5) {
			bits.Add(apply(t, d, src, 28, 28, seed))
		}
		golden.Check(t, fmt.Sprintf("degrade: a ring under %v, seeds 0 to 4", d), bits)
	})
}

func BenchmarkApply(b *testing.B) {
	src, dst := ring(28, 28), make([]float32, 784)
	for _, in := range Kinds() {
		d := Degradation{in.Kind, in.Severe}
		b.Run(d.String(), func(b *testing.B) {
			r := rng.New(1, 0)
			for b.Loop() {
				if err := d.Apply(dst, src, 28, 28, r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
