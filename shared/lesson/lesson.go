// Package lesson is what the page and the program that trains for it say to each other:
// a Task, orders on the way, and Reports of what has been learnt so far. The page and
// `mppm train points` make the same of a Task, byte for byte, where the latter is given
// what Command says.
//
// The program runs in a worker, which the loader starts when the page calls
// mppm.trainer(), as engines are by mppm.engine(): the page posts it each message as an
// array of one Uint8Array, and is posted a Uint8Array for each Report. A worker that dies
// has the event "error".
//
// Messages come from another program. Reading one trusts nothing in it, and returns an
// error that says what is wrong.
package lesson

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Limits of a Task. What is beyond them trains for so long, or takes so much memory, that
// a page is the wrong place: the command line has wider ones.
const (
	MinDim     = 2        // coordinates of a point
	MaxDim     = 3        // as many as the page can draw
	MinPoints  = 20       // below, too few are held out to say when to stop
	MaxPoints  = 4000     // of more, Thin takes so many
	MaxSize    = 1e30     // of a coordinate: squares of such numbers are far from overflow
	MaxEpochs  = 100_000  // times through the points
	MaxBatch   = 4096     // points in a step
	MaxNoise   = 100      // deviation, in sizes of the cloud
	MaxRate    = 10       // of Adam's learning rate
	MaxLatent  = 64       // coordinates of a code
	MaxLayers  = 8        // hidden layers of a net
	MaxWidth   = 512      // of a hidden layer
	MaxFrom    = 64 << 20 // bytes of weights to go on from
	maxName    = 200      // bytes of a file's name
	resolution = 1e-11    // how wide a cloud must be, in shares of its distance from 0
)

// Method is one of the three things that are trained on the same points.
type Method uint8

// The methods, in the order in which they are trained.
const (
	MPPM Method = iota // F, G and D of Eq. 16
	DAE                // the denoising autoencoder
	DDPM               // the denoiser of Alg. 2
	Methods
)

// String returns what the paper calls it.
func (m Method) String() string {
	if m < Methods {
		return [Methods]string{"MPPM", "DAE", "DDPM"}[m]
	}
	return fmt.Sprintf("Method(%d)", uint8(m))
}

// Settings are those of `mppm train points` that a Task may give; 0, or nothing, leaves
// one as it is there.
type Settings struct {
	Epochs   int     // times through the points, at most: --epochs
	Patience int     // epochs without getting better after which MPPM and DAE stop: --patience
	Batch    int     // points in a step: --batch
	Rate     float64 // Adam's learning rate at the start: --rate
	Noise    float64 // the most noise of training, the points having size 1: --noise
	Latent   int     // coordinates of a code; 2 for closed curves: --latent
	Hidden   []int   // hidden widths of F, and in reverse of G: --hidden
	Distance []int   // of D: --distance
	Denoiser []int   // of the diffusion's net: --denoiser
}

// Task is what is to be learnt.
type Task struct {
	ID     uint64    // chosen by who asks; reports have it
	Name   string    // of the CSV file that would hold the points, as figure.csv: the weights name it
	Dim    int       // coordinates of a point, MinDim to MaxDim
	Points []float64 // n × Dim, in their own coordinates, whatever those are
	Seed   uint64
	Settings
	// Only is the methods that are trained; none means all, as the command line does.
	// What is not trained stays as it was drawn, or as From has it.
	Only []Method
	// From, unless it is empty, is a weights file of `mppm train points`, or of a
	// Report, that training goes on from. Its nets must have the widths of the
	// Settings.
	From []byte
}

// Len returns the number of points.
func (t *Task) Len() int { return len(t.Points) / max(t.Dim, 1) }

// Trains reports whether the task has a method trained.
func (t *Task) Trains(m Method) bool { return len(t.Only) == 0 || slices.Contains(t.Only, m) }

// Check returns an error that says, in a sentence for the person who drew or brought the
// points, what cannot be trained on and what to do.
func (t *Task) Check() error {
	if t.Dim < MinDim || t.Dim > MaxDim {
		return fmt.Errorf("a point has %d coordinates; this page takes %d or %d", t.Dim, MinDim, MaxDim)
	}
	if len(t.Points)%t.Dim != 0 {
		return fmt.Errorf("%d numbers are no points of %d coordinates", len(t.Points), t.Dim)
	}
	if err := t.checkPoints(); err != nil {
		return err
	}
	if len(t.Name) > maxName || strings.ContainsFunc(t.Name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return fmt.Errorf("the points' name is to be a line of at most %d bytes", maxName)
	}
	if len(t.From) > MaxFrom {
		return fmt.Errorf("the weights to go on from have %d MB; give at most %d", len(t.From)>>20, MaxFrom>>20)
	}
	for _, m := range t.Only {
		if m >= Methods {
			return fmt.Errorf("there is no method %d to train", m)
		}
	}
	return t.Settings.check()
}

func (t *Task) checkPoints() error {
	n := t.Len()
	switch {
	case n == 0:
		return fmt.Errorf("there are no points yet; draw a stroke, or drop a file of points")
	case n == 1:
		return fmt.Errorf("there is one point; draw a stroke: a curve takes at least %d", MinPoints)
	case n < MinPoints:
		return fmt.Errorf("there are %d points; give at least %d, better a few hundred", n, MinPoints)
	case n > MaxPoints:
		return fmt.Errorf("there are %d points; give at most %d", n, MaxPoints)
	}
	for i, v := range t.Points {
		if v-v != 0 || math.Abs(v) > MaxSize {
			return fmt.Errorf("coordinate %d of point %d is %v; it must be a number within ±%g", i%t.Dim+1, i/t.Dim+1, v, MaxSize)
		}
	}
	spread, size := 0.0, 0.0
	for k := range t.Dim {
		lo, hi := t.Points[k], t.Points[k]
		for i := k; i < len(t.Points); i += t.Dim {
			lo, hi = min(lo, t.Points[i]), max(hi, t.Points[i])
		}
		spread = max(spread, hi-lo)
		size = max(size, math.Abs(lo), math.Abs(hi))
	}
	if spread == 0 {
		return fmt.Errorf("all %d points are on one spot; draw a stroke", n)
	}
	if spread < resolution*size {
		return fmt.Errorf("the points lie within %.3g of each other and %.3g from 0: numbers do not tell them apart; take off what they have in common", spread, size)
	}
	return nil
}

// check returns an error that says which setting is out of range.
func (s *Settings) check() error {
	for _, v := range []struct {
		what    string
		v, most float64
	}{
		{"the number of epochs", float64(s.Epochs), MaxEpochs}, {"the patience", float64(s.Patience), MaxEpochs}, {"the batch", float64(s.Batch), MaxBatch},
		{"the learning rate", s.Rate, MaxRate}, {"the noise", s.Noise, MaxNoise}, {"the number of a code's coordinates", float64(s.Latent), MaxLatent},
	} {
		if !(v.v >= 0 && v.v <= v.most) {
			return fmt.Errorf("%s is %v; give at most %v", v.what, v.v, v.most)
		}
	}
	for _, w := range []struct {
		net    string
		widths []int
	}{{"F and G", s.Hidden}, {"D", s.Distance}, {"the denoiser", s.Denoiser}} {
		if len(w.widths) > MaxLayers {
			return fmt.Errorf("%s would have %d hidden layers; give at most %d", w.net, len(w.widths), MaxLayers)
		}
		for _, n := range w.widths {
			if n < 1 || n > MaxWidth {
				return fmt.Errorf("a hidden layer of %s would have width %d; give 1 to %d", w.net, n, MaxWidth)
			}
		}
	}
	return nil
}

// Thin returns points of dim coordinates as they are, or, of more than MaxPoints, so many
// at even intervals of their order, and a sentence that says so.
func Thin(points []float64, dim int) (kept []float64, note string) {
	n := len(points) / dim
	if n <= MaxPoints {
		return points, ""
	}
	for i := range MaxPoints {
		at := i * n / MaxPoints * dim
		kept = append(kept, points[at:at+dim]...)
	}
	return kept, fmt.Sprintf("Of %d points %d are taken, at even intervals.", n, MaxPoints)
}

// CSV returns the points as a file that the command line reads to the same bits.
func (t *Task) CSV() []byte {
	var b []byte
	for i, v := range t.Points {
		b = strconv.AppendFloat(b, v, 'g', -1, 64)
		if (i+1)%t.Dim == 0 {
			b = append(b, '\n')
		} else {
			b = append(b, ',')
		}
	}
	return b
}

// Command returns the command that trains the same on the file of CSV, by the name of the
// task, to the same bits; from is the name of the file of From, if there is one. The
// command line trains all methods.
func (t *Task) Command(from string) string {
	words := []string{"mppm", "train", "points", "--in", quoted(t.Name), "--seed", strconv.FormatUint(t.Seed, 10)}
	add := func(flag, value string) { words = append(words, "--"+flag, value) }
	whole := func(flag string, v int) {
		if v != 0 {
			add(flag, strconv.Itoa(v))
		}
	}
	number := func(flag string, v float64) {
		if v != 0 {
			add(flag, strconv.FormatFloat(v, 'g', -1, 64))
		}
	}
	widths := func(flag string, v []int) {
		var s []string
		for _, n := range v {
			s = append(s, strconv.Itoa(n))
		}
		if len(s) > 0 {
			add(flag, strings.Join(s, ","))
		}
	}
	whole("epochs", t.Epochs)
	whole("patience", t.Patience)
	whole("batch", t.Batch)
	number("rate", t.Rate)
	number("noise", t.Noise)
	whole("latent", t.Latent)
	widths("hidden", t.Hidden)
	widths("distance", t.Distance)
	widths("denoiser", t.Denoiser)
	if len(t.From) > 0 {
		add("from", quoted(from))
	}
	return strings.Join(append(words, "--portable"), " ")
}

// quoted returns a word of a shell.
func quoted(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./", r)
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
