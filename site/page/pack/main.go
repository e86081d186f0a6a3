// Command pack puts a built page into one file, which programs that are built with the
// tag page carry: site/page/page.zip. Equal pages give equal bytes.
//
//	go run ./site/page/pack [-from site/dist] [-to site/page/page.zip]
package main

import (
	"archive/zip"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	from := flag.String("from", filepath.Join("site", "dist"), "the built page")
	to := flag.String("to", filepath.Join("site", "page", "page.zip"), "the file to write")
	flag.Parse()
	if err := run(*from, *to); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

// run packs the page in a folder. The file is written whole or not at all.
func run(from, to string) error {
	if _, err := os.Stat(filepath.Join(from, "manifest.json")); err != nil {
		return fmt.Errorf("%s holds no built page: build it with `go run ./site/build -out %s`", from, from)
	}
	b, err := pack(os.DirFS(from))
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(to), ".page-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err := f.Write(b); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := errors.Join(f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), to)
}

// pack returns the page as a zip file: of every file its .gz twin alone, as it is, which
// is what browsers are sent. What is meant for other hosts is left out.
func pack(page fs.FS) ([]byte, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	err := fs.WalkDir(page, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), "_") || strings.HasSuffix(name, ".br") {
			return err
		}
		if _, err := fs.Stat(page, name+".gz"); err == nil {
			return nil
		}
		b, err := fs.ReadFile(page, name)
		if err != nil {
			return err
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err != nil {
			return err
		}
		_, err = w.Write(b)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = z.Close()
	return out.Bytes(), err
}
