package metric

import (
	"testing"

	"mppm/shared/rng"
)

// TestColor: SSIM in color is the mean over the channels.
func TestColor(t *testing.T) {
	const w, h = 20, 15
	r := rng.New(7, 0)
	a, b := make([]float32, 3*w*h), make([]float32, 3*w*h)
	var one, other [3][]float32
	for i := range a {
		a[i] = r.Float32()
		b[i] = a[i] + 0.2*r.Float32()*float32(i%3)
		one[i%3], other[i%3] = append(one[i%3], a[i]), append(other[i%3], b[i])
	}
	var s Scorer
	got, err := s.SSIMColor(a, b, w, h, 3)
	if err != nil {
		t.Fatal(err)
	}
	want := 0.0
	for k := range 3 {
		v, err := SSIM(one[k], other[k], w, h)
		if err != nil {
			t.Fatal(err)
		}
		want += v
	}
	if got != want/3 {
		t.Errorf("%v, want %v", got, want/3)
	}
	gray, err := s.SSIMColor(one[1], other[1], w, h, 1)
	if v, _ := SSIM(one[1], other[1], w, h); err != nil || gray != v {
		t.Errorf("of one channel: %v, %v; want %v", gray, err, v)
	}
	for _, size := range [][3]int{{w, h, 2}, {w, h, 0}, {h, h, 3}, {10, 30, 3}} {
		if _, err := s.SSIMColor(a, b, size[0], size[1], size[2]); err == nil {
			t.Errorf("images of %v took %d numbers", size, len(a))
		}
	}
}
