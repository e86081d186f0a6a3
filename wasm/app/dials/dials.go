// Package dials is the sliders of a flow: what each ranges over is package
// link's, what holds between them is here.
package dials

import (
	"fmt"
	"slices"

	"mppm/shared/ambient"
	"mppm/shared/latent"
	"mppm/shared/link"
)

// Dials are the sliders of one flow; a *Flow is that.
type Dials interface {
	// List describes them, in the order in which they are shown.
	List() []link.Dial
	// Value returns a parameter as it is written, and its default. Both are 0 for
	// what the flow does not have.
	Value(name link.Parameter) (v, standard float64)
	// Set sets a parameter, on its dial's steps. Where α + β would reach 1, it stops
	// short of that and the error says where; after any other error it is as it was.
	Set(name link.Parameter, v float64) error
	// SetForce switches a force off, as in the ablations of Table 1, or on again.
	SetForce(name link.Parameter, on bool) error
	// Reset sets all parameters to their defaults.
	Reset()
	// Words says in a sentence what the parameters are.
	Words() string
}

// Flow is the sliders of a flow with parameters of type P.
type Flow[P link.Flow] struct {
	now      *P // what is chosen
	standard P
	list     []link.Dial
	changed  func()
	off      map[link.Parameter]float64 // what forces were before they were switched off

	words func(P) string
}

// Latent returns the sliders of a flow of codes (Alg. 4) that set *now, whose
// defaults are the model's own flow. changed is called after every change.
func Latent(now *latent.Preset, standard latent.Preset, changed func()) *Flow[latent.Preset] {
	return &Flow[latent.Preset]{
		now: now, standard: standard, list: link.Dials(), changed: changed,
		words: func(p latent.Preset) string {
			text := fmt.Sprintf("α = %v, β = %v, σ = %v", p.Alpha, p.Beta, p.Sigma)
			if p.Tau > 0 {
				text += fmt.Sprintf(", τ = %v", p.Tau)
			}
			return text + fmt.Sprintf(", at most %d steps; σ and τ in multiples of the codes' spacing.", p.Steps)
		},
	}
}

// Faces returns the sliders of a restoration of faces (App. B.3), likewise: those that say
// something of a model with skips, or not, and with a distance at each pixel, or not.
func Faces(now *latent.Preset, standard latent.Preset, skips, local bool, changed func()) *Flow[latent.Preset] {
	f := Latent(now, standard, changed)
	f.list = slices.DeleteFunc(link.FaceDials(), func(d link.Dial) bool {
		switch d.Parameter {
		case link.Trust:
			return !skips
		case link.Local, link.Keep:
			return !local
		}
		return false
	})
	return f
}

// Ambient returns the sliders of a flow of points (Alg. 1), likewise.
func Ambient(now *ambient.Preset, standard ambient.Preset, changed func()) *Flow[ambient.Preset] {
	return &Flow[ambient.Preset]{
		now: now, standard: standard, list: link.FigureDials(), changed: changed,
		words: func(p ambient.Preset) string {
			return fmt.Sprintf("α = %v, β = %v, σ_d = %v, σ_ker = %v, %d steps, %d samples at each of the points; σ_d is a length, σ_ker in multiples of the codes' standard deviation.", p.Alpha, p.Beta, p.SigmaD, p.SigmaKer, p.Steps, p.Samples)
		},
	}
}

// List describes the sliders, in the order in which they are shown.
func (f *Flow[P]) List() []link.Dial { return f.list }

// Value returns a parameter as it is written, 0.6 and not the nearest float32, and
// its default.
func (f *Flow[P]) Value(name link.Parameter) (v, standard float64) {
	return link.Value(*f.now, name), link.Value(f.standard, name)
}

// Set sets a parameter, on its dial's steps.
func (f *Flow[P]) Set(name link.Parameter, v float64) error {
	p, err := link.Turn(*f.now, name, v)
	f.put(p)
	return err
}

func (f *Flow[P]) put(p P) {
	if p != *f.now {
		*f.now = p
		f.changed()
	}
}

// Reset sets all parameters to their defaults.
func (f *Flow[P]) Reset() { f.put(f.standard) }

// Words says in a sentence what the parameters are.
func (f *Flow[P]) Words() string { return f.words(*f.now) }

// Force is one of the two parts of the flow's step (Eq. 15), which an ablation
// leaves out.
type Force struct {
	Parameter link.Parameter // that is 0 where the force is left out
	Name      string
}

// Forces lists them.
func Forces() []Force {
	return []Force{{link.Alpha, "distance"}, {link.Beta, "density"}}
}

// SetForce switches a force off, as in the ablations of Table 1, or on again:
// with the parameter that it had, or else with its default, or else with a part
// of what is left below α + β = 1.
func (f *Flow[P]) SetForce(name link.Parameter, on bool) error {
	if name != link.Alpha && name != link.Beta {
		return fmt.Errorf("%q is no force that can be switched off", name)
	}
	v, standard := f.Value(name)
	switch {
	case on == (v > 0):
		return nil
	case !on:
		if f.off == nil {
			f.off = map[link.Parameter]float64{}
		}
		f.off[name] = v
		return f.Set(name, 0)
	}
	alpha, _ := f.Value(link.Alpha)
	beta, _ := f.Value(link.Beta)
	was, ok := f.off[name]
	if !ok {
		was = standard
	}
	if was == 0 {
		was = 0.2
	}
	return f.Set(name, min(was, link.MaxSum-(alpha+beta-v)))
}
