package pointcloud

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mppm/shared/rng"
)

func TestReadCSV(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		dim  int
		want []float64
	}{
		"plain":              {"1,2\n3,4\n", 2, []float64{1, 2, 3, 4}},
		"no newline at end":  {"1,2\n3,4", 2, []float64{1, 2, 3, 4}},
		"names":              {"x,y,z\n1,2,3\n-4,5e-1,6\n", 3, []float64{1, 2, 3, -4, 0.5, 6}},
		"one column":         {"1\n2\n3\n", 1, []float64{1, 2, 3}},
		"spaces":             {" 1 , 2 \n 3, 4\n", 2, []float64{1, 2, 3, 4}},
		"semicolons":         {"1;2\n3;4\n", 2, []float64{1, 2, 3, 4}},
		"tabs":               {"x\ty\n1\t2\n3\t4\n", 2, []float64{1, 2, 3, 4}},
		"comments and blank": {"# made by hand\n\n1,2\n# more\n3,4\n\n", 2, []float64{1, 2, 3, 4}},
		"byte order mark":    {"\ufeff1,2\n3,4\n", 2, []float64{1, 2, 3, 4}},
		"carriage returns":   {"1,2\r\n3,4\r\n", 2, []float64{1, 2, 3, 4}},
		"quotes":             {"\"1\",\"2\"\n3,4\n", 2, []float64{1, 2, 3, 4}},
		"too small":          {"1e-400,2\n3,4\n", 2, []float64{0, 2, 3, 4}},
	} {
		got, err := ReadCSV(strings.NewReader(c.text), Either)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got.Dim != c.dim || !slices.Equal(got.Points, c.want) {
			t.Errorf("%s: %d coordinates, %v; want %d, %v", name, got.Dim, got.Points, c.dim, c.want)
		}
	}
}

func TestReadCSVRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"empty":           {"", "no points"},
		"blank":           {"\n\n", "no points"},
		"names alone":     {"x,y\n", "no points"},
		"one point":       {"1,2\n", "one point"},
		"one named point": {"x,y\n1,2\n", "one point"},
		"ragged, short":   {"1,2\n3\n", "line 2 has 1 column, the first row has 2 columns"},
		"ragged, long":    {"1,2\n3,4\n5,6,7\n", "line 3 has 3 columns"},
		"ragged names":    {"x,y,z\n1,2\n3,4\n", "line 2 has 2 columns"},
		"a word":          {"1,2\n3,four\n", `line 2, column 2: "four" is not a number`},
		"half a name":     {"x,1\n3,4\n", `line 1, column 1: "x" is not a number`},
		"no field":        {"1,2\n,4\n", "line 2, column 1: the field is empty"},
		"NaN":             {"1,2\n3,NaN\n", "line 2, column 2: the number is NaN"},
		"infinity":        {"1,2\n+Inf,4\n", "line 2, column 1: +Inf is beyond"},
		"overflow":        {"1,2\n1e999,4\n", "line 2, column 1: 1e999 is beyond"},
		"too large":       {"1,2\n2e30,4\n", "2e30 is beyond"},
		"all the same":    {"1,2\n1,2\n1,2\n", "all 3 points are the same"},
		"a broken quote":  {"1,2\n\"3,4\n", "no CSV"},
	} {
		if _, err := ReadCSV(strings.NewReader(c.text), Either); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
}

func TestReadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.csv")
	if _, err := ReadFile(path, Either); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("no file: %v", err)
	}
	if err := os.WriteFile(path, []byte("1,2\n3,x\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(path, Either); err == nil || !strings.Contains(err.Error(), path+": line 2") {
		t.Errorf("a bad file: %v", err)
	}
}

func FuzzReadCSV(f *testing.F) {
	for _, s := range []string{"1,2\n3,4\n", "x;y\n1;2\n3;4", "#\n1\t2", "\"", "\ufeff1", "sep=;\n1,5;2\r3;4", "\xff\xfe1\x00\n\x00", "1 2\n3 4", "3,14\n2,71", "\x1f\x8b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ReadCSV(strings.NewReader(s), Either)
		if err != nil {
			return
		}
		if c.Len() < 2 || len(c.Points) != c.Len()*c.Dim {
			t.Errorf("%d numbers for %d points of %d coordinates", len(c.Points), c.Len(), c.Dim)
		}
		for _, v := range c.Points {
			if !(math.Abs(v) <= MaxSize) {
				t.Errorf("a coordinate is %v", v)
			}
		}
	})
}

// TestHalfCircle: the points lie on the arc, angles are as a truncated normal
// distribution has them, and a seed gives the same points.
func TestHalfCircle(t *testing.T) {
	const n = 20_000
	c := HalfCircle(n, rng.New(1, 0))
	if c.Len() != n || c.Dim != 3 {
		t.Fatalf("%d points of %d coordinates", c.Len(), c.Dim)
	}
	var sum, square float64
	for i := range n {
		p := c.Point(i)
		if d := ArcDistance(p); d > 1e-6 {
			t.Fatalf("point %d, %v, is %v off the arc", i, p, d)
		}
		a := math.Atan2(float64(p[1]), float64(p[0])) - ArcCenter
		sum, square = sum+a/n, square+a*a/n
	}
	// The deviation of a normal distribution cut off at ±2.5 deviations.
	const k = 2.5
	phi := math.Exp(-k*k/2) / math.Sqrt(2*math.Pi)
	want := ArcSpread * math.Sqrt(1-2*k*phi/math.Erf(k/math.Sqrt2))
	if sd := math.Sqrt(square - sum*sum); math.Abs(sum) > 0.02 || math.Abs(sd-want) > 0.01 {
		t.Errorf("the angles' mean is %.4f off, their deviation %.4f, want %.4f", sum, sd, want)
	}
	if a, b := HalfCircle(9, rng.New(2, 0)), HalfCircle(9, rng.New(2, 0)); a.MD5() != b.MD5() || a.MD5() == HalfCircle(9, rng.New(3, 0)).MD5() {
		t.Error("the points do not follow their seed")
	}
}

func TestArcDistance(t *testing.T) {
	for _, c := range []struct {
		p    []float32
		want float64
	}{
		{[]float32{0, 1, 0}, 0}, {[]float32{0, 2, 0}, 1}, {[]float32{0, 0.5, 0}, 0.5}, {[]float32{0, 1, -2}, 2},
		{[]float32{1, 0, 0}, 0}, {[]float32{1, -3, 0}, 3}, {[]float32{-1, -3, 4}, 5}, {[]float32{0, -1, 0}, math.Sqrt2},
	} {
		if got := ArcDistance(c.p); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("%v is %v off the arc, want %v", c.p, got, c.want)
		}
	}
}

// TestCurves: points lie on the curve they are said to be from, and a point off
// it is as far as it was moved across, in the plane at least.
func TestCurves(t *testing.T) {
	for _, c := range Curves() {
		cloud := c.Draw(50, rng.New(1, 0))
		if cloud.Len() != 50 {
			t.Errorf("%s: %d points", c.Name, cloud.Len())
		}
		for i := range cloud.Len() {
			if d := cloud.Nearest(cloud.Point(i)); d > 1e-4 {
				t.Errorf("%s: point %d is %v off its own curve", c.Name, i, d)
			}
		}
		far := make([]float64, cloud.Dim)
		far[0] = 100
		if d := cloud.Nearest(far); d < 95 || d > 105 {
			t.Errorf("%s: a point 100 away is %v off", c.Name, d)
		}
		if got, err := Find(c.Name); err != nil || got.File != c.File {
			t.Errorf("Find(%q): %v, %v", c.Name, got.File, err)
		}
	}
	if _, err := Find("helix"); err == nil || !strings.Contains(err.Error(), "trefoil") {
		t.Errorf("Find of no curve: %v", err)
	}
}
