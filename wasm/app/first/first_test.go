package first_test

import (
	"bytes"
	"testing"
	"time"

	"mppm/shared/latent"
	"mppm/site/static"
	"mppm/wasm/app/first"
	"mppm/wasm/app/model"
	"mppm/wasm/app/palette"
	"mppm/weights"
)

func page(fragment string, still bool) first.Page {
	colors := map[string]string{"--cool": "#414081, #a9e1bd", "--classes": "#52f0ff", "--ink": "#ffffff"}
	p, err := palette.Read(func(name string) string {
		if c, ok := colors[name]; ok {
			return c
		}
		return "#000000"
	})
	if err != nil {
		panic(err)
	}
	return first.Page{
		Images: static.Images, Labels: static.Labels, Faces: []string{"faces"}, Fragment: fragment, Still: still,
		Palette: p, Width: 900, Height: 60, Margin: 2, Unit: 1,
	}
}

func show(t *testing.T, p first.Page) *first.Show {
	t.Helper()
	m, err := latent.Load(weights.MNIST)
	if err != nil {
		t.Fatal(err)
	}
	s, err := first.New(m, model.NewEngine(m, 16), p)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestPlays: the first restoration plays from its start to its end, and is another picture
// at every step.
func TestPlays(t *testing.T) {
	s := show(t, page("", false))
	if r := s.Readout(); r.Step != 0 || r.Steps < 2 || !r.Playing {
		t.Fatalf("it begins as %+v", r)
	}
	start, film := s.Restored(), s.Film()
	if len(start) != 4*28*28 || len(film) != 4*904*64 {
		t.Errorf("pictures have %d and %d bytes", len(start), len(film))
	}
	frames := 0
	for s.Advance(30 * time.Millisecond) {
		if frames++; frames > 1000 {
			t.Fatal("it never ends")
		}
	}
	if r := s.Readout(); r.Step != r.Steps || r.Playing || frames < 20 {
		t.Errorf("after %d frames it is at %+v", frames, r)
	}
	if bytes.Equal(start, s.Restored()) || bytes.Equal(film, s.Film()) || bytes.Equal(s.Original(), s.Damaged()) {
		t.Error("the start is the end")
	}
}

// TestLinks: it is what a link says, or nothing where that is not for it to show.
func TestLinks(t *testing.T) {
	if r := show(t, page("step=3", false)).Readout(); r.Step != 3 || r.Playing {
		t.Errorf("a link to step 3 shows %+v", r)
	}
	if r := show(t, page("", true)).Readout(); r.Step != r.Steps || r.Playing {
		t.Errorf("for who wants less motion it begins as %+v", r)
	}
	plain, other := show(t, page("", true)), show(t, page("digit=3", true))
	if bytes.Equal(plain.Original(), other.Original()) {
		t.Error("a link to another digit shows the first one")
	}
	query := page("", true)
	query.Query = "utm_source=x&digit=3"
	if !bytes.Equal(show(t, query).Original(), other.Original()) {
		t.Error("behind a question mark, the link is not read")
	}
	for _, l := range []string{"mode=generate", "mode=map", "mode=manifold", "mode=faces"} {
		if show(t, page(l, true)) != nil {
			t.Errorf("%s shows a restoration", l)
		}
	}
	if show(t, page("%%%&digit=9999&draw=!", true)) == nil {
		t.Error("of a link that is broken, nothing is shown")
	}
}

// TestOddPages: places of no size, and files that are none, do no harm.
func TestOddPages(t *testing.T) {
	for _, size := range [][2]int{{0, 0}, {1, 1}, {900, 3}, {-5, -5}} {
		p := page("", true)
		p.Width, p.Height = size[0], size[1]
		show(t, p).Film()
	}
	m, err := latent.Load(weights.MNIST)
	if err != nil {
		t.Fatal(err)
	}
	p := page("", true)
	p.Images = nil
	if _, err := first.New(m, model.NewEngine(m, 1), p); err == nil {
		t.Error("without digits something is shown")
	}
}
