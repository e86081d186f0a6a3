package picture

import "encoding/binary"

// orientation says what has to be done to a picture to set it upright, as Exif
// 2.32 numbers it (tag 0x0112).
type orientation int

const (
	upright orientation = iota + 1
	mirrored
	around
	flipped
	transposed
	right
	transversed
	left
)

// orientationTag is where Exif says it.
const orientationTag = 0x0112

// readOrientation finds the orientation in Exif data, which is a TIFF file. What
// cannot be read says nothing: the picture is shown as it is, as browsers do.
func readOrientation(b []byte) orientation {
	if len(b) < 8 {
		return upright
	}
	var order binary.ByteOrder
	switch string(b[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return upright
	}
	at := uint64(order.Uint32(b[4:]))
	if at+2 > uint64(len(b)) {
		return upright
	}
	n := int(order.Uint16(b[at:]))
	for entry := b[at+2:]; n > 0 && len(entry) >= 12; n, entry = n-1, entry[12:] {
		const short = 3
		if order.Uint16(entry) != orientationTag || order.Uint16(entry[2:]) != short || order.Uint32(entry[4:]) != 1 {
			continue
		}
		if o := orientation(order.Uint16(entry[8:])); o >= upright && o <= left {
			return o
		}
	}
	return upright
}

// Orientation returns what Exif data, a TIFF file, says of how a picture lies: 1,
// upright, to 8, as Exif numbers it. What cannot be read lies upright.
func Orientation(exif []byte) int { return int(readOrientation(exif)) }

// turn sets a picture upright.
func (o orientation) turn(p *Picture) *Picture {
	if o == upright {
		return p
	}
	w, h := p.W, p.H
	src := p.Gray
	if o >= transposed {
		p.W, p.H, p.FullW, p.FullH = h, w, p.FullH, p.FullW
	}
	p.Gray = make([]float32, len(src))
	for y := range h {
		for x := range w {
			u, v := x, y // where it goes
			switch o {
			case mirrored:
				u = w - 1 - x
			case around:
				u, v = w-1-x, h-1-y
			case flipped:
				v = h - 1 - y
			case transposed:
				u, v = y, x
			case right:
				u, v = h-1-y, x
			case transversed:
				u, v = h-1-y, w-1-x
			case left:
				u, v = y, w-1-x
			}
			p.Gray[v*p.W+u] = src[y*w+x]
		}
	}
	return p
}
