package e2e

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Where what the package is checked with is installed.
var checks = func() string {
	path, err := filepath.Abs(filepath.Join("..", "check", "node_modules"))
	if err != nil {
		panic(err) // there is no working directory
	}
	return path
}()

const uninstalled = "`npm ci` in npm/check installs what the package is checked with"

// readme returns the blocks of code of the package's README, without those for a shell.
func readme(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(pack, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, m := range regexp.MustCompile("(?s)```(?:html|js)\n(.*?)```").FindAllSubmatch(text, -1) {
		blocks = append(blocks, string(m[1]))
	}
	if len(blocks) != 5 {
		t.Fatalf("the package's README has %d blocks of code; the tests know 5", len(blocks))
	}
	return blocks
}

// TestReadme shows the pages of the README as a reader would have them, and runs its
// programs.
func TestReadme(t *testing.T) {
	t.Parallel()
	blocks := readme(t)
	if lines := strings.Count(blocks[0]+blocks[1], "\n"); lines > 30 {
		t.Errorf("the page to copy has %d lines, want 30 at most", lines)
	}
	site := map[string]string{"index.html": blocks[0], "page.js": blocks[1], "article.html": blocks[2]}
	for name, show := range browsers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			frame := func(name string) url.Values { return url.Values{"src": {"/sub/path/" + name}} }
			p := newPages(pageOf{"frame.mjs", frame("index.html"), framing}, pageOf{"frame.mjs", frame("article.html"), framing})
			p.files["/sub/path/mppm/"] = http.StripPrefix("/sub/path/mppm/", http.FileServer(http.Dir(pack)))
			for name, text := range site {
				p.files["/sub/path/"+name] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					http.ServeContent(w, r, name, time.Time{}, strings.NewReader(text))
				})
			}
			show(t, p.serve(t)+p.address(0))
			p.hear(t)
		})
	}
	for i, want := range map[int]string{3: "[ 3, 3 ]\n", 4: "{ height: 96, width: 96, channels: 3 } 27648\n"} {
		if err := os.WriteFile(filepath.Join(home, "example.mjs"), []byte(blocks[i]), 0o644); err != nil {
			t.Fatal(err)
		}
		if out := node(t, "example.mjs"); !strings.HasPrefix(out, want) {
			t.Errorf("a program of the README prints %q, want %q", out, want)
		}
	}
}

// framing is the policy of a page that shows another.
const framing = strict + "; frame-src 'self'"

// TestTypes compiles a program that uses all of the package, as TypeScript finds its
// types for Node and for bundlers.
func TestTypes(t *testing.T) {
	t.Parallel()
	for _, how := range [][]string{{"--module", "nodenext"}, {"--module", "esnext", "--moduleResolution", "bundler"}} {
		check(t, "typescript/bin/tsc", append([]string{"--noEmit", "--strict", "--exactOptionalPropertyTypes", "--target", "es2022", "--lib", "es2024,dom,dom.iterable", "sample.mts"}, how...)...)
	}
}

// TestLint: what publint and attw look for in packages is not there.
func TestLint(t *testing.T) {
	t.Parallel()
	check(t, "publint/src/cli.js", tarball, "--strict")
	// A package of ES modules alone is one in CommonJS too, through import().
	check(t, "@arethetypeswrong/cli/dist/index.js", tarball, "--profile", "esm-only", "--format", "ascii", "--no-emoji")
}

// check runs a tool of npm/check in the project that has the package.
func check(t *testing.T, tool string, args ...string) {
	t.Helper()
	path := filepath.Join(checks, filepath.FromSlash(tool))
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: %s", err, uninstalled)
	}
	cmd := exec.Command("node", append([]string{path}, args...)...)
	cmd.Dir = home
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s %v: %v\n%s", tool, args, err, out)
	}
}

// TestSize: the package stays small, and so does what a page fetches for digits.
func TestSize(t *testing.T) {
	const (
		mostPacked  = 9_500_000 // the tarball: two programs, and four models
		mostFetched = 2_000_000 // of a page that reads digits, compressed with gzip
		mostUnpack  = 16_000_000
	)
	info, err := os.Stat(tarball)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > mostPacked {
		t.Errorf("the tarball has %d bytes; %d are the most", info.Size(), mostPacked)
	}
	fetched := 0
	for _, name := range []string{"index.js", "core.js", "files.js", "engine.js", "go.js", "worker.js", "serve.js", "mppm-simd.wasm", "weights/mnist.safetensors", "weights/classifier.safetensors"} {
		b, err := os.ReadFile(filepath.Join(pack, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		if _, err := z.Write(b); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d bytes, %d compressed", name, len(b), packed.Len())
		fetched += packed.Len()
	}
	t.Logf("tarball: %d bytes; a page for digits: %d", info.Size(), fetched)
	if fetched > mostFetched {
		t.Errorf("a page for digits fetches %d bytes; %d are the most", fetched, mostFetched)
	}
	total := int64(0)
	if err := filepath.WalkDir(pack, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if total > mostUnpack {
		t.Errorf("unpacked the package has %d bytes; %d are the most", total, mostUnpack)
	}
}
