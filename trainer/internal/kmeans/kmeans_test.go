package kmeans

import (
	"context"
	"errors"
	"math"
	"runtime"
	"testing"

	"mppm/shared/rng"
)

// clouds makes n points around each of the corners of a square of side 10.
func clouds(n int) []float32 {
	r := rng.New(1, 0)
	var p []float32
	for i := range 4 * n {
		p = append(p, float32(10*(i%2)+0)+float32(r.Norm()), float32(10*(i/2%2))+float32(r.Norm()))
	}
	return p
}

func TestFindsClouds(t *testing.T) {
	p := clouds(200)
	c, err := Cluster(context.Background(), p, 2, 4, 50, rng.New(2, 0))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[[2]int]bool{}
	for j := range 4 {
		x, y := float64(c.Centers[2*j]), float64(c.Centers[2*j+1])
		corner := [2]int{int(math.Round(x / 10)), int(math.Round(y / 10))}
		if math.Hypot(x-10*float64(corner[0]), y-10*float64(corner[1])) > 0.4 {
			t.Errorf("center %d is at (%.2f, %.2f), not at a corner", j, x, y)
		}
		seen[corner] = true
	}
	if len(seen) != 4 {
		t.Errorf("centers at %v, want all four corners", seen)
	}
	for i, j := range c.Of {
		for k := range 4 {
			if squared(p[2*i:2*i+2], c.Centers[2*k:2*k+2]) < squared(p[2*i:2*i+2], c.Centers[2*j:2*j+2])-1e-3 {
				t.Fatalf("point %d belongs to %d, and is nearer to %d", i, j, k)
			}
		}
	}
}

// TestCores: the result does not depend on the number of processors.
func TestCores(t *testing.T) {
	p := clouds(300)
	one := runtime.GOMAXPROCS(1)
	a, _ := Cluster(context.Background(), p, 2, 37, 10, rng.New(3, 0))
	runtime.GOMAXPROCS(3)
	b, _ := Cluster(context.Background(), p, 2, 37, 10, rng.New(3, 0))
	runtime.GOMAXPROCS(one)
	for i := range a.Centers {
		if a.Centers[i] != b.Centers[i] {
			t.Fatalf("number %d is %v on one processor, %v on three", i, a.Centers[i], b.Centers[i])
		}
	}
}

func TestAsManyAsPoints(t *testing.T) {
	p := []float32{1, 2, 3, 3, 3}
	c, err := Cluster(context.Background(), p, 1, 5, 5, rng.New(1, 0))
	if err != nil || len(c.Centers) != 5 {
		t.Fatalf("%v, %v", c, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Cluster(ctx, p, 1, 2, 5, rng.New(1, 0)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v of a context that has ended", err)
	}
}
