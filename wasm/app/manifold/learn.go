package manifold

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"mppm/shared/lesson"
	"mppm/shared/link"
	"mppm/wasm/app/compute"
	"mppm/wasm/app/easel"
)

// class is the training that is under way: one curve at a time.
type class struct {
	line  compute.Line // to the program that trains, once it was started
	sheet *Sheet       // whose turn it is, nil if nobody's
	ids   uint64
}

// Course is how the training of a sheet goes.
type Course struct {
	Begun  bool
	Heard  bool // of the program: until then it is fetched and starts
	Report lesson.Report
	Marks  []lesson.Mark // all of them, by epochs since the first training
	before [lesson.Methods]int
}

// Running reports whether the training is under way, or paused.
func (c *Course) Running() bool { return c.Begun && !c.Report.State.Over() }

// Share returns how much is done, 0 to 1.
func (c *Course) Share() float64 {
	if c.Report.State == lesson.Done {
		return 1
	}
	return float64(c.Report.Step) / float64(max(c.Report.Steps, 1))
}

// Says says how the training stands.
func (c *Course) Says() string {
	r := &c.Report
	switch {
	case !c.Begun:
		return ""
	case r.State == lesson.Failed:
		return capital(r.Err)
	case !c.Heard:
		return "Fetching the program that trains …"
	case r.State == lesson.Done:
		return "Learnt."
	case r.State == lesson.Stopped:
		return "Stopped. What was learnt by then is kept."
	}
	says := fmt.Sprintf("%v, epoch %d of at most %d", r.Method, r.Epoch, r.Epochs)
	if r.State == lesson.Paused {
		return "Paused: " + says
	}
	if r.Left >= 0 {
		says += fmt.Sprintf(" · %.0f s left", math.Ceil(r.Left))
	}
	return says
}

// Graph returns the losses of a method on the points held out as a line from left to right
// and from the top, all within 0 to 1, on a logarithmic scale that all methods share.
func (c *Course) Graph(m lesson.Method) (line [][2]float64) {
	last, lo, hi := 1, math.Inf(1), math.Inf(-1)
	for _, k := range c.Marks {
		if !(k.Held > 0) || math.IsInf(k.Held, 0) {
			continue
		}
		last, lo, hi = max(last, k.Epoch), min(lo, math.Log(k.Held)), max(hi, math.Log(k.Held))
	}
	for _, k := range c.Marks {
		if k.Method == m && k.Held > 0 && !math.IsInf(k.Held, 0) {
			line = append(line, [2]float64{float64(k.Epoch) / float64(last), (hi - math.Log(k.Held)) / max(hi-lo, 1e-9)})
		}
	}
	return line
}

// Held returns the last loss of a method on the points held out, and whether there is one.
func (c *Course) Held(m lesson.Method) (float64, bool) {
	for _, k := range slices.Backward(c.Marks) {
		if k.Method == m {
			return k.Held, true
		}
	}
	return 0, false
}

// Course returns how the training of the sheet that is shown goes.
func (r *Room) Course() *Course {
	if s := r.Sheet(); s != nil {
		return &s.course
	}
	return &Course{}
}

// TaughtBy says who starts the program that trains. Without it there is none.
func (r *Room) TaughtBy(d compute.Dial) { r.dial = d }

// The nets of curves of one's own: those of the page's curves.
var distance = []int{64, 32}

// noise is the most noise of training, as wide as parts of a drawing are apart.
const noise = 0.3

// Task returns what is to be learnt of the sheet that is shown, nil where there is none.
func (r *Room) Task() *lesson.Task {
	s := r.Sheet()
	if s == nil {
		return nil
	}
	d := r.s.Figure.Drawn
	if s.taught != nil && s.of == d {
		return s.taught
	}
	t := &lesson.Task{
		Name: s.file() + ".csv", Dim: 2, Points: r.sampled(s), Seed: d.Seed,
		Settings: lesson.Settings{Latent: d.Codes, Noise: noise, Distance: distance},
	}
	if s.FromFile() {
		t.Dim, t.Points = s.dim, s.points
	}
	return t
}

// sampled returns the points on the strokes of a sheet that is shown.
func (r *Room) sampled(s *Sheet) []float64 {
	d := r.s.Figure.Drawn
	d.Codes = 0 // which moves none
	if s.shown == nil || s.shownOf != d {
		s.shown, s.shownOf = easel.Points(s.drawing.Strokes(), d.Points, d.Blur, d.Seed), d
	}
	return s.shown
}

// Changed reports whether the sheet that is shown is not what was learnt any more.
func (r *Room) Changed() bool {
	s := r.Sheet()
	return s != nil && s.taught != nil && s.of != r.s.Figure.Drawn
}

// Train has the sheet that is shown learnt, from the start.
func (r *Room) Train() error { return r.teach(false) }

// TrainOn has what was learnt of it learnt further.
func (r *Room) TrainOn() error { return r.teach(true) }

func (r *Room) teach(on bool) error {
	s := r.Sheet()
	if s == nil {
		return errors.New("the curve that is shown is not your own: choose Draw your own first")
	}
	if other := r.class.sheet; other != nil && other != s {
		return fmt.Errorf("%q is being learnt: stop that first, or wait for it", other.Name)
	}
	if on && s.weights == nil {
		return errors.New("nothing has been learnt yet to go on from: train first")
	}
	t := *r.Task()
	t.From = nil
	if on {
		t.From = s.weights
	}
	if err := t.Check(); err != nil {
		return errors.New(capital(err.Error()))
	}
	if r.class.line == nil {
		if r.dial == nil {
			return errors.New("this page has no program that trains")
		}
		line, err := r.dial(r.hear, r.lost)
		if err != nil {
			return fmt.Errorf("the program that trains did not start: %w", err)
		}
		r.class.line = line
	}
	r.class.ids++
	t.ID = r.class.ids
	s.taught, s.of = &t, r.s.Figure.Drawn
	course := Course{Begun: true}
	if on {
		course.Marks = s.course.Marks
		for _, k := range course.Marks {
			course.before[k.Method] = max(course.before[k.Method], k.Epoch)
		}
	} else {
		s.film = film{}
	}
	s.course, r.class.sheet, r.tool = course, s, Look
	r.class.line.Send(t.Begin(), nil)
	r.s.Touch()
	return nil
}

// PauseTraining pauses the training of the sheet that is shown, or has it go on.
func (r *Room) PauseTraining() {
	order := lesson.Pause
	if r.Course().Report.State == lesson.Paused {
		order = lesson.GoOn
	}
	r.order(order)
}

// StopTraining ends it, with what was learnt by then.
func (r *Room) StopTraining() { r.order(lesson.Stop) }

func (r *Room) order(o lesson.Order) {
	if s := r.Sheet(); s != nil && s == r.class.sheet && r.class.line != nil {
		r.class.line.Send(o.Message(), nil)
		r.s.Touch()
	}
}

// dismiss ends the training, and the program.
func (r *Room) dismiss() {
	if r.class.line != nil {
		r.class.line.Close()
	}
	r.class.line, r.class.sheet = nil, nil
}

// hear takes a message of the program that trains.
func (r *Room) hear(message []byte) {
	s := r.class.sheet
	if s == nil {
		return
	}
	rep, err := lesson.ReadReport(message)
	if err != nil {
		r.dismiss()
		r.fail(s, err.Error())
		return
	}
	if rep.ID != s.taught.ID {
		return // of a task that was dropped
	}
	c := &s.course
	c.Heard = true
	for _, k := range rep.Marks {
		k.Epoch += c.before[k.Method]
		c.Marks = append(c.Marks, k)
	}
	if len(rep.Weights) > 0 {
		s.weights = rep.Weights
		if rep.Method == lesson.MPPM { // of the others the film shows nothing
			s.film.add(rep.Weights)
		}
		r.learnt(s)
	}
	if rep.Note != "" {
		s.note = rep.Note
	}
	c.Report = *rep
	c.Report.Weights, c.Report.Marks = nil, nil
	if rep.State.Over() {
		r.class.sheet = nil
		if rep.State != lesson.Failed {
			s.film.end(s.weights)
		}
	}
	r.s.Touch()
}

// lost follows the end of the program that trains.
func (r *Room) lost() {
	s := r.class.sheet
	r.class.line, r.class.sheet = nil, nil
	if s == nil {
		return
	}
	why := "the program that trains did not start: perhaps it could not be fetched. Train again to try once more; what you drew is still here"
	if s.course.Heard {
		why = "the program that trains has ended, perhaps for want of memory. What was learnt so far is still here, and so is what you drew: train again, with fewer points if it happens again"
	}
	r.fail(s, why)
}

func (r *Room) fail(s *Sheet, why string) {
	s.course.Report.State, s.course.Report.Err = lesson.Failed, why
	r.s.Touch()
}

// Knows reports whether a method of the curve that is shown has learnt anything.
func (r *Room) Knows(m link.Method) bool {
	c := r.curve()
	return c == nil || c.Trained[map[link.Method]int{link.MPPM: 0, link.DAE: 1, link.DDPM: 2}[m]]
}

// Shows reports whether the way of a method is shown: it was chosen, and there is one.
func (r *Room) Shows(m link.Method) bool { return r.s.Figure.Shows(m) && r.Knows(m) }

// Learnt reports whether there are nets of the sheet that is shown.
func (r *Room) Learnt() bool { return r.Sheet() != nil && r.sheet.weights != nil }

// Filmed reports whether there is a film of its training.
func (r *Room) Filmed() bool { return r.Sheet() != nil && len(r.sheet.film.frames) > 1 }

// Command returns the command that learns the same from the file of CSV, "" where there is
// nothing to learn from.
func (r *Room) Command() string {
	s := r.Sheet()
	if s == nil || s.Empty() {
		return ""
	}
	return r.Task().Command(s.file() + ".safetensors")
}
