package netgraph

import (
	"fmt"

	"mppm/shared/nn"
	"mppm/trainer/internal/graph"
	"mppm/trainer/internal/optim"
)

// momentum is how far the running mean and variance of batch norm go towards those
// of a batch, as PyTorch has it.
const momentum = 0.1

// batchNorm is what the graph keeps of one batch norm: the means and variances of
// the channels of each batch, over count numbers.
type batchNorm struct {
	name           string
	mean, variance []float32
	count          int
}

func (b *Builder) batchNorm(l nn.BatchNorm, s nn.Step, x node) (node, error) {
	gamma, beta, err := b.weights(l.Name)
	if err != nil {
		return nil, err
	}
	y, mean, variance, err := graph.BatchNorm(x, gamma, beta)
	if err != nil {
		return nil, err
	}
	c := s.In.C
	k := &batchNorm{l.Name, make([]float32, c), make([]float32, c), x.Shape()[0] * s.In.H * s.In.W}
	if err := graph.Keep("means of "+l.Name, mean, k.mean); err != nil {
		return nil, err
	}
	if err := graph.Keep("variances of "+l.Name, variance, k.variance); err != nil {
		return nil, err
	}
	b.norms = append(b.norms, k)
	return y, nil
}

// Buffers returns the buffers of nets before training: means of 0 and variances
// of 1.
func Buffers(nets ...*nn.Net) []optim.Buffer {
	var all []optim.Buffer
	for _, n := range nets {
		for _, s := range n.Buffers() {
			all = append(all, optim.Buffer{Spec: s, Data: make([]float32, s.Size())})
		}
		for _, s := range n.Steps() {
			l, ok := s.Layer.(nn.BatchNorm)
			for _, b := range all {
				if ok && b.Name == l.Name+".running_var" {
					set(b.Data, 1)
				}
			}
		}
	}
	return all
}

// Running are the buffers of the batch norms in a graph.
type Running struct {
	norms          []*batchNorm
	mean, variance []optim.Buffer
}

// Follow returns what has the buffers run along with the graph. It returns an error if
// they are not those of the nets in it.
func (b *Builder) Follow(buffers []optim.Buffer) (*Running, error) {
	byName := map[string]optim.Buffer{}
	for _, f := range buffers {
		byName[f.Name] = f
	}
	r := &Running{norms: b.norms}
	for _, n := range b.norms {
		mean, variance := byName[n.name+".running_mean"], byName[n.name+".running_var"]
		if len(mean.Data) != len(n.mean) || len(variance.Data) != len(n.variance) {
			return nil, fmt.Errorf("netgraph: the buffers of %s are missing, or not of %d channels", n.name, len(n.mean))
		}
		r.mean, r.variance = append(r.mean, mean), append(r.variance, variance)
	}
	return r, nil
}

// Step goes on by the batch of the last step: call it from what a machine calls for
// each step (optim.NewTape), while what the graph keeps lies there.
func (r *Running) Step() {
	for i, n := range r.norms {
		// The variance over the batch is that of a sample: what it is of was drawn
		// from more.
		sample := float32(n.count) / float32(max(1, n.count-1))
		for k := range n.mean {
			r.mean[i].Data[k] += momentum * (n.mean[k] - r.mean[i].Data[k])
			r.variance[i].Data[k] += momentum * (float32(sample*n.variance[k]) - r.variance[i].Data[k])
		}
	}
}
