package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mppm/shared/link"
)

// The parts of an OpenAPI 3.1 description that this one uses.
type (
	schema    map[string]any
	parameter struct {
		Ref                   string `json:"$ref"`
		Name, In, Description string
		Required              bool
		Schema                schema
	}
	media map[string]struct{ Schema schema }
	reply struct {
		Ref         string `json:"$ref"`
		Description string
		Content     media
	}
	operation struct {
		OperationID, Summary string
		Parameters           []parameter
		RequestBody          *struct{ Content media }
		Responses            map[string]reply
	}
	description struct {
		OpenAPI    string
		Paths      map[string]map[string]operation
		Components struct {
			Parameters map[string]parameter
			Schemas    map[string]schema
			Responses  map[string]reply
		}
	}
)

func described(t *testing.T) *description {
	t.Helper()
	d := new(description)
	if err := json.Unmarshal(get(t, "/api/openapi.json").Body.Bytes(), d); err != nil {
		t.Fatal(err)
	}
	if d.OpenAPI != "3.1.0" {
		t.Fatalf("OpenAPI %s", d.OpenAPI)
	}
	for _, methods := range d.Paths {
		for _, op := range methods {
			for i, p := range op.Parameters {
				if name, ok := strings.CutPrefix(p.Ref, "#/components/parameters/"); ok {
					op.Parameters[i] = d.Components.Parameters[name]
				}
			}
		}
	}
	return d
}

// TestDescription holds the description to the routes: the same paths, methods
// and parameters, with the same types, ranges, words and first values.
func TestDescription(t *testing.T) {
	d := described(t)
	var have, want []string
	for path, methods := range d.Paths {
		for method := range methods {
			have = append(have, strings.ToUpper(method)+" "+path)
		}
	}
	for _, r := range service(t).routes {
		want = append(want, r.method+" "+r.path)
		op := d.Paths[r.path][strings.ToLower(r.method)]
		if op.OperationID == "" || op.Summary == "" {
			t.Errorf("%s %s has no name or summary", r.method, r.path)
		}
		var names []string
		for _, p := range op.Parameters {
			names = append(names, p.Name)
		}
		if len(names) != len(r.params) {
			t.Errorf("%s: %v are described", r.path, names)
		}
		for _, p := range r.params {
			i := slices.Index(names, p.Name)
			if i < 0 {
				t.Errorf("%s: %s is not described", r.path, p.Name)
				continue
			}
			got := op.Parameters[i]
			if got.In != "query" || got.Required || got.Description == "" || !equal(got.Schema, p.schema()) {
				t.Errorf("%s: %s is described as %v, it is %v", r.path, p.Name, got, p.schema())
			}
		}
		if (op.RequestBody != nil) != (r.method == http.MethodPost) {
			t.Errorf("%s %s: a body is %v", r.method, r.path, op.RequestBody)
		}
		for code, reply := range op.Responses {
			if code >= "400" && reply.Ref != "#/components/responses/Problem" {
				t.Errorf("%s: %s is no problem", r.path, code)
			}
		}
	}
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Errorf("%v are described, there are %v", have, want)
	}
}

// schema says what the parameter takes, as the description should.
func (p param) schema() schema {
	first := func(s schema) schema {
		if p.First == "" {
			return s
		}
		s["default"] = any(p.First)
		if v, err := strconv.ParseFloat(p.First, 64); err == nil && p.Kind <= link.Number {
			s["default"] = v
		}
		return s
	}
	switch p.Kind {
	case link.Whole:
		return first(schema{"type": "integer", "minimum": p.Min, "maximum": p.Max})
	case link.Number:
		return first(schema{"type": "number", "minimum": p.Min, "maximum": p.Max})
	case link.Word:
		return first(schema{"type": "string", "enum": p.Words})
	}
	return first(schema{"type": "string", "maxLength": p.Length})
}

func equal(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// TestAnswersAreAsDescribed holds real answers to the schemas.
func TestAnswersAreAsDescribed(t *testing.T) {
	d := described(t)
	x, _ := digit(t, 2)
	js := "Content-Type: application/json"
	for _, c := range []struct {
		method, target string
		body           []byte
		headers        []string
	}{
		{"GET", "/api/generate?n=3", nil, []string{wantJSON}},
		{"GET", "/api/generate?n=1&class=0", nil, []string{wantJSON}},
		{"GET", "/api/generate", nil, nil},
		{"GET", "/api/model", nil, nil},
		{"POST", "/api/restore?preset=faithful", numbers(x), []string{js}},
		{"POST", "/api/restore", numbers(x), []string{js, "Accept: image/png"}},
		{"GET", "/api/preview.png", nil, nil},
		{"GET", "/s", nil, nil},
		{"GET", "/api/openapi.json", nil, nil},
		{"GET", "/api/generate?n=no", nil, nil},
		{"POST", "/api/restore", nil, []string{js}},
		{"GET", "/api/model", nil, []string{"Accept: text/plain"}},
	} {
		path, _, _ := strings.Cut(c.target, "?")
		w := ask(t, c.method, c.target, c.body, c.headers...)
		reply, ok := d.Paths[path][strings.ToLower(c.method)].Responses[strconv.Itoa(w.Code)]
		if !ok {
			t.Errorf("%s %s: %d is not described", c.method, c.target, w.Code)
			continue
		}
		if reply.Ref != "" {
			reply = d.Components.Responses["Problem"]
		}
		kind, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";")
		content, ok := reply.Content[kind]
		if !ok {
			t.Errorf("%s %s: %s is not described", c.method, c.target, kind)
			continue
		}
		if !strings.HasSuffix(kind, "json") {
			continue
		}
		var v any
		if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		if err := d.check(content.Schema, v, kind); err != nil {
			t.Errorf("%s %s: %v", c.method, c.target, err)
		}
	}
	// What may be sent is what is taken.
	body := d.Paths["/api/restore"]["post"].RequestBody.Content
	var v any
	if err := json.Unmarshal(numbers(x), &v); err != nil {
		t.Fatal(err)
	}
	options := body[jsonType].Schema["oneOf"].([]any)
	if err := d.check(options[0].(map[string]any), v, "body"); err != nil {
		t.Error(err)
	}
	if err := d.check(options[1].(map[string]any), map[string]any{"pixels": v}, "body"); err != nil {
		t.Error(err)
	}
	if _, ok := body[pngType]; !ok {
		t.Error("a PNG body is not described")
	}
}

// check returns an error if v is not as the schema says. A keyword that it does
// not know is an error too.
func (d *description) check(s schema, v any, at string) error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("%s: %s", at, fmt.Sprintf(format, args...))
	}
	n, isNumber := v.(float64)
	list, isList := v.([]any)
	members, isObject := v.(map[string]any)
	text, isText := v.(string)
	for key, arg := range s {
		limit, _ := arg.(float64)
		switch key {
		case "description", "items", "additionalProperties": // items and members below
		case "$ref":
			name := strings.TrimPrefix(arg.(string), "#/components/schemas/")
			other, ok := d.Components.Schemas[name]
			if !ok {
				return fail("there is no schema %s", name)
			}
			if err := d.check(other, v, at); err != nil {
				return err
			}
		case "type":
			types, several := arg.([]any)
			if !several {
				types = []any{arg}
			}
			is := map[string]bool{"number": isNumber, "integer": isNumber && n == math.Trunc(n), "array": isList, "object": isObject, "string": isText, "null": v == nil}
			_, is["boolean"] = v.(bool)
			if !slices.ContainsFunc(types, func(t any) bool { return is[t.(string)] }) {
				return fail("%v is no %v", v, arg)
			}
		case "minimum":
			if isNumber && n < limit {
				return fail("%v is below %v", n, limit)
			}
		case "exclusiveMinimum":
			if isNumber && n <= limit {
				return fail("%v is not above %v", n, limit)
			}
		case "maximum":
			if isNumber && n > limit {
				return fail("%v is above %v", n, limit)
			}
		case "const":
			if v != arg {
				return fail("%v is not %v", v, arg)
			}
		case "pattern":
			if !regexp.MustCompile(arg.(string)).MatchString(text) {
				return fail("%q does not match %s", text, arg)
			}
		case "minItems":
			if len(list) < int(limit) {
				return fail("%d items", len(list))
			}
		case "maxItems":
			if len(list) > int(limit) {
				return fail("%d items", len(list))
			}
		case "required":
			for _, name := range arg.([]any) {
				if _, ok := members[name.(string)]; !ok {
					return fail("%s is missing", name)
				}
			}
		case "properties":
			for name, of := range arg.(map[string]any) {
				if m, ok := members[name]; ok {
					if err := d.check(of.(map[string]any), m, at+"."+name); err != nil {
						return err
					}
				}
			}
		default:
			return fail("the keyword %s is not known to the test", key)
		}
	}
	if items, ok := s["items"].(map[string]any); ok {
		for i, item := range list {
			if err := d.check(items, item, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
	}
	named, _ := s["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if _, ok := named[name]; ok {
			continue
		}
		switch more := s["additionalProperties"].(type) {
		case bool:
			if !more {
				return fail("%s is not described", name)
			}
		case map[string]any:
			if err := d.check(more, members[name], at+"."+name); err != nil {
				return err
			}
		}
	}
	return nil
}
