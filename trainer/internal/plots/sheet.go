package plots

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"mppm/shared/nn"
	"mppm/trainer/internal/atomicfile"
	"mppm/trainer/internal/imageio"
)

// Sheet lays out images in rows: a contact sheet, or, with heads over its columns, a
// strip of what happened to each.
type Sheet struct {
	Image   nn.Shape // of each image, in one channel or three; the zero value is that of a digit, 28×28
	Columns int      // images in a row; 0 makes the sheet about square
	Scale   int      // each pixel becomes Scale×Scale equal ones; 0 means 2
	Heads   []string // over the columns, or nil
	Rows    []string // before the rows, or nil
	Labels  []string // under the images, one each, or nil
}

const (
	gap    = 4  // between images
	textUp = 11 // of basicfont's 13 pixels above the baseline
	textH  = 14 // a line of text
	glyphW = 7  // all glyphs are as wide

	// maxSheet bounds the pixels of a sheet.
	maxSheet = 100_000_000
)

var (
	ground = color.Gray{0x30} // tells black images apart
	ink    = color.Gray{0xd8}
)

// Draw draws images that follow one another, row-major, 0 black and 1 white; what is
// outside is moved to the ends. The sheet is an *image.Gray, or an *image.RGBA where
// images are in color.
func (s Sheet) Draw(images []float32) (draw.Image, error) {
	if s.Image == (nn.Shape{}) {
		s.Image = nn.Shape{H: imageio.Side, W: imageio.Side, C: 1}
	}
	size := s.Image.Size()
	if s.Image.C != 1 && s.Image.C != 3 {
		return nil, fmt.Errorf("images of %v cannot be drawn: want one channel or three", s.Image)
	}
	n := len(images) / size
	if n == 0 || len(images)%size != 0 {
		return nil, fmt.Errorf("%d numbers are no whole number of images of %v", len(images), s.Image)
	}
	if s.Columns <= 0 {
		for s.Columns = 1; s.Columns*s.Columns < n; s.Columns++ {
		}
	}
	s.Columns = min(s.Columns, n)
	if s.Scale <= 0 {
		s.Scale = 2
	}
	if s.Labels != nil && len(s.Labels) != n {
		return nil, fmt.Errorf("%d labels for %d images", len(s.Labels), n)
	}
	if len(s.Heads) > s.Columns {
		return nil, fmt.Errorf("%d heads for %d columns", len(s.Heads), s.Columns)
	}
	rows := (n + s.Columns - 1) / s.Columns
	if len(s.Rows) > rows {
		return nil, fmt.Errorf("%d names for %d rows", len(s.Rows), rows)
	}
	wide, high := s.Image.W*s.Scale, s.Image.H*s.Scale
	pitchX, pitchY := wide+gap, high+gap
	if s.Labels != nil {
		pitchY += textH
	}
	top := gap
	if s.Heads != nil {
		top += textH
	}
	left := gap
	for _, name := range s.Rows {
		left = max(left, 2*gap+glyphW*len([]rune(name)))
	}
	w, h := left+s.Columns*pitchX, top+rows*pitchY
	if w > maxSheet/h {
		return nil, fmt.Errorf("a sheet of %d images would have %d×%d pixels: show fewer, or use a smaller scale", n, w, h)
	}
	img := draw.Image(image.NewGray(image.Rect(0, 0, w, h)))
	if s.Image.C == 3 {
		img = image.NewRGBA(img.Bounds())
	}
	draw.Draw(img, img.Bounds(), image.NewUniform(ground), image.Point{}, draw.Src)
	for i, head := range s.Heads {
		text(img, head, left+i*pitchX, gap, wide)
	}
	for i, name := range s.Rows {
		text(img, name, gap, top+i*pitchY+(high-textH)/2, left-gap)
	}
	pixels := make([]byte, size)
	for i := range n {
		imageio.Quantize(pixels, images[i*size:(i+1)*size])
		x0, y0 := left+i%s.Columns*pitchX, top+i/s.Columns*pitchY
		for y := range high {
			for x := range wide {
				p := pixels[(y/s.Scale*s.Image.W+x/s.Scale)*s.Image.C:]
				switch img := img.(type) {
				case *image.Gray:
					img.Pix[img.PixOffset(x0+x, y0+y)] = p[0]
				case *image.RGBA:
					img.SetRGBA(x0+x, y0+y, color.RGBA{p[0], p[1], p[2], 255})
				}
			}
		}
		if s.Labels != nil {
			text(img, s.Labels[i], x0, y0+high, wide)
		}
	}
	return img, nil
}

// Save draws images and writes the sheet to a PNG file, atomically.
func (s Sheet) Save(path string, images []float32) error {
	img, err := s.Draw(images)
	if err != nil {
		return fmt.Errorf("cannot draw %s: %w", path, err)
	}
	return atomicfile.Write(path, func(w io.Writer) error { return png.Encode(w, img) })
}

// text writes a line, cut to width and centered in it, with its top at y.
func text(img draw.Image, s string, x, y, width int) {
	runes := []rune(s)
	if room := width / glyphW; len(runes) > room {
		runes = runes[:room]
	}
	x += (width - glyphW*len(runes)) / 2
	d := font.Drawer{Dst: img, Src: image.NewUniform(ink), Face: basicfont.Face7x13, Dot: fixed.P(x, y+textUp)}
	d.DrawString(string(runes))
}
