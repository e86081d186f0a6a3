package api

import (
	"math"
	"net/http"

	"mppm/shared/latent"
	"mppm/shared/link"
)

func generateParams(p *link.Page) []param {
	seed, n, grid := p.Field("grid-seed"), p.Field("grid"), p.Field("grid")
	seed.Name, seed.First = "seed", ""
	n.Name, n.Max, n.First, grid.First = "n", MaxImages, "9", ""
	list := []param{{seed}, {p.Field("grid-seed")}, {n}, {grid}, {p.Field("class")}, {p.Field("like")}, scale("4")}
	return append(append(list, flowParams(p, link.Generate)...), version)
}

// grown is one digit of the JSON answer of generate.
type grown struct {
	Reads    reading   `json:"reads"`
	Distance []float32 `json:"distance"`
	Pixels   pixels    `json:"pixels"`
}

// generated is the JSON answer of generate.
type generated struct {
	Model  string        `json:"model"`
	Seed   uint64        `json:"seed"`
	Class  *int          `json:"class"`
	Flow   latent.Preset `json:"flow"`
	Width  int           `json:"width"`
	Height int           `json:"height"`
	Images []grown       `json:"images"`
}

// generate is GET /api/generate. Image i depends on i and on what the page's
// address says of its grid, and is image i of it: the seed, the class, the code
// that digits grow around, the flow.
func (a *API) generate(r *request) (*response, error) {
	as, err := accepted(r.Header["Accept"], pngType, jsonType)
	if err != nil {
		return nil, err
	}
	s, n, err := a.readGrid(r.query)
	if err != nil {
		return nil, err
	}
	answer := generated{Model: a.fingerprint, Seed: s.seed, Flow: s.flow, Width: latent.Side, Height: latent.Side}
	if s.class != link.Any {
		answer.Class = &s.class
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	x, distance, err := a.grow(s, n)
	if err != nil {
		return nil, err
	}
	var out *response
	if as == pngType {
		columns := int(math.Ceil(math.Sqrt(float64(n))))
		if out, err = a.png.gray(sheet(x, columns, r.integer("scale"))); err != nil {
			return nil, err
		}
	} else {
		for i, reads := range a.read(x) {
			g := grown{Reads: reads, Pixels: x[i*latent.Pixels:][:latent.Pixels]}
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

// readGrid reads which digits are asked for, and how many: by the names of the
// page's address, or by short ones.
func (a *API) readGrid(q query) (s *scene, n int, err error) {
	for _, names := range [][2]string{{"seed", "grid-seed"}, {"n", "grid"}} {
		if q.given[names[0]] && q.given[names[1]] {
			return nil, 0, problemf(http.StatusBadRequest, "%s and %s are both given, and say the same; give one", names[0], names[1])
		}
	}
	s = &scene{grown: true}
	if s.flow, err = flowOf(q, link.Generate, a.model.Generate); err != nil {
		return nil, 0, err
	}
	s.seed, s.class = uint64(q.number("grid-seed")), q.integer("class")
	if err := a.readLike(s, q.text("like")); err != nil {
		return nil, 0, err
	}
	if q.given["seed"] {
		s.seed = uint64(q.number("seed"))
	}
	n = q.integer("n")
	if q.given["grid"] {
		n = q.integer("grid") * q.integer("grid")
	}
	return s, n, nil
}

// grow grows n digits from noise, or around one. It returns their images and D at
// each step, steps × n. The lock is held.
func (a *API) grow(s *scene, n int) (x, distance []float32, err error) {
	r, err := a.runner(s.class)
	if err != nil {
		return nil, nil, err
	}
	z := make([]float32, n*latent.Latent)
	s.starts(r, z)
	seq, err := r.Flow(z, s.flow)
	if err != nil {
		return nil, nil, err
	}
	for step := range seq {
		distance = append(distance, step.Distance...)
	}
	x = make([]float32, n*latent.Pixels)
	r.Decode(x, z)
	return x, distance, nil
}
