package link

import (
	"math"
	"testing"
)

func TestPackedCode(t *testing.T) {
	p := page()
	z := make([]float32, 18)
	for i := range z {
		z[i] = float32(i-9) * 1.2345
	}
	got, err := p.UnpackCode(PackCode(z))
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range got {
		if math.Abs(float64(v-z[i])) > CodeGrain/2 {
			t.Errorf("number %d is %v, was %v", i, v, z[i])
		}
	}
	if again := PackCode(got); again != PackCode(z) {
		t.Error("packing again gives something else")
	}
	for _, bad := range []string{"", "AAAA", "%%%", PackCode(z) + "A", PackCode(z[1:])} {
		if _, err := p.UnpackCode(bad); err == nil {
			t.Errorf("%q is a code", bad)
		}
	}
}
