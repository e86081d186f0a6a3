// Package sniff tells by their first bytes what files are that are not what their
// reader takes: the page of an error in place of a download, a pointer of Git LFS,
// an archive that nobody unpacked, another format. And by their names it knows
// the files that operating systems leave in people's folders.
package sniff

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"mppm/shared/gunzip"
)

// Head is how many bytes of the start of a file are enough.
const Head = 4096

// Of says what a file is that begins with head, with its article ("an HTML page"),
// and what to do about it; "" where nothing is known of it. IDX, safetensors, PNG
// and plain text are not named: those are what others read. A gzip stream is
// looked into, and is "gzipped" whatever it holds if that is not known.
func Of(head []byte) (what, remedy string) {
	if gunzip.Is(head) {
		if what, remedy = Of(unpacked(head)); what == "" || what == empty {
			return "gzipped", "unpack it first"
		}
		return what + " in gzip", remedy
	}
	head = head[:min(len(head), Head)]
	switch {
	case len(head) == 0:
		return empty, ""
	case len(bytes.Trim(head, "\x00")) == 0 && len(head) > 16:
		return "nothing but zeros", "the download or the copy failed: fetch it again"
	}
	if what, remedy = markup(head); what != "" {
		return what, remedy
	}
	for _, f := range formats {
		if len(head) >= f.at && strings.HasPrefix(string(head[f.at:]), f.magic) {
			return f.what, f.remedy
		}
	}
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return zipped(head)
	case tarred(head):
		return "a tar archive", unpack
	case len(head) > 14 && bytes.HasPrefix(head, []byte("BM")) && head[6]|head[7]|head[8]|head[9] == 0:
		return "a BMP", Convert
	}
	return "", ""
}

// Refuse returns the error of a reader that wants want ("an IDX file") and got the
// file called name, which begins with head; nil where nothing is known of it. It
// quotes the beginning of text.
func Refuse(name string, head []byte, want string) error {
	what, remedy := Of(head)
	if what == "" {
		line, ok := Line(head)
		if !ok {
			return nil
		}
		what = "text that begins " + strconv.Quote(line)
	}
	if remedy != "" {
		remedy = ": " + remedy
	}
	return fmt.Errorf("%s is %s, not %s%s", name, what, want, remedy)
}

// Line returns the first line of what begins as text does, cut off after 60
// characters; false if head is not text.
func Line(head []byte) (string, bool) {
	const most = 60
	text := strings.TrimSpace(strings.TrimPrefix(string(head[:min(len(head), 512)]), bom))
	if text == "" {
		return "", false
	}
	letters := 0
	for i, r := range text {
		switch {
		case r == utf8.RuneError && len(text)-i >= utf8.UTFMax, !unicode.IsPrint(r) && !unicode.IsSpace(r) && r != utf8.RuneError:
			return "", false
		case r == '\n' || r == '\r' || letters == most:
			return text[:i], true
		}
		letters++
	}
	return text, true
}

const (
	empty = "empty"
	bom   = "\ufeff"

	failed = "that is what a failed download leaves, or the page around a file: fetch the file itself"
	unpack = "unpack it first"
)

// Convert is what Of says is to be done about data in another format.
const Convert = "convert it"

// unpacked returns the beginning of what a gzip stream holds.
func unpacked(head []byte) []byte {
	z, err := gunzip.NewReader(bytes.NewReader(head))
	if err != nil {
		return nil
	}
	b := make([]byte, Head)
	n, _ := io.ReadFull(z, b) // head may end anywhere
	return b[:n]
}

var formats = []struct {
	at                  int
	magic, what, remedy string
}{
	{0, "version https://git-lfs", "a pointer of Git LFS, which stands for the file", "git lfs pull fetches the file itself"},
	{0, "\xff\xd8\xff", "a JPEG", Convert},
	{0, "GIF87a", "a GIF", Convert},
	{0, "GIF89a", "a GIF", Convert},
	{0, "II*\x00", "a TIFF", Convert},
	{0, "MM\x00*", "a TIFF", Convert},
	{4, "ftypheic", "a HEIC picture", Convert},
	{4, "ftypheix", "a HEIC picture", Convert},
	{4, "ftypmif1", "a HEIF picture", Convert},
	{4, "ftypavif", "an AVIF picture", Convert},
	{8, "WEBP", "a WebP picture", Convert},
	{0, "%PDF", "a PDF", Convert},
	{0, "\x93NUMPY", "a NumPy array", Convert},
	{0, "PAR1\x15", "a Parquet file", Convert},
	{0, "ARROW1\x00\x00", "an Arrow file", Convert},
	{0, "FEA1\x00", "a Feather file", Convert},
	{0, "\x89HDF\r\n\x1a\n", "an HDF5 file", Convert},
	{0, "MATLAB 5.0 MAT", "a MATLAB file", Convert},
	{0, "SQLite format 3\x00", "an SQLite database", Convert},
	{0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook or another Office file", Convert},
	{0, "\x80\x02", "a Python pickle", Convert},
	{0, "\x80\x03", "a Python pickle", Convert},
	{0, "\x80\x04", "a Python pickle", Convert},
	{0, "\x80\x05", "a Python pickle", Convert},
	{0, "PK\x05\x06", "an empty zip archive", "fetch it again"},
	{4, "1AY&SY", "compressed with bzip2", unpack},
	{0, "\xfd7zXZ\x00", "compressed with xz", unpack},
	{0, "\x28\xb5\x2f\xfd", "compressed with zstd", unpack},
	{0, "\x04\x22\x4d\x18", "compressed with lz4", unpack},
	{0, "7z\xbc\xaf\x27\x1c", "a 7z archive", unpack},
	{0, "Rar!\x1a\x07", "a RAR archive", unpack},
	{257, "ustar", "a tar archive", unpack},
}

// zipped tells what a zip archive is by the names in it.
func zipped(head []byte) (what, remedy string) {
	for _, f := range []struct{ in, what, remedy string }{
		{"xl/", "an Excel workbook", Convert},
		{"application/vnd.oasis.opendocument.spreadsheet", "an OpenDocument spreadsheet", Convert},
		{"application/vnd.oasis.opendocument", "an OpenDocument file", Convert},
		{"word/", "a Word document", Convert},
		{"data.pkl", "weights of PyTorch", "export them as safetensors; only those of this project's nets can be read"},
		{".npy", "a NumPy archive", Convert},
		{"[Content_Types].xml", "an Office file", Convert},
	} {
		if bytes.Contains(head, []byte(f.in)) {
			return f.what, f.remedy
		}
	}
	return "a zip archive", unpack
}

// tarred reports whether head is the header of a tar archive from before its magic
// number: by its checksum, in which the checksum itself counts as spaces.
func tarred(head []byte) bool {
	const size, at, width = 512, 148, 8
	if len(head) < size || head[0] == 0 {
		return false
	}
	want, err := strconv.ParseUint(strings.Trim(string(head[at:at+width]), " \x00"), 8, 32)
	if err != nil {
		return false
	}
	sum := uint64(width * ' ')
	for i, b := range head[:size] {
		if i < at || i >= at+width {
			sum += uint64(b)
		}
	}
	return sum == want
}

var title = regexp.MustCompile(`(?is)<title[^>]*>\s*([^<]{1,80}?)\s*</title>`)

// markup tells pages and messages of servers from each other.
func markup(head []byte) (what, remedy string) {
	text := strings.TrimSpace(strings.TrimPrefix(string(head), bom))
	low := strings.ToLower(text)
	switch {
	case strings.HasPrefix(low, "<svg"), strings.HasPrefix(low, "<?xml") && strings.Contains(low, "<svg"):
		return "an SVG drawing", Convert
	case strings.HasPrefix(low, "<?xml") && !strings.Contains(low, "<html"), strings.HasPrefix(text, "<Error>"):
		return "XML", failed
	case strings.HasPrefix(low, "<!doctype html"), strings.HasPrefix(low, "<html"), strings.HasPrefix(low, "<head"),
		strings.HasPrefix(low, "<body"), strings.HasPrefix(low, "<script"), strings.HasPrefix(low, "<title"),
		strings.HasPrefix(low, "<meta"), strings.HasPrefix(low, "<?xml"), strings.HasPrefix(low, "<!--") && strings.Contains(low, "<html"):
		what = "an HTML page"
		if m := title.FindStringSubmatch(text); m != nil {
			if line, ok := Line([]byte(m[1])); ok {
				what += fmt.Sprintf(" (%q)", line)
			}
		}
		return what, failed
	case json.MatchString(text):
		return "JSON", failed
	case strings.HasPrefix(low, "404: not found"), low == "not found", low == "access denied", strings.HasPrefix(low, "404 not found"):
		line, _ := Line([]byte(text))
		return fmt.Sprintf("a server's message (%q)", line), failed
	}
	return "", ""
}

// json is how an object or an array in JSON begins.
var json = regexp.MustCompile(`^(?:\{\s*(?:"(?:[^"\\]|\\.)*"\s*:|\})|\[\s*[\[{"])`)

// litter are the names of what operating systems and their tools leave in folders,
// in lower case.
var litter = map[string]bool{
	"thumbs.db": true, "ehthumbs.db": true, "desktop.ini": true, "__macosx": true, "icon\r": true,
	"$recycle.bin": true, "system volume information": true, "lost+found": true, "@eadir": true, "#recycle": true,
}

// Litter reports whether a file or folder of that name is nobody's data: what an
// operating system leaves in folders (Thumbs.db, desktop.ini, __MACOSX), or hidden
// by a dot (.DS_Store, ._1.png).
func Litter(name string) bool {
	return strings.HasPrefix(name, ".") || litter[strings.ToLower(name)]
}
