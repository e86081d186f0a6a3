package restore

import (
	"fmt"
	"strings"

	"mppm/shared/center"
	"mppm/shared/ink"
	"mppm/shared/link"
	"mppm/shared/picture"
	"mppm/wasm/app/timeline"
)

// MaxPictureSide bounds the edges of pictures that are taken, in pixels: the page
// makes larger ones smaller first.
const MaxPictureSide = 1024

// Offer is a picture that the user brought, and the digit that was found in it. It
// is shown, and may be corrected, before it is taken.
type Offer struct {
	Ink   []byte           // as the model would see it, 255 full ink
	Found *ink.Found       // in Shown; nil where nothing was looked for, or found
	Shown *picture.Picture // the picture, turned as the user has it
	Words string           // what was done, or why nothing is offered
	Empty bool             // there is nothing to take
	Dark  bool             // the ink was darker than the paper
	Look  Look
}

// Look is how the user has a picture looked at.
type Look struct {
	Center    center.How
	Ink       ink.Kind
	Threshold float64 // 0: chosen
	Quarters  int     // turns, clockwise
}

// OfferPicture prepares a picture of w × h pixels, as bytes of red, green, blue
// and alpha, to be taken, as package center says. It returns an error if there is
// no ink to be seen, or the picture is too large.
func (r *Room) OfferPicture(rgba []byte, w, h int) error {
	if w < 1 || h < 1 || w > MaxPictureSide || h > MaxPictureSide {
		return fmt.Errorf("the picture has %d × %d pixels; give one of 1 to %d along each edge", w, h, MaxPictureSide)
	}
	p, err := picture.FromNRGBA(rgba, w, h)
	if err != nil {
		return err
	}
	o, err := r.look(p, Look{Center: center.Auto, Ink: ink.Auto})
	if err != nil {
		return err
	}
	r.bring, r.offer = p, o
	r.s.Touch()
	return nil
}

// look finds the digit of a picture. For a model of other images it cuts the square out of
// its middle.
func (r *Room) look(p *picture.Picture, l Look) (*Offer, error) {
	o := &Offer{Ink: make([]byte, r.s.Pixels()), Look: l, Shown: p.Quarter(l.Quarters)}
	x := make([]float32, len(o.Ink))
	if !r.s.About.Digits {
		r.cut(o, x)
		return o, nil
	}
	done, found, err := center.Digit(x, o.Shown, center.Options{Center: l.Center, Options: ink.Options{Ink: l.Ink, Threshold: l.Threshold}})
	if err != nil {
		return o, err
	}
	o.Found, o.Dark = found, done.Inverted
	o.Words = capital(done.String()) + "."
	if len(done.Words()) == 0 {
		o.Words = "Taken as it is: it is as MNIST's digits are."
	}
	for i, v := range x {
		o.Ink[i] = timeline.Ink(v)
	}
	return o, nil
}

// cut offers the square in the middle of a picture, as light on dark as the model's own
// images are, or as the user says that its ink is.
func (r *Room) cut(o *Offer, x []float32) {
	side := r.s.Engine.Image().W
	center.SquareGray(x, o.Shown, side)
	switch o.Look.Ink {
	case ink.Dark:
		o.Dark = true
	case ink.Auto:
		own := make([]float32, len(x))
		r.digits.Image(own, 0)
		o.Dark = (edge(x, side) > 0.5) != (edge(own, side) > 0.5)
	}
	o.Words = fmt.Sprintf("Cut to the square in the middle, scaled to %d × %d", side, side)
	if o.Dark {
		o.Words += ", inverted"
	}
	o.Words += "."
	for i, v := range x {
		if o.Dark {
			v = 1 - v
		}
		o.Ink[i] = timeline.Ink(v)
	}
}

// edge returns the mean of the pixels at the edges of an image of side × side.
func edge(x []float32, side int) float32 {
	var sum float32
	for i := range side {
		sum += x[i] + x[(side-1)*side+i] + x[i*side] + x[i*side+side-1]
	}
	return sum / float32(4*side)
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// LookAgain looks for the digit of the picture that is offered in another way. One
// in which nothing is found stays, with the reason, so that it can be looked at yet
// again.
func (r *Room) LookAgain(change func(*Look)) {
	if r.offer == nil {
		return
	}
	l := r.offer.Look
	change(&l)
	o, err := r.look(r.bring, l)
	if err != nil {
		o.Empty, o.Words = true, capital(err.Error())+"."
	}
	r.offer = o
	r.s.Touch()
}

// Offered returns the picture that the user may take, nil if there is none. It
// belongs to the room, and is another one after every change.
func (r *Room) Offered() *Offer { return r.offer }

// DropOffer forgets the picture.
func (r *Room) DropOffer() {
	r.bring, r.offer = nil, nil
	r.s.Touch()
}

// TakeOffer makes the picture the original, without damage: it may be damaged as
// it is. Where there is nothing to take, it does nothing.
func (r *Room) TakeOffer() {
	if r.offer == nil || r.offer.Empty {
		return
	}
	r.brought = r.offer.Ink
	r.s.Picture = link.PackPicture(r.brought)
	r.bring, r.offer = nil, nil
	r.s.Source, r.s.Kind, r.s.Severity = link.Picture, link.None, 0
	r.recompute(true)
}
