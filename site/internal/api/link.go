package api

import (
	"embed"
	"fmt"
	"math"
	"net/http"
	"strings"

	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/link"
	"mppm/shared/rng"
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
		list = append(list, param{Field: f})
	}
	return list
}

// damageParams are the fields of a link that say what is done to an image before
// it is restored; first is the damage where none is named.
func damageParams(p *link.Page, first degrade.Kind) []param {
	list := fields(p, "damage", "severity", "seed")
	list[0].First = string(first)
	return list
}

// flowParams are the fields of a link that change one of two flows.
func flowParams(p *link.Page, of link.Mode) []param {
	var list []param
	for _, d := range link.Dials() {
		f := p.Field(string(of) + "-" + string(d.Parameter))
		f.First = "" // a preset may be named
		list = append(list, param{Field: f})
	}
	return list
}

func fields(p *link.Page, names ...string) []param {
	var list []param
	for _, name := range names {
		list = append(list, param{Field: p.Field(name)})
	}
	return list
}

// flowOf returns a flow with what a query changes of it.
func flowOf(q query, of link.Mode, p latent.Preset) (latent.Preset, error) {
	for _, d := range link.Dials() {
		if name := string(of) + "-" + string(d.Parameter); q.given[name] {
			p = link.With(p, d.Parameter, q.number(name))
		}
	}
	p = p.Widened()
	if err := p.Validate(); err != nil {
		return p, problemf(http.StatusBadRequest, "%v", err)
	}
	return p, nil
}

// scene is what a link shows.
type scene struct {
	curve link.Curve // and nothing else of this; "" for digits
	grown bool       // digits from noise; else a digit restored

	original []float32 // latent.Pixels
	source   link.Source
	label    int                 // class of the test digit
	damage   degrade.Degradation // of kind "none" where there is none
	seed     uint64              // of the damage, or of the noise
	class    int                 // the only one that grows, or link.Any
	like     []float32           // the code that digits grow around; nil: noise
	flow     latent.Preset
}

// scene returns what a link shows.
func (a *API) scene(l link.Link) (*scene, error) {
	subject := l.Subject()
	if subject == link.Descent {
		return &scene{curve: l.Figure.Curve}, nil
	}
	if subject == link.Growth || subject == link.Walk {
		s := &scene{grown: true, class: l.Class, seed: l.GenerateSeed, flow: l.GenerateFlow.Widened()}
		return s, a.readLike(s, l.Like)
	}
	s := &scene{class: link.Any, seed: l.Seed, flow: l.RestoreFlow.Widened(), damage: degrade.Degradation{Kind: l.Kind, Severity: l.Severity}}
	s.original = make([]float32, latent.Pixels)
	switch s.source = l.Source; l.Source {
	case link.Drawing:
		strokes, err := stroke.Decode(l.Drawing)
		if err != nil {
			return nil, err
		}
		stroke.Center(s.original, strokes)
	case link.Picture:
		ink, err := a.page.UnpackPicture(l.State.Picture)
		if err != nil {
			return nil, err
		}
		for i, v := range ink {
			s.original[i] = float32(v) / 255
		}
	default:
		a.digits.image(s.original, l.State.Digit)
		s.label = int(a.digits.labels[l.State.Digit])
	}
	return s, nil
}

// readLike reads the code that digits grow around, none where it is "".
func (a *API) readLike(s *scene, text string) (err error) {
	if text != "" {
		if s.like, err = a.page.UnpackCode(text); err != nil {
			return problemf(http.StatusBadRequest, "like=%s: %v", clip(text), err)
		}
	}
	return nil
}

// readDamage reads a damage whose fields are in range each by itself.
func (s *scene) readDamage(q query) error {
	s.seed = uint64(q.number("seed"))
	s.damage.Kind = degrade.Kind(q.text("damage"))
	if s.damage.Kind == link.None {
		return nil
	}
	s.damage.Severity = link.Find(s.damage.Kind).Mild
	if q.given["severity"] {
		s.damage.Severity = q.number("severity")
	}
	if err := s.damage.Validate(); err != nil {
		return problemf(http.StatusBadRequest, "%v", err)
	}
	return nil
}

// damaged returns the image that is restored.
func (s *scene) damaged() ([]float32, error) {
	x := make([]float32, latent.Pixels)
	copy(x, s.original)
	if s.damage.Kind == link.None {
		return x, nil
	}
	return x, s.damage.Apply(x, s.original, latent.Side, latent.Side, rng.New(s.seed, 0))
}

// starts writes the codes that digits grow from to z, as the page does.
func (s *scene) starts(r *latent.Runner, z []float32) {
	r.Noise(z, rng.New(s.seed, 0))
	if s.like == nil {
		return
	}
	// Around a digit, with two fifths of the noise's spread: the difference of two
	// draws has no mean, and √2 times their spread. The first is the digit itself.
	other := make([]float32, len(z))
	r.Noise(other, rng.New(s.seed, 1))
	share := float32(0.4 / math.Sqrt2)
	for i, v := range other {
		z[i] = s.like[i%latent.Latent] + float32((z[i]-v)*share)
	}
	copy(z, s.like)
}

// words says what a link shows.
func (s *scene) words() (title, description string) {
	if s.curve != "" {
		return "mppm: a manifold one can see", fmt.Sprintf("Drop a point beside %s, and three methods take it home. Watch them, step by step, in your browser.", curveNames[s.curve])
	}
	if s.grown {
		what := "digits"
		if s.class != link.Any {
			what = fmt.Sprintf("%ds", s.class)
		}
		if s.like != nil {
			return "mppm: more digits like this one", "Around one digit in the latent space there are others. Watch them grow, in your browser."
		}
		return "mppm: " + what + " grown from noise", fmt.Sprintf("Random points (seed %d) walk to where %s are. Watch them, step by step, in your browser.", s.seed, what)
	}
	what := fmt.Sprintf("A handwritten %d", s.label)
	if s.source != link.Digit {
		what = "A " + string(s.source)
	}
	if s.damage.Kind == link.None {
		return "mppm: back to the manifold", what + " walks to the nearest digits. Watch it, step by step, in your browser."
	}
	info, _ := s.damage.Kind.Info()
	return "mppm: a damaged digit walks back", fmt.Sprintf("%s under damage (%s, %v) is restored by a small network. Watch it, step by step, in your browser.", what, strings.ToLower(info.Label), s.damage.Severity)
}
