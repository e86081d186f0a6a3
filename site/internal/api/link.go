package api

import (
	"embed"
	"fmt"
	"strings"

	"mppm/shared/link"
	"mppm/shared/stroke"
)

// sharePath is the path of links that are passed around.
const sharePath = "/s"

// curveNames are the curves in a sentence.
var curveNames = map[link.Curve]string{
	link.HalfCircle: "a half circle",
	link.Spiral:     "a spiral",
	link.Moons:      "two moons",
	link.Trefoil:    "a trefoil knot",
}

// curvePictures are the figures that the page first shows of each curve, as PNG
// files: to compute those of a link, the program would have to hold the curves'
// models too. `go run ./site/shots -docs -only curve` makes them.
//
//go:embed curve-*.png
var curvePictures embed.FS

// linkParams are the fields of a link: of the page's address, behind its "#".
func linkParams(p *link.Page) []param {
	var list []param
	for _, f := range p.Fields() {
		f.Length = min(f.Length, MaxAddress)
		list = append(list, param{f, f.Name})
	}
	return list
}

// first returns a link to the first screen of a mode.
func (a *API) first(m link.Mode) *link.Link {
	l, _ := a.page.Read()
	l.Mode = m
	return &l
}

// grows reports whether a link shows digits from noise; else it shows one
// restored, or a curve.
func grows(l *link.Link) bool { s := l.Subject(); return s == link.Growth || s == link.Walk }

// original returns the image that a link restores.
func (a *API) original(l *link.Link) ([]float32, error) {
	x := make([]float32, a.image.Size())
	switch l.Source {
	case link.Drawing:
		strokes, err := stroke.Decode(l.Drawing)
		if err != nil {
			return nil, err
		}
		stroke.Center(x, strokes)
	case link.Picture:
		ink, err := a.page.UnpackPicture(l.State.Picture)
		if err != nil {
			return nil, err
		}
		for i, v := range ink {
			x[i] = float32(v) / 255
		}
	default:
		a.digits.image(x, l.State.Digit)
	}
	return x, nil
}

// damaged returns an image as a link damages it.
func (a *API) damaged(l *link.Link, original []float32) ([]float32, error) {
	x := make([]float32, len(original))
	return x, l.Damaged(x, original, a.image.W, a.image.H)
}

// words says what a link shows.
func (a *API) words(l *link.Link) (title, description string) {
	if l.Subject() == link.Descent && l.Figure.Curve == link.Own {
		return "mppm: a curve drawn by hand", "Strokes that somebody drew. Small networks learn them while you watch, in your browser, and take any point home to them."
	}
	if l.Subject() == link.Descent {
		return "mppm: a manifold one can see", fmt.Sprintf("Drop a point beside %s, and three methods take it home. Watch them, step by step, in your browser.", curveNames[l.Figure.Curve])
	}
	world := ""
	if gone := without(l); gone != "" && (l.Class == link.Any || !grows(l)) {
		world = ", in a world without " + gone
	}
	if grows(l) {
		what := "digits"
		if l.Class != link.Any {
			what = fmt.Sprintf("%ds", l.Class)
		}
		if l.Like != "" {
			return "mppm: more digits like this one", "Around one digit in the latent space there are others. Watch them grow, in your browser."
		}
		return "mppm: " + what + " grown from noise" + world, fmt.Sprintf("Random points (seed %d) walk to where %s are. Watch them, step by step, in your browser.", l.GenerateSeed, what)
	}
	what := "A " + string(l.Source)
	if l.Source == link.Digit {
		what = fmt.Sprintf("A handwritten %d", a.digits.labels[l.State.Digit])
	}
	if l.Kind == link.None {
		return "mppm: back to the manifold", what + " walks to the nearest digits" + world + ". Watch it, step by step, in your browser."
	}
	return "mppm: a damaged digit walks back", fmt.Sprintf("%s under damage (%s, %v) is restored by a small network%s. Watch it, step by step, in your browser.", what, strings.ToLower(link.Find(l.Kind).Label), l.Severity, world)
}

// without says which classes are forgotten, as "1s and 7s"; "" if none are.
func without(l *link.Link) string {
	var b strings.Builder
	gone := l.Memory.Forgotten()
	for i, class := range gone {
		switch {
		case i > 0 && i == len(gone)-1:
			b.WriteString(" and ")
		case i > 0:
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%ds", class)
	}
	return b.String()
}
