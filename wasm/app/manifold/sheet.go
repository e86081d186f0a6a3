package manifold

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"mppm/shared/ambient"
	"mppm/shared/lesson"
	"mppm/shared/link"
	"mppm/wasm/app/compute"
	"mppm/wasm/app/curve"
	"mppm/wasm/app/easel"
	"mppm/wasm/app/export/encode"
)

// Sheet is a curve of the visitor's own: what was drawn or brought, and what has been
// learnt of it.
type Sheet struct {
	ID   int    // from 1; no other curve of this page has it
	Name string // by which the page lists it

	drawn   link.Drawn // while another curve is shown; else it is in the state
	drawing easel.Drawing
	traced  link.Curve // the curve of the page's that the strokes follow, "" if none
	points  []float64  // of a file, in their own coordinates; nil: they lie on the strokes
	dim     int        // of these
	note    string     // what is to be known of the points, or of the weights
	shown   []float64  // the points on the strokes, and of which settings
	shownOf link.Drawn

	weights []byte       // what has been learnt
	taught  *lesson.Task // from which points, and of which settings
	of      link.Drawn
	blank   curve.Shape // what is seen before anything has been learnt
	shape   *curve.Shape
	meeting *compute.Work[compute.Shape] // finds out the shape of the weights
	again   bool                         // there are newer ones
	course  Course
	film    film
}

// Tool is what a pointer does on the figure of a curve of one's own.
type Tool string

// The tools.
const (
	Draw Tool = "draw" // a stroke
	Pull Tool = "pull" // the strokes into another shape
	Look Tool = "look" // drops and drags the point, and moves the view, as beside every curve
)

// mostSheets bounds the curves of one's own: each keeps some megabytes.
const mostSheets = 30

// model returns the name of the sheet's model.
func (s *Sheet) model() string { return fmt.Sprintf("%s %d", link.Own, s.ID) }

// Sheets lists the visitor's own curves.
func (r *Room) Sheets() []*Sheet { return r.sheets }

// Sheet returns the one that is shown, nil where it is a curve of the page's.
func (r *Room) Sheet() *Sheet {
	if r.s.Figure.Curve != link.Own {
		return nil
	}
	return r.sheet
}

// Empty reports whether there is nothing to learn from.
func (s *Sheet) Empty() bool { return s.points == nil && len(s.drawing.Strokes()) == 0 }

// FromFile reports whether the points came as a file.
func (s *Sheet) FromFile() bool { return s.points != nil }

// Traced returns the curve of the page's that the strokes were begun from and still
// follow, "" if there is none.
func (s *Sheet) Traced() link.Curve { return s.traced }

// dimension returns how many coordinates the sheet's points have.
func (s *Sheet) dimension() int {
	if s.FromFile() {
		return s.dim
	}
	return 2
}

// says says what to do with a sheet of which nothing has been learnt yet.
func (s *Sheet) says() string {
	switch {
	case s.course.Begun:
		return s.course.Says()
	case s.Empty():
		return "draw a curve on the figure, or drop a CSV file of points"
	}
	return "press Train to have it learnt"
}

// Note says what is to be known of the points, "" if nothing is.
func (s *Sheet) Note() string { return s.note }

// Tool returns what a pointer does on the figure.
func (r *Room) Tool() Tool {
	s := r.Sheet()
	switch {
	case s == nil, s.FromFile():
		return Look
	case len(s.drawing.Strokes()) == 0:
		return Draw
	}
	return r.tool
}

// SetTool chooses what a pointer does on the figure.
func (r *Room) SetTool(t Tool) error {
	if t != Draw && t != Pull && t != Look {
		return fmt.Errorf("there is no tool %q", t)
	}
	r.CancelPen()
	r.tool = t
	r.s.Touch()
	return nil
}

// DrawOwn shows an empty sheet to draw on.
func (r *Room) DrawOwn() error {
	for _, s := range r.sheets {
		if s.Empty() && s.weights == nil {
			r.show(s)
			return nil
		}
	}
	_, err := r.newSheet("", link.Drawn{})
	return err
}

// newSheet shows a new sheet, which is empty but for the settings, or with the first ones.
func (r *Room) newSheet(name string, d link.Drawn) (*Sheet, error) {
	if len(r.sheets) >= mostSheets {
		return nil, fmt.Errorf("there are %d curves of your own already: remove one first", mostSheets)
	}
	if d == (link.Drawn{}) {
		first := r.s.Links.First()
		d = first.Figure.Drawn
	}
	r.ids++
	s := &Sheet{ID: r.ids, Name: name, drawn: d}
	if name == "" {
		s.Name = fmt.Sprintf("My curve %d", s.ID)
	}
	r.sheets = append(r.sheets, s)
	r.show(s)
	return s, nil
}

// show shows a sheet.
func (r *Room) show(s *Sheet) {
	if r.Sheet() == s {
		return
	}
	r.leave()
	f := &r.s.Figure
	f.Curve, f.Drawn, r.sheet = link.Own, s.drawn, s
	f.Camera.X, f.Camera.Y = 0, 0
	r.paths, r.constructions = nil, nil
	r.tool = Draw
	if s.weights != nil {
		r.tool = Look
	}
	r.dropAt(f.Info().First, true)
}

// leave puts the settings of the sheet that is shown away.
func (r *Room) leave() {
	if s := r.Sheet(); s != nil {
		r.CancelPen()
		s.drawn = r.s.Figure.Drawn
	}
}

// ShowSheet shows one of the visitor's own curves.
func (r *Room) ShowSheet(id int) error {
	for _, s := range r.sheets {
		if s.ID == id {
			r.show(s)
			return nil
		}
	}
	return errors.New("this curve of your own is not there any more")
}

// Rename gives the sheet that is shown a name.
func (r *Room) Rename(name string) {
	const most = 60
	name = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return ' '
		}
		return c
	}, name)
	if c := []rune(name); len(c) > most {
		name = string(c[:most])
	}
	if name = strings.TrimSpace(name); r.Sheet() != nil && name != "" {
		r.Sheet().Name = name
	}
	r.s.Touch()
}

// Remove forgets the sheet that is shown, and ends its training.
func (r *Room) Remove() {
	s := r.Sheet()
	if s == nil {
		return
	}
	if r.class.sheet == s {
		r.dismiss()
	}
	s.meeting.Stop()
	for i, o := range r.sheets {
		if o == s {
			r.sheets = append(r.sheets[:i], r.sheets[i+1:]...)
			break
		}
	}
	r.sheet = nil
	if n := len(r.sheets); n > 0 {
		r.s.Figure.Curve = link.HalfCircle // so that the one that is gone is not put away
		r.show(r.sheets[n-1])
		return
	}
	_ = r.SetCurve(link.Curves()[0].Curve)
}

// openOwn has the sheet that a link describes shown.
func (r *Room) openOwn() error {
	d := r.s.Figure.Drawn
	d.Deep = false
	r.s.Figure.Drawn = d
	for _, s := range r.sheets {
		if !s.FromFile() && s.drawn == d {
			r.sheet = s
			return nil
		}
	}
	strokes, err := link.UnpackStrokes(d.Strokes)
	if err != nil {
		return err // it was read before
	}
	if len(r.sheets) >= mostSheets { // a link is always opened
		i := 0
		if r.sheets[0] == r.class.sheet {
			i = 1
		}
		r.sheets = append(r.sheets[:i], r.sheets[i+1:]...)
	}
	r.ids++
	s := &Sheet{ID: r.ids, Name: fmt.Sprintf("My curve %d", r.ids), drawn: d}
	s.drawing.Open(strokes)
	r.sheets, r.sheet, r.tool = append(r.sheets, s), s, Draw
	return nil
}

// Save leaves out of a link what none can hold: the points of a file.
func (r *Room) Save(l *link.Link) {
	if s := r.Sheet(); s != nil && s.FromFile() {
		first := r.s.Links.First()
		l.Figure.Drawn = first.Figure.Drawn
		l.Figure.At = l.Figure.Info().First
	}
}

// frame is the half edges of the box that is seen of an empty sheet.
var frame = [3]float64{1.2, 1, 0}

// seen returns the shape that says what part of space is seen of the sheet.
func (s *Sheet) seen() *curve.Shape {
	b := &s.blank
	if b.Scale == 0 {
		*b = curve.Shape{Dim: 2, Scale: 1, Half: frame, Radius: 1}
		if s.FromFile() {
			*b = outline(s.points, s.dim)
		}
	}
	if s.shape == nil {
		return b
	}
	return s.seenWith(s.shape)
}

// seenWith returns the same once something has been learnt.
func (s *Sheet) seenWith(shape *curve.Shape) *curve.Shape {
	if s.FromFile() {
		return shape
	}
	c := *shape // as large as it was drawn
	c.Middle = c.Inner([3]float64{})
	for k := range c.Half {
		c.Half[k] = frame[k] / c.Scale
	}
	c.Radius = 1 / c.Scale
	return &c
}

// outline returns the shape of points that nothing has been learnt of yet: without a line,
// and as large as a curve of the page's.
func outline(x []float64, dim int) curve.Shape {
	c := curve.Shape{Dim: dim, Scale: 1}
	lo, hi := [3]float64{}, [3]float64{}
	for k := range dim {
		lo[k], hi[k] = x[k], x[k]
		for i := k; i < len(x); i += dim {
			lo[k], hi[k] = min(lo[k], x[i]), max(hi[k], x[i])
		}
		c.Center[k] = lo[k] + (hi[k]-lo[k])/2
		c.Half[k] = (hi[k] - lo[k]) / 2
	}
	c.Scale = max(c.Half[0], c.Half[1], c.Half[2])
	for k := range c.Half {
		c.Half[k] /= c.Scale
	}
	c.Radius = math.Sqrt(curve.Dot(c.Half, c.Half))
	return c
}

// along returns the strokes as a line in the model's coordinates, without points where
// there are none.
func (s *Sheet) along() curve.Line {
	l, c := s.line(), s.seen()
	for i, p := range l.Points {
		l.Points[i] = c.Inner(p)
	}
	return l
}

// line returns the strokes as a line.
func (s *Sheet) line() (l curve.Line) {
	for _, stroke := range s.drawing.Strokes() {
		for i, p := range stroke {
			if i > 0 {
				l.Segments = append(l.Segments, [2]int{len(l.Points) - 1, len(l.Points)})
			}
			l.Points = append(l.Points, [3]float64{p[0], p[1], 0})
		}
	}
	return l
}

// Press has the tool begin at a pixel of the figure, and reports whether it did: pulling
// begins within reach pixels of a stroke.
func (r *Room) Press(e Eye, px, py, reach float64) bool {
	s := r.Sheet()
	if s == nil {
		return false
	}
	p := r.onSheet(e, px, py)
	switch r.Tool() {
	case Draw:
		s.drawing.PenDown(p)
	case Pull:
		if !s.drawing.Grab(p, reach/e.scale*s.seen().Scale) {
			return false
		}
	default:
		return false
	}
	r.s.Touch()
	return true
}

// Move has the tool go on to a pixel.
func (r *Room) Move(e Eye, px, py float64) {
	if s := r.Sheet(); s != nil {
		p := r.onSheet(e, px, py)
		s.drawing.PenMove(p)
		s.drawing.Drag(p)
		r.s.Touch()
	}
}

// Lift ends what the tool does. It returns an error where the drawing has no room for it.
func (r *Room) Lift() error {
	s := r.Sheet()
	if s == nil {
		return nil
	}
	err := s.drawing.PenUp()
	s.drawing.Release()
	r.drew()
	return err
}

// CancelPen gives up what the tool does.
func (r *Room) CancelPen() {
	if s := r.Sheet(); s != nil {
		s.drawing.PenCancel()
		r.s.Touch()
	}
}

// onSheet returns the place of a sheet that a pixel of the figure shows.
func (r *Room) onSheet(e Eye, px, py float64) [2]float64 {
	x := r.sheet.seen().Outer(e.Place(px, py))
	return [2]float64{x[0], x[1]}
}

// drew has the state say what is drawn.
func (r *Room) drew() {
	r.s.Figure.Drawn.Strokes = link.PackStrokes(r.sheet.drawing.Strokes())
	r.sheet.traced = ""
	r.newer = r.newer || r.sheet.shape != nil // distances are to the strokes
	r.s.Touch()
}

// UndoStroke takes the last change of the drawing back, and RedoStroke makes it again.
func (r *Room) UndoStroke() { r.turn((*easel.Drawing).Undo) }

// RedoStroke makes a change again that was taken back.
func (r *Room) RedoStroke() { r.turn((*easel.Drawing).Redo) }

func (r *Room) turn(f func(*easel.Drawing) bool) {
	if s := r.Sheet(); s != nil && f(&s.drawing) {
		r.drew()
	}
}

// CanUndoStroke reports whether there is a change to take back, and CanRedoStroke whether
// there is one to make again.
func (r *Room) CanUndoStroke() bool { return r.Sheet() != nil && r.sheet.drawing.CanUndo() }

// CanRedoStroke reports whether a change was taken back.
func (r *Room) CanRedoStroke() bool { return r.Sheet() != nil && r.sheet.drawing.CanRedo() }

// ClearStrokes leaves an empty sheet, which can be taken back.
func (r *Room) ClearStrokes() {
	if s := r.Sheet(); s != nil && !s.FromFile() {
		s.drawing.Set(nil)
		r.tool = Draw
		r.drew()
	}
}

// StartFrom draws the line of one of the page's curves in place of the strokes, to be
// pulled into another.
func (r *Room) StartFrom(c link.Curve) error {
	s := r.Sheet()
	if s == nil || s.FromFile() {
		return errors.New("there is no sheet to draw on: choose Draw your own first")
	}
	from := r.curves[c]
	if from == nil {
		return errNoCurve
	}
	s.drawing.Set(easel.Trace(from))
	r.tool = Pull
	r.drew()
	s.traced = c
	return nil
}

// set changes the settings of the sheet that is shown.
func (r *Room) set(what string, v, lo, hi float64, to func(d *link.Drawn)) error {
	if r.Sheet() == nil {
		return errors.New("the curve that is shown is not your own")
	}
	if !(v >= lo && v <= hi) {
		return fmt.Errorf("%s is %v: give %v to %v", what, v, lo, hi)
	}
	to(&r.s.Figure.Drawn)
	r.s.Touch()
	return nil
}

// SetPoints sets how many points lie on the strokes.
func (r *Room) SetPoints(n float64) error {
	return r.set("the number of points", n, link.MinPoints, link.MaxPoints, func(d *link.Drawn) { d.Points = int(n) })
}

// SetBlur sets the deviation of the noise that moves the points off the strokes.
func (r *Room) SetBlur(v float64) error {
	return r.set("the noise", v, 0, link.MaxBlur, func(d *link.Drawn) { d.Blur = v })
}

// SetCodes sets how many numbers a code has.
func (r *Room) SetCodes(n float64) error {
	return r.set("the length of a code", n, link.MinCodes, link.MaxCodes, func(d *link.Drawn) { d.Codes = int(n) })
}

// SetTrainSeed sets the seed of the points' noise and of the training.
func (r *Room) SetTrainSeed(seed uint64) error {
	return r.set("the seed", float64(seed), 0, link.MaxSeed, func(d *link.Drawn) { d.Seed = seed })
}

// TakePoints shows points of a file, rows of dim numbers, on a sheet of their own.
func (r *Room) TakePoints(name string, x []float64, dim int, note string) error {
	x, thinned := lesson.Thin(x, dim)
	t := lesson.Task{Dim: dim, Points: x}
	if err := t.Check(); err != nil {
		return err
	}
	first := r.s.Links.First()
	d := first.Figure.Drawn
	d.Deep, d.Points = dim == 3, len(x)/dim
	s, err := r.newSheet(base(name), d)
	if err != nil {
		return err
	}
	s.points, s.dim = x, dim
	s.note = strings.TrimSpace(note + " " + thinned)
	r.shown() // whether it is flat may differ
	return nil
}

// shown has the point lie where it does at first.
func (r *Room) shown() {
	r.paths, r.constructions, r.tool = nil, nil, Look
	at := r.s.Figure.Info().First
	if !r.s.Figure.Flat() {
		at[2] = 0.5
	}
	r.dropAt(at, true)
}

// OpenWeights shows the model of a file that `mppm train points` or this page saved.
func (r *Room) OpenWeights(name string, b []byte) error {
	m, err := ambient.Load(b)
	if err != nil {
		return fmt.Errorf("%q is no curve that this page can show: %w", name, err)
	}
	if m.Dim != 2 && m.Dim != 3 {
		return fmt.Errorf("the points of %q have %d coordinates: the page shows two or three", name, m.Dim)
	}
	x := make([]float64, len(m.Points))
	m.Denormalize(x, m.Points)
	first := r.s.Links.First()
	d := first.Figure.Drawn
	d.Deep, d.Points, d.Codes = m.Dim == 3, len(x)/m.Dim, min(m.Latent, link.MaxCodes)
	s, err := r.newSheet(base(name), d)
	if err != nil {
		return err
	}
	s.points, s.dim, s.note = x, m.Dim, "Opened from a file: the points are those that it holds."
	s.weights = b
	r.shown()
	r.learnt(s)
	return nil
}

// base returns a file's name without what it ends in.
func base(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		name = name[:i]
	}
	if c := []rune(name); len(c) > 40 {
		name = string(c[:40])
	}
	return name
}

// learnt has the weights of a sheet given to who computes, and its shape found out.
func (r *Room) learnt(s *Sheet) {
	if s.meeting != nil {
		s.again = true
		return
	}
	s.again = false
	r.s.Compute.Bring(compute.OfCurve+s.model(), compute.Raw(s.weights))
	s.meeting = compute.Ask(r.s.Compute, &compute.Bend{Curve: s.model(), Along: s.line()})
}

// meetSheet takes the shape of a sheet's weights, and reports whether it came.
func (r *Room) meetSheet(s *Sheet) {
	if s.meeting == nil {
		return
	}
	over := s.meeting.All(func() bool { return true }, func(c *compute.Shape) {
		s.shape = &c.Shape
		r.newer = r.newer || s == r.Sheet()
	})
	if !over {
		return
	}
	if err := s.meeting.Err(); err != nil && s.shape == nil {
		s.note = capital(err.Error())
	}
	if s.meeting = nil; s.again {
		r.learnt(s)
	}
	r.s.Touch()
}

// Weights returns what the sheet that is shown has learnt, as a file that this page and
// the command line open.
func (r *Room) Weights() (encode.File, error) {
	s := r.Sheet()
	if s == nil || s.weights == nil {
		return encode.File{}, errors.New("nothing has been learnt yet that could be saved: train first")
	}
	return encode.File{Name: s.file() + ".safetensors", Type: "application/octet-stream", Data: s.weights}, nil
}

// CSV returns the points of the sheet that is shown, exactly those that are trained on.
func (r *Room) CSV() (encode.File, error) {
	t := r.Task()
	if t == nil || t.Len() == 0 {
		return encode.File{}, errors.New("there are no points yet: draw a stroke, or drop a file of points")
	}
	return encode.File{Name: t.Name, Type: "text/csv", Data: t.CSV()}, nil
}

// file returns the sheet's name as one of a file, without what it ends in.
func (s *Sheet) file() string {
	name := strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_':
			return c
		case c >= 'A' && c <= 'Z':
			return c + 'a' - 'A'
		}
		return '-'
	}, s.Name)
	if name = strings.Trim(name, "-"); name == "" {
		name = fmt.Sprintf("curve-%d", s.ID)
	}
	return name
}

// capital returns a sentence of an error.
func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}
