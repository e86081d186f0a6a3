//go:build unix

// Package page_test runs the training program as the page's worker does, in Node, and
// holds it to the command line.
package page_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"mppm/shared/ambient"
	"mppm/shared/lesson"
	"mppm/trainer/internal/cli"
	"mppm/weights"
)

// eight is a task of a few steps on points of a figure eight.
func eight() *lesson.Task {
	t := &lesson.Task{ID: 3, Name: "eight.csv", Dim: 2, Seed: 5}
	t.Settings = lesson.Settings{Epochs: 12, Batch: 16, Noise: 0.3, Latent: 2, Distance: []int{16, 8}, Denoiser: []int{16}}
	for i := range 60 {
		s, c := math.Sincos(float64(i) / 30 * math.Pi)
		t.Points = append(t.Points, 300+100*s, 200+100*s*c)
	}
	return t
}

// here is the folder of the program.
var here, _ = os.Getwd()

// program compiles the training program once.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "mppm-page-")
	if err != nil {
		return "", err
	}
	at := filepath.Join(dir, "trainer.wasm")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-tags=linkedkernel", "-o", at, ".")
	cmd.Dir = here
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOEXPERIMENT=simd")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return at, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if at, err := program(); err == nil {
		os.RemoveAll(filepath.Dir(at))
	}
	os.Exit(code)
}

// learn has the program train, and gives it orders after so many reports. It returns the
// reports.
func learn(t *testing.T, message []byte, orders ...string) []*lesson.Report {
	t.Helper()
	at, err := program()
	if err != nil {
		t.Fatal(err)
	}
	task := filepath.Join(t.TempDir(), "task")
	if err := os.WriteFile(task, message, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", append([]string{filepath.Join(here, "testdata", "worker.js"), at, task}, orders...)...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("this test runs the program in Node: %v", err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	var reports []*lesson.Report
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			_ = cmd.Wait()
			t.Fatalf("the program ended after %d reports: %v\n%s", len(reports), err, &complaint)
		}
		b, err := hex.DecodeString(strings.TrimSpace(line))
		if err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		r, err := lesson.ReadReport(b)
		if err != nil {
			t.Fatal(err)
		}
		if reports = append(reports, r); r.State.Over() {
			return reports
		}
	}
}

// order is an order after so many reports, as testdata/worker.js takes it.
func order(o lesson.Order, reports int) string {
	return fmt.Sprintf("%s@%d", hex.EncodeToString(o.Message()), reports)
}

// native trains a task with the command that it names, and returns the weights. from is
// the file of what it begins with, or "".
func native(t *testing.T, task *lesson.Task, from string) []byte {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, b := range map[string][]byte{task.Name: task.CSV(), from: task.From} {
		if name == "" {
			continue
		}
		if err := os.WriteFile(name, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var out, complaint bytes.Buffer
	words := append(strings.Fields(task.Command(from))[1:], "--out", "run", "--quiet")
	if code := cli.Run(context.Background(), words, strings.NewReader(""), &out, &complaint); code != 0 {
		t.Fatalf("%q ends with %d: %s", words, code, &complaint)
	}
	b, err := os.ReadFile(filepath.Join("run", "points.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestBits: the program makes byte for byte what the command makes that the task names,
// and so it does of what it made when it goes on from there.
func TestBits(t *testing.T) {
	task := eight()
	from := ""
	for range 2 {
		reports := learn(t, task.Begin())
		last := reports[len(reports)-1]
		if last.State != lesson.Done || last.Err != "" || last.Step != last.Steps {
			t.Fatalf("it ends with %+v", last)
		}
		first := slices.IndexFunc(reports, func(r *lesson.Report) bool { return len(r.Weights) > 0 })
		if r := reports[first]; r.State != lesson.Training || len(r.Marks) == 0 || len(r.Marks[0].Terms) != 5 {
			t.Errorf("the first weights come with %+v", r)
		}
		if want := native(t, task, from); !bytes.Equal(last.Weights, want) {
			t.Errorf("from %q the weights are not those of %s", from, task.Command(from))
		}
		task.ID, task.From, from = task.ID+1, last.Weights, "page.safetensors"
	}
}

// TestOrders: a task pauses, goes on, and ends with what there is.
func TestOrders(t *testing.T) {
	task := eight()
	task.Epochs, task.Patience = 100_000, 100_000
	reports := learn(t, task.Begin(), order(lesson.Pause, 1), order(lesson.GoOn, 2), order(lesson.Stop, 4))
	if len(reports) < 5 || reports[1].State != lesson.Paused || reports[2].State != lesson.Training {
		t.Fatalf("%d reports", len(reports))
	}
	last := reports[len(reports)-1]
	if last.State != lesson.Stopped {
		t.Errorf("it ends with %+v", last)
	}
	if m, err := ambient.Load(last.Weights); err != nil || m.Latent != 2 {
		t.Errorf("what there is cannot be read: %v", err)
	}
}

// TestFails: what cannot be trained on is answered with a sentence.
func TestFails(t *testing.T) {
	spot, junk, shape := eight(), eight(), eight()
	clear(spot.Points)
	junk.From = []byte("no weights")
	shape.From, shape.Distance = weights.Circle, []int{3}
	for want, task := range map[string]*lesson.Task{"on one spot": spot, "to go on from": junk, "other shapes": shape} {
		reports := learn(t, task.Begin())
		if last := reports[len(reports)-1]; last.State != lesson.Failed || !strings.Contains(last.Err, want) {
			t.Errorf("%q: %+v", want, last)
		}
	}
}
