package ambient

import (
	"math"
	"slices"
	"testing"

	"mppm/shared/ambient"
	"mppm/shared/rng"
	"mppm/trainer/internal/pointcloud"
	"mppm/trainer/internal/run"
)

// TestFarPoints: points that lie close together and far from 0, as those of a map,
// stay apart, train as the same points around 0 do, and are led back to their own
// coordinates.
func TestFarPoints(t *testing.T) {
	const radius, n = 0.01, 60
	at := []float64{691_607.5, 5_335_000.25, -1e9}
	near, far := circle(n), &pointcloud.Cloud{Dim: 3}
	for i := range n {
		for k, v := range near.Point(i) {
			near.Points[3*i+k] = radius * v
			far.Points = append(far.Points, at[k]+radius*v)
		}
	}
	c := tiny()
	a, b := mustNew(t, c, near, ""), mustNew(t, c, far, "")
	places := map[[3]float32]bool{}
	for i := 0; i < len(b.train); i += 3 {
		places[[3]float32(b.train[i:i+3])] = true
	}
	if len(places) != len(b.train)/3 {
		t.Errorf("%d points have %d places", len(b.train)/3, len(places))
	}
	for i, v := range a.train {
		if math.Abs(float64(v-b.train[i])) > 1e-4 {
			t.Fatalf("coordinate %d is %v, and %v around 0", i, b.train[i], v)
		}
	}
	if err := b.Train(t.Context(), run.Options{Every: 1000}); err != nil {
		t.Fatal(err)
	}
	m, _ := load(t, b, false)
	own, back := make([]float64, len(m.Points)), make([]float32, len(m.Points))
	m.Denormalize(own, m.Points)
	m.Normalize(back, own)
	order := rng.New(c.Seed, streamSplit).Perm(n)[n-Trained(n):]
	for i, from := range order {
		for k, v := range far.Point(from) {
			if off := math.Abs(own[3*i+k] - v); off > 1e-6 {
				t.Fatalf("coordinate %d of point %d is given back %v off", k, from, off)
			}
			if math.Abs(float64(back[3*i+k]-m.Points[3*i+k])) > 1e-4 {
				t.Fatalf("there and back, %v becomes %v", m.Points[3*i+k], back[3*i+k])
			}
		}
	}
	s, _, err := b.Score(m)
	if err != nil {
		t.Fatal(err)
	}
	if !(s.Noisy > 0.01 && s.Noisy < 1) {
		t.Errorf("noisy points are %v from points of size 1", s.Noisy)
	}
}

// TestCenterOfFile: a center that is in the metadata has to be that of the tensor.
func TestCenterOfFile(t *testing.T) {
	r := mustNew(t, tiny(), &pointcloud.Cloud{Dim: 1, Points: []float64{1e6 + 0.1, 1e6 + 0.2, 1e6 + 0.4}}, "")
	for text, ok := range map[string]bool{
		"[1000001.25]": false, "[1000000.2333333333]": true, "[1000000.2333333333, 0]": false, "[]": false, "{": false, "[1e999]": false,
	} {
		f, err := r.Weights(true)
		if err != nil {
			t.Fatal(err)
		}
		if f.Meta["center"] == "" {
			t.Fatal("the center of 64 bits is not kept")
		}
		f.Meta["center"] = text
		if m, err := ambient.New(f); (err == nil) != ok {
			t.Errorf("%s: %v, %v", text, m, err)
		}
	}
	r = mustNew(t, tiny(), circle(60), "")
	if f, err := r.Weights(true); err != nil || slices.Contains(keys(f.Meta), "center") {
		t.Errorf("a center that 32 bits hold is in the metadata: %v", err)
	}
}

func keys(m map[string]string) []string {
	var all []string
	for k := range m {
		all = append(all, k)
	}
	return all
}
