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
// of the processors, because partial sums are cut along it.
const shardRows = 16

var workspaces = sync.Pool{New: func() any { return &nn.Workspace{} }}

// rounded is whether products are rounded before they are added.
var rounded atomic.Bool

// Round has every operation of this process round its products before it adds them, or
// not. Then training gives the bits that it gives where nothing fuses the two, as in
// WebAssembly, on every processor, and takes longer on those that can.
func Round(on bool) { rounded.Store(on) }

// Fused reports whether products are fused with their sums.
func Fused() bool { return gemm.Fuses() && !rounded.Load() }

func workspace() *nn.Workspace {
	ws := workspaces.Get().(*nn.Workspace)
	ws.Gemm.Fused = Fused()
	return ws
}

// scratch calls f with memory for n numbers, whatever they are.
func scratch(n int, f func(x []float32)) {
	ws := workspace()
	defer workspaces.Put(ws)
	f(ws.Columns(n))
}

// shards returns how many tasks n rows make.
func shards(n int) int { return (n + shardRows - 1) / shardRows }

// rows calls f for parts of n rows that have nothing to do with one another, on every
// processor. A lone one takes more at a time.
func rows(n int, f func(lo, hi int, ws *nn.Workspace)) {
	span := shardRows
	if runtime.GOMAXPROCS(0) == 1 {
		span = 8 * shardRows
	}
	tasks((n+span-1)/span, func(s int, ws *nn.Workspace) {
		f(s*span, min(n, (s+1)*span), ws)
	})
}

// pieces is Pieces with a workspace.
func pieces(n int, f func(lo, hi int, ws *nn.Workspace)) {
	const span = 1 << 12
	tasks((n+span-1)/span, func(t int, ws *nn.Workspace) { f(t*span, min(n, (t+1)*span), ws) })
}

// Pieces calls f for parts lo to hi of n numbers, of which every processor takes a
// share.
func Pieces(n int, f func(lo, hi int)) {
	pieces(n, func(lo, hi int, _ *nn.Workspace) { f(lo, hi) })
}

// pixels cuts n pixels of c channels into parts that every processor takes a share
// of.
func pixels(n, c int, f func(lo, hi int)) {
	span := max(1, 1<<12/c)
	tasks((n+span-1)/span, func(t int, _ *nn.Workspace) { f(t*span, min(n, (t+1)*span)) })
}

// tasks calls f for every number below n, on every processor.
func tasks(n int, f func(task int, ws *nn.Workspace)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	var next atomic.Int64
	work := func() {
		ws := workspace()
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

// unfolded is how many numbers of patches are made at a time, so that they stay in
// the cache.
const unfolded = 1 << 16

// bands cuts n images of h rows into parts that every processor takes a share of:
// images, where the patches of one are few, and rows of one where there are few
// images for so many processors. patches is the numbers of an image's patches. What is
// computed must not depend on the cut.
func bands(n, h, patches int, f func(first, images, lo, hi int, ws *nn.Workspace)) {
	const least = 16 // rows: what lies on a border is computed on both sides of it
	each, cuts := max(1, min(shardRows, unfolded/patches)), 1
	if each == 1 {
		cuts = max(1, min((2*runtime.GOMAXPROCS(0)+n-1)/n, h/least))
	}
	span := (h + cuts - 1) / cuts
	tasks((n+each-1)/each*cuts, func(t int, ws *nn.Workspace) {
		first, lo := t/cuts*each, t%cuts*span
		f(first, min(each, n-first), lo, min(h, lo+span), ws)
	})
}

// strips calls f for lo to hi in steps whose patches stay in the cache, row numbers
// of them in a row.
func strips(lo, hi, row int, f func(lo, hi int)) {
	step := max(1, unfolded/row)
	for ; lo < hi; lo += step {
		f(lo, min(hi, lo+step))
	}
}

// inFrames is how many numbers of framed images are made at a time: a quarter of a
// processor's second cache, beside what is made of them.
const inFrames = 1 << 17

// strip returns how many rows of the smaller image have their patches in a frame of
// inFrames numbers, at least one, if all of them are cut alike into cuts or more.
func strip(g nn.Geometry, cuts int) int {
	line := g.Frame(2) - g.Frame(1) // of a row more
	rows := max(1, 1+(inFrames-g.Frame(1))/line)
	cuts = max(cuts, (g.OH+rows-1)/rows)
	return (g.OH + cuts - 1) / cuts
}

// frames cuts the smaller images of n larger ones into parts that every processor takes
// a share of, with frames of about inFrames numbers: images, or rows lo to hi of one. What
// is computed must not depend on the cut.
func frames(g nn.Geometry, n int, f func(first, images, lo, hi int, ws *nn.Workspace)) {
	const least = 16 // rows: what lies on a border is framed on both sides of it
	shares := 2 * runtime.GOMAXPROCS(0)
	each := max(1, min(inFrames/g.Frame(g.OH), n/shares))
	rows := g.OH
	if each == 1 {
		rows = strip(g, max(1, min((shares+n-1)/n, g.OH/least)))
	}
	cuts := (g.OH + rows - 1) / rows
	tasks((n+each-1)/each*cuts, func(t int, ws *nn.Workspace) {
		first, lo := t/cuts*each, t%cuts*rows
		f(first, min(each, n-first), lo, min(g.OH, lo+rows), ws)
	})
}

// stretches is frames for images from number first on, in order, on one processor.
func stretches(g nn.Geometry, first, n int, f func(first, images, lo, hi int)) {
	each := max(1, min(inFrames/g.Frame(g.OH), n))
	rows := g.OH
	if each == 1 {
		rows = strip(g, 1)
	}
	for end := first + n; first < end; first += each {
		for lo := 0; lo < g.OH; lo += rows {
			f(first, min(each, end-first), lo, min(g.OH, lo+rows))
		}
	}
}

// partial holds one block of numbers a shard, summed in the shards' order.
type partial struct {
	n, size int
	blocks  []float32
}

// newPartial returns the partial sums of n rows, each of size numbers.
func newPartial(n, size int) *partial { return &partial{n: n, size: size} }

// sum leaves in out the sum of what f leaves in the block of each shard of rows lo to
// hi. Where there are fewer shards than processors, or than two a processor of which one is
// smaller, each is shared out in up to parts parts, and f computes a part of the block.
func (p *partial) sum(out []float32, parts int, f func(block []float32, lo, hi, part, parts int, ws *nn.Workspace)) {
	all := shards(p.n)
	blocks := out
	if all > 1 {
		if p.blocks == nil {
			p.blocks = make([]float32, all*p.size)
		}
		blocks = p.blocks
	}
	shares := runtime.GOMAXPROCS(0)
	if all > 1 && p.n%shardRows != 0 {
		shares *= 2
	}
	parts = max(1, min(parts, (shares+all-1)/all))
	tasks(all*parts, func(t int, ws *nn.Workspace) {
		s := t / parts
		f(blocks[s*p.size:(s+1)*p.size], s*shardRows, min(p.n, (s+1)*shardRows), t%parts, parts, ws)
	})
	if all == 1 {
		return
	}
	const span = 4096
	tasks((p.size+span-1)/span, func(t int, _ *nn.Workspace) {
		lo, hi := t*span, min(p.size, (t+1)*span)
		copy(out[lo:hi], p.blocks[lo:hi])
		for b := p.size; b < len(p.blocks); b += p.size {
			vec.Add(out[lo:hi], p.blocks[b+lo:b+hi])
		}
	})
}

// perChannel holds sums of each of c channels over many pixels.
type perChannel struct {
	pixels, c, block int
	blocks           []float32
}

// newPerChannel returns the sums over n images of so many pixels. As with partial sums,
// the cut is one of the images' size alone: of 16 images, or of as many pixels as they may
// have at most.
func newPerChannel(n, image, c int) *perChannel {
	return &perChannel{pixels: n * image, c: c, block: min(shardRows*image, 1<<14)}
}

// sum leaves in out what f adds to sums of 0 for the pixels from number lo to hi.
func (p *perChannel) sum(out []float32, f func(sum []float32, lo, hi int)) {
	n := (p.pixels + p.block - 1) / p.block
	if p.blocks == nil {
		p.blocks = make([]float32, n*p.c)
	}
	tasks(n, func(t int, _ *nn.Workspace) {
		sum := p.blocks[t*p.c : (t+1)*p.c]
		clear(sum)
		f(sum, t*p.block, min(p.pixels, (t+1)*p.block))
	})
	copy(out, p.blocks)
	for b := p.c; b < len(p.blocks); b += p.c {
		vec.Add(out, p.blocks[b:b+p.c])
	}
}

// share returns part number part of n things shared out in parts.
func share(n, part, parts int) (lo, hi int) { return part * n / parts, (part + 1) * n / parts }
