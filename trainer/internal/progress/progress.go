// Package progress tells a person how far long work has come: on a terminal a
// bar that redraws itself, elsewhere (a file, a pipe, a log) a plain line every
// ten seconds. Both say the rate and the time that is left.
package progress

import (
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

const (
	redrawEvery = 100 * time.Millisecond // on a terminal: smooth, and cheap
	lineEvery   = 10 * time.Second       // elsewhere
	// rateMemory is how far back the rate looks: long enough to be steady,
	// short enough to follow a machine that gets busy.
	rateMemory = 15 * time.Second
	barWidth   = 24 // cells of the bar, at most
)

// Options are what a Bar otherwise finds out itself.
type Options struct {
	Unit  string // what is counted, plural; "images" if empty
	Start int    // how many are done already, by an earlier run
	// Terminal forces the kind of output; nil looks at the writer.
	Terminal *bool
	// Width returns the columns of the terminal; nil asks it.
	Width func() int
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Bar is the progress of one piece of work. Its methods may be called from any
// goroutine. It starts no goroutine of its own: it writes when it is told of
// progress.
type Bar struct {
	mu       sync.Mutex
	w        io.Writer
	label    string
	unit     string
	note     string
	total    int
	start    int
	done     int
	terminal bool
	width    func() int
	now      func() time.Time

	begun    time.Time
	wrote    time.Time // when the last bar or line was written
	marks    []mark    // recent past, for the rate
	drawn    int       // columns of the bar on the screen
	finished bool
}

// mark is how much was done at one moment.
type mark struct {
	at   time.Time
	done int
}

// New starts a bar named label for total things (0: unknown) that writes to w,
// usually standard error. A nil w writes nothing.
func New(w io.Writer, label string, total int, o Options) *Bar {
	if w == nil {
		w = io.Discard
	}
	b := &Bar{w: w, label: label, unit: o.Unit, total: total, start: o.Start, done: o.Start, width: o.Width, now: o.Now}
	if b.unit == "" {
		b.unit = "images"
	}
	file, _ := w.(*os.File)
	if o.Terminal != nil {
		b.terminal = *o.Terminal
	} else {
		b.terminal = file != nil && term.IsTerminal(int(file.Fd())) && os.Getenv("TERM") != "dumb"
	}
	if b.width == nil {
		b.width = func() int {
			if file != nil {
				if cols, _, err := term.GetSize(int(file.Fd())); err == nil && cols > 0 {
					return cols
				}
			}
			return 80
		}
	}
	if b.now == nil {
		b.now = time.Now
	}
	b.begun = b.now()
	b.wrote = b.begun
	b.marks = []mark{{b.begun, b.done}}
	if b.terminal {
		b.draw(b.begun)
	}
	return b
}

// Add says that n more are done.
func (b *Bar) Add(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.set(b.done + n)
}

// Set says that n are done in all, those of Options.Start included.
func (b *Bar) Set(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.set(n)
}

// Note sets a few words that follow the numbers, such as "epoch 3/12 loss 21.4".
func (b *Bar) Note(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.note = fmt.Sprintf(format, args...)
}

// Println writes a line of its own, above the bar.
func (b *Bar) Println(args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clear()
	fmt.Fprintln(b.w, args...)
	if b.terminal && !b.finished {
		b.draw(b.now())
	}
}

// Finish writes the last state: how many, in what time, at what mean rate. It
// is for work that ended, well or not; calling it again does nothing.
func (b *Bar) Finish() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.finished {
		return
	}
	b.finished = true
	b.clear()
	elapsed := b.now().Sub(b.begun)
	line := fmt.Sprintf("%s: %s in %s", b.label, b.count(), span(elapsed))
	if rate := perSecond(b.done-b.start, elapsed); rate > 0 {
		line += fmt.Sprintf(" (%s %s/s)", number(rate), b.unit)
	}
	if b.note != "" {
		line += ", " + b.note
	}
	fmt.Fprintln(b.w, line)
}

func (b *Bar) set(n int) {
	if b.finished {
		return
	}
	b.done = n
	now := b.now()
	every := lineEvery
	if b.terminal {
		every = redrawEvery
	}
	if now.Sub(b.wrote) < every {
		return
	}
	b.marks = append(b.marks, mark{now, n})
	// Keep one mark that is older than the memory, to measure from.
	for len(b.marks) > 2 && now.Sub(b.marks[1].at) >= rateMemory {
		b.marks = b.marks[1:]
	}
	b.wrote = now
	if b.terminal {
		b.draw(now)
	} else {
		fmt.Fprintln(b.w, b.label+": "+b.status(now))
	}
}

// count is "1200/60000 images", or "1200 images" where the total is unknown.
func (b *Bar) count() string {
	if b.total > 0 {
		return fmt.Sprintf("%d/%d %s", b.done, b.total, b.unit)
	}
	return fmt.Sprintf("%d %s", b.done, b.unit)
}

// status is everything but the label and the bar.
func (b *Bar) status(now time.Time) string {
	var s strings.Builder
	if b.total > 0 {
		fmt.Fprintf(&s, "%d%% ", int(100*b.fraction()))
	}
	s.WriteString(b.count())
	rate := perSecond(b.done-b.marks[0].done, now.Sub(b.marks[0].at))
	if rate > 0 {
		fmt.Fprintf(&s, ", %s %s/s", number(rate), b.unit)
		if left := b.total - b.done; left > 0 {
			// A stalled machine can make this as long as it likes; span bounds it.
			seconds := min(float64(left)/rate, 1e9)
			fmt.Fprintf(&s, ", %s left", span(time.Duration(seconds*float64(time.Second))))
		}
	}
	if b.note != "" {
		s.WriteString(", " + b.note)
	}
	return s.String()
}

func (b *Bar) fraction() float64 {
	return min(max(float64(b.done)/float64(b.total), 0), 1)
}

// draw rewrites the bar's line. Lines that do not fit are cut: a wrapped line
// cannot be rewritten.
func (b *Bar) draw(now time.Time) {
	status := b.status(now)
	line := b.label + " "
	cols := b.width() - 1 // some terminals wrap at the last column
	if b.total > 0 {
		if room := min(cols-len([]rune(line))-len([]rune(status))-3, barWidth); room >= 8 {
			full := int(math.Round(float64(room) * b.fraction()))
			line += "[" + strings.Repeat("=", full) + strings.Repeat(" ", room-full) + "] "
		}
	}
	text := []rune(line + status)
	if len(text) > cols {
		text = text[:max(cols, 0)]
	}
	pad := max(b.drawn-len(text), 0)
	fmt.Fprint(b.w, "\r"+string(text)+strings.Repeat(" ", pad)+strings.Repeat("\b", pad))
	b.drawn = len(text)
}

// clear takes the bar off the screen.
func (b *Bar) clear() {
	if b.drawn > 0 {
		fmt.Fprint(b.w, "\r"+strings.Repeat(" ", b.drawn)+"\r")
		b.drawn = 0
	}
}

func perSecond(n int, d time.Duration) float64 {
	if n <= 0 || d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}

// number writes a rate with three figures that matter.
func number(x float64) string {
	switch {
	case x >= 99.95:
		return fmt.Sprintf("%.0f", x)
	case x >= 9.995:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.2f", x)
}

// span writes a time as 0.4s, 12s, 3m05s, 2h07m, 3d04h.
func span(d time.Duration) string {
	if d < 0 {
		d = 0
	}
	if d < 10*time.Second {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	s := int64(d.Round(time.Second) / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	case s < 86400:
		return fmt.Sprintf("%dh%02dm", s/3600, s%3600/60)
	}
	return fmt.Sprintf("%dd%02dh", s/86400, s%86400/3600)
}
