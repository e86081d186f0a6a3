package main

import (
	"strings"
	"testing"
)

// TestTable writes times with as many digits as they have, and ratios to ours.
func TestTable(t *testing.T) {
	var out strings.Builder
	err := write(&out, result{Rows: []row{{Name: "F", N: 100, Ours: 10, ONNX: 25.04, TensorFlow: 15}, {Name: "G", N: 1, Ours: 0.2, ONNX: 0.1, TensorFlow: 1.254}}, Notes: "as it was"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| F, 100 | 10.0 ms | 25.0 ms | 15.0 ms | 2.50 | 1.50 |\n", "| G, 1 | 0.20 ms | 0.10 ms | 1.25 ms | 0.50 | 0.50 |\n", "\nas it was\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table is\n%s\nwant %q in it", out.String(), want)
		}
	}
}

// TestUnbuilt: without the page the command says what builds it.
func TestUnbuilt(t *testing.T) {
	err := run(t.Context(), []string{"-dist", t.TempDir()}, new(strings.Builder), new(strings.Builder))
	if err == nil || !strings.Contains(err.Error(), "make bench-page") {
		t.Errorf("of a folder without the page: %v", err)
	}
}
