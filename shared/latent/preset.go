package latent

import (
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// parsePreset reads a flow as files have it: a JSON object of numbers. Members of
// other names are left out. It is written by hand because encoding/json, which
// nothing else needs at the edge, is a tenth of a program.
func parsePreset(text string) (Preset, error) {
	var p Preset
	numbers := map[string]*float32{
		"alpha": &p.Alpha, "beta": &p.Beta, "sigma": &p.Sigma, "start": &p.Start,
		"tau": &p.Tau, "tolerance": &p.Tolerance, "noise": &p.Noise, "trust": &p.Trust,
		"local": &p.Local, "keep": &p.Keep,
	}
	counts := map[string]*int{"steps": &p.Steps, "rounds": &p.Rounds}
	d := jsontext.NewDecoder(strings.NewReader(text))
	if d.PeekKind() != '{' {
		return p, errors.New("it is no JSON object")
	}
	_, _ = d.ReadToken() // the one that was seen
	for d.PeekKind() != '}' {
		token, err := d.ReadToken()
		if err != nil {
			return p, err
		}
		name := token.String()
		value, err := d.ReadValue()
		if err != nil {
			return p, err
		}
		if at := numbers[name]; at != nil {
			var v float64
			v, err = strconv.ParseFloat(string(value), 32)
			*at = float32(v)
		} else if at := counts[name]; at != nil {
			*at, err = strconv.Atoi(string(value))
		}
		if err != nil {
			return p, fmt.Errorf("%s is %s; it must be a number", name, value)
		}
	}
	_, _ = d.ReadToken() // the one that was seen
	if _, err := d.ReadToken(); err != io.EOF {
		return p, errors.New("something follows the object")
	}
	return p, nil
}
