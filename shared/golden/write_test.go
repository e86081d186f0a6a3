//go:build !js

package golden

import (
	"os"
	"path/filepath"
	"testing"
)

// TestWrite: bits are put where they were, or at the end.
func TestWrite(t *testing.T) {
	root := t.TempDir()
	at := filepath.Join(root, "shared", "golden", "x.txt")
	for _, dir := range []string{filepath.Dir(at), filepath.Join(root, "shared", "x")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "go.mod"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join(root, "shared", "x"))
	t.Setenv("MPPM_GOLDEN", "write")
	Check(t, "x: one", 1)
	Check(t, "x: two", NewBits(2))
	Check(t, "x: one", 3)
	got, err := os.ReadFile(at)
	if want := "3  one\n" + NewBits(2).String() + "  two\n"; err != nil || string(got) != want {
		t.Errorf("the file is %q (%v), want %q", got, err, want)
	}
}
