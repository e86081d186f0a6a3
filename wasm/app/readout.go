package app

import (
	"fmt"
	"math"
	"slices"
)

// Readout is what the page says in numbers.
type Readout struct {
	State
	Subject    Subject    `json:"subject"` // what the timeline is about
	Label      int        `json:"label"`   // class of the test digit, -1 for what the user drew or brought
	Settled    bool       `json:"settled"` // the original is shown as the model sees it
	Undo       bool       `json:"undo"`    // there is something to take back
	Redo       bool       `json:"redo"`    // there is something to bring back
	Step       int        `json:"step"`
	Steps      int        `json:"steps"` // the last step there is
	Playing    bool       `json:"playing"`
	Busy       bool       `json:"busy"`              // something is still being computed or moving
	Active     bool       `json:"active"`            // so, or a comparison or the map's colors go on
	Distance   float64    `json:"distance"`          // D at the step, of a grid the mean over it
	Highest    float64    `json:"highest"`           // the highest D of the flow
	Shown      float64    `json:"shown"`             // D at the step of the image that is shown large
	MSEBefore  float64    `json:"mseBefore"`         // of the damaged image, in Restore
	MSE        float64    `json:"mse"`               // of the step, in Restore
	MSEAfter   float64    `json:"mseAfter"`          // of the last step, in Restore
	SSIMBefore float64    `json:"ssimBefore"`        //
	SSIM       float64    `json:"ssim"`              // of the step, in Restore
	SSIMAfter  float64    `json:"ssimAfter"`         //
	Reads      Reading    `json:"reads"`             // the step, of a grid the image that is shown large
	ReadsFirst Reading    `json:"readsFirst"`        // the damaged image, in Restore
	DAE        *Rival     `json:"dae"`               // what the autoencoder makes of it, in Restore
	LDM        *Rival     `json:"ldm"`               // what diffusion makes of it
	Place      *Place     `json:"place"`             // where on the map the code is that is shown
	Descent    *Descended `json:"descent,omitempty"` // the ways home, in Manifold
	Error      string     `json:"error,omitempty"`
}

// Place is a place of the map.
type Place struct {
	X float32 `json:"x"`
	Y float32 `json:"y"`
}

// Readout returns what is on the screen, in numbers.
func (a *App) Readout() Readout {
	h, p, s := a.Head(), a.Path(), a.Subject()
	r := Readout{
		State: a.State, Subject: s, Label: a.Label(), Settled: a.Settled(), Undo: a.CanUndo(), Redo: a.CanRedo(),
		Step: h.Step(), Steps: h.End(), Playing: h.Playing(), Busy: a.Busy(), Active: a.Active(),
	}
	if a.err != nil {
		r.Error = a.err.Error()
	}
	if s == Descent {
		r.Error = ""
		if err := a.FigureErr(); err != nil {
			r.Error = err.Error()
		}
		d := a.Descended(r.Step)
		r.Descent, r.Distance, r.Shown = &d, d.D, d.D
		if w := a.Way(MPPM); w != nil {
			r.Highest = slices.Max(w.D)
		}
	}
	if p.Steps() > 0 && a.Shown() < p.N {
		k := min(r.Step, p.Steps()-1)
		r.Distance, r.Highest, r.Shown = p.Mean(k), p.Highest(), p.Distance(k, a.Shown())
	}
	if a.Mode == Map && a.atlas != nil {
		if z := a.Now(); z != nil {
			x, y := a.atlas.Plane.Shadow(z)
			r.Place = &Place{x, y}
		}
	}
	var reads []Reading
	switch s {
	case Restoration:
		if len(a.scores) > 0 {
			r.MSEBefore, r.SSIMBefore = a.before.MSE, a.before.SSIM
			last := a.scores[len(a.scores)-1]
			r.MSEAfter, r.SSIMAfter = last.MSE, last.SSIM
			now := a.scores[min(r.Step, len(a.scores)-1)]
			r.MSE, r.SSIM = now.MSE, now.SSIM
		}
		if a.PadEmpty() {
			break
		}
		reads, r.ReadsFirst = a.reads, a.damagedReads
		r.DAE, r.LDM = a.rivals(r.Step)
	case Growth:
		reads = a.grownReads
	case Walk:
		reads = a.walkReads
	case Spot:
		reads = a.spotReads
	}
	if len(reads) > 0 {
		r.Reads = reads[min(r.Step, len(reads)-1)]
	}
	return r
}

// Status says in words where the flow is.
func (r Readout) Status() string {
	if r.Error != "" {
		return r.Error
	}
	if r.Subject == Descent {
		return r.descent()
	}
	s := fmt.Sprintf("step %d of %d", r.Step, r.Steps)
	reads := r.Reads.String()
	switch r.Subject {
	case Growth:
		s += fmt.Sprintf(" · mean D = %.2f", r.Distance)
		reads = fmt.Sprintf("cell %d %s", r.Selected+1, reads)
	case Restoration:
		s += fmt.Sprintf(" · D = %.2f · SSIM %.2f", r.Distance, round(r.SSIM, 2))
	default:
		s += fmt.Sprintf(" · D = %.2f", r.Distance)
	}
	if r.Reads.Confidence > 0 {
		s += " · " + reads
	}
	return s
}

// descent says where MPPM is, which D and the steps are of; a table has the others.
func (r Readout) descent() string {
	if r.Descent == nil || !r.Descent.Ready {
		return "waiting for the curve"
	}
	s := fmt.Sprintf("step %d of %d · D = %.2f", r.Step, r.Steps, r.Distance)
	if r.Figure.Shows(MPPM) {
		s += fmt.Sprintf(" · %.2f from the curve", r.Descent.Off[MPPM])
	}
	return s
}

// round keeps a number that prints as zero from printing as minus zero.
func round(v float64, digits int) float64 {
	s := math.Pow10(digits)
	return math.Round(v*s)/s + 0
}
