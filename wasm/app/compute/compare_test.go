package compute

import (
	"testing"

	"mppm/shared/ldm"
)

func TestShownAt(t *testing.T) {
	for _, c := range []struct{ step, last, total, want int }{
		{0, 15, 600, 0}, {15, 15, 600, 600}, {7, 15, 600, 280}, {0, 0, 9, 9}, {3, 4, 0, 0},
	} {
		if got := ShownAt(c.step, c.last, c.total); got != c.want {
			t.Errorf("step %d of %d: %d of %d, want %d", c.step, c.last, got, c.total, c.want)
		}
	}
}

// TestBaselinesFit holds the package that the page uses to what the app needs.
func TestBaselinesFit(t *testing.T) {
	var _ Baselines = (*ldm.Runner)(nil)
}
