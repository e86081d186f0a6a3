package columns

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

// The files of the command line hold what is read to much more: see package pointcloud.
func TestRead(t *testing.T) {
	for text, want := range map[string][]float64{
		"x,y\n1,2\n3,4\n":                  {1, 2, 3, 4},
		"1;2,5\r\n3;4\r\n":                 {1, 2.5, 3, 4},
		"sep=|\n1|2\n3|4":                  {1, 2, 3, 4},
		"\"SEP=;\" \n1;2\n3;4":             {1, 2, 3, 4},
		"# drawn\r1 2\r3  4\r":             {1, 2, 3, 4},
		"1e-3,\u22122\n3,4\n\n,\n":         {1e-3, -2, 3, 4},
		strings.Repeat("0.25 7\n1 2\n", 2): {0.25, 7, 1, 2, 0.25, 7, 1, 2},
	} {
		if p, err := Read(strings.NewReader(text), Either); err != nil || p.Dim != 2 || !slices.Equal(p.Points, want) {
			t.Errorf("%q is read as %v, %v", text, p, err)
		}
	}
	for text, want := range map[string]string{
		"":                    "no points",
		"1,2\n":               "one point",
		"1,2\n1,2\n":          "are the same",
		"1,2\n3\n":            "line 2 has 1 column",
		"1,2\nNaN,3\n":        "NaN",
		"1,2\nInf,3\n":        "beyond",
		"1,2\n3,x\n":          `"x" is not a number`,
		"1,2\n3,\x004\n":      "zero byte",
		"1e9,0\n1e9,1e-12\n":  "do not tell them apart",
		"0,25,0,75\n1,05,0,5": "decimal",
	} {
		if _, err := Read(strings.NewReader(text), Either); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	_, err := Read(strings.NewReader("0,25,0,75\n1,05,0,5"), Either)
	if !errors.Is(err, ErrDecimal) {
		t.Errorf("what can be read in two ways gives %v", err)
	}
	p, err := Read(strings.NewReader("0,25,0,75\n1,05,0,5"), Comma)
	if err != nil || p.Dim != 2 || math.Abs(p.Points[2]-1.05) > 1e-12 {
		t.Errorf("with decimal commas: %v, %v", p, err)
	}
}

// FuzzRead: whatever is read, the answer is points or an error.
func FuzzRead(f *testing.F) {
	for _, s := range []string{"1,2\n3,4", "sep=", "sep=\n", "\"sep=\xff\n1", ",\n,", "+,1\n", "1,234\n-1,234", "\x1a", "1 2\n3 4 5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if p, err := Read(strings.NewReader(s), Either); err == nil && (p.Dim < 1 || len(p.Points)%p.Dim != 0 || p.Len() < 2) {
			t.Errorf("%q is read as %v", s, p)
		}
	})
}
