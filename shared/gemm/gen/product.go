package main

const (
	rows   = 4     // of a tile of C
	vector = 16    // bytes
	panel  = 8 * 4 // bytes of a row of a panel of B, and of a tile of C: two vectors
	depth  = 4     // products of one turn of a fast loop
)

// Where the sums of a product begin, and what is added to them in the end: the parameter
// start of tiles and row.
const (
	startZero = iota
	startC    // at what stands in C
	startBias // at the bias
	addC      // at 0; what stands in C is added in the end
	addBias   // at 0; the bias is added in the end
)

// sums are vectors of C under way, and where each lies: at a pointer plus an offset in C,
// and at an offset in the bias.
type sums struct {
	*function
	start, bias, floor int
	sum, c             []int
	atC, atBias        []int
}

// begin sets the sums to where they begin.
func (s sums) begin() {
	s.is(s.start, startC)
	s.op(ifOp, void)
	for i, v := range s.sum {
		s.get(s.c[i])
		s.memory(vLoad, s.atC[i])
		s.set(v)
	}
	s.op(elseOp)
	s.is(s.start, startBias)
	s.op(ifOp, void)
	for i, v := range s.sum {
		s.get(s.bias)
		s.memory(vLoad, s.atBias[i])
		s.set(v)
	}
	s.op(elseOp)
	for _, v := range s.sum {
		s.all(0)
		s.set(v)
	}
	s.op(endOp, endOp)
}

// end adds what is to be added, and writes the sums to C: the floor for what is less.
func (s sums) end() {
	s.is(s.start, addC)
	s.when(func() {
		for i, v := range s.sum {
			s.get(s.c[i])
			s.memory(vLoad, s.atC[i])
			s.get(v)
			s.vector(f32x4Add)
			s.set(v)
		}
	})
	s.is(s.start, addBias)
	s.when(func() {
		for i, v := range s.sum {
			s.get(s.bias)
			s.memory(vLoad, s.atBias[i])
			s.get(v)
			s.vector(f32x4Add)
			s.set(v)
		}
	})
	for i, v := range s.sum {
		s.get(s.c[i], v, s.floor)
		s.vector(f32x4Splat, f32x4Pmax)
		s.memory(vStore, s.atC[i])
	}
}

// tiles multiplies 4·n rows of A with panels of 8 columns of B. The rows of A begin, in
// numbers from a, where the table at says, and those of C likewise; those of A are runs
// of k numbers, ac bytes apart, and jump bytes lead from the end of one to the next. Rows
// of a panel are br bytes apart, with gap bytes more between those of two runs, and panels
// are span.
func tiles() *function {
	f := &function{name: "tiles"}
	n, k, runs, jump := f.param(i32), f.param(i32), f.param(i32), f.param(i32)
	a, at, ac := f.param(i32), f.param(i32), f.param(i32)
	b, br, gap, panels, span := f.param(i32), f.param(i32), f.param(i32), f.param(i32), f.param(i32)
	c, to := f.param(i32), f.param(i32)
	bias, start, floor := f.param(i32), f.param(i32), f.param(f32)
	fast, tile, from, into, turns, left, bRow := f.local(i32), f.local(i32), f.local(i32), f.local(i32), f.local(i32), f.local(i32), f.local(i32)
	aRow, cRow := f.several(rows, i32), f.several(rows, i32)
	s := sums{function: f, start: start, bias: bias, floor: floor, sum: f.several(2*rows, v128)}
	b0, b1, x := f.local(v128), f.local(v128), f.local(v128)
	for i := range s.sum {
		s.c = append(s.c, cRow[i/2])
		s.atC = append(s.atC, i%2*vector)
		s.atBias = append(s.atBias, i%2*vector)
	}
	// products adds one product to each sum: the numbers of A at an offset from the
	// pointers, and the row of B likewise.
	products := func(atA, atB int) {
		for half, v := range []int{b0, b1} {
			f.get(bRow)
			f.memory(vLoad, atB+half*vector)
			f.set(v)
		}
		for r, p := range aRow {
			f.get(p)
			f.memory(vSplatLoad, atA)
			f.set(x)
			for half, v := range []int{b0, b1} {
				f.get(s.sum[2*r+half], x, v)
				f.vector(f32x4Mul, f32x4Add)
				f.set(s.sum[2*r+half])
			}
		}
	}
	pointers := func(base, table int, to []int) {
		for r, p := range to {
			f.get(table)
			f.scalar(i32Load, 4*r)
			f.constant(2)
			f.op(i32Shl)
			f.get(base)
			f.op(i32Add)
			f.set(p)
		}
		f.add(table, 4*rows)
	}
	f.is(ac, 4)
	f.is(br, panel)
	f.op(i32And)
	f.set(fast)
	f.while(panels, func() {
		f.get(n)
		f.set(tile)
		f.get(at)
		f.set(from)
		f.get(to)
		f.set(into)
		f.while(tile, func() {
			pointers(a, from, aRow)
			pointers(c, into, cRow)
			s.begin()
			f.get(b)
			f.set(bRow)
			f.get(runs)
			f.set(turns)
			f.while(turns, func() {
				f.get(k)
				f.set(left)
				// Several products at a turn, where their places are known beforehand.
				f.get(fast)
				f.when(func() {
					f.atLeast(left, depth, func() {
						for d := range depth {
							products(4*d, panel*d)
							f.apart(left)
						}
						for _, p := range aRow {
							f.add(p, 4*depth)
						}
						f.add(bRow, panel*depth)
						f.add(left, -depth)
					})
				})
				f.while(left, func() {
					products(0, 0)
					for _, p := range aRow {
						f.addLocal(p, ac)
					}
					f.addLocal(bRow, br)
					f.add(left, -1)
				})
				for _, p := range aRow {
					f.addLocal(p, jump)
				}
				f.addLocal(bRow, gap)
				f.add(turns, -1)
			})
			s.end()
			f.add(tile, -1)
		})
		f.addLocal(b, span)
		f.add(c, panel)
		f.add(bias, panel)
		f.add(panels, -1)
	})
	return f
}

// row multiplies one row of A, runs of k numbers with jump bytes from the end of one to
// the next and gap bytes between the rows of B that they meet, with panels of B, several at a time: a sum waits for the one before it, and
// one row has two sums for each panel only.
func row() *function {
	f := &function{name: "row"}
	k, runs, jump, a := f.param(i32), f.param(i32), f.param(i32), f.param(i32)
	b, gap, panels, span, c := f.param(i32), f.param(i32), f.param(i32), f.param(i32), f.param(i32)
	bias, start, floor := f.param(i32), f.param(i32), f.param(f32)
	turns, left, aRow := f.local(i32), f.local(i32), f.local(i32)
	const most = 4
	bRow := f.several(most, i32)
	all := f.several(2*most, v128)
	x := f.local(v128)
	for _, group := range []int{most, 3, 1} {
		s := sums{function: f, start: start, bias: bias, floor: floor, sum: all[:2*group]}
		for i := range s.sum {
			s.c = append(s.c, c)
			s.atC = append(s.atC, i*vector)
			s.atBias = append(s.atBias, i*vector)
		}
		f.atLeast(panels, group, func() {
			for p := range group {
				if p == 0 {
					f.get(b)
				} else {
					f.get(bRow[p-1], span)
					f.op(i32Add)
				}
				f.set(bRow[p])
			}
			f.get(bRow[group-1], span)
			f.op(i32Add)
			f.set(b)
			s.begin()
			f.get(a)
			f.set(aRow)
			f.get(runs)
			f.set(turns)
			f.while(turns, func() {
				f.get(k)
				f.set(left)
				products := func(d int) {
					f.get(aRow)
					f.memory(vSplatLoad, 4*d)
					f.set(x)
					for i, v := range s.sum {
						if i == 4 {
							f.apart(left)
						}
						f.get(v, x, bRow[i/2])
						f.memory(vLoad, panel*d+i%2*vector)
						f.vector(f32x4Mul, f32x4Add)
						f.set(v)
					}
				}
				several := func(n int) {
					for d := range n {
						products(d)
						f.apart(left)
					}
					f.add(aRow, 4*n)
					for _, p := range bRow[:group] {
						f.add(p, panel*n)
					}
					f.add(left, -n)
				}
				f.atLeast(left, 2, func() { several(2) })
				f.while(left, func() { several(1) })
				f.addLocal(aRow, jump)
				for _, p := range bRow[:group] {
					f.addLocal(p, gap)
				}
				f.add(turns, -1)
			})
			s.end()
			f.add(c, panel*group)
			f.add(bias, panel*group)
			f.add(panels, -group)
		})
	}
	return f
}
