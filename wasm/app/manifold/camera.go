package manifold

import (
	"math"

	"mppm/shared/link"
	"mppm/wasm/app/curve"
)

// beside is how much is seen around the curve at zoom 1, in its radii.
const beside = 0.22

// Eye is a camera on a rectangle of w × h pixels.
type Eye struct {
	right, up, toward [3]float64 // the viewer's axes
	middle            [3]float64 // of the curve
	radius            float64
	scale             float64 // pixels in a unit
	w, h              float64
}

// Eye returns the view of the curve on a rectangle of w × h pixels.
func (r *Room) Eye(w, h float64) Eye { return r.eye(r.seen(), w, h) }

// eye returns the view of a shape, which may be nil.
func (r *Room) eye(s *curve.Shape, w, h float64) Eye {
	c := r.s.Figure.Camera
	if r.s.Figure.Flat() {
		c.Azimuth, c.Elevation = 0, 90
	}
	sa, ca := math.Sincos(c.Azimuth * math.Pi / 180)
	se, ce := math.Sincos(c.Elevation * math.Pi / 180)
	e := Eye{
		right:  [3]float64{ca, sa, 0},
		up:     [3]float64{-se * sa, se * ca, ce},
		toward: [3]float64{sa * ce, -ca * ce, se},
		radius: 1, scale: 1, w: w, h: h,
	}
	if s == nil || !(w > 0 && h > 0) {
		return e
	}
	e.middle, e.radius = s.Middle, s.Radius
	wide, high := e.radius, e.radius // whichever way it is turned
	if r.s.Figure.Flat() {
		wide, high = s.Half[0], s.Half[1]
		e.middle[0] += c.X
		e.middle[1] += c.Y
	}
	e.scale = c.Zoom / 2 * min(w/(wide+beside*e.radius), h/(high+beside*e.radius))
	return e
}

// Screen returns where on the rectangle a point is seen, in pixels from its upper
// left corner, and how near it is: 0 in the plane through the curve's middle that
// faces the viewer, 1 a radius in front of it, −1 behind it.
func (e Eye) Screen(x [3]float64) (px, py, near float64) {
	d := curve.Minus(x, e.middle)
	return e.w/2 + curve.Dot(d, e.right)*e.scale, e.h/2 - curve.Dot(d, e.up)*e.scale, curve.Dot(d, e.toward) / e.radius
}

// Place returns the point of the plane through the curve's middle that faces the
// viewer which is seen at a pixel.
func (e Eye) Place(px, py float64) [3]float64 {
	return e.shift(e.middle, px-e.w/2, py-e.h/2)
}

// shift returns the point moved by pixels, in parallel to the screen.
func (e Eye) shift(x [3]float64, dx, dy float64) [3]float64 {
	for k := range x {
		x[k] += (dx*e.right[k] - dy*e.up[k]) / e.scale
	}
	return x
}

// Turn turns the curve by degrees: to the right, and up.
func (r *Room) Turn(right, up float64) {
	if right-right != 0 || up-up != 0 || r.s.Figure.Flat() {
		return
	}
	c := r.s.Figure.Camera
	c.Azimuth -= right
	c.Elevation += up
	r.lookFrom(c)
}

// Pan moves the view of a flat curve along with a drag by (dx, dy) pixels.
func (r *Room) Pan(e Eye, dx, dy float64) {
	if dx-dx != 0 || dy-dy != 0 || !r.s.Figure.Flat() {
		return
	}
	c := r.s.Figure.Camera
	c.X -= dx / e.scale
	c.Y += dy / e.scale
	r.lookFrom(c)
}

// PanShare moves the view of a flat curve by (dx, dy) shares of what is seen: to
// the right, and down.
func (r *Room) PanShare(dx, dy float64) {
	e := r.Eye(1, 1)
	r.Pan(e, -dx, -dy)
}

// Zoom enlarges the curve by a factor.
func (r *Room) Zoom(factor float64) {
	if !(factor > 0) || math.IsInf(factor, 0) {
		return
	}
	c := r.s.Figure.Camera
	c.Zoom *= factor
	r.lookFrom(c)
}

// FirstView shows the curve as at first.
func (r *Room) FirstView() { r.lookFrom(link.FirstCamera()) }

// AtFirstView reports whether the curve is seen as at first.
func (r *Room) AtFirstView() bool { return r.s.Figure.Camera == link.FirstCamera() }

func (r *Room) lookFrom(c link.Camera) {
	if c = c.OnGrain(); c != r.s.Figure.Camera {
		r.s.Figure.Camera = c
		r.s.Touch()
	}
}
