package machine_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"mppm/shared/latent"
	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/shared/unet"
	"mppm/trainer/internal/compliance"
	"mppm/trainer/internal/machine"
	"mppm/trainer/internal/netgraph"
	"mppm/trainer/internal/optim"
)

func TestOperations(t *testing.T) {
	compliance.Operations(t, func(g *gorgonia.ExprGraph) (gorgonia.VM, error) { return machine.New(g) })
}

// step is the graph of a training step: of gray images, by the autoencoder of Table 8;
// of others, by a U-Net with skips and with projected skips, whose losses meet.
func step(t *testing.T, image nn.Shape, n int) (*gorgonia.ExprGraph, []*optim.Parameter) {
	t.Helper()
	x := make([]float32, n*image.Size())
	rng.New(2, 0).FillNorm(x, 1)
	var b *netgraph.Builder
	var params []*optim.Parameter
	var loss *gorgonia.Node
	if image.C == 1 {
		f, err := latent.Encoder(image, 18)
		if err != nil {
			t.Fatal(err)
		}
		g, err := latent.Decoder(image, 18)
		if err != nil {
			t.Fatal(err)
		}
		params = netgraph.Parameters(1, 0, f, g)
		b = netgraph.New(params)
		clean := b.Matrix("x", n, image.Size(), x)
		loss = b.SquaredError(b.Apply(g, b.Apply(f, clean).Out()).Out(), clean)
	} else {
		nets, err := unet.New(image, unet.Config{Channels: []int{20, 36}, Latent: 24})
		if err != nil {
			t.Fatal(err)
		}
		params = netgraph.Parameters(1, 0, nets.F, nets.P, nets.G)
		b = netgraph.New(params)
		clean := b.Matrix("x", n, image.Size(), x)
		f := b.Apply(nets.F, clean)
		p := b.Apply(nets.P, f.Out())
		var skips, projected []*gorgonia.Node
		for _, name := range nets.Skips() {
			skips, projected = append(skips, f.Kept(name)), append(projected, p.Kept(name))
		}
		first := b.SquaredError(b.Apply(nets.G, f.Out(), skips...).Out(), clean)
		second := b.SquaredError(b.Apply(nets.G, f.Out(), projected...).Out(), clean)
		loss = b.Do(func() (*gorgonia.Node, error) { return gorgonia.Add(first, second) })
	}
	b.Keep("loss", loss, make([]float32, 1))
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	if err := optim.Differentiate(loss, params); err != nil {
		t.Fatal(err)
	}
	return b.Graph, params
}

// TestBits: results that share memory, on any number of processors, are bit for bit
// those of Gorgonia's tape machine, where each has its own.
func TestBits(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, c := range []struct {
		image nn.Shape
		n     int
	}{{nn.Shape{H: 65, W: 43, C: 3}, 1}, {nn.Shape{H: 30, W: 17, C: 3}, 3}, {nn.Shape{H: 9, W: 8, C: 2}, 35}, {nn.Shape{H: 70, W: 91, C: 1}, 2}, {nn.Shape{H: 28, W: 28, C: 1}, 21}} {
		t.Run(fmt.Sprint(c.n, " of ", c.image), func(t *testing.T) {
			g, params := step(t, c.image, c.n)
			run := func(vm gorgonia.VM) (all []float32) {
				defer vm.Close()
				for range 2 { // the second must not see what the first left behind
					all = nil
					if err := vm.RunAll(); err != nil {
						t.Fatal(err)
					}
					vm.Reset()
					for _, p := range params {
						all = append(all, p.Grad...)
					}
				}
				return all
			}
			runtime.GOMAXPROCS(1)
			want := run(gorgonia.NewTapeMachine(g))
			for _, processors := range []int{1, 2, 3, 16} {
				runtime.GOMAXPROCS(processors)
				vm, err := machine.New(g)
				if err != nil {
					t.Fatal(err)
				}
				if got := run(vm); !slices.Equal(got, want) {
					t.Errorf("on %d processors the gradients are not those of the tape machine", processors)
				}
			}
		})
	}
}

// TestUnknownOperation: what is no operation of the project is an error that names it.
func TestUnknownOperation(t *testing.T) {
	g, params := step(t, nn.Shape{H: 8, W: 8, C: 1}, 1)
	y := gorgonia.Must(gorgonia.Tanh(params[0].Node))
	b := netgraph.New(nil)
	b.Graph = g
	b.Keep("tanh", y, make([]float32, len(params[0].Data)))
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := machine.New(g); err == nil || !strings.Contains(err.Error(), "tanh") {
		t.Errorf("%v, want an error that names tanh", err)
	}
	if err := optim.NewTape(g, params, nil).Step(1, 1e-3); err == nil {
		t.Error("tanh is trained")
	}
}
