package gemm

// scalar is the definition that every other kernel is held to, bit for bit. Its
// 4 × 4 tile lives in registers, which on WebAssembly is worth a factor of two
// over the plain triple loop.
var scalar = kernel{name: "scalar", mr: 4, nr: 4, exact: scalar4x4}

func scalar4x4(k int, a []float32, ar, ac int, b []float32, br int, c []float32, ldc int, acc bool) {
	var c00, c01, c02, c03 float32
	var c10, c11, c12, c13 float32
	var c20, c21, c22, c23 float32
	var c30, c31, c32, c33 float32
	r0 := c[0*ldc : 0*ldc+4]
	r1 := c[1*ldc : 1*ldc+4]
	r2 := c[2*ldc : 2*ldc+4]
	r3 := c[3*ldc : 3*ldc+4]
	if acc {
		c00, c01, c02, c03 = r0[0], r0[1], r0[2], r0[3]
		c10, c11, c12, c13 = r1[0], r1[1], r1[2], r1[3]
		c20, c21, c22, c23 = r2[0], r2[1], r2[2], r2[3]
		c30, c31, c32, c33 = r3[0], r3[1], r3[2], r3[3]
	}
	a0, a1, a2, a3 := a, a[ar:], a[2*ar:], a[3*ar:]
	at, bt := 0, 0
	for range k {
		y := b[bt : bt+4 : bt+4]
		x0, x1, x2, x3 := a0[at], a1[at], a2[at], a3[at]
		y0, y1, y2, y3 := y[0], y[1], y[2], y[3]
		// The conversions keep a compiler from fusing product and sum.
		c00 += float32(x0 * y0)
		c01 += float32(x0 * y1)
		c02 += float32(x0 * y2)
		c03 += float32(x0 * y3)
		c10 += float32(x1 * y0)
		c11 += float32(x1 * y1)
		c12 += float32(x1 * y2)
		c13 += float32(x1 * y3)
		c20 += float32(x2 * y0)
		c21 += float32(x2 * y1)
		c22 += float32(x2 * y2)
		c23 += float32(x2 * y3)
		c30 += float32(x3 * y0)
		c31 += float32(x3 * y1)
		c32 += float32(x3 * y2)
		c33 += float32(x3 * y3)
		at, bt = at+ac, bt+br
	}
	r0[0], r0[1], r0[2], r0[3] = c00, c01, c02, c03
	r1[0], r1[1], r1[2], r1[3] = c10, c11, c12, c13
	r2[0], r2[1], r2[2], r2[3] = c20, c21, c22, c23
	r3[0], r3[1], r3[2], r3[3] = c30, c31, c32, c33
}
