package restore

import (
	"fmt"
	"math"

	"mppm/shared/link"
	"mppm/wasm/app/model"
	"mppm/wasm/app/room"
)

// Result is what Restore says in numbers. Those of a flow are of the step, and 0
// where the timeline is about something else.
type Result struct {
	Label      int           `json:"label"`     // class of the test digit, -1 for what the user drew or brought
	Settled    bool          `json:"settled"`   // the original is shown as the model sees it
	Undo       bool          `json:"undo"`      // there is something to take back
	Redo       bool          `json:"redo"`      // there is something to bring back
	MSEBefore  float64       `json:"mseBefore"` // of the damaged image
	MSE        float64       `json:"mse"`
	MSEAfter   float64       `json:"mseAfter"` // of the last step
	SSIMBefore float64       `json:"ssimBefore"`
	SSIM       float64       `json:"ssim"`
	SSIMAfter  float64       `json:"ssimAfter"`
	ReadsFirst model.Reading `json:"readsFirst"` // the damaged image
	DAE        *Attempt      `json:"dae"`        // what the autoencoder makes of it
	LDM        *Attempt      `json:"ldm"`        // what diffusion makes of it
}

// Result returns what is on the screen at the step of the playhead.
func (r *Room) Result() Result {
	out := Result{Label: r.Label(), Settled: r.Settled(), Undo: r.CanUndo(), Redo: r.CanRedo()}
	if r.s.Subject() != link.Restoration {
		return out
	}
	step := r.head.Step()
	if n := len(r.scores); n > 0 {
		last, now := r.scores[n-1], r.scores[min(step, n-1)]
		out.MSEBefore, out.SSIMBefore = r.before.MSE, r.before.SSIM
		out.MSEAfter, out.SSIMAfter = last.MSE, last.SSIM
		out.MSE, out.SSIM = now.MSE, now.SSIM
	}
	if !r.PadEmpty() {
		out.ReadsFirst = r.damagedReads
		out.DAE, out.LDM = r.attempts(step)
	}
	return out
}

// Say fills in what a readout says of the restoration.
func (r *Room) Say(out *room.Readout) {
	reads := r.reads
	if r.PadEmpty() {
		reads = nil
	}
	out.Measure(r, reads)
	out.Tell(fmt.Sprintf("D = %.2f · SSIM %.2f", out.Distance, round(r.Result().SSIM, 2)), r.s.About.Read(out.Reads))
}

// round keeps a number that prints as zero from printing as minus zero.
func round(v float64, digits int) float64 {
	s := math.Pow10(digits)
	return math.Round(v*s)/s + 0
}
