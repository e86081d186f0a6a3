package progress

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

// clock is a clock that a test moves by hand.
type clock struct{ t time.Time }

func (c *clock) now() time.Time        { return c.t }
func (c *clock) sleep(d time.Duration) { c.t = c.t.Add(d) }
func newClock() *clock                 { return &clock{time.Unix(1000, 0)} }
func columns(n int) func() int         { return func() int { return n } }
func kind(terminal bool) *bool         { return &terminal }
func lines(b *bytes.Buffer) []string {
	return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
}
func frames(b *bytes.Buffer) []string { return strings.Split(b.String(), "\r")[1:] }
func last[T any](s []T) T             { return s[len(s)-1] }
func visible(frame string) string     { return strings.TrimRight(strings.ReplaceAll(frame, "\b", ""), " ") }

func TestPlainLines(t *testing.T) {
	c := newClock()
	var out bytes.Buffer
	b := New(&out, "training", 60000, Options{Terminal: kind(false), Now: c.now})
	for range 9 {
		c.sleep(time.Second)
		b.Add(1000)
	}
	if out.Len() != 0 {
		t.Fatalf("wrote %q before ten seconds were over", out.String())
	}
	b.Note("loss %.1f", 21.25)
	c.sleep(time.Second)
	b.Add(1000)
	if got, want := out.String(), "training: 16% 10000/60000 images, 1000 images/s, 50s left, loss 21.2\n"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	b.Println("epoch 1 done")
	c.sleep(2 * time.Second)
	b.Finish()
	b.Finish()
	b.Add(1)
	got := lines(&out)
	want := []string{"epoch 1 done", "training: 10000/60000 images in 12s (833 images/s), loss 21.2"}
	if len(got) != 3 || got[1] != want[0] || got[2] != want[1] {
		t.Errorf("got %q, want a line and then %q", got, want)
	}
}

func TestRateFollowsTheRecentPast(t *testing.T) {
	c := newClock()
	var out bytes.Buffer
	b := New(&out, "x", 1_000_000, Options{Terminal: kind(false), Now: c.now})
	for range 60 { // a minute of 1000/s
		c.sleep(time.Second)
		b.Add(1000)
	}
	for range 30 { // half a minute of 100/s
		c.sleep(time.Second)
		b.Add(100)
	}
	if got := last(lines(&out)); !strings.Contains(got, ", 100 images/s, 2h36m left") {
		t.Errorf("last line %q, want the rate of the last seconds", got)
	}
}

func TestStart(t *testing.T) {
	c := newClock()
	var out bytes.Buffer
	b := New(&out, "x", 100, Options{Terminal: kind(false), Now: c.now, Start: 50, Unit: "epochs"})
	c.sleep(10 * time.Second)
	b.Set(55)
	b.Finish()
	want := "x: 55% 55/100 epochs, 0.50 epochs/s, 1m30s left\nx: 55/100 epochs in 10s (0.50 epochs/s)\n"
	if out.String() != want {
		t.Errorf("got  %q\nwant %q", out.String(), want)
	}
}

func TestTerminal(t *testing.T) {
	c := newClock()
	var out bytes.Buffer
	b := New(&out, "restoring", 200, Options{Terminal: kind(true), Now: c.now, Width: columns(100)})
	if got, want := visible(last(frames(&out))), "restoring [                        ] 0% 0/200 images"; got != want {
		t.Errorf("first bar %q, want %q", got, want)
	}
	n := len(frames(&out))
	c.sleep(50 * time.Millisecond)
	b.Add(1)
	if len(frames(&out)) != n {
		t.Error("redrew after 50 ms")
	}
	c.sleep(950 * time.Millisecond)
	b.Add(99)
	if got, want := visible(last(frames(&out))), "restoring [============            ] 50% 100/200 images, 100 images/s, 1.0s left"; got != want {
		t.Errorf("bar\n%q, want\n%q", got, want)
	}
	if strings.Contains(out.String(), "\n") {
		t.Error("a line ended while the bar was drawn")
	}
	b.Finish()
	if got, want := last(frames(&out)), "restoring: 100/200 images in 1.0s (100 images/s)\n"; got != want {
		t.Errorf("end %q, want %q", got, want)
	}
}

func TestTerminalNarrow(t *testing.T) {
	for _, cols := range []int{0, 1, 10, 40, 60} {
		c := newClock()
		var out bytes.Buffer
		b := New(&out, "restoring", 200, Options{Terminal: kind(true), Now: c.now, Width: columns(cols)})
		c.sleep(time.Second)
		b.Add(100)
		for _, f := range frames(&out) {
			if n := len([]rune(strings.TrimRight(f, "\b"))); n > max(cols-1, 0) {
				t.Errorf("%d columns: a frame of %d: %q", cols, n, f)
			}
		}
	}
}

func TestShorterFrameCoversLonger(t *testing.T) {
	c := newClock()
	var out bytes.Buffer
	b := New(&out, "x", 0, Options{Terminal: kind(true), Now: c.now, Width: columns(80)})
	b.Note("a long note that goes away")
	c.sleep(time.Second)
	b.Add(1)
	long := len(last(frames(&out)))
	b.Note("")
	c.sleep(time.Second)
	b.Add(1)
	if got := strings.TrimRight(last(frames(&out)), "\b"); len(got) != long {
		t.Errorf("a frame of %d does not cover one of %d", len(got), long)
	}
	b.Println("hello")
	if !strings.Contains(out.String(), "\rhello\n") {
		t.Errorf("no line above the bar in %q", out.String())
	}
}

func TestUnknownTotalAndNil(t *testing.T) {
	c := newClock()
	var out bytes.Buffer
	b := New(&out, "x", 0, Options{Terminal: kind(false), Now: c.now})
	c.sleep(10 * time.Second)
	b.Add(5)
	if got, want := out.String(), "x: 5 images, 0.50 images/s\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	New(nil, "x", 1, Options{}).Finish()
	New(io.Discard, "x", 1, Options{}).Add(1)
}

func TestConcurrent(t *testing.T) {
	b := New(io.Discard, "x", 1000, Options{Terminal: kind(true), Width: columns(80)})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 250 {
				b.Add(1)
				b.Note("n")
			}
		})
	}
	wg.Wait()
	if b.done != 1000 {
		t.Errorf("done is %d, want 1000", b.done)
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second:                "0.0s",
		400 * time.Millisecond:      "0.4s",
		12 * time.Second:            "12s",
		59*time.Second + 700e6:      "1m00s",
		185 * time.Second:           "3m05s",
		2*time.Hour + 7*time.Minute: "2h07m",
		76 * time.Hour:              "3d04h",
		1_000_000_000 * time.Second: "11574d01h",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%v) = %s, want %s", d, got, want)
		}
	}
	for x, want := range map[float64]string{0.123: "0.12", 9.999: "10.0", 12.34: "12.3", 99.96: "100", 5130.4: "5130"} {
		if got := number(x); got != want {
			t.Errorf("number(%v) = %s, want %s", x, got, want)
		}
	}
}
