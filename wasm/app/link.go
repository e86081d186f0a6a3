package app

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"mppm/shared/classifier"
	"mppm/shared/degrade"
	"mppm/shared/model"
	"mppm/shared/stroke"
)

// maxLink bounds the links that are read, in bytes.
const maxLink = 1 << 18

// Link returns what is on the screen as the fragment of an address, without its
// "#": keys and values, of letters, digits, ".", "-" and "_" alone. What is as
// on the first screen is left out. Open is its inverse.
func (a *App) Link() string {
	var parts []string
	add := func(key, value string) { parts = append(parts, key+"="+value) }
	number := func(key string, v, first float64) {
		if v != first {
			add(key, strconv.FormatFloat(v, 'f', -1, 64))
		}
	}
	s, f := &a.State, &a.first
	if s.Mode != f.Mode {
		add("mode", string(s.Mode))
	}
	if s.Source == Drawing {
		add("drawing", stroke.Encode(a.pad.Strokes()))
	}
	if s.Source == Picture {
		add("picture", s.Picture)
	}
	number("digit", float64(s.Digit), float64(f.Digit))
	if s.Kind != f.Kind {
		add("damage", string(s.Kind))
	}
	number("severity", s.Severity, Find(s.Kind).Mild)
	number("seed", float64(s.Seed), float64(f.Seed))
	number("brush", s.Brush, f.Brush)
	number("grid-seed", float64(s.GenerateSeed), float64(f.GenerateSeed))
	number("grid", float64(s.Grid), float64(f.Grid))
	number("class", float64(s.Class), float64(f.Class))
	if s.Like != "" {
		add("like", s.Like)
	}
	number("selected", float64(s.Selected), float64(f.Selected))
	number("walk-to", float64(s.WalkTo), float64(f.WalkTo))
	if s.Walk {
		add("walk", "on")
	}
	if s.Follow != f.Follow {
		add("follow", string(s.Follow))
	}
	if s.Spot != "" {
		add("spot", s.Spot)
	}
	number("map-x", s.View.X, f.View.X)
	number("map-y", s.View.Y, f.View.Y)
	number("map-zoom", s.View.Zoom, f.View.Zoom)
	if !s.Heat {
		add("heat", "off")
	}
	for _, m := range []Mode{Restore, Generate} {
		for _, d := range Dials() {
			number(string(m)+"-"+string(d.Parameter), Value(*s.flow(m), d.Parameter), Value(*f.flow(m), d.Parameter))
		}
	}
	a.linkFigure(add, number)
	if h := a.Head(); h.Step() != h.End() && !h.Playing() {
		add("step", strconv.Itoa(h.Step()))
	}
	return strings.Join(parts, "&")
}

// farthestLens bounds where a link's map may look, in the units of the codes.
const farthestLens = 1000

// maxSeed is the highest seed of a link.
const maxSeed = 1<<32 - 1

// Open shows what a link says, given without its "#"; an empty one is the first
// screen. A link that is not as Link makes them changes nothing, and the error
// says what is wrong with it.
func (a *App) Open(link string) error {
	s := a.first
	strokes, step := [][]Point(nil), -1
	if len(link) > maxLink {
		return fmt.Errorf("it has %d characters; links have %d at most", len(link), maxLink)
	}
	values := map[string]string{}
	for _, part := range strings.FieldsFunc(link, func(r rune) bool { return r == '&' }) {
		key, value, ok := strings.Cut(part, "=")
		if _, twice := values[key]; !ok || twice {
			return fmt.Errorf("%s is not understood", quote(part))
		}
		values[key] = value
	}
	var bad error
	take := func(key string, set func(value string) error) {
		value, ok := values[key]
		delete(values, key)
		if ok && bad == nil {
			if err := set(value); err != nil {
				bad = fmt.Errorf("%s=%s: %w", key, quote(value), err)
			}
		}
	}
	number := func(key string, lo, hi float64, set func(v float64)) {
		take(key, func(value string) error {
			v, err := strconv.ParseFloat(value, 64)
			if err != nil {
				return errors.New("this is not a number")
			}
			if !(v >= lo && v <= hi) {
				return fmt.Errorf("out of range: %v to %v", lo, hi)
			}
			set(v)
			return nil
		})
	}
	whole := func(key string, lo, hi float64, set func(v int)) {
		number(key, lo, hi, func(v float64) {
			if v != math.Trunc(v) && bad == nil {
				bad = fmt.Errorf("%s=%v is not a whole number", key, v)
			}
			set(int(v))
		})
	}
	take("mode", func(value string) error {
		if s.Mode = Mode(value); !s.Mode.known() {
			return errors.New("there is no such mode")
		}
		return nil
	})
	take("drawing", func(value string) (err error) {
		s.Source = Drawing
		strokes, err = stroke.Decode(value)
		return err
	})
	var brought [model.Pixels]byte
	take("picture", func(value string) (err error) {
		if s.Source == Drawing {
			return errors.New("there is a drawing too")
		}
		s.Source, s.Picture = Picture, value
		brought, err = unpackPicture(value)
		return err
	})
	whole("digit", 0, float64(a.digits.Len()-1), func(v int) { s.Digit = v })
	take("damage", func(value string) error {
		if s.Kind = degrade.Kind(value); !known(s.Kind) {
			return errors.New("there is no such damage")
		}
		return nil
	})
	info := Find(s.Kind)
	s.Severity = info.Mild
	number("severity", info.Min, info.Max, func(v float64) { s.Severity = v })
	whole("seed", 0, maxSeed, func(v int) { s.Seed = uint64(v) })
	number("brush", MinBrush, MaxBrush, func(v float64) { s.Brush = v })
	whole("grid-seed", 0, maxSeed, func(v int) { s.GenerateSeed = uint64(v) })
	whole("grid", MinGrid, MaxGrid, func(v int) { s.Grid = v })
	whole("class", Any, classifier.Classes-1, func(v int) { s.Class = v })
	code := func(key string, set func(value string)) {
		take(key, func(value string) error {
			_, err := unpackCode(value)
			set(value)
			return err
		})
	}
	code("like", func(value string) { s.Like = value })
	code("spot", func(value string) { s.Spot = value })
	take("follow", func(value string) error {
		s.Follow = Subject(value)
		if s.Follow != Restoration && s.Follow != Growth && s.Follow != Spot {
			return errors.New("the map shows no such path")
		}
		if s.Follow == Spot && s.Spot == "" {
			return errors.New("there is no code to follow")
		}
		return nil
	})
	number("map-zoom", 1, MaxZoom, func(v float64) { s.View.Zoom = v })
	number("map-x", -farthestLens, farthestLens, func(v float64) { s.View.X = v })
	number("map-y", -farthestLens, farthestLens, func(v float64) { s.View.Y = v })
	take("heat", func(value string) error {
		if s.Heat = value != "off"; s.Heat {
			return errors.New("give off, or leave it out")
		}
		return nil
	})
	whole("walk-to", 0, float64(s.Grid*s.Grid-1), func(v int) { s.WalkTo = v })
	take("walk", func(value string) error {
		if s.Walk = value == "on"; !s.Walk {
			return errors.New("give on, or leave it out")
		}
		return nil
	})
	whole("selected", 0, float64(s.Grid*s.Grid-1), func(v int) { s.Selected = v })
	for m, p := range map[Mode]*model.Preset{Restore: &s.RestoreFlow, Generate: &s.GenerateFlow} {
		// Both at once, since each bounds the other.
		given := *p
		for _, d := range Dials() {
			number(string(m)+"-"+string(d.Parameter), d.Min, d.Max, func(v float64) { given = put(given, d, v) })
		}
		if Value(given, Alpha)+Value(given, Beta) > highestSum+1e-6 && bad == nil && given != *p {
			bad = fmt.Errorf("α + β is %.2f; it must stay below 1", Value(given, Alpha)+Value(given, Beta))
		}
		*p = given
	}
	s.Figure.open(take, number, whole, func(err error) {
		if bad == nil {
			bad = err
		}
	})
	whole("step", 0, Dials()[len(Dials())-1].Max, func(v int) { step = v })
	for key := range values {
		if bad == nil {
			bad = fmt.Errorf("%s is not understood", quote(key))
		}
	}
	if bad != nil {
		return bad
	}
	if s.Class != Any {
		if _, err := a.engine.Only(s.Class); err != nil {
			return err
		}
	}
	a.State, a.brought = s, brought
	a.staleSpot, a.playSpot, a.staleWalk, a.held = s.Spot != "", step < 0, true, nil
	a.staleWays, a.playWays, a.grabbed = true, step < 0, false
	a.pad = Pad{}
	a.pad.show(strokes)
	a.settle, a.opened = 0, step
	a.regrow()
	a.recompute(step < 0)
	a.playFlow = step < 0
	return nil
}

// quote shows a part of a link, and not too much of it.
func quote(s string) string {
	if len(s) > 24 {
		s = s[:24] + "…"
	}
	return strconv.Quote(strings.ToValidUTF8(s, "?"))
}
