//go:build unix

package cli

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// training starts a run that has said that it begins, and returns what else it says.
func training(t *testing.T, dir string, args ...string) (cmd *exec.Cmd, rest *bufio.Reader) {
	t.Helper()
	cmd = trainer(t, append([]string{"train", "circle", "--out", dir}, args...)...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // of a test that failed
	rest = bufio.NewReader(stderr)
	line, err := rest.ReadString('\n')
	if !strings.Contains(line, "training takes about") {
		t.Fatalf("the run says %q (%v)", line, err)
	}
	return cmd, rest
}

// TestSignals: a run that is told to end saves its state first, whatever tells it,
// before its first checkpoint too, and goes on to the same result.
func TestSignals(t *testing.T) {
	settings := []string{"--epochs", "40", "--checkpoint", "100000"}
	whole := t.TempDir()
	must(t, append([]string{"train", "circle", "--quiet", "--out", whole}, settings...)...)
	for _, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGTERM, syscall.SIGINT} {
		dir := t.TempDir()
		cmd, rest := training(t, dir, settings...)
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		said, _ := io.ReadAll(rest)
		err := cmd.Wait()
		// A run that came to its end before the signal has nothing to save.
		if ended := err == nil; !ended && (cmd.ProcessState.ExitCode() != exitFailure || !bytes.HasSuffix(said, []byte("interrupted; --resume goes on from here\n"))) {
			t.Errorf("%v: %v\n%s", s, err, said)
		}
		if !isRun(dir) {
			t.Errorf("%v: nothing is saved\n%s", s, said)
			continue
		}
		must(t, "train", "circle", "--quiet", "--resume", "--out", dir)
		same(t, whole, dir)
	}
}

// TestNohup: a signal that the process was started to ignore is ignored.
func TestNohup(t *testing.T) {
	signal.Ignore(syscall.SIGHUP)
	dir := t.TempDir()
	cmd, rest := training(t, dir, "--epochs", "40", "--checkpoint", "100000")
	signal.Reset(syscall.SIGHUP)
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	said, _ := io.ReadAll(rest)
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
	if _, err := os.Stat(filepath.Join(dir, "circle.safetensors")); err != nil {
		t.Error(err)
	}
}

// TestBrokenPipe: a run goes on when nobody listens any more.
func TestBrokenPipe(t *testing.T) {
	dir := t.TempDir()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := trainer(t, "train", "circle", "--epochs", "4", "--out", dir)
	cmd.Stderr = write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read.Close()
	write.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "circle.safetensors")); err != nil {
		t.Error(err)
	}
}

// TestPipeInFolder: a pipe that is named like a picture is passed over, and nobody
// waits for what comes out of it.
func TestPipeInFolder(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "1.png"), pngOf(t, digits(1), 28, 28))
	if err := syscall.Mkfifo(filepath.Join(dir, "2.png"), 0o666); err != nil {
		t.Skipf("no pipes here: %v", err)
	}
	if err := os.Symlink("2.png", filepath.Join(dir, "3.png")); err != nil {
		t.Fatal(err)
	}
	r := must(t, "restore", "--weights", smallModel(t), "--in", dir, "--out", filepath.Join(t.TempDir(), "out.idx"))
	if !strings.Contains(r.stdout, "1 image ") || !strings.Contains(r.stderr, "2 entries") {
		t.Errorf("%+v", r)
	}
}

// TestPipe: weights may come through a pipe, and one that never ends is refused.
func TestPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o666); err != nil {
		t.Skipf("no pipes here: %v", err)
	}
	for _, c := range []struct {
		what string
		from func() io.Reader
		code int
	}{
		{"weights", func() io.Reader { return bytes.NewReader(get(t, smallModel(t))) }, exitOK},
		{"zeros", func() io.Reader { return &endless{t, 1 << 24} }, exitFailure},
	} {
		from, done := c.from(), make(chan struct{})
		go func() {
			defer close(done)
			f, err := os.OpenFile(pipe, os.O_WRONLY, 0)
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.Copy(f, from) // it breaks when the reader has seen enough
			f.Close()
		}()
		if r := run(t, "info", pipe); r.code != c.code {
			t.Errorf("%s: %+v", c.what, r)
		}
		<-done
	}
}
