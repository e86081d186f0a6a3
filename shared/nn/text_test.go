package nn_test

import (
	"encoding/json"
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
	nets := []*nn.Net{f, g, u}
	faces, err := unet.New(nn.Shape{H: 120, W: 120, C: 3}, unet.Table9())
	if err != nil {
		t.Fatal(err)
	}
	d, err := unet.Distance(1024, []int{300, 100, 30})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range append(nets, faces.F, faces.P, faces.G, d) {
		b, err := json.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		var back nn.Net
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatalf("%v, of %s", err, b)
		}
		if !reflect.DeepEqual(&back, n) {
			t.Errorf("%s is another net", b)
		}
	}
}

// TestTextErrors: text that is no net says what is wrong with it.
func TestTextErrors(t *testing.T) {
	layers := func(s string) string { return `{"in":[8,8,1],"layers":[` + s + `]}` }
	for text, want := range map[string]string{
		`{`:                             "unexpected end",
		`{"in":[8,8],"layers":[]}`:      "in: the shape is [8 8]",
		`{"in":[8,-8,1],"layers":[]}`:   "8×-8×1",
		layers(``):                      "needs a layer",
		layers(`{"kind":"sigmoid2"}`):   "layer 0, sigmoid2: there is no such layer",
		layers(`{"kind":"conv"}`):       "the window is []",
		layers(`{"kind":"keep"}`):       `the name "" is empty`,
		layers(`{"kind":"identity"},7`): "cannot unmarshal number",
		layers(`{"kind":"conv","name":"c","window":[3,1,1]}`):                        "out is []",
		layers(`{"kind":"conv","name":"c","window":[3,0,1],"out":[4]}`):              "is none",
		layers(`{"kind":"conv","name":"c","window":[1,1,0],"out":[200000000]}`):      "8×8×200000000",
		layers(`{"kind":"linear","name":"l","out":[3]}`):                             "out: the shape is [3]",
		layers(`{"kind":"linear","name":"l","out":[1,1,134217728]}`):                 "more than 67108864 numbers",
		layers(strings.Repeat(`{"kind":"relu"},`, 256) + `{"kind":"relu"}`):          "257 layers",
		layers(`{"kind":"convtranspose","name":"t","window":[2,2,0],"out":[9,9,1]}`): "leads from",
	} {
		var n nn.Net
		if err := json.Unmarshal([]byte(text), &n); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: %v; want %q", text, err, want)
		}
	}
}
