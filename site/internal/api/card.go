package api

import (
	"encoding/json/jsontext"
	"maps"
	"net/http"
	"slices"
	"strings"

	"mppm/shared/latent"
	"mppm/shared/safetensors"
)

// describe returns the card of a model as JSON: of a classifier's classes, if there are
// any, and with what a person should know of its limits.
func describe(fingerprint string, m *latent.Model, known int, weights []byte, limits string) ([]byte, error) {
	f, err := safetensors.Parse(weights)
	if err != nil {
		return nil, err
	}
	sizes := map[string]int{}
	for _, t := range f.Tensors {
		net, _, _ := strings.Cut(t.Name, ".")
		if (net == "encoder" || net == "decoder" || net == "projection" || net == "distance") && !strings.HasSuffix(t.Name, ".scale") {
			size := 1
			for _, s := range t.Shape {
				size *= s
			}
			sizes[net] += size
		}
	}
	var parameters, flows object
	for _, net := range slices.Sorted(maps.Keys(sizes)) {
		parameters = append(parameters, member{net, sizes[net]})
	}
	for _, name := range slices.Sorted(maps.Keys(m.Presets)) {
		flows = append(flows, member{name, flowObject(m.Presets[name])})
	}
	bank := object{{"codes", m.Bank.Len()}, {"spacing", m.Bank.Spacing}}
	if m.Bank.Labels != nil && known > 0 {
		classes := make([]int, known)
		for _, l := range m.Bank.Labels {
			if int(l) < len(classes) {
				classes[l]++
			}
		}
		bank = append(bank, member{"classes", classes})
	}
	card := object{
		{"model", fingerprint}, {"kind", m.Meta["kind"]},
		{"width", m.Image().W}, {"height", m.Image().H}, {"channels", m.Image().C}, {"latent", m.Latent()},
		{"bytes", len(weights)}, {"parameters", parameters}, {"bank", bank}, {"flows", flows},
	}
	for _, name := range []string{"training", "data", "scores"} {
		// Metadata that is a JSON object.
		if v := jsontext.Value(m.Meta[name]); v.Kind() == '{' && v.Compact() == nil {
			card = append(card, member{name, v})
		}
	}
	return jsonResponse(append(card,
		member{"limits", limits},
		member{"licence", "Apache-2.0"},
		member{"paper", "Bar et al., A Geometric Unification of Generative AI with Manifold-Probabilistic Projection Models"},
	)).body, nil
}

// describeModel is GET /api/model.
func (a *API) describeModel(r *request) (*response, error) {
	if _, err := accepted(r.Header["Accept"], jsonType); err != nil {
		return nil, err
	}
	c, err := a.colorsOf(r)
	if err != nil {
		return nil, err
	}
	card, fingerprint := a.card, a.fingerprint
	if c != nil {
		card, fingerprint = c.card, c.fingerprint
	}
	if r.given["v"] && r.text("v") != fingerprint {
		return nil, problemf(http.StatusNotFound, "there is no model %s here; there is %s", clip(r.text("v")), fingerprint)
	}
	return &response{contentType: jsonType, body: card, cache: caching(r, fingerprint)}, nil
}
