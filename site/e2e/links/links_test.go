// Package links holds the page's reading of a link to the API's. Nothing but
// tests like these imports both.
package links

import (
	"html"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"mppm/shared/classifier"
	"mppm/shared/latent"
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
	s.digits, err = restore.ParseDigits(static.Images, static.Labels, s.model.Image())
	return s, err
})

// answer is what one makes of a link.
type answer struct {
	link   string   // to what is shown
	faults []string // what is left out
}

// page is how the page answers.
func (s *sides) page(t testing.TB, link string) answer {
	t.Helper()
	a, err := app.New(s.engine, s.reader, s.model.Restore, s.model.Generate, s.digits)
	if err != nil {
		t.Fatal(err)
	}
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

// FuzzShareLinks gives links to the page and to the service.
func FuzzShareLinks(f *testing.F) {
	for link := range shared {
		f.Add(link)
	}
	for _, link := range []string{
		"drawing=AQLAAcABUBAQAA&damage=none", "picture=Y2AYBaNg5AEA", "mode=generate&like=" + strings.Repeat("AQ", 24),
		"mode=map&spot=" + strings.Repeat("AQ", 24) + "&follow=spot&map-zoom=2.5&map-x=-0.25&heat=off",
		"mode=manifold&azimuth=180&elevation=-90&closeness=12&without=mppm_dae_ddpm&slice=off&construction=on",
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
