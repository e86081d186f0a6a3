// Package columns reads points from text: a row for each, a column for each coordinate,
// as spreadsheets, programs and people write them. The command line and the page read
// the same files alike by it.
package columns

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Limits of what is read, far above what can be trained on.
const (
	maxRows    = 1_000_000
	maxNumbers = 50_000_000
	maxNames   = 5 // rows of names before the points
)

// MaxSize bounds the size of a coordinate: squares of such numbers are far from
// overflow.
const MaxSize = 1e30

// resolution is how wide a cloud has to be, in shares of its distance from 0, for
// 64 bits to leave its coordinates four digits and more.
const resolution = 1e-11

// Decimal is the mark between the digits of a number and those of its fraction.
type Decimal rune

// The decimal marks.
const (
	Either Decimal = 0 // whatever the file has; a file that can be read in two ways is refused
	Point  Decimal = '.'
	Comma  Decimal = ','
)

// Points are rows of Dim numbers each.
type Points struct {
	Dim    int
	Points []float64 // finite, of at most MaxSize
	Notes  []string  // what a person should know of how they were read, a sentence each
}

// Len returns the number of points.
func (p *Points) Len() int { return len(p.Points) / p.Dim }

// Read reads points from text in UTF-8, with any line ends: a row each, a column for each
// coordinate. The separator is a semicolon, a tab, a comma, a bar or spaces, whichever
// makes numbers of the lines, or the one that a first line such as sep=; names. First rows
// in which no field is a number are taken for names. Lines that begin with # and rows
// without anything in them are left out.
//
// A number may have a decimal comma in place of the point, all through the text. Where
// commas separate the columns as well, d has to say which mark it is if the numbers do
// not, or Read returns an error that is ErrDecimal.
//
// It returns an error that names the line where a row has another length than the first,
// or a field is no finite number of at most MaxSize; and for fewer than two points, points
// that are all one, or that 64 bits do not tell apart; and if it is no CSV.
func Read(r io.Reader, d Decimal) (*Points, error) {
	rows, comma, said, err := split(bufio.NewReaderSize(&lines{in: r, line: 1}, peek))
	if err != nil {
		return nil, err
	}
	t := &table{
		cloud: new(Points), decimal: d, commas: comma == ',',
		joining:  d == Comma && comma == ',',
		sniffing: d == Either && comma == ',' && !said,
		pairs:    pairs{shortest: math.MaxInt},
	}
	for {
		row, line, err := rows.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = t.add(row, line)
		} else {
			err = fmt.Errorf("this is no CSV: %w", err)
		}
		if err != nil {
			return nil, err
		}
	}
	return t.finish()
}

// ErrDecimal says that a text can be read in two ways: its commas may be decimal marks, or
// what separates columns or groups digits.
var ErrDecimal = errors.New("commas that may be decimal marks or not")

// question is ErrDecimal for who has the flag to answer with.
type question struct{ text string }

func (q *question) Error() string { return q.text }

func (q *question) Is(err error) bool { return err == ErrDecimal }

// rows are the rows of a file, one after the other, io.EOF at their end.
type rows interface {
	next() (row []string, line int, err error)
}

// separated are rows of fields with a separator between them.
type separated struct{ *csv.Reader }

func (s separated) next() ([]string, int, error) {
	row, err := s.Read()
	if err != nil {
		return nil, 0, err
	}
	line, _ := s.FieldPos(0)
	return row, line, nil
}

// table is what has been read of a file.
type table struct {
	cloud   *Points
	decimal Decimal
	marked  int // the line that showed the decimal mark; 0: none did, or the user said it

	commas   bool   // separate the columns
	grouped  string // a number with a comma, if the commas of all may group digits as in 12,345
	ungroup  bool   // those of one do not
	names    int    // fields of the row of names above the points; 0: none
	named    int    // rows of names
	trailing bool   // every row ends with a separator
	joining  bool   // commas separate the columns, and are decimal marks too
	sniffing bool   // commas separate the columns, and may be decimal marks
	pairs    pairs
}

// add takes a row.
func (t *table) add(row []string, line int) error {
	blank := true
	for i, field := range row {
		row[i] = strings.TrimSpace(field)
		blank = blank && row[i] == ""
	}
	if blank {
		return nil
	}
	c := t.cloud
	inner := row // without what a separator at the end of the row makes
	if n := len(row) - 1; n > 0 && row[n] == "" {
		inner = row[:n]
	}
	if c.Dim == 0 {
		if t.named < maxNames && names(inner) {
			t.names, t.named = len(inner), t.named+1
			return nil
		}
		if k := slices.Index(inner, ""); k >= 0 && !slices.ContainsFunc(inner, isNumber) {
			return fmt.Errorf("line %d names no column %d; if that has the numbers of the rows, take it out", line, k+1)
		}
		t.trailing = len(inner) < len(row)
	}
	if t.trailing {
		row = inner
	}
	if t.sniffing {
		t.pairs.add(row, line)
		if c.Dim == 0 && 2*t.names == len(row) && t.pairs.all {
			return t.pairs.question()
		}
	}
	if t.joining {
		var err error
		if row, err = join(row); err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
	if c.Dim == 0 {
		c.Dim = len(row)
		if t.names != 0 && t.names != c.Dim && t.named == 1 {
			return t.ragged(len(row), t.names, line)
		}
	}
	if len(row) != c.Dim {
		return t.ragged(len(row), c.Dim, line)
	}
	if c.Len() == maxRows || len(c.Points)+c.Dim > maxNumbers {
		return fmt.Errorf("line %d: there are more than %d points or %d numbers; give fewer", line, maxRows, maxNumbers)
	}
	for k, field := range row {
		v, err := t.coordinate(field, line)
		if err != nil {
			return fmt.Errorf("line %d, column %d: %w", line, k+1, err)
		}
		c.Points = append(c.Points, v)
	}
	return nil
}

func (t *table) ragged(n, first, line int) error {
	hint := ""
	if t.sniffing && t.pairs.whole {
		hint = "; if its commas are decimal ones, give --decimal comma"
	}
	return fmt.Errorf("line %d has %s, the first row has %s; every point needs the same number of coordinates%s", line, count(n, "column"), count(first, "column"), hint)
}

// coordinate reads a number.
func (t *table) coordinate(field string, line int) (float64, error) {
	if field == "" {
		return 0, errors.New("the field is empty")
	}
	v, mark, ok := number(field)
	if !ok {
		if strings.Count(field, ",")+strings.Count(field, ".") > 1 {
			return 0, fmt.Errorf("%q is not a number; digits are not to be grouped: 1234567.5, not 1,234,567.5", field)
		}
		return 0, fmt.Errorf("%q is not a number", field)
	}
	if mark == Comma {
		t.ungroup = t.ungroup || !groups(field)
		t.grouped = field
	}
	switch {
	case mark == Either:
	case t.decimal == Either:
		t.decimal, t.marked = mark, line
	case t.decimal != mark && t.marked != 0:
		return 0, fmt.Errorf("%q has another decimal mark than line %d: every number needs the same", field, t.marked)
	case t.decimal != mark:
		return 0, fmt.Errorf("%q has another decimal mark than %q, which was asked for", field, rune(t.decimal))
	}
	switch {
	case math.IsNaN(v):
		return 0, errors.New("the number is NaN; coordinates must be finite")
	case math.Abs(v) > MaxSize:
		return 0, fmt.Errorf("%s is beyond ±%g; scale the points", field, MaxSize)
	}
	return v, nil
}

// number reads a number with a decimal point or a comma, and says which it has.
func number(field string) (v float64, mark Decimal, ok bool) {
	field = strings.Replace(field, "\u2212", "-", 1) // the minus of typesetters
	switch points, commas := strings.Count(field, "."), strings.Count(field, ","); {
	case points+commas > 1:
		return 0, Either, false
	case points == 1:
		mark = Point
	case commas == 1:
		mark = Comma
		field = strings.Replace(field, ",", ".", 1)
	}
	v, err := strconv.ParseFloat(field, 64)
	return v, mark, err == nil || errors.Is(err, strconv.ErrRange)
}

// groups reports whether the comma of a number may be there to group its digits.
func groups(field string) bool {
	whole, digits, _ := strings.Cut(strings.TrimLeft(field[:1], "+-")+field[1:], ",")
	number := func(s string) bool { return strings.Trim(s, "0123456789") == "" }
	return number(whole) && number(digits) && len(digits) == 3 && len(whole) >= 1 && len(whole) <= 3 && whole[0] != '0'
}

func isNumber(field string) bool {
	_, _, ok := number(field)
	return ok
}

// names reports whether no field of the row is a number.
func names(row []string) bool {
	return !slices.ContainsFunc(row, func(field string) bool { return field == "" || isNumber(field) })
}

// pairs watches rows of fields between commas for numbers that have a decimal comma
// themselves: pairs of a whole number and digits.
type pairs struct {
	n        int
	all      bool // every row is of pairs
	whole    bool // every field is a whole number
	text     string
	line     int  // that text is of
	zero     bool // a fraction begins with 0, as no whole number does
	round    bool // a fraction of more than a digit ends with 0
	shortest int  // fraction
	longest  int
}

func (p *pairs) add(row []string, line int) {
	if p.n++; p.n == 1 {
		p.all, p.whole, p.text, p.line = true, true, strings.Join(row, ","), line
	}
	p.all = p.all && len(row)%2 == 0
	for k, field := range row {
		digits := strings.TrimLeft(field, "0123456789") == "" && field != ""
		p.whole = p.whole && (digits || strings.TrimLeft(strings.TrimLeft(field, "+-"), "0123456789") == "")
		if k%2 == 0 {
			continue
		}
		if p.all = p.all && digits; !p.all {
			continue
		}
		p.shortest, p.longest = min(p.shortest, len(field)), max(p.longest, len(field))
		if len(field) > 1 {
			p.zero = p.zero || field[0] == '0'
			p.round = p.round || field[len(field)-1] == '0'
		}
	}
	p.all = p.all && p.whole
}

// likely reports whether the commas may well be decimal ones: the numbers after
// them begin with zeros, all have as many digits, or are many and, as fractions are
// written, never end in a zero.
func (p *pairs) likely() bool {
	const many = 20
	return p.all && (p.zero || p.shortest == p.longest && p.longest > 1 || p.longest > 1 && !p.round && p.n >= many)
}

func (p *pairs) question() error {
	return &question{fmt.Sprintf("line %d reads %s: is a comma there a decimal one, or does it end a column? Give --decimal comma or --decimal point", p.line, cut(p.text))}
}

// join puts the parts of numbers together that commas are in and between. A field
// that has its own mark, or a single one, is a number as it is.
func join(row []string) ([]string, error) {
	for _, field := range row {
		if strings.ContainsAny(field, ",.") || len(row) == 1 {
			return row, nil
		}
	}
	if len(row)%2 != 0 {
		return nil, fmt.Errorf("%s cannot be read as numbers with decimal commas; separate the columns with semicolons", cut(strings.Join(row, ",")))
	}
	joined := make([]string, 0, len(row)/2)
	for i := 0; i < len(row); i += 2 {
		joined = append(joined, row[i]+","+row[i+1])
	}
	return joined, nil
}

// finish checks what all points are together.
func (t *table) finish() (*Points, error) {
	c := t.cloud
	switch {
	case len(c.Points) == 0:
		return nil, errors.New("there are no points in it; give a row for each point, a column for each coordinate")
	case c.Len() == 1:
		return nil, errors.New("there is one point in it; a manifold takes at least two, and a few hundred to be learned")
	case same(c):
		return nil, fmt.Errorf("all %d points are the same", c.Len())
	case t.sniffing && t.names != c.Dim && t.pairs.likely():
		return nil, t.pairs.question()
	case t.commas && t.marked != 0 && t.decimal == Comma && !t.ungroup:
		return nil, &question{fmt.Sprintf("a number reads %s: is its comma a decimal one, or does it group the digits? Give --decimal comma, or take the commas out", t.grouped)}
	}
	size, spread := extent(c)
	if spread < resolution*size || spread < 1/MaxSize {
		return nil, fmt.Errorf("the points lie within %.3g of each other and %.3g from 0: 64-bit numbers do not tell them apart; take off what they have in common, and scale them", spread, size)
	}
	switch {
	case t.sniffing && t.names != c.Dim && t.pairs.all:
		c.Notes = append(c.Notes, fmt.Sprintf("commas are taken for the ends of columns, so these are %d points of %s; if they are decimal commas, give --decimal comma", c.Len(), count(c.Dim, "coordinate")))
	case t.decimal == Comma:
		c.Notes = append(c.Notes, fmt.Sprintf("the numbers have decimal commas; these are %d points of %s", c.Len(), count(c.Dim, "coordinate")))
	}
	return c, nil
}

// extent returns the largest absolute coordinate, and the width of the widest.
func extent(c *Points) (size, spread float64) {
	for k := range c.Dim {
		lo, hi := math.Inf(1), math.Inf(-1)
		for i := k; i < len(c.Points); i += c.Dim {
			lo, hi = min(lo, c.Points[i]), max(hi, c.Points[i])
		}
		size, spread = max(size, -lo, hi), max(spread, hi-lo)
	}
	return size, spread
}

func same(c *Points) bool {
	for i, v := range c.Points {
		if v != c.Points[i%c.Dim] {
			return false
		}
	}
	return true
}

// cut returns text that is not too long to quote.
func cut(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + " …"
	}
	return s
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
