package api

import (
	"encoding/json"
	"net/http"
	"strings"

	"mppm/shared/latent"
	"mppm/shared/safetensors"
)

// card is the JSON answer of model.
type card struct {
	Model      string                   `json:"model"`
	Kind       string                   `json:"kind"`
	Width      int                      `json:"width"`
	Height     int                      `json:"height"`
	Latent     int                      `json:"latent"`
	Bytes      int                      `json:"bytes"`
	Parameters map[string]int           `json:"parameters"`
	Bank       cardBank                 `json:"bank"`
	Flows      map[string]latent.Preset `json:"flows"`
	Training   json.RawMessage          `json:"training,omitempty"`
	Data       json.RawMessage          `json:"data,omitempty"`
	Scores     json.RawMessage          `json:"scores,omitempty"`
	Limits     string                   `json:"limits"`
	Licence    string                   `json:"licence"`
	Paper      string                   `json:"paper"`
}

type cardBank struct {
	Codes   int     `json:"codes"`
	Spacing float32 `json:"spacing"`
	Classes []int   `json:"classes,omitempty"`
}

// describe returns the model card as JSON.
func (a *API) describe(weights []byte) ([]byte, error) {
	f, err := safetensors.Parse(weights)
	if err != nil {
		return nil, err
	}
	c := card{
		Model: a.fingerprint, Kind: a.model.Meta["kind"], Width: a.image.W, Height: a.image.H, Latent: a.model.Latent(), Bytes: len(weights),
		Parameters: map[string]int{},
		Bank:       cardBank{Codes: a.model.Bank.Len(), Spacing: a.model.Bank.Spacing},
		Flows:      a.model.Presets,
		Training:   object(a.model.Meta["training"]), Data: object(a.model.Meta["data"]), Scores: object(a.model.Meta["scores"]),
		Limits:  "It knows digits, one to an image, centered as MNIST's are. Whatever it is given, it answers with something like a digit, and on heavy damage it may be another digit than the one that was there.",
		Licence: "Apache-2.0",
		Paper:   "Bar et al., A Geometric Unification of Generative AI with Manifold-Probabilistic Projection Models",
	}
	for _, t := range f.Tensors {
		net, _, _ := strings.Cut(t.Name, ".")
		if (net == "encoder" || net == "decoder" || net == "distance") && !strings.HasSuffix(t.Name, ".scale") {
			size := 1
			for _, s := range t.Shape {
				size *= s
			}
			c.Parameters[net] += size
		}
	}
	if a.model.Bank.Labels != nil {
		c.Bank.Classes = make([]int, a.classes)
		for _, l := range a.model.Bank.Labels {
			if int(l) < len(c.Bank.Classes) {
				c.Bank.Classes[l]++
			}
		}
	}
	return jsonResponse(c).body, nil
}

// object returns metadata that is a JSON object, nil for any other.
func object(text string) json.RawMessage {
	if !strings.HasPrefix(text, "{") || !json.Valid([]byte(text)) {
		return nil
	}
	return json.RawMessage(text)
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
