package pointcloud

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// endless never ends, and fails the test if it is read on and on.
type endless struct {
	t    *testing.T
	text string
	left int
}

func (e *endless) Read(b []byte) (int, error) {
	if e.left -= len(b); e.left < 0 {
		e.t.Fatal("read on")
	}
	for i := range b {
		b[i] = e.text[i%len(e.text)]
	}
	return len(b), nil
}

func TestEndless(t *testing.T) {
	for text, want := range map[string]string{"\x00": "zero", "1": "line 3 is longer than", "1,": "line 3 is longer than"} {
		_, err := ReadCSV(io.MultiReader(strings.NewReader("1,2\n3,4\r\n"), &endless{t, text, 8 << 20}), Either)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q without an end: %v", text, err)
		}
	}
	// Lines that end never stop to come, but points are bounded, too.
	if _, err := ReadCSV(&endless{t, "1,2\n", 1 << 30}, Either); err == nil || !strings.Contains(err.Error(), "there are more than") {
		t.Errorf("points without an end: %v", err)
	}
	if _, err := ReadFile(os.DevNull, Either); err == nil || !strings.Contains(err.Error(), "is a device") {
		t.Errorf("a device: %v", err)
	}
	boom := errors.New("boom")
	if _, err := ReadCSV(io.MultiReader(strings.NewReader("1,2\n3"), &failing{boom}), Either); !errors.Is(err, boom) {
		t.Errorf("a reading that fails: %v", err)
	}
	path := filepath.Join(t.TempDir(), "long.csv")
	row := strings.Repeat("0.25,", 4095)
	if err := os.WriteFile(path, []byte(row+"1\n"+row+"2\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if c, err := ReadFile(path, Either); err != nil || c.Dim != 4096 || c.Len() != 2 {
		t.Errorf("4096 coordinates: %v", err)
	}
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }
