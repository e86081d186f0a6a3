// Package links holds the page's reading of a link to the API's. Nothing but
// tests like these imports both.
package links

import (
	"bytes"
	"encoding/json"
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"mppm/shared/classifier"
	"mppm/shared/degrade"
	"mppm/shared/ink"
	"mppm/shared/latent"
	"mppm/shared/link"
	"mppm/site/internal/api"
	"mppm/site/static"
	"mppm/wasm/app"
	"mppm/wasm/app/model"
	"mppm/wasm/app/restore"
	"mppm/weights"
)

// sides are a service, and what pages are made of.
type sides struct {
	service *api.API
	model   *latent.Model
	engine  model.Engine
	reader  *classifier.Runner
	digits  *restore.Digits
}

var both = sync.OnceValues(func() (*sides, error) {
	s := new(sides)
	var err error
	if s.service, err = api.New(api.Files{Weights: weights.MNIST, Classifier: weights.Classifier, Images: static.Images, Labels: static.Labels}); err != nil {
		return nil, err
	}
	if s.model, err = latent.Load(weights.MNIST); err != nil {
		return nil, err
	}
	c, err := classifier.Load(weights.Classifier)
	if err != nil {
		return nil, err
	}
	s.engine, s.reader = model.NewEngine(s.model, 16), c.Runner(16)
	s.digits, err = restore.ParseDigits(static.Images, static.Labels, s.model.Image(), 10)
	return s, err
})

// answer is what one makes of a link.
type answer struct {
	link   string   // to what is shown
	faults []string // what is left out
}

// app returns the page's program at its first screen.
func (s *sides) app(t testing.TB) *app.App {
	t.Helper()
	a, err := app.New(app.Model{About: model.Describe(s.model), Engine: s.engine, Reader: s.reader, Restore: s.model.Restore, Generate: s.model.Generate, Samples: s.digits, Data: "MNIST"}, app.Faces{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// page is how the page answers.
func (s *sides) page(t testing.TB, link string) answer {
	t.Helper()
	a := s.app(t)
	var out answer
	for _, f := range a.Open(link) {
		out.faults = append(out.faults, f.Error())
	}
	out.link = a.Link()
	return out
}

var (
	canonical = regexp.MustCompile(`property="og:url" content="http://example\.com/s\??([^"]*)"`)
	left      = regexp.MustCompile(`(?m)^<p>(.*)</p>$`)
	onward    = regexp.MustCompile(`<a href="\./#([^"]*)">`)
	refresh   = regexp.MustCompile(`content="0; url=\./#([^"]*)"`)
)

// api is how the service answers, and the link by which it leads to the page.
func (s *sides) api(t testing.TB, link string) (out answer, leads string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/s", nil)
	r.URL.RawQuery = link
	w := httptest.NewRecorder()
	s.service.ServeHTTP(w, r)
	body := w.Body.String()
	if w.Code != http.StatusOK {
		t.Fatalf("/s?%s: %d %s", link, w.Code, body)
	}
	one := func(of *regexp.Regexp) string {
		m := of.FindAllStringSubmatch(body, -1)
		if len(m) != 1 {
			t.Fatalf("/s?%s: %d times %s in\n%s", link, len(m), of, body)
		}
		return html.UnescapeString(m[0][1])
	}
	out.link, leads = one(canonical), one(onward)
	if again := one(refresh); again != leads {
		t.Fatalf("/s?%s leads to %q and to %q", link, leads, again)
	}
	// The first paragraph describes the picture, the last one leads on.
	said := left.FindAllStringSubmatch(body, -1)
	for _, m := range said[1 : len(said)-1] {
		out.faults = append(out.faults, html.UnescapeString(m[1]))
	}
	return out, leads
}

// check holds the two to each other: they show the same and leave out the same,
// the page does so wherever the service leads it, and what is shown has a link
// that says it.
func check(t testing.TB, link string) answer {
	t.Helper()
	s, err := both()
	if err != nil {
		t.Fatal(err)
	}
	page := s.page(t, link)
	service, leads := s.api(t, link)
	same := func(a, b answer) bool { return a.link == b.link && slices.Equal(a.faults, b.faults) }
	if !same(page, service) {
		t.Fatalf("%q: the page shows %q without %q, the service %q without %q", link, page.link, page.faults, service.link, service.faults)
	}
	if there := s.page(t, leads); !same(there, page) {
		t.Fatalf("%q: the service leads to %q, where the page shows %q without %q, and not %q without %q", link, leads, there.link, there.faults, page.link, page.faults)
	}
	if again := s.page(t, page.link); again.link != page.link || again.faults != nil {
		t.Fatalf("%q is shown as %q, which is read as %q without %q", link, page.link, again.link, again.faults)
	}
	return page
}

// shared are links as they come from elsewhere, and what both show.
var shared = map[string]string{
	"":                                       "",
	"digit=5&from=timeline&isappinstalled=0": "digit=5",
	"digit%3D5%26seed%3D3":                   "digit=5&seed=3",
	"digit%3D5%26mode%3Dmap":                 "mode=map&digit=5",
	"digit=5&amp;mode=generate&amp;grid=3":   "mode=generate&digit=5&grid=3",
	"mode=generate&grid=10&class=9).":        "mode=generate&grid=10&class=9",
	"restore-sigma=4&restore-steps=100":      "restore-sigma=4&restore-steps=100",
	"restore-sigma=0.05&generate-steps=61":   "restore-sigma=0.05&generate-steps=61",
	"restore-alpha=0.123":                    "restore-alpha=0.123",
	"digit=300&mode=map&color=red":           "mode=map",
	"mode=fly&damage=elastic&severity=9":     "damage=elastic",
	"mode=manifold&curve=moons&at=1_2_3":     "mode=manifold&curve=moons",
	"digit=<script>&seed=\"2\"":              "seed=2",
	"seed=2&seed=1":                          "",
	"\xff=\xfe&seed=\xff3":                   "seed=3",
	"like=AQ&follow=spot&walk-to=99&step=9":  "step=9",
}

func TestPageAndServiceReadAlike(t *testing.T) {
	for link, want := range shared {
		if got := check(t, link); got.link != want {
			t.Errorf("%q is shown as %q without %q, want %q", link, got.link, got.faults, want)
		}
	}
}

// TestPreviewOfEveryLink: a service draws what it reads, whatever is left out.
func TestPreviewOfEveryLink(t *testing.T) {
	s, err := both()
	if err != nil {
		t.Fatal(err)
	}
	for link := range shared {
		r := httptest.NewRequest(http.MethodGet, "/api/preview.png", nil)
		r.URL.RawQuery = link
		w := httptest.NewRecorder()
		if s.service.ServeHTTP(w, r); w.Code != http.StatusOK {
			t.Errorf("/api/preview.png?%s: %d %s", link, w.Code, w.Body)
		}
	}
}

// shown returns the page's program with all that a link shows.
func (s *sides) shown(t *testing.T, link string) *app.App {
	t.Helper()
	a := s.app(t)
	if faults := a.Open(link); faults != nil {
		t.Fatalf("%q: %v", link, faults)
	}
	for range 1000 {
		if a.Update(time.Second); !a.Busy() {
			return a
		}
	}
	t.Fatalf("%q: the page never comes to rest", link)
	return nil
}

// ask returns the service's answer in JSON.
func ask[T any](t *testing.T, s *sides, method, target string, body []byte) (v T) {
	t.Helper()
	r := httptest.NewRequest(method, target, bytes.NewReader(body))
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	s.service.ServeHTTP(w, r)
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%s: %d %.200s (%v)", target, w.Code, w.Body, err)
	}
	return v
}

// TestGridsAreThePages: what the service grows by the fields of a link is what the
// page does, to the bit: D tells all codes apart.
func TestGridsAreThePages(t *testing.T) {
	s, err := both()
	if err != nil {
		t.Fatal(err)
	}
	z := make([]float32, s.model.Latent())
	for i := range z {
		z[i] = float32(i-9) / 8
	}
	for _, fields := range []string{
		"grid=3", "grid-seed=4294967295&grid=5", "grid-seed=5&grid=2&class=3", "grid-seed=2&grid=3&like=" + link.PackCode(z),
		"grid=2&class=8&like=" + link.PackCode(z) + "&generate-alpha=0.5&generate-beta=0.05&generate-sigma=4&generate-tau=0&generate-steps=7",
	} {
		grid, _ := s.shown(t, "mode=generate&"+fields).Path()
		got := ask[struct {
			Images []struct{ Distance []float32 }
		}](t, s, http.MethodGet, "/api/generate?"+fields, nil)
		if len(got.Images) != grid.N {
			t.Fatalf("%s: %d digits, the page has %d", fields, len(got.Images), grid.N)
		}
		for i, g := range got.Images {
			var want []float32
			for k := range grid.Steps() {
				want = append(want, float32(grid.Distance(k, i)))
			}
			if !near(g.Distance, want, 0) {
				t.Errorf("%s: D of digit %d is %v, on the page %v", fields, i, g.Distance, want)
			}
		}
	}
}

// TestRestorationsAreThePages: likewise, what it damages and restores.
func TestRestorationsAreThePages(t *testing.T) {
	s, err := both()
	if err != nil {
		t.Fatal(err)
	}
	links := []string{"damage=none&digit=7", "damage=missing&severity=0.5&seed=41&restore-alpha=0.5&restore-beta=0.2&restore-sigma=0.9&restore-tau=0&restore-steps=4"}
	for _, k := range degrade.Kinds() {
		links = append(links, "damage="+string(k.Kind), "damage="+string(k.Kind)+"&severity="+strconv.FormatFloat(k.Severe, 'f', -1, 64)+"&seed=9")
	}
	for _, fields := range links {
		a := s.shown(t, fields)
		b, err := json.Marshal(a.Restore.Original())
		if err != nil {
			t.Fatal(err)
		}
		fields = strings.TrimSuffix(fields, "&digit=7") // the body says it
		got := ask[struct {
			Input struct{ Pixels []float32 }
			Steps []struct{ Code []float32 }
		}](t, s, http.MethodPost, "/api/restore?"+fields, b)
		if !near(got.Input.Pixels, a.Restore.Degraded(), 6e-5) { // four decimals
			t.Errorf("%s: the service damages the digit in another way", fields)
		}
		path, _ := a.Path()
		if len(got.Steps) != path.Steps() {
			t.Fatalf("%s: %d steps, the page has %d", fields, len(got.Steps), path.Steps())
		}
		for k, step := range got.Steps {
			if !near(step.Code, path.Code(k, 0), 0) {
				t.Errorf("%s: step %d leads to %v, on the page to %v", fields, k, step.Code, path.Code(k, 0))
			}
		}
	}
}

// near reports whether numbers are as others, but for so much.
func near(a, b []float32, most float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return max(x-y, y-x) <= most })
}

// TestControlsTakeWhatLinksTake: the page's controls range, before its program is
// there, over what links may say.
func TestControlsTakeWhatLinksTake(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "static", "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	type span struct{ min, max, step float64 }
	seed := span{0, link.MaxSeed, 1}
	want := map[string]span{
		"seed": seed, "grid-seed": seed, "point-seed": seed,
		"brush":           {link.MinBrush, link.MaxBrush, 0.2},
		"offer-threshold": {ink.MinThreshold, ink.MaxThreshold, 0.01},
	}
	for _, d := range append(link.Dials(), link.FigureDials()...) {
		want[string(d.Parameter)] = span{d.Min, d.Max, d.Step}
	}
	for id, s := range want {
		tag := regexp.MustCompile(`<input [^>]*id="` + id + `"[^>]*>`).FindString(string(page))
		for name, v := range map[string]float64{"min": s.min, "max": s.max, "step": s.step} {
			if text := strconv.FormatFloat(v, 'f', -1, 64); !strings.Contains(tag, " "+name+`="`+text+`"`) {
				t.Errorf("%s: %s is not %s in %q", id, name, text, tag)
			}
		}
	}
}

// FuzzShareLinks gives links to the page and to the service.
func FuzzShareLinks(f *testing.F) {
	for link := range shared {
		f.Add(link)
	}
	for _, link := range []string{
		"drawing=AQLAAcABUBAQAA&damage=none", "picture=Y2AYBaNg5AEA", "mode=generate&like=" + strings.Repeat("AQ", 24),
		"mode=map&spot=" + strings.Repeat("AQ", 24) + "&follow=spot&map-zoom=2.5&map-x=-0.25&heat=off",
		"mode=manifold&azimuth=180&elevation=-90&closeness=12&without=mppm_dae_ddpm&slice=off&construction=on",
		"bank-add=" + strings.Repeat("AQ", 24) + "&bank-weight=500&forget=0_1_2_3_4_5_6_7_8_9", "class=3&forget=3", "forget=7_1&mode=generate",
		"MODE=MAP&x=%2526&y=%253D", "a?digit=5#seed=3;grid=2", "digit=3D5&seed=%E2%80%8B7",
	} {
		f.Add(link)
	}
	f.Fuzz(func(t *testing.T, link string) {
		if len(link) > api.MaxAddress {
			t.Skip("no service gets such a query")
		}
		check(t, link)
	})
}
