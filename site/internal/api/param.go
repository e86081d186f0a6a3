package api

import (
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// kind is what a parameter's value must be.
type kind int

const (
	integer kind = iota // a whole number from min to max
	number              // a number from min to max
	word                // one of words
	text                // at most max letters, digits, dots, hyphens and underscores
)

// param is a parameter of a query.
type param struct {
	name     string
	kind     kind
	min, max float64
	words    []string
	first    string // the value where none is given; "" where there is none
}

// query is the parameters of a request, by name: those that were given, and the
// first values of the others.
type query struct {
	values map[string]string
	given  map[string]bool
}

// parseQuery reads the query of a route. It returns a problem that names the
// parameter and says what it takes.
func parseQuery(raw string, r *route) (query, error) {
	q := query{values: map[string]string{}, given: map[string]bool{}}
	if len(raw) > MaxAddress {
		return q, problemf(http.StatusRequestURITooLong, "the query has %d characters; give at most %d", len(raw), MaxAddress)
	}
	parsed, err := url.ParseQuery(raw)
	if err != nil {
		return q, problemf(http.StatusBadRequest, "the query %s is not of the form name=value&name=value", clip(raw))
	}
	for _, p := range r.params {
		v, ok := parsed[p.name]
		delete(parsed, p.name)
		if !ok {
			if p.first != "" {
				q.values[p.name] = p.first
			}
			continue
		}
		if len(v) > 1 {
			return q, problemf(http.StatusBadRequest, "%s is given %d times; give it once", p.name, len(v))
		}
		if err := p.check(v[0]); err != nil {
			return q, err
		}
		q.values[p.name], q.given[p.name] = v[0], true
	}
	if len(parsed) > 0 && !r.open {
		unknown := slices.Sorted(keys(parsed))[0]
		names := make([]string, len(r.params))
		for i, p := range r.params {
			names[i] = p.name
		}
		if len(names) == 0 {
			return q, problemf(http.StatusBadRequest, "%s is not understood: %s takes no parameters", clip(unknown), r.path)
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

// check returns a problem if v is no value of p.
func (p param) check(v string) error {
	switch p.kind {
	case integer, number:
		f, err := strconv.ParseFloat(v, 64)
		if err != nil || !plain(v) {
			return problemf(http.StatusBadRequest, "%s=%s is not a number", p.name, clip(v))
		}
		if p.kind == integer && f != math.Trunc(f) {
			return problemf(http.StatusBadRequest, "%s=%s is not a whole number", p.name, clip(v))
		}
		if !(f >= p.min && f <= p.max) {
			return problemf(http.StatusBadRequest, "%s=%s is out of range: %s to %s", p.name, clip(v), decimal(p.min), decimal(p.max))
		}
	case word:
		if !slices.Contains(p.words, v) {
			return problemf(http.StatusBadRequest, "%s=%s is not understood; it takes %s", p.name, clip(v), strings.Join(p.words, ", "))
		}
	case text:
		if len(v) > int(p.max) {
			return problemf(http.StatusBadRequest, "%s has %d characters; give at most %s", p.name, len(v), decimal(p.max))
		}
		if strings.Trim(v, safe) != "" {
			return problemf(http.StatusBadRequest, "%s=%s is not understood; it has letters, digits, dots, hyphens and underscores alone", p.name, clip(v))
		}
	}
	return nil
}

// safe is what values of text, and so whole links, are made of.
const safe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_"

// plain reports whether a number is written in decimals, as links write it: not
// 0x10 or 1_000, not Inf or NaN.
func plain(v string) bool { return v != "" && strings.Trim(v, "0123456789.-") == "" }

func decimal(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func (q query) text(name string) string { return q.values[name] }

// number returns a number that is given, or has a first value.
func (q query) number(name string) float64 {
	v, _ := strconv.ParseFloat(q.values[name], 64) // checked when it was read
	return v
}

func (q query) integer(name string) int { return int(q.number(name)) }
