package bundle

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSourceLinks(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "shared", "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	text := "package x\n\n// F is <b>.\nfunc F() {}\n"
	if err := os.WriteFile(filepath.Join(root, "shared", "x", "x.go"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	page := `<a href="source:shared/x/x.go:func F">F</a> <a href="source:shared/x/x.go:package x">x</a>`
	b := builder{o: Options{Root: root, Log: io.Discard}, dir: t.TempDir()}
	linked, names, err := b.sources(page, "assets/s.css", "assets/i.svg")
	if err != nil {
		t.Fatal(err)
	}
	const name = "source/shared/x/x.go.html"
	if want := `<a href="` + name + `#L4">F</a> <a href="` + name + `#L1">x</a>`; linked != want || len(names) != 1 || names[0] != name {
		t.Errorf("the links are %s to %q, want %s", linked, names, want)
	}
	written, err := os.ReadFile(filepath.Join(b.dir, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<li id="L4"><code>func F() {}</code></li>`, "F is &lt;b&gt;.", `href="../../../assets/s.css"`, `href="../../../"`} {
		if !strings.Contains(string(written), want) {
			t.Errorf("the page of the source lacks %s:\n%s", want, written)
		}
	}
	b.o.Source = "https://example.org/tree/"
	if linked, names, err = b.sources(page, "", ""); err != nil || len(names) != 0 || !strings.Contains(linked, `"https://example.org/tree/shared/x/x.go#L4"`) {
		t.Errorf("links to a repository are %s, %q (%v)", linked, names, err)
	}
	for _, bad := range []string{`"source:shared/x/y.go:func F"`, `"source:shared/x/x.go:func G"`} {
		if _, _, err := b.sources(bad, "", ""); err == nil {
			t.Errorf("%s was linked", bad)
		}
	}
}
