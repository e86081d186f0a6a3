package app

import (
	"strings"
	"testing"

	"mppm/shared/center"
	"mppm/shared/ink"
	"mppm/shared/latent"
)

// TestLookAgain: a picture that is offered says what was done to it, is looked at in
// another way as it is told, and can be taken only while there is something.
func TestLookAgain(t *testing.T) {
	a := newApp(t, &fake{})
	settle(t, a)
	a.LookAgain(func(l *Look) { l.Quarters = 1 }) // there is none
	if a.Offered() != nil {
		t.Fatal("a picture came from nowhere")
	}
	must(t, a.OfferPicture(paper(200, 300, 20, 240), 200, 300))
	first := a.Offered()
	if first.Words != "Inverted, centered." || first.Found == nil || first.Shown.W != 200 || first.Empty {
		t.Errorf("%q, found %v, %d wide, empty %v", first.Words, first.Found != nil, first.Shown.W, first.Empty)
	}
	a.LookAgain(func(l *Look) { l.Quarters++ })
	if o := a.Offered(); o == first || o.Shown.W != 300 || o.Ink == first.Ink {
		t.Error("the picture was not turned")
	}
	a.LookAgain(func(l *Look) { l.Quarters--; l.Ink = ink.Light })
	if o := a.Offered(); !o.Empty || !strings.Contains(o.Words, "page is empty") {
		t.Errorf("light ink on light paper: %q", o.Words)
	}
	was := a.State
	if a.TakeOffer(); a.State != was || a.Offered() == nil {
		t.Error("nothing was taken as a picture")
	}
	a.LookAgain(func(l *Look) { *l = Look{Center: center.Never} })
	if o := a.Offered(); o.Words != "Scaled to fit." || o.Found != nil {
		t.Errorf("left alone: %q", o.Words)
	}
	a.LookAgain(func(l *Look) { *l = Look{} })
	if o := a.Offered(); o.Ink != first.Ink {
		t.Error("the first look gives another digit")
	}
	a.TakeOffer()
	settle(t, a)
	if a.Source != Picture || a.Offered() != nil {
		t.Error("the picture was not taken")
	}
	// What is as MNIST's stays as it is, to the bit.
	rgba := make([]byte, 4*latent.Pixels)
	for i := range latent.Pixels {
		var v byte
		if x, y := i%latent.Side, i/latent.Side; y >= 4 && y < 24 && x >= 13 && x <= 14 {
			v = byte(150 + 5*y)
		}
		copy(rgba[4*i:], []byte{v, v, v, 255})
	}
	must(t, a.OfferPicture(rgba, latent.Side, latent.Side))
	for i, v := range a.Offered().Ink {
		if v != rgba[4*i] {
			t.Fatalf("pixel %d of a digit of MNIST became %d, was %d", i, v, rgba[4*i])
		}
	}
	if w := a.Offered().Words; !strings.Contains(w, "as it is") {
		t.Errorf("of a digit of MNIST, it says %q", w)
	}
}
