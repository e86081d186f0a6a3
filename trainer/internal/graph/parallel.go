package graph

import (
	"runtime"
	"sync"
	"sync/atomic"

	"mppm/shared/gemm"
	"mppm/shared/nn"
	"mppm/shared/vec"
)

// shardRows is how many rows one task takes. It is a constant, and not a share
// of the processors, because partial sums are cut along it. 16 patch matrices of
// the larger convolution fill most of a 1 MB cache.
const shardRows = 16

var workspaces = sync.Pool{New: func() any {
	return &nn.Workspace{Gemm: gemm.Workspace{Fused: true}}
}}

// shards returns how many tasks n rows make.
func shards(n int) int { return (n + shardRows - 1) / shardRows }

// rows calls f for every shard of n rows, on every processor.
func rows(n int, f func(shard, lo, hi int, ws *nn.Workspace)) {
	tasks(shards(n), func(s int, ws *nn.Workspace) {
		f(s, s*shardRows, min(n, (s+1)*shardRows), ws)
	})
}

// tasks calls f for every number below n, on every processor.
func tasks(n int, f func(task int, ws *nn.Workspace)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	var next atomic.Int64
	work := func() {
		ws := workspaces.Get().(*nn.Workspace)
		defer workspaces.Put(ws)
		for {
			t := int(next.Add(1)) - 1
			if t >= n {
				return
			}
			f(t, ws)
		}
	}
	if workers <= 1 {
		work()
		return
	}
	var wg sync.WaitGroup
	for range workers - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
}

// partial holds one block of numbers a shard, summed in the shards' order.
type partial struct {
	size   int
	blocks []float32
}

// newPartial returns the partial sums of n rows, each of size numbers.
func newPartial(n, size int) *partial {
	return &partial{size, make([]float32, shards(n)*size)}
}

func (p *partial) block(shard int) []float32 { return p.blocks[shard*p.size : (shard+1)*p.size] }

// sum adds the blocks up into out, the first first.
func (p *partial) sum(out []float32) {
	const span = 4096
	tasks((p.size+span-1)/span, func(t int, _ *nn.Workspace) {
		lo, hi := t*span, min(p.size, (t+1)*span)
		copy(out[lo:hi], p.blocks[lo:hi])
		for b := p.size; b < len(p.blocks); b += p.size {
			vec.Add(out[lo:hi], p.blocks[b+lo:b+hi])
		}
	})
}
