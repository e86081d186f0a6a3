// Package palette has the colors of the page, and mixes them.
package palette

import (
	"fmt"
	"image/color"
	"strconv"
	"strings"

	"mppm/shared/link"
	"mppm/wasm/app/timeline"
)

// Palette holds the colors of a theme. The page's style sheet is where they are
// set, so that what is drawn and what is HTML agree.
type Palette struct {
	Ground, Ink                 color.RGBA // of digits, from no ink to full ink
	Line, Muted, Accent, Raised color.RGBA
	Cool                        []color.RGBA // the scale of D, from near to far
	Classes                     []color.RGBA // of the digits 0 to 9
	DAE, DDPM                   color.RGBA   // of these methods; MPPM's is the accent
	Own                         color.RGBA   // of codes that are remembered
}

// Read makes a palette of the style sheet's values, by the names of its properties.
func Read(value func(name string) string) (p Palette, err error) {
	one := func(c *color.RGBA) func(string) error {
		return func(s string) (err error) { *c, err = ParseColor(s); return err }
	}
	many := func(c *[]color.RGBA) func(string) error {
		return func(s string) (err error) { *c, err = ParseColors(s); return err }
	}
	for _, t := range []struct {
		name string
		set  func(string) error
	}{
		{"--ground", one(&p.Ground)}, {"--ink", one(&p.Ink)}, {"--line", one(&p.Line)},
		{"--muted", one(&p.Muted)}, {"--accent", one(&p.Accent)}, {"--raise", one(&p.Raised)},
		{"--dae", one(&p.DAE)}, {"--ddpm", one(&p.DDPM)}, {"--own", one(&p.Own)},
		{"--classes", many(&p.Classes)}, {"--cool", many(&p.Cool)},
	} {
		if err := t.set(value(t.name)); err != nil {
			return p, fmt.Errorf("style sheet: %s: %w", t.name, err)
		}
	}
	return p, nil
}

// ParseColor reads #rrggbb.
func ParseColor(s string) (color.RGBA, error) {
	s = strings.TrimSpace(s)
	v, err := strconv.ParseUint(strings.TrimPrefix(s, "#"), 16, 32)
	if err != nil || len(s) != 7 || s[0] != '#' {
		return color.RGBA{}, fmt.Errorf("%q is not a color of the form #rrggbb", s)
	}
	return color.RGBA{R: byte(v >> 16), G: byte(v >> 8), B: byte(v), A: 255}, nil
}

// ParseColors reads colors with commas between them.
func ParseColors(s string) ([]color.RGBA, error) {
	var out []color.RGBA
	for _, item := range strings.Split(s, ",") {
		c, err := ParseColor(item)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// Blend returns the color at t in [0, 1] on the way from a to b.
func Blend(a, b color.RGBA, t float64) color.RGBA {
	mix := func(x, y byte) byte { return byte(float64(x) + (float64(y)-float64(x))*t + 0.5) }
	return color.RGBA{R: mix(a.R, b.R), G: mix(a.G, b.G), B: mix(a.B, b.B), A: mix(a.A, b.A)}
}

// Fade returns the color with a share of its strength, premultiplied.
func Fade(c color.RGBA, alpha float64) color.RGBA {
	f := func(x byte) byte { return byte(float64(x)*alpha + 0.5) }
	return color.RGBA{R: f(c.R), G: f(c.G), B: f(c.B), A: f(c.A)}
}

// Scale returns the cool color of t in [0, 1], clamped.
func (p *Palette) Scale(t float64) color.RGBA {
	n := len(p.Cool)
	if n == 0 {
		return p.Muted
	}
	k, blend := timeline.Between(t*float64(n-1), n-1)
	if blend == 0 {
		return p.Cool[k]
	}
	return Blend(p.Cool[k], p.Cool[k+1], blend)
}

// Class returns the color of a class. Where there are more classes than colors, some
// share one.
func (p *Palette) Class(class int) color.RGBA {
	if class < 0 || len(p.Classes) == 0 {
		return p.Muted
	}
	return p.Classes[class%len(p.Classes)]
}

// Method returns the color of a method of Manifold.
func (p *Palette) Method(m link.Method) color.RGBA {
	switch m {
	case link.DAE:
		return p.DAE
	case link.DDPM:
		return p.DDPM
	}
	return p.Accent
}

// Ramp returns the color of each byte of ink, as RGBA.
func (p *Palette) Ramp() (ramp [256][4]byte) {
	for i := range ramp {
		c := Blend(p.Ground, p.Ink, float64(i)/255)
		ramp[i] = [4]byte{c.R, c.G, c.B, 255}
	}
	return ramp
}
