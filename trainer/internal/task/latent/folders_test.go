package latent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mppm/shared/latent"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/run"
)

// asFolders writes a set as folders of PNG files, and opens them.
func asFolders(t *testing.T, set *dataset.Set) (folders *dataset.Set, dir string) {
	t.Helper()
	dir = t.TempDir()
	write := func(name string, s *dataset.Split, n int) {
		for i := range n {
			in := filepath.Join(dir, name, fmt.Sprint(s.Labels[i]))
			if err := os.MkdirAll(in, 0o777); err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			if err := png.Encode(&b, &image.Gray{Pix: s.Image(i), Stride: latent.DigitSide, Rect: image.Rect(0, 0, latent.DigitSide, latent.DigitSide)}); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(in, fmt.Sprintf("%05d.png", i)), b.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	write("train", &set.Train, set.Train.N)
	write("test", &set.Test, 5)
	folders, err := dataset.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if folders.Train.Images != nil {
		t.Fatal("the folder was read into memory")
	}
	return folders, dir
}

func equalParams(t *testing.T, want, got started) {
	t.Helper()
	for i, p := range want.params {
		q := got.params[i]
		if !slices.Equal(p.Data, q.Data) || !slices.Equal(p.M, q.M) || !slices.Equal(p.V, q.V) {
			t.Errorf("%s differs", p.Name)
		}
	}
	if !slices.Equal(want.History, got.History) {
		t.Errorf("the losses are %v, want %v", got.History, want.History)
	}
}

// TestFoldersTrainAlike: the same digits give the same bits, be they in memory or
// in files, with digits held out, and in the weights that come of it.
func TestFoldersTrainAlike(t *testing.T) {
	set := digits(t, 128)
	folders, _ := asFolders(t, set)
	for _, holdout := range []int{0, 30} {
		c := tiny()
		c.Epochs, c.Refine, c.Restored, c.Centers, c.Holdout = 1, 1, 0.5, 16, holdout
		var runs []started
		var banks [][]float32
		for _, set := range []*dataset.Set{set, folders} {
			r := start(t, c, set)
			r.train(t)
			f, err := r.Weights(t.Context(), true)
			if err != nil {
				t.Fatal(err)
			}
			bank, err := f.Float32("bank.codes", latent.DigitLatent, c.Centers)
			if err != nil {
				t.Fatal(err)
			}
			runs, banks = append(runs, r), append(banks, bank)
		}
		equalParams(t, runs[0], runs[1])
		if !slices.Equal(banks[0], banks[1]) {
			t.Error("the code banks differ")
		}
	}
}

// after is a context that never ends, and calls f once when it was asked so many
// times.
type after struct {
	context.Context
	left int
	f    func()
}

func (a *after) Err() error {
	if a.left--; a.left == 0 {
		a.f()
	}
	return nil
}

// TestVanishingImage: a file that goes while a run reads it ends the run with its
// name, in whatever part of the run. What was trained is kept, and once the file is
// back the run goes on to the bits of one that missed nothing.
func TestVanishingImage(t *testing.T) {
	set := digits(t, 160)
	_, dir := asFolders(t, set)
	c := tiny()
	c.Epochs, c.Refine = 3, 2
	whole := start(t, c, set)
	whole.train(t)
	path := filepath.Join(dir, "train", fmt.Sprint(set.Train.Labels[77]), "00077.png")
	away := filepath.Join(t.TempDir(), "away.png")
	move := func(from, to string) {
		if err := os.Rename(from, to); err != nil {
			t.Error(err)
		}
	}
	reopen := func() *dataset.Set {
		folders, err := dataset.Open(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		return folders
	}
	for _, step := range []int{7, 17} { // of 5 an epoch: while the nets learn together, and while the decoder does
		r := start(t, c, reopen())
		ctx := &after{t.Context(), step, func() { move(path, away) }}
		err := r.Train(ctx, run.Options{Every: 100})
		asked := r.Step
		if err == nil || !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "--resume") {
			t.Fatalf("%v", err)
		}
		if asked < step-4 || asked >= 25 {
			t.Errorf("the run ended at step %d, the file went at %d", asked, step)
		}
		move(away, path)
		resumed := r.reopen(t, reopen())
		if resumed.Step != asked {
			t.Errorf("the checkpoint is of step %d, the run was at %d", resumed.Step, asked)
		}
		resumed.train(t)
		equalParams(t, whole, resumed)
		b := mustRead(t, path)
		if err := os.WriteFile(path, append(slices.Clone(b), 0), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := open(r.dir, reopen()); err == nil || !strings.Contains(err.Error(), "names and sizes") {
			t.Errorf("a file has another size, and the run goes on: %v", err)
		}
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	// A run that cannot begin says so, too.
	folders := reopen()
	move(path, away)
	r := start(t, c, folders)
	err := r.Train(t.Context(), run.Options{})
	if err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("%v", err)
	}
	if _, err := r.Weights(t.Context(), true); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("weights without an image: %v", err)
	}
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
