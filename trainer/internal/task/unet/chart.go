package unet

import (
	"context"
	"math"

	"gonum.org/v1/gonum/mat"

	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/shared/unet"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/optim"
)

// What a chart is begun with: a principal component analysis of so many small images,
// by a subspace iteration of so many rounds on a few components more than are wanted.
const (
	chartImages = 2000
	chartRounds = 5
	chartMore   = 8
)

// frozen lists the layers that do not learn once there is a chart: what makes the small
// image, the map to the code, and what enlarges the small image again.
var frozen = []string{unet.ChartPool, unet.ChartMap, unet.ChartGrow}

// chart sets the layers of a chart among the parameters to the principal components of
// the small images of a split: z = A·(small image − mean) is the chart, and the way back
// is Aᵀ·z + mean. What the encoder's blocks add to z starts at 0.
func chart(ctx context.Context, n *nets, params map[string]*optim.Parameter, s *dataset.Split, seed uint64) error {
	var pool, back, grow nn.Step
	for _, net := range n.all() {
		for _, step := range net.Steps() {
			switch l := step.Layer.(type) {
			case nn.Conv:
				if l.Name == unet.ChartPool {
					pool = step
				}
			case nn.Linear:
				if l.Name == unet.ChartBack {
					back = step
				}
			case nn.ConvTranspose:
				if l.Name == unet.ChartGrow {
					grow = step
				}
			}
		}
	}
	w := pool.Layer.(nn.Conv).Window
	copy(params[unet.ChartPool+".weight"].Data, unet.Average(pool.In.C, w))
	clear(params[unet.ChartPool+".bias"].Data)
	clear(params["encoder.linear.weight"].Data)
	clear(params["encoder.linear.bias"].Data)
	small, err := smallImages(ctx, s, pool, seed)
	if err != nil {
		return err
	}
	d := n.F.Out().Size()
	mean, axes, err := principal(small, pool.Out.Size(), d, rng.New(seed, streamChart))
	if err != nil {
		return err
	}
	weight, bias := params[unet.ChartMap+".weight"].Data, params[unet.ChartMap+".bias"].Data
	size := pool.Out.Size()
	for k := range d {
		var off float64
		for i := range size {
			v := axes.At(i, k)
			weight[k*size+i] = float32(v)
			off -= v * mean[i]
		}
		bias[k] = float32(off)
	}
	if back.Layer == nil {
		return nil // a denoising autoencoder
	}
	copy(params[unet.ChartGrow+".weight"].Data, unet.Bilinear(grow.Out.C, grow.Layer.(nn.ConvTranspose).Window))
	clear(params[unet.ChartGrow+".bias"].Data)
	weight, bias = params[unet.ChartBack+".weight"].Data, params[unet.ChartBack+".bias"].Data
	for i := range size {
		for k := range d {
			weight[i*d+k] = float32(axes.At(i, k))
		}
		bias[i] = float32(mean[i])
	}
	return nil
}

// smallImages returns what the chart's pooling makes of some images of a split, one row
// each.
func smallImages(ctx context.Context, s *dataset.Split, pool nn.Step, seed uint64) (*mat.Dense, error) {
	at := rng.New(seed, streamChart+1).Perm(s.N)
	at = at[:min(len(at), chartImages)]
	g, size := pool.Geometry(), pool.Out.Size()
	out, x := mat.NewDense(len(at), size, nil), make([]float32, s.Pixels())
	for i, k := range at {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s.Float32(x, k)
		row := out.RawRowView(i)
		for r := range g.OH {
			for c := range g.OW {
				for v := range g.Side {
					for u := range g.Side {
						for k := range g.C {
							p := ((r*g.Stride+v)*g.W + c*g.Stride + u) * g.C
							row[(r*g.OW+c)*g.C+k] += float64(x[p+k]) / float64(g.Side*g.Side)
						}
					}
				}
			}
		}
	}
	return out, s.Err()
}

// principal returns the mean of the rows of x, and its d first principal axes as columns,
// size × d, the first of them first. Where x has fewer, the rest are 0.
func principal(x *mat.Dense, size, d int, src *rng.Source) (mean []float64, axes *mat.Dense, err error) {
	n, _ := x.Dims()
	mean = make([]float64, size)
	var spread float64
	for i := range n {
		for k, v := range x.RawRowView(i) {
			mean[k] += v / float64(n)
		}
	}
	for i := range n {
		row := x.RawRowView(i)
		for k, m := range mean {
			row[k] -= m
			spread += row[k] * row[k]
		}
	}
	if !(spread > 0) {
		return nil, nil, errCollapsed
	}
	q := min(d+chartMore, n, size)
	y := mat.NewDense(size, q, nil)
	for i := range size {
		for k := range q {
			y.Set(i, k, src.Norm())
		}
	}
	var qr mat.QR
	orthonormal := func(m *mat.Dense) *mat.Dense {
		qr.Factorize(m)
		rows, cols := m.Dims()
		full := new(mat.Dense)
		qr.QTo(full)
		return mat.DenseCopyOf(full.Slice(0, rows, 0, cols))
	}
	var z mat.Dense
	for range chartRounds {
		z.Mul(x, orthonormal(y))
		y.Mul(x.T(), &z)
	}
	basis := orthonormal(y)
	z.Mul(x, basis)
	var svd mat.SVD
	if !svd.Factorize(&z, mat.SVDThin) {
		return nil, nil, errCollapsed
	}
	var v mat.Dense
	svd.VTo(&v)
	var turned mat.Dense
	turned.Mul(basis, &v)
	axes = mat.NewDense(size, d, nil)
	values := svd.Values(nil)
	for k := range min(d, q) {
		if values[k] <= math.Sqrt(spread)*1e-9 {
			break
		}
		for i := range size {
			axes.Set(i, k, turned.At(i, k))
		}
	}
	return mean, axes, nil
}
