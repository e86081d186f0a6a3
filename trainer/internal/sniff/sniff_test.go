package sniff

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"strings"
	"testing"
)

func zipOf(t *testing.T, names ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func tarOf(t *testing.T, format tar.Format) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: "train/0/1.png", Mode: 0o644, Size: 1, Format: format}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func gzipOf(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestOf(t *testing.T) {
	pointer := "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
	old := []byte(tarOf(t, tar.FormatUSTAR)) // as tar wrote before it had a magic number
	copy(old[257:265], make([]byte, 8))
	sum := 0
	copy(old[148:156], "        ")
	for _, b := range old[:512] {
		sum += int(b)
	}
	copy(old[148:156], []byte{byte('0' + sum>>15&7), byte('0' + sum>>12&7), byte('0' + sum>>9&7), byte('0' + sum>>6&7), byte('0' + sum>>3&7), byte('0' + sum&7), 0, ' '})
	for name, c := range map[string]struct {
		file string
		want string // of what Of says
	}{
		"a page":            {"<!DOCTYPE html>\n<html><head><title>404 Not\u00a0Found</title>", "an HTML page (\"404 Not"},
		"a page, late":      {"\ufeff\r\n  <HTML lang=en>", "an HTML page"},
		"a page, commented": {"<!-- saved from --><html>", "an HTML page"},
		"XHTML":             {"<?xml version=\"1.0\"?><!DOCTYPE html><html>", "an HTML page"},
		"a cloud's message": {"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code>", "XML"},
		"JSON":              {"{\"message\": \"Not Found\"}", "JSON"},
		"a server's words":  {"404: Not Found", "a server's message"},
		"a pointer":         {pointer, "a pointer of Git LFS"},
		"a packed pointer":  {gzipOf(t, pointer), "a pointer of Git LFS, which stands for the file in gzip"},
		"zip":               {zipOf(t, "train/0/1.png"), "a zip archive"},
		"xlsx":              {zipOf(t, "[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"), "an Excel workbook"},
		"npz":               {zipOf(t, "x.npy"), "a NumPy archive"},
		"PyTorch":           {zipOf(t, "archive/data.pkl"), "weights of PyTorch"},
		"tar":               {tarOf(t, tar.FormatUSTAR), "a tar archive"},
		"tar of GNU":        {tarOf(t, tar.FormatGNU), "a tar archive"},
		"tar of old":        {string(old), "a tar archive"},
		"tar.gz":            {gzipOf(t, tarOf(t, tar.FormatPAX)), "a tar archive in gzip"},
		"npy":               {"\x93NUMPY\x01\x00v\x00{'descr'", "a NumPy array"},
		"parquet":           {"PAR1\x15\x04", "a Parquet file"},
		"JPEG":              {"\xff\xd8\xff\xe0", "a JPEG"},
		"zeros":             {strings.Repeat("\x00", 64), "nothing but zeros"},
		"nothing":           {"", "empty"},
		"gzip of what":      {gzipOf(t, "1,2\n"), "gzipped"},
		"half a gzip":       {gzipOf(t, "1,2\n")[:5], "gzipped"},
		"CSV":               {"1,2\n3,4\n", ""},
		"words":             {"hello", ""},
		"IDX":               {"\x00\x00\x08\x03\x00\x00\x00\x01\x00\x00\x00\x1c\x00\x00\x00\x1c", ""},
		"PNG":               {"\x89PNG\r\n\x1a\n", ""},
		"safetensors":       {"\x40\x00\x00\x00\x00\x00\x00\x00{\"__metadata__\"", ""},
	} {
		if got, _ := Of([]byte(c.file)); c.want == "" && got != "" || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestRefuse(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		want []string // nothing: nil
	}{
		"a page":  {"<html>", []string{"x is an HTML page, not an IDX file: ", "fetch the file itself"}},
		"a file":  {"version https://git-lfs.github.com/spec/v1\n", []string{"git lfs pull"}},
		"text":    {"hello\nworld", []string{`x is text that begins "hello", not an IDX file`}},
		"control": {"hello \x1b[2J", nil},
		"bytes":   {"\x01\x02\x03\xff\xfe", nil},
		"long":    {strings.Repeat("ä", 4000), []string{`"` + strings.Repeat("ä", 60) + `"`}},
	} {
		err := Refuse("x", []byte(c.file), "an IDX file")
		if (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v", name, err)
		}
		for _, want := range c.want {
			if err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", name, err, want)
			}
		}
	}
}

func TestLitter(t *testing.T) {
	for name, want := range map[string]bool{
		"Thumbs.db": true, "thumbs.DB": true, "desktop.ini": true, "Desktop.ini": true, ".DS_Store": true, "._1.png": true, "__MACOSX": true,
		"1.png": false, "train": false, "0": false, "notes.txt": false, "": false,
	} {
		if Litter(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}

func FuzzOf(f *testing.F) {
	for _, s := range []string{"", "<html><title>a", "PK\x03\x04", "{\"a\":", "\x1f\x8b\x08", "version https://git-lfs"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := Refuse("x", b, "y"); err != nil && len(err.Error()) > 1000 {
			t.Errorf("%d characters of error", len(err.Error()))
		}
	})
}
