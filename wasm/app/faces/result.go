package faces

import (
	"fmt"

	"mppm/shared/link"
	"mppm/wasm/app/room"
)

// Result is what the room shows, in numbers.
type Result struct {
	Ready   bool    `json:"ready"` // the model is there
	Share   float64 `json:"share"` // of it that has come
	Failed  string  `json:"failed,omitempty"`
	Rivals  bool    `json:"rivals"` // there are models to compare with
	Skips   bool    `json:"skips"`
	Local   bool    `json:"local"` // the model knows the distance at each pixel
	Photo   bool    `json:"photo"`
	Strokes int     `json:"strokes"` // painted by hand
	Undo    bool    `json:"undo"`
	Redo    bool    `json:"redo"`
	Grown   int     `json:"grown"` // faces that are decoded
	Before  *Score  `json:"before,omitempty"`
	After   *Score  `json:"after,omitempty"` // of the step that is shown
	DAE     *Score  `json:"dae,omitempty"`
	LDM     *Score  `json:"ldm,omitempty"`
}

// Result returns what the room shows.
func (r *Room) Result() Result {
	out := Result{Photo: r.photo != nil, Strokes: len(r.canvas.strokes), Undo: r.canvas.canUndo(), Redo: r.canvas.canRedo(), Grown: len(r.grown.images)}
	if m := r.models[r.s.Faces.Model]; m != nil {
		out.Ready, out.Share, out.Rivals = m.is != nil, m.share, m.rivals
		if m.is != nil {
			out.Skips, out.Local = m.is.Skips, m.is.Local
		}
		if m.err != nil {
			out.Failed = m.err.Error()
		}
	}
	if s := r.Scores(); len(s) > 0 {
		before := r.before
		out.Before, out.After = &before, &s[min(r.Head().Step(), len(s)-1)]
		if r.dae != nil {
			out.DAE = &r.dae.score
		}
		if r.ldm != nil {
			out.LDM = &r.ldm.score
		}
	}
	return out
}

// Say fills in what a readout says of the step.
func (r *Room) Say(out *room.Readout) {
	res := r.Result()
	switch {
	case res.Failed != "":
		out.Error = res.Failed
		return
	case !res.Ready:
		out.Status = fmt.Sprintf("fetching the model, %.0f %%", 100*res.Share)
		return
	}
	out.Measure(r, nil)
	what := fmt.Sprintf("D = %.2f", out.Distance)
	switch n := r.Path().Steps(); {
	case r.Scores() == nil && res.Grown < link.GrownFaces:
		what = fmt.Sprintf("face %d of %d", res.Grown+1, link.GrownFaces)
	case n == 0:
		what = "a moment"
	case n <= out.Steps:
		what += fmt.Sprintf(" · computing step %d", n)
	case res.After != nil:
		what += fmt.Sprintf(" · SSIM %.2f", res.After.SSIM)
	}
	out.Tell(what, "")
}
