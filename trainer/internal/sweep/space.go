package sweep

import (
	"math"
	"slices"

	"mppm/shared/latent"
	"mppm/shared/rng"
)

// span is one parameter of a flow and the values it may have, laid out on [0, 1]:
// a first part of it stands for 0, the rest for lo to hi.
type span struct {
	of     func(p *latent.Preset) *float32 // nil: the steps
	lo, hi float64
	log    bool
	zero   float64 // length of the part that stands for 0
	digits float64 // values are whole multiples of 1/digits: short to write, and few
}

// room is left between α+β and 1.
const room = 0.02

// spans returns the box of a task.
func spans(t Task) []span {
	s := []span{
		{of: func(p *latent.Preset) *float32 { return &p.Alpha }, lo: 0.05, hi: 0.9, digits: 100},
		{of: func(p *latent.Preset) *float32 { return &p.Beta }, lo: 0.02, hi: 0.6, zero: 0.1, digits: 100},
		{of: func(p *latent.Preset) *float32 { return &p.Sigma }, lo: 0.1, hi: 1.2, log: true, digits: 100},
		{of: func(p *latent.Preset) *float32 { return &p.Start }, lo: 0.3, hi: 4, log: true, zero: 1. / 3, digits: 100},
		{of: func(p *latent.Preset) *float32 { return &p.Tau }, lo: 0.1, hi: 8, log: true, zero: 1. / 3, digits: 100},
		{lo: 3, hi: 30, log: true, digits: 1},
	}
	if t == Generate {
		// Starts are to be farther from digits than any damage takes a code.
		s = append(s, span{of: func(p *latent.Preset) *float32 { return &p.Noise }, lo: 1.6, hi: 2.4, log: true, digits: 100})
	}
	return s
}

func (s *span) get(p *latent.Preset) float64 {
	if s.of == nil {
		return float64(p.Steps)
	}
	return float64(*s.of(p))
}

// set gives p the value at u.
func (s *span) set(p *latent.Preset, u float64) {
	v := 0.
	if u >= s.zero {
		u = min((u-s.zero)/(1-s.zero), 1)
		if s.log {
			v = s.lo * math.Pow(s.hi/s.lo, u)
		} else {
			v = s.lo + (s.hi-s.lo)*u
		}
		v = math.Round(v*s.digits) / s.digits
	}
	if s.of == nil {
		p.Steps = int(v)
		return
	}
	*s.of(p) = float32(v)
}

// at returns where p's value lies, or the nearest value that the span has.
func (s *span) at(p *latent.Preset) float64 {
	v := s.get(p)
	if v == 0 && s.zero > 0 {
		return s.zero / 2
	}
	v = min(max(v, s.lo), s.hi)
	u := (v - s.lo) / (s.hi - s.lo)
	if s.log {
		u = math.Log(v/s.lo) / math.Log(s.hi/s.lo)
	}
	return s.zero + (1-s.zero)*u
}

// lawful lowers β until α+β leaves room below 1, and has no kernel grow.
func lawful(p latent.Preset) latent.Preset {
	if most := math.Floor((1-room-float64(p.Alpha))*100+1e-6) / 100; float64(p.Beta) > most {
		p.Beta = float32(max(most, 0))
	}
	if p.Start < p.Sigma {
		p.Start = 0
	}
	return p
}

// sample draws n flows of a task: a Latin hypercube, which has each n-th part of
// each parameter's range once (McKay, Beckman and Conover 1979).
func sample(t Task, n int, r *rng.Source) []latent.Preset {
	all := make([]latent.Preset, n)
	for _, s := range spans(t) {
		for i, k := range r.Perm(n) {
			s.set(&all[i], (float64(k)+r.Float64())/float64(n))
		}
	}
	for i, p := range all {
		all[i] = lawful(p)
	}
	return all
}

// neighbors returns the flows that differ from p in one parameter by a step of h
// along its span, up and down.
func neighbors(t Task, p latent.Preset, h float64) []latent.Preset {
	var all []latent.Preset
	for _, s := range spans(t) {
		u := s.at(&p)
		up, down := u+h, u-h
		if u < s.zero {
			up = max(up, s.zero) // the least value but 0
		}
		for _, v := range []float64{up, down} {
			q := p
			s.set(&q, min(max(v, 0), 1))
			if q.Start > 0 && q.Start < q.Sigma { // a step too far
				continue
			}
			if q = lawful(q); q != p && !slices.Contains(all, q) {
				all = append(all, q)
			}
		}
	}
	return all
}
