package api

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"

	"mppm/shared/latent"
	"mppm/shared/rng"
)

// TestJSON holds what is written by hand to the standard library's.
func TestJSON(t *testing.T) {
	flow := latent.Preset{Alpha: 0.1, Beta: 0.2, Sigma: 0.3, Start: 0.4, Tau: 0.5, Steps: 6, Tolerance: 0.7, Noise: 0.8}
	values := map[any]any{flow: flowObject(flow), latent.Preset{}: flowObject(latent.Preset{})}
	for _, v := range []any{nil, true, false, 0, -7, uint64(math.MaxUint64), "", "a\"\\\n\x01é\u202e", float32(0.1), 0.1, math.Copysign(0, -1), 1e20, 1e21, 1e-6, 9.9e-7, 1.5e-10, math.MaxFloat64, math.SmallestNonzeroFloat64, float32(math.MaxFloat32)} {
		values[v] = v
	}
	r := rng.New(1, 0)
	for range 1000 {
		v := math.Float64frombits(r.Uint64())
		if w := float32(v); !math.IsNaN(v) && !math.IsInf(float64(w), 0) {
			values[v], values[w] = v, w
		}
	}
	for v, ours := range values {
		want, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if got := appendJSON(nil, ours); !bytes.Equal(got, want) {
			t.Errorf("%#v is written as %s, want %s", v, got, want)
		}
	}
	list := object{{"a", []int{1, 2}}, {"b", []string{}}, {"c", []object{{}, {{"d", []float32{0.5}}}}}, {"e", pixels{0.12345, -1, 1}}}
	if got, want := string(appendJSON(nil, list)), `{"a":[1,2],"b":[],"c":[{},{"d":[0.5]}],"e":[0.1235,-1,1]}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
