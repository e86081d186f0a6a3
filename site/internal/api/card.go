package api

import (
	"encoding/json/jsontext"
	"maps"
	"net/http"
	"slices"
	"strings"

	"mppm/shared/safetensors"
)

// describe returns the model card as JSON.
func (a *API) describe(weights []byte) ([]byte, error) {
	f, err := safetensors.Parse(weights)
	if err != nil {
		return nil, err
	}
	sizes := map[string]int{}
	for _, t := range f.Tensors {
		net, _, _ := strings.Cut(t.Name, ".")
		if (net == "encoder" || net == "decoder" || net == "distance") && !strings.HasSuffix(t.Name, ".scale") {
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
	for _, name := range slices.Sorted(maps.Keys(a.model.Presets)) {
		flows = append(flows, member{name, flowObject(a.model.Presets[name])})
	}
	bank := object{{"codes", a.model.Bank.Len()}, {"spacing", a.model.Bank.Spacing}}
	if a.model.Bank.Labels != nil {
		classes := make([]int, a.classes)
		for _, l := range a.model.Bank.Labels {
			if int(l) < len(classes) {
				classes[l]++
			}
		}
		bank = append(bank, member{"classes", classes})
	}
	card := object{
		{"model", a.fingerprint}, {"kind", a.model.Meta["kind"]},
		{"width", a.image.W}, {"height", a.image.H}, {"latent", a.model.Latent()},
		{"bytes", len(weights)}, {"parameters", parameters}, {"bank", bank}, {"flows", flows},
	}
	for _, name := range []string{"training", "data", "scores"} {
		// Metadata that is a JSON object.
		if v := jsontext.Value(a.model.Meta[name]); v.Kind() == '{' && v.Compact() == nil {
			card = append(card, member{name, v})
		}
	}
	return jsonResponse(append(card,
		member{"limits", "It knows digits, one to an image, centered as MNIST's are. Whatever it is given, it answers with something like a digit, and on heavy damage it may be another digit than the one that was there."},
		member{"licence", "Apache-2.0"},
		member{"paper", "Bar et al., A Geometric Unification of Generative AI with Manifold-Probabilistic Projection Models"},
	)).body, nil
}

// describeModel is GET /api/model.
func (a *API) describeModel(r *request) (*response, error) {
	if _, err := accepted(r.Header["Accept"], jsonType); err != nil {
		return nil, err
	}
	if r.given["v"] && r.text("v") != a.fingerprint {
		return nil, problemf(http.StatusNotFound, "there is no model %s here; there is %s", clip(r.text("v")), a.fingerprint)
	}
	return &response{contentType: jsonType, body: a.card, cache: a.caching(r)}, nil
}
