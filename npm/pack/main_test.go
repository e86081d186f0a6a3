package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRefuses: what cannot be a package is not begun.
func TestRefuses(t *testing.T) {
	for args, want := range map[string]string{
		"everything":      `"everything" is not understood`,
		"-version 1.0":    "npm wants three numbers",
		"-version v1.2.3": "npm wants three numbers",
	} {
		dir := t.TempDir()
		var out, errs bytes.Buffer
		err := run(t.Context(), append([]string{"-out", dir}, strings.Fields(args)...), &out, &errs)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", args, err, want)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%s: %v is left, %v", args, left, err)
		}
	}
}

// TestIncomplete: after a file that is not there nothing is written any more, and the
// error names it.
func TestIncomplete(t *testing.T) {
	dir := t.TempDir()
	p := packer{root: dir, goroot: dir, dir: filepath.Join(dir, "package")}
	p.put("LICENSE", p.read(filepath.Join(dir, "LICENSE")))
	p.put("README.md", nil)
	if p.err == nil || !strings.Contains(p.err.Error(), "LICENSE") {
		t.Errorf("the error is %v", p.err)
	}
	if _, err := os.Stat(p.dir); !os.IsNotExist(err) {
		t.Errorf("something was written: %v", err)
	}
}
