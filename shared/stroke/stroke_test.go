package stroke

import (
	"math"
	"reflect"
	"strings"
	"testing"
)

// four is a 4 of two strokes, scaled about its corner and moved.
func four(scale, dx, dy float64) [][]Point {
	p := func(x, y float64) Point { return Point{x*scale + dx, y*scale + dy, 2.5} }
	return [][]Point{{p(6, 2), p(2, 10), p(12, 10)}, {p(9, 5), p(9, 18)}}
}

func TestCodec(t *testing.T) {
	for _, strokes := range [][][]Point{nil, {{{1, 2, 0.5}}}, four(1, 3, 4), four(0.5, -20, 40)} {
		text := Encode(strokes)
		if strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Errorf("%q is not made of letters that an address may hold", text)
		}
		got, err := Decode(text)
		if err != nil || !reflect.DeepEqual(got, strokes) {
			t.Errorf("%v came back as %v, %v", strokes, got, err)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	good := Encode(four(1, 0, 0))
	for _, bad := range []string{"", "!", "AA", "Ag", good[:len(good)-3], good + "A", "AQ_____________w8", Encode([][]Point{{{2000, 0, 1}}}), Encode([][]Point{{{1, 1, 0}}}), Encode([][]Point{{{1, 1, 9}}})} {
		if s, err := Decode(bad); err == nil {
			t.Errorf("%q gave %v", bad, s)
		}
	}
	if _, err := Decode(good); err != nil {
		t.Error(err)
	}
}

// TestCenter: a drawing gives one image wherever and however large it is drawn,
// in MNIST's frame.
func TestCenter(t *testing.T) {
	want := make([]float32, Side*Side)
	Center(want, four(1, 0, 0))
	var mass, mx, my, top float64
	for i, v := range want {
		mass += float64(v)
		mx += float64(v) * (float64(i%Side) + 0.5)
		my += float64(v) * (float64(i/Side) + 0.5)
		top = max(top, float64(v))
	}
	if top != 1 || math.Abs(mx/mass-Side/2) > 0.6 || math.Abs(my/mass-Side/2) > 0.6 {
		t.Errorf("ink up to %v around (%.2f, %.2f)", top, mx/mass, my/mass)
	}
	for _, c := range []struct{ scale, dx, dy float64 }{{1, 100, -50}, {2, 0, 0}, {0.5, 7, 9}} {
		got := make([]float32, Side*Side)
		at := Center(got, four(c.scale, c.dx, c.dy))
		most := 0.0
		for i, v := range got {
			most = max(most, math.Abs(float64(v-want[i])))
		}
		if most > 0.02 {
			t.Errorf("%+v: the image differs by up to %v (placed %+v)", c, most, at)
		}
	}
	got := []float32{0: 1, Side*Side - 1: 1}
	if Center(got, nil); got[0] != 0 || got[len(got)-1] != 0 {
		t.Error("an empty drawing is not black")
	}
}

// TestBack: a point that goes back comes to where it was, within half a grain,
// and on the grain; the zero Placing moves nothing.
func TestBack(t *testing.T) {
	strokes := four(0.4, 3, -2)
	img := make([]float32, Side*Side)
	for _, at := range []Placing{{}, {Zoom: 2.7, DX: -3, DY: 11}, Center(img, strokes)} {
		for _, want := range []Point{{0, 0, 1}, {27.9, 3.1, 2.6}, {14, 14, 0.001}} {
			p := at.Back(want.X, want.Y, want.Width)
			for _, v := range []float64{p.X, p.Y, p.Width} {
				if v != math.Round(v/Grain)*Grain {
					t.Errorf("%+v: %v goes back to %v, off the grain", at, want, p)
				}
			}
			if p.Width <= 0 {
				t.Errorf("%+v: %v goes back to a point without width", at, want)
			}
			got := at.Point(p)
			if bound := at.Scale()*Grain/2 + 1e-9; math.Abs(got.X-want.X) > bound || math.Abs(got.Y-want.Y) > bound {
				t.Errorf("%+v: %v goes back to %v, which comes to %v", at, want, p, got)
			}
		}
	}
	if p := (Point{3, 4, 2}); (Placing{}).Point(p) != p {
		t.Error("the zero Placing moves points")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(Encode(four(1, 0, 0)))
	f.Add("AQEBAQE")
	f.Fuzz(func(t *testing.T, text string) {
		strokes, err := Decode(text)
		if err != nil {
			return
		}
		dst := make([]float32, Side*Side)
		Center(dst, strokes)
		for i, v := range dst {
			if !(v >= 0 && v <= 1) {
				t.Fatalf("pixel %d is %v", i, v)
			}
		}
		again, err := Decode(Encode(strokes))
		if err != nil || !reflect.DeepEqual(again, strokes) {
			t.Fatalf("%v came back as %v, %v", strokes, again, err)
		}
	})
}
