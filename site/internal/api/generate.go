package api

import (
	"math"

	"mppm/shared/model"
	"mppm/shared/rng"
)

func generateParams() []param {
	return []param{
		{name: "seed", kind: integer, min: 0, max: MaxSeed, first: "1"},
		{name: "n", kind: integer, min: 1, max: MaxImages, first: "9"},
		{name: "class", kind: integer, min: 0, max: 9},
		{name: "scale", kind: integer, min: 1, max: MaxScale, first: "4"},
		version,
	}
}

// grown is one digit of the JSON answer of generate.
type grown struct {
	Reads    reading   `json:"reads"`
	Distance []float32 `json:"distance"`
	Pixels   pixels    `json:"pixels"`
}

// generated is the JSON answer of generate.
type generated struct {
	Model  string       `json:"model"`
	Seed   uint64       `json:"seed"`
	Class  *int         `json:"class"`
	Flow   model.Preset `json:"flow"`
	Width  int          `json:"width"`
	Height int          `json:"height"`
	Images []grown      `json:"images"`
}

// generate is GET /api/generate. Image i depends on the seed, the class and i
// alone; without a class it is image i of the page's grid of that seed.
func (a *API) generate(r *request) (*response, error) {
	as, err := accepted(r.Header["Accept"], pngType, jsonType)
	if err != nil {
		return nil, err
	}
	class := all
	answer := generated{Model: a.fingerprint, Seed: uint64(r.number("seed")), Flow: a.model.Generate, Width: model.Side, Height: model.Side}
	if r.given["class"] {
		class = r.integer("class")
		answer.Class = &class
	}
	n := r.integer("n")
	a.mu.Lock()
	defer a.mu.Unlock()
	x, distance, err := a.grow(class, n, answer.Seed, a.model.Generate)
	if err != nil {
		return nil, err
	}
	var out *response
	if as == pngType {
		columns := int(math.Ceil(math.Sqrt(float64(n))))
		if out, err = a.png.encode(sheet(x, columns, r.integer("scale"))); err != nil {
			return nil, err
		}
	} else {
		for i, reads := range a.read(x) {
			g := grown{Reads: reads, Pixels: x[i*model.Pixels:][:model.Pixels]}
			for k := i; k < len(distance); k += n {
				g.Distance = append(g.Distance, distance[k])
			}
			answer.Images = append(answer.Images, g)
		}
		out = jsonResponse(answer)
	}
	out.cache, out.vary = a.caching(r), true
	return out, nil
}

// grow grows n digits of a class, or of all, from noise. It returns their images
// and D at each step, steps × n. The lock is held.
func (a *API) grow(class, n int, seed uint64, p model.Preset) (x, distance []float32, err error) {
	r, err := a.runner(class)
	if err != nil {
		return nil, nil, err
	}
	z := make([]float32, n*model.Latent)
	r.Noise(z, rng.New(seed, 0))
	seq, err := r.Flow(z, p)
	if err != nil {
		return nil, nil, err
	}
	for s := range seq {
		distance = append(distance, s.Distance...)
	}
	x = make([]float32, n*model.Pixels)
	r.Decode(x, z)
	return x, distance, nil
}
