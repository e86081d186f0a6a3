package latent

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/run"
)

// TestHoldout: a run that leaves out digits never sees them nor the test digits,
// knows so when it is resumed and in its weights, and a run that leaves out none
// says nothing of it.
func TestHoldout(t *testing.T) {
	set := digits(t, 128)
	set.Test = dataset.Split{}
	c := tiny()
	c.Epochs, c.Holdout = 1, 28
	r := start(t, c, set)
	want, err := set.HoldOut(28)
	if err != nil {
		t.Fatal(err)
	}
	r.train(t)
	if r.Step != 100/c.Batch {
		t.Errorf("an epoch of 100 digits had %d steps of %d", r.Step, c.Batch)
	}
	again := r.reopen(t, set)
	for _, seen := range []started{r, again} {
		if d := seen.Data(); d.Train.N != 100 || d.Name != want.Name || !maps.Equal(d.Checksums, want.Checksums) {
			t.Errorf("the run sees %d digits of %q", d.Train.N, d.Name)
		}
	}
	f, err := again.Weights(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(f.Meta["training"], `"holdout":28`) || !strings.Contains(f.Meta["data"], "28 held out") {
		t.Errorf("the weights say %s of %s", f.Meta["training"], f.Meta["data"])
	}
	for i := range set.Train.N {
		set.Train.Images[i*dataset.Pixels] ^= 1
	}
	if _, err := open(r.dir, set); err == nil {
		t.Error("other digits are held out, and the run goes on")
	}
	for _, k := range []int{-1, 128} {
		c.Holdout = k
		if _, err := run.New(New(c, set), t.TempDir()); err == nil || errors.Is(err, optim.ErrNoCheckpoint) {
			t.Errorf("%d of 128 digits held out: %v", k, err)
		}
	}
	all := start(t, tiny(), digits(t, 128))
	if f, err = all.Nets(false); err != nil || strings.Contains(f.Meta["training"], "holdout") {
		t.Errorf("a run on all digits says %s (%v)", f.Meta["training"], err)
	}
}
