package main

// The exponential is vec.Exp1's: its constants are there, with their source.
const (
	log2e   = 1.44269504088896341
	ln2Hi   = 0.693359375
	ln2Lo   = -2.12194440e-4
	rounder = 12582912
	expMin  = -87.3
	expMax  = 88
)

var polynomial = []float32{1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1}

// exp takes the vector on top, and puts its exponentials. It needs four vectors.
func (f *function) exp(x, t, r, p int) {
	f.tee(x)
	f.all(expMax)
	f.vector(f32x4Gt)
	f.set(t)
	f.all(expMax)
	f.get(x, t)
	f.vector(vSelect)
	f.tee(p) // x, no more than expMax
	f.all(log2e)
	f.vector(f32x4Mul)
	f.all(rounder)
	f.vector(f32x4Add)
	f.set(t)
	f.get(p, t)
	f.all(rounder)
	f.vector(f32x4Sub)
	f.tee(r) // n
	f.all(ln2Hi)
	f.vector(f32x4Mul, f32x4Sub)
	f.get(r)
	f.all(ln2Lo)
	f.vector(f32x4Mul, f32x4Sub)
	f.set(r)
	f.all(polynomial[0])
	for _, c := range polynomial[1:] {
		f.get(r)
		f.vector(f32x4Mul)
		f.all(c)
		f.vector(f32x4Add)
	}
	f.get(r, r)
	f.vector(f32x4Mul, f32x4Mul)
	f.get(r)
	f.vector(f32x4Add)
	f.all(1)
	f.vector(f32x4Add)
	f.get(t)
	f.constant(23)
	f.vector(i32x4Shl)
	f.all(1) // its bits
	f.vector(i32x4Add, f32x4Mul)
	f.get(x)
	f.all(expMin)
	f.vector(f32x4Lt, vAndNot) // 0 where x is less
}

// vectors goes over n numbers, four at a time, of arrays whose pointers are given. What is
// left, less than four, is not its own.
func (f *function) vectors(n int, pointers []int, do func()) {
	f.atLeast(n, 4, func() {
		do()
		for _, p := range pointers {
			f.add(p, vector)
		}
		f.add(n, -4)
	})
}

// exponentials has the functions of package vec that take an exponential of n numbers:
// expdiff, e^((x−top)·scale); sigmoid; silu, x·σ(x); and siluback, g·σ(x)(1 + x(1 − σ(x))).
func exponentials(name string) *function {
	f := &function{name: name}
	dst := f.param(i32)
	arrays := []int{dst}
	g := 0
	if name == "siluback" {
		g = f.param(i32)
		arrays = append(arrays, g)
	}
	src, n := f.param(i32), f.param(i32)
	arrays = append(arrays, src)
	topAt, scale := 0, 0
	if name == "expdiff" {
		topAt, scale = f.param(f32), f.param(f32)
	}
	h, x, t, r, p := f.local(v128), f.local(v128), f.local(v128), f.local(v128), f.local(v128)
	sigmoid := func() {
		f.all(1)
		f.all(1)
		f.get(h)
		f.vector(f32x4Neg)
		f.exp(x, t, r, p)
		f.vector(f32x4Add, f32x4Div)
	}
	f.vectors(n, arrays, func() {
		f.get(dst, src)
		f.memory(vLoad, 0)
		f.set(h)
		switch name {
		case "expdiff":
			f.get(h, topAt)
			f.vector(f32x4Splat, f32x4Sub)
			f.get(scale)
			f.vector(f32x4Splat, f32x4Mul)
			f.exp(x, t, r, p)
		case "sigmoid":
			sigmoid()
		case "silu":
			f.get(h)
			sigmoid()
			f.vector(f32x4Mul)
		case "siluback":
			f.get(g)
			f.memory(vLoad, 0)
			sigmoid()
			f.tee(t)
			f.all(1)
			f.get(h)
			f.all(1)
			f.get(t)
			f.vector(f32x4Sub, f32x4Mul, f32x4Add, f32x4Mul, f32x4Mul)
		}
		f.memory(vStore, 0)
	})
	return f
}

// top returns the largest of n numbers in whole vectors, at least one: in each lane, and
// then of the lanes.
func top() *function {
	f := &function{name: "top", results: []byte{f32}}
	src, n := f.param(i32), f.param(i32)
	const together = 4
	m := f.several(together, v128)
	best, x := f.local(f32), f.local(f32)
	for _, v := range m {
		f.get(src)
		f.memory(vLoad, 0)
		f.set(v)
	}
	larger := func(v int, of func()) {
		f.get(v)
		of()
		f.vector(f32x4Pmax)
		f.set(v)
	}
	f.atLeast(n, 4*together, func() {
		for i, v := range m {
			larger(v, func() { f.get(src); f.memory(vLoad, i*vector) })
		}
		f.add(src, together*vector)
		f.add(n, -4*together)
	})
	f.vectors(n, []int{src}, func() { larger(m[0], func() { f.get(src); f.memory(vLoad, 0) }) })
	for _, v := range m[1:] {
		larger(m[0], func() { f.get(v) })
	}
	f.get(m[0])
	f.vector(f32x4Lane)
	f.op(0)
	f.set(best)
	for lane := range 3 {
		f.get(m[0])
		f.vector(f32x4Lane)
		f.op(byte(lane + 1))
		f.tee(x)
		f.get(best)
		f.op(f32Gt)
		f.when(func() { f.get(x); f.set(best) })
	}
	f.get(best)
	return f
}

// atLeast writes those of n numbers in whole vectors that are no less than least to dst,
// and which they are, counted from first, to at. It returns how many there are. A whole
// vector is written at a time, and what is not among them is written over: there must be
// room for as many as n. moves has, for each set of lanes, which bytes of a vector these
// lanes are, one behind the other.
func atLeast() *function {
	f := &function{name: "atleast", results: []byte{i32}}
	dst, at, src, n, first, least, moves := f.param(i32), f.param(i32), f.param(i32), f.param(i32), f.param(i32), f.param(f32), f.param(i32)
	begin, set := f.local(i32), f.local(i32)
	number, move := f.local(v128), f.local(v128)
	const together = 2 // vectors that are looked at at once
	x, is := f.several(together, v128), f.several(together, v128)
	f.get(dst)
	f.set(begin)
	f.constant(0) // 0, 1, 2 and 3
	f.vector(i32x4Splat)
	for lane := range 4 {
		f.constant(lane)
		f.vector(i32x4Replace)
		f.op(byte(lane))
	}
	f.get(first)
	f.vector(i32x4Splat, i32x4Add)
	f.set(number)
	one := func(i int) {
		f.get(is[i])
		f.vector(i32x4Bitmask)
		f.tee(set)
		f.constant(4)
		f.op(i32Shl)
		f.get(moves)
		f.op(i32Add)
		f.memory(vLoad, 0)
		f.set(move)
		f.get(dst, x[i], move)
		f.vector(i8x16Swizzle)
		f.memory(vStore, 0)
		f.get(at, number, move)
		f.vector(i8x16Swizzle)
		f.memory(vStore, 0)
		f.get(set)
		f.op(i32Popcnt)
		f.constant(2)
		f.op(i32Shl)
		f.tee(set)
		f.get(dst)
		f.op(i32Add)
		f.set(dst)
		f.addLocal(at, set)
	}
	next := func(vectors int) {
		f.get(number)
		f.constant(4 * vectors)
		f.vector(i32x4Splat, i32x4Add)
		f.set(number)
	}
	some := func(vectors int) {
		f.atLeast(n, 4*vectors, func() {
			for i := range vectors {
				f.get(src)
				f.memory(vLoad, i*vector)
				f.tee(x[i])
				f.get(least)
				f.vector(f32x4Splat, f32x4Ge)
				f.tee(is[i])
				if i > 0 {
					f.vector(vOr)
				}
			}
			f.vector(vAnyTrue)
			f.op(ifOp, void)
			for i := range vectors {
				one(i)
				next(1)
			}
			f.op(elseOp)
			next(vectors)
			f.op(endOp)
			f.add(src, vectors*vector)
			f.add(n, -4*vectors)
		})
	}
	some(together)
	some(1)
	f.get(dst, begin)
	f.op(i32Sub)
	f.constant(2)
	f.op(i32ShrU)
	return f
}

// sum sets vectors of numbers at dst to the sums of rows, width bytes each, of which the
// n that at names are added up, each times its weight.
func sum() *function {
	f := &function{name: "sum"}
	dst, weights, at, n := f.param(i32), f.param(i32), f.param(i32), f.param(i32)
	src, stride, vectors := f.param(i32), f.param(i32), f.param(i32)
	left, w, which, from := f.local(i32), f.local(i32), f.local(i32), f.local(i32)
	const most = 5 // vectors of a row at a time: a code of 18 numbers and its 1
	all := f.several(most, v128)
	x := f.local(v128)
	for _, group := range []int{most, 1} {
		f.atLeast(vectors, group, func() {
			for _, v := range all[:group] {
				f.all(0)
				f.set(v)
			}
			for _, p := range [][2]int{{left, n}, {w, weights}, {which, at}} {
				f.get(p[1])
				f.set(p[0])
			}
			f.while(left, func() {
				f.get(src, which)
				f.scalar(i32Load, 0)
				f.get(stride)
				f.op(i32Mul, i32Add)
				f.set(from)
				f.get(w)
				f.memory(vSplatLoad, 0)
				f.set(x)
				for i, v := range all[:group] {
					f.get(v, x, from)
					f.memory(vLoad, i*vector)
					f.vector(f32x4Mul, f32x4Add)
					f.set(v)
				}
				f.add(w, 4)
				f.add(which, 4)
				f.add(left, -1)
			})
			for i, v := range all[:group] {
				f.get(dst, v)
				f.memory(vStore, i*vector)
			}
			f.add(dst, group*vector)
			f.add(src, group*vector)
			f.add(vectors, -group)
		})
	}
	return f
}
