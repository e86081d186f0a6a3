package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"mppm/site/internal/browser"
	"mppm/site/internal/bundle"
)

var (
	dist  string          // the built page
	chrom context.Context // the browser, which every test opens a tab of
)

// patience is how long a page may take for anything. The browser draws in
// software, on a machine that may be slow and busy: what is long done elsewhere is
// waited for, and only what never comes takes this long.
const patience = 5 * time.Minute

func TestMain(m *testing.M) {
	if os.Getenv("MPPM_SKIP_BROWSER") == "1" {
		fmt.Println("MPPM_SKIP_BROWSER=1: the page is not tested in a browser")
		return
	}
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

// run builds the page, or takes that of MPPM_DIST, and starts the browser.
func run(m *testing.M) (int, error) {
	if _, err := browser.Find(); err != nil {
		return 0, fmt.Errorf("%w (MPPM_SKIP_BROWSER=1 leaves these tests out)", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		return 0, err
	}
	if dist = os.Getenv("MPPM_DIST"); dist == "" {
		tmp, err := os.MkdirTemp("", "mppm-e2e-")
		if err != nil {
			return 0, err
		}
		defer os.RemoveAll(tmp)
		dist = filepath.Join(tmp, "dist")
		if err := writeFaces(tmp); err != nil {
			return 0, err
		}
		if err := bundle.Build(ctx, bundle.Options{Root: root, Out: dist, Faces: tmp, Fast: true, Log: os.Stdout}); err != nil {
			return 0, fmt.Errorf("building the page: %w", err)
		}
	} else if !filepath.IsAbs(dist) {
		dist = filepath.Join(root, dist)
	}
	if _, err := os.Stat(filepath.Join(dist, bundle.ManifestName)); err != nil {
		return 0, fmt.Errorf("%s holds no built page: build it with `make site`, or leave MPPM_DIST empty", dist)
	}
	tab, cancel, err := browser.Start(ctx)
	if err != nil {
		return 0, err
	}
	defer cancel()
	chrom = tab
	return m.Run(), nil
}

// memory is what the density was taught.
type memory struct {
	Codes  string `json:"codes"`
	Weight int    `json:"weight"`
	Forget string `json:"forget"`
}

// state is what window.mppm.state() returns.
type state struct {
	Ready      bool     `json:"ready"`
	SIMD       bool     `json:"simd"`
	Mode       string   `json:"mode"`
	Source     string   `json:"source"`
	Digit      int      `json:"digit"`
	Label      int      `json:"label"`
	Settled    bool     `json:"settled"`
	Undo       bool     `json:"undo"`
	Redo       bool     `json:"redo"`
	Kind       string   `json:"kind"`
	Severity   float64  `json:"severity"`
	Seed       uint64   `json:"seed"`
	GridSeed   uint64   `json:"generateSeed"`
	Grid       int      `json:"grid"`
	Selected   int      `json:"selected"`
	Step       int      `json:"step"`
	Steps      int      `json:"steps"`
	Playing    bool     `json:"playing"`
	Busy       bool     `json:"busy"`
	Distance   float64  `json:"distance"`
	MSEBefore  float64  `json:"mseBefore"`
	MSEAfter   float64  `json:"mseAfter"`
	SSIMBefore float64  `json:"ssimBefore"`
	SSIMAfter  float64  `json:"ssimAfter"`
	Flow       preset   `json:"restoreFlow"`
	GridFlow   preset   `json:"generateFlow"`
	Reads      reading  `json:"reads"`
	ReadsFirst reading  `json:"readsFirst"`
	Status     string   `json:"status"`
	Error      string   `json:"error"`
	Class      int      `json:"class"`
	Like       string   `json:"like"`
	Walk       bool     `json:"walk"`
	WalkTo     int      `json:"walkTo"`
	Follow     string   `json:"follow"`
	Subject    string   `json:"subject"`
	View       view     `json:"view"`
	Heat       bool     `json:"heat"`
	Memory     memory   `json:"memory"`
	Active     bool     `json:"active"`
	Spot       string   `json:"spot"`
	Place      *place   `json:"place"`
	DAE        *rival   `json:"dae"`
	LDM        *rival   `json:"ldm"`
	Highest    float64  `json:"highest"`
	Figure     figure   `json:"figure"`
	Descent    *descent `json:"descent"`
	Faces      struct {
		To int `json:"to"`
	} `json:"faces"`
	Face *face `json:"face"`
}

// view is what part of the map is seen.
type view struct {
	X    float64 `json:"x"`
	Y    float64 `json:"y"`
	Zoom float64 `json:"zoom"`
}

// place is where on the map the point is.
type place struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// face is what Faces shows.
type face struct {
	Strokes int    `json:"strokes"`
	Redo    bool   `json:"redo"`
	Photo   bool   `json:"photo"`
	Grown   int    `json:"grown"`
	Before  *rival `json:"before"`
	After   *rival `json:"after"`
}

// rival is what a baseline makes of the damaged image.
type rival struct {
	MSE   float64 `json:"mse"`
	SSIM  float64 `json:"ssim"`
	Reads reading `json:"reads"`
	Done  int     `json:"done"`
	Total int     `json:"total"`
}

type preset struct {
	Alpha float64 `json:"alpha"`
	Beta  float64 `json:"beta"`
	Sigma float64 `json:"sigma"`
	Tau   float64 `json:"tau"`
	Steps int     `json:"steps"`
}

type reading struct {
	Digit      int     `json:"digit"`
	Confidence float64 `json:"confidence"`
}

// tab is one open page.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu     sync.Mutex
	errors []string // what the page wrote to the console as errors
}

// desk is the screen of a desk: as wide as others, but coarse, and so soon drawn.
var desk = chromedp.EmulateViewport(1280, 900, chromedp.EmulateScale(coarse))

// coarse is how many pixels of the screen desk has in one of the page.
const coarse = 0.5

// blank opens an empty tab that collects the page's errors. Its visitor wants less
// motion: drawing it is most of what a page costs here, and few tests are about it.
func blank(t *testing.T, options ...chromedp.ContextOption) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(chrom, options...)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, desk); err != nil {
		t.Fatal(err)
	}
	p := &tab{t: t, ctx: ctx}
	p.prefers("dark", still)
	p.focused(true) // tests run side by side, and each of their pages has the focus
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.Type == chromedp.ConsoleError || m.IsException() {
				p.mu.Lock()
				p.errors = append(p.errors, m.String())
				p.mu.Unlock()
			}
		}
	}()
	return p
}

// open opens a page and waits until it is ready. At the end of the test, the
// page must have written no error to the console.
func open(t *testing.T, url string) *tab {
	t.Helper()
	return blank(t).visits(url)
}

// moving opens a page as open does, for a visitor who likes motion: what can play
// plays by itself.
func moving(t *testing.T, url string) *tab {
	t.Helper()
	p := blank(t)
	p.prefers("dark", moves)
	return p.visits(url)
}

// visits has an empty tab open a page, as open does.
func (p *tab) visits(url string) *tab {
	p.t.Helper()
	p.do(chromedp.Navigate(url))
	p.ready()
	p.t.Cleanup(func() {
		for _, e := range p.consoleErrors() {
			p.t.Errorf("console: %s", e)
		}
	})
	return p
}

// focused has the page think that it has the focus and is seen, whatever is before
// it, or has it see for itself.
func (p *tab) focused(always bool) {
	p.t.Helper()
	if _, err := chromedp.Call(p.ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: always}); err != nil {
		p.t.Fatal(err)
	}
}

// What a visitor may prefer of motion.
const (
	still = "reduce"
	moves = "no-preference"
)

// prefers has the page think that the visitor prefers a theme, and less motion or
// does not mind.
func (p *tab) prefers(theme, motion string) {
	p.t.Helper()
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: motion}}}
	if _, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, media); err != nil {
		p.t.Fatal(err)
	}
}

func (p *tab) consoleErrors() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.errors...)
}

// ready waits for the page to be so, and fails with what it says if it is not.
func (p *tab) ready() {
	p.t.Helper()
	if got := p.outcome(); got != "" {
		p.t.Fatalf("the page says: %s", got)
	}
	p.wait("the program to answer", func(s state) bool { return s.Ready })
}

// outcome waits until the page is loaded or has failed, and returns what it says
// in the latter case.
func (p *tab) outcome() string {
	p.t.Helper()
	p.do(chromedp.Poll[chromedp.Void](`document.getElementById("work").dataset.state !== "loading"`, chromedp.WithPollingTimeout(patience)))
	return eval[string](p, `document.getElementById("work").dataset.state === "failed" ? document.getElementById("loading-detail").textContent : ""`)
}

func (p *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

func eval[T any](p *tab, js string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](js))
	if err != nil {
		p.t.Fatalf("%s: %v", js, err)
	}
	return v
}

func (p *tab) state() state {
	p.t.Helper()
	var s state
	if err := json.Unmarshal([]byte(eval[string](p, `window.mppm.state()`)), &s); err != nil {
		p.t.Fatal(err)
	}
	return s
}

// wait waits until the state is as it should be, and at rest.
func (p *tab) wait(what string, ok func(state) bool) state {
	p.t.Helper()
	var s state
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if s = p.state(); ok(s) {
			return s
		}
	}
	p.t.Fatalf("waited for %s in vain; the state is %+v", what, s)
	return s
}

func (p *tab) rest(what string, ok func(state) bool) state {
	p.t.Helper()
	return p.wait(what, func(s state) bool { return !s.Busy && ok(s) })
}

func (p *tab) click(id string) {
	p.t.Helper()
	p.do(chromedp.Click("#" + id))
}

// set gives a control a value, as moving a slider or choosing an option does.
func (p *tab) set(id, value, event string) {
	p.t.Helper()
	eval[bool](p, fmt.Sprintf(`(e => { e.value = %q; return e.dispatchEvent(new Event(%q, {bubbles: true})); })(document.getElementById(%q))`, value, event, id))
}

// reveal scrolls an element to the middle of the window, and returns where it is
// there.
func (p *tab) reveal(selector string) box {
	p.t.Helper()
	eval[bool](p, fmt.Sprintf(`(document.querySelector(%q).scrollIntoView({block: "center", behavior: "instant"}), true)`, selector))
	return p.box(selector)
}

// key presses keys, as on a keyboard, wherever the focus is.
func (p *tab) key(keys string) {
	p.t.Helper()
	p.do(chromedp.KeyEvent(keys))
}

// slide drags the thumb of a slider to a share of its track, by mouse.
func (p *tab) slide(id string, to float64) {
	p.t.Helper()
	b := p.reveal("#" + id)
	value := eval[float64](p, fmt.Sprintf(`(e => (e.value - e.min) / (e.max - e.min))(document.getElementById(%q))`, id))
	const thumb = 18 // wide, so that its middle stays this far from the ends
	at := func(share float64) float64 { return b.X + thumb/2 + (b.W-thumb)*share }
	y := b.Y + b.H/2
	p.mouse(input.DispatchMouseEventTypeMousePressed, at(value), y)
	for i := range 5 {
		p.mouse(input.DispatchMouseEventTypeMouseMoved, at(value+(to-value)*float64(i+1)/5), y)
	}
	p.mouse(input.DispatchMouseEventTypeMouseReleased, at(to), y)
}

// choose takes an entry of a list by keyboard.
func (p *tab) choose(id, value string) {
	p.t.Helper()
	steps := eval[int](p, fmt.Sprintf(`(e => [...e.options].findIndex(o => o.value === %q) - e.selectedIndex)(document.getElementById(%q))`, value, id))
	p.do(chromedp.Focus("#" + id))
	key := kb.ArrowDown
	if steps < 0 {
		key, steps = kb.ArrowUp, -steps
	}
	for range steps {
		p.key(key)
	}
	if got := eval[string](p, fmt.Sprintf(`document.getElementById(%q).value`, id)); got != value {
		p.t.Fatalf("the list %s says %q after choosing %q", id, got, value)
	}
}

// enter types a number into a field.
func (p *tab) enter(id, number string) {
	p.t.Helper()
	p.do(chromedp.Focus("#" + id))
	eval[bool](p, fmt.Sprintf(`(document.getElementById(%q).select(), true)`, id))
	p.key(number + kb.Enter)
}

// drag presses, moves and releases the mouse, through places in pixels of the
// window.
func (p *tab) drag(through ...[2]float64) {
	p.t.Helper()
	p.mouse(input.DispatchMouseEventTypeMousePressed, through[0][0], through[0][1])
	for i, at := range through[1:] {
		was := through[i]
		for k := range 6 {
			t := float64(k+1) / 6
			p.mouse(input.DispatchMouseEventTypeMouseMoved, was[0]+(at[0]-was[0])*t, was[1]+(at[1]-was[1])*t)
		}
	}
	last := through[len(through)-1]
	p.mouse(input.DispatchMouseEventTypeMouseReleased, last[0], last[1])
}

// fingers puts fingers where they are given, or takes them all off.
func (p *tab) fingers(kind input.DispatchTouchEventType, at ...[2]float64) {
	p.t.Helper()
	var points []*input.TouchPoint
	for i, f := range at {
		points = append(points, &input.TouchPoint{X: f[0], Y: f[1], ID: new(float64(i))})
	}
	if _, err := chromedp.Call(p.ctx, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: kind, TouchPoints: points}); err != nil {
		p.t.Fatal(err)
	}
}

// box is where an element is in the window, in pixels of the page.
type box struct{ X, Y, W, H float64 }

func (p *tab) box(selector string) box {
	p.t.Helper()
	return eval[box](p, fmt.Sprintf(`(r => ({X: r.left, Y: r.top, W: r.width, H: r.height}))(document.querySelector(%q).getBoundingClientRect())`, selector))
}

// picture is what can be seen of an element, without its outline.
func (p *tab) picture(selector string) image.Image {
	p.t.Helper()
	b := p.box(selector)
	scroll := eval[float64](p, `window.scrollY`)
	beyond := true
	r, err := chromedp.Call(p.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{
		Clip:                  &page.Viewport{X: b.X + 2, Y: b.Y + 2 + scroll, Width: b.W - 4, Height: b.H - 4, Scale: 1},
		CaptureBeyondViewport: &beyond,
	})
	if err != nil {
		p.t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(r.Data))
	if err != nil {
		p.t.Fatal(err)
	}
	return img
}

// shares returns which shares of a picture are nearly black, nearly white, and
// of a strong color.
func shares(img image.Image) (dark, bright, colored float64) {
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, bl, _ := img.At(x, y).RGBA()
			hi, lo := max(r, g, bl)>>8, min(r, g, bl)>>8
			switch {
			case hi-lo > 60:
				colored++
			case hi < 60:
				dark++
			case lo > 190:
				bright++
			}
		}
	}
	n := float64(b.Dx() * b.Dy())
	return dark / n, bright / n, colored / n
}

func (p *tab) mouse(kind input.DispatchMouseEventType, x, y float64) {
	p.t.Helper()
	p.do(chromedp.MouseEvent(kind, x, y, chromedp.ButtonLeft))
}

// servers counts those that were started.
var servers atomic.Int64

// server serves the page below a path, as a host that no test had before: the browser
// that tests share may keep files of an earlier one, which had the same port.
func server(t *testing.T, below string, h http.Handler) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle(below, http.StripPrefix(strings.TrimSuffix(below, "/"), h))
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return strings.Replace(s.URL, "127.0.0.1", fmt.Sprintf("host%d.localhost", servers.Add(1)), 1) + below
}
