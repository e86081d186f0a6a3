package pointcloud

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"mppm/shared/gunzip"
	"mppm/shared/idx"
	"mppm/trainer/internal/sniff"
)

const (
	// peek is how much of a file is looked at before it is read.
	peek = 1 << 16
	// maxLine bounds a line, which is held in memory as a whole: a point of as many
	// coordinates as a net can take has a tenth of it, and a pipe may never end one.
	maxLine = 1 << 20
)

// text returns the text of a file in UTF-8, with line feeds at the ends of lines
// and no byte order mark. It returns an error that says what the file is if it is
// no text.
func text(r io.Reader) (*bufio.Reader, error) {
	in := bufio.NewReaderSize(r, peek)
	head, err := look(in)
	if err != nil {
		return nil, err
	}
	if gunzip.Is(head) {
		z, err := gunzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("unpacking it: %w", err)
		}
		in = bufio.NewReaderSize(z, peek)
		if head, err = look(in); err != nil {
			return nil, fmt.Errorf("unpacking it: %w", err)
		}
	}
	if len(head) > 0 {
		what, remedy := sniff.Of(head)
		switch {
		case idx.IsIDX(head):
			what = "an IDX file"
		case bytes.HasPrefix(head, []byte("\x89PNG")):
			what = "a PNG"
		case len(head) > 8 && head[8] == '{' && bytes.IndexByte(head[:8], 0) > 0:
			what = "a safetensors file"
		}
		if what != "" {
			switch remedy {
			case "":
			case sniff.Convert:
				remedy = ": save it as CSV"
			default:
				remedy = ": " + remedy
			}
			return nil, fmt.Errorf("this is %s, not CSV%s", what, remedy)
		}
	}
	enc, err := encodingOf(head)
	if err != nil {
		return nil, err
	}
	return bufio.NewReaderSize(&lines{in: enc.NewDecoder().Reader(in), line: 1}, peek), nil
}

// look returns the beginning of what in reads.
func look(in *bufio.Reader) ([]byte, error) {
	head, err := in.Peek(peek)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return head, nil
}

// encodingOf tells an encoding by a byte order mark, by the zeros that UTF-16 has
// beside the letters of ASCII, and takes what is not UTF-8 for Windows-1252.
func encodingOf(head []byte) (encoding.Encoding, error) {
	zero := func(i int) bool { return i < len(head) && head[i] == 0 }
	letter := func(i int) bool { return i < len(head) && head[i] != 0 }
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe\x00\x00")), bytes.HasPrefix(head, []byte("\x00\x00\xfe\xff")):
		return nil, errors.New("this is text in UTF-32: save it as UTF-8")
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM), nil
	case letter(0) && zero(1) && letter(2) && zero(3):
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), nil
	case zero(0) && letter(1) && zero(2) && letter(3):
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), nil
	}
	// What is looked at may end within a letter.
	whole := head
	for range utf8.UTFMax - 1 {
		if len(head) == peek && !utf8.Valid(whole) {
			whole = whole[:len(whole)-1]
		}
	}
	if !utf8.Valid(whole) {
		return charmap.Windows1252, nil
	}
	return unicode.UTF8BOM, nil
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

// sepLine is the first line that tells a spreadsheet the separator.
var sepLine = regexp.MustCompile(`^(?i:"?sep=(.)"?[ \t]*)\n`)

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
	if m := sepLine.FindSubmatch(head); m != nil {
		said = true
		comma, _ = utf8.DecodeRune(m[1])
		// The line feed stays, so that lines keep their numbers.
		if _, err := in.Discard(len(m[0]) - 1); err != nil {
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
