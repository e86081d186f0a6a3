package unet

import (
	"context"
	"math"
	"runtime"
	"sync"

	"gorgonia.org/gorgonia"

	"mppm/shared/latent"
	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/trainer/internal/netgraph"
	"mppm/trainer/internal/run"
	"mppm/trainer/internal/spoil"
)

// buildLocal makes the graph of a step that trains L alone, for n images: on skips of F,
// which does not change any more.
func (t *Task) buildLocal(n int) (*run.Step, error) {
	t.losses = losses{}
	params := t.learning(t.L)
	b := netgraph.New(params)
	// The images, what L is to make of them, and their skips.
	inputs := [][]float32{make([]float32, n*t.L.In().Size()), make([]float32, n*t.L.Out().Size())}
	x := b.Matrix("images", n, t.L.In().Size(), inputs[0])
	var skips []*gorgonia.Node
	for _, v := range t.L.Inputs()[1:] {
		size := t.L.Shape(v).Size()
		skip := make([]float32, n*size)
		inputs = append(inputs, skip)
		skips = append(skips, b.Matrix("skip", n, size, skip))
	}
	loss := b.SquaredError(b.Apply(t.L, x, skips...).Out(), b.Matrix("distances", n, t.L.Out().Size(), inputs[1]))
	b.Keep("local", loss, t.local[:])
	g, err := run.NewGraph(b, loss, params, t.sum)
	return &run.Step{Inputs: inputs, Graphs: []*run.Graph{g}}, err
}

// beginLocal returns what fills a batch with damaged images, the skips that F finds in
// them, and how far each pixel is from what it was.
func (t *Task) beginLocal(context.Context, *run.Step) (run.Fill, error) {
	a, err := t.autoencoder()
	if err != nil {
		return nil, err
	}
	image := t.F.In()
	var lines []*localLine
	for range runtime.GOMAXPROCS(0) {
		s, err := spoil.New(t.Config.Damage, image, t.Config.Noise)
		if err != nil {
			return nil, err
		}
		lines = append(lines, &localLine{
			spoiler: s, coder: a.Coder(1), z: make([]float32, a.Latent()),
			clean: make([]float32, image.Size()), square: make([]float32, image.H*image.W),
		})
	}
	pixels := image.Size()
	raw := make([]float32, t.Config.Batch*pixels)
	return func(batch [][]float32, which []int, step int) error {
		t.set.Train.Fill(raw, which)
		n := len(which)
		var wg sync.WaitGroup
		for k, l := range lines {
			wg.Go(func() {
				for i := k; i < n; i += len(lines) {
					src := rng.New(t.Config.Seed, streamDamage+uint64(step*n+i))
					l.fill(batch, raw[i*pixels:(i+1)*pixels], image, n, i, src)
				}
			})
		}
		wg.Wait()
		return t.set.Train.Err()
	}, nil
}

// localLine makes the images of a batch, one after the other.
type localLine struct {
	spoiler          *spoil.Spoiler
	coder            *latent.Coder
	skips            latent.Skips
	z, clean, square []float32
}

// fill makes image i of the n of a batch.
func (l *localLine) fill(batch [][]float32, raw []float32, image nn.Shape, n, i int, src *rng.Source) {
	part := func(k int) []float32 {
		size := len(batch[k]) / n
		return batch[k][i*size : (i+1)*size]
	}
	vary(l.clean, raw, image, src)
	x, d := part(0), part(1)
	l.spoiler.Apply(x, l.clean, src)
	l.coder.EncodeSkips(l.z, x, &l.skips)
	for k := 2; k < len(batch); k++ {
		copy(part(k), l.skips.Of(k-2))
	}
	offBy(d, x, l.clean, l.square, image)
}

// offBy writes to d how far each pixel of x is from the one of the clean image: the root
// mean square over the channels and the pixels around it. square is for as many numbers.
func offBy(d, x, clean, square []float32, image nn.Shape) {
	for p := range square {
		var sum float64
		for c := p * image.C; c < (p+1)*image.C; c++ {
			v := float64(x[c] - clean[c])
			sum += float64(v * v)
		}
		square[p] = float32(sum / float64(image.C))
	}
	for r := range image.H {
		for c := range image.W {
			var sum float64
			for _, row := range neighbors(r, image.H) {
				for _, col := range neighbors(c, image.W) {
					sum += float64(square[row*image.W+col])
				}
			}
			d[r*image.W+c] = float32(math.Sqrt(sum / 9))
		}
	}
}

// neighbors are the places around i, i itself among them; past an edge the edge again.
func neighbors(i, n int) [3]int { return [3]int{max(i-1, 0), i, min(i+1, n-1)} }
