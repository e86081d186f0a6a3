package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestCommitted: what is committed is what this program writes.
func TestCommitted(t *testing.T) {
	for name, want := range files() {
		got, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the generator writes: run go generate ./shared/gemm", name)
		}
	}
}
