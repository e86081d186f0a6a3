package api

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"mppm/shared/link"
)

// openAPI describes the API as OpenAPI 3.1, but for what the program knows: where
// it says "{name}", the parameters of a route or a number follow.
//
//go:embed openapi.json
var openAPI string

// paramDoc is a parameter as OpenAPI describes it.
type paramDoc struct {
	Name        string `json:"name"`
	In          string `json:"in"`
	Required    bool   `json:"required"`
	Description string `json:"description"`
	Schema      struct {
		Type      string   `json:"type"`
		Minimum   *float64 `json:"minimum,omitempty"`
		Maximum   *float64 `json:"maximum,omitempty"`
		Enum      []string `json:"enum,omitempty"`
		MaxLength int      `json:"maxLength,omitempty"`
		Default   any      `json:"default,omitempty"`
	} `json:"schema"`
}

func (p param) describe() paramDoc {
	d := paramDoc{Name: p.Name, In: "query", Description: p.About}
	s := &d.Schema
	if p.First != "" {
		s.Default = p.First
	}
	switch p.Kind {
	case link.Whole, link.Number:
		s.Type, s.Minimum, s.Maximum = "number", &p.Min, &p.Max
		if p.Kind == link.Whole {
			s.Type = "integer"
		}
		if p.First != "" {
			s.Default = json.Number(p.First)
		}
	case link.Word:
		s.Type, s.Enum = "string", p.Words
	default:
		s.Type, s.MaxLength = "string", p.Length
	}
	return d
}

// describeRoutes returns the description of the API. The fields of a link, which
// two routes take, are paramDoc once.
func (a *API) describeRoutes() ([]byte, error) {
	written := func(v any) string {
		var b bytes.Buffer
		writeJSON(&b, v)
		return b.String()
	}
	const fields = "#/components/parameters/"
	shared := map[string]paramDoc{}
	var known []string
	for _, r := range a.routes {
		list := make([]any, len(r.params))
		for i, p := range r.params {
			list[i] = p.describe()
			if r.link && p.says != "" {
				shared[p.Name] = p.describe()
				list[i] = map[string]string{"$ref": fields + p.Name}
			}
		}
		known = append(known, `"{`+r.method+" "+r.path+`}"`, written(list))
	}
	known = append(known, `"{fields}"`, written(shared))
	for name, v := range map[string]int{
		"width": a.image.W, "height": a.image.H, "pixels": a.image.Size(), "latent": a.model.Latent(),
		"classes": a.classes, "last class": a.classes - 1, "images": MaxImages, "seed": link.MaxSeed, "loudest": loudest, "-loudest": -loudest,
	} {
		known = append(known, `"{`+name+`}"`, strconv.Itoa(v))
	}
	known = append(known, "{size}", fmt.Sprintf("%d × %d", a.image.W, a.image.H))
	var b bytes.Buffer
	err := json.Indent(&b, []byte(strings.NewReplacer(known...).Replace(openAPI)), "", " ")
	return b.Bytes(), err
}

func (a *API) describeAPI(*request) (*response, error) {
	return &response{contentType: jsonType, body: a.openAPI, cache: anHour}, nil
}
