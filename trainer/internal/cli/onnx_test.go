package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mppm/trainer/internal/onnx"
)

// TestExportONNX writes the files of the embedded weights, and replaces them only if it
// is told to.
func TestExportONNX(t *testing.T) {
	t.Chdir(t.TempDir())
	if r := run(t, "export", "--format", "onnx", "--out", "nets"); r.code != exitOK || !strings.Contains(r.stdout, onnx.RestoreFile) {
		t.Fatalf("exit status %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	if err := os.WriteFile(filepath.Join("nets", onnx.StepFile), []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	if r := run(t, "export", "--format", "onnx", "--out", "nets"); r.code != exitFailure || !strings.Contains(r.stderr, "there is a file of that name") {
		t.Errorf("over files that are there: exit status %d\n%s", r.code, r.stderr)
	}
	if b, err := os.ReadFile(filepath.Join("nets", onnx.StepFile)); err != nil || string(b) != "mine" {
		t.Errorf("a file that was there is now %d bytes long (%v)", len(b), err)
	}
	if r := run(t, "export", "--format", "onnx", "--out", "nets", "--force", "--quiet"); r.code != exitOK || r.stdout != "" {
		t.Errorf("with --force: exit status %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	for _, bad := range [][]string{
		{"--format", "onnx", "--checkpoint", "runs/mnist"},
		{"--format", "onnx", "--float"},
		{"--checkpoint", "runs/mnist", "--weights", "w.safetensors"},
		{},
	} {
		if r := run(t, append([]string{"export", "--out", "x"}, bad...)...); r.code != exitUsage {
			t.Errorf("%q: exit status %d, want %d\n%s", bad, r.code, exitUsage, r.stderr)
		}
	}
	for name, b := range embedded {
		if len(b) == 0 || len(b) > 1<<20 {
			continue // those of pictures take seconds
		}
		if r := run(t, "export", "--format", "onnx", "--weights", name, "--int8", "--out", name); r.code != exitOK || !strings.Contains(r.stdout, ".onnx (") {
			t.Errorf("of %s: exit status %d\n%s", name, r.code, r.stderr)
		}
	}
	if err := os.WriteFile("w", []byte("no weights, but long enough to be"), 0o644); err != nil {
		t.Fatal(err)
	}
	if r := run(t, "export", "--format", "onnx", "--weights", "w", "--out", "y"); r.code != exitFailure || !strings.Contains(r.stderr, "w") {
		t.Errorf("of a file that is none: exit status %d\n%s", r.code, r.stderr)
	}
}
