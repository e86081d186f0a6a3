package columns

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	// peek is how much of a file is looked at before it is read.
	peek = 1 << 16
	// maxLine bounds a line, which is held in memory as a whole: a point of as many
	// coordinates as a net can take has a tenth of it, and a pipe may never end one.
	maxLine = 1 << 20
)

// look returns the beginning of what in reads.
func look(in *bufio.Reader) ([]byte, error) {
	head, err := in.Peek(peek)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return head, nil
}

// lines turns the line ends of Windows and of old Macs into line feeds. It returns
// an error at a zero, which no text has, and for a line that is too long.
type lines struct {
	in      io.Reader
	line, n int  // the number of the line, from 1, and its bytes so far
	cr      bool // the last byte was a carriage return
}

func (l *lines) Read(p []byte) (int, error) {
	n, err := l.in.Read(p)
	out := p[:0]
	for _, b := range p[:n] {
		after := l.cr
		l.cr = b == '\r'
		switch {
		case b == 0:
			return len(out), fmt.Errorf("line %d holds a zero byte, which no text has", l.line)
		case b == '\r':
			b = '\n'
		case b == '\n' && after: // the end that the carriage return was
			continue
		case b == 0x1a: // the end of a file of DOS
			b = ' '
		}
		if l.n++; b == '\n' {
			l.line, l.n = l.line+1, 0
		}
		if l.n > maxLine {
			return len(out), fmt.Errorf("line %d is longer than %d MB", l.line, maxLine>>20)
		}
		out = append(out, b)
	}
	return len(out), err
}

// sepLine reads a first line that tells a spreadsheet the separator, and how long it is
// without its line feed: sep=; with quotes and blanks around it or not. n is 0 for any
// other line.
func sepLine(head []byte) (sep rune, n int) {
	line, _, whole := bytes.Cut(head, []byte("\n"))
	s := bytes.TrimPrefix(line, []byte(`"`))
	if !whole || len(s) < 5 || !bytes.EqualFold(s[:4], []byte("sep=")) {
		return 0, 0
	}
	sep, size := utf8.DecodeRune(s[4:])
	rest := bytes.TrimPrefix(s[4+size:], []byte(`"`))
	if len(bytes.Trim(rest, " \t")) > 0 {
		return 0, 0
	}
	return sep, len(line)
}

// separators are what may stand between columns, and 0 for spaces. A comma comes
// after those that leave it to be a decimal mark.
var separators = []rune{';', '\t', ',', '|', 0}

// split returns the rows of a text, what stands between their fields, and whether
// the text itself said that.
func split(in *bufio.Reader) (all rows, comma rune, said bool, err error) {
	head, err := look(in)
	if err != nil {
		return nil, 0, false, err
	}
	if sep, n := sepLine(head); n > 0 {
		said = true
		comma = sep
		// The line feed stays, so that lines keep their numbers.
		if _, err := in.Discard(n); err != nil {
			return nil, 0, false, err
		}
	} else {
		comma = separator(sample(head))
	}
	if comma == 0 || comma == ' ' {
		s := bufio.NewScanner(in)
		s.Buffer(nil, maxLine)
		return &spaced{scan: s}, 0, said, nil
	}
	return separated{reader(in, comma)}, comma, said, nil
}

func reader(in io.Reader, comma rune) *csv.Reader {
	r := csv.NewReader(in)
	r.Comma, r.Comment, r.FieldsPerRecord, r.TrimLeadingSpace, r.ReuseRecord = comma, '#', -1, comma != '\t', true
	return r
}

// sample returns the first lines that count, at most a hundred.
func sample(head []byte) []string {
	const most = 100
	var all []string
	for line := range strings.Lines(string(head)) {
		if !strings.HasSuffix(line, "\n") && len(head) == peek && len(all) > 0 {
			break // it goes on
		}
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			if all = append(all, line); len(all) == most {
				break
			}
		}
	}
	return all
}

// separator chooses what makes numbers of the lines' fields: of all lines but the
// first, which may have names. If nothing does, it is what the lines have.
func separator(all []string) rune {
	lines := all
	if len(lines) > 1 {
		lines = lines[1:]
	}
	var common rune
	found := false
	for _, sep := range separators {
		// A few lines of names or words do not decide.
		splits, numbers := 0, 0
		for _, line := range lines {
			fields := fields(line, sep)
			if len(fields) < 2 {
				continue
			}
			splits++
			if numeric(fields) {
				numbers++
			}
		}
		if splits > 0 && 2*numbers > len(lines) {
			return sep
		}
		if !found && splits == len(lines) && splits > 0 && sep != 0 {
			common, found = sep, true
		}
	}
	if found {
		return common
	}
	for _, sep := range separators[:len(separators)-1] {
		if len(all) > 0 && strings.ContainsRune(all[0], sep) {
			return sep
		}
	}
	return ','
}

// fields returns the fields of a line, nil if it has none.
func fields(line string, sep rune) []string {
	if sep == 0 {
		return spaces(line)
	}
	row, err := reader(strings.NewReader(line), sep).Read()
	if err != nil {
		return nil
	}
	return row
}

// numeric reports whether all fields are numbers, the last may be empty.
func numeric(fields []string) bool {
	for i, f := range fields {
		if f = strings.TrimSpace(f); f == "" && i > 0 && i == len(fields)-1 {
			continue
		}
		if _, _, ok := number(f); !ok {
			return false
		}
	}
	return true
}

// spaced are rows of fields with spaces and tabs between them, as numpy.savetxt
// writes them.
type spaced struct {
	scan *bufio.Scanner
	line int
}

func (s *spaced) next() ([]string, int, error) {
	for s.scan.Scan() {
		s.line++
		if line := spaces(s.scan.Text()); len(line) > 0 && line[0][0] != '#' {
			return line, s.line, nil
		}
	}
	if err := s.scan.Err(); err != nil {
		return nil, 0, err
	}
	return nil, 0, io.EOF
}

func spaces(line string) []string {
	return strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' })
}
