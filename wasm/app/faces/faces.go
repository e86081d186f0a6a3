// Package faces is the room of faces, in color: a face is damaged, by a seed or by
// hand, and restored; faces grow from noise; one turns into another. Its models are
// large, so they are fetched when the room is first shown, and what they compute is
// computed a step at a time, between frames.
package faces

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/link"
	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/wasm/app/compute"
	"mppm/wasm/app/dials"
	"mppm/wasm/app/export"
	"mppm/wasm/app/palette"
	"mppm/wasm/app/room"
	"mppm/wasm/app/timeline"
)

// slice is for how long a frame goes on computing: at least one step, and no further
// once so much has passed.
const slice = 10 * time.Millisecond

// settle is how long after a stroke, or a move of a slider, computing waits for another.
const settle = 150 * time.Millisecond

// maxSteps bounds the steps of a restoration, all rounds together, to what a link can
// name.
const maxSteps = 100

// Room is what follows from the state of Faces.
type Room struct {
	s      *room.Session
	fetch  func(model string)
	models map[string]*loaded

	canvas   canvas
	photo    []float32 // what the user brought, as the model has images; nil: the model makes the face
	original []float32 // nil until there is one
	made     string    // of what original is
	unseen   bool      // damaged is not yet as it is painted
	damaged  []float32
	where    []float32 // the distance at each pixel of damaged; nil where the flow does not ask
	grown    grown
	films    map[link.FaceTask]*film
	before   Score
	dae, ldm *attempt

	next  func() (struct{}, bool) // takes the work on by a step; nil: there is none
	stop  func()
	waits bool          // the work waits for what an engine computes
	wait  time.Duration // until the work begins
}

var (
	_ room.Images = (*Room)(nil)
	_ room.Saver  = (*Room)(nil)
)

// loaded is a model that the page has, or that is on its way.
type loaded struct {
	asked  bool
	share  float64 // of it that has come
	err    error
	meet   *compute.Work[compute.Features] // until it is known
	is     *compute.Features               // nil until it is there
	rivals bool                            // there are models to compare it with
	heal   *dials.Flow[latent.Preset]
	grow   *dials.Flow[latent.Preset]
}

// film is what a task shows along the timeline.
type film struct {
	head   timeline.Playhead
	path   timeline.Trajectory
	scores []Score
	stale  bool
	play   bool // from the start once it is computed
}

// grown is the faces that grew last.
type grown struct {
	of       string      // which model, seed and flow
	codes    [][]float32 // [step] GrownFaces × numbers of a code
	distance [][]float32 // [step] GrownFaces
	images   [][]byte    // of each at the end; as many as are decoded
}

// attempt is what a model to compare with makes of the damaged face.
type attempt struct {
	image []byte
	score Score
}

// ink returns its image, nil if there is none yet.
func (a *attempt) ink() []byte {
	if a == nil {
		return nil
	}
	return a.image
}

// Score compares a face with the original, over all channels.
type Score = compute.Score

// New returns the room. It asks fetch for the models that it needs.
func New(s *room.Session, fetch func(model string)) *Room {
	r := &Room{s: s, fetch: fetch, models: map[string]*loaded{}, films: map[link.FaceTask]*film{}}
	for _, t := range link.FaceTasks() {
		r.films[t] = &film{stale: true, play: true}
	}
	return r
}

// Open shows what a link says. A photo is in none.
func (r *Room) Open(l *link.Link) error {
	strokes, err := unpack(l.Faces.Paint)
	if err != nil {
		r.s.Faces.Paint = ""
	}
	r.canvas = canvas{strokes: strokes}
	r.photo = nil
	if m := r.model(); m != nil {
		r.flows(m)
	}
	for _, f := range r.films {
		f.stale, f.play = true, l.Step < 0
	}
	r.restart()
	return err
}

// Save leaves out of a link what is the model's own.
func (r *Room) Save(l *link.Link) {
	m := r.model()
	if m == nil {
		return
	}
	if l.Faces.Heal == m.is.Restore {
		l.Faces.Heal = latent.Preset{}
	}
	if l.Faces.Grow == m.is.Generate {
		l.Faces.Grow = latent.Preset{}
	}
}

// Subject returns the room: it has one timeline at a time.
func (r *Room) Subject() room.Subject { return r }

// Head returns the playhead of the task.
func (r *Room) Head() *timeline.Playhead { return &r.film().head }

// Path returns what the task shows along it.
func (r *Room) Path() *timeline.Trajectory { return &r.film().path }

// Shown returns 0: there is one face.
func (r *Room) Shown() int { return 0 }

func (r *Room) film() *film { return r.films[r.s.Faces.Task] }

// model returns the model that is chosen, nil until it is there.
func (r *Room) model() *loaded {
	if m := r.models[r.s.Faces.Model]; m != nil && m.is != nil {
		return m
	}
	return nil
}

// Image returns the shape of the faces, 1 × 1 until there is a model.
func (r *Room) Image() nn.Shape {
	if m := r.model(); m != nil {
		return m.is.Image
	}
	return nn.Shape{H: 1, W: 1, C: 3}
}

// Dials returns the sliders of the task's flow.
func (r *Room) Dials() dials.Dials {
	m := r.model()
	switch {
	case m == nil:
		return dials.Latent(new(latent.Preset), latent.Preset{}, func() {})
	case r.s.Faces.Task == link.Heal:
		return m.heal
	}
	return m.grow
}

// Arrive says that a model is there, or why it did not come.
func (r *Room) Arrive(name string, err error) {
	l := r.at(name)
	r.s.Touch()
	if l.err = err; err == nil {
		l.meet = compute.Ask(r.s.Compute, &compute.Meet{Model: name})
	}
}

// takeMeeting takes what a model is like, once that is known.
func (r *Room) takeMeeting(name string, l *loaded) {
	if l.meet == nil {
		return
	}
	over := l.meet.All(room.Ever, func(f *compute.Features) {
		if c := f.Image.C; c != 1 && c != 3 {
			l.err = fmt.Errorf("the model %s is of images with %d channels; faces have 1 or 3", name, c)
			return
		}
		l.is, l.share = f, 1
		l.heal = dials.Faces(&r.s.Faces.Heal, f.Restore, f.Skips, f.Local, func() { r.change(link.Heal, false) })
		l.grow = dials.Latent(&r.s.Faces.Grow, f.Generate, func() { r.change(link.Grow, false); r.change(link.Pass, false) })
		if name == r.s.Faces.Model {
			r.flows(l)
			r.restart()
		}
	})
	if over {
		l.err = cmp.Or(l.err, l.meet.Err())
		l.meet = nil
		r.s.Touch()
	}
}

// flows has the flows be the model's own where nothing else was chosen. Of one that a
// link brought, what has no slider is the model's.
func (r *Room) flows(l *loaded) {
	r.s.Faces.Heal = over(l.is.Restore, r.s.Faces.Heal)
	r.s.Faces.Grow = over(l.is.Generate, r.s.Faces.Grow)
}

func over(own, chosen latent.Preset) latent.Preset {
	if chosen.Sigma == 0 {
		return own
	}
	for _, d := range link.FaceDials() {
		own = link.With(own, d.Parameter, link.Value(chosen, d.Parameter))
	}
	return own
}

// ArriveRivals says that what a model is compared with is there.
func (r *Room) ArriveRivals(name string) {
	r.at(name).rivals = true
	if name == r.s.Faces.Model {
		r.dae, r.ldm = nil, nil
		r.films[link.Heal].stale = true
	}
	r.s.Touch()
}

// Progress says how much of a model has come, from 0 to 1.
func (r *Room) Progress(name string, share float64) {
	r.at(name).share = min(max(share, 0), 1)
	r.s.Touch()
}

// Forget drops what is known of a model.
func (r *Room) Forget(name string) {
	if l := r.models[name]; l != nil {
		l.meet.Stop()
		delete(r.models, name)
	}
}

func (r *Room) at(name string) *loaded {
	if r.models[name] == nil {
		r.models[name] = new(loaded)
	}
	return r.models[name]
}

// Retry fetches the model again that did not come.
func (r *Room) Retry() {
	if l := r.at(r.s.Faces.Model); l.is == nil {
		*l = loaded{}
		r.s.Touch()
	}
}

// change says that what a task shows is out of date, and whether it then plays.
func (r *Room) change(t link.FaceTask, play bool) {
	f := r.films[t]
	f.stale, f.play = true, f.play || play
	if t == r.s.Faces.Task {
		r.restart()
	}
	r.s.Touch()
}

// restart drops the work that is under way.
func (r *Room) restart() {
	if r.stop != nil {
		r.stop()
		r.film().stale = true
	}
	r.next, r.stop = nil, nil
	r.s.Touch()
}

// SetTask chooses what is done with faces.
func (r *Room) SetTask(t link.FaceTask) error {
	if !slices.Contains(link.FaceTasks(), t) {
		return fmt.Errorf("there is no task %q; choose one of %q", t, link.FaceTasks())
	}
	if t != r.s.Faces.Task {
		r.restart()
		r.s.Faces.Task = t
		r.s.Fail(nil)
	}
	return nil
}

// SetModel chooses a model, with its own flows.
func (r *Room) SetModel(name string) error {
	if err := r.s.Links.Set(new(link.Link), "faces", name); err != nil {
		return err
	}
	if name == r.s.Faces.Model {
		return nil
	}
	r.restart()
	r.s.Faces.Model, r.s.Faces.Heal, r.s.Faces.Grow = name, latent.Preset{}, latent.Preset{}
	r.photo, r.original, r.damaged, r.dae, r.ldm, r.grown = nil, nil, nil, nil, nil, grown{}
	for _, f := range r.films {
		*f = film{stale: true, play: true}
	}
	if l := r.model(); l != nil {
		r.flows(l)
	}
	return nil
}

// SetFace has the model make the face of a seed, without what was painted on another.
func (r *Room) SetFace(seed uint64) {
	r.photo = nil
	r.canvas.clear()
	r.s.Faces.Face = seed
	r.change(link.Heal, true)
}

// Another has the model make another face.
func (r *Room) Another() { r.SetFace((r.s.Faces.Face + 1) & link.MaxSeed) }

// SetKind chooses the seeded damage, at its middle severity.
func (r *Room) SetKind(k degrade.Kind) error {
	if k != link.None && link.Find(k).Color[0] == 0 {
		return fmt.Errorf("there is no damage of faces called %q", k)
	}
	r.s.Faces.Kind, r.s.Faces.Severity = k, link.Find(k).Color[1]
	r.change(link.Heal, true)
	return nil
}

// SetSeverity sets how strong the seeded damage is, within the kind's range.
func (r *Room) SetSeverity(v float64) error {
	i := link.Find(r.s.Faces.Kind)
	if r.s.Faces.Kind == link.None {
		return nil
	}
	if !(v >= i.Min && v <= i.Max) {
		return fmt.Errorf("severity %v is out of range: %s takes %v to %v", v, i.Label, i.Min, i.Max)
	}
	r.s.Faces.Severity = v
	r.wait = settle
	r.change(link.Heal, false)
	return nil
}

// SetSeed draws the damage anew from another seed.
func (r *Room) SetSeed(seed uint64) {
	r.s.Faces.Seed = seed
	r.change(link.Heal, true)
}

// SetGrowSeed grows other faces.
func (r *Room) SetGrowSeed(seed uint64) {
	r.s.Faces.GrowSeed = seed
	r.change(link.Grow, true)
	r.change(link.Pass, true)
}

// Choose takes one of the grown faces: the one that is shown large, or, where one face
// turns into another, the one that it turns into.
func (r *Room) Choose(i int) error {
	if i < 0 || i >= link.GrownFaces {
		return fmt.Errorf("there is no face %d; there are 1 to %d", i+1, link.GrownFaces)
	}
	if r.s.Faces.Task == link.Pass {
		r.s.Faces.To = i
	} else {
		r.s.Faces.Selected = i
		r.change(link.Grow, false)
	}
	r.change(link.Pass, true)
	return nil
}

// TakeGrown has the face that is shown large be the one that is damaged.
func (r *Room) TakeGrown() error {
	seed := r.seedOf(r.s.Faces.Selected)
	if err := r.SetTask(link.Heal); err != nil {
		return err
	}
	r.SetFace(seed)
	return nil
}

// seedOf returns from which seed the model makes one of the grown faces.
func (r *Room) seedOf(i int) uint64 {
	return (r.s.Faces.GrowSeed*link.GrownFaces + uint64(i)) & link.MaxSeed
}

// TakePhoto takes a photo that the user brought: with a mark on each eye turned and
// scaled so that they lie where the models' have theirs, without marks the square in its
// middle. It returns an error, and changes nothing, if that cannot be.
func (r *Room) TakePhoto(p *Photo, marks []Point) error {
	m := r.model()
	if m == nil {
		return errors.New("the model is not there yet: a moment")
	}
	if err := p.check(); err != nil {
		return err
	}
	shape := m.is.Image
	s := middle(p, shape.W, shape.H)
	switch len(marks) {
	case 0:
	case 2:
		var err error
		if s, err = eyes(p, marks[0], marks[1], shape.W, shape.H); err != nil {
			return err
		}
	default:
		return errors.New("mark both eyes, or none")
	}
	x := make([]float32, shape.Size())
	crop(x, p, s, shape.W, shape.H, shape.C)
	if err := r.SetTask(link.Heal); err != nil {
		return err
	}
	r.photo = x
	r.canvas.clear()
	r.change(link.Heal, true)
	return nil
}

// HasPhoto reports whether the face is a photo, which no link holds.
func (r *Room) HasPhoto() bool { return r.photo != nil }

// grain brings a place, in shares of the side, to what strokes count in.
func grain(x, y float64) [2]byte {
	f := func(v float64) byte { return timeline.Ink(float32(v)) }
	return [2]byte{f(x), f(y)}
}

// PenDown begins to paint at a place, in shares of the side, with a brush whose diameter
// is in hundredths of it.
func (r *Room) PenDown(t Tool, color [3]byte, brush float64, x, y float64) {
	if r.original == nil || t >= tools || r.s.Faces.Task != link.Heal {
		return
	}
	b := byte(min(max(brush, MinBrush), MaxBrush) + .5)
	r.canvas.down(Stroke{Tool: t, Brush: b, Color: color, At: [][2]byte{grain(x, y)}})
	r.painted()
}

// PenMove paints on to a place.
func (r *Room) PenMove(x, y float64) {
	if r.canvas.move(grain(x, y)) {
		r.painted()
	}
}

// PenUp ends the stroke. A little later the face is restored.
func (r *Room) PenUp() {
	if r.canvas.painting {
		r.canvas.painting = false
		r.s.Faces.Paint = pack(r.canvas.strokes)
		r.painted()
	}
}

// PenCancel takes away the stroke that is being painted: it was not the pen's.
func (r *Room) PenCancel() {
	if r.canvas.painting {
		r.canvas.painting = false
		r.canvas.undo()
		r.canvas.undone = nil
		r.painted()
	}
}

// Undo takes back the last stroke, or the clearing of all; Redo brings it back.
func (r *Room) Undo() { r.canvas.undo(); r.repainted() }

// Redo brings back what Undo took.
func (r *Room) Redo() { r.canvas.redo(); r.repainted() }

// Unpaint takes away all that is painted by hand.
func (r *Room) Unpaint() { r.canvas.clear(); r.repainted() }

func (r *Room) repainted() {
	r.s.Faces.Paint = pack(r.canvas.strokes)
	r.painted()
}

// painted shows the damage as it is now; the face is restored once the pen rests.
func (r *Room) painted() {
	r.wait = settle
	r.change(link.Heal, true)
	r.unseen = true
}

// Busy reports whether something is on its way, or being computed.
func (r *Room) Busy() bool {
	m := r.models[r.s.Faces.Model]
	if m != nil && m.err != nil {
		return false
	}
	return m == nil || m.is == nil || r.next != nil || r.film().stale && !r.canvas.painting
}

// Update takes the work on, by a step at least where there is any.
func (r *Room) Update(dt time.Duration) {
	m := r.at(r.s.Faces.Model)
	for name, m := range r.models {
		r.takeMeeting(name, m)
	}
	if m.is == nil {
		if !m.asked && m.err == nil {
			m.asked = true
			r.fetch(r.s.Faces.Model)
		}
		return
	}
	if r.unseen && r.original != nil {
		r.unseen = false
		r.s.Fail(r.damage())
	}
	if r.wait = max(r.wait-dt, 0); r.canvas.painting || r.wait > 0 {
		return
	}
	if f := r.film(); r.next == nil && f.stale {
		f.stale = false
		r.next, r.stop = iter.Pull(r.work(m, f))
	}
	r.waits = false
	for more := room.Within(slice); r.next != nil && !r.waits && more(); {
		if _, more := r.next(); !more {
			r.next, r.stop = nil, nil
			r.s.Touch()
		}
	}
}

// errDropped says that nobody needs a work any more.
var errDropped = errors.New("faces: the work was dropped")

// each takes the pieces of a work as they come, and rests between them, and where it
// waits for one.
func each[P any](r *Room, w *compute.Work[P], rest func() bool, take func(*P)) error {
	defer w.Stop()
	for !w.Over() {
		p, ok := w.Next()
		switch {
		case ok:
			take(p)
			r.s.Touch()
		case w.Over():
			return w.Err()
		default:
			r.waits = true
		}
		if !rest() {
			return errDropped
		}
	}
	return w.Err()
}

// work computes what a task shows, and yields between what takes long.
func (r *Room) work(m *loaded, f *film) iter.Seq[struct{}] {
	return func(yield func(struct{}) bool) {
		rest := func() bool { return yield(struct{}{}) }
		var err error
		switch r.s.Faces.Task {
		case link.Heal:
			err = r.healFace(m, f, rest)
		case link.Grow:
			err = r.growFaces(m, f, rest)
		default:
			err = r.passFaces(m, f, rest)
		}
		if err != errDropped {
			r.s.Fail(err)
		}
	}
}

// begin starts the timeline of a film of so many steps after the first, before they are
// computed: it shows the last one there is.
func (r *Room) begin(f *film, last int) {
	f.path, f.scores = timeline.Trajectory{N: 1}, nil
	f.head.Follow(last)
	if !r.s.Arrive(&f.head) && f.play {
		f.head.Begin(r.s.ReducedMotion)
	}
	f.play = false
}

// end ends the timeline where the flow did.
func (f *film) end() {
	if last := f.path.Steps() - 1; last >= 0 && last != f.head.End() {
		f.head.Follow(last)
	}
}

// healFlow returns the flow of restoring, of no more steps than a timeline has.
func (r *Room) healFlow() latent.Preset {
	p := r.s.Faces.Heal.Widened()
	p.Steps = min(p.Steps, maxSteps)
	p.Rounds = min(max(p.Rounds, 1), max(maxSteps/max(p.Steps, 1), 1))
	return p
}

// healFace damages the face and has it restored, and the baselines do so.
func (r *Room) healFace(m *loaded, f *film, rest func() bool) error {
	if err := r.makeOriginal(rest); err != nil {
		return err
	}
	if err := r.damage(); err != nil {
		return err
	}
	r.dae, r.ldm, r.where = nil, nil, nil
	p := r.healFlow()
	j := compute.Heal{Model: r.s.Faces.Model, Original: r.original, Damaged: slices.Clone(r.damaged), Flow: p}
	first := true
	err := each(r, compute.Ask(r.s.Compute, &j), rest, func(c *compute.Picture) {
		if first {
			first = false
			r.begin(f, p.Steps*p.Rounds)
		}
		r.before = c.Before
		if c.Where != nil {
			r.where = c.Where
		}
		f.scores = append(f.scores, c.Score)
		f.path.Add(c.Ink, c.Code, []float32{c.Distance})
	})
	if err != nil {
		return err
	}
	f.end()
	if !m.rivals {
		return nil
	}
	rivals := compute.FaceRivals{Model: j.Model, Original: j.Original, Damaged: j.Damaged, Seed: r.s.Faces.Seed}
	err = each(r, compute.Ask(r.s.Compute, &rivals), rest, func(c *compute.Picture) {
		into := &r.ldm
		if r.dae == nil {
			into = &r.dae
		}
		*into = &attempt{c.Ink, c.Score}
	})
	if err != nil && err != errDropped {
		m.rivals = false
	}
	return err
}

// makeOriginal has the model make the face of the seed, or takes the photo.
func (r *Room) makeOriginal(rest func() bool) error {
	if r.photo != nil {
		r.original, r.made = r.photo, ""
		return nil
	}
	of := fmt.Sprint(r.s.Faces.Model, r.s.Faces.Face)
	if r.original != nil && r.made == of {
		return nil
	}
	return each(r, compute.Ask(r.s.Compute, &compute.Face{Model: r.s.Faces.Model, Seed: r.s.Faces.Face}), rest, func(p *compute.Pixels) {
		r.original, r.made = p.X, of
	})
}

// damage damages the original as it is said, and then by hand.
func (r *Room) damage() error {
	s := r.Image()
	if len(r.original) != s.Size() {
		return nil
	}
	if len(r.damaged) != len(r.original) {
		r.damaged = make([]float32, len(r.original))
	}
	if k := r.s.Faces.Kind; k == link.None {
		copy(r.damaged, r.original)
	} else {
		d := degrade.Degradation{Kind: k, Severity: r.s.Faces.Severity}
		if err := d.ApplyColor(r.damaged, r.original, s.W, s.H, s.C, rng.New(r.s.Faces.Seed, 0)); err != nil {
			return err
		}
	}
	paint(r.damaged, r.original, s.W, s.H, s.C, r.canvas.strokes)
	return nil
}

// growFaces has faces grow from noise, and then decodes the way of the one that is shown
// large.
func (r *Room) growFaces(m *loaded, f *film, rest func() bool) error {
	if err := r.growAll(rest); err != nil {
		return err
	}
	i, d := r.s.Faces.Selected, m.is.Latent
	var codes []float32
	for _, z := range r.grown.codes {
		codes = append(codes, z[i*d:(i+1)*d]...)
	}
	last := len(r.grown.codes) - 1
	first := true
	err := each(r, compute.Ask(r.s.Compute, &compute.Decode{Model: r.s.Faces.Model, Codes: codes}), rest, func(c *compute.Faces) {
		if first {
			first = false
			r.begin(f, last)
		}
		k := f.path.Steps()
		f.path.Add(c.Ink, codes[k*d:(k+1)*d], r.grown.distance[k][i:i+1])
	})
	if err == nil {
		f.end()
	}
	return err
}

// growAll has the faces grow, unless they have, and be decoded one by one.
func (r *Room) growAll(rest func() bool) error {
	p := r.s.Faces.Grow.Widened()
	p.Steps = min(p.Steps, maxSteps)
	of := fmt.Sprint(r.s.Faces.Model, r.s.Faces.GrowSeed, p)
	g := &r.grown
	if g.of == of {
		if n := len(g.images); n < link.GrownFaces {
			all := g.codes[len(g.codes)-1]
			j := &compute.Decode{Model: r.s.Faces.Model, Codes: all[len(all)/link.GrownFaces*n:]}
			return each(r, compute.Ask(r.s.Compute, j), rest, func(c *compute.Faces) { g.images = append(g.images, c.Ink) })
		}
		return nil
	}
	*g = grown{}
	j := &compute.Growth{Model: r.s.Faces.Model, Flow: p, Seeds: make([]uint64, link.GrownFaces)}
	for i := range j.Seeds {
		j.Seeds[i] = r.seedOf(i)
	}
	return each(r, compute.Ask(r.s.Compute, j), rest, func(c *compute.Faces) {
		if c.Ink == nil {
			g.codes, g.distance = append(g.codes, c.Codes), append(g.distance, c.Distance)
			return
		}
		g.of, g.images = of, append(g.images, c.Ink)
	})
}

// How one face turns into another: in so many steps along the straight line between
// their codes, each place on which so many steps of the flow take to where faces are.
const (
	passSteps = 16
	passFlow  = 4
)

// passFaces turns one of the grown faces into another.
func (r *Room) passFaces(m *loaded, f *film, rest func() bool) error {
	if err := r.growAll(rest); err != nil {
		return err
	}
	d := m.is.Latent
	all := r.grown.codes[len(r.grown.codes)-1]
	p := r.s.Faces.Grow
	p.Start, p.Steps = 0, min(p.Steps, passFlow)
	j := &compute.Pass{Model: r.s.Faces.Model, From: all[r.s.Faces.Selected*d:][:d], To: all[r.s.Faces.To*d:][:d], Steps: passSteps, Flow: p}
	first := true
	return each(r, compute.Ask(r.s.Compute, j), rest, func(c *compute.Picture) {
		if first {
			first = false
			r.begin(f, passSteps)
		}
		f.path.Add(c.Ink, c.Code, []float32{c.Distance})
	})
}

// Original returns the face that is to be found again, in [0, 1]; nil until there is one.
// It belongs to the room, as what the next five return does.
func (r *Room) Original() []float32 { return r.original }

// Damaged returns the damaged face, nil until there is one.
func (r *Room) Damaged() []float32 { return r.damaged }

// DAE returns what the denoising autoencoder makes of it as bytes, nil until there is that.
func (r *Room) DAE() []byte { return r.dae.ink() }

// LDM returns what diffusion in the latent space makes of it, as DAE does.
func (r *Room) LDM() []byte { return r.ldm.ink() }

// Where returns how far each pixel of the damaged face is from clean faces, in units of
// the pixels; nil where the flow does not ask for it, or it is not computed yet.
func (r *Room) Where() []float32 { return r.where }

// Grown returns the grown faces that are decoded so far, as bytes.
func (r *Room) Grown() [][]byte { return r.grown.images }

// Scores returns how the steps of the restoration that are computed compare with the original;
// nil for other tasks.
func (r *Room) Scores() []Score {
	if r.s.Faces.Task != link.Heal {
		return nil
	}
	return r.film().scores
}

// Album returns what is shown, to be exported.
func (r *Room) Album(*palette.Palette) (export.Album, error) {
	f := r.film()
	if f.path.Steps() == 0 {
		return nil, export.ErrNothing
	}
	return &export.Color{Path: &f.path, Shape: r.Image(), Step: f.head.Step()}, nil
}
