package unet

import (
	"context"
	"math"
	"runtime"
	"sync"

	"gorgonia.org/gorgonia"

	"mppm/shared/latent"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/graph"
	"mppm/trainer/internal/memory"
	"mppm/trainer/internal/netgraph"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/run"
	"mppm/trainer/internal/spoil"
	task "mppm/trainer/internal/task/latent"
)

// What D learns from when it learns alone: pairs of codes z* of clean images and z of the
// same ones damaged, and points all around z*. In the joint part D sees the codes of
// damage alone, which lie on one sheet of the space, and may be anything elsewhere.
const (
	codes  = 6000 // pairs, at most
	each   = 16   // pairs, at most, for each training image
	points = 16   // for each image of a batch
)

func (t *Task) pairCount() int { return min(codes, each*t.set.Train.N) }

// buildAlone makes the graph of a step that trains D alone, for n images.
func (t *Task) buildAlone(n int) (*run.Step, error) {
	t.losses = losses{}
	rows, dim := n*points, t.Config.Latent
	params := t.learning(t.d)
	b := netgraph.New(params)
	z, far, clean := make([]float32, rows*dim), make([]float32, rows), make([]float32, rows/4*dim)
	at := b.Apply(t.d, b.Matrix("points", rows, dim, z))
	terms := []*gorgonia.Node{
		b.SquaredError(at.Out(), b.Matrix("distances", rows, 1, far)),
		b.SquaredError(b.Apply(t.d, b.Matrix("clean", rows/4, dim, clean)).Out(), nil),
		b.Do(func() (*gorgonia.Node, error) {
			zero := b.Matrix("zero", rows, dim, make([]float32, rows*dim))
			one := b.Ones(rows)
			return graph.DistanceError(one, at.Gradient(one), zero)
		}),
	}
	b.Keep("term 1", terms[0], t.terms[:1])
	b.Keep("term 3", terms[1], t.terms[2:3])
	b.Keep("slope", terms[2], t.slope[:])
	loss := b.Do(func() (*gorgonia.Node, error) {
		return graph.WeightedSum([]float32{t.Config.Lambda[0], t.Config.Lambda[2], t.Config.Eikonal}, terms...)
	})
	g, err := run.NewGraph(b, loss, params, t.sum)
	return &run.Step{Inputs: [][]float32{z, far, clean}, Graphs: []*run.Graph{g}}, err
}

// beginAlone makes the pairs. They follow from the nets, which do not change any more,
// and the seed: a run that is resumed makes the same ones.
func (t *Task) beginAlone(ctx context.Context, _ *run.Step) (run.Fill, error) {
	clean, damaged, err := t.pairs(ctx)
	if err != nil {
		return nil, err
	}
	dim := t.Config.Latent
	_, factor, err := task.Cloud(clean, dim)
	if err != nil {
		return nil, err
	}
	spacing := task.Spacing(clean, dim, rng.New(t.Config.Seed, streamCodes))
	n := len(clean) / dim
	pair := func(i int) (zStar, z []float32) { return clean[i*dim : (i+1)*dim], damaged[i*dim : (i+1)*dim] }
	return func(batch [][]float32, which []int, step int) error {
		src := rng.New(t.Config.Seed, streamPoints+uint64(step))
		e := make([]float32, dim)
		z, far, known := batch[0], batch[1], batch[2]
		for i := range far {
			zStar, spoiled := pair(src.IntN(n))
			to := z[i*dim : (i+1)*dim]
			switch kind := src.Float64(); {
			case kind < 0.5: // on the way to what damage makes of it
				by := float32(1)
				if src.Uint64()&1 == 1 {
					by = src.Float32()
				}
				for k, v := range spoiled {
					to[k] = by * (v - zStar[k])
				}
			case kind < 0.75: // in any direction
				src.FillNorm(to, 1)
				by := float64(spacing) * 0.1 * math.Pow(20, src.Float64())
				scale := float32(by / max(norm(to), 1e-12))
				for k := range to {
					to[k] *= scale
				}
			default: // in one in which codes differ
				src.FillNorm(e, float32(1.2*src.Float64()))
				for k := range to {
					to[k] = 0
					for l := range k + 1 {
						to[k] += factor[k*dim+l] * e[l]
					}
				}
			}
			far[i] = float32(norm(to))
			for k, v := range zStar {
				to[k] += v
			}
		}
		for i := range len(known) / dim {
			zStar, _ := pair(src.IntN(n))
			copy(known[i*dim:], zStar)
		}
		return nil
	}, nil
}

func norm(v []float32) float64 {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum)
}

// pairs returns the codes of clean images and of the same ones damaged, all drawn anew.
func (t *Task) pairs(ctx context.Context) (clean, damaged []float32, err error) {
	a, err := t.autoencoder()
	if err != nil {
		return nil, nil, err
	}
	pixels, dim := a.Pixels(), a.Latent()
	span := memory.Together(16, pixels)
	count := t.pairCount()
	clean, damaged = make([]float32, count*dim), make([]float32, count*dim)
	work := make(chan int)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			s, err := spoil.New(t.Config.Damage, a.Image(), t.Config.Noise)
			if err != nil { // it was checked
				return
			}
			coder := a.Coder(span)
			raw, x, y := make([]float32, pixels), make([]float32, span*pixels), make([]float32, span*pixels)
			for lo := range work {
				n := min(span, count-lo)
				for i := range n {
					src := rng.New(t.Config.Seed, streamCodes+1+uint64(lo+i))
					t.set.Train.Float32(raw, (lo+i)%t.set.Train.N)
					vary(x[i*pixels:(i+1)*pixels], raw, a.Image(), src)
					s.Apply(y[i*pixels:(i+1)*pixels], x[i*pixels:(i+1)*pixels], src)
				}
				coder.Encode(clean[lo*dim:(lo+n)*dim], x[:n*pixels])
				coder.Encode(damaged[lo*dim:(lo+n)*dim], y[:n*pixels])
			}
		})
	}
	for lo := 0; lo < count && t.set.Train.Err() == nil; lo += span {
		select {
		case work <- lo:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(work)
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	return clean, damaged, t.set.Train.Err()
}

// autoencoder returns F, G and P as they are trained, batch norm as it is used.
func (t *Task) autoencoder() (*latent.Autoencoder, error) {
	f := new(safetensors.File)
	if err := optim.Export(f, true, t.params, t.buffers...); err != nil {
		return nil, err
	}
	return t.nets.Load(f)
}
