//go:build !purego

package gemm

// kernels lists the kernels this processor runs, the best first.
//
// The tiles: 12 accumulators of two vectors' width are enough to hide the
// latency of an addition (4 cycles at two a cycle), and with two vectors of B,
// one broadcast and one product they fit the 32 registers of AVX-512 (6 × 32);
// the 16 of AVX2 have room for 8 accumulators (4 × 16). Where no more than 16 columns
// are left, half of a tile of 6 × 32 would be for nothing: 12 × 16 has as many
// accumulators, and its products take the numbers of A from memory themselves.
func kernels() []kernel {
	var k []kernel
	avx2, avx512 := features()
	if avx512 {
		k = append(k, kernel{name: "avx512", mr: 6, nr: 32, exact: avx512Exact, fused: avx512Fused, runs: avx512Runs, narrow: avx512Narrow, narrowM: 12})
	}
	if avx2 {
		k = append(k, kernel{name: "avx2", mr: 4, nr: 16, exact: avx2Exact, fused: avx2Fused})
	}
	return append(k, scalar)
}

// features reports whether the processor and the operating system support what
// the kernels use: AVX2 with FMA, and the foundation of AVX-512.
func features() (avx2, avx512 bool) {
	const (
		fma, osxsave, avx = 1 << 12, 1 << 27, 1 << 28 // leaf 1, ecx
		avx2Bit, avx512F  = 1 << 5, 1 << 16           // leaf 7, ebx
		ymm, zmm          = 0x06, 0xe6                // XCR0: registers that are kept
	)
	if max, _, _, _ := cpuid(0, 0); max < 7 {
		return false, false
	}
	_, _, c, _ := cpuid(1, 0)
	if c&(fma|osxsave|avx) != fma|osxsave|avx {
		return false, false
	}
	kept := xgetbv()
	_, b, _, _ := cpuid(7, 0)
	avx2 = kept&ymm == ymm && b&avx2Bit != 0
	return avx2, avx2 && kept&zmm == zmm && b&avx512F != 0
}

// cpuid asks the processor what it is.
func cpuid(leaf, sub uint32) (a, b, c, d uint32)

// xgetbv returns the low half of XCR0: which registers the operating system keeps.
func xgetbv() uint32

// The checks at the top of each kernel stand for the ones that assembly skips.

func avx512Exact(k int, a []float32, ar, ac int, b []float32, br int, c []float32, ldc int, acc bool) {
	_, _, _ = a[5*ar+(k-1)*ac], b[(k-1)*br+31], c[5*ldc+31]
	tile6x32(k, 1, &a[0], ar, ac, 0, &b[0], br, &c[0], ldc, acc, false)
}

func avx512Fused(k int, a []float32, ar, ac int, b []float32, br int, c []float32, ldc int, acc bool) {
	_, _, _ = a[5*ar+(k-1)*ac], b[(k-1)*br+31], c[5*ldc+31]
	tile6x32(k, 1, &a[0], ar, ac, 0, &b[0], br, &c[0], ldc, acc, true)
}

func avx512Runs(k, runs int, a []float32, ar, ac, jump int, b []float32, br int, c []float32, ldc int, acc, fused bool) {
	_, _, _ = a[5*ar+(runs-1)*jump+(k-1)*ac], b[(runs*k-1)*br+31], c[5*ldc+31]
	tile6x32(k, runs, &a[0], ar, ac, jump, &b[0], br, &c[0], ldc, acc, fused)
}

func avx512Narrow(k, runs int, a []float32, ar, ac, jump int, b []float32, br int, c []float32, ldc int, acc, fused bool) {
	_, _, _ = a[11*ar+(runs-1)*jump+(k-1)*ac], b[(runs*k-1)*br+15], c[11*ldc+15]
	tile12x16(k, runs, &a[0], ar, ac, jump, &b[0], br, &c[0], ldc, acc, fused)
}

func avx2Exact(k int, a []float32, ar, ac int, b []float32, br int, c []float32, ldc int, acc bool) {
	_, _, _ = a[3*ar+(k-1)*ac], b[(k-1)*br+15], c[3*ldc+15]
	tile4x16(k, &a[0], ar, ac, &b[0], br, &c[0], ldc, acc, false)
}

func avx2Fused(k int, a []float32, ar, ac int, b []float32, br int, c []float32, ldc int, acc bool) {
	_, _, _ = a[3*ar+(k-1)*ac], b[(k-1)*br+15], c[3*ldc+15]
	tile4x16(k, &a[0], ar, ac, &b[0], br, &c[0], ldc, acc, true)
}

// tile6x32 is a tile for AVX-512, of so many runs of k products each, between which A
// goes on jump from where the run began; fused tells whether products are fused with
// their sums.
//
//go:noescape
func tile6x32(k, runs int, a *float32, ar, ac, jump int, b *float32, br int, c *float32, ldc int, acc, fused bool)

// tile12x16 is the same of 12 rows and 16 columns.
//
//go:noescape
func tile12x16(k, runs int, a *float32, ar, ac, jump int, b *float32, br int, c *float32, ldc int, acc, fused bool)

// tile4x16 is a tile for AVX2, of one run.
//
//go:noescape
func tile4x16(k int, a *float32, ar, ac int, b *float32, br int, c *float32, ldc int, acc, fused bool)
