package e2e

import (
	"archive/zip"
	"os/exec"
	"path/filepath"
	"testing"

	"mppm/site/internal/host"
)

// TestCarried opens the page as mppm carries it: in one file, of every file its .gz twin
// alone.
func TestCarried(t *testing.T) {
	t.Parallel()
	packed := filepath.Join(t.TempDir(), "page.zip")
	if out, err := exec.Command("go", "run", "../page/pack", "-from", dist, "-to", packed).CombinedOutput(); err != nil {
		t.Fatalf("pack: %v\n%s", err, out)
	}
	z, err := zip.OpenReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { z.Close() })
	p := open(t, server(t, "/", host.Files(z, host.Options{})))
	if s := p.rest("the first restoration", func(s state) bool { return s.Steps > 0 }); s.Source != "digit" || !s.SIMD {
		t.Errorf("it shows %+v", s)
	}
	for _, e := range p.consoleErrors() {
		t.Error(e)
	}
}
