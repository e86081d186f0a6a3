package api

import (
	"math"
	"net/http"
	"slices"

	"mppm/shared/link"
	"mppm/shared/rng"
)

func generateParams(p *link.Page) []param {
	list := saying(p, "grid-seed", "grid-seed", "grid", "grid", "class", "like")
	seed, n, grid := &list[0], &list[2], &list[3]
	seed.Name, seed.First, seed.About = "seed", "", "The seed of the noise: a short name of grid-seed"
	n.Name, n.Max, n.First, n.About, n.says = "n", MaxImages, "9", "How many digits", ""
	grid.First, grid.About = "", "Digits along an edge of the page's grid: so many times so many of them, in place of n"
	return slices.Concat(list, []param{scale("4")}, flowParams(p, link.Generate), memoryParams(p), []param{modelParam, version})
}

// generate is GET /api/generate. Image i depends on i and on what the page's
// address says of its grid, and is image i of it: the seed, the class, the code
// that digits grow around, the flow.
func (a *API) generate(r *request) (*response, error) {
	if c, err := a.colorsOf(r); c != nil || err != nil {
		if err != nil {
			return nil, err
		}
		return c.generate(a, r)
	}
	as, err := accepted(r.Header["Accept"], pngType, jsonType)
	if err != nil {
		return nil, err
	}
	l := a.first(link.Generate)
	n, err := a.readGrid(l, r)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	x, distance, err := a.grow(l, n)
	if err != nil {
		return nil, err
	}
	var out *response
	if as == pngType {
		columns := int(math.Ceil(math.Sqrt(float64(n))))
		if out, err = a.png.gray(a.sheet(x, columns, r.integer("scale"))); err != nil {
			return nil, err
		}
	} else {
		var class any
		if l.Class != link.Any {
			class = l.Class
		}
		var images []object
		for i, reads := range a.read(x) {
			var d []float32
			for k := i; k < len(distance); k += n {
				d = append(d, distance[k])
			}
			images = append(images, object{{"reads", reads.object()}, {"distance", d}, {"pixels", pixels(a.nth(x, i))}})
		}
		out = jsonResponse(object{
			{"model", a.fingerprint}, {"seed", l.GenerateSeed}, {"class", class}, {"flow", flowObject(l.GenerateFlow.Widened())},
			{"width", a.image.W}, {"height", a.image.H}, {"images", images},
		})
	}
	out.cache, out.vary = caching(r, a.fingerprint), true
	return out, nil
}

// readGrid has l say which digits are asked for, and returns how many: by the names of
// the page's address, or by short ones.
func (a *API) readGrid(l *link.Link, r *request) (n int, err error) {
	for _, names := range [][2]string{{"seed", "grid-seed"}, {"n", "grid"}} {
		if r.given[names[0]] && r.given[names[1]] {
			return 0, problemf(http.StatusBadRequest, "%s and %s are both given, and say the same; give one", names[0], names[1])
		}
	}
	if err := a.say(l, r); err != nil {
		return 0, err
	}
	n = r.integer("n")
	if r.given["grid"] {
		n = l.Grid * l.Grid
	}
	return n, nil
}

// grow grows the first n digits of a link's grid. It returns their images and D at
// each step, steps × n. The lock is held.
func (a *API) grow(l *link.Link, n int) (x, distance []float32, err error) {
	r, err := a.taught(l, l.Class)
	if err != nil {
		return nil, nil, err
	}
	z := make([]float32, n*a.model.Latent())
	if err := a.page.Starts(z, &l.State, func(z []float32, src *rng.Source) { r.Noise(z, r.Generate, src) }); err != nil {
		return nil, nil, err
	}
	seq, err := r.Flow(z, l.GenerateFlow.Widened())
	if err != nil {
		return nil, nil, err
	}
	for step := range seq {
		distance = append(distance, step.Distance...)
	}
	x = make([]float32, n*a.image.Size())
	r.Decode(x, z)
	return x, distance, nil
}
