package main

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/png"
	"slices"
)

// shade is a color of a picture, and how many pixels have it.
type shade struct {
	rgb   [3]byte
	count int
}

// reduce returns a PNG in so many colors, 256 at most, that suit it best, each pixel in the one
// nearest to its own. The same picture gives the same bytes.
func reduce(data []byte, colors int) ([]byte, error) {
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	b := img.Bounds()
	at := func(x, y int) [3]byte {
		c := color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)
		return [3]byte{c.R, c.G, c.B}
	}
	counts := map[[3]byte]int{}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			counts[at(x, y)]++
		}
	}
	p := medianCut(counts, colors)
	out := image.NewPaletted(b, p)
	nearest := map[[3]byte]byte{}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := at(x, y)
			i, ok := nearest[c]
			if !ok {
				i = byte(p.Index(color.RGBA{c[0], c[1], c[2], 255}))
				nearest[c] = i
			}
			out.SetColorIndex(x, y, i)
		}
	}
	var w bytes.Buffer
	e := png.Encoder{CompressionLevel: png.BestCompression}
	if err := e.Encode(&w, out); err != nil {
		return nil, err
	}
	return w.Bytes(), nil
}

// medianCut returns at most n colors for a picture: boxes of colors are halved,
// always the one whose colors are the farthest apart for how many pixels have
// them, and each gives its mean (Heckbert 1982).
func medianCut(counts map[[3]byte]int, n int) color.Palette {
	var all []shade
	for c, count := range counts {
		all = append(all, shade{c, count})
	}
	slices.SortFunc(all, func(a, b shade) int { return slices.Compare(a.rgb[:], b.rgb[:]) })
	boxes := [][]shade{all}
	for len(boxes) < n {
		widest, axis, most := -1, 0, 0.0
		for i, box := range boxes {
			if k, spread := spread(box); spread > most {
				widest, axis, most = i, k, spread
			}
		}
		if widest < 0 {
			break // every box is of one color
		}
		lo, hi := halve(boxes[widest], axis)
		boxes[widest] = lo
		boxes = append(boxes, hi)
	}
	p := make(color.Palette, len(boxes))
	for i, box := range boxes {
		p[i] = mean(box)
	}
	return p
}

// spread returns the axis along which the colors of a box vary the most, and how
// much: the sum of squares about their mean.
func spread(box []shade) (axis int, most float64) {
	for k := range 3 {
		var n, sum, squares float64
		for _, s := range box {
			v, c := float64(s.rgb[k]), float64(s.count)
			n, sum, squares = n+c, sum+c*v, squares+c*v*v
		}
		if v := squares - sum*sum/n; len(box) > 1 && v > most {
			axis, most = k, v
		}
	}
	return axis, most
}

// halve parts a box of at least two colors at the mean along an axis.
func halve(box []shade, axis int) (lo, hi []shade) {
	slices.SortStableFunc(box, func(a, b shade) int { return cmp.Compare(a.rgb[axis], b.rgb[axis]) })
	n, sum := 0, 0
	for _, s := range box {
		n, sum = n+s.count, sum+s.count*int(s.rgb[axis])
	}
	cut := 1
	for cut < len(box)-1 && int(box[cut].rgb[axis])*n <= sum {
		cut++
	}
	return box[:cut], box[cut:]
}

// mean returns the mean color of a box.
func mean(box []shade) color.RGBA {
	var n int
	var sum [3]int
	for _, s := range box {
		n += s.count
		for k, v := range s.rgb {
			sum[k] += s.count * int(v)
		}
	}
	return color.RGBA{byte((sum[0] + n/2) / n), byte((sum[1] + n/2) / n), byte((sum[2] + n/2) / n), 255}
}
