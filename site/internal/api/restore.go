package api

import (
	"bufio"
	"bytes"
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"mppm/shared/center"
	"mppm/shared/classifier"
	inks "mppm/shared/ink"
	"mppm/shared/latent"
	"mppm/shared/link"
	pictures "mppm/shared/picture"
)

// loudest bounds the numbers of a JSON image, nominally in [0, 1]: noise takes
// pixels outside, but not so far.
const loudest = 16

// presets are the flows that restore, the default one first.
var presets = []string{"restore", "faithful", "sharp"}

func restoreParams(p *link.Page) []param {
	own := func(f link.Field) param { return param{Field: f} }
	list := []param{
		own(link.Field{Name: "preset", Kind: link.Word, Words: presets, First: presets[0],
			About: "The flow: one that the distance gates, the distance alone, or the density at full weight"}),
		own(link.Field{Name: "center", Kind: link.Word, Words: words(center.Ways()), First: string(center.Auto),
			About: "Whether a PNG is scaled and centered; auto does so unless it has the model's size and is as MNIST's, never takes pixels of that size as they are"}),
		own(link.Field{Name: "ink", Kind: link.Word, Words: words(inks.Kinds()), First: string(inks.Auto),
			About: "What ink is beside the paper of a PNG"}),
		own(link.Field{Name: "threshold", Kind: link.Number, Min: inks.MinThreshold, Max: inks.MaxThreshold,
			About: "From which share of the strongest ink on a pixel of a PNG is ink; chosen where none is given"}),
		own(link.Field{Name: "picture", Kind: link.Word, Words: []string{"last", "strip"}, First: "last",
			About: "In a PNG: the last image, or all steps side by side. (In links to the page, picture is the image itself; here the body is.)"}),
		scale("1"),
	}
	damage := saying(p, "damage", "severity", "seed")
	damage[0].First = string(link.None)
	return slices.Concat(list, damage, flowParams(p, link.Restore), memoryParams(p), []param{modelParam})
}

// scale is the edge of a digit's pixel in a PNG.
func scale(first string) param {
	return param{Field: link.Field{Name: "scale", Kind: link.Whole, Min: 1, Max: MaxScale, First: first,
		About: "In a PNG: the edge of each of a digit's pixels"}}
}

func words[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = string(w)
	}
	return out
}

// restore is POST /api/restore.
func (a *API) restore(r *request) (*response, error) {
	if c, err := a.colorsOf(r); c != nil || err != nil {
		if err != nil {
			return nil, err
		}
		return c.restore(a, r)
	}
	x, done, given, err := a.readImage(r)
	if err != nil {
		return nil, err
	}
	offers := []string{jsonType, pngType}
	if given == pngType {
		slices.Reverse(offers)
	}
	as, err := accepted(r.Header["Accept"], offers...)
	if err != nil {
		return nil, err
	}
	l := a.first(link.Restore)
	l.Kind, l.Severity = link.None, 0
	var ok bool
	if l.RestoreFlow, ok = a.model.Presets[r.text("preset")]; !ok {
		return nil, problemf(http.StatusBadRequest, "this model has no flow %q", r.text("preset"))
	}
	if err := a.say(l, r); err != nil {
		return nil, err
	}
	if x, err = a.damaged(l, x); err != nil {
		return nil, err
	}
	p := l.RestoreFlow.Widened()
	a.mu.Lock()
	defer a.mu.Unlock()
	steps, frames, err := a.flow(l, x, p)
	if err != nil {
		return nil, err
	}
	var out *response
	if as == pngType {
		if r.text("picture") == "last" {
			frames, steps = a.nth(frames, len(steps)-1), steps[:1]
		}
		out, err = a.png.gray(a.sheet(frames, len(steps), r.integer("scale")))
		if err != nil {
			return nil, err
		}
	} else {
		list := make([]object, len(steps))
		for i, reads := range a.read(frames) {
			s := steps[i]
			list[i] = object{{"index", s.index}, {"distance", s.distance}, {"moved", s.moved}, {"reads", reads.object()}, {"code", s.code}, {"pixels", pixels(a.nth(frames, i))}}
		}
		out = jsonResponse(object{
			{"model", a.fingerprint}, {"preset", r.text("preset")}, {"flow", flowObject(p)},
			{"width", a.image.W}, {"height", a.image.H},
			{"input", object{
				{"centered", done.Centered}, {"inverted", done.Inverted}, {"done", done.Words()},
				{"reads", a.read(shown(x))[0].object()}, {"pixels", pixels(x)},
			}},
			{"steps", list},
		})
	}
	out.cache, out.vary, out.done = never, true, done.String()
	return out, nil
}

// step is where a flow is after index steps.
type step struct {
	index           int
	distance, moved float32
	code            []float32
}

// flow restores the image x, with what a link teaches the density: it returns the steps,
// and the images of all of them. The lock is held.
func (a *API) flow(l *link.Link, x []float32, p latent.Preset) (steps []step, frames []float32, err error) {
	r, err := a.taught(l, link.Any)
	if err != nil {
		return nil, nil, err
	}
	z := make([]float32, a.model.Latent())
	r.Encode(z, x)
	seq, err := r.Flow(z, p)
	if err != nil {
		return nil, nil, err
	}
	var path []float32
	for s := range seq {
		path = append(path, s.X...)
		steps = append(steps, step{index: s.Index, distance: s.Distance[0], moved: s.Moved[0]})
	}
	for i := range steps {
		steps[i].code = path[i*len(z):][:len(z)]
	}
	frames = make([]float32, len(steps)*len(x))
	r.Decode(frames, path)
	return steps, frames, nil
}

// reading is what the classifier takes an image for.
type reading struct {
	digit      int
	confidence float64 // in four decimals
}

func (r reading) object() object {
	return object{{"digit", r.digit}, {"confidence", r.confidence}}
}

// read returns what each of the images x is taken for. The lock is held.
func (a *API) read(x []float32) []reading {
	n := len(x) / a.image.Size()
	probs := make([]float32, n*a.classes)
	a.reader.Classify(probs, nil, x)
	out := make([]reading, n)
	for i := range out {
		d, p := classifier.Best(probs[i*a.classes:][:a.classes])
		out[i] = reading{d, math.Round(float64(p)*1e4) / 1e4}
	}
	return out
}

// shown returns x as it is shown, without what leaves [0, 1].
func shown(x []float32) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = min(max(v, 0), 1)
	}
	return y
}

// readImage reads the body: an image, what was done to make it one, and the type it
// came as.
func (a *API) readImage(r *request) (x []float32, done center.Done, given string, err error) {
	given = contentType(r)
	switch given {
	case jsonType:
		for _, name := range []string{"center", "ink", "threshold"} {
			if r.given[name] && (name != "center" || r.text(name) == string(center.Always)) {
				return nil, done, given, problemf(http.StatusBadRequest, "%s=%s is for PNGs; a JSON image is taken as it is", name, r.text(name))
			}
		}
		b, err := readBody(r, maxNumber*a.image.Size())
		if err != nil {
			return nil, done, given, err
		}
		x, err = decodeNumbers(b, a.image.Size())
		return x, done, given, err
	case pngType:
		body, err := bodyOf(r, MaxPNG)
		if err != nil {
			return nil, done, given, err
		}
		x, done, err = a.decodePNG(body, center.Options{
			Center:  center.How(r.text("center")),
			Options: inks.Options{Ink: inks.Kind(r.text("ink")), Threshold: r.number("threshold")},
		})
		if body.over {
			err = tooLarge(MaxPNG)
		}
		return x, done, given, err
	}
	return nil, done, given, problemf(http.StatusUnsupportedMediaType, "Content-Type is %s; send %s or %s", clip(r.Header.Get("Content-Type")), pngType, jsonType)
}

func tooLarge(most int) error {
	return problemf(http.StatusRequestEntityTooLarge, "the body is larger than %d bytes", most)
}

var emptyBody = problemf(http.StatusBadRequest, "the body is empty; send an image")

// body is what a request brings, as it comes: no more than left bytes of it.
type body struct {
	io.Reader
	left        int
	any         bool // there was some
	over, broke bool // there is more; it broke off
}

// Read is io.Reader's.
func (b *body) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, io.EOF
	}
	n, err := b.Reader.Read(p[:min(len(p), b.left+1)])
	b.any = b.any || n > 0
	if b.left -= n; b.left < 0 {
		b.over = true
		return n, io.EOF
	}
	b.broke = err != nil && err != io.EOF
	return n, err
}

func bodyOf(r *request, most int) (*body, error) {
	if r.ContentLength > int64(most) {
		return nil, tooLarge(most)
	}
	if r.Body == nil {
		return nil, emptyBody
	}
	return &body{Reader: r.Body, left: most}, nil
}

func readBody(r *request, most int) ([]byte, error) {
	from, err := bodyOf(r, most)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(from)
	switch {
	case from.over:
		return nil, tooLarge(most)
	case err != nil:
		return nil, problemf(http.StatusBadRequest, "the body broke off")
	case len(b) == 0:
		return nil, emptyBody
	}
	return b, nil
}

// decodeNumbers reads an image as JSON: an array of so many numbers, or an object
// that has it as pixels.
func decodeNumbers(b []byte, size int) ([]float32, error) {
	x, err := readNumbers(jsontext.NewDecoder(bytes.NewReader(b)))
	var p *problem
	switch {
	case errors.As(err, &p):
		return nil, p
	case err != nil:
		return nil, problemf(http.StatusBadRequest, "the body is not an image in JSON (%s); send [%d numbers], or {\"pixels\": [%[2]d numbers]}", strings.TrimPrefix(err.Error(), "jsontext: "), size)
	case len(x) != size:
		return nil, problemf(http.StatusBadRequest, "the image has %d numbers; send %d, row by row, from 0 (black) to 1 (white)", len(x), size)
	}
	return x, nil
}

// readNumbers reads them to the end of the body.
func readNumbers(d *jsontext.Decoder) (x []float32, err error) {
	in := d.PeekKind() == '{'
	if in {
		_, _ = d.ReadToken() // the one that was seen
		switch name, err := d.ReadToken(); {
		case err != nil:
			return nil, err
		case name.Kind() != '"' || name.String() != "pixels":
			return nil, fmt.Errorf("it has %s, and no pixels", clip(name.String()))
		}
	}
	switch open, err := d.ReadToken(); {
	case err != nil:
		return nil, err
	case open.Kind() != '[':
		return nil, fmt.Errorf("it has %s in place of an array", clip(open.String()))
	}
	for d.PeekKind() != ']' {
		t, err := d.ReadToken()
		switch {
		case err != nil:
			return nil, err
		case t.Kind() == 'n':
			return nil, problemf(http.StatusBadRequest, "number %d is null", len(x))
		}
		v, err := strconv.ParseFloat(t.String(), 64)
		switch {
		case t.Kind() != '0' || err != nil:
			return nil, fmt.Errorf("number %d is %s", len(x), clip(t.String()))
		case !(math.Abs(v) <= loudest):
			return nil, problemf(http.StatusBadRequest, "number %d is %v; pixels are from 0 (black) to 1 (white), with noise from %d to %d", len(x), v, -loudest, loudest)
		}
		x = append(x, float32(v))
	}
	_, _ = d.ReadToken() // the one that was seen
	if in {
		switch end, err := d.ReadToken(); {
		case err != nil:
			return nil, err
		case end.Kind() != '}':
			return nil, fmt.Errorf("it has %s beside its pixels", clip(end.String()))
		}
	}
	if _, err := d.ReadToken(); err != io.EOF {
		return nil, errors.New("something follows the image")
	}
	return x, nil
}

// decodePNG reads an image as PNG, row by row: only a small picture of a large one
// is ever in memory. What becomes of it is said in package center.
func (a *API) decodePNG(b *body, o center.Options) (x []float32, done center.Done, err error) {
	p, err := pictures.DecodePNG(bufio.NewReaderSize(b, 1<<16), MaxArea)
	var size *pictures.SizeError
	switch {
	case errors.As(err, &size):
		return nil, done, problemf(http.StatusRequestEntityTooLarge, "%s", size)
	case err != nil && !b.any:
		return nil, done, emptyBody
	case b.broke:
		return nil, done, problemf(http.StatusBadRequest, "the body broke off")
	case err != nil:
		return nil, done, problemf(http.StatusBadRequest, "the body is not a PNG that can be read: %s", err)
	}
	if o.Center == center.Never && (p.FullW != a.image.W || p.FullH != a.image.H) {
		return nil, done, problemf(http.StatusBadRequest, "the picture is %d × %d pixels, and center=never asks to take it as it is; send %d × %d", p.FullW, p.FullH, a.image.W, a.image.H)
	}
	x = make([]float32, a.image.Size())
	if done, _, err = center.Digit(x, p, o); err != nil {
		return nil, done, problemf(http.StatusUnprocessableEntity, "%s", err)
	}
	return x, done, nil
}
