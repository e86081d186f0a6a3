package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mppm/trainer/internal/rundir"
)

// TestPlacesAreDeclared: every flag that names a file or a folder says what is
// read or written there.
func TestPlacesAreDeclared(t *testing.T) {
	for _, cmd := range commands() {
		f := new(flagSet)
		cmd.setup(f)
		for _, d := range f.list {
			isPath := slices.ContainsFunc([]string{"FILE", "DIR", "PATH"}, func(s string) bool { return strings.Contains(d.arg, s) })
			if is := slices.ContainsFunc(f.places, func(p declared) bool { return p.flag == d.name }); is != isPath {
				t.Errorf("%s --%s %s: its place is declared: %v", cmd.name, d.name, d.arg, is)
			}
		}
	}
}

// undeclared watches the folders that commands claim in all tests: what is new in
// one has to be among what the command said it writes there, or a later run would
// replace a file of somebody without a word.
var undeclared watch

type watch struct {
	mu    sync.Mutex
	files []string
}

func init() {
	onClaim = func(dir string) func(rundir.Use) {
		before := visible(dir)
		return func(u rundir.Use) {
			for _, name := range visible(dir) {
				if !slices.Contains(u.Names, name) && !slices.Contains(before, name) && !isFolder(filepath.Join(dir, name)) {
					undeclared.mu.Lock()
					undeclared.files = append(undeclared.files, fmt.Sprintf("%s wrote %s", u.Command, name))
					undeclared.mu.Unlock()
				}
			}
		}
	}
}

func (w *watch) found() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.Sort(w.files)
	for _, f := range slices.Compact(w.files) {
		fmt.Fprintln(os.Stderr, "not declared: "+f)
	}
	return len(w.files) > 0
}

func visible(dir string) []string {
	entries, _ := os.ReadDir(dir)
	var names []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names
}

// snapshot is the content of all files below folders.
func snapshot(t *testing.T, dirs ...string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, dir := range dirs {
		for _, name := range tree(t, dir) {
			if path := filepath.Join(dir, name); !isFolder(path) {
				all[path] = string(get(t, path))
			}
		}
	}
	return all
}

// unchanged fails the test if anything is not as it was.
func unchanged(t *testing.T, what string, before map[string]string, dirs ...string) {
	t.Helper()
	after := snapshot(t, dirs...)
	for path, content := range before {
		if got, ok := after[path]; !ok || got != content {
			t.Errorf("%s: %s is not what it was", what, path)
		}
	}
	for path := range after {
		if _, ok := before[path]; !ok {
			t.Errorf("%s: %s is new", what, path)
		}
	}
}

// TestNothingIsDestroyed: no command writes to what it reads, or twice to one
// place, by whatever path; it says so before it does anything.
func TestNothingIsDestroyed(t *testing.T) {
	dir := t.TempDir()
	at := func(parts ...string) string { return filepath.Join(append([]string{dir}, parts...)...) }
	for _, d := range []string{"scans", "run", "out"} {
		if err := os.Mkdir(at(d), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	one := put(t, at("one.png"), pngOf(t, digits(1), 28, 28))
	put(t, at("scans", "0.png"), pngOf(t, digits(1), 28, 28))
	w := put(t, at("weights.png"), get(t, smallModel(t))) // a name that a picture may have, too
	many := put(t, at("many.idx"), idxOf(digits(3)))
	csv := put(t, at("loss.png"), []byte("0,0\n1,0\n0,1\n1,1\n"))
	must(t, "train", "circle", "--quiet", "--epochs", "1", "--out", at("run"))
	link, hard := at("link.png"), at("hard.png")
	if err := os.Symlink(one, link); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	if err := os.Link(one, hard); err != nil {
		t.Skipf("no hard links here: %v", err)
	}
	if err := os.Symlink(at("scans"), at("album")); err != nil {
		t.Fatal(err)
	}
	checkpoint := at("run", "checkpoint.safetensors")
	before := snapshot(t, dir)
	for _, c := range []struct{ want, args string }{
		{"--strip would write to " + one + ", which --in reads", "restore --in ONE --out OUT/x.png --strip ONE"},
		{"--strip would write to", "restore --in ONE --out OUT/x.png --strip LINK"},
		{"--strip would write to", "restore --in LINK --out OUT/x.png --strip ONE"},
		{"--strip would write to", "restore --in ONE --out OUT/x.png --strip HARD"},
		{"--strip would write to", "restore --in SCANS --out OUT/x --strip SCANS/strip.png"},
		{"--strip would write to", "restore --in SCANS --out OUT/x --strip ALBUM/strip.png"},
		{"--strip would write to", "restore --in ALBUM --out OUT/x --strip SCANS/../scans/0.png"},
		{"--out and --strip would both write to", "restore --in ONE --out OUT/x.png --strip OUT/x.png"},
		{"--out and --strip would both write to", "restore --in MANY --out OUT --strip OUT/00002.png"},
		{"--out and --strip would both write to", "restore --in MANY --out OUT --strip OUT/00002.png --force"},
		{"or replace it with --force", "restore --in ONE --out HARD"},
		{"or replace it with --force", "restore --in SCANS --out ALBUM"},
		{"--out would write to " + w, "restore --in ONE --out WEIGHTS"},
		{"--out would write to " + w, "restore --in ONE --out WEIGHTS --force"},
		{"--strip would write to " + w, "restore --in ONE --out OUT/x.png --strip WEIGHTS"},
		{"--out would write to " + w, "generate --n 1 --out WEIGHTS"},
		{"--grid would write to " + w, "generate --n 1 --out OUT/x.png --grid WEIGHTS"},
		{"--out and --grid would both write to", "generate --n 1 --out OUT/x.png --grid OUT/x.png"},
		{"--out and --grid would both write to", "generate --n 1 --out LINK --grid HARD"},
		{"--out would write to " + checkpoint, "export --checkpoint RUN --out RUN/checkpoint.safetensors"},
		{"--out would write to", "export --checkpoint RUN --data CSV --out CSV"},
		{"--out would write to", "train points --in CSV --out HERE"},
		{"--out would write to", "train ldm --dae HERE/loss.png --out HERE"},
		{"--write would write to " + w, "sweep --weights WEIGHTS --write WEIGHTS --out OUT/s"},
		{"--write would write to", "sweep --dae ONE --write HARD --out OUT/s"},
		{"--write and --out would both write to", "sweep --write OUT/s/flow.md --out OUT/s"},
	} {
		var args []string
		replace := strings.NewReplacer("ONE", one, "LINK", link, "HARD", hard, "SCANS", at("scans"), "ALBUM", at("album"), "MANY", many, "OUT", at("out"), "WEIGHTS", w, "RUN", at("run"), "CSV", csv, "HERE", dir)
		for _, a := range strings.Fields(c.args) {
			args = append(args, replace.Replace(a))
		}
		if args[0] == "restore" || args[0] == "generate" {
			args = append(args, "--weights", w)
		}
		r := run(t, args...)
		if r.code != exitFailure || !strings.Contains(r.stderr, c.want) || strings.Count(r.stderr, "\n") != 1 || r.stdout != "" {
			t.Errorf("%s: exit code %d\n%swant %q", c.args, r.code, r.stderr, c.want)
		}
		unchanged(t, c.args, before, dir)
	}
}

// TestWhatIsApartIsLetThrough: folders that lie in one another are no clash as long
// as the files are others, and what the user insists on is done.
func TestWhatIsApartIsLetThrough(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	w := smallModel(t)
	image := pngOf(t, digits(1), 28, 28)
	put(t, "7.png", image)
	put(t, "00003.png", image)
	must(t, "restore", "--weights", w, "--in", ".", "--out", "restored", "--quiet")
	must(t, "restore", "--weights", w, "--in", ".", "--out", "again", "--quiet")
	must(t, "restore", "--weights", w, "--in", "7.png", "--out", "8.png", "--strip", "strip.png", "--quiet")
	must(t, "restore", "--weights", w, "--in", "8.png", "--out", "./8.png", "--center", "never", "--force", "--quiet")
	if bytes.Equal(get(t, "8.png"), image) {
		t.Error("with --force the input is not written over")
	}
	must(t, "restore", "--weights", w, "--in", "restored", "--out", "restored", "--center", "never", "--force", "--quiet")
	for _, name := range []string{"7.png", "00003.png"} {
		if !bytes.Equal(get(t, name), image) {
			t.Errorf("%s is not what it was", name)
		}
	}
	// The data of a run and the run itself may share a folder.
	put(t, "train-images-idx3-ubyte", idxOf(digits(40)))
	put(t, "t10k-images-idx3-ubyte", idxOf(digits(2)))
	args := []string{"train", "dae", "--data", ".", "--out", "runs/1", "--quiet", "--device", "cpu", "--epochs", "1", "--batch", "8", "--centers", "4"}
	must(t, args...)
	must(t, "train", "dae", "--data", ".", "--out", "runs/1", "--quiet", "--resume", "--device", "cpu")
	must(t, "export", "--checkpoint", "runs/1", "--data", ".", "--out", "runs/1/mine.safetensors", "--quiet")
}

// TestFolderOfDigits: digits that are called by numbers stay where they are.
func TestFolderOfDigits(t *testing.T) {
	w := smallModel(t)
	dir := t.TempDir()
	put(t, filepath.Join(dir, "10000.png"), pngOf(t, digits(1), 28, 28))
	put(t, filepath.Join(dir, "00001.png"), pngOf(t, digits(1), 28, 28))
	before := snapshot(t, dir)
	in := put(t, filepath.Join(t.TempDir(), "in.idx"), idxOf(digits(2)))
	for _, args := range [][]string{{"generate", "--n", "2"}, {"restore", "--in", in}} {
		args = append(args, "--weights", w, "--out", dir)
		if r := run(t, args...); r.code != exitFailure || !strings.Contains(r.stderr, filepath.Join(dir, "00001.png")) || !strings.Contains(r.stderr, "--force") {
			t.Errorf("%q: %+v", args, r)
		}
		unchanged(t, args[0], before, dir)
	}
	for _, args := range [][]string{{"generate", "--n", "2"}, {"restore", "--in", in}} {
		args = append(args, "--weights", w, "--out", dir, "--force")
		if r := must(t, args...); !strings.Contains(r.stderr, "note: "+dir+" holds another PNG") {
			t.Errorf("%q says nothing of what stays:\n%s", args, r.stderr)
		}
		after := snapshot(t, dir)
		mine := filepath.Join(dir, "10000.png")
		if len(after) != 3 || after[mine] != before[mine] {
			t.Errorf("%q: the folder holds %d files", args, len(after))
		}
	}
}

// TestFoldersOfOthers: no command that fills a folder replaces a file there that it
// has not made.
func TestFoldersOfOthers(t *testing.T) {
	for name, file := range map[string]string{
		"train mnist": "restored.png", "train dae": "dae.safetensors", "train ldm --dae x": "autoencoder.safetensors", "train classifier": "loss.png",
		"train circle": "circle.safetensors", "train points --curve moons": "moons.safetensors",
		"eval mnist": "table.csv", "eval distance": "distance.md", "eval circle": "figure4.png", "sweep": "flow.json", "scale": "batch-time.png",
	} {
		dir := t.TempDir()
		path := put(t, filepath.Join(dir, file), []byte("mine"))
		r := run(t, append(strings.Fields(name), "--quiet", "--out", dir)...)
		if r.code != exitFailure || !strings.Contains(r.stderr, path) || !strings.Contains(r.stderr, "another folder") {
			t.Errorf("%s: %+v", name, r)
		}
		unchanged(t, name, map[string]string{path: "mine"}, dir)
	}
}

// TestOneAtATime: a second run in a folder, new or resumed, of any command, by any
// path, is refused while the first lives; when it is dead, none is.
func TestOneAtATime(t *testing.T) {
	dir := t.TempDir()
	must(t, "train", "circle", "--quiet", "--epochs", "1", "--out", dir)
	before := snapshot(t, dir)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		link = dir
	}
	// A run that has far to go, and waits for nobody.
	first := trainer(t, "train", "points", "--curve", "moons", "--quiet", "--epochs", "100000", "--patience", "100000", "--checkpoint", "1", "--out", filepath.Join(dir, "b"))
	ended := begin(t, first, filepath.Join(dir, "b"))
	for _, args := range []string{
		"train points --curve moons --out DIR/b", "train points --curve moons --resume --out DIR/b", "train mnist --out LINK/b", "train dae --resume --out DIR/b",
		"train ldm --dae x --out DIR/b", "train classifier --out DIR/b", "train circle --out DIR/../DIR/b", "eval mnist --out DIR/b", "eval distance --out DIR/b", "eval circle --out LINK/b", "sweep --out DIR/b", "scale --out DIR/b",
	} {
		args = strings.NewReplacer("DIR/../DIR", filepath.Join(dir, "b", ".."), "DIR", dir, "LINK", link).Replace(args)
		r := run(t, append(strings.Fields(args), "--quiet")...)
		if r.code != exitFailure || !strings.Contains(r.stderr, "another process is at work there") || !strings.Contains(r.stderr, string(filepath.Separator)+"b: ") {
			t.Errorf("%s: %+v", args, r)
		}
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	ended()
	must(t, "scale", "--cell", "lmppm:28:1", "--seconds", "0") // takes no folder
	if r := run(t, "train", "points", "--curve", "moons", "--quiet", "--out", filepath.Join(dir, "b")); r.code != exitFailure || !strings.Contains(r.stderr, "--resume goes on with it") {
		t.Errorf("a new run once the first is dead: %+v", r)
	}
	must(t, "export", "--checkpoint", filepath.Join(dir, "b"), "--quiet", "--out", filepath.Join(dir, "b", "moons.safetensors"))
	for path, content := range before {
		if string(get(t, path)) != content {
			t.Errorf("%s is not what it was", path)
		}
	}
}

// begin starts a training process, waits until it trains in dir, and returns what
// waits for its end.
func begin(t *testing.T, cmd *exec.Cmd, dir string) (wait func()) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(done)
	}()
	for !isRun(dir) {
		select {
		case <-done:
			t.Fatal("the run has ended before it was asked to")
		case <-time.After(10 * time.Millisecond): // and look again
		}
	}
	return func() { <-done }
}
