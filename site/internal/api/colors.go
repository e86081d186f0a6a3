package api

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"

	"mppm/shared/center"
	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/link"
	"mppm/shared/nn"
	pictures "mppm/shared/picture"
	"mppm/shared/rng"
)

// digitsModel is the name of the model of digits.
const digitsModel = "digits"

// MaxPictures is how many pictures in color generate grows at most: each costs as much
// as a hundred digits.
const MaxPictures = 16

// modelParam is the parameter that says which model is meant.
var modelParam = param{Field: link.Field{Name: "model", Kind: link.Text, Length: 64, First: digitsModel,
	About: "Which model: digits, or one of pictures in color that this host has beside it, such as faces. What is said of ink, of centering, of classes and of codes is of digits alone."}}

// colorModel is a model of pictures in color, beside that of digits.
type colorModel struct {
	name        string
	model       *latent.Model
	runner      *latent.Runner
	fingerprint string
	card        []byte
}

func newColorModel(name string, weights []byte) (*colorModel, error) {
	m, err := latent.Load(weights)
	if err != nil {
		return nil, fmt.Errorf("the model %s: %w", name, err)
	}
	image := m.Image()
	if name == digitsModel || image.C != 3 || image.H != image.W {
		return nil, fmt.Errorf("the model %s: its images are of %v; what is beside the digits is of squares in color", name, image)
	}
	c := &colorModel{name: name, model: m, runner: m.Runner(1), fingerprint: fingerprintOf(weights)}
	c.card, err = describe(c.fingerprint, m, 0, weights, fmt.Sprintf("It knows pictures like those that it was trained on, of %d × %d pixels, cut as they were. Whatever it is given, it answers with something like them: a face that it restores may be another than the one that was there.", image.W, image.H))
	return c, err
}

// fingerprintOf names weights: 16 hexadecimal digits of their SHA-256.
func fingerprintOf(weights []byte) string {
	sum := sha256.Sum256(weights)
	return hex.EncodeToString(sum[:8])
}

// colorsOf returns the model of pictures that a request is for; nil if it is for digits.
func (a *API) colorsOf(r *request) (*colorModel, error) {
	name := r.text("model")
	if name == digitsModel {
		return nil, nil
	}
	if c := a.colors[name]; c != nil {
		return c, nil
	}
	have := append([]string{digitsModel}, slices.Sorted(maps.Keys(a.colors))...)
	return nil, problemf(http.StatusNotFound, "this host has no model %s, only %s", clip(name), strings.Join(have, ", "))
}

// refuse returns a problem where one of the parameters is given: they are of digits.
func (c *colorModel) refuse(r *request, names ...string) error {
	for _, name := range names {
		if r.given[name] {
			return problemf(http.StatusBadRequest, "%s is of digits; the model %s takes none", name, c.name)
		}
	}
	return nil
}

// scale is how large a pixel is in a PNG: as digits are only where it is asked for.
func (c *colorModel) scale(r *request) int {
	if r.given["scale"] {
		return r.integer("scale")
	}
	return 1
}

// restore is POST /api/restore for pictures in color.
func (c *colorModel) restore(a *API, r *request) (*response, error) {
	if _, err := accepted(r.Header["Accept"], pngType); err != nil {
		return nil, err
	}
	if err := c.refuse(r, append(memoryNames, "center", "ink", "threshold")...); err != nil {
		return nil, err
	}
	l := a.first(link.Restore)
	l.Kind, l.Severity = link.None, 0
	var ok bool
	if l.RestoreFlow, ok = c.model.Presets[r.text("preset")]; !ok {
		return nil, problemf(http.StatusBadRequest, "the model %s has no flow %q, only %s", c.name, r.text("preset"), strings.Join(slices.Sorted(maps.Keys(c.model.Presets)), ", "))
	}
	if err := a.say(l, r); err != nil {
		return nil, err
	}
	x, done, err := c.read(r)
	if err != nil {
		return nil, err
	}
	if l.Kind != link.None {
		d := degrade.Degradation{Kind: l.Kind, Severity: l.Severity}
		if in, _ := l.Kind.Info(); !r.given["severity"] && in.Color[0] != 0 {
			d.Severity = in.Color[0] // the mild one, as of digits
		}
		image := c.model.Image()
		if err := d.ApplyColor(x, x, image.W, image.H, image.C, rng.New(l.Seed, 0)); err != nil {
			return nil, err
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	frames, err := c.film(r.Context(), x, l.RestoreFlow.Widened(), r.text("picture") == "strip")
	if err != nil {
		return nil, err
	}
	out, err := a.png.colors(frames, c.model.Image(), len(frames)/len(x), c.scale(r))
	if err != nil {
		return nil, err
	}
	out.cache, out.vary, out.done = never, true, done
	return out, nil
}

// film restores the image x, and returns the last image of the restoration; or, where all
// are asked for, the start, the last, and as many evenly between as a film has at most.
// The lock is held.
func (c *colorModel) film(ctx context.Context, x []float32, p latent.Preset, all bool) ([]float32, error) {
	steps, err := c.runner.Restoration(x, p)
	if err != nil {
		return nil, problemf(http.StatusBadRequest, "%v", err)
	}
	every := (p.Steps*max(p.Rounds, 1) + filmFrames - 2) / (filmFrames - 1)
	var frames []float32
	var last latent.Frame
	shown := -1 // the number of the last frame that was kept
	for last = range steps {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if all && last.Index%max(every, 1) == 0 {
			frames, shown = append(frames, last.Image()...), last.Index
		}
	}
	if shown != last.Index {
		frames = append(frames, last.Image()...)
	}
	if err := c.model.CheckImages(frames); err != nil {
		return nil, problemf(http.StatusBadRequest, "with these parameters the flow overflows; give smaller ones")
	}
	return frames, nil
}

// read reads the body: a PNG, of which the largest square in the middle is taken. done
// says what was done to it.
func (c *colorModel) read(r *request) (x []float32, done string, err error) {
	if contentType(r) != pngType {
		return nil, "", problemf(http.StatusUnsupportedMediaType, "Content-Type is %s; send %s to the model %s", clip(r.Header.Get("Content-Type")), pngType, c.name)
	}
	b, err := bodyOf(r, MaxPNG)
	if err != nil {
		return nil, "", err
	}
	p, err := pictures.DecodeColors(bufio.NewReaderSize(b, 1<<16), MaxArea)
	var size *pictures.SizeError
	switch {
	case b.over:
		return nil, "", tooLarge(MaxPNG)
	case errors.As(err, &size):
		return nil, "", problemf(http.StatusRequestEntityTooLarge, "%s", size)
	case err != nil && !b.any:
		return nil, "", emptyBody
	case b.broke:
		return nil, "", problemf(http.StatusBadRequest, "the body broke off")
	case err != nil:
		return nil, "", problemf(http.StatusBadRequest, "the body is not a PNG that can be read: %s", err)
	}
	image := c.model.Image()
	x = make([]float32, image.Size())
	center.Square(x, p, image.W)
	for i, v := range x { // as a file of that size has it
		x[i] = float32(ink(v)) / 255
	}
	var deeds []string
	if p.Red.Transparent {
		deeds = append(deeds, "transparency taken as white")
	}
	if p.Red.Turned {
		deeds = append(deeds, "turned")
	}
	if p.FullW != p.FullH {
		deeds = append(deeds, "cut to the square in the middle")
	}
	if min(p.FullW, p.FullH) != image.W {
		deeds = append(deeds, "scaled")
	}
	if deeds == nil {
		deeds = []string{"nothing"}
	}
	return x, strings.Join(deeds, ", "), nil
}

// generate is GET /api/generate for pictures in color: image i depends on i, the seed and
// the flow.
func (c *colorModel) generate(a *API, r *request) (*response, error) {
	if _, err := accepted(r.Header["Accept"], pngType); err != nil {
		return nil, err
	}
	if err := c.refuse(r, append(memoryNames, "class", "like")...); err != nil {
		return nil, err
	}
	l := a.first(link.Generate)
	l.GenerateFlow = c.model.Generate
	n, err := a.readGrid(l, r)
	if err != nil {
		return nil, err
	}
	if n > MaxPictures {
		return nil, problemf(http.StatusBadRequest, "the model %s grows at most %d pictures at a time, not %d", c.name, MaxPictures, n)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	p, dim := l.GenerateFlow.Widened(), c.model.Latent()
	z, x := make([]float32, n*dim), make([]float32, n*c.model.Pixels())
	for i := range n {
		c.runner.Noise(z[i*dim:(i+1)*dim], p, rng.New(l.GenerateSeed, uint64(i)))
	}
	steps, err := c.runner.Flow(z, p)
	if err != nil {
		return nil, problemf(http.StatusBadRequest, "%v", err)
	}
	for range steps {
		if r.Context().Err() != nil {
			return nil, r.Context().Err()
		}
	}
	c.runner.Decode(x, z)
	if err := c.model.CheckImages(x); err != nil {
		return nil, problemf(http.StatusBadRequest, "with these parameters the flow overflows; give smaller ones")
	}
	out, err := a.png.colors(x, c.model.Image(), int(math.Ceil(math.Sqrt(float64(n)))), c.scale(r))
	if err != nil {
		return nil, err
	}
	out.cache, out.vary = caching(r, c.fingerprint), true
	return out, nil
}

// colors encodes images of a shape in color, laid out in columns, each pixel as a square
// of scale pixels.
func (e *pngEncoder) colors(images []float32, shape nn.Shape, columns, scale int) (*response, error) {
	n := len(images) / shape.Size()
	rows := (n + columns - 1) / columns
	w, h := shape.W*scale, shape.H*scale
	stride := 3 * columns * w
	pix := make([]byte, rows*h*stride)
	for i := range n {
		at, image := i/columns*h*stride+3*(i%columns)*w, images[i*shape.Size():][:shape.Size()]
		for y := range shape.H {
			line := pix[at+y*scale*stride:][:3*w]
			for x := range w {
				from := image[(y*shape.W+x/scale)*3:][:3]
				for k, v := range from {
					line[3*x+k] = ink(v)
				}
			}
			for k := 1; k < scale; k++ {
				copy(pix[at+(y*scale+k)*stride:][:3*w], line)
			}
		}
	}
	return e.encode(pix, stride, stride/3, rows*h, truecolor, nil)
}
