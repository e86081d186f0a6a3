package manifold

import (
	"fmt"
	"slices"

	"mppm/shared/lesson"
	"mppm/shared/link"
	"mppm/wasm/app/room"
)

// Result is what Manifold says in numbers.
type Result struct {
	Ready   bool                       `json:"ready"`
	D       float64                    `json:"d"`       // at the step of MPPM
	Start   float64                    `json:"start"`   // distance of the dropped point to the curve
	Off     map[link.Method]float64    `json:"off"`     // distances at the step
	X       map[link.Method][3]float64 `json:"x"`       // places at the step
	Diffuse int                        `json:"diffuse"` // steps that diffusion takes
	Noise   float64                    `json:"noise"`   // standard deviation of what diffusion was told
	Own     *Own                       `json:"own,omitempty"`
}

// Own is what there is of the visitor's own curve, where one is shown.
type Own struct {
	ID      int                     `json:"id"`
	Name    string                  `json:"name"`
	Sheets  int                     `json:"sheets"`  // how many curves of one's own there are
	Strokes int                     `json:"strokes"` // that are drawn
	Points  int                     `json:"points"`  // to learn from
	Learnt  bool                    `json:"learnt"`
	Says    string                  `json:"says"` // how the training goes, in words
	Running bool                    `json:"running"`
	Failed  bool                    `json:"failed"`
	Step    int                     `json:"step"`
	Steps   int                     `json:"steps"`
	Held    map[link.Method]float64 `json:"held"` // losses on the points held out
	Frames  int                     `json:"frames"`
}

// own returns what there is of the visitor's own curve, nil where another is shown.
func (r *Room) own() *Own {
	s := r.Sheet()
	if s == nil {
		return nil
	}
	c := &s.course
	o := &Own{
		ID: s.ID, Name: s.Name, Sheets: len(r.sheets), Strokes: len(s.drawing.Strokes()), Points: r.Task().Len(), Learnt: s.weights != nil,
		Says: c.Says(), Running: c.Running(), Failed: c.Report.State == lesson.Failed, Step: c.Report.Step, Steps: c.Report.Steps,
		Held: map[link.Method]float64{}, Frames: len(s.film.frames),
	}
	for i, m := range link.Methods() {
		if v, ok := c.Held(lesson.Method(i)); ok {
			o.Held[m] = v
		}
	}
	return o
}

// Result returns what is on the screen at the step of the playhead.
func (r *Room) Result() Result {
	step := r.head.Step()
	d := Result{Ready: r.Ready() && r.paths != nil && !r.stale, Off: map[link.Method]float64{}, X: map[link.Method][3]float64{}, Own: r.own()}
	if r.paths == nil {
		return d
	}
	d.Start, d.Diffuse, d.Noise = r.paths[link.MPPM].Off[0], r.paths[link.DDPM].Steps(), r.noise
	for _, m := range link.Methods() {
		if !r.Knows(m) {
			continue
		}
		d.X[m], d.Off[m] = r.paths[m].At(float64(step))
	}
	p := r.paths[link.MPPM]
	d.D = p.D[min(step, p.Steps())]
	return d
}

// Say fills in what a readout says of the paths: MPPM's, a table has the others.
func (r *Room) Say(out *room.Readout) {
	out.Error = ""
	if err := r.Err(); err != nil {
		out.Error = err.Error()
	}
	d := r.Result()
	out.Distance, out.Shown = d.D, d.D
	if p := r.Path(link.MPPM); p != nil {
		out.Highest = slices.Max(p.D)
	}
	if own := r.Sheet(); own != nil && own.shape == nil && own.meeting == nil {
		out.Status = own.says()
		return
	}
	if !d.Ready {
		out.Status = "waiting for the curve"
		return
	}
	says := fmt.Sprintf("D = %.2f", d.D)
	if r.Shows(link.MPPM) {
		says += fmt.Sprintf(" · %.2f from the curve", d.Off[link.MPPM])
	}
	out.Tell(says, "")
}
