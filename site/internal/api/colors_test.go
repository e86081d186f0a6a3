package api

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/latent/latenttest"
	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/shared/unet"
	"mppm/site/static"
	"mppm/weights"
)

const colorSide = 24

// colorWeights are those of a small U-Net.
func colorWeights(t testing.TB, side, channels int) []byte {
	t.Helper()
	nets, err := unet.New(nn.Shape{H: side, W: side, C: channels}, unet.Config{Channels: []int{4, 6}, Latent: 9})
	if err != nil {
		t.Fatal(err)
	}
	f := latenttest.FileOf(1, nets)
	f.Meta["flow.restore"] = `{"alpha":0.6,"beta":0,"sigma":0.45,"steps":12,"rounds":2,"trust":4}`
	b, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var colorful struct {
	once  sync.Once
	api   *API
	model *latent.Model
}

// colorService is an API with a model of pictures, faces, and that model.
func colorService(t testing.TB) (*API, *latent.Model) {
	t.Helper()
	colorful.once.Do(func() {
		b := colorWeights(t, colorSide, 3)
		a, err := New(Files{Weights: weights.MNIST, Classifier: weights.Classifier, Images: static.Images, Labels: static.Labels, Colors: map[string][]byte{"faces": b}})
		if err != nil {
			t.Fatal(err)
		}
		m, err := latent.Load(b)
		if err != nil {
			t.Fatal(err)
		}
		colorful.api, colorful.model = a, m
	})
	return colorful.api, colorful.model
}

func askColors(t testing.TB, method, target string, body []byte, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	a, _ := colorService(t)
	r := httptest.NewRequest(method, target, bytes.NewReader(body))
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w
}

// tinted is a picture of w × h pixels, each of a color of its own.
func tinted(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetNRGBA(x, y, color.NRGBA{uint8(255 * x / w), uint8(255 * y / h), uint8(7*x ^ 5*y), 255})
		}
	}
	return img
}

// numbersOf are the pixels of a picture, red, green and blue side by side.
func numbersOf(img image.Image) (x []float32) {
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for at := b.Min.X; at < b.Max.X; at++ {
			c := color.NRGBAModel.Convert(img.At(at, y)).(color.NRGBA)
			x = append(x, float32(c.R)/255, float32(c.G)/255, float32(c.B)/255)
		}
	}
	return x
}

// samePixels compares a picture with numbers as they are shown.
func samePixels(img image.Image, x []float32) bool {
	got := numbersOf(img)
	if len(got) != len(x) {
		return false
	}
	for i, v := range x {
		if got[i] != float32(ink(v))/255 {
			return false
		}
	}
	return true
}

// restoredBy restores x as the model does.
func restoredBy(t *testing.T, m *latent.Model, x []float32) (frames [][]float32) {
	t.Helper()
	steps, err := m.Runner(1).Restoration(x, m.Restore)
	if err != nil {
		t.Fatal(err)
	}
	for f := range steps {
		frames = append(frames, append([]float32(nil), f.Image()...))
	}
	return frames
}

// TestRestoreColors: a picture of the model's size is restored as the model does it; of
// others the middle is; damage is that of a seed; and a strip shows the way.
func TestRestoreColors(t *testing.T) {
	_, m := colorService(t)
	img := tinted(colorSide, colorSide)
	w := askColors(t, "POST", "/api/restore?model=faces", encoded(t, img), asPNG)
	frames := restoredBy(t, m, numbersOf(img))
	if last := frames[len(frames)-1]; !samePixels(picture(t, w), last) {
		t.Error("not what the model restores")
	}
	if done := w.Header().Get(doneHeader); done != "nothing" {
		t.Errorf("done: %q", done)
	}
	// The strip: 25 frames, of which every second is shown.
	strip := picture(t, askColors(t, "POST", "/api/restore?model=faces&picture=strip&scale=2", encoded(t, img), asPNG))
	if s := strip.Bounds().Size(); s != image.Pt(13*2*colorSide, 2*colorSide) {
		t.Fatalf("the strip is of %v pixels", s)
	}
	at := strip.(interface {
		SubImage(image.Rectangle) image.Image
	})
	for k, frame := range [][]float32{frames[0], frames[2], frames[4]} {
		small := image.NewNRGBA(image.Rect(0, 0, colorSide, colorSide))
		part := at.SubImage(image.Rect(k*2*colorSide, 0, (k+1)*2*colorSide, 2*colorSide))
		for i := range colorSide * colorSide {
			small.Set(i%colorSide, i/colorSide, part.At(k*2*colorSide+2*(i%colorSide)+1, 2*(i/colorSide)+1))
		}
		if !samePixels(small, frame) {
			t.Errorf("frame %d of the strip is another", k)
		}
	}
	// A wide picture with a hole: its middle, on white.
	wide := tinted(colorSide+10, colorSide)
	middle := image.NewNRGBA(image.Rect(0, 0, colorSide, colorSide))
	for i := range colorSide * colorSide {
		middle.Set(i%colorSide, i/colorSide, wide.At(5+i%colorSide, i/colorSide))
	}
	wide.Set(10, 10, color.Transparent)
	middle.Set(5, 10, color.White)
	w = askColors(t, "POST", "/api/restore?model=faces&damage=missing&severity=0", encoded(t, wide), asPNG)
	frames = restoredBy(t, m, numbersOf(middle))
	if !samePixels(picture(t, w), frames[len(frames)-1]) {
		t.Error("the middle of a wide picture is restored to another")
	}
	if done := w.Header().Get(doneHeader); done != "transparency taken as white, cut to the square in the middle" {
		t.Errorf("done: %q", done)
	}
	if done := askColors(t, "POST", "/api/restore?model=faces", encoded(t, tinted(100, 90)), asPNG).Header().Get(doneHeader); done != "cut to the square in the middle, scaled" {
		t.Errorf("done: %q", done)
	}
	// Damage: the mildest for faces where nothing is said.
	d, x := degrade.Degradation{Kind: degrade.Missing, Severity: 0.04}, numbersOf(img)
	if err := d.ApplyColor(x, x, colorSide, colorSide, 3, rng.New(9, 0)); err != nil {
		t.Fatal(err)
	}
	frames = restoredBy(t, m, x)
	for _, query := range []string{"&damage=missing&seed=9", "&damage=missing&severity=0.04&seed=9"} {
		if w := askColors(t, "POST", "/api/restore?model=faces"+query, encoded(t, img), asPNG); !samePixels(picture(t, w), frames[len(frames)-1]) {
			t.Errorf("%s: the damage is another", query)
		}
	}
}

// TestGenerateColors: picture i depends on i and the seed alone; its address may be kept
// for ever with the model's fingerprint.
func TestGenerateColors(t *testing.T) {
	a, m := colorService(t)
	w := askColors(t, "GET", "/api/generate?model=faces&seed=3&n=3&scale=1", nil)
	img := picture(t, w)
	if s := img.Bounds().Size(); s != image.Pt(2*colorSide, 2*colorSide) {
		t.Fatalf("three pictures are %v pixels", s)
	}
	r := m.Runner(1)
	z, x := make([]float32, m.Latent()), make([]float32, m.Pixels())
	r.Noise(z, m.Generate, rng.New(3, 2))
	steps, err := r.Flow(z, m.Generate)
	if err != nil {
		t.Fatal(err)
	}
	for range steps {
	}
	r.Decode(x, z)
	third := img.(interface {
		SubImage(image.Rectangle) image.Image
	}).SubImage(image.Rect(0, colorSide, colorSide, 2*colorSide))
	if !samePixels(third, x) {
		t.Error("the third picture is another")
	}
	fingerprint := a.colors["faces"].fingerprint
	if c := askColors(t, "GET", "/api/generate?model=faces&v="+fingerprint, nil).Header().Get("Cache-Control"); c != forever {
		t.Errorf("Cache-Control %q", c)
	}
	if c := askColors(t, "GET", "/api/generate?model=faces&v="+a.fingerprint, nil).Header().Get("Cache-Control"); c != anHour {
		t.Errorf("Cache-Control with the fingerprint of digits: %q", c)
	}
	if s := picture(t, askColors(t, "GET", "/api/generate?n=4", nil)).Bounds().Size(); s != image.Pt(2*4*28, 2*4*28) {
		t.Errorf("digits beside: %v", s)
	}
}

// TestColorsCard: the card of a model of pictures is one as the description has it.
func TestColorsCard(t *testing.T) {
	a, _ := colorService(t)
	w := askColors(t, "GET", "/api/model?model=faces", nil)
	var card any
	if err := json.Unmarshal(w.Body.Bytes(), &card); err != nil {
		t.Fatal(err)
	}
	if err := described(t).check(schema{"$ref": "#/components/schemas/Card"}, card, "card"); err != nil {
		t.Error(err)
	}
	members := card.(map[string]any)
	if members["model"] != a.colors["faces"].fingerprint || members["channels"] != 3. || members["width"] != float64(colorSide) {
		t.Errorf("the card says %v", members)
	}
	if p := members["parameters"].(map[string]any); p["projection"] == nil || p["encoder"] == nil {
		t.Errorf("parameters %v", p)
	}
	if !strings.Contains(members["limits"].(string), "24 × 24") {
		t.Errorf("limits %v", members["limits"])
	}
}

// TestColorsProblems: what a model of pictures does not take is refused in words.
func TestColorsProblems(t *testing.T) {
	b := encoded(t, tinted(colorSide, colorSide))
	for _, c := range []struct {
		method, target string
		body           []byte
		header         string
		code           int
		want           string
	}{
		{"POST", "/api/restore?model=cats", b, asPNG, 404, `this host has no model \"cats\", only digits, faces`},
		{"GET", "/api/generate?model=cats", nil, "", 404, "only digits, faces"},
		{"GET", "/api/model?model=cats", nil, "", 404, "only digits, faces"},
		{"GET", "/api/model?model=faces&v=0123", nil, "", 404, "there is no model"},
		{"POST", "/api/restore?model=faces&center=never", b, asPNG, 400, "center is of digits"},
		{"POST", "/api/restore?model=faces&threshold=0.3", b, asPNG, 400, "threshold is of digits"},
		{"POST", "/api/restore?model=faces&preset=sharp", b, asPNG, 400, "only generate, restore"},
		{"POST", "/api/restore?model=faces&restore-alpha=0.6&restore-beta=0.5", b, asPNG, 400, "below 1"},
		{"POST", "/api/restore?model=faces", []byte("[1,2]"), "Content-Type: application/json", 415, "send image/png"},
		{"POST", "/api/restore?model=faces", b[:40], asPNG, 400, "not a PNG that can be read"},
		{"POST", "/api/restore?model=faces", nil, asPNG, 400, "the body is empty"},
		{"POST", "/api/restore?model=faces&damage=missing&severity=2", b, asPNG, 400, "severity"},
		{"GET", "/api/generate?model=faces", nil, wantJSON, 406, "image/png"},
		{"GET", "/api/generate?model=faces&class=3", nil, "", 400, "class is of digits"},
		{"GET", "/api/generate?model=faces&n=17", nil, "", 400, "at most 16 pictures"},
		{"GET", "/api/generate?model=faces&grid=5", nil, "", 400, "at most 16 pictures"},
		{"GET", "/api/generate?model=faces&model=digits", nil, "", 400, "give it once"},
	} {
		w := askColors(t, c.method, c.target, c.body, append([]string{}, strings.Split(c.header, "\n")...)...)
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s %s: %d %s; want %d, %q", c.method, c.target, w.Code, w.Body, c.code, c.want)
		}
	}
	if w := ask(t, "POST", "/api/restore?model=faces", b, asPNG); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "only digits") {
		t.Errorf("a host without faces: %d %s", w.Code, w.Body)
	}
	for name, b := range map[string][]byte{"gray": colorWeights(t, colorSide, 1), "faces": []byte("{}"), "digits": colorWeights(t, colorSide, 3)} {
		_, err := New(Files{Weights: weights.MNIST, Classifier: weights.Classifier, Images: static.Images, Labels: static.Labels, Colors: map[string][]byte{name: b}})
		if err == nil || !strings.Contains(err.Error(), "the model "+name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
