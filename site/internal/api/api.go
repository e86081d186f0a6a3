// Package api is the model as an HTTP service: it restores and generates digits,
// says what model it is, and draws the preview of links to the page.
// openapi.json, which it serves, describes it to programs.
//
// It is a plain http.Handler that keeps nothing between requests but
// workspaces: the same request gives the same bytes, natively and at the edge.
package api

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"mppm/shared/classifier"
	"mppm/shared/latent"
	"mppm/shared/link"
	"mppm/shared/nn"
)

// Limits of what one request may ask for, so that it takes milliseconds and a
// few megabytes.
const (
	MaxImages  = link.MaxGrid * link.MaxGrid // digits that generate grows
	MaxScale   = 8                           // edge of a digit's pixel, in the pixels of a PNG
	MaxPNG     = 24 << 20                    // bytes of a PNG body, which is read as it comes
	MaxArea    = 4096 * 3072                 // pixels of a PNG: twelve megapixels, as phones take them
	MaxAddress = 1 << 14                     // bytes of a query; a drawing takes a few hundred
)

// batch is how many images are computed at a time.
const batch = 16

// maxNumber is how many bytes of JSON each number of an image may take, with what
// is around it; most take a dozen.
const maxNumber = 80

// API serves the model. It is safe for concurrent use; one request computes at a
// time.
type API struct {
	model       *latent.Model
	image       nn.Shape // of the model's images, which have one channel
	classes     int      // that the classifier knows
	fingerprint string
	card        []byte
	colors      map[string]*colorModel // by name, beside the digits' model
	openAPI     []byte
	digits      *digits
	page        *link.Page
	routes      []route

	mu      sync.Mutex
	runners map[int]*latent.Runner // of each class that was asked for; all of them under link.Any
	reader  *classifier.Runner
	png     pngEncoder
}

// Files are what an API is made of, as bytes.
type Files struct {
	Weights    []byte // a safetensors file of package latent
	Classifier []byte // a safetensors file of package classifier
	Images     []byte // IDX: the page's test digits
	Labels     []byte // IDX: their classes

	// Colors are further models, by name: safetensors files of package latent for square
	// images in color.
	Colors map[string][]byte
}

// New returns the API of a model. It returns an error that says which file is
// wrong.
func New(f Files) (*API, error) {
	m, err := latent.Load(f.Weights)
	if err != nil {
		return nil, fmt.Errorf("the model: %w", err)
	}
	c, err := classifier.Load(f.Classifier)
	if err != nil {
		return nil, fmt.Errorf("the classifier: %w", err)
	}
	a := &API{model: m, image: m.Image(), classes: c.Classes()}
	if a.image.C != 1 {
		return nil, fmt.Errorf("the model: its images have %d channels; the API shows gray ones", a.image.C)
	}
	if c.Image() != a.image {
		return nil, fmt.Errorf("the classifier: it reads images of %v, and the model's are of %v", c.Image(), a.image)
	}
	if a.digits, err = parseDigits(f.Images, f.Labels, a.image); err != nil {
		return nil, err
	}
	a.fingerprint, a.colors = fingerprintOf(f.Weights), map[string]*colorModel{}
	for name, weights := range f.Colors {
		if a.colors[name], err = newColorModel(name, weights); err != nil {
			return nil, err
		}
	}
	a.runners = map[int]*latent.Runner{link.Any: m.Runner(batch)}
	a.reader = c.Runner(batch)
	a.page = link.New(a.digits.len(), link.Model{
		Pixels: m.Pixels(), Latent: m.Latent(), Classes: a.classes,
		Restore: m.Restore, Generate: m.Generate,
		Only: func(class int) error {
			a.mu.Lock()
			defer a.mu.Unlock()
			_, err := a.runner(class)
			return err
		},
	})
	a.routes = routes(a.page)
	a.openAPI = a.describeRoutes()
	a.card, err = describe(a.fingerprint, m, a.classes, f.Weights, "It knows digits, one to an image, centered as MNIST's are. Whatever it is given, it answers with something like a digit, and on heavy damage it may be another digit than the one that was there.")
	return a, err
}

// Fingerprint names the model's weights: 16 hexadecimal digits of their SHA-256.
func (a *API) Fingerprint() string { return a.fingerprint }

// runner returns the runner of a class, or of all. The lock is held.
func (a *API) runner(class int) (*latent.Runner, error) {
	if r, ok := a.runners[class]; ok {
		return r, nil
	}
	m, err := a.model.Class(class)
	if err != nil {
		return nil, err
	}
	a.runners[class] = m.Runner(batch)
	return a.runners[class], nil
}

// taught returns the runner of a class that grows alone, or else of all with what a link
// teaches the density. The lock is held.
func (a *API) taught(l *link.Link, class int) (*latent.Runner, error) {
	if class != link.Any {
		return a.runner(class)
	}
	t, err := a.page.Taught(l.Memory)
	if err != nil {
		return nil, err
	}
	return a.runners[link.Any].Taught(t)
}

// route is one method of one path.
type route struct {
	method, path string
	params       []param
	link         bool // the query is a link, which package link reads
	serve        func(a *API, r *request) (*response, error)
}

// address reports whether the route's queries are passed around as addresses.
func (r *route) address() bool { return r.method == http.MethodGet }

func routes(p *link.Page) []route {
	return []route{
		{http.MethodPost, "/api/restore", restoreParams(p), false, (*API).restore},
		{http.MethodGet, "/api/generate", generateParams(p), false, (*API).generate},
		{http.MethodGet, "/api/model", []param{modelParam, version}, false, (*API).describeModel},
		{http.MethodGet, "/api/preview.png", append(linkParams(p), version), true, (*API).preview},
		{http.MethodGet, "/api/openapi.json", nil, false, (*API).describeAPI},
		{http.MethodGet, sharePath, linkParams(p), true, (*API).share},
	}
}

// version is the parameter by which a client says that it knows which model it
// asks: only then does the address determine the answer for ever.
var version = param{Field: link.Field{Name: "v", Kind: link.Text, Length: 64,
	About: "The model's fingerprint, which /api/model gives. With it, the address determines the answer, which may be kept for ever."}}

// request is a request whose parameters are in order.
type request struct {
	*http.Request
	query
}

// response is an answer, whole.
type response struct {
	contentType string
	body        []byte
	cache       string // Cache-Control
	policy      string // Content-Security-Policy, of what a browser shows
	vary        bool   // another Accept gives another answer
	done        string // what was done to the picture that came
}

// doneHeader is the header that says what was done to the picture that came.
const doneHeader = "Mppm-Input"

// The caching of answers. Those that an address determines are the same as long
// as the weights are; with the weights in the address, for ever.
const (
	forever = "public, max-age=31536000, immutable"
	anHour  = "public, max-age=3600"
	never   = "no-store"
)

// caching returns how long the answer to a request of a model may be kept.
func caching(r *request, fingerprint string) string {
	if r.text("v") == fingerprint {
		return forever
	}
	return anHour
}

// ServeHTTP answers. Errors are problem details (RFC 9457).
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	// Nothing here is private, and no cookie is read: any page may ask.
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "ETag, "+doneHeader)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	answer, err := a.answer(w, r)
	if err != nil {
		writeProblem(w, r, err)
		return
	}
	if answer == nil { // preflight
		w.WriteHeader(http.StatusNoContent)
		return
	}
	h.Set("Content-Type", answer.contentType)
	h.Set("Cache-Control", answer.cache)
	if answer.policy != "" {
		h.Set("Content-Security-Policy", answer.policy)
	}
	if answer.done != "" {
		h.Set(doneHeader, answer.done)
	}
	if answer.vary {
		h.Set("Vary", "Accept")
	}
	if answer.cache != never {
		sum := sha256.Sum256(answer.body)
		tag := `"` + hex.EncodeToString(sum[:8]) + `"`
		h.Set("ETag", tag)
		if matches(r.Header["If-None-Match"], tag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(answer.body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(answer.body) // a visitor who leaves is no error of ours
	}
}

// answer finds the route and lets it serve. Without answer or error, the request
// was a browser asking whether it may ask, and the headers say so.
func (a *API) answer(w http.ResponseWriter, r *http.Request) (answer *response, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	var methods []string
	var found *route
	for _, route := range a.routes {
		if route.path != r.URL.Path {
			continue
		}
		methods = append(methods, route.method)
		if route.method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
		if slices.Contains(methods, r.Method) {
			found = &route
		}
	}
	if methods == nil {
		return nil, problemf(http.StatusNotFound, "there is no %s here; there are %s", clip(r.URL.Path), strings.Join(a.paths(), ", "))
	}
	methods = append(methods, http.MethodOptions)
	if r.Method == http.MethodOptions {
		w.Header().Set("Allow", strings.Join(methods, ", "))
		w.Header().Set("Access-Control-Allow-Methods", strings.Join(methods, ", "))
		w.Header().Set("Access-Control-Allow-Headers", "Accept, Content-Type, If-None-Match")
		w.Header().Set("Access-Control-Max-Age", "86400")
		return nil, nil
	}
	if found == nil {
		w.Header().Set("Allow", strings.Join(methods, ", "))
		return nil, problemf(http.StatusMethodNotAllowed, "%s takes %s, not %s", r.URL.Path, strings.Join(methods, ", "), clip(r.Method))
	}
	q, err := parseQuery(r.URL.RawQuery, found)
	if err != nil {
		return nil, err
	}
	return found.serve(a, &request{r, q})
}

func (a *API) paths() []string {
	var p []string
	for _, r := range a.routes {
		p = append(p, r.method+" "+r.path)
	}
	return p
}

// matches reports whether one of the tags of If-None-Match headers is tag.
func matches(headers []string, tag string) bool {
	for _, h := range headers {
		for item := range strings.SplitSeq(h, ",") {
			item = strings.TrimPrefix(strings.TrimSpace(item), "W/")
			if item == tag || item == "*" {
				return true
			}
		}
	}
	return false
}

// problem is an error for the one who asked, with its HTTP status.
type problem struct {
	status int
	detail string
}

func (p *problem) Error() string { return p.detail }

func problemf(status int, format string, args ...any) error {
	return &problem{status, fmt.Sprintf(format, args...)}
}

// writeProblem answers with an error. Those that are not the asker's are told
// apart by their status, and not by what went wrong inside.
func writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	var p *problem
	if !errors.As(err, &p) {
		p = &problem{http.StatusInternalServerError, "this went wrong here, not with you; the same request may work later"}
	}
	body := jsonResponse(object{{"title", http.StatusText(p.status)}, {"status", p.status}, {"detail", p.detail}}).body
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", never)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(p.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

// clip quotes a part of a request, and not too much of it.
func clip(s string) string {
	const most = 40
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strconv.QuoteToGraphic(strings.ToValidUTF8(s, "?"))
}
