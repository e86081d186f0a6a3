package nn_test

import (
	"reflect"
	"strings"
	"testing"

	"mppm/shared/nn"
	"mppm/shared/nn/nntest"
	"mppm/shared/unet"
)

// TestText: a net is the same after it was text, whatever its layers.
func TestText(t *testing.T) {
	f, g, u := nntest.Unplanned(t)
	faces, err := unet.New(nn.Shape{H: 120, W: 120, C: 3}, unet.Table9())
	if err != nil {
		t.Fatal(err)
	}
	d, err := unet.Distance(1024, []int{300, 100, 30})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []*nn.Net{f, g, u, faces.F, faces.P, faces.G, d} {
		text, err := n.Text()
		if err != nil {
			t.Fatal(err)
		}
		back, err := nn.Parse(text)
		if err != nil {
			t.Fatalf("%v, of %s", err, text)
		}
		if !reflect.DeepEqual(back, n) {
			t.Errorf("%s is another net", text)
		}
	}
	want := "32x32x3; conv f.1 4,3,0 12; relu; conv f.2 3,2,1 10; silu; conv f.3 3,2,1 8; leakyrelu; linear f.4 64"
	if text, err := f.Text(); err != nil || text != want {
		t.Errorf("%s, %v; want %s", text, err, want)
	}
	odd, err := nn.New(nn.Vector(2), nn.BatchNorm{Name: "a b"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := odd.Text(); err == nil {
		t.Error("a name with a space was written")
	}
}

// TestTextErrors: text that is no net says what is wrong with it.
func TestTextErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                      `input: "" is no shape`,
		"8x8; relu":                             `input: "8x8" is no shape`,
		"8x-8x1; relu":                          "8×-8×1",
		"8x8x1":                                 "needs a layer",
		"8x8x1; ":                               "nothing between",
		"8x8x1; sigmoid2":                       `layer 0, "sigmoid2": there is no such layer`,
		"8x8x1; relu relu":                      "there is no such layer",
		"8x8x1; conv":                           "there is no such layer",
		"8x8x1; keep a; keep a":                 `the name "a" is empty or taken`,
		"8x8x1; conv c 3,1 4":                   `"3,1" is no window`,
		"8x8x1; conv c 3,1,1 four":              `"four" is no number of channels`,
		"8x8x1; conv c 3,0,1 4":                 "is none",
		"8x8x1; conv c 1,1,0 200000000":         "8×8×200000000",
		"8x8x1; dropout much":                   `"much" is no share`,
		"8x8x1; dropout 1":                      "less than 1",
		"8x8x1; linear l 134217728":             "more than 67108864 numbers",
		"8x8x1; convtranspose t 2,2,0 9x9x1":    "leads from",
		"8x8x1; convtranspose t 2,2,0 9":        "does not fit",
		"8x8x1" + strings.Repeat("; relu", 257): "257 layers",
	} {
		if _, err := nn.Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: %v; want %q", text, err, want)
		}
	}
}

// FuzzParse: whatever the text, there is a net, which is written as it was read, or an
// error.
func FuzzParse(f *testing.F) {
	f.Add("32x32x3; conv f.1 4,3,0 12; relu; keep a; maxpool 2,2,0; from a; linear f.4 64")
	f.Add("4; input b 2x2x1; dropout 0.5; batchnorm n; concat b; add b; sigmoid")
	f.Fuzz(func(t *testing.T, text string) {
		n, err := nn.Parse(text)
		if err != nil {
			return
		}
		again, err := n.Text()
		if err != nil {
			t.Fatal(err)
		}
		if back, err := nn.Parse(again); err != nil || !reflect.DeepEqual(n, back) {
			t.Fatalf("%q was read as %q: %v", text, again, err)
		}
	})
}
