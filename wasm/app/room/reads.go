package room

import (
	"mppm/wasm/app/compute"
	"mppm/wasm/app/model"
	"mppm/wasm/app/timeline"
)

// Reads are what the steps of one image of a flow are read as. A job may bring them
// along; those that none brought are read once there is a classifier.
type Reads struct {
	Of   []model.Reading // of the steps from the first on, as far as they are read
	work *compute.Work[compute.Readings]
}

// Missing reports whether steps of a flow are unread that can be read.
func (r *Reads) Missing(s *Session, p *timeline.Trajectory) bool {
	return s.Readable && len(r.Of) < p.Steps()
}

// Update has what is missing read, of image i.
func (r *Reads) Update(s *Session, p *timeline.Trajectory, i int) {
	if r.work == nil && r.Missing(s, p) {
		r.work = compute.Ask(s.Compute, &compute.Read{Ink: Ink(p, i, len(r.Of))})
	}
	if r.work == nil {
		return
	}
	over := r.work.All(Ever, func(p *compute.Readings) {
		r.Of = append(r.Of, p.Reads...)
		s.Touch()
	})
	if !over {
		return
	}
	if err := r.work.Err(); err != nil {
		s.Fail(err)
		r.Of = make([]model.Reading, p.Steps()) // it is not tried for ever
	}
	r.work = nil
}

// Set takes what a job brought, nothing where it could not read.
func (r *Reads) Set(of []model.Reading) {
	r.work.Stop()
	r.work, r.Of = nil, of
}
