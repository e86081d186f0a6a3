// Package golden holds tests to bits that were once found right: those of streams,
// nets, flows and scores, which are the same on every platform and with every
// kernel. They lie beside this file, a file for each package that has such tests
// and a line for each thing, as "sum  what it is of", and are part of the test
// program, so that the same tests run in a browser.
//
// Where bits were meant to change, MPPM_GOLDEN=write has tests write what they
// find. The difference is then to be read, and committed.
package golden

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"hash"
	"hash/fnv"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

//go:embed *.txt
var files embed.FS

// A test program is of one package: nobody else writes that package's file.
var writing sync.Mutex

// Check fails a test unless what it found is what is kept of it, both printed as
// by fmt.Sprint. It says of what package that is and of what, as
// "rng: two draws of seed 1"; what comes after the colon is on one line, and is
// no other's in the package.
func Check(t testing.TB, of string, got any) {
	t.Helper()
	name, what, ok := strings.Cut(of, ": ")
	found := fmt.Sprint(got)
	if !ok || strings.Contains(of+found, "\n") || strings.Contains(found, "  ") {
		t.Fatalf("golden: %q and %q are not of the form \"package: what\" and a sum, each on a line", of, found)
	}
	if os.Getenv("MPPM_GOLDEN") == "write" {
		if err := write(name, what, found); err != nil {
			t.Fatalf("golden: %v", err)
		}
		return
	}
	text, err := files.ReadFile(name + ".txt")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("golden: %v", err)
	}
	lines, at := find(text, what)
	again := fmt.Sprintf("If they were meant to change, MPPM_GOLDEN=write go test -run '^%s$' in this folder writes what is found.", strings.ReplaceAll(t.Name(), "/", "$/^"))
	if at == len(lines) {
		t.Errorf("%s: shared/golden/%s.txt keeps no bits of it; found %s. %s", of, name, found, again)
	} else if want, _, _ := strings.Cut(lines[at], "  "); found != want {
		t.Errorf("%s: the bits are %s, want %s (shared/golden/%s.txt, line %d). %s", of, found, want, name, at+1, again)
	}
}

// find returns the lines of a file, and which of them is of something: their
// number if none is.
func find(text []byte, what string) (lines []string, at int) {
	for line := range bytes.Lines(text) {
		lines = append(lines, strings.TrimSuffix(string(line), "\n"))
	}
	at = slices.IndexFunc(lines, func(line string) bool {
		_, of, _ := strings.Cut(line, "  ")
		return of == what
	})
	if at < 0 {
		at = len(lines)
	}
	return lines, at
}

// write puts a sum in the place of what a package's file has of the same thing, or
// at its end.
func write(name, what, sum string) error {
	writing.Lock()
	defer writing.Unlock()
	dir, err := folder()
	if err != nil {
		return err
	}
	path := filepath.Join(dir, name+".txt")
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	lines, at := find(text, what)
	line := sum + "  " + what
	if at == len(lines) {
		lines = append(lines, line)
	}
	lines[at] = line
	return os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644)
}

// folder returns this package's folder: tests run in that of their own.
func folder() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "shared", "golden"), nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("this is outside the project, and what is found cannot be written")
		}
	}
}

// Bits is the hash of numbers by their bits: 64 bits of FNV-1a over float32,
// little-endian. It prints as hexadecimal.
type Bits struct{ h hash.Hash64 }

// NewBits is the hash of numbers, and of what is added.
func NewBits(v ...float32) *Bits {
	b := &Bits{fnv.New64a()}
	b.Add(v)
	return b
}

// Add adds numbers to what is hashed.
func (b *Bits) Add(v []float32) {
	for _, x := range v {
		u := math.Float32bits(x)
		b.h.Write([]byte{byte(u), byte(u >> 8), byte(u >> 16), byte(u >> 24)})
	}
}

func (b *Bits) String() string { return fmt.Sprintf("%016x", b.h.Sum64()) }
