// Package metadata reads the JSON that the metadata of weights holds. It does so without
// encoding/json, which is a quarter of a program that needs no more of it than this.
package metadata

import (
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Members calls f with the name of each member of a JSON object, and its value as text.
// It returns an error if the text is no object, or the first of f.
func Members(text string, f func(name, value string) error) error {
	return each(text, '{', '}', "object", func(d *jsontext.Decoder) error {
		token, err := d.ReadToken()
		if err != nil {
			return err
		}
		name := token.String() // before the next is read
		value, err := d.ReadValue()
		if err != nil {
			return err
		}
		return f(name, string(value))
	})
}

// Items calls f with each item of a JSON array, as text. It returns an error if the text
// is no array, or the first of f.
func Items(text string, f func(value string) error) error {
	return each(text, '[', ']', "array", func(d *jsontext.Decoder) error {
		value, err := d.ReadValue()
		if err != nil {
			return err
		}
		return f(string(value))
	})
}

func each(text string, open, end jsontext.Kind, what string, next func(*jsontext.Decoder) error) error {
	d := jsontext.NewDecoder(strings.NewReader(text))
	if d.PeekKind() != open {
		return fmt.Errorf("it is no JSON %s", what)
	}
	_, _ = d.ReadToken() // the one that was seen
	for d.PeekKind() != end {
		if err := next(d); err != nil {
			return err
		}
	}
	_, _ = d.ReadToken() // the one that was seen
	if _, err := d.ReadToken(); err != io.EOF {
		return fmt.Errorf("something follows the %s", what)
	}
	return nil
}

// Numbers reads a JSON object into the fields that are named: *float32, *float64, *int
// or *uint64. Members of other names are left out, and fields that have none stay.
func Numbers(text string, fields map[string]any) error {
	return Members(text, func(name, value string) (err error) {
		switch at := fields[name].(type) {
		case *float32:
			var v float64
			v, err = strconv.ParseFloat(value, 32)
			*at = float32(v)
		case *float64:
			*at, err = strconv.ParseFloat(value, 64)
		case *int:
			*at, err = strconv.Atoi(value)
		case *uint64:
			*at, err = strconv.ParseUint(value, 10, 64)
		}
		if err != nil {
			if e, ok := errors.AsType[*strconv.NumError](err); ok {
				err = e.Err
			}
			return fmt.Errorf("%s is %s; it must be a number: %w", name, value, err)
		}
		return nil
	})
}
