package plane_test

import (
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"testing"

	"mppm/shared/latent"
	"mppm/shared/latent/latenttest"
	"mppm/shared/project"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/plane"
	"mppm/weights"
)

// clouds are n codes around each of some centers in dim dimensions: the centers
// lie in the first two, where they are close; the rest is wide and says nothing.
func clouds(n, dim int) (codes []float32, labels []uint8) {
	src := rng.New(3, 0)
	for i := range 6 * n {
		c := i % 6
		z := make([]float32, dim)
		src.FillNorm(z, 5)
		z[0] = float32(c%3) + float32(0.2*src.Norm())
		z[1] = float32(c/3) + float32(0.2*src.Norm())
		codes, labels = append(codes, z...), append(labels, uint8(c))
	}
	return codes, labels
}

// TestSeparate: what tells classes apart is found among what does not. The bits
// are pinned: weights of the same codes stay the same file.
func TestSeparate(t *testing.T) {
	const dim = 8
	codes, labels := clouds(200, dim)
	p, err := plane.Separate(codes, dim, labels)
	if err != nil {
		t.Fatal(err)
	}
	axes := p.Axes()
	for k := range 2 {
		if in := math.Hypot(float64(axes[k*dim]), float64(axes[k*dim+1])); in < 0.99 {
			t.Errorf("axis %d is %v: %.2f of it lies where the classes differ, want nearly all", k, axes[k*dim:(k+1)*dim], in)
		}
	}
	if _, err := project.New(p.Mean(), axes); err != nil {
		t.Errorf("the plane found is refused: %v", err)
	}
	h := fnv.New64a()
	for _, v := range append(axes, p.Mean()...) {
		fmt.Fprintf(h, "%08x", math.Float32bits(v))
	}
	const want = "f7a59f91011a1355"
	if got := fmt.Sprintf("%016x", h.Sum64()); got != want {
		t.Errorf("the bits hash to %s, want %s", got, want)
	}
}

// TestShipped: the plane that a shipped file carries is the one that its bank gives, to
// the bit, and so is one that is added to a file.
func TestShipped(t *testing.T) {
	for name, b := range map[string][]byte{"mnist": weights.MNIST, "dae": weights.DAE} {
		f, err := safetensors.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		carried := load(t, f).Plane
		f.Tensors = slices.DeleteFunc(f.Tensors, func(t safetensors.Tensor) bool { return t.Name == "map.mean" || t.Name == "map.axes" })
		if load(t, f).Plane != nil {
			t.Errorf("%s: a file without a plane has one", name)
		}
		if err := plane.Add(f); err != nil {
			t.Fatal(err)
		}
		if p := load(t, f).Plane; !slices.Equal(p.Mean(), carried.Mean()) || !slices.Equal(p.Axes(), carried.Axes()) {
			t.Errorf("%s: the codes give the axes %v, the file has %v", name, p.Axes(), carried.Axes())
		}
	}
}

func load(t *testing.T, f *safetensors.File) *latent.Model {
	t.Helper()
	m, err := latent.New(f)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestNeighbors: on the plane, most of the shipped codes are among their own
// kind, far more than by chance.
func TestNeighbors(t *testing.T) {
	m, err := latent.Load(weights.MNIST)
	if err != nil {
		t.Fatal(err)
	}
	n, dim, codes := m.Bank.Len(), m.Latent(), m.Bank.Codes()
	at := make([][2]float32, n)
	for i := range at {
		at[i][0], at[i][1] = m.Plane.Shadow(codes[i*dim:])
	}
	const k = 15
	right, asked := 0, 0
	type neighbor struct {
		d2    float32
		label uint8
	}
	for i := 0; i < n; i += 10 {
		var near []neighbor
		for j, q := range at {
			if dx, dy := q[0]-at[i][0], q[1]-at[i][1]; j != i {
				near = append(near, neighbor{dx*dx + dy*dy, m.Bank.Labels[j]})
			}
		}
		slices.SortFunc(near, func(a, b neighbor) int {
			if a.d2 < b.d2 {
				return -1
			}
			return 1
		})
		var votes [10]int
		best := uint8(0)
		for _, q := range near[:k] {
			if votes[q.label]++; votes[q.label] > votes[best] {
				best = q.label
			}
		}
		if asked++; best == m.Bank.Labels[i] {
			right++
		}
	}
	if share := float64(right) / float64(asked); share < 0.6 {
		t.Errorf("%.0f %% of the codes have neighbors of their own kind on the plane, want 60", 100*share)
	}
}

// TestFewClasses: what has no plane is no error, and nothing is added.
func TestFewClasses(t *testing.T) {
	f := latenttest.File(1)
	labels, _ := f.Lookup("bank.labels")
	for i := range labels.Data {
		labels.Data[i] %= 2
	}
	n := len(f.Tensors)
	if err := plane.Add(f); err != nil || len(f.Tensors) != n {
		t.Errorf("of two classes: error %v, %d more tensors; want none", err, len(f.Tensors)-n)
	}
	f.Tensors = slices.DeleteFunc(f.Tensors, func(t safetensors.Tensor) bool { return t.Name == "bank.labels" })
	if err := plane.Add(f); err != nil || len(f.Tensors) != n-1 {
		t.Errorf("without labels: error %v, %d more tensors; want none", err, len(f.Tensors)-n+1)
	}
	f.Tensors = nil
	if err := plane.Add(f); err == nil {
		t.Error("a file without a bank: no error")
	}
}

func TestRefusals(t *testing.T) {
	codes, labels := clouds(10, 4)
	bad := slices.Clone(codes)
	bad[7] = float32(math.NaN())
	for name, try := range map[string]func() error{
		"too few numbers": func() error { _, err := plane.Separate(codes[1:], 4, labels); return err },
		"nothing":         func() error { _, err := plane.Separate(nil, 4, nil); return err },
		"a NaN":           func() error { _, err := plane.Separate(bad, 4, labels); return err },
		"one class":       func() error { _, err := plane.Separate(codes, 4, make([]uint8, len(labels))); return err },
		"equal codes":     func() error { _, err := plane.Separate(make([]float32, len(codes)), 4, labels); return err },
	} {
		if try() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
