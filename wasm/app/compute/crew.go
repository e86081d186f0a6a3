package compute

import (
	"errors"
	"slices"
)

// Line is what leads to an engine.
type Line interface {
	// Send sends it a message, and a file where that brings one; nil: none.
	Send(message []byte, file File)
	// Close ends it: nothing comes any more.
	Close()
}

// Dial starts an engine. What it says is given to receive, one message at a time, and
// lost is called once nothing will come any more. Both are called later, on the
// goroutine that calls the crew.
type Dial func(receive func(message []byte), lost func()) (Line, error)

// Crew has engines do jobs, as many as it may start. The first does all that cannot be
// divided; the others are started when something is. Where an engine cannot be started,
// and where one is lost, the page's own program does the job, from its start.
type Crew struct {
	dial  Dial
	most  int
	here  *Here
	hands []*hand // those that were started
	files []named // that were brought
	ids   int
}

// named is a file with its name.
type named struct {
	name string
	File
}

// hand is an engine.
type hand struct {
	line  Line // nil once it is lost
	works map[int]*remote
}

// NewCrew returns a crew of up to most engines; the first is started at once. Whatever
// no engine does is computed with the models.
func NewCrew(dial Dial, most int, m *Models) *Crew {
	c := &Crew{dial: dial, most: max(most, 1), here: NewHere(m)}
	c.start()
	return c
}

// divided are the files that an engine needs for what is divided.
var divided = []string{Digits}

// start starts another engine, and reports whether it did.
func (c *Crew) start() bool {
	h := &hand{works: map[int]*remote{}}
	first := len(c.hands) == 0
	c.hands = append(c.hands, h)
	line, err := c.dial(func(b []byte) { c.receive(h, b) }, func() { c.lose(h) })
	if err != nil {
		return false // the page's own program does it
	}
	h.line = line
	for _, f := range c.files {
		if first || slices.Contains(divided, f.name) {
			h.bring(f)
		}
	}
	return true
}

func (h *hand) bring(f named) {
	w := &wire{}
	what := toBring
	whole(w, &what)
	text(w, &f.name)
	h.line.Send(w.b, f.File)
}

// Bring gives a file to the engines that may need it.
func (c *Crew) Bring(name string, f File) {
	c.here.models.Bring(name, f)
	brought := named{name, f}
	if i := slices.IndexFunc(c.files, func(f named) bool { return f.name == name }); i >= 0 {
		c.files[i] = brought
	} else {
		c.files = append(c.files, brought)
	}
	for i, h := range c.hands {
		if h.line != nil && (i == 0 || slices.Contains(divided, name)) {
			h.bring(brought)
		}
	}
}

// Alive returns how many engines there are now.
func (c *Crew) Alive() (n int) {
	for _, h := range c.hands {
		if h.line != nil {
			n++
		}
	}
	return n
}

// Parts returns how many engines there may be; 1 where there is none.
func (c *Crew) Parts() int {
	if c.hands[0].line == nil {
		return 1
	}
	return c.most
}

func (c *Crew) ask(j job, part int) stream {
	for part >= len(c.hands) && len(c.hands) < c.most {
		if !c.start() {
			break
		}
	}
	h := c.hands[part%len(c.hands)]
	if h.line == nil {
		h = c.hands[0]
	}
	if h.line == nil {
		return c.here.ask(j, 0)
	}
	c.ids++
	r := &remote{id: c.ids, job: j, hand: h}
	h.works[r.id] = r
	w := begin(toAsk, r.id)
	kind := kindOf(j)
	whole(w, &kind)
	j.code(w)
	h.line.Send(w.b, nil)
	return r
}

// lose has the page's own program do what an engine was to do.
func (c *Crew) lose(h *hand) {
	h.line = nil
	for _, r := range h.works {
		r.local = start(c.here.models, r.job)
	}
	clear(h.works)
}

// receive takes a message of an engine. One that cannot be read ends the engine.
func (c *Crew) receive(h *hand, message []byte) {
	if h.line == nil {
		return
	}
	if err := h.receive(message); err != nil {
		h.line.Close()
		c.lose(h)
	}
}

func (h *hand) receive(message []byte) error {
	w := &wire{b: message, reading: true}
	var what, id int
	whole(w, &what)
	whole(w, &id)
	r := h.works[id]
	switch {
	case w.err != nil:
		return w.err
	case r == nil: // it was stopped
		return nil
	case what == toGive:
		n := w.length(0, 1)
		for range n {
			p := r.job.blank()
			if p.code(w); w.err != nil {
				return w.err
			}
			r.come = append(r.come, p)
			r.got++
		}
	case what == toEnd:
		why := ""
		if text(w, &why); w.err == nil {
			delete(h.works, id)
			r.ended = true
			if why != "" {
				r.why = errors.New(why)
			}
		}
	default:
		return errors.New("compute: an engine sent what no engine sends")
	}
	return w.err
}

// remote is a job that an engine does.
type remote struct {
	id    int
	job   job
	hand  *hand
	come  []coded // pieces that nobody took yet
	got   int     // pieces that came
	ended bool
	why   error

	local *local // does it instead, once the engine is lost: from the start
	again int    // pieces of it that had come before
}

func (r *remote) next() (coded, bool) {
	if len(r.come) > 0 {
		p := r.come[0]
		r.come = r.come[1:]
		return p, true
	}
	if r.local == nil {
		return nil, false
	}
	for ; r.again < r.got; r.again++ {
		if _, ok := r.local.next(); !ok {
			return nil, false
		}
	}
	return r.local.next()
}

func (r *remote) came() bool { return len(r.come) > 0 }

func (r *remote) over() bool {
	return len(r.come) == 0 && (r.ended || r.local != nil && r.local.over())
}

func (r *remote) err() error {
	if r.local != nil {
		return r.local.err()
	}
	return r.why
}

func (r *remote) stop() {
	if r.local != nil {
		r.local.stop()
	}
	r.come = nil
	if r.ended {
		return
	}
	r.ended = true
	if _, ok := r.hand.works[r.id]; ok && r.hand.line != nil {
		delete(r.hand.works, r.id)
		r.hand.line.Send(begin(toStop, r.id).b, nil)
	}
}
