package restore

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"mppm/shared/center"
	"mppm/shared/ink"
	"mppm/shared/link"
	"mppm/wasm/app/room/roomtest"
)

// paper is a picture of w × h pixels with a dark bar on a light ground, or the
// other way round.
func paper(w, h int, ink, ground byte) []byte {
	rgba := make([]byte, 4*w*h)
	for i := range w * h {
		v := ground
		if x, y := i%w, i/w; x > w/2 && x <= w/2+max(w/10, 1) && y > h/5 && y < h*4/5 {
			v = ink
		}
		copy(rgba[4*i:], []byte{v, v, v, 255})
	}
	return rgba
}

func TestPicture(t *testing.T) {
	a := newPage(t, &roomtest.Engine{})
	a.Settle()
	for name, p := range map[string]struct {
		rgba []byte
		w, h int
	}{
		"dark on light":   {paper(200, 300, 20, 240), 200, 300},
		"light on dark":   {paper(90, 60, 220, 5), 90, 60},
		"nearly as small": {paper(30, 28, 255, 0), 30, 28},
	} {
		roomtest.Must(t, a.Room.OfferPicture(p.rgba, p.w, p.h))
		o := a.Room.Offered().Ink
		if a.Room.original[14*roomtest.Side+3] > 0.1 {
			t.Fatal("a picture was taken before it was shown")
		}
		// A bar in the middle, from top to bottom of the frame, and nothing beside.
		if o[14*roomtest.Side+14] < 200 && o[14*roomtest.Side+13] < 200 || o[14*roomtest.Side+3] > 20 || o[1*roomtest.Side+14] > 20 || o[6*roomtest.Side+13] < 100 && o[6*roomtest.Side+14] < 100 {
			t.Errorf("%s: the bar is not where MNIST has it", name)
		}
		a.Room.TakeOffer()
		a.Settle()
		if a.Source != link.Picture || a.Room.Label() != -1 || a.Room.Offered() != nil || a.Kind != link.None || a.Room.Original()[14*roomtest.Side+3] > 0.1 {
			t.Errorf("%s: after taking it: source %q, label %d", name, a.Source, a.Room.Label())
		}
		roomtest.Must(t, a.Room.SetKind("gaussian"))
		a.Settle()
		// A link brings the same picture.
		b := newPage(t, &roomtest.Engine{})
		b.State = a.State
		roomtest.Must(t, b.Room.Open(&link.Link{State: a.State, Step: -1}))
		b.Settle()
		if !slices.Equal(b.Room.Original(), a.Room.Original()) || !slices.Equal(b.Room.Degraded(), a.Room.Degraded()) {
			t.Errorf("%s: the link brings another picture", name)
		}
	}
	was := a.State
	for name, err := range map[string]error{
		"blank":     a.Room.OfferPicture(paper(40, 40, 200, 200), 40, 40),
		"too large": a.Room.OfferPicture(nil, MaxPictureSide+1, 1),
		"no pixels": a.Room.OfferPicture(nil, 0, 0),
		"too few":   a.Room.OfferPicture(make([]byte, 7), 2, 2),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if a.State != was {
		t.Error("a refusal changed the state")
	}
	roomtest.Must(t, a.Room.OfferPicture(paper(90, 60, 220, 5), 90, 60))
	a.Room.DropOffer()
	if a.Room.TakeOffer(); a.State != was {
		t.Error("a picture that was left was taken")
	}
	// Drawing on a picture starts on an empty pad.
	a.Room.PenDown(14, 14, 1)
	if a.Source != link.Drawing {
		t.Error("one cannot draw")
	}
}

// TestLookAgain: a picture that is offered says what was done to it, is looked at in
// another way as it is told, and can be taken only while there is something.
func TestLookAgain(t *testing.T) {
	a := newPage(t, &roomtest.Engine{})
	a.Settle()
	a.Room.LookAgain(func(l *Look) { l.Quarters = 1 }) // there is none
	if a.Room.Offered() != nil {
		t.Fatal("a picture came from nowhere")
	}
	roomtest.Must(t, a.Room.OfferPicture(paper(200, 300, 20, 240), 200, 300))
	first := a.Room.Offered()
	if first.Words != "Inverted, centered." || first.Found == nil || first.Shown.W != 200 || first.Empty {
		t.Errorf("%q, found %v, %d wide, empty %v", first.Words, first.Found != nil, first.Shown.W, first.Empty)
	}
	a.Room.LookAgain(func(l *Look) { l.Quarters++ })
	if o := a.Room.Offered(); o == first || o.Shown.W != 300 || bytes.Equal(o.Ink, first.Ink) {
		t.Error("the picture was not turned")
	}
	a.Room.LookAgain(func(l *Look) { l.Quarters--; l.Ink = ink.Light })
	if o := a.Room.Offered(); !o.Empty || !strings.Contains(o.Words, "page is empty") {
		t.Errorf("light ink on light paper: %q", o.Words)
	}
	was := a.State
	if a.Room.TakeOffer(); a.State != was || a.Room.Offered() == nil {
		t.Error("nothing was taken as a picture")
	}
	a.Room.LookAgain(func(l *Look) { *l = Look{Center: center.Never} })
	if o := a.Room.Offered(); o.Words != "Scaled to fit." || o.Found != nil {
		t.Errorf("left alone: %q", o.Words)
	}
	a.Room.LookAgain(func(l *Look) { *l = Look{} })
	if o := a.Room.Offered(); !bytes.Equal(o.Ink, first.Ink) {
		t.Error("the first look gives another digit")
	}
	a.Room.TakeOffer()
	a.Settle()
	if a.Source != link.Picture || a.Room.Offered() != nil {
		t.Error("the picture was not taken")
	}
	// What is as MNIST's stays as it is, to the bit.
	rgba := make([]byte, 4*roomtest.Pixels)
	for i := range roomtest.Pixels {
		var v byte
		if x, y := i%roomtest.Side, i/roomtest.Side; y >= 4 && y < 24 && x >= 13 && x <= 14 {
			v = byte(150 + 5*y)
		}
		copy(rgba[4*i:], []byte{v, v, v, 255})
	}
	roomtest.Must(t, a.Room.OfferPicture(rgba, roomtest.Side, roomtest.Side))
	for i, v := range a.Room.Offered().Ink {
		if v != rgba[4*i] {
			t.Fatalf("pixel %d of a digit of MNIST became %d, was %d", i, v, rgba[4*i])
		}
	}
	if w := a.Room.Offered().Words; !strings.Contains(w, "as it is") {
		t.Errorf("of a digit of MNIST, it says %q", w)
	}
}
