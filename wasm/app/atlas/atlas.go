// Package atlas is the plane of the map with the codes of clean images on it, and D
// there.
package atlas

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"mppm/shared/project"
	"mppm/wasm/app/model"
)

// Atlas is the plane with the codes of clean images on it. It is immutable.
type Atlas struct {
	Plane  *project.Plane
	Codes  []float32 // one after the other
	Labels []uint8   // their classes
	latent int       // numbers of a code
	Survey
}

// Survey is what it takes time to find out of an atlas.
type Survey struct {
	At      [][2]float32 // the places of the codes
	Centers [][2]float32 // of the classes, in their order; (0, 0) for one that has no code
	X, Y    float64      // the middle of all places
	W, H    float64      // all places lie within half of these of it
	Highest float32      // D somewhere on the plane, at most
}

// margin is what the map has around the codes, as a share of what they take.
const margin = 0.06

// Of returns the atlas of an engine's codes that was surveyed before.
func Of(e model.Engine, s Survey) (*Atlas, error) {
	t, err := blank(e)
	if err != nil {
		return nil, err
	}
	if len(s.At) != len(t.Labels) {
		return nil, fmt.Errorf("the map is of %d codes; the model has %d", len(s.At), len(t.Labels))
	}
	t.Survey = s
	return t, nil
}

// blank returns an atlas without places.
func blank(e model.Engine) (*Atlas, error) {
	t := &Atlas{latent: e.Latent()}
	t.Codes, t.Labels = e.Bank()
	if len(t.Labels) == 0 {
		return nil, errors.New("the weights name no classes: there is no map of them")
	}
	if t.Plane = e.Plane(); t.Plane == nil { // weights of before name none
		var err error
		if t.Plane, err = project.Widest(t.Codes, t.latent); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// New returns the atlas of an engine's codes. It returns an error if they have no
// classes, or all lie on one line.
func New(e model.Engine) (*Atlas, error) {
	t, err := blank(e)
	if err != nil {
		return nil, err
	}
	t.At = make([][2]float32, len(t.Labels))
	lo, hi := [2]float32{math.MaxFloat32, math.MaxFloat32}, [2]float32{-math.MaxFloat32, -math.MaxFloat32}
	classes := int(slices.Max(t.Labels)) + 1
	count := make([]float32, classes)
	t.Centers = make([][2]float32, classes)
	for i := range t.At {
		p := &t.At[i]
		p[0], p[1] = t.Plane.Shadow(t.Code(i))
		for k := range p {
			lo[k], hi[k] = min(lo[k], p[k]), max(hi[k], p[k])
		}
		l := t.Labels[i]
		count[l]++
		t.Centers[l][0] += p[0]
		t.Centers[l][1] += p[1]
	}
	for l, n := range count {
		if n > 0 {
			t.Centers[l][0] /= n
			t.Centers[l][1] /= n
		}
	}
	t.X, t.Y = float64(lo[0]+hi[0])/2, float64(lo[1]+hi[1])/2
	t.W, t.H = float64(hi[0]-lo[0])*(1+margin), float64(hi[1]-lo[1])*(1+margin)
	if !(t.W > 0 && t.H > 0) {
		return nil, errors.New("all codes lie on one line: there is no map of them")
	}
	// D at the edges of the map bounds the scale of its colors.
	const n = 12
	d, x := make([]float32, n*n), make([]float64, n)
	for i := range x {
		x[i] = t.X + t.W*(float64(i)/(n-1)-0.5)
	}
	for i := range n {
		t.Distances(e, d[i*n:(i+1)*n], x, t.Y+t.H*(float64(i)/(n-1)-0.5))
	}
	t.Highest = slices.Max(d)
	return t, nil
}

// Code returns code i. It belongs to the atlas.
func (t *Atlas) Code(i int) []float32 { return t.Codes[i*t.latent:][:t.latent] }

// Around is of how many codes the map averages D at a place.
const Around = 8

// Distances writes to d how far from clean codes D judges places of the plane to
// be, all at the height y: the mean of D at codes that have their shadow there,
// namely those of the nearest dots, moved there in parallel to the plane. (The plane
// itself, or any other slice of the space, misses nearly all codes.)
func (t *Atlas) Distances(e model.Engine, d []float32, x []float64, y float64) {
	n := min(Around, len(t.At))
	z := make([]float32, len(x)*n*t.latent)
	near, d2 := make([]int, n), make([]float32, n)
	for i, x := range x {
		px, py := float32(x), float32(y)
		t.closest(near, d2, px, py)
		for k, code := range near {
			at := t.At[code]
			to := z[(i*n+k)*t.latent:][:t.latent]
			t.Plane.Shift(to, t.Code(code), px-at[0], py-at[1])
		}
	}
	each := make([]float32, len(x)*n)
	e.Distance(each, nil, z)
	for i := range d {
		d[i] = 0
		for _, v := range each[i*n : (i+1)*n] {
			d[i] += v / float32(n)
		}
	}
}

// closest fills near with the codes whose places are nearest, the nearest first, and
// d2, as long, with the squares of how far they are.
func (t *Atlas) closest(near []int, d2 []float32, x, y float32) {
	for i := range d2 {
		d2[i] = math.MaxFloat32
	}
	for k, p := range t.At {
		dx, dy := p[0]-x, p[1]-y
		q := float32(dx*dx) + float32(dy*dy)
		i := len(d2)
		for ; i > 0 && d2[i-1] > q; i-- {
			if i < len(d2) {
				near[i], d2[i] = near[i-1], d2[i-1]
			}
		}
		if i < len(d2) {
			near[i], d2[i] = k, q
		}
	}
}

// Nearest returns the code whose place is nearest, and how far it is.
func (t *Atlas) Nearest(x, y float32) (i int, d float32) {
	var near [1]int
	var d2 [1]float32
	t.closest(near[:], d2[:], x, y)
	return near[0], float32(math.Sqrt(float64(d2[0])))
}
