package pointcloud

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
)

// Limits of what is read, far above what can be trained on.
const (
	maxRows    = 1_000_000
	maxNumbers = 50_000_000
	maxSize    = 1e6 // of a coordinate
)

// ReadFile reads the points of a CSV file: see ReadCSV.
func ReadFile(path string) (*Cloud, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, err := ReadCSV(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	c.Name = path
	return c, nil
}

// ReadCSV reads points: a row each, a column for each coordinate. The separator
// is a comma, or, where the first row has none, a semicolon or a tab. A first row
// in which no field is a number is taken for the columns' names. Lines that
// begin with # and empty ones are left out.
//
// It returns an error that names the line where a row has another length than
// the first, or a field is no finite number of at most a million; and for fewer
// than two points, or points that are all one.
func ReadCSV(r io.Reader) (*Cloud, error) {
	in, err := newReader(r)
	if err != nil {
		return nil, err
	}
	c := new(Cloud)
	for first := true; ; first = false {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("this is no CSV: %w", err)
		}
		line, _ := in.FieldPos(0)
		if first {
			c.Dim = len(row)
			if names(row) {
				continue
			}
		}
		if len(row) != c.Dim {
			return nil, fmt.Errorf("line %d has %s, the first row has %s; every point needs the same number of coordinates", line, count(len(row), "column"), count(c.Dim, "column"))
		}
		if c.Len() == maxRows || len(c.Points)+c.Dim > maxNumbers {
			return nil, fmt.Errorf("line %d: there are more than %d points or %d numbers; give fewer", line, maxRows, maxNumbers)
		}
		for k, field := range row {
			v, err := coordinate(field)
			if err != nil {
				return nil, fmt.Errorf("line %d, column %d: %w", line, k+1, err)
			}
			c.Points = append(c.Points, v)
		}
	}
	switch {
	case len(c.Points) == 0:
		return nil, errors.New("there are no points in it; give a row for each point, a column for each coordinate")
	case c.Len() == 1:
		return nil, errors.New("there is one point in it; a manifold takes at least two, and a few hundred to be learned")
	case same(c):
		return nil, fmt.Errorf("all %d points are the same", c.Len())
	}
	return c, nil
}

// newReader looks for the separator in the first row that counts.
func newReader(r io.Reader) (*csv.Reader, error) {
	const peek = 1 << 16
	head := make([]byte, peek)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	head = head[:n]
	text := strings.TrimPrefix(string(head), "\ufeff") // spreadsheets put it there
	in := csv.NewReader(io.MultiReader(strings.NewReader(text), r))
	in.Comment, in.FieldsPerRecord, in.TrimLeadingSpace, in.ReuseRecord = '#', -1, true, true
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		for _, sep := range ",;\t" {
			if strings.ContainsRune(line, sep) {
				in.Comma = sep
				break
			}
		}
		break
	}
	return in, nil
}

// names reports whether no field of the row is a number.
func names(row []string) bool {
	for _, field := range row {
		field = strings.TrimSpace(field)
		if _, err := strconv.ParseFloat(field, 64); err == nil || errors.Is(err, strconv.ErrRange) || field == "" {
			return false
		}
	}
	return true
}

func coordinate(field string) (float32, error) {
	field = strings.TrimSpace(field)
	if field == "" {
		return 0, errors.New("the field is empty")
	}
	v, err := strconv.ParseFloat(field, 64)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange):
		return 0, fmt.Errorf("%q is not a number", field)
	case math.IsNaN(v):
		return 0, errors.New("the number is NaN; coordinates must be finite")
	case math.Abs(v) > maxSize:
		return 0, fmt.Errorf("%s is beyond ±%g; scale the points", field, maxSize)
	}
	return float32(v), nil
}

func same(c *Cloud) bool {
	for i, v := range c.Points {
		if v != c.Points[i%c.Dim] {
			return false
		}
	}
	return true
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
