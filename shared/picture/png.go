package picture

import (
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
)

// Magic is what every PNG begins with.
const Magic = "\x89PNG\r\n\x1a\n"

// Color types of PNG.
const (
	grayscale      = 0
	truecolor      = 2
	indexed        = 3
	grayscaleAlpha = 4
	truecolorAlpha = 6
)

// maxExif bounds what is kept of Exif data, which JPEG's segments bound to as
// much.
const maxExif = 1 << 16

// Size reads the size of a PNG, in pixels, from its beginning.
func Size(b []byte) (w, h int, err error) {
	const need = len(Magic) + 8 + 8
	if len(b) < need || string(b[:len(Magic)]) != Magic || string(b[len(Magic)+4:][:4]) != "IHDR" {
		return 0, 0, errors.New("it does not begin as a PNG does")
	}
	wide, high := binary.BigEndian.Uint32(b[need-8:]), binary.BigEndian.Uint32(b[need-4:])
	if wide == 0 || high == 0 || wide > 1<<31-1 || high > 1<<31-1 {
		return 0, 0, fmt.Errorf("its size of %d × %d pixels is none that a PNG has", wide, high)
	}
	return int(wide), int(high), nil
}

// DecodePNG reads a PNG, of any kind, of at most area pixels. It returns a
// *SizeError before it reads any of a larger one, and for what is no PNG an error
// that says where it ceases to be one.
func DecodePNG(r io.Reader, area int) (*Picture, error) {
	d := decoder{r: r, area: min(area, MaxArea)}
	if err := d.read(); err != nil {
		return nil, err
	}
	return d.sums.picture(d.how), nil
}

// read reads the PNG.
func (d *decoder) read() error {
	d.crc, d.how = crc32.NewIEEE(), upright
	for i := range d.palette {
		d.palette[i] = [4]uint32{0, 0, 0, full}
	}
	err := d.decode()
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("it ends too early")
	}
	return err
}

// decoder reads one PNG, as the W3C's recommendation (third edition) has it.
type decoder struct {
	r    io.Reader
	crc  hash.Hash32 // of the chunk
	left int         // bytes of the chunk that are not read yet
	kind string      // of the chunk

	area         int
	colored      bool // red, green and blue are added up too
	w, h         int
	depth, color int
	interlaced   bool
	palette      [256][4]uint32
	colors       int // of the palette
	key          [3]uint32
	keyed        bool // pixels of color key are transparent
	how          orientation
	sums         *sums
}

func (d *decoder) decode() error {
	var magic [len(Magic)]byte
	if _, err := io.ReadFull(d.r, magic[:]); err != nil {
		return err
	}
	if string(magic[:]) != Magic {
		return errors.New("it does not begin as a PNG does")
	}
	if err := d.next(); err != nil {
		return err
	}
	if d.kind != "IHDR" {
		return fmt.Errorf("it begins with %q, not with IHDR", d.kind)
	}
	if err := d.header(); err != nil {
		return err
	}
	for begun := false; ; {
		if !begun {
			if err := d.next(); err != nil {
				return err
			}
		}
		begun = false
		var err error
		switch d.kind {
		case "IHDR":
			err = errors.New("it has two headers")
		case "PLTE":
			err = d.readPalette()
		case "tRNS":
			err = d.readTransparency()
		case "eXIf":
			err = d.readExif()
		case "IDAT":
			if d.sums != nil {
				break // more than the picture needs
			}
			if d.color == indexed && d.colors == 0 {
				return errors.New("it has no palette")
			}
			d.sums = newSums(d.w, d.h)
			if d.colored {
				d.sums.rgb = make([]uint64, 3*len(d.sums.luma))
			}
			if err := d.readPixels(); err != nil {
				return err
			}
			begun = true
			continue
		case "IEND":
			if d.sums == nil {
				return errors.New("it has no pixels")
			}
			return d.skip()
		}
		if err == nil {
			err = d.skip()
		}
		if err != nil {
			return err
		}
	}
}

// next begins a chunk.
func (d *decoder) next() error {
	var b [8]byte
	if _, err := io.ReadFull(d.r, b[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(b[:])
	if n > 1<<31-1 {
		return fmt.Errorf("a chunk claims %d bytes", n)
	}
	d.left, d.kind = int(n), string(b[4:])
	d.crc.Reset()
	d.crc.Write(b[4:])
	return nil
}

// take reads n bytes of the chunk.
func (d *decoder) take(b []byte) error {
	if len(b) > d.left {
		return fmt.Errorf("its %s has %d bytes too few", d.kind, len(b)-d.left)
	}
	n, err := io.ReadFull(d.r, b)
	d.left -= n
	d.crc.Write(b[:n])
	return err
}

// skip reads the chunk to its end and checks it.
func (d *decoder) skip() error {
	n, err := io.CopyN(d.crc, d.r, int64(d.left))
	if d.left -= int(n); err != nil {
		return err
	}
	var sum [4]byte
	if _, err := io.ReadFull(d.r, sum[:]); err != nil {
		return err
	}
	if binary.BigEndian.Uint32(sum[:]) != d.crc.Sum32() {
		return fmt.Errorf("its %s is damaged: the checksum is wrong", d.kind)
	}
	return nil
}

// channels is how many numbers a pixel has, by its color type.
var channels = map[int]int{grayscale: 1, truecolor: 3, indexed: 1, grayscaleAlpha: 2, truecolorAlpha: 4}

func (d *decoder) header() error {
	var b [13]byte
	if d.left != len(b) {
		return fmt.Errorf("its header has %d bytes, not %d", d.left, len(b))
	}
	if err := d.take(b[:]); err != nil {
		return err
	}
	w, h := binary.BigEndian.Uint32(b[:]), binary.BigEndian.Uint32(b[4:])
	if w == 0 || h == 0 || w > 1<<31-1 || h > 1<<31-1 {
		return fmt.Errorf("its size of %d × %d pixels is none that a PNG has", w, h)
	}
	d.w, d.h, d.depth, d.color, d.interlaced = int(w), int(h), int(b[8]), int(b[9]), b[12] == 1
	if err := checkSize(d.w, d.h, d.area); err != nil {
		return err
	}
	deep := d.depth == 8 || d.depth == 16 && d.color != indexed
	shallow := (d.color == grayscale || d.color == indexed) && (d.depth == 1 || d.depth == 2 || d.depth == 4)
	if channels[d.color] == 0 || !deep && !shallow {
		return fmt.Errorf("it has color type %d with %d bits, which no PNG has", d.color, d.depth)
	}
	if b[10] != 0 || b[11] != 0 || b[12] > 1 {
		return errors.New("it is packed in a way that no PNG is")
	}
	return d.skip()
}

func (d *decoder) readPalette() error {
	var b [3 * 256]byte
	if d.left > len(b) || d.left%3 != 0 || d.left == 0 || d.color == indexed && d.left/3 > 1<<d.depth {
		return fmt.Errorf("its palette has %d bytes", d.left)
	}
	n := d.left
	if err := d.take(b[:n]); err != nil {
		return err
	}
	d.colors = n / 3
	for i := range d.colors {
		for c := range 3 {
			d.palette[i][c] = uint32(b[3*i+c]) * 0x101
		}
	}
	return nil
}

func (d *decoder) readTransparency() error {
	var b [256]byte
	if d.left > len(b) {
		return fmt.Errorf("its transparency has %d bytes", d.left)
	}
	n := d.left
	if err := d.take(b[:n]); err != nil {
		return err
	}
	switch {
	case d.color == indexed:
		for i, a := range b[:n] {
			d.palette[i][3] = uint32(a) * 0x101
		}
	case d.color == grayscale && n == 2, d.color == truecolor && n == 6:
		for c := range n / 2 {
			d.key[c] = uint32(binary.BigEndian.Uint16(b[2*c:]))
		}
		d.keyed = true
	default:
		return fmt.Errorf("its transparency of %d bytes does not fit its color type %d", n, d.color)
	}
	return nil
}

func (d *decoder) readExif() error {
	if d.left > maxExif {
		return nil // skipped
	}
	b := make([]byte, d.left)
	if err := d.take(b); err != nil {
		return err
	}
	d.how = readOrientation(b)
	return nil
}

// data is the packed pixels: what all IDAT chunks hold, one after another.
type data struct{ *decoder }

// Read is io.Reader's.
func (d data) Read(b []byte) (int, error) {
	for d.left == 0 {
		if d.kind != "IDAT" {
			return 0, io.EOF
		}
		if err := d.skip(); err != nil {
			return 0, err
		}
		if err := d.next(); err != nil {
			return 0, err
		}
		if d.kind != "IDAT" {
			return 0, io.EOF
		}
	}
	n, err := d.r.Read(b[:min(len(b), d.left)])
	d.left -= n
	d.crc.Write(b[:n])
	if err == io.EOF && d.left > 0 {
		err = io.ErrUnexpectedEOF
	} else if err == io.EOF {
		err = nil
	}
	return n, err
}

// pass is a part of the rows and columns that an interlaced picture has in one
// piece: every dx-th column from x on, every dy-th row from y on.
type pass struct{ x, y, dx, dy int }

// passes are Adam7's.
var passes = []pass{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}

// readPixels unpacks the pixels and adds them up. When it returns, the chunk that
// follows the last IDAT may have begun.
func (d *decoder) readPixels() error {
	z, err := zlib.NewReader(data{d})
	if err != nil {
		return fmt.Errorf("its pixels cannot be unpacked: %w", err)
	}
	bits := channels[d.color] * d.depth
	whole := []pass{{0, 0, 1, 1}}
	if d.interlaced {
		whole = passes
	}
	const before = 8 // zeros to the left of a row: the widest pixel
	size := (d.w*bits + 7) / 8
	row, above := make([]byte, before+size), make([]byte, before+size)
	for _, p := range whole {
		w, h := (d.w-p.x+p.dx-1)/p.dx, (d.h-p.y+p.dy-1)/p.dy
		if w <= 0 || h <= 0 {
			continue
		}
		row, above = row[:before+(w*bits+7)/8], above[:before+(w*bits+7)/8]
		clear(above)
		for y := range h {
			var filter [1]byte
			if _, err := io.ReadFull(z, filter[:]); err != nil {
				return err
			}
			if _, err := io.ReadFull(z, row[before:]); err != nil {
				return err
			}
			if err := unfilter(filter[0], row, above, before, max(bits/8, 1)); err != nil {
				return err
			}
			d.addRow(row[before:], w, p.x, p.dx, p.y+y*p.dy)
			row, above = above, row
		}
	}
	var more [1]byte
	switch n, err := io.ReadFull(z, more[:]); {
	case n > 0:
		return errors.New("it has more pixels than its size says")
	case err != io.EOF: // the checksum is wrong
		return err
	}
	// What is left of the data, up to the next chunk.
	_, err = io.Copy(io.Discard, data{d})
	return err
}

// unfilter turns differences into bytes, in place: to the left, above, their mean,
// or the one of Paeth's three that is nearest to left + above − corner.
func unfilter(filter byte, row, above []byte, first, pixel int) error {
	switch filter {
	case 0:
	case 1:
		for i := first; i < len(row); i++ {
			row[i] += row[i-pixel]
		}
	case 2:
		for i := first; i < len(row); i++ {
			row[i] += above[i]
		}
	case 3:
		for i := first; i < len(row); i++ {
			row[i] += byte((int(row[i-pixel]) + int(above[i])) / 2)
		}
	case 4:
		for i := first; i < len(row); i++ {
			a, b, c := int(row[i-pixel]), int(above[i]), int(above[i-pixel])
			pa, pb, pc := abs(b-c), abs(a-c), abs(a+b-2*c)
			switch {
			case pa <= pb && pa <= pc:
				row[i] += byte(a)
			case pb <= pc:
				row[i] += byte(b)
			default:
				row[i] += byte(c)
			}
		}
	default:
		return fmt.Errorf("a row has filter %d, which no PNG has", filter)
	}
	return nil
}

func abs(v int) int { return max(v, -v) }

// addRow adds w pixels of row y: those at x0, x0 + dx, … .
func (d *decoder) addRow(row []byte, w, x0, dx, y int) {
	n := channels[d.color]
	var c [4]uint32
	for i := range w {
		for k := range n {
			switch d.depth {
			case 16:
				c[k] = uint32(row[2*(i*n+k)])<<8 | uint32(row[2*(i*n+k)+1])
			case 8:
				c[k] = uint32(row[i*n+k])
			default:
				bit := i * d.depth
				c[k] = uint32(row[bit/8]>>(8-d.depth-bit%8)) & (1<<d.depth - 1)
			}
		}
		a := uint32(full)
		if d.keyed && c[0] == d.key[0] && (n == 1 || c[1] == d.key[1] && c[2] == d.key[2]) {
			a = 0
		}
		widen := uint32(1)
		if d.color != indexed {
			widen = full / (1<<d.depth - 1)
		}
		var r, g, b uint32
		switch d.color {
		case grayscale:
			r, g, b = c[0]*widen, c[0]*widen, c[0]*widen
		case truecolor:
			r, g, b = c[0]*widen, c[1]*widen, c[2]*widen
		case indexed:
			p := &d.palette[c[0]]
			r, g, b, a = p[0], p[1], p[2], p[3]
		case grayscaleAlpha:
			r, g, b, a = c[0]*widen, c[0]*widen, c[0]*widen, c[1]*widen
		case truecolorAlpha:
			r, g, b, a = c[0]*widen, c[1]*widen, c[2]*widen, c[3]*widen
		}
		d.sums.add(x0+i*dx, y, r, g, b, a)
	}
}
