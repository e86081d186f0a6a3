package gemm

// Patches is a matrix in place whose rows are patches of images: a row for each patch,
// Images × Rows × Cols of them, with Runs · Run numbers, and number p of run r of row
// (i, y, x) is Data[i*Image+y*Y+x*X+r*Jump+p]. A convolution is a product with such a
// matrix, and no patch need be copied for it.
type Patches struct {
	Data               []float32
	Images, Rows, Cols int
	Image, Y, X        int // from one image, row and column to the next
	Runs, Run          int
	Jump               int // from one run to the next
}

// Places says where the rows of a product with Patches lie: row (i, y, x) begins at
// number i*Image + y*Y + x*X.
type Places struct{ Image, Y, X int }

// blockRuns is how long the rows of Patches may be for all runs to go into one tile: as
// blockK, with room for the nine times 32 numbers of a net's convolutions.
const blockRuns = 288

// pieces is a kernel's tile of an A in runs.
type pieces struct {
	mr, nr int
	run    runTile
}

// wide returns the kernel's tile, and narrow that of half as many columns, or the same
// if there is none.
func wide() pieces {
	if active.runs != nil {
		return pieces{active.mr, active.nr, active.runs}
	}
	return pieces{active.mr, active.nr, oneByOne}
}

func narrow() pieces {
	if active.narrow == nil {
		return wide()
	}
	return pieces{active.narrowM, active.nr / 2, active.narrow}
}

// oneByOne is a runTile that computes a run after the other.
func oneByOne(k, runs int, a []float32, ar, ac, jump int, b []float32, br int, c []float32, ldc int, acc, fused bool) {
	run := active.exact
	if fused && active.fused != nil {
		run = active.fused
	}
	for r := range runs {
		run(k, a[r*jump:], ar, ac, b[r*k*br:], br, c, ldc, acc || r > 0)
	}
}

// tileOf computes m × n numbers of C, a tile or what is left of one at an edge. All of
// A's rows, mr of them, must be there to be read.
func (w *Workspace) tileOf(t pieces, m, n, k, runs int, a []float32, ar, ac, jump int, b []float32, br int, c []float32, ldc int, acc bool) {
	if m == t.mr && n == t.nr {
		t.run(k, runs, a, ar, ac, jump, b, br, c[:(m-1)*ldc+n], ldc, acc, w.Fused)
		return
	}
	w.tile = grow(w.tile, t.mr*t.nr)
	if acc {
		for r := range m {
			copy(w.tile[r*t.nr:r*t.nr+n], c[r*ldc:r*ldc+n])
		}
	}
	t.run(k, runs, a, ar, ac, jump, b, br, w.tile, t.nr, acc, w.Fused)
	for r := range m {
		copy(c[r*ldc:r*ldc+n], w.tile[r*t.nr:r*t.nr+n])
	}
}

// MulPatches computes C = P·B, or C += P·B if acc. The rows of C, b.N numbers each, lie
// where at says; they must not overlap P.
func (w *Workspace) MulPatches(c []float32, at Places, p *Patches, b *Packed, acc bool) {
	if active.gather != nil {
		w.places(p, at)
		w.MulGather(Gather{A: p.Data, C: c, From: w.from, To: w.to, Runs: p.Runs, Run: p.Run, Jump: p.Jump, Start: start(acc)}, b)
		return
	}
	if p.Runs*p.Run <= blockRuns {
		w.patches(c, at, p, 0, p.Run, p.Runs, b, 0, acc)
		return
	}
	for r := range p.Runs {
		for k0 := 0; k0 < p.Run; k0 += blockK {
			w.patches(c, at, p, r*p.Jump+k0, min(blockK, p.Run-k0), 1, b, r*p.Run+k0, acc || r+k0 > 0)
		}
	}
}

// patches multiplies runs of k numbers each, the first of which begins at number from of
// each patch, with rows [k0, k0+runs·k) of B. Tiles lie along the rows of the images, and
// along the columns that are left beside them; what is left of both is packed.
func (w *Workspace) patches(c []float32, at Places, p *Patches, from, k, runs int, b *Packed, k0 int, acc bool) {
	packed := 0 // the height of the tiles that the corner was packed for
	for j := 0; j < b.N; j += active.nr {
		panel, br, cols := b.panels[j*b.K+k0*active.nr:], active.nr, min(active.nr, b.N-j)
		t := wide()
		if n := narrow(); cols <= n.nr && max(p.Rows, p.Cols) >= n.mr {
			t = n
		}
		across, down := p.Cols/t.mr*t.mr, p.Rows/t.mr*t.mr
		for i := range p.Images {
			a, c := p.Data[i*p.Image+from:], c[i*at.Image+j:]
			for y := range p.Rows {
				for x := 0; x < across; x += t.mr {
					w.tileOf(t, t.mr, cols, k, runs, a[y*p.Y+x*p.X:], p.X, 1, p.Jump, panel, br, c[y*at.Y+x*at.X:], at.X, acc)
				}
			}
			for x := across; x < p.Cols; x++ {
				for y := 0; y < down; y += t.mr {
					w.tileOf(t, t.mr, cols, k, runs, a[y*p.Y+x*p.X:], p.Y, 1, p.Jump, panel, br, c[y*at.Y+x*at.X:], at.Y, acc)
				}
			}
		}
		if rest := p.Images * (p.Rows - down) * (p.Cols - across); rest > 0 {
			if packed != t.mr {
				packed = t.mr
				w.packCorner(p, across, down, from, k, runs)
			}
			w.corner(c[j:], at, p, across, down, cols, k*runs, panel, br, acc)
		}
	}
}

// packCorner packs what tiles along rows and columns leave over of the images, the
// patches from row down and column across on, into panels of the kernel's height.
func (w *Workspace) packCorner(p *Patches, across, down, from, k, runs int) {
	mr := active.mr
	rest := p.Images * (p.Rows - down) * (p.Cols - across)
	w.a = grow(w.a, roundUp(rest, mr)*k*runs)
	n := 0
	for i := range p.Images {
		for y := down; y < p.Rows; y++ {
			for x := across; x < p.Cols; x++ {
				panel := w.a[n/mr*mr*k*runs+n%mr:]
				for r := range runs {
					start := i*p.Image + y*p.Y + x*p.X + from + r*p.Jump
					for q, v := range p.Data[start : start+k] {
						panel[(r*k+q)*mr] = v
					}
				}
				n++
			}
		}
	}
	for ; n%mr > 0; n++ {
		for q := range k * runs {
			w.a[n/mr*mr*k*runs+n%mr+q*mr] = 0
		}
	}
}

// corner multiplies what packCorner packed.
func (w *Workspace) corner(c []float32, at Places, p *Patches, across, down, cols, k int, panel []float32, br int, acc bool) {
	mr, nr := active.mr, active.nr
	width, height := p.Cols-across, p.Rows-down
	rest := p.Images * height * width
	place := func(n int) []float32 {
		return c[n/(height*width)*at.Image+(down+n/width%height)*at.Y+(across+n%width)*at.X:][:cols]
	}
	w.tile = grow(w.tile, mr*nr)
	for n := 0; n < rest; n += mr {
		m := min(mr, rest-n)
		for r := 0; acc && r < m; r++ {
			copy(w.tile[r*nr:], place(n+r))
		}
		oneByOne(k, 1, w.a[n*k:], 1, mr, 0, panel, br, w.tile, nr, acc, w.Fused)
		for r := range m {
			copy(place(n+r), w.tile[r*nr:])
		}
	}
}

// MulPatchesT computes the rows [lo, hi) of C = Pᵀ·B, or of C += Pᵀ·B if acc: B has a
// row of n numbers for each patch, and C one for each number of a patch, ldc apart.
func (w *Workspace) MulPatchesT(c []float32, ldc, lo, hi, n int, p *Patches, b []float32, acc bool) {
	deep := max(1, blockK/p.Cols) // rows of an image in a block
	for i := range p.Images {
		for y := 0; y < p.Rows; y += deep {
			rows := min(deep, p.Rows-y)
			w.patchesT(c, ldc, lo, hi, n, p, i*p.Image+y*p.Y, rows, b[(i*p.Rows+y)*p.Cols*n:], acc || i+y > 0)
		}
	}
}

// patchesT multiplies deep rows of an image that begins at number from.
func (w *Workspace) patchesT(c []float32, ldc, lo, hi, n int, p *Patches, from, deep int, b []float32, acc bool) {
	k := deep * p.Cols
	for j := 0; j < n; j += active.nr {
		t, cols := wide(), min(active.nr, n-j)
		if cols <= narrow().nr {
			t = narrow()
		}
		panel, br := b[j:], n
		if cols < t.nr || n > t.nr { // rows far apart are for the same lines of a cache
			w.b = grow(w.b, k*t.nr)
			for q := range k {
				row := w.b[q*t.nr : (q+1)*t.nr]
				clear(row[copy(row, b[q*n+j:q*n+j+cols]):])
			}
			panel, br = w.b, t.nr
		}
		for r := lo / p.Run; r*p.Run < hi; r++ {
			first, end := max(lo-r*p.Run, 0), min(hi-r*p.Run, p.Run)
			at := from + r*p.Jump
			for m := first; m < end; m += t.mr {
				dst := c[(r*p.Run+m)*ldc+j:]
				// What is read beyond the patch, and is there, goes nowhere.
				if rows := min(t.mr, end-m); m+t.mr <= end || at+m+t.mr+(deep-1)*p.Y+(p.Cols-1)*p.X <= len(p.Data) {
					w.tileOf(t, rows, cols, p.Cols, deep, p.Data[at+m:], 1, p.X, p.Y, panel, br, dst, ldc, acc)
					continue
				}
				w.a = grow(w.a, t.mr*k)
				clear(w.a)
				for y := range deep {
					for x := range p.Cols {
						copy(w.a[(y*p.Cols+x)*t.mr:], p.Data[at+y*p.Y+x*p.X+m:at+y*p.Y+x*p.X+end])
					}
				}
				w.tileOf(t, end-m, cols, k, 1, w.a, 1, t.mr, 0, panel, br, dst, ldc, acc)
			}
		}
	}
}
