// Package host serves a built page as a good static host would: right types,
// the precompressed file where the browser takes it, caching by name, and a
// Content-Security-Policy that allows nothing inline.
package host

import (
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"strconv"
	"strings"
)

// Policy is the Content-Security-Policy of the page: its own files, and
// WebAssembly. The page carries it as a meta element too, for hosts that set no
// headers; frame-ancestors works only here.
const Policy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

// Forever is the caching of files whose name holds a hash of what is in them.
const Forever = "public, max-age=31536000, immutable"

var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".json": "application/json",
	".svg":  "image/svg+xml",
	".png":  "image/png",
	".wasm": "application/wasm",
	".txt":  "text/plain; charset=utf-8",
}

// Options change what the host does, to play a poorer one in tests.
type Options struct {
	Plain bool // neither compress nor set headers beyond the type
}

// Handler serves the files of dir.
func Handler(dir string, o Options) http.Handler { return Files(os.DirFS(dir), o) }

// Files serves files. One of which there is the .gz twin alone is unpacked for whoever
// does not take gzip.
func Files(root fs.FS, o Options) http.Handler { return &handler{root: root, o: o} }

type handler struct {
	root fs.FS
	o    Options
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD are served", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	if name == "" || strings.HasSuffix(r.URL.Path, "/") {
		name = path.Join(name, "index.html")
	}
	// A leading underscore marks files that are for the host itself.
	packed := !isFile(h.root, name) && isFile(h.root, name+".gz")
	if strings.HasPrefix(path.Base(name), "_") || !packed && !isFile(h.root, name) {
		h.headers(w, "")
		http.Error(w, fmt.Sprintf("there is no %s here", r.URL.Path), http.StatusNotFound)
		return
	}
	h.headers(w, name)
	w.Header().Set("Content-Type", typeOf(name))
	served := name
	if !h.o.Plain {
		for _, c := range []struct{ coding, suffix string }{{"br", ".br"}, {"gzip", ".gz"}} {
			if !isFile(h.root, name+c.suffix) {
				continue
			}
			w.Header().Set("Vary", "Accept-Encoding")
			if served == name && accepts(r.Header.Get("Accept-Encoding"), c.coding) {
				served = name + c.suffix
				w.Header().Set("Content-Encoding", c.coding)
			}
		}
	}
	b, err := read(h.root, served, packed && served == name)
	if err != nil {
		http.Error(w, "the file cannot be read", http.StatusInternalServerError)
		return
	}
	// Content-Length is of what is sent, coded or not: ServeContent leaves it out
	// for coded content, and would offer ranges of it.
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	if !h.o.Plain {
		// Of the content: files that a program carries have no times.
		tag := fmt.Sprintf(`"%x"`, sha256.Sum256(b))
		w.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.Header().Del("Content-Length")
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	if r.Method == http.MethodGet {
		_, _ = w.Write(b) // a visitor who leaves is no error of ours
	}
}

// read returns the content of a file, or that of its .gz twin, unpacked.
func read(root fs.FS, name string, packed bool) ([]byte, error) {
	if !packed {
		return fs.ReadFile(root, name)
	}
	f, err := root.Open(name + ".gz")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

func (h *handler) headers(w http.ResponseWriter, name string) {
	if h.o.Plain {
		return
	}
	for _, kv := range Headers(name) {
		w.Header().Set(kv[0], kv[1])
	}
}

// Headers returns the names and values of the headers that a file of the page
// should be served with, in the order in which they are written down.
func Headers(name string) [][2]string {
	cache := "no-cache"
	if Hashed(name) {
		cache = Forever
	}
	return append(Security(), [2]string{"Cache-Control", cache})
}

// Security returns the headers that every file has.
func Security() [][2]string {
	return [][2]string{
		{"Content-Security-Policy", Policy},
		{"X-Content-Type-Options", "nosniff"},
		{"Referrer-Policy", "no-referrer"},
		{"Permissions-Policy", "camera=(self), microphone=(), geolocation=()"},
		{"Cross-Origin-Opener-Policy", "same-origin"},
	}
}

// Hashed reports whether a name holds a hash of the file's content, as in
// assets/style.0123456789abcdef.css.
func Hashed(name string) bool {
	for _, part := range strings.Split(path.Base(name), ".") {
		if len(part) == HashLen && strings.Trim(part, "0123456789abcdef") == "" {
			return true
		}
	}
	return false
}

// HashLen is how many hexadecimal digits of the content's SHA-256 a name holds.
const HashLen = 16

func typeOf(name string) string {
	if t, ok := types[path.Ext(name)]; ok {
		return t
	}
	return "application/octet-stream"
}

func isFile(root fs.FS, name string) bool {
	info, err := fs.Stat(root, name)
	return err == nil && info.Mode().IsRegular()
}

// accepts reports whether an Accept-Encoding header takes a coding: it is named
// there, or everything is, and not with a weight of 0.
func accepts(header, coding string) bool {
	any := false
	for _, item := range strings.Split(header, ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(item), ";")
		name = strings.ToLower(strings.TrimSpace(name))
		if name != coding && name != "*" {
			continue
		}
		ok := true
		if q, found := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q="); found {
			v, err := strconv.ParseFloat(q, 64)
			ok = err == nil && v > 0
		}
		if name == coding {
			return ok
		}
		any = ok
	}
	return any
}
