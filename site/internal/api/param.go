package api

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"mppm/shared/link"
)

// param is a parameter of a query: a field of a link, or one like it.
type param struct {
	link.Field
	says string // the field of a link that it says, which package link then reads; "" if none
}

// saying returns the parameters that say fields of a link, by the same names.
func saying(p *link.Page, names ...string) []param {
	var list []param
	for _, name := range names {
		list = append(list, param{p.Field(name), name})
	}
	return list
}

// flowParams are those that change the flow of a mode.
func flowParams(p *link.Page, of link.Mode) []param {
	var list []param
	for _, d := range link.Dials() {
		list = append(list, saying(p, string(of)+"-"+string(d.Parameter))...)
		list[len(list)-1].First = "" // a preset may be named
	}
	return list
}

// memoryNames are the fields of a link that say what the density of digits is taught.
var memoryNames = []string{"bank-add", "bank-weight", "forget"}

// memoryParams are those fields. What is forgotten comes last: something has to be left.
func memoryParams(p *link.Page) []param { return saying(p, memoryNames...) }

// query is the parameters of a request, by name: those that were given, and the
// first values of the others.
type query struct {
	params []param
	values map[string]string
	given  map[string]bool
}

// parseQuery reads the query of a route. It returns a problem that names the
// parameter and says what it takes. What is not the route's is ignored in an
// address, to which services add what they follow it with; what a program sends
// is to be understood as a whole.
func parseQuery(raw string, r *route) (query, error) {
	q := query{r.params, map[string]string{}, map[string]bool{}}
	if len(raw) > MaxAddress {
		return q, problemf(http.StatusRequestURITooLong, "the query has %d characters; give at most %d", len(raw), MaxAddress)
	}
	parsed, err := url.ParseQuery(raw)
	if err != nil && !r.address() {
		return q, problemf(http.StatusBadRequest, "the query %s is not of the form name=value&name=value", clip(raw))
	}
	if r.link { // which the page's own reader reads
		q.values[version.Name] = parsed.Get(version.Name)
		return q, nil
	}
	for _, p := range r.params {
		v, ok := parsed[p.Name]
		delete(parsed, p.Name)
		if !ok {
			if p.First != "" {
				q.values[p.Name] = p.First
			}
			continue
		}
		if len(v) > 1 {
			return q, problemf(http.StatusBadRequest, "%s is given %d times; give it once", p.Name, len(v))
		}
		meant := v[0]
		if p.says == "" {
			if meant, err = p.Check(meant); err != nil {
				return q, wrong(p.Name, v[0], err)
			}
		}
		q.values[p.Name], q.given[p.Name] = meant, true
	}
	if len(parsed) > 0 && !r.address() {
		unknown := slices.Sorted(keys(parsed))[0]
		names := make([]string, len(r.params))
		for i, p := range r.params {
			names[i] = p.Name
		}
		return q, problemf(http.StatusBadRequest, "%s is not understood; %s takes %s", clip(unknown), r.path, strings.Join(names, ", "))
	}
	return q, nil
}

func keys(m url.Values) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// say has a link say what a request does, where the parameters of its route say
// fields of a link. It returns a problem that names the parameter.
func (a *API) say(l *link.Link, r *request) error {
	for _, p := range r.params {
		if p.says == "" || !r.given[p.Name] {
			continue
		}
		if err := a.page.Set(l, p.says, r.text(p.Name)); err != nil {
			return wrong(p.Name, r.text(p.Name), err)
		}
	}
	if err := a.page.CheckSum(l, l.Mode); err != nil {
		return problemf(http.StatusBadRequest, "%v", err)
	}
	return nil
}

// wrong says what is wrong with a parameter's value.
func wrong(name, value string, err error) error {
	return problemf(http.StatusBadRequest, "%s=%s: %v", name, clip(value), err)
}

func (q query) text(name string) string { return q.values[name] }

// number returns a number that is given, or has a first value.
func (q query) number(name string) float64 {
	v, _ := strconv.ParseFloat(q.values[name], 64) // checked when it was read
	return v
}

func (q query) integer(name string) int { return int(q.number(name)) }
