package imageio

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// holds fails the test unless a folder holds these files, and no others that are
// not hidden. The content of one that begins with a dash is not looked at.
func holds(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		n++
		content, ok := want[e.Name()]
		if !ok {
			t.Errorf("%s is in the folder", e.Name())
			continue
		}
		if content == "-" {
			continue
		}
		if b, err := os.ReadFile(filepath.Join(dir, e.Name())); err != nil || string(b) != content {
			t.Errorf("%s is %q (%v), want %q", e.Name(), b, err, content)
		}
	}
	if n != len(want) {
		t.Errorf("%d files are in the folder, want %d", n, len(want))
	}
}

// TestFolderKeepsWhatIsNotNew: images replace what bears a name of theirs, with
// force alone, and nothing else in a folder is touched.
func TestFolderKeepsWhatIsNotNew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	if err := create(t, path, 3).Write(ramp(3)); err != nil {
		t.Fatal(err)
	}
	// Names that others give to digits: of more figures, with another number of
	// zeros, beyond the new ones.
	mine := map[string]string{"10000.png": "ten thousand", "000001.png": "six figures", "99999999999999999999999.png": "more than an int"}
	for name, content := range mine {
		put(t, filepath.Join(path, name), []byte(content))
	}
	put(t, filepath.Join(path, ".hidden"), nil)

	_, err := Create(path, "", 2, false, nil)
	if err == nil || !strings.Contains(err.Error(), filepath.Join(path, "00000.png")) || !strings.Contains(err.Error(), "--force") {
		t.Errorf("names that are taken: %v", err)
	}
	want := map[string]string{"00000.png": "-", "00001.png": "-", "00002.png": "-"}
	for name, content := range mine {
		want[name] = content
	}
	holds(t, path, want)

	target, err := Create(path, "", 2, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	if note := target.Note(); !strings.Contains(note, "4 other PNGs") { // 00002.png is one
		t.Errorf("the note is %q", note)
	}
	fresh := ramp(5)[3*Pixels:]
	if err := target.Write(fresh); err != nil {
		t.Fatal(err)
	}
	holds(t, path, want)
	for i := range 3 {
		im := mustRead(t, filepath.Join(path, number(i)))
		wanted := ramp(3)[i*Pixels : (i+1)*Pixels]
		if i < 2 {
			wanted = fresh[i*Pixels : (i+1)*Pixels]
		}
		if !bytes.Equal(im.Pixels, wanted) {
			t.Errorf("%s has another image", number(i))
		}
	}

	// Without a clash, new images lie beside old ones.
	beside := filepath.Join(t.TempDir(), "beside")
	put(t, filepath.Join(beside, "10000.png"), []byte("mine"))
	target = create(t, beside, 2)
	if note := target.Note(); !strings.Contains(note, "another PNG") {
		t.Errorf("the note is %q", note)
	}
	if err := target.Write(ramp(2)); err != nil {
		t.Fatal(err)
	}
	holds(t, beside, map[string]string{"10000.png": "mine", "00000.png": "-", "00001.png": "-"})
}

// TestFolderOfOthers: a folder that holds other things takes images with force
// alone, and keeps what it has.
func TestFolderOfOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	put(t, filepath.Join(path, "notes.txt"), []byte("mine"))
	if _, err := Create(path, "", 1, false, nil); err == nil || !strings.Contains(err.Error(), "notes.txt") || !strings.Contains(err.Error(), "--force") {
		t.Errorf("a folder with other files: %v", err)
	}
	target, err := Create(path, "", 1, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := target.Write(ramp(1)); err != nil {
		t.Fatal(err)
	}
	holds(t, path, map[string]string{"notes.txt": "mine", "00000.png": "-"})

	// A folder where an image is to be is found before any work, force or not.
	if err := os.Mkdir(filepath.Join(path, "00001.png"), 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(path, "", 2, true, nil); err == nil || !strings.Contains(err.Error(), "00001.png is a folder") {
		t.Errorf("a folder in the way: %v", err)
	}
}

// TestFolderMeanwhile: what comes to lie in a folder while the images are made is
// not replaced either.
func TestFolderMeanwhile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	if err := os.Mkdir(path, 0o777); err != nil {
		t.Fatal(err)
	}
	target := create(t, path, 2)
	put(t, filepath.Join(path, "00001.png"), []byte("another's"))
	if err := target.Write(ramp(2)); err == nil || !strings.Contains(err.Error(), "00001.png") {
		t.Errorf("over a new file: %v", err)
	}
	holds(t, path, map[string]string{"00001.png": "another's"})
	if got := fmt.Sprint(Numbered("00000.png"), Numbered("12345678.PNG"), Numbered("0000.png"), Numbered("a00000.png")); got != "true true false false" {
		t.Errorf("names with numbers: %s", got)
	}
}
