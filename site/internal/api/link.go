package api

import (
	"compress/flate"
	"embed"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"

	"mppm/shared/degrade"
	"mppm/shared/model"
	"mppm/shared/rng"
	"mppm/shared/stroke"
)

// sharePath is the path of links that are passed around.
const sharePath = "/s"

// What the page shows first; its links leave out what is as there.
const (
	firstDigit = "173"
	firstKind  = degrade.Gaussian
)

// dials are the parameters of a flow in a link, and their ranges.
var dials = []struct {
	name     string
	kind     kind
	min, max float64
	set      func(p *model.Preset, v float64)
}{
	{"alpha", number, 0, 0.99, func(p *model.Preset, v float64) { p.Alpha = float32(v) }},
	{"beta", number, 0, 0.99, func(p *model.Preset, v float64) { p.Beta = float32(v) }},
	{"sigma", number, 0.05, 4, func(p *model.Preset, v float64) { p.Sigma = float32(v) }},
	{"tau", number, 0, 10, func(p *model.Preset, v float64) { p.Tau = float32(v) }},
	{"steps", integer, 1, 100, func(p *model.Preset, v float64) { p.Steps = int(v) }},
}

// The fields of a link that choose one of two flows.
const (
	restoring = "restore"
	growing   = "generate"
)

// figuring is the mode of a link that shows no digit but a curve.
const figuring = "manifold"

// curves are the curves of a link, the first one first, and what they are called.
var curves = []struct{ name, label string }{
	{"circle", "a half circle"},
	{"spiral", "a spiral"},
	{"moons", "two moons"},
	{"trefoil", "a trefoil knot"},
}

// curvePictures are the figures that the page first shows of each curve, as PNG
// files: to compute those of a link, the program would have to hold the curves'
// models too. `go run ./site/shots -docs -only curve` makes them.
//
//go:embed curve-*.png
var curvePictures embed.FS

// linkParams are the fields of the page's address, behind its "#", that change
// the preview's picture. A link may have others: they are the page's own.
func linkParams() []param {
	list := []param{
		{name: "mode", kind: text, max: 20, first: restoring},
		{name: "follow", kind: text, max: 20},
		{name: "curve", kind: word, words: curveNames(), first: curves[0].name},
		{name: "digit", kind: integer, min: 0, max: Digits - 1, first: firstDigit},
		{name: "drawing", kind: text, max: MaxAddress},
		{name: "picture", kind: text, max: 2000},
	}
	list = append(list, damageParams(firstKind)...)
	list = append(list, []param{
		{name: "grid-seed", kind: integer, min: 0, max: MaxSeed, first: "1"},
		{name: "class", kind: integer, min: all, max: 9, first: fmt.Sprint(all)},
		{name: "like", kind: text, max: 100},
	}...)
	return append(append(list, flowParams(restoring)...), flowParams(growing)...)
}

func curveNames() []string {
	var names []string
	for _, c := range curves {
		names = append(names, c.name)
	}
	return names
}

// damageParams are the fields of the page's address that say what is done to an
// image before it is restored.
func damageParams(first degrade.Kind) []param {
	kinds := []string{string(noDamage)}
	for _, k := range degrade.Kinds() {
		kinds = append(kinds, string(k.Kind))
	}
	return []param{
		{name: "damage", kind: word, words: kinds, first: string(first)},
		{name: "severity", kind: number, min: 0, max: 50},
		{name: "seed", kind: integer, min: 0, max: MaxSeed, first: "1"},
	}
}

// flowParams are the fields of the page's address that change one of two flows.
func flowParams(of string) []param {
	var list []param
	for _, d := range dials {
		list = append(list, param{name: of + "-" + d.name, kind: d.kind, min: d.min, max: d.max})
	}
	return list
}

// flowOf returns a flow with what a query changes of it.
func flowOf(q query, of string, p model.Preset) (model.Preset, error) {
	for _, d := range dials {
		if name := of + "-" + d.name; q.given[name] {
			d.set(&p, q.number(name))
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
	curve string // a curve's name, and nothing else of this; "" for digits
	grown bool   // digits from noise; else a digit restored

	original []float32           // model.Pixels
	own      string              // "drawing" or "picture"; "" for a test digit
	label    int                 // class of the test digit
	damage   degrade.Degradation // of kind "none" where there is none
	seed     uint64              // of the damage, or of the noise
	class    int                 // the only one that grows, or all
	like     []float32           // the code that digits grow around; nil: noise
	flow     model.Preset
}

// noDamage is the kind of a link without damage.
const noDamage degrade.Kind = "none"

// scene reads a link whose fields are in range each by itself.
func (a *API) scene(q query) (*scene, error) {
	mode := q.text("mode")
	if mode == figuring {
		return &scene{curve: q.text("curve")}, nil
	}
	s := &scene{grown: mode == growing || mode == "map" && q.text("follow") == growing, class: all}
	of, p := restoring, a.model.Restore
	if s.grown {
		of, p = growing, a.model.Generate
	}
	var err error
	if s.flow, err = flowOf(q, of, p); err != nil {
		return nil, err
	}
	if s.grown {
		return s, s.readGrown(q)
	}
	return s, a.readRestored(s, q)
}

func (s *scene) readGrown(q query) error {
	s.seed, s.class = uint64(q.number("grid-seed")), q.integer("class")
	if !q.given["like"] {
		return nil
	}
	b, err := base64.RawURLEncoding.DecodeString(q.text("like"))
	if err != nil || len(b) != 2*model.Latent {
		return problemf(http.StatusBadRequest, "like=%s is not a code", clip(q.text("like")))
	}
	for i := range model.Latent {
		s.like = append(s.like, float32(int16(binary.LittleEndian.Uint16(b[2*i:])))/1024)
	}
	return nil
}

func (a *API) readRestored(s *scene, q query) error {
	s.original = make([]float32, model.Pixels)
	switch {
	case q.given["drawing"] && q.given["picture"]:
		return problemf(http.StatusBadRequest, "drawing and picture are both given; give one")
	case q.given["drawing"]:
		s.own = "drawing"
		strokes, err := stroke.Decode(q.text("drawing"))
		if err != nil {
			return problemf(http.StatusBadRequest, "drawing=%s: %v", clip(q.text("drawing")), err)
		}
		stroke.Center(s.original, strokes)
	case q.given["picture"]:
		s.own = "picture"
		ink := make([]byte, model.Pixels)
		r := flate.NewReader(base64.NewDecoder(base64.RawURLEncoding, strings.NewReader(q.text("picture"))))
		if _, err := io.ReadFull(r, ink); err != nil {
			return problemf(http.StatusBadRequest, "picture=%s is not a picture", clip(q.text("picture")))
		}
		for i, v := range ink {
			s.original[i] = float32(v) / 255
		}
	default:
		i := q.integer("digit")
		a.digits.image(s.original, i)
		s.label = int(a.digits.labels[i])
	}
	return s.readDamage(q)
}

func (s *scene) readDamage(q query) error {
	s.seed = uint64(q.number("seed"))
	s.damage.Kind = degrade.Kind(q.text("damage"))
	if s.damage.Kind == noDamage {
		return nil
	}
	info, _ := s.damage.Kind.Info()
	s.damage.Severity = info.Mild
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
	x := make([]float32, model.Pixels)
	copy(x, s.original)
	if s.damage.Kind == noDamage {
		return x, nil
	}
	return x, s.damage.Apply(x, s.original, model.Side, model.Side, rng.New(s.seed, 0))
}

// starts writes the codes that digits grow from to z, as the page does.
func (s *scene) starts(r *model.Runner, z []float32) {
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
		z[i] = s.like[i%model.Latent] + float32((z[i]-v)*share)
	}
	copy(z, s.like)
}

// words says what a link shows.
func (s *scene) words() (title, description string) {
	for _, c := range curves {
		if c.name == s.curve {
			return "mppm: a manifold one can see", fmt.Sprintf("Drop a point beside %s, and three methods take it home. Watch them, step by step, in your browser.", c.label)
		}
	}
	if s.grown {
		what := "digits"
		if s.class != all {
			what = fmt.Sprintf("%ds", s.class)
		}
		if s.like != nil {
			return "mppm: more digits like this one", "Around one digit in the latent space there are others. Watch them grow, in your browser."
		}
		return "mppm: " + what + " grown from noise", fmt.Sprintf("Random points (seed %d) walk to where %s are. Watch them, step by step, in your browser.", s.seed, what)
	}
	what := fmt.Sprintf("A handwritten %d", s.label)
	if s.own != "" {
		what = "A " + s.own
	}
	if s.damage.Kind == noDamage {
		return "mppm: back to the manifold", what + " walks to the nearest digits. Watch it, step by step, in your browser."
	}
	info, _ := s.damage.Kind.Info()
	return "mppm: a damaged digit walks back", fmt.Sprintf("%s under damage (%s, %v) is restored by a small network. Watch it, step by step, in your browser.", what, strings.ToLower(info.Label), s.damage.Severity)
}
