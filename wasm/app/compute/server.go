package compute

import (
	"fmt"
	"reflect"

	"mppm/wasm/app/model"
)

// A message begins with what it is.
const (
	toAsk   = iota // id, what job, the job
	toStop         // id
	toBring        // the name of a file, which comes beside the message
	toGive         // id, pieces
	toEnd          // id, why, empty where the work is done
)

// kinds are what can be asked for: messages name a job by its place here, which the page
// and its engine, built together, agree on.
var kinds = []func() job{
	func() job { return new(Restore) },
	func() job { return new(Grow) },
	func() job { return new(Walk) },
	func() job { return new(Read) },
	func() job { return new(Rivals) },
	func() job { return new(Survey) },
	func() job { return new(Heat) },
	func() job { return new(Bend) },
	func() job { return new(Home) },
	func() job { return new(Cut) },
	func() job { return new(Sample) },
	func() job { return new(Meet) },
	func() job { return new(Face) },
	func() job { return new(Heal) },
	func() job { return new(Growth) },
	func() job { return new(Decode) },
	func() job { return new(Pass) },
	func() job { return new(FaceRivals) },
}

// kindOf returns the place of a job among the kinds.
func kindOf(j job) int {
	want := reflect.TypeOf(j)
	for i, k := range kinds {
		if reflect.TypeOf(k()) == want {
			return i
		}
	}
	panic("compute: a job of no kind: " + want.String()) // a fault of our own
}

// Server does the jobs that messages ask for, some of each in turn. It is a function of
// messages: what carries them is not its concern.
type Server struct {
	models  Models
	running []*running
	turn    int
}

// running is a job of a server.
type running struct {
	id int
	*local
}

// Receive takes a message, and a file where that brings one. It returns an error if it
// is no message.
func (s *Server) Receive(message, file []byte) error {
	w := &wire{b: message, reading: true}
	var what, id int
	whole(w, &what)
	switch what {
	case toAsk:
		var kind int
		whole(w, &id)
		whole(w, &kind)
		if kind < 0 || kind >= len(kinds) {
			return fmt.Errorf("compute: there is no job %d", kind)
		}
		j := kinds[kind]()
		if j.code(w); w.err != nil {
			return w.err
		}
		s.running = append(s.running, &running{id, start(&s.models, j)})
	case toStop:
		if whole(w, &id); w.err != nil {
			return w.err
		}
		for i, r := range s.running {
			if r.id == id {
				r.stop()
				s.remove(i)
				break
			}
		}
	case toBring:
		var name string
		if text(w, &name); w.err != nil {
			return w.err
		}
		if len(file) == 0 {
			s.models.Bring(name, nil) // there is none
		} else {
			s.models.Bring(name, Raw(file))
		}
	default:
		return fmt.Errorf("compute: a message of kind %d", what)
	}
	return w.err
}

// Adopt has the server compute with a model that is read already.
func (s *Server) Adopt(e model.Engine) { s.models.Engine = e }

// Busy reports whether there is something to do.
func (s *Server) Busy() bool { return len(s.running) > 0 }

// Work goes on with the job whose turn it is, until that is done or no more is to be
// done at a time, after one piece at the earliest, and gives the messages that come of
// it to send.
func (s *Server) Work(more func() bool, send func(message []byte)) {
	if !s.Busy() {
		return
	}
	s.turn %= len(s.running)
	r := s.running[s.turn]
	pieces := &wire{}
	n := 0
	for {
		p, ok := r.next()
		if !ok {
			break
		}
		p.code(pieces)
		if n++; !more() {
			break
		}
	}
	if n > 0 {
		w := begin(toGive, r.id)
		whole(w, &n)
		send(append(w.b, pieces.b...))
	}
	if !r.over() {
		s.turn++
		return
	}
	why := ""
	if err := r.err(); err != nil {
		why = err.Error()
	}
	w := begin(toEnd, r.id)
	text(w, &why)
	send(w.b)
	s.remove(s.turn)
}

// remove forgets a job. The next is the one after it.
func (s *Server) remove(i int) {
	s.running = append(s.running[:i], s.running[i+1:]...)
	if i < s.turn {
		s.turn--
	}
}

// begin begins a message about a job.
func begin(what, id int) *wire {
	w := &wire{}
	whole(w, &what)
	whole(w, &id)
	return w
}
