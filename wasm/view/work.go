//go:build js && wasm

package view

import (
	"slices"
	"time"
)

// Work is how long the program takes of frames in which it draws: what it computes, says
// and draws, without the calls to the graphics card, which come after.
type Work struct {
	began time.Time
	took  []time.Duration // of the last frames
	next  int
}

// lately is how many frames are remembered.
const lately = 120

func (w *Work) begin(at time.Time) { w.began = at }

func (w *Work) end() {
	d := time.Since(w.began)
	if len(w.took) < lately {
		w.took = append(w.took, d)
		return
	}
	w.took[w.next] = d
	w.next = (w.next + 1) % lately
}

// Work returns the median of the last frames, the longest, and how many they are.
func (v *View) Work() (median, longest time.Duration, frames int) {
	if len(v.work.took) == 0 {
		return 0, 0, 0
	}
	sorted := slices.Clone(v.work.took)
	slices.Sort(sorted)
	return sorted[len(sorted)/2], sorted[len(sorted)-1], len(sorted)
}
