package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/link"
	"mppm/shared/metric"
	pictures "mppm/shared/picture"
	"mppm/shared/rng"
	"mppm/shared/stroke"
	"mppm/site/static"
	"mppm/weights"
)

// shipped is the API of the weights of this repository.
var shipped = sync.OnceValues(func() (*API, error) {
	return New(Files{Weights: weights.MNIST, Classifier: weights.Classifier, Images: static.Images, Labels: static.Labels})
})

func service(t testing.TB) *API {
	t.Helper()
	a, err := shipped()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// ask asks, with headers as "Name: value".
func ask(t testing.TB, method, target string, body []byte, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, target, bytes.NewReader(body))
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	service(t).ServeHTTP(w, r)
	return w
}

// get asks for what must be there.
func get(t testing.TB, target string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	w := ask(t, "GET", target, nil, headers...)
	if w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", target, w.Code, w.Body)
	}
	return w
}

const wantJSON = "Accept: application/json"

func decode[T any](t testing.TB, w *httptest.ResponseRecorder) (v T) {
	t.Helper()
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != jsonType {
		t.Fatalf("%d %s: %.200s", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func picture(t testing.TB, w *httptest.ResponseRecorder) image.Image {
	t.Helper()
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != pngType {
		t.Fatalf("%d %s: %.200s", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	img, err := png.Decode(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func encoded(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The answers, as far as tests look at them.
type (
	said struct {
		Digit      int
		Confidence float64
	}
	generated struct {
		Seed   uint64
		Class  *int
		Flow   latent.Preset
		Images []struct {
			Reads            said
			Distance, Pixels []float32
		}
	}
	restored struct {
		Flow  latent.Preset
		Input struct {
			Centered, Inverted bool
			Done               []string
			Reads              said
			Pixels             []float32
		}
		Steps []struct {
			Distance     float32
			Reads        said
			Code, Pixels []float32
		}
	}
)

// digit returns test digit i, and its class.
func digit(t testing.TB, i int) ([]float32, int) {
	a := service(t)
	x := make([]float32, a.image.Size())
	a.digits.image(x, i)
	return x, int(a.digits.labels[i])
}

func numbers(x []float32) []byte {
	b, err := json.Marshal(x)
	if err != nil {
		panic(err) // numbers can be written
	}
	return b
}

// TestGenerate: the first digits of a seed are the same whatever their number, and
// in a grid, row by row, as in JSON.
func TestGenerate(t *testing.T) {
	a := service(t)
	const n = 10
	all := decode[generated](t, get(t, "/api/generate?seed=7&n=10", wantJSON))
	for _, k := range []int{1, 3, n} {
		got := decode[generated](t, get(t, fmt.Sprintf("/api/generate?seed=7&n=%d", k), wantJSON))
		if len(got.Images) != k || got.Class != nil || got.Seed != 7 {
			t.Fatalf("n=%d: %d images, class %v, seed %d", k, len(got.Images), got.Class, got.Seed)
		}
		for i, g := range got.Images {
			if len(g.Distance) != a.model.Generate.Steps+1 {
				t.Errorf("image %d has %d distances, want the start and %d steps", i, len(g.Distance), a.model.Generate.Steps)
			}
			if !slices.Equal(g.Pixels, all.Images[i].Pixels) {
				t.Errorf("n=%d: image %d is another one than of %d", k, i, n)
			}
		}
	}
	w, h := a.image.W, a.image.H
	img := picture(t, get(t, "/api/generate?seed=7&n=10&scale=3")).(*image.Gray)
	if want := image.Rect(0, 0, 4*3*w, 3*3*h); img.Rect != want {
		t.Fatalf("the grid is %v, want %v", img.Rect, want)
	}
	for i := range n {
		for p, v := range all.Images[i].Pixels { // in four decimals
			x0, y0 := (i%4*w+p%w)*3, (i/4*h+p/w)*3
			for _, at := range [][2]int{{0, 0}, {2, 1}, {2, 2}} {
				if got, want := int(img.GrayAt(x0+at[0], y0+at[1]).Y), int(ink(v)); got < want-1 || got > want+1 {
					t.Fatalf("digit %d, pixel %d of the grid is %d, want %d", i, p, got, want)
				}
			}
		}
	}
}

// TestGenerateByThePage: what a link to the page says of its grid, behind its #,
// asks for the same here as the short names do, and grows what the link's preview
// shows.
func TestGenerateByThePage(t *testing.T) {
	long := get(t, "/api/generate?grid-seed=5&grid=3&class=-1", wantJSON).Body.String()
	if short := get(t, "/api/generate?seed=5&n=9", wantJSON).Body.String(); long != short {
		t.Error("the page's names give other digits than the short ones")
	}
	a := service(t)
	z := make([]float32, a.model.Latent())
	for i := range z {
		z[i] = float32(i-9) / 8
	}
	like := "class=3&like=" + link.PackCode(z) + "&generate-alpha=0.5&generate-beta=0.05&generate-sigma=0.3&generate-steps=7"
	got := decode[generated](t, get(t, "/api/generate?grid-seed=5&grid=2&"+like, wantJSON))
	f := got.Flow
	if f.Alpha != 0.5 || f.Beta != 0.05 || f.Sigma != 0.3 || f.Steps != 7 || got.Class == nil || *got.Class != 3 || got.Seed != 5 || len(got.Images) != 4 {
		t.Fatalf("the link gives %d images, class %v, seed %d, flow %+v", len(got.Images), got.Class, got.Seed, f)
	}
	if n := len(got.Images[0].Distance); n != 8 {
		t.Errorf("the flow has %d distances, want the start and 7 steps", n)
	}
	preview := picture(t, get(t, "/api/preview.png?mode=generate&grid-seed=5&"+like))
	grid := picture(t, get(t, "/api/generate?grid-seed=5&n=1&scale=7&"+like)).(*image.Gray)
	left, top := (previewWidth-gridColumns*gridEdge)/2, (previewHeight-gridRows*gridEdge)/2
	for y := 3; y < grid.Rect.Dy(); y += 7 {
		for x := 3; x < grid.Rect.Dx(); x += 7 {
			r, _, _, _ := preview.At(left+x, top+y).RGBA()
			// The preview's ink goes from its ground to its brightest.
			want := float64(ground[0]) + float64(fullInk[0]-ground[0])*float64(grid.GrayAt(x, y).Y)/255
			if d := float64(r>>8) - want; d > 2 || d < -2 {
				t.Fatalf("at (%d, %d) the preview's first digit is %d, want %.0f", x, y, r>>8, want)
			}
		}
	}
}

// TestRestoreByThePage: what a link says of the damage and of the flow holds for
// the image that is sent.
func TestRestoreByThePage(t *testing.T) {
	clean, _ := digit(t, 3)
	js := "Content-Type: application/json"
	got := decode[restored](t, ask(t, "POST", "/api/restore?damage=missing&severity=0.5&seed=41&restore-alpha=0.5&restore-beta=0.2&restore-sigma=0.9&restore-tau=0&restore-steps=4", numbers(clean), js))
	if f := got.Flow; f.Alpha != 0.5 || f.Beta != 0.2 || f.Sigma != 0.9 || f.Tau != 0 || f.Steps != 4 || len(got.Steps) != 5 {
		t.Errorf("the flow is %+v, in %d steps", f, len(got.Steps))
	}
	want := slices.Clone(clean)
	if err := (degrade.Degradation{Kind: degrade.Missing, Severity: 0.5}).Apply(want, clean, service(t).image.W, service(t).image.H, rng.New(41, 0)); err != nil {
		t.Fatal(err)
	}
	for i, v := range got.Input.Pixels {
		if d := v - want[i]; d > 6e-5 || d < -6e-5 {
			t.Fatalf("pixel %d of the damaged image is %v, want %v", i, v, want[i])
		}
	}
	// What is damaged here and what is sent damaged is restored alike.
	sent := decode[restored](t, ask(t, "POST", "/api/restore", numbers(want), js))
	here := decode[restored](t, ask(t, "POST", "/api/restore?damage=missing&severity=0.5&seed=41", numbers(clean), js))
	if a, b := sent.Steps[len(sent.Steps)-1], here.Steps[len(here.Steps)-1]; a.Reads.Digit != b.Reads.Digit || len(sent.Steps) != len(here.Steps) {
		t.Errorf("sent damaged it ends as %+v, damaged here as %+v", a.Reads, b.Reads)
	}
	// The severity is the mild one where none is given.
	mild, _ := degrade.Missing.Info()
	given := ask(t, "POST", fmt.Sprintf("/api/restore?damage=missing&severity=%v", mild.Mild), numbers(clean), js).Body.String()
	if first := ask(t, "POST", "/api/restore?damage=missing", numbers(clean), js).Body.String(); first != given {
		t.Error("without a severity the damage is not the mild one")
	}
}

// TestRestoreTaught: in a world without sevens a seven becomes something else, and what is
// remembered is what everything else is restored to once nothing else is known.
func TestRestoreTaught(t *testing.T) {
	js := "Content-Type: application/json"
	seven, label := digit(t, 137)
	if label != 7 {
		t.Fatalf("digit 137 is a %d", label)
	}
	restore := func(teach string) (reads int, code []float32) {
		got := decode[restored](t, ask(t, "POST", "/api/restore?damage=gaussian&severity=0.7&restore-steps=60"+teach, numbers(seven), js))
		last := got.Steps[len(got.Steps)-1]
		return last.Reads.Digit, last.Code
	}
	if reads, _ := restore(""); reads != 7 {
		t.Errorf("a seven is restored to a %d", reads)
	}
	if reads, _ := restore("&forget=7"); reads == 7 {
		t.Error("a seven is restored in a world without sevens")
	}
	z := make([]float32, service(t).model.Latent())
	for i := range z {
		z[i] = float32(i%5-2) / 2
	}
	_, code := restore("&restore-alpha=0&restore-tau=0&forget=0_1_2_3_4_5_6_7_8_9&bank-add=" + link.PackCode(z))
	for i, v := range code {
		if d := v - z[i]; d > 1e-3 || d < -1e-3 {
			t.Fatalf("number %d of the code is %v, want %v, which alone is remembered", i, v, z[i])
		}
	}
}

// TestGenerateClass: what is asked for is what grows, and not one digit again
// and again.
func TestGenerateClass(t *testing.T) {
	right, total := 0, 0
	for class := range 10 {
		got := decode[generated](t, get(t, fmt.Sprintf("/api/generate?seed=3&n=16&class=%d", class), wantJSON))
		if got.Class == nil || *got.Class != class {
			t.Errorf("class %d: the answer is about %v", class, got.Class)
		}
		seen := map[string]bool{}
		for _, g := range got.Images {
			total++
			if g.Reads.Digit == class {
				right++
			}
			seen[fmt.Sprint(g.Pixels)] = true
		}
		if len(seen) < 15 {
			t.Errorf("class %d: only %d of 16 digits differ", class, len(seen))
		}
	}
	if share := float64(right) / float64(total); share < 0.9 {
		t.Errorf("%.1f %% of the digits are read as the class they are of; want 90", 100*share)
	}
}

// TestRestore: noise goes, the digit stays, and the trajectory says how.
func TestRestore(t *testing.T) {
	var before, after float64
	same := 0
	for i := range 12 {
		clean, label := digit(t, i*7)
		x := make([]float32, len(clean))
		noise := degrade.Degradation{Kind: degrade.Gaussian, Severity: 0.5}
		if err := noise.Apply(x, clean, service(t).image.W, service(t).image.H, rng.New(uint64(i), 0)); err != nil {
			t.Fatal(err)
		}
		got := decode[restored](t, ask(t, "POST", "/api/restore", numbers(x), "Content-Type: application/json"))
		flow := service(t).model.Restore
		if got.Flow != flow || len(got.Steps) != flow.Steps+1 || got.Input.Centered {
			t.Fatalf("flow %+v, %d steps, centered %v", got.Flow, len(got.Steps), got.Input.Centered)
		}
		last := got.Steps[len(got.Steps)-1]
		if last.Distance > got.Steps[0].Distance {
			t.Errorf("digit %d: D goes from %v to %v", i, got.Steps[0].Distance, last.Distance)
		}
		if last.Reads.Digit == label {
			same++
		}
		before += metric.MSE(clean, x)
		after += metric.MSE(clean, last.Pixels)
	}
	if after > before/4 || same < 10 {
		t.Errorf("the mean squared error is %.3f after %.3f, and %d of 12 digits are the same", after/12, before/12, same)
	}
}

// TestRestoreForms: every way in and out gives the same image.
func TestRestoreForms(t *testing.T) {
	x, _ := digit(t, 5)
	gray := service(t).sheet(x, 1, 1)
	bare, object := numbers(x), append(append([]byte(`{"pixels": `), numbers(x)...), '}')
	asPNG := encoded(t, gray)
	rgba := image.NewNRGBA(gray.Rect)
	for i, v := range gray.Pix {
		rgba.Pix[4*i], rgba.Pix[4*i+1], rgba.Pix[4*i+2], rgba.Pix[4*i+3] = v, v, v, 255
	}
	want := decode[restored](t, ask(t, "POST", "/api/restore", bare, "Content-Type: application/json"))
	last := len(want.Steps) - 1
	for name, w := range map[string]*httptest.ResponseRecorder{
		"an object":   ask(t, "POST", "/api/restore", object, "Content-Type: application/json; charset=utf-8"),
		"a PNG":       ask(t, "POST", "/api/restore", asPNG, "Content-Type: image/png", wantJSON),
		"a color PNG": ask(t, "POST", "/api/restore", encoded(t, rgba), "Content-Type: image/png", wantJSON),
	} {
		if got := decode[restored](t, w); !slices.Equal(got.Steps[last].Code, want.Steps[last].Code) {
			t.Errorf("%s gives another code", name)
		}
	}
	frames := make([]float32, 0, len(want.Steps)*len(x))
	for _, s := range want.Steps {
		frames = append(frames, s.Pixels...)
	}
	near := func(name string, img image.Image, want *image.Gray) {
		t.Helper()
		got, ok := img.(*image.Gray)
		if !ok || got.Rect != want.Rect {
			t.Fatalf("%s: %T of %v, want gray of %v", name, img, img.Bounds(), want.Rect)
		}
		for i, v := range got.Pix {
			if d := int(v) - int(want.Pix[i]); d < -1 || d > 1 {
				t.Fatalf("%s: byte %d is %d, want %d", name, i, v, want.Pix[i])
			}
		}
	}
	near("the last image", picture(t, ask(t, "POST", "/api/restore", asPNG, "Content-Type: image/png")), service(t).sheet(frames[last*len(x):], 1, 1))
	near("the strip", picture(t, ask(t, "POST", "/api/restore?picture=strip&scale=2", bare, "Content-Type: application/json", "Accept: image/png")), service(t).sheet(frames, len(want.Steps), 2))
}

// TestRestoreCenters: digits of another size, place and color are read as they
// were.
func TestRestoreCenters(t *testing.T) {
	same, total := 0, 0
	paper, pen := color.NRGBA{250, 245, 230, 255}, color.NRGBA{30, 40, 120, 255}
	for i := 0; i < service(t).digits.len(); i += 7 {
		x, label := digit(t, i)
		if service(t).read(x)[0].digit != label {
			continue
		}
		total++
		const scale = 9
		img := image.NewNRGBA(image.Rect(0, 0, 500, 380))
		for y := range 380 {
			for px := range 500 {
				c := paper
				if u, v := (px-190)/scale, (y-20)/scale; px >= 190 && y >= 20 && u < service(t).image.W && v < service(t).image.H {
					share := x[v*service(t).image.W+u]
					mix := func(a, b uint8) uint8 { return uint8(float32(a) + share*(float32(b)-float32(a))) }
					c = color.NRGBA{mix(paper.R, pen.R), mix(paper.G, pen.G), mix(paper.B, pen.B), 255}
				}
				img.SetNRGBA(px, y, c)
			}
		}
		got := decode[restored](t, ask(t, "POST", "/api/restore", encoded(t, img), "Content-Type: image/png", wantJSON))
		if !got.Input.Centered {
			t.Fatal("the picture was not centered")
		}
		if got.Input.Reads.Digit == label {
			same++
		}
	}
	if share := float64(same) / float64(total); total < 25 || share < 0.95 {
		t.Errorf("%d of %d digits are read as before", same, total)
	}
}

// TestErrors: what cannot be answered is refused in words that name the thing.
func TestErrors(t *testing.T) {
	x, _ := digit(t, 1)
	good, js := numbers(x), "Content-Type: application/json"
	pngHead := "Content-Type: image/png"
	blank := encoded(t, image.NewGray(image.Rect(0, 0, 40, 40)))
	long := strings.Repeat("a", MaxAddress)
	for _, c := range []struct {
		method, target string
		body           []byte
		header         string
		status         int
		want           string
	}{
		{"GET", "/api/", nil, "", 404, "GET /api/generate"},
		{"GET", "/api/restore", nil, "", 405, "POST"},
		{"DELETE", "/api/generate", nil, "", 405, "GET"},
		{"GET", "/api/generate?n=0", nil, "", 400, "n="},
		{"GET", "/api/generate?n=101", nil, "", 400, "1 to 100"},
		{"GET", "/api/generate?n=1e1", nil, "", 400, "whole number"},
		{"GET", "/api/generate?n=2.5", nil, "", 400, "whole"},
		{"GET", "/api/generate?n=", nil, "", 400, "whole number"},
		{"GET", "/api/generate?n=1&n=2", nil, "", 400, "2 times"},
		{"GET", "/api/generate?seed=-1", nil, "", 400, "seed"},
		{"GET", "/api/generate?seed=4294967296", nil, "", 400, "4294967295"},
		{"GET", "/api/generate?class=10", nil, "", 400, "-1 to 9"},
		{"GET", "/api/generate?seed=1&grid-seed=1", nil, "", 400, "give one"},
		{"GET", "/api/generate?grid=2&n=4", nil, "", 400, "give one"},
		{"GET", "/api/generate?grid=11", nil, "", 400, "1 to 10"},
		{"GET", "/api/generate?forget=10", nil, "", 400, "forget=\"10\": there is no class 10 to forget"},
		{"GET", "/api/generate?forget=7&class=7", nil, "", 400, "class=7 has that class grow alone"},
		{"GET", "/api/generate?forget=0_1_2_3_4_5_6_7_8_9", nil, "", 400, "everything would be forgotten"},
		{"GET", "/api/generate?bank-add=abc", nil, "", 400, "1 to 8 codes, of 48 letters each"},
		{"GET", "/api/generate?bank-weight=0", nil, "", 400, "1 to 500"},
		{"GET", "/api/generate?like=abc", nil, "", 400, "not a code"},
		{"GET", "/api/generate?generate-alpha=0.6&generate-beta=0.5", nil, "", 400, "below 1"},
		{"GET", "/api/generate?v=" + long, nil, "", 414, "16384"},
		{"GET", "/api/generate", nil, "Accept: text/html", 406, "image/png or application/json"},
		{"GET", "/api/generate", nil, "Accept: image/png;q=0", 406, "image/png"},
		{"GET", "/api/model?v=0123", nil, "", 404, service(t).Fingerprint()},
		{"POST", "/api/restore", good, "", 415, "image/png or application/json"},
		{"POST", "/api/restore", good, "Content-Type: image/jpeg", 415, "image/jpeg"},
		{"POST", "/api/restore", nil, js, 400, "empty"},
		{"POST", "/api/restore", []byte("[1,2]"), js, 400, "2 numbers"},
		{"POST", "/api/restore", []byte("nonsense"), js, 400, "JSON"},
		{"POST", "/api/restore", bytes.Replace(good, []byte("[0,"), []byte("[null,"), 1), js, 400, "number 0 is null"},
		{"POST", "/api/restore", bytes.Replace(good, []byte("[0,"), []byte("[255,"), 1), js, 400, "number 0 is 255"},
		{"POST", "/api/restore", bytes.Replace(good, []byte("[0,"), []byte("[1e999,"), 1), js, 400, "JSON"},
		{"POST", "/api/restore", []byte(`{"pixels":[], "extra":1}`), js, 400, "extra"},
		{"POST", "/api/restore", append([]byte(`{"pixels":[]}`), "{}"...), js, 400, "follows"},
		{"POST", "/api/restore", append(good, good...), js, 400, "JSON"},
		{"POST", "/api/restore", bytes.Repeat([]byte(" "), maxNumber*len(x)+1), js, 413, "62720"},
		{"POST", "/api/restore", append(bytes.Clone(blank[:len(blank)-12]), make([]byte, MaxPNG)...), pngHead, 413, "25165824"},
		{"POST", "/api/restore", []byte("not a PNG"), pngHead, 400, "PNG"},
		{"POST", "/api/restore", blank[:60], pngHead, 400, "PNG"},
		{"POST", "/api/restore", blank, pngHead, 422, "page is empty"},
		{"POST", "/api/restore?center=never", blank, pngHead, 400, "40 × 40"},
		{"POST", "/api/restore?center=always", good, js, 400, "center"},
		{"POST", "/api/restore", encoded(t, image.NewGray(image.Rect(0, 0, 4096, 3073))), pngHead, 413, "4096 × 3073"},
		{"POST", "/api/restore", encoded(t, image.NewGray(image.Rect(0, 0, pictures.MaxEdge+1, 2))), pngHead, 413, "16385 × 2"},
		{"POST", "/api/restore?damage=rust", good, js, 400, "scribble"},
		{"POST", "/api/restore?damage=gaussian&severity=49", good, js, 400, "severity"},
		{"POST", "/api/restore?restore-alpha=0.8&restore-beta=0.3", good, js, 400, "below 1"},
		{"POST", "/api/restore?preset=best", good, js, 400, "faithful"},
		{"POST", "/api/restore?generate-alpha=0.6", good, js, 400, "not understood"},
		{"POST", "/api/restore?size=3", good, js, 400, "preset, center, ink, threshold, picture, scale, damage, severity, seed, restore-alpha"},
		{"POST", "/api/restore?%zz", good, js, 400, "name=value"},
	} {
		// Written as it came, where httptest would not parse it.
		r := httptest.NewRequest(c.method, "/", bytes.NewReader(c.body))
		path, query, _ := strings.Cut(c.target, "?")
		r.URL = &url.URL{Path: path, RawQuery: query}
		if name, value, ok := strings.Cut(c.header, ": "); ok {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		service(t).ServeHTTP(w, r)
		var p struct {
			Title, Detail string
			Status        int
		}
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %.60s: %d %s %.80s", c.method, c.target, w.Code, w.Header().Get("Content-Type"), w.Body)
			continue
		}
		if w.Code != c.status || p.Status != c.status || !strings.Contains(p.Detail, c.want) || w.Header().Get("Cache-Control") != never {
			t.Errorf("%s %.60s: %d %q, want %d with %q", c.method, c.target, w.Code, p.Detail, c.status, c.want)
		}
	}
}

// TestCaching: equal content, equal tag; what an address determines may be kept
// for ever, nothing else.
func TestCaching(t *testing.T) {
	v := "v=" + service(t).Fingerprint()
	for _, target := range []string{"/api/generate?n=2", "/api/model", "/api/preview.png?digit=3", "/api/openapi.json", "/s?digit=3"} {
		w := get(t, target)
		tag := w.Header().Get("ETag")
		if tag == "" || w.Header().Get("Cache-Control") != anHour {
			t.Errorf("%s: tag %q, caching %q", target, tag, w.Header().Get("Cache-Control"))
		}
		for _, have := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
			if w := ask(t, "GET", target, nil, "If-None-Match: "+have); w.Code != http.StatusNotModified || w.Body.Len() > 0 || w.Header().Get("ETag") != tag {
				t.Errorf("%s, If-None-Match %s: %d, %d bytes", target, have, w.Code, w.Body.Len())
			}
		}
		if w := ask(t, "GET", target, nil, `If-None-Match: "other"`); w.Code != http.StatusOK {
			t.Errorf("%s, another tag: %d", target, w.Code)
		}
		h := ask(t, "HEAD", target, nil)
		if h.Code != http.StatusOK || h.Body.Len() > 0 || h.Header().Get("Content-Length") != fmt.Sprint(w.Body.Len()) || h.Header().Get("ETag") != tag {
			t.Errorf("HEAD %s: %d, %d bytes, headers %v", target, h.Code, h.Body.Len(), h.Header())
		}
	}
	for target, want := range map[string]string{
		"/api/generate?n=2&" + v:           forever,
		"/api/model?" + v:                  forever,
		"/api/preview.png?digit=3&" + v:    forever,
		"/api/generate?n=2&v=0123456789ab": anHour,
	} {
		if got := get(t, target).Header().Get("Cache-Control"); got != want {
			t.Errorf("%s: caching %q, want %q", target, got, want)
		}
	}
	if get(t, "/api/generate?n=1").Header().Get("ETag") == get(t, "/api/generate?n=1&seed=2").Header().Get("ETag") {
		t.Error("two digits have one tag")
	}
	if got := get(t, "/api/generate?n=1").Header().Get("Vary"); got != "Accept" {
		t.Errorf("Vary is %q", got)
	}
	x, _ := digit(t, 1)
	w := ask(t, "POST", "/api/restore", numbers(x), "Content-Type: application/json")
	if w.Header().Get("Cache-Control") != never || w.Header().Get("ETag") != "" {
		t.Errorf("restore: headers %v", w.Header())
	}
}

// TestAnyPageMayAsk: the preflight of a browser and the answers allow it.
func TestAnyPageMayAsk(t *testing.T) {
	w := ask(t, "OPTIONS", "/api/restore", nil, "Origin: https://elsewhere.example", "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type")
	h := w.Header()
	if w.Code != http.StatusNoContent || h.Get("Access-Control-Allow-Origin") != "*" ||
		!strings.Contains(h.Get("Access-Control-Allow-Methods"), "POST") || !strings.Contains(h.Get("Access-Control-Allow-Headers"), "Content-Type") {
		t.Errorf("preflight: %d %v", w.Code, h)
	}
	for _, w := range []*httptest.ResponseRecorder{get(t, "/api/model"), ask(t, "GET", "/api/none", nil)} {
		if w.Header().Get("Access-Control-Allow-Origin") != "*" || w.Header().Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("headers %v", w.Header())
		}
	}
}

// TestAccept weighs what clients really send.
func TestAccept(t *testing.T) {
	browser := "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
	for _, c := range []struct {
		headers []string
		want    string
	}{
		{nil, pngType},
		{[]string{"*/*"}, pngType},
		{[]string{browser}, pngType},
		{[]string{"application/json"}, jsonType},
		{[]string{"Application/JSON ; q=1.0"}, jsonType},
		{[]string{"image/*;q=0.5, application/json;q=0.6"}, jsonType},
		{[]string{"image/png;q=0.1, */*;q=0.9"}, jsonType},
		{[]string{"text/plain", " application/json;q=0.2"}, jsonType}, // as the edge splits it
		{[]string{"text/plain"}, ""},
		{[]string{"image/png;q=0, application/json;q=nonsense"}, ""},
	} {
		got, err := accepted(c.headers, pngType, jsonType)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%q: %q, %v; want %q", c.headers, got, err, c.want)
		}
	}
}

// TestShare: the link leads to the page with the same fields, and its picture is
// there.
func TestShare(t *testing.T) {
	fields := "mode=generate&grid-seed=12&class=4&selected=3&map-zoom=2.5"
	w := get(t, "https://mppm.example/s?utm_source=a%20b&"+fields+"&fbclid=IwAR0x")
	page := strings.ReplaceAll(w.Body.String(), "&amp;", "&")
	for _, want := range []string{
		`content="0; url=./#` + fields + `"`,
		`href="./#` + fields + `"`,
		`property="og:url" content="https://mppm.example/s?` + fields + `"`,
		`name="twitter:card" content="summary_large_image"`,
		"4s grown from noise",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s:\n%s", want, page)
		}
	}
	for link, want := range map[string]string{
		"mode=generate&forget=1_7":          "digits grown from noise, in a world without 1s and 7s",
		"mode=generate&class=4&forget=1_7":  "4s grown from noise<",
		"forget=7":                          "by a small network, in a world without 7s.",
		"damage=none&forget=0_4_7":          "nearest digits, in a world without 0s, 4s and 7s.",
		"mode=map&follow=generate&forget=5": "in a world without 5s",
	} {
		if page := get(t, "https://mppm.example/s?"+link).Body.String(); !strings.Contains(page, want) {
			t.Errorf("the page of %q lacks %q:\n%s", link, want, page)
		}
	}
	if strings.Contains(page, "utm_source") || strings.Contains(page, "fbclid") {
		t.Error("the page passes on what followed the link")
	}
	if p := w.Header().Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'none'") {
		t.Errorf("the policy is %q", p)
	}
	m := regexp.MustCompile(`property="og:image" content="https://mppm\.example([^"]*)"`).FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("no picture in\n%s", page)
	}
	p := get(t, m[1])
	if p.Header().Get("Cache-Control") != forever {
		t.Errorf("%s: caching %q", m[1], p.Header().Get("Cache-Control"))
	}
	if b := picture(t, p).Bounds(); b.Dx() != previewWidth || b.Dy() != previewHeight {
		t.Errorf("%s: %v", m[1], b)
	}
	if evil := get(t, `http://"><script>/s`).Body.String(); strings.Contains(evil, "<script>") {
		t.Error("a host can write into the page")
	}
}

// TestShareOwnCurve: a link to a curve of one's own says so, and leads to its strokes.
func TestShareOwnCurve(t *testing.T) {
	strokes := link.PackStrokes(link.Strokes{{{-0.5, 0}, {0, 0.5}, {0.5, 0}}})
	fields := "mode=manifold&curve=own&strokes=" + strokes + "&points=200&blur=0.05"
	page := strings.ReplaceAll(get(t, "https://mppm.example/s?"+fields).Body.String(), "&amp;", "&")
	for _, want := range []string{"a curve drawn by hand", `href="./#` + fields + `"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s:\n%s", want, page)
		}
	}
	if b := picture(t, get(t, "/api/preview.png?"+fields)).Bounds(); b.Dx() != previewWidth || b.Dy() != previewHeight {
		t.Errorf("its picture has %v", b)
	}
}

// TestShareCurve: a link to Manifold has a picture of its curve and says so, and
// leads to the page with all its fields.
func TestShareCurve(t *testing.T) {
	seen := map[string]string{}
	for curve, label := range map[string]string{"": "a half circle", "circle": "a half circle", "spiral": "a spiral", "moons": "two moons", "trefoil": "a trefoil knot"} {
		at := "at=0.5_0.25" // of the curves in a plane, and a curve's own of the others
		if label == "a half circle" || label == "a trefoil knot" {
			at = "at=0.5_0.25_0.125"
		}
		fields := "mode=manifold&" + at + "&without=dae_ddpm&manifold-sigma-d=0.3"
		if curve != "" && curve != "circle" { // which is shown first
			fields = "mode=manifold&curve=" + curve + "&" + at + "&without=dae_ddpm&manifold-sigma-d=0.3"
		}
		page := strings.ReplaceAll(get(t, "https://mppm.example/s?"+fields).Body.String(), "&amp;", "&")
		for _, want := range []string{label, "a manifold one can see", `content="A curve, a point`, `href="./#` + fields + `"`} {
			if !strings.Contains(page, want) {
				t.Errorf("the page of %q lacks %s:\n%s", curve, want, page)
			}
		}
		if strings.Contains(page, "digit") {
			t.Errorf("the page of %q speaks of digits:\n%s", curve, page)
		}
		p := get(t, "/api/preview.png?"+fields)
		img := picture(t, p)
		if b := img.Bounds(); b.Dx() != previewWidth || b.Dy() != previewHeight {
			t.Errorf("the picture of %q has %v", curve, b)
		}
		accents := 0 // pixels of MPPM's way
		for y := range previewHeight {
			for x := range previewWidth {
				if r, g, b, _ := img.At(x, y).RGBA(); r>>8 > 200 && g>>8 > 120 && g>>8 < 200 && b>>8 < 110 {
					accents++
				}
			}
		}
		if accents < 100 {
			t.Errorf("the picture of %q has %d pixels of the way home", curve, accents)
		}
		if other, ok := seen[p.Header().Get("ETag")]; ok && label != other {
			t.Errorf("%s and %s have the same picture", label, other)
		}
		seen[p.Header().Get("ETag")] = label
	}
}

// TestPreviewFollowsFields: each field changes the picture, and no other does.
func TestPreviewFollowsFields(t *testing.T) {
	a := service(t)
	restoring := []string{"", "digit=3", "damage=none", "damage=scribble", "severity=0.2", "seed=9", "restore-alpha=0.1", "restore-beta=0", "restore-sigma=1", "restore-tau=0", "restore-steps=3", "mode=generate", "forget=3", "forget=3_8", "bank-add=" + strings.Repeat("AQ", 24) + "&bank-weight=500&forget=0_1_2_3_4_5_6_7_8_9",
		"drawing=" + stroke.Encode([][]stroke.Point{{{X: 3, Y: 3, Width: 2}, {X: 9, Y: 20, Width: 2}}}),
		"drawing=" + stroke.Encode([][]stroke.Point{{{X: 3, Y: 3, Width: 2}, {X: 9, Y: 9, Width: 2}}}),
		"picture=" + link.PackPicture(bytes.Repeat([]byte{0, 255}, a.image.Size()/2)), "picture=" + link.PackPicture(make([]byte, a.image.Size()))}
	growing := []string{"", "grid-seed=4", "class=2", "like=" + strings.Repeat("AQ", 24), "generate-alpha=0.1", "generate-beta=0.35", "generate-sigma=1", "generate-sigma=2", "generate-tau=1", "generate-steps=3", "forget=7", "bank-add=" + strings.Repeat("AQ", 24)}
	differ := func(base string, list []string) {
		seen := map[string]string{}
		for _, f := range list {
			tag := get(t, "/api/preview.png?"+base+f).Header().Get("ETag")
			if other, ok := seen[tag]; ok {
				t.Errorf("%s%q and %q give the same picture", base, f, other)
			}
			seen[tag] = f
		}
	}
	differ("", restoring)
	differ("mode=generate&", growing)
	first := get(t, "/api/preview.png").Header().Get("ETag")
	for _, f := range []string{"mode=restore", "grid-seed=4", "brush=3", "step=2", "digit=173&seed=1", "v=" + a.Fingerprint(), "generate-steps=3"} {
		if get(t, "/api/preview.png?"+f).Header().Get("ETag") != first {
			t.Errorf("%s changes the picture", f)
		}
	}
}

// TestAtOnce: many at once get what each gets alone.
func TestAtOnce(t *testing.T) {
	want := map[string]string{}
	for i := range 6 {
		target := fmt.Sprintf("/api/generate?n=3&seed=%d&class=%d", i, i)
		want[target] = get(t, target).Header().Get("ETag")
	}
	var wg sync.WaitGroup
	for range 3 {
		for target, tag := range want {
			wg.Go(func() {
				if got := ask(t, "GET", target, nil).Header().Get("ETag"); got != tag {
					t.Errorf("%s: %s, alone %s", target, got, tag)
				}
			})
		}
	}
	wg.Wait()
}

func TestNewRefuses(t *testing.T) {
	good := Files{Weights: weights.MNIST, Classifier: weights.Classifier, Images: static.Images, Labels: static.Labels}
	for name, change := range map[string]func(*Files){
		"model":                    func(f *Files) { f.Weights = f.Classifier },
		"classifier":               func(f *Files) { f.Classifier = f.Weights },
		"the test digits":          func(f *Files) { f.Images = nil },
		"labels of the test digit": func(f *Files) { f.Labels = f.Images },
	} {
		f := good
		change(&f)
		if _, err := New(f); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzHandler: whatever is asked, the answer is whole and never an error of ours.
func FuzzHandler(f *testing.F) {
	for _, r := range service(f).routes {
		f.Add(r.method, r.path, "", "", "", []byte(nil))
	}
	f.Add("GET", "/api/generate", "n=3&class=1", "application/json", "", []byte(nil))
	f.Add("GET", "/s", "mode=generate&like=AQAQ", "", "", []byte(nil))
	f.Add("GET", "/api/preview.png", "picture=Y2AYBaNg5AEA&damage=none", "", "", []byte(nil))
	f.Add("POST", "/api/restore", "picture=strip&scale=8", "image/png", "application/json", numbers(make([]float32, service(f).image.Size())))
	img := image.NewGray(image.Rect(0, 0, 30, 20))
	img.Pix[77] = 200
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		f.Fatal(err)
	}
	f.Add("POST", "/api/restore", "", "", "image/png", b.Bytes())
	f.Fuzz(func(t *testing.T, method, path, query, accept, contentType string, body []byte) {
		r := httptest.NewRequest("GET", "/", bytes.NewReader(body))
		r.Method, r.URL.Path, r.URL.RawQuery = method, path, query
		if accept != "" {
			r.Header.Set("Accept", accept)
		}
		r.Header.Set("Content-Type", contentType)
		w := httptest.NewRecorder()
		service(t).ServeHTTP(w, r)
		if w.Code >= 500 || w.Code < 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		switch w.Header().Get("Content-Type") {
		case jsonType, "application/problem+json":
			if method != http.MethodHead && w.Code != http.StatusNotModified && !json.Valid(w.Body.Bytes()) {
				t.Fatalf("not JSON: %.200s", w.Body)
			}
		case pngType:
			if method != http.MethodHead && w.Code == http.StatusOK {
				if _, err := png.Decode(io.Reader(w.Body)); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
