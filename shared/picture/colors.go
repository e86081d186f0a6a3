package picture

import "io"

// Colors is a picture in color: white shows through what is transparent.
type Colors struct {
	FullW, FullH int // the size as it came, upright
	// Red, Green and Blue are the picture in each of them.
	Red, Green, Blue *Picture
}

// DecodeColors is DecodePNG in color.
func DecodeColors(r io.Reader, area int) (*Colors, error) {
	d := decoder{r: r, area: min(area, MaxArea), colored: true}
	if err := d.read(); err != nil {
		return nil, err
	}
	return d.sums.colors(d.how), nil
}

// colors is what the sums show in color, turned.
func (s *sums) colors(how orientation) *Colors {
	var planes [3]*Picture
	for k := range planes {
		p := &Picture{W: s.cw, H: s.ch, FullW: s.w, FullH: s.h, Gray: make([]float32, s.cw*s.ch), Color: s.color, Turned: how != upright}
		for i := range p.Gray {
			n := s.count(i)
			clear := n - float64(s.cover[i])/full
			p.Transparent = p.Transparent || clear > 0
			p.Gray[i] = float32(float64(s.rgb[3*i+k])/(full*full*n) + clear/n)
		}
		planes[k] = how.turn(p)
	}
	return &Colors{planes[0].FullW, planes[0].FullH, planes[0], planes[1], planes[2]}
}
