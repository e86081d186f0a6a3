package nn

import (
	"fmt"

	"mppm/shared/gemm"
	"mppm/shared/vec"
)

// Shape is what one input or output of a layer is: an image of H × W pixels with C
// channels. A vector of n numbers is a pixel with n channels.
type Shape struct{ H, W, C int }

// Vector is the shape of n numbers.
func Vector(n int) Shape { return Shape{1, 1, n} }

// Size returns how many numbers there are: H·W·C.
func (s Shape) Size() int { return s.H * s.W * s.C }

// String returns the shape as messages have it: 28×28×1, or 18 for a vector.
func (s Shape) String() string {
	if s.H == 1 && s.W == 1 {
		return fmt.Sprint(s.C)
	}
	return fmt.Sprintf("%d×%d×%d", s.H, s.W, s.C)
}

// maxSize bounds the numbers of a Shape, far above those of any image a net could
// be run on.
const maxSize = 1 << 28

func (s Shape) check() error {
	n := 1
	for _, d := range []int{s.H, s.W, s.C} {
		if d < 1 || d > maxSize/n {
			return fmt.Errorf("the shape is %d×%d×%d; want 1 or more each, and at most %d numbers", s.H, s.W, s.C, maxSize)
		}
		n *= d
	}
	return nil
}

// Window is a square kernel that moves over an image: Side² pixels, Stride pixels
// from one place to the next, with Pad pixels of 0 around the image.
type Window struct{ Side, Stride, Pad int }

// The windows of the tables.
var (
	Halving = Window{3, 2, 1} // Table 8: the side is halved, rounded up
	Same    = Window{3, 1, 1} // Table 9's convolutions: the side stays
	Pairs   = Window{2, 2, 0} // Table 9's pooling: the side is halved, rounded down
)

// On returns where the window's kernels are on an image. An image that the kernel
// does not fit into has no place for it, and OH or OW is less than 1.
func (w Window) On(s Shape) Geometry {
	fit := func(n int) int { return (n + 2*w.Pad - w.Side + w.Stride) / w.Stride }
	return Geometry{H: s.H, W: s.W, OH: fit(s.H), OW: fit(s.W), C: s.C, Side: w.Side, Stride: w.Stride, Pad: w.Pad}
}

func (w Window) check(s Shape) error {
	if w.Side < 1 || w.Stride < 1 || w.Pad < 0 || w.Pad >= w.Side {
		return fmt.Errorf("the window %+v is none: want a side and a stride of 1 or more, and padding from 0 to less than the side", w)
	}
	if least := w.Side - 2*w.Pad; s.H < least || s.W < least {
		return fmt.Errorf("a kernel of %d×%[1]d pixels with padding %d does not fit into an image of %v", w.Side, w.Pad, s)
	}
	return nil
}

// Geometry is the place of a square kernel on an image: of Side² kernels at
// Stride pixels with Pad zero pixels around an H × W image, OH × OW fit.
type Geometry struct {
	H, W   int // the larger image
	OH, OW int // the smaller image
	C      int // channels of the larger image
	Side   int // of the kernel
	Stride int
	Pad    int
}

// Patch returns the numbers under one kernel: Side²·C.
func (g Geometry) Patch() int { return g.Side * g.Side * g.C }

// Columns copies the patches in rows lo to hi of the smaller image into the rows of
// cols, (hi − lo)·OW × Patch; img is the larger image, outside of which all is 0.
func (g Geometry) Columns(cols, img []float32, lo, hi int) {
	g.Taps(cols, img, lo, hi, 0, g.Side*g.Side)
}

// Taps is Columns of a part of each patch alone: the pixels of the kernel from
// number first to end. cols is (hi − lo)·OW × (end − first)·C.
func (g Geometry) Taps(cols, img []float32, lo, hi, first, end int) {
	width := (end - first) * g.C
	for oy := lo; oy < hi; oy++ {
		for ox := range g.OW {
			row := cols[((oy-lo)*g.OW+ox)*width:][:width]
			x0 := ox*g.Stride - g.Pad
			for ky := first / g.Side; ky*g.Side < end; ky++ {
				from, to := max(0, first-ky*g.Side), min(g.Side, end-ky*g.Side)
				dst := row[:(to-from)*g.C]
				row = row[len(dst):]
				y := oy*g.Stride - g.Pad + ky
				if y < 0 || y >= g.H {
					clear(dst)
					continue
				}
				lo := min(max(from, -x0), to)
				hi := max(min(to, g.W-x0), lo)
				at := (y*g.W + x0) * g.C
				clear(dst[:(lo-from)*g.C])
				if g.C == 1 { // too few numbers to call copy for
					for j := lo; j < hi; j++ {
						dst[j-from] = img[at+j]
					}
				} else {
					copy(dst[(lo-from)*g.C:], img[at+lo*g.C:at+hi*g.C])
				}
				clear(dst[(hi-from)*g.C:])
			}
		}
	}
}

// Direct reports whether products with the patches are better taken of framed images, in
// place, than of Columns: each number of an image is then copied once and not for every
// patch that it is in. Of one channel the runs of a patch would be too short.
func (g Geometry) Direct() bool { return g.C > 1 }

// Frame returns the size of a framed image whose patches in so many rows of the smaller
// image are wanted.
func (g Geometry) Frame(rows int) int {
	return ((rows-1)*g.Stride + g.Side) * (g.W + 2*g.Pad) * g.C
}

// framed copies the rows of an image that patches in rows lo to hi of the smaller image
// are in, with the pixels of 0 around it, to dst, which has Frame(hi − lo) numbers.
func (g Geometry) framed(dst, img []float32, lo, hi int) {
	edge, row := g.Pad*g.C, g.W*g.C
	for y := lo*g.Stride - g.Pad; y < (hi-1)*g.Stride-g.Pad+g.Side; y++ {
		to := dst[:row+2*edge]
		dst = dst[len(to):]
		if y < 0 || y >= g.H {
			clear(to)
			continue
		}
		clear(to[:edge])
		copy(to[edge:], img[y*row:(y+1)*row])
		clear(to[edge+row:])
	}
}

// patches returns the patches in so many rows of the smaller image of each of some framed
// images, one behind the other.
func (g Geometry) patches(framed []float32, images, rows int) gemm.Patches {
	line := (g.W + 2*g.Pad) * g.C
	return gemm.Patches{
		Data: framed, Images: images, Rows: rows, Cols: g.OW,
		Image: g.Frame(rows), Y: g.Stride * line, X: g.Stride * g.C,
		Runs: g.Side, Run: g.Side * g.C, Jump: line,
	}
}

// Back returns the geometry of the convolution that the gradient of a convolution's input
// is, of out channels where g has its patches; and false if it is none.
func (g Geometry) Back(out int) (Geometry, bool) {
	back := Window{g.Side, 1, g.Side - 1 - g.Pad}.On(Shape{g.OH, g.OW, out})
	return back, g.Stride == 1 && back.OH == g.H && back.OW == g.W
}

// Under returns which rows of the smaller image have a kernel over rows lo to hi of
// the larger one.
func (g Geometry) Under(lo, hi int) (from, to int) {
	return (max(0, lo+g.Pad-g.Side+1) + g.Stride - 1) / g.Stride, min(g.OH, (hi-1+g.Pad)/g.Stride+1)
}

// Scatter adds the rows of cols, as Columns has them, to the pixels of img that they
// are patches of, if those are in rows top to bottom: the transpose of Columns.
func (g Geometry) Scatter(img, cols []float32, lo, hi, top, bottom int) {
	g.scatter(img, cols, g.Patch(), lo, hi, top, bottom)
}

// scatter is Scatter of rows so many numbers apart.
func (g Geometry) scatter(img, cols []float32, apart, lo, hi, top, bottom int) {
	run, line := g.Side*g.C, g.W*g.C
	for oy := lo; oy < hi; oy++ {
		rows := cols[(oy-lo)*g.OW*apart:][:g.OW*apart]
		for ky := range g.Side {
			y := oy*g.Stride - g.Pad + ky
			if y < top || y >= bottom {
				continue
			}
			dst := img[y*line : (y+1)*line]
			for ox := range g.OW {
				src := rows[ox*apart+ky*run:][:run]
				at := (ox*g.Stride - g.Pad) * g.C
				if at < 0 {
					src, at = src[-at:], 0
				}
				to := dst[at:min(at+len(src), line)]
				src = src[:len(to)]
				if g.C >= few {
					vec.Add(to, src)
					continue
				}
				for i, v := range src { // too few to call a function for
					to[i] += v
				}
			}
		}
	}
}

// unfolded is how many numbers of patches are made at a time, so that they stay in
// the cache.
const unfolded = 1 << 16

// Frames returns the patches in rows lo to hi of the smaller images of n larger ones, and
// has ws hold what they lie in: the images themselves, where there is nothing around them.
func (g Geometry) Frames(img []float32, n, lo, hi int, ws *Workspace) gemm.Patches {
	in, size := g.H*g.W*g.C, g.Frame(hi-lo)
	if g.Pad == 0 {
		p := g.patches(img[lo*g.Stride*g.W*g.C:], n, hi-lo)
		p.Image = in
		return p
	}
	frames := ws.Columns(n * size)
	for i := range n {
		g.framed(frames[i*size:(i+1)*size], img[i*in:(i+1)*in], lo, hi)
	}
	return g.patches(frames, n, hi-lo)
}

// strips cuts n smaller images into parts of no more than unfolded numbers, with row
// numbers in each row of one, or of one row: whole images where they are small, rows of
// one where they are large. f is called for the first image of each part and their
// number, and for the rows lo to hi of them.
func (g Geometry) strips(n, row int, f func(first, images, lo, hi int)) {
	if images := unfolded / (g.OH * row); images > 0 {
		for i := 0; i < n; i += images {
			f(i, min(images, n-i), 0, g.OH)
		}
		return
	}
	rows := max(1, unfolded/row)
	for i := range n {
		for lo := 0; lo < g.OH; lo += rows {
			f(i, 1, lo, min(lo+rows, g.OH))
		}
	}
}
