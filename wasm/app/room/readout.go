package room

import (
	"fmt"
	"strings"

	"mppm/shared/link"
	"mppm/wasm/app/model"
)

// Readout is what the page says of a timeline in numbers, and in words.
type Readout struct {
	Subject  link.Subject  `json:"subject"` // what the timeline is about
	Step     int           `json:"step"`
	Steps    int           `json:"steps"` // the last step there is
	Playing  bool          `json:"playing"`
	Busy     bool          `json:"busy"`     // something is still being computed or moving
	Active   bool          `json:"active"`   // so, or something goes on beside the timeline
	Distance float64       `json:"distance"` // D at the step, of a grid the mean over it
	Highest  float64       `json:"highest"`  // the highest D of the flow
	Shown    float64       `json:"shown"`    // D at the step of the image that is shown large
	Reads    model.Reading `json:"reads"`    // the step, of a grid the image that is shown large
	Error    string        `json:"error,omitempty"`
	Status   string        `json:"status"` // where the flow is, or the error
}

// Readout returns what a room shows.
func (s *Session) Readout(r Room) Readout {
	subject := r.Subject()
	h := subject.Head()
	out := Readout{
		Subject: s.Subject(), Step: h.Step(), Steps: h.End(), Playing: h.Playing(),
		Busy: Busy(r), Active: Active(r),
	}
	if s.err != nil {
		out.Error = s.err.Error()
	}
	subject.Say(&out)
	if out.Error != "" {
		out.Status = out.Error
	}
	return out
}

// Measure fills in D, and what the step is read as where there are readings.
func (r *Readout) Measure(i Images, reads []model.Reading) {
	if p := i.Path(); p.Steps() > 0 && i.Shown() < p.N {
		k := min(r.Step, p.Steps()-1)
		r.Distance, r.Highest, r.Shown = p.Mean(k), p.Highest(), p.Distance(k, i.Shown())
	}
	if len(reads) > 0 {
		r.Reads = reads[min(r.Step, len(reads)-1)]
	}
}

// Tell puts the step into words, what is said of it, and reads where it is read.
func (r *Readout) Tell(what, reads string) {
	r.Status = fmt.Sprintf("step %d of %d · %s", r.Step, r.Steps, what)
	if r.Reads.Confidence > 0 {
		r.Status += " · " + reads
	}
}

// Unbroken keeps a line from breaking anywhere but after its dots, and before
// what is read or measured.
func Unbroken(s string) string {
	return strings.NewReplacer(" · ", "\u00a0· ", " reads", " reads", " from", " from", " ", "\u00a0").Replace(s)
}
