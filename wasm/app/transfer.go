package app

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
)

// Transfer is what is dropped on the page or pasted into it.
type Transfer struct {
	Files []TransferFile
	Image string // the address of the first picture in its HTML, empty if there is none
	URIs  string // its text/uri-list
	Text  string // its text/plain
}

// TransferFile is a file of a Transfer.
type TransferFile struct {
	Name string
	Type string // MIME, empty where the browser does not know
}

// Candidate is where a picture may come from: a file of the transfer, bytes that came
// along in an address, or an address of the page's own site.
type Candidate struct {
	File int // its index, -1 for none
	Data []byte
	URL  string
}

// Images returns where pictures may come from, the likeliest first: the browser
// tells whether there is one. origin is the page's own, as https://example.org;
// from elsewhere the page fetches nothing. If there is nowhere to look, the error
// says why not, and what to do.
func (t Transfer) Images(origin string) ([]Candidate, error) {
	var sources []Candidate
	add := func(wanted func(TransferFile) bool) {
		for i, f := range t.Files {
			if wanted(f) {
				sources = append(sources, Candidate{File: i})
			}
		}
	}
	add(TransferFile.image)
	add(func(f TransferFile) bool { return !f.image() && f.unknown() })
	var elsewhere string
	var broken error
	for _, address := range t.addresses() {
		switch {
		case strings.HasPrefix(strings.ToLower(address), "data:"):
			data, err := dataURL(address)
			if err != nil {
				broken = err
				continue
			}
			sources = append(sources, Candidate{File: -1, Data: data})
		case origin != "" && strings.HasPrefix(address, origin+"/"):
			sources = append(sources, Candidate{File: -1, URL: address})
		case elsewhere == "":
			elsewhere = address
		}
	}
	switch {
	case len(sources) > 0:
		return sources, nil
	case elsewhere != "":
		return nil, fmt.Errorf("this came as the address of a picture at %s, and this page fetches nothing from elsewhere: copy the picture itself there (Copy image) and paste it here, or save it and open the file", site(elsewhere))
	case broken != nil:
		return nil, broken
	case len(t.Files) > 0:
		return nil, fmt.Errorf("%s is no picture: try a PNG or a JPEG, or the weights of a model, whose name ends with .safetensors", t.names())
	}
	return nil, errors.New("there is no picture in this: try an image file, or a picture that was copied")
}

// addresses returns the addresses of a picture that are in the transfer: that in
// its HTML before those of links, which may lead to a page about the picture.
func (t Transfer) addresses() (list []string) {
	add := func(address string) {
		address = strings.TrimSpace(address)
		if u, err := url.Parse(address); err != nil || !slices.Contains([]string{"data", "http", "https", "file", "blob"}, u.Scheme) {
			return
		}
		if !slices.Contains(list, address) {
			list = append(list, address)
		}
	}
	add(t.Image)
	for line := range strings.Lines(t.URIs) {
		if !strings.HasPrefix(line, "#") { // a comment
			add(line)
		}
	}
	if text := strings.TrimSpace(t.Text); !strings.ContainsAny(text, " \n") {
		add(text)
	}
	return list
}

// image reports whether it says that it is a picture.
func (f TransferFile) image() bool { return strings.HasPrefix(f.Type, "image/") }

// unknown reports whether it does not say what it is.
func (f TransferFile) unknown() bool { return f.Type == "" || f.Type == "application/octet-stream" }

func (t Transfer) names() string {
	if len(t.Files) == 1 {
		return fmt.Sprintf("%q", t.Files[0].Name)
	}
	return fmt.Sprintf("none of these %d files, %q among them,", len(t.Files), t.Files[0].Name)
}

// site returns what of an address a person would call it by.
func site(address string) string {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Scheme == "blob":
		return "another page"
	case u.Scheme == "file":
		return path.Base(u.Path) + " on this machine"
	}
	return u.Host
}

// maxDataURL bounds the addresses that hold a picture, in bytes.
const maxDataURL = 64 << 20

// dataURL returns what an address of the scheme data holds (RFC 2397).
func dataURL(address string) ([]byte, error) {
	if len(address) > maxDataURL {
		return nil, fmt.Errorf("this address holds %d bytes; a picture of up to %d is taken: save it and open the file", len(address), maxDataURL)
	}
	broken := errors.New("this address says that it holds a picture, and holds none that can be read: copy the picture itself, or save it and open the file")
	kind, data, found := strings.Cut(address[len("data:"):], ",")
	if !found {
		return nil, broken
	}
	text, err := url.PathUnescape(data)
	if err != nil {
		return nil, broken
	}
	if !strings.HasSuffix(strings.ToLower(strings.TrimSpace(kind)), ";base64") {
		return []byte(text), nil
	}
	text = strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' || r == '\n' || r == '\r' || r == '=' {
			return -1
		}
		return r
	}, text)
	b, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return nil, broken
	}
	return b, nil
}
