//go:build webgpu

package webgpu

import (
	"errors"
	"math"
	"strings"
	"sync"
	"testing"

	"gorgonia.org/gorgonia"

	"mppm/trainer/internal/compliance"
	"mppm/trainer/internal/graph"
	"mppm/trainer/internal/optim"
)

var shared = sync.OnceValues(func() (*Device, error) { return Open("") })

// open returns the device that all tests share.
func open(t testing.TB) *Device {
	t.Helper()
	d, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestOperations(t *testing.T) {
	d := open(t)
	compliance.Operations(t, func(g *gorgonia.ExprGraph) (gorgonia.VM, error) { return New(d, g) })
}

// square is the graph of a loss that is worth a few stages.
func square(t *testing.T, rows, cols int) (g *gorgonia.ExprGraph, loss []float32) {
	t.Helper()
	g = gorgonia.NewGraph()
	a := optim.Matrix(g, "a", rows, 1, make([]float32, rows))
	b := optim.Matrix(g, "b", 1, cols, make([]float32, cols))
	y, err := graph.Product(a, b, false)
	if err != nil {
		t.Fatal(err)
	}
	l, err := graph.SquaredError(y, nil)
	if err != nil {
		t.Fatal(err)
	}
	loss = make([]float32, 1)
	if err := graph.Keep("loss", l, loss); err != nil {
		t.Fatal(err)
	}
	return g, loss
}

func TestUnknownOperation(t *testing.T) {
	g, _ := square(t, 2, 2)
	x := optim.Matrix(g, "x", 2, 2, make([]float32, 4))
	y := gorgonia.Must(gorgonia.Tanh(x))
	if err := graph.Keep("y", y, make([]float32, 4)); err != nil {
		t.Fatal(err)
	}
	if _, err := New(open(t), g); err == nil || !strings.Contains(err.Error(), "tanh") {
		t.Errorf("an operation without a shader: %v, want an error that names it", err)
	}
}

func TestTooLarge(t *testing.T) {
	d := open(t)
	side := int(math.Sqrt(float64(d.Adapter.Buffer/4))) + 1
	g, _ := square(t, side, side)
	if _, err := New(d, g); err == nil || !strings.Contains(err.Error(), "smaller batch") {
		t.Errorf("a result larger than a buffer: %v, want an error that says what to do", err)
	}
	small, loss := square(t, 3, 3)
	vm, err := New(d, small)
	if err != nil {
		t.Fatalf("after an error: %v", err)
	}
	defer vm.Close()
	if err := vm.RunAll(); err != nil || loss[0] != 0 {
		t.Errorf("after an error: %v, %v", loss, err)
	}
}

// TestErrors sees that what the library has nobody to tell of comes back from
// the call that caused it, and that a device goes on after it.
func TestErrors(t *testing.T) {
	d := open(t)
	if err := d.do("a test", func() error { d.fail("Out\nof memory"); return nil }); err == nil || !strings.Contains(err.Error(), "Out of memory") || !strings.Contains(err.Error(), d.Adapter.Name) {
		t.Errorf("%v, want what went wrong, and where", err)
	}
	if err := d.do("a test", func() error { panic("odd") }); err == nil || !strings.Contains(err.Error(), "odd") {
		t.Errorf("%v, want the panic as an error", err)
	}
	if err := d.do("a test", func() error { return nil }); err != nil {
		t.Errorf("after errors: %v", err)
	}
	if _, err := Open("no such card"); err == nil || !strings.Contains(err.Error(), d.Adapter.Name) {
		t.Errorf("a GPU that is not there: %v, want an error that names those that are", err)
	}
}

// TestLostDevice takes the device away before a call, and in the middle of one.
func TestLostDevice(t *testing.T) {
	for name, take := range map[string]func(*Device){
		"before a call": func(d *Device) { destroyDevice(d.gpu) },
		"during a call": func(d *Device) { destroyDevice(d.gpu); d.gpu.Poll(true, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Open("")
			if err != nil {
				t.Fatal(err)
			}
			g, _ := square(t, 3, 3)
			vm, err := New(d, g)
			if err != nil {
				t.Fatal(err)
			}
			if err := vm.RunAll(); err != nil {
				t.Fatal(err)
			}
			d.calls <- func() { take(d) }
			for range 3 {
				if err := vm.RunAll(); !errors.Is(err, ErrLost) {
					t.Errorf("%v, want %v", err, ErrLost)
				}
			}
			if _, err := New(d, g); !errors.Is(err, ErrLost) {
				t.Errorf("%v, want %v", err, ErrLost)
			}
			if err := vm.Close(); err != nil {
				t.Errorf("closing a graph on a lost device: %v", err)
			}
			if err := d.Close(); err != nil {
				t.Errorf("closing a lost device: %v", err)
			}
		})
	}
}

func TestProfile(t *testing.T) {
	g, _ := square(t, 70, 70)
	vm, err := New(open(t), g)
	if err != nil {
		t.Fatal(err)
	}
	defer vm.Close()
	p, err := vm.Profile(3)
	if errors.Is(err, ErrNotTimed) {
		return // the adapter says so too
	}
	if err != nil {
		t.Fatal(err)
	}
	var all float64
	for _, timing := range p.Timings {
		all += timing.Share
	}
	if p.Step <= 0 || math.Abs(all-1) > 1e-9 || !strings.Contains(p.String(), "squaredError") {
		t.Errorf("%s: the shares add up to %v", p, all)
	}
}
