package pointcloud

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// TestReadKinds reads the same three points as the world writes them.
func TestReadKinds(t *testing.T) {
	want := []float64{0.5, -1.25, 3, 1000, -0.875, 2}
	encoded := func(e encoding.Encoding, s string) string {
		b, err := e.NewEncoder().String(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := io.WriteString(z, "x;y\n0,5;-1,25\n3;1000\n-0,875;2\n"); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	plain := "x,y\r\n0.5,-1.25\r\n3,1000\r\n-0.875,2\r\n"
	for name, text := range map[string]string{
		"points":                   plain,
		"old Macs":                 strings.ReplaceAll(plain, "\r\n", "\r"),
		"Unix":                     strings.ReplaceAll(plain, "\r\n", "\n"),
		"no end":                   strings.TrimSuffix(plain, "\r\n"),
		"a blank last line":        plain + "  \r\n\r\n\t\r\n",
		"empty last rows":          plain + ",\n , \n",
		"the end of DOS":           plain + "\x1a",
		"an end to each row":       "x,y,\n0.5,-1.25,\n3,1000,\n-0.875,2,\n",
		"an end, no names":         "0.5;-1.25;\n3;1000;\n-0.875;2;\n",
		"semicolons":               "0.5;-1.25\n3;1000\n-0.875;2\n",
		"tabs":                     "0.5\t-1.25\n3\t1000\n-0.875\t2\n",
		"bars":                     "0.5|-1.25\n3|1000\n-0.875|2\n",
		"spaces":                   "# x y\n  0.5  -1.25\n3 \t 1000\n-0.875 2 \n\n",
		"savetxt":                  "5.000000000000000000e-01 -1.250000000000000000e+00\n3.000000000000000000e+00 1.000000000000000000e+03\n-8.750000000000000000e-01 2.000000000000000000e+00\n",
		"comma, space":             "x, y\n0.5, -1.25\n3, 1000\n-0.875, 2\n",
		"decimal commas":           "x;y\n0,5;-1,25\n3;1000\n-0,875;2\n",
		"decimal commas, tabs":     "0,5\t-1,25\n3\t1000\n-0,875\t2\n",
		"decimal commas, spaces":   "0,5 -1,25\n3 1000\n-0,875 2\n",
		"decimal commas, quoted":   "\"0,5\",\"-1,25\"\n\"3\",\"1000\"\n\"-0,875\",\"2\"\n",
		"decimal commas, exponent": "5,0E-1;-1,25e0\n3;1,0E+03\n-0,875;2\n",
		"sep":                      "sep=;\r\n0,5;-1,25\r\n3;1000\r\n-0,875;2\r\n",
		"sep, quoted":              "\"sep=|\"\nx|y\n0.5|-1.25\n3|1000\n-0.875|2\n",
		"SEP, tab":                 "SEP=\t\n0.5\t-1.25\n3\t1000\n-0.875\t2\n",
		"sep, unusual":             "sep=:\n0.5:-1.25\n3:1000\n-0.875:2\n",
		"names with commas":        "\"x, in m\";\"y, in m\"\n0.5;-1.25\n3;1000\n-0.875;2\n",
		"names with commas, bare":  "x, in m;y, in m\n0.5;-1.25\n3;1000\n-0.875;2\n",
		"names with semicolons":    "\"x; in m\",\"y; in m\"\n0.5,-1.25\n3,1000\n-0.875,2\n",
		"names with quotes":        "\"the \"\"x\"\"\",y\n0.5,-1.25\n3,1000\n-0.875,2\n",
		"names and units":          "x;y\nm;m\n0.5;-1.25\n3;1000\n-0.875;2\n",
		"a title":                  "My points\nx;y\n0.5;-1.25\n3;1000\n-0.875;2\n",
		"a minus of typesetters":   "0.5;\u22121.25\n3;1000\n\u22120.875;2\n",
		"UTF-8 with a mark":        "\ufeff" + plain,
		"UTF-8, mark and sep":      "\ufeffsep=,\n" + plain,
		"UTF-16, little":           encoded(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), plain),
		"UTF-16, big":              encoded(unicode.UTF16(unicode.BigEndian, unicode.UseBOM), plain),
		"UTF-16, little, no mark":  encoded(unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), plain),
		"UTF-16, big, no mark":     encoded(unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), plain),
		"UTF-16, tabs":             encoded(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), "größe\tlänge\r\n0,5\t-1,25\r\n3\t1000\r\n-0,875\t2\r\n"),
		"Windows-1252":             encoded(charmap.Windows1252, "größe;µm²\n0,5;-1,25\n3;1000\n-0,875;2\n"),
		"gzip":                     packed.String(),
		"gzip, padded":             packed.String() + strings.Repeat("\x00", 512),
	} {
		for _, slow := range []bool{false, true} {
			var r io.Reader = strings.NewReader(text)
			if slow {
				r = iotest.OneByteReader(r)
			}
			c, err := ReadCSV(r, Either)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				break
			}
			if c.Dim != 2 || !slices.Equal(c.Points, want) {
				t.Errorf("%s: %d coordinates, %v; want %v", name, c.Dim, c.Points, want)
			}
			if comma := strings.Contains(name, "decimal") || strings.Contains(name, "gzip"); comma && (len(c.Notes) != 1 || !strings.Contains(c.Notes[0], "decimal commas")) {
				t.Errorf("%s: nothing is said of the decimal commas: %q", name, c.Notes)
			}
		}
	}
}

// TestDecimalQuestion: where a comma may be a decimal one, nobody guesses.
func TestDecimalQuestion(t *testing.T) {
	column := func(format string, n int, f func(i int) (int, int)) string {
		var b strings.Builder
		for i := range n {
			w, d := f(i)
			fmt.Fprintf(&b, format, w, d)
		}
		return b.String()
	}
	for name, c := range map[string]struct {
		text  string
		asked bool
		two   []float64 // by --decimal point
		one   []float64 // by --decimal comma
	}{
		"as the page has it":   {"3,14\n2,71\n1,41\n", true, []float64{3, 14, 2, 71, 1, 41}, []float64{3.14, 2.71, 1.41}},
		"leading zeros":        {"3,1\n2,05\n", true, []float64{3, 1, 2, 5}, []float64{3.1, 2.05}},
		"two columns of them":  {"0,914,-0,404\n1,052,0,492\n", true, nil, []float64{0.914, -0.404, 1.052, 0.492}},
		"two and names":        {"x,y\n0,914,-0,404\n1,052,0,492\n", true, nil, []float64{0.914, -0.404, 1.052, 0.492}},
		"one and a name":       {"x\n3,1\n2,5\n", true, nil, []float64{3.1, 2.5}},
		"a minus":              {"-3,14\n2,71\n", true, []float64{-3, 14, 2, 71}, []float64{-3.14, 2.71}},
		"never a zero":         {column("%d,%d\n", 30, func(i int) (int, int) { return i % 3, []int{5, 25, 125, 875}[i%4] }), true, nil, nil},
		"small whole numbers":  {"1,2\n3,4\n", false, []float64{1, 2, 3, 4}, []float64{1.2, 3.4}},
		"whole numbers":        {"120,34\n7,150\n", false, []float64{120, 34, 7, 150}, nil},
		"names for both":       {"x,y\n3,14\n2,71\n", false, []float64{3, 14, 2, 71}, nil},
		"points":               {"3.5,14\n2,71\n", false, []float64{3.5, 14, 2, 71}, nil},
		"an exponent":          {"3e1,14\n2,71\n", false, []float64{30, 14, 2, 71}, nil},
		"said so":              {"sep=,\n3,14\n2,71\n", false, []float64{3, 14, 2, 71}, nil},
		"a minus in the other": {"3,-14\n2,71\n", false, []float64{3, -14, 2, 71}, nil},
	} {
		read := func(d Decimal) *Cloud {
			got, err := ReadCSV(strings.NewReader(c.text), d)
			if err != nil {
				t.Errorf("%s, decimal %q: %v", name, rune(d), err)
				return &Cloud{Dim: 1}
			}
			return got
		}
		_, err := ReadCSV(strings.NewReader(c.text), Either)
		if asked := err != nil && strings.Contains(err.Error(), "--decimal comma or --decimal point"); asked != c.asked || !asked && err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if c.two != nil {
			if got := read(Point).Points; !slices.Equal(got, c.two) {
				t.Errorf("%s: by points %v, want %v", name, got, c.two)
			}
		}
		if c.one != nil {
			if got := read(Comma).Points; !slices.Equal(got, c.one) {
				t.Errorf("%s: by commas %v, want %v", name, got, c.one)
			}
		}
	}
	for name, c := range map[string]struct {
		text string
		d    Decimal
		want string
	}{
		"both marks":         {"1,5;2\n1.5;2\n", Either, `line 2, column 1: "1.5" has another decimal mark than line 1`},
		"not the one asked":  {"1,5;2\n1,5;3\n", Point, "another decimal mark"},
		"groups":             {"1.234,5;2\n3;4\n", Either, "not to be grouped"},
		"groups, many":       {"1,234,567;2\n3;4\n", Either, "not to be grouped"},
		"groups, quoted":     {"\"691,607\",\"900,001\"\n\"691,608\",\"900,003\"\n", Either, "does it group the digits"},
		"numbers of rows":    {",x,y\n0,0.5,1\n1,0.7,2\n", Either, "line 1 names no column 1"},
		"whole among them":   {"3,14\n2\n", Either, "--decimal comma"},
		"no pairs":           {"3,14,1\n2,7,1\n", Comma, "semicolons"},
		"words below commas": {"x;y\nm;m\na;b\nc;d\ne;f\ng;h\n", Either, "is not a number"},
	} {
		if _, err := ReadCSV(strings.NewReader(c.text), c.d); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestReadNames: what is no CSV is named.
func TestReadNames(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := io.WriteString(z, "<!doctype html>"); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"\x93NUMPY\x01\x00v\x00":                     "NumPy array",
		"PAR1\x15\x04":                               "Parquet",
		"PK\x03\x04\x14\x00xl/x.xml":                 "an Excel workbook, not CSV: save it as CSV",
		"<!DOCTYPE html><html>":                      "HTML page",
		packed.String():                              "HTML page",
		packed.String()[:8]:                          "unpacking it",
		"version https://git-lfs.gi":                 "Git LFS",
		"\x00\x00\x08\x03\x00\x00\x00\x00":           "IDX",
		"\x89PNG\r\n\x1a\n":                          "a PNG",
		"\x28\x00\x00\x00\x00\x00\x00\x00{\"a\":{}}": "safetensors",
		"\xff\xfe\x00\x001\x00\x00\x00":              "UTF-32",
		"1,2\n3,\x004\n":                             "line 2 holds a zero byte",
	} {
		if _, err := ReadCSV(strings.NewReader(text), Either); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, want %q", text, err, want)
		}
	}
	// A column may be called as a file begins.
	if c, err := ReadCSV(strings.NewReader("PAR1,PAR2\n1.5,2\n3,4\n"), Either); err != nil || c.Dim != 2 {
		t.Error(err)
	}
}

// TestFarPoints: points are what they are, however far from 0, and those that 64
// bits do not tell apart are refused.
func TestFarPoints(t *testing.T) {
	c, err := ReadCSV(strings.NewReader("x,y\n691607.00914,5335000.00404\n691606.99129,5335000.00492\n"), Either)
	if err != nil {
		t.Fatal(err)
	}
	if want := []float64{691607.00914, 5335000.00404, 691606.99129, 5335000.00492}; !slices.Equal(c.Points, want) {
		t.Errorf("%v, want %v", c.Points, want)
	}
	other := &Cloud{Dim: 2, Points: slices.Clone(c.Points)}
	other.Points[3] += 1e-6
	if c.MD5() == other.MD5() {
		t.Error("other points have the same checksum")
	}
	if _, err := ReadCSV(strings.NewReader("1e15,1\n1000000000000001,1\n"), Either); err == nil || !strings.Contains(err.Error(), "tell them apart") {
		t.Errorf("points that differ in the last bit: %v", err)
	}
	if _, err := ReadCSV(strings.NewReader("1e-300\n2e-300\n"), Either); err == nil || !strings.Contains(err.Error(), "scale them") {
		t.Errorf("points of no size: %v", err)
	}
	// A checksum of numbers that 32 bits hold is what it always was.
	if got := (&Cloud{Dim: 1, Points: []float64{1, 2.5}}).MD5(); got != "d31eddc86f52ffa90e23173d70615b11" {
		t.Errorf("the checksum is %s", got)
	}
}
