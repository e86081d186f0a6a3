package session

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"mppm/shared/latent"
	"mppm/shared/link"
	"mppm/shared/rng"
)

// MaxFlows bounds the flows that are under way at the same time: whoever leaves them
// before their end has to say so.
const MaxFlows = 256

// Start says where a flow begins: one of Images, Codes and N is given.
type Start struct {
	Images []float32 // to be restored
	Codes  []float32 // where they are
	N      int       // so many starts of generation, from the seed's first stream of random numbers
	Seed   uint64
	Class  *int // of generation, and codes: only to codes of that class; nil: of any
}

// Settings are the parameters of a flow by their names in link, without those that stay
// as they are in the flow of that name, Preset: "" is the model's own of restoration, or
// where N starts are asked for, of generation.
type Settings struct {
	Preset  string
	Numbers map[string]float64
}

// Step is where a flow is.
type Step struct {
	Index    int
	Codes    []float32 // n × d
	Distance []float32 // D of each
	Active   int       // how many have not arrived
}

// flow is one under way.
type flow struct {
	at    int // the index of the step it is at, -1 before the first
	next  func() (Step, bool)
	stop  func()
	image func() []float32 // of the step it is at
}

// Begin begins a flow and returns its number.
func (s *Session) Begin(from Start, set Settings) (int, error) {
	if len(s.flows) >= MaxFlows {
		return 0, failf(Range, "%d flows are under way: go through one to its end, or leave it, before another begins", MaxFlows)
	}
	given := 0
	for _, is := range []bool{from.Images != nil, from.Codes != nil, from.N != 0} {
		if is {
			given++
		}
	}
	if given != 1 {
		return 0, failf(Range, "a flow starts from images, from codes or from so many places of a seed: give one of images, codes and n")
	}
	p, err := s.preset(from, set)
	if err != nil {
		return 0, err
	}
	f := &flow{at: -1}
	if from.Images != nil {
		err = s.restore(f, from, p)
	} else {
		err = s.descend(f, from, p)
	}
	if err != nil {
		return 0, err
	}
	s.next++
	s.flows[s.next] = f
	return s.next, nil
}

// preset returns the parameters that settings say.
func (s *Session) preset(from Start, set Settings) (latent.Preset, error) {
	name := set.Preset
	if name == "" {
		name = "restore"
		if from.N != 0 {
			name = "generate"
		}
	}
	p, ok := s.model.Presets[name]
	if !ok {
		return p, failf(Range, "the model has no flow %q; it has %s", name, strings.Join(slices.Sorted(maps.Keys(s.model.Presets)), ", "))
	}
	flags := link.Flags()
	for _, key := range slices.Sorted(maps.Keys(set.Numbers)) {
		v := set.Numbers[key]
		i := slices.IndexFunc(flags, func(d link.Dial) bool { return string(d.Parameter) == key })
		if i < 0 {
			return p, failf(Range, "a flow has no parameter %q; it has %s", key, strings.Join(parameters(flags), ", "))
		}
		d := flags[i]
		if !(v >= d.Least && v <= d.Most) {
			return p, failf(Range, "%s is %v; it must be a number from %v to %v", d.Parameter, v, d.Least, d.Most)
		}
		if whole := d.Parameter == link.Steps || d.Parameter == link.Rounds; whole && v != float64(int(v)) {
			return p, failf(Range, "%s is %v; it must be a whole number", d.Parameter, v)
		}
		p = link.With(p, d.Parameter, v)
	}
	p = p.Widened()
	return p, coded(Range, p.Validate())
}

func parameters(dials []link.Dial) []string {
	var names []string
	for _, d := range dials {
		names = append(names, string(d.Parameter))
	}
	return names
}

// restore begins a flow of images.
func (s *Session) restore(f *flow, from Start, p latent.Preset) error {
	if from.Class != nil {
		return failf(Range, "images are restored to what they are near to, whatever its class: give a class with codes, or with n")
	}
	if err := s.images(from.Images); err != nil {
		return err
	}
	frames, err := s.all.Restoration(from.Images, p)
	if err != nil {
		return coded(Range, err)
	}
	next, stop := iter.Pull(frames)
	f.stop = stop
	f.next = func() (Step, bool) {
		frame, ok := next()
		if !ok {
			return Step{}, false
		}
		f.image = func() []float32 { return slices.Clone(frame.Image()) }
		return Step{frame.Index, frame.X, frame.Distance, frame.Active}, true
	}
	return nil
}

// descend begins a flow of codes.
func (s *Session) descend(f *flow, from Start, p latent.Preset) error {
	r := s.all
	if from.Class != nil {
		var err error
		if r, err = s.only(*from.Class); err != nil {
			return err
		}
	}
	z := slices.Clone(from.Codes)
	if from.Codes != nil {
		if err := s.codes(z); err != nil {
			return err
		}
	} else {
		if from.N < 0 {
			return failf(Range, "n is %d; it must be 1 or more", from.N)
		}
		if err := s.room(from.N); err != nil {
			return err
		}
		z = make([]float32, from.N*s.Latent())
		r.Noise(z, p, rng.New(from.Seed, 0))
	}
	steps, err := r.Flow(z, p)
	if err != nil {
		return coded(Range, err)
	}
	next, stop := iter.Pull(steps)
	f.stop = stop
	f.next = func() (Step, bool) {
		step, ok := next()
		return Step{step.Index, step.X, step.Distance, step.Active}, ok
	}
	f.image = func() []float32 {
		x := make([]float32, len(z)/s.Latent()*s.model.Pixels())
		r.Decode(x, z)
		return x
	}
	return nil
}

// Step takes a flow a step on, the first time to its start. It reports whether there was
// one. After the last it stays there until it is left.
func (s *Session) Step(number int) (Step, bool, error) {
	f, err := s.under(number)
	if err != nil {
		return Step{}, false, err
	}
	step, ok := f.next()
	if !ok {
		return Step{}, false, nil
	}
	f.at = step.Index
	step.Codes, step.Distance = slices.Clone(step.Codes), slices.Clone(step.Distance)
	return step, true, nil
}

// Images returns the images of a flow's step (n × pixels), which is the one it is at.
func (s *Session) Images(number, index int) ([]float32, error) {
	f, err := s.under(number)
	if err != nil {
		return nil, err
	}
	if f.at < 0 || index != f.at {
		return nil, late(fmt.Sprintf("the flow is at step %d, and has no images of step %d any more", max(f.at, 0), index))
	}
	return f.image(), nil
}

// End leaves a flow: its number then means nothing any more.
func (s *Session) End(number int) {
	if f := s.flows[number]; f != nil {
		f.stop()
		delete(s.flows, number)
	}
}

func (s *Session) under(number int) (*flow, error) {
	f := s.flows[number]
	if f == nil {
		return nil, late("the flow has been left")
	}
	return f, nil
}

func late(what string) error {
	return failf(Late, "%s: ask for a step's images before the next step, or decode its codes", what)
}
