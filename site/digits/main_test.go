package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestCommittedDigits makes the digits again and compares them with those that
// the page ships.
func TestCommittedDigits(t *testing.T) {
	dir := t.TempDir()
	if err := run([]string{"-out", dir}, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"digits-images.idx", "digits-labels.idx"} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join("..", "static", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("site/static/%s is not what `go run ./site/digits` makes", name)
		}
	}
}

func TestChoose(t *testing.T) {
	var labels []byte
	for i := range 40 {
		labels = append(labels, byte(i*7%10))
	}
	got, err := choose(labels, 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for k, i := range got {
		if int(labels[i]) != k%10 || seen[i] {
			t.Errorf("place %d has digit %d, image %d (seen before: %v); want the digit %d, once", k, labels[i], i, seen[i], k%10)
		}
		seen[i] = true
	}
	for _, each := range []int{0, -1, 5} {
		if _, err := choose(labels, each, 1); err == nil {
			t.Errorf("%d of each class: no error", each)
		}
	}
	if _, err := choose([]byte{11}, 1, 1); err == nil {
		t.Error("a label of 11: no error")
	}
}
