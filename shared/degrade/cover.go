package degrade

import (
	"math"

	"mppm/shared/rng"
)

// missing blackens a share of the pixels of p, w×h with c channels, in squares that
// lie wholly inside.
func missing(p []float32, w, h, c int, share float64, r *rng.Source) {
	left := int(float64(share*float64(w*h)) + .5)
	side := max(1, min(w, h)/8)
	gone := make([]bool, w*h)
	for left > 0 {
		x0, y0 := r.IntN(w-side+1), r.IntN(h-side+1)
		for y := y0; y < y0+side; y++ {
			for x := x0; x < x0+side; x++ {
				if i := y*w + x; !gone[i] && left > 0 {
					gone[i] = true
					clear(p[i*c : (i+1)*c])
					left--
				}
			}
		}
	}
}

type point struct{ x, y float64 }

// scribble draws n strokes over p, w×h with c channels.
func scribble(p []float32, w, h, c, n int, r *rng.Source) {
	cover, color := make([]float64, w*h), make([]float64, c)
	for range n {
		for k := range color {
			color[k] = r.Float64()
		}
		clear(cover)
		stroke(cover, w, h, curve(w, h, r), scaleOf(w, h)/2)
		for i, share := range cover {
			if share > 0 {
				for k, to := range color {
					v := float64(p[i*c+k])
					p[i*c+k] = float32(v + float64(share*(to-v)))
				}
			}
		}
	}
}

// curve returns the control points of a Bézier curve. Each of its three legs
// turns from the one before by at most about 50 degrees.
func curve(w, h int, r *rng.Source) [4]point {
	var c [4]point
	c[0] = point{r.Float64() * float64(w), r.Float64() * float64(h)}
	leg := float64(min(w, h)) * (.25 + float64(.25*r.Float64())) / 3
	// Two normal numbers point in every direction alike.
	d := unit(point{r.Norm(), r.Norm()})
	for i := 1; i < 4; i++ {
		c[i] = point{c[i-1].x + float64(leg*d.x), c[i-1].y + float64(leg*d.y)}
		turn := float64(2.4*r.Float64()) - 1.2
		d = unit(point{d.x - float64(turn*d.y), d.y + float64(turn*d.x)})
	}
	return c
}

func unit(p point) point {
	n := math.Sqrt(float64(p.x*p.x) + float64(p.y*p.y))
	if n == 0 { // once in 2^106 draws
		return point{1, 0}
	}
	return point{p.x / n, p.y / n}
}

// stroke raises cover to how much of each pixel the curve covers, drawn with a
// round pen of that radius: 1 up to half a pixel inside its edge, 0 from half a
// pixel outside, linear between.
func stroke(cover []float64, w, h int, c [4]point, radius float64) {
	// Two chords a pixel of the control polygon, which is no shorter than the
	// curve.
	length := 0.0
	for i := range 3 {
		dx, dy := c[i+1].x-c[i].x, c[i+1].y-c[i].y
		length += math.Sqrt(float64(dx*dx) + float64(dy*dy))
	}
	n := int(2*length) + 1
	a := c[0]
	reach := radius + .5
	for i := 1; i <= n; i++ {
		b := bezier(c, float64(i)/float64(n))
		x0, x1 := max(0, int(min(a.x, b.x)-reach)), min(w-1, int(max(a.x, b.x)+reach))
		y0, y1 := max(0, int(min(a.y, b.y)-reach)), min(h-1, int(max(a.y, b.y)+reach))
		for y := y0; y <= y1; y++ {
			for x := x0; x <= x1; x++ {
				d := distance(point{float64(x) + .5, float64(y) + .5}, a, b)
				i := y*w + x
				cover[i] = max(cover[i], min(1, reach-d))
			}
		}
		a = b
	}
}

// bezier is the point of the curve at t, by de Casteljau's halving.
func bezier(c [4]point, t float64) point {
	for n := 3; n > 0; n-- {
		for i := range n {
			c[i].x += float64(t * (c[i+1].x - c[i].x))
			c[i].y += float64(t * (c[i+1].y - c[i].y))
		}
	}
	return c[0]
}

// distance is that of p from the segment from a to b.
func distance(p, a, b point) float64 {
	dx, dy := b.x-a.x, b.y-a.y
	px, py := p.x-a.x, p.y-a.y
	t := 0.0
	if n := float64(dx*dx) + float64(dy*dy); n > 0 {
		t = min(max((float64(px*dx)+float64(py*dy))/n, 0), 1)
	}
	px -= float64(t * dx)
	py -= float64(t * dy)
	return math.Sqrt(float64(px*px) + float64(py*py))
}
