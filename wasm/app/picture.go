package app

import (
	"fmt"
	"image"

	"mppm/shared/center"
	"mppm/shared/link"
	"mppm/shared/model"
)

// MaxPictureSide bounds the edges of pictures that are taken, in pixels: the page
// makes larger ones smaller first.
const MaxPictureSide = 1024

// Offer is a picture that the user brought, as the model would see it,
// model.Pixels bytes, 255 full ink. It is shown before it is taken.
type Offer [model.Pixels]byte

// OfferPicture prepares a picture of w × h pixels, as bytes of red, green, blue
// and alpha, to be taken: light ink on dark or dark on light, scaled and centered
// as the digits of MNIST were. It returns an error if there is no ink to be seen,
// or the picture is too large.
func (a *App) OfferPicture(rgba []byte, w, h int) error {
	if w < 1 || h < 1 || w > MaxPictureSide || h > MaxPictureSide {
		return fmt.Errorf("the picture has %d × %d pixels; give one of 1 to %d along each edge", w, h, MaxPictureSide)
	}
	if len(rgba) != 4*w*h {
		return fmt.Errorf("the picture has %d bytes for %d × %d pixels", len(rgba), w, h)
	}
	gray, _, _ := center.Gray(&image.NRGBA{Pix: rgba, Stride: 4 * w, Rect: image.Rect(0, 0, w, h)})
	x := make([]float32, model.Pixels)
	if err := center.Image(x, gray, w, h); err != nil {
		return err
	}
	a.offer = new(Offer)
	for i, v := range x {
		a.offer[i] = Ink(v)
	}
	a.touch()
	return nil
}

// Offered returns the picture that the user may take, nil if there is none. It
// belongs to the app.
func (a *App) Offered() *Offer { return a.offer }

// DropOffer forgets the picture.
func (a *App) DropOffer() {
	a.offer = nil
	a.touch()
}

// TakeOffer makes the picture the original, without damage: it may be damaged as
// it is.
func (a *App) TakeOffer() {
	if a.offer == nil {
		return
	}
	a.brought = *a.offer
	a.Picture = link.PackPicture(a.brought[:])
	a.offer = nil
	a.Source, a.Kind, a.Severity = Picture, None, 0
	a.recompute(true)
}
