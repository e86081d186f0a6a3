package api

import (
	_ "embed"
	"encoding/json/jsontext"
	"fmt"
	"strings"

	"mppm/shared/link"
)

// openAPI describes the API as OpenAPI 3.1, but for what the program knows: where
// it says "{name}", the parameters of a route or a number follow.
//
//go:embed openapi.json
var openAPI string

// document returns the parameter as OpenAPI describes it.
func (p param) document() object {
	first := any(p.First)
	var schema object
	switch p.Kind {
	case link.Whole, link.Number:
		kind := "number"
		if p.Kind == link.Whole {
			kind = "integer"
		}
		schema = object{{"type", kind}, {"minimum", p.Min}, {"maximum", p.Max}}
		first = jsontext.Value(p.First)
	case link.Word:
		schema = object{{"type", "string"}, {"enum", p.Words}}
	default:
		schema = object{{"type", "string"}, {"maxLength", p.Length}}
	}
	if p.First != "" {
		schema = append(schema, member{"default", first})
	}
	return object{{"name", p.Name}, {"in", "query"}, {"required", false}, {"description", p.About}, {"schema", schema}}
}

// describeRoutes returns the description of the API. The fields of a link, which
// two routes take, are described once.
func (a *API) describeRoutes() []byte {
	const fields = "#/components/parameters/"
	var shared object
	for _, p := range linkParams(a.page) {
		shared = append(shared, member{p.Name, p.document()})
	}
	var known []string
	know := func(name string, v any) { known = append(known, `"{`+name+`}"`, string(appendJSON(nil, v))) }
	know("fields", shared)
	for _, r := range a.routes {
		list := make([]object, len(r.params))
		for i, p := range r.params {
			list[i] = p.document()
			if r.link && p.says != "" {
				list[i] = object{{"$ref", fields + p.Name}}
			}
		}
		know(r.method+" "+r.path, list)
	}
	for _, n := range []member{
		{"width", a.image.W}, {"height", a.image.H}, {"pixels", a.image.Size()}, {"latent", a.model.Latent()},
		{"classes", a.classes}, {"last class", a.classes - 1}, {"images", MaxImages}, {"seed", link.MaxSeed}, {"loudest", loudest}, {"-loudest", -loudest},
	} {
		know(n.name, n.value)
	}
	known = append(known, "{frames}", fmt.Sprint(filmFrames), "{pictures}", fmt.Sprint(MaxPictures), "{size}", fmt.Sprintf("%d × %d", a.image.W, a.image.H))
	return []byte(strings.NewReplacer(known...).Replace(openAPI))
}

func (a *API) describeAPI(*request) (*response, error) {
	return &response{contentType: jsonType, body: a.openAPI, cache: anHour}, nil
}
