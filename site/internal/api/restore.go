package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"

	"mppm/shared/center"
	"mppm/shared/classifier"
	"mppm/shared/link"
	"mppm/shared/model"
)

// loudest bounds the numbers of a JSON image, nominally in [0, 1]: noise takes
// pixels outside, but not so far.
const loudest = 16

// presets are the flows that restore, the default one first.
var presets = []string{"restore", "faithful", "sharp"}

func restoreParams(p *link.Page) []param {
	list := []param{
		{link.Field{Name: "preset", Kind: link.Word, Words: presets, First: presets[0]}},
		{link.Field{Name: "center", Kind: link.Word, Words: []string{"auto", "always", "never"}, First: "auto"}},
		{link.Field{Name: "picture", Kind: link.Word, Words: []string{"last", "strip"}, First: "last"}},
		scale("1"),
	}
	return append(append(list, damageParams(p, link.None)...), flowParams(p, link.Restore)...)
}

// scale is the edge of a digit's pixel in a PNG.
func scale(first string) param {
	return param{link.Field{Name: "scale", Kind: link.Whole, Min: 1, Max: MaxScale, First: first}}
}

// reading is what the classifier takes an image for.
type reading struct {
	Digit      int     `json:"digit"`
	Confidence float64 `json:"confidence"`
}

// step is where a flow is after Index steps.
type step struct {
	Index    int       `json:"index"`
	Distance float32   `json:"distance"`
	Moved    float32   `json:"moved"`
	Reads    reading   `json:"reads"`
	Code     []float32 `json:"code"`
	Pixels   pixels    `json:"pixels"`
}

// restored is the JSON answer of restore.
type restored struct {
	Model  string       `json:"model"`
	Preset string       `json:"preset"`
	Flow   model.Preset `json:"flow"`
	Width  int          `json:"width"`
	Height int          `json:"height"`
	Input  struct {
		Centered bool    `json:"centered"`
		Reads    reading `json:"reads"`
		Pixels   pixels  `json:"pixels"`
	} `json:"input"`
	Steps []step `json:"steps"`
}

// restore is POST /api/restore.
func (a *API) restore(r *request) (*response, error) {
	x, centered, given, err := readImage(r)
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
	p, ok := a.model.Presets[r.text("preset")]
	if !ok {
		return nil, problemf(http.StatusBadRequest, "this model has no flow %q", r.text("preset"))
	}
	if p, err = flowOf(r.query, link.Restore, p); err != nil {
		return nil, err
	}
	s := &scene{original: x}
	if err := s.readDamage(r.query); err != nil {
		return nil, err
	}
	if x, err = s.damaged(); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	steps, frames, err := a.flow(a.runners[link.Any], x, p)
	if err != nil {
		return nil, err
	}
	var out *response
	if as == pngType {
		if r.text("picture") == "last" {
			frames = frames[len(frames)-model.Pixels:]
		}
		out, err = a.png.encode(sheet(frames, len(frames)/model.Pixels, r.integer("scale")))
		if err != nil {
			return nil, err
		}
	} else {
		read := a.read(frames)
		for i := range steps {
			steps[i].Reads = read[i]
			steps[i].Pixels = frames[i*model.Pixels:][:model.Pixels]
		}
		answer := restored{Model: a.fingerprint, Preset: r.text("preset"), Flow: p, Width: model.Side, Height: model.Side, Steps: steps}
		answer.Input.Centered, answer.Input.Reads, answer.Input.Pixels = centered, a.read(shown(x))[0], x
		out = jsonResponse(answer)
	}
	out.cache, out.vary = never, true
	return out, nil
}

// flow restores the image x: it returns the steps without pixels and readings,
// and the images of all of them. The lock is held.
func (a *API) flow(r *model.Runner, x []float32, p model.Preset) (steps []step, frames []float32, err error) {
	z := make([]float32, model.Latent)
	r.Encode(z, x)
	seq, err := r.Flow(z, p)
	if err != nil {
		return nil, nil, err
	}
	var path []float32
	for s := range seq {
		path = append(path, s.X...)
		steps = append(steps, step{Index: s.Index, Distance: s.Distance[0], Moved: s.Moved[0]})
	}
	for i := range steps {
		steps[i].Code = path[i*model.Latent:][:model.Latent]
	}
	frames = make([]float32, len(steps)*model.Pixels)
	r.Decode(frames, path)
	return steps, frames, nil
}

// read returns what each of the images x is taken for. The lock is held.
func (a *API) read(x []float32) []reading {
	n := len(x) / model.Pixels
	probs := make([]float32, n*classifier.Classes)
	a.reader.Classify(probs, nil, x)
	out := make([]reading, n)
	for i := range out {
		d, p := classifier.Best(probs[i*classifier.Classes:])
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

// readImage reads the body: an image of model.Pixels numbers, whether it was
// centered, and the type it came as.
func readImage(r *request) (x []float32, centered bool, given string, err error) {
	given = contentType(r)
	switch given {
	case jsonType:
		if r.text("center") == "always" {
			return nil, false, given, problemf(http.StatusBadRequest, "center=always is for PNGs; a JSON image is taken as it is")
		}
		b, err := readBody(r, MaxJSON)
		if err != nil {
			return nil, false, given, err
		}
		x, err = decodeNumbers(b)
		return x, false, given, err
	case pngType:
		b, err := readBody(r, MaxPNG)
		if err != nil {
			return nil, false, given, err
		}
		x, centered, err = decodePNG(b, r.text("center"))
		return x, centered, given, err
	}
	return nil, false, given, problemf(http.StatusUnsupportedMediaType, "Content-Type is %s; send %s or %s", clip(r.Header.Get("Content-Type")), pngType, jsonType)
}

func readBody(r *request, most int) ([]byte, error) {
	tooLarge := problemf(http.StatusRequestEntityTooLarge, "the body is larger than %d bytes", most)
	if r.ContentLength > int64(most) {
		return nil, tooLarge
	}
	if r.Body == nil {
		return nil, problemf(http.StatusBadRequest, "the body is empty; send an image")
	}
	b, err := io.ReadAll(io.LimitReader(r.Body, int64(most)+1))
	switch {
	case err != nil:
		return nil, problemf(http.StatusBadRequest, "the body broke off")
	case len(b) > most:
		return nil, tooLarge
	case len(b) == 0:
		return nil, problemf(http.StatusBadRequest, "the body is empty; send an image")
	}
	return b, nil
}

// decodeNumbers reads an image as JSON: an array of model.Pixels numbers, or an
// object that has it as pixels.
func decodeNumbers(b []byte) ([]float32, error) {
	var list []*float64
	var err error
	if t := bytes.TrimLeft(b, " \t\r\n"); len(t) > 0 && t[0] == '{' {
		var object struct {
			Pixels []*float64 `json:"pixels"`
		}
		d := json.NewDecoder(bytes.NewReader(b))
		d.DisallowUnknownFields()
		if err = d.Decode(&object); err == nil {
			if _, end := d.Token(); end != io.EOF {
				err = errors.New("something follows the object")
			}
		}
		list = object.Pixels
	} else {
		err = json.Unmarshal(b, &list)
	}
	if err != nil {
		return nil, problemf(http.StatusBadRequest, "the body is not an image in JSON (%s); send [%d numbers], or {\"pixels\": [%[2]d numbers]}", strings.TrimPrefix(err.Error(), "json: "), model.Pixels)
	}
	if len(list) != model.Pixels {
		return nil, problemf(http.StatusBadRequest, "the image has %d numbers; send %d, row by row, from 0 (black) to 1 (white)", len(list), model.Pixels)
	}
	x := make([]float32, model.Pixels)
	for i, v := range list {
		switch {
		case v == nil:
			return nil, problemf(http.StatusBadRequest, "number %d is null", i)
		case !(math.Abs(*v) <= loudest):
			return nil, problemf(http.StatusBadRequest, "number %d is %v; pixels are from 0 (black) to 1 (white), with noise from %d to %d", i, *v, -loudest, loudest)
		}
		x[i] = float32(*v)
	}
	return x, nil
}

// decodePNG reads an image as PNG. One of 28 × 28 pixels is taken as it is,
// unless it is always to be centered; any other is centered as MNIST's are,
// unless it never is to be.
func decodePNG(b []byte, how string) (x []float32, centered bool, err error) {
	broken := func(err error) error {
		return problemf(http.StatusBadRequest, "the body is not a PNG that can be read (%s)", strings.TrimPrefix(err.Error(), "png: "))
	}
	c, err := png.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, false, broken(err)
	}
	if c.Width < 1 || c.Height < 1 || c.Width > MaxEdge || c.Height > MaxEdge || c.Width*c.Height > MaxArea {
		return nil, false, problemf(http.StatusRequestEntityTooLarge, "the picture is %d × %d pixels; send at most %d in all, with edges of at most %d", c.Width, c.Height, MaxArea, MaxEdge)
	}
	own := c.Width == model.Side && c.Height == model.Side
	if how == "never" && !own {
		return nil, false, problemf(http.StatusBadRequest, "the picture is %d × %d pixels, and center=never asks to take it as it is; send %d × %[3]d", c.Width, c.Height, model.Side)
	}
	var img image.Image
	if img, err = png.Decode(bytes.NewReader(b)); err != nil {
		return nil, false, broken(err)
	}
	gray, w, h := center.Gray(img)
	if own && how != "always" {
		return gray, false, nil
	}
	x = make([]float32, model.Pixels)
	if err := center.Image(x, gray, w, h); err != nil {
		return nil, false, problemf(http.StatusBadRequest, "%s", fmt.Sprint(err))
	}
	return x, true, nil
}
