package cli

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"mppm/trainer/internal/dataset"
)

// asTrainer makes the test binary the trainer itself, for tests that kill it.
const asTrainer = "MPPM_TEST_TRAINER"

func TestMain(m *testing.M) {
	if os.Getenv(asRefiner) != "" {
		os.Exit(refine(os.Args[1:]))
	}
	if os.Getenv(asTrainer) == "" {
		code := m.Run()
		if undeclared.found() {
			code = 1
		}
		os.Exit(code)
	}
	os.Exit(Run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr, nil))
}

// trainer returns the command that runs the trainer in a process of its own.
func trainer(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Env = append(os.Environ(), asTrainer+"=1")
	return cmd
}

// TestKill kills training fifty times, at random moments of anything it does. What
// it leaves can always be gone on with, to the files of a run that nobody killed.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	const kills = 50
	set, err := dataset.Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	const n = 96
	put(t, filepath.Join(data, "train-images-idx3-ubyte"), idxOf(set.Train.Images[:n*784]))
	put(t, filepath.Join(data, "t10k-images-idx3-ubyte"), idxOf(set.Test.Images[:5*784]))
	args := func(dir string, more ...string) []string {
		return append([]string{"train", "mnist", "--quiet", "--device", "cpu", "--data", data, "--out", dir}, more...)
	}
	begin := []string{"--epochs", "6", "--refine", "3", "--restored", "0.5", "--batch", "32", "--centers", "16"}
	whole := t.TempDir()
	start := time.Now()
	if out, err := trainer(t, args(whole, begin...)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	took := time.Since(start)

	// How long a process lives at most follows the machine, which may be slower or
	// busier than it just was: longer while nothing is saved, shorter where a run
	// comes to its end. The last one is left alone.
	r, limit := rand.New(rand.NewPCG(1, 2)), took/2
	dir, resumed := t.TempDir(), 0
	for killed, ended := 0, false; killed < kills || !ended; {
		more := begin
		if _, err := os.Stat(filepath.Join(dir, "checkpoint.safetensors")); err == nil {
			more = []string{"--resume"}
			resumed++
		} else if !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		} else if killed > 0 && !ended {
			limit += limit / 8
		}
		cmd := trainer(t, args(dir, more...)...)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if killed < kills {
			time.AfterFunc(time.Duration(r.Float64()*float64(limit)), func() { _ = cmd.Process.Kill() })
		}
		err := cmd.Wait()
		switch ended = err == nil; {
		case ended:
			same(t, whole, dir)
			dir = t.TempDir()
			limit -= limit / 4
		case cmd.ProcessState.ExitCode() == -1:
			killed++
		default:
			t.Fatalf("after %d kills: %v\n%s", killed, err, out.Bytes())
		}
	}
	if resumed < kills/5 {
		t.Errorf("of %d kills %d came after a checkpoint", kills, resumed)
	}
}

// same fails the test unless a folder has the files of another, with their bytes.
// It may have more: what a killed process was writing.
func same(t *testing.T, want, got string) {
	t.Helper()
	for _, name := range tree(t, want) {
		if !bytes.Equal(get(t, filepath.Join(want, name)), get(t, filepath.Join(got, name))) {
			t.Errorf("%s is not that of an uninterrupted run", name)
		}
	}
}
