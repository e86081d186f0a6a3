package api

import (
	"encoding/json/jsontext"
	"fmt"
	"math"
	"strconv"
	"strings"

	"mppm/shared/latent"
)

// Answers are written by hand: encoding/json would be a tenth of the program at
// the edge.

// object is a JSON object, with its members in order.
type object []member

type member struct {
	name  string
	value any // as appendJSON takes it
}

// and returns the object with one more member, unless the value is the zero one.
func (o object) and(name string, value float32) object {
	if value == 0 {
		return o
	}
	return append(o, member{name, value})
}

// appendJSON appends a value: nil, a bool, a number, a string, an object, a list of
// them, pixels, or JSON as it is. Any other is a bug of this package, which answers
// with a 500.
func appendJSON(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case uint64:
		return strconv.AppendUint(b, v, 10)
	case float32:
		return appendNumber(b, float64(v), 32)
	case float64:
		return appendNumber(b, v, 64)
	case string:
		b, _ = jsontext.AppendQuote(b, strings.ToValidUTF8(v, "\uFFFD"))
		return b
	case jsontext.Value:
		return append(b, v...)
	case object:
		b = append(b, '{')
		for i, m := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSON(append(appendJSON(b, m.name), ':'), m.value)
		}
		return append(b, '}')
	case []object:
		return appendList(b, v, func(b []byte, o object) []byte { return appendJSON(b, o) })
	case []string:
		return appendList(b, v, func(b []byte, s string) []byte { return appendJSON(b, s) })
	case []int:
		return appendList(b, v, func(b []byte, n int) []byte { return appendJSON(b, n) })
	case []float32:
		return appendList(b, v, func(b []byte, x float32) []byte { return appendNumber(b, float64(x), 32) })
	case pixels:
		return appendList(b, v, appendDecimal)
	}
	panic(fmt.Sprintf("there is no JSON for a %T", v))
}

func appendList[T any](b []byte, list []T, one func(b []byte, v T) []byte) []byte {
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = one(b, v)
	}
	return append(b, ']')
}

// appendNumber appends a number of so many bits as JavaScript writes it: the
// shortest decimal that is nearest to it, with an exponent where it is very small
// or large.
func appendNumber(b []byte, v float64, bits int) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		panic(fmt.Sprintf("there is no JSON for %v", v))
	}
	if size := math.Abs(v); size == 0 || size >= 1e-6 && size < 1e21 {
		return strconv.AppendFloat(b, v, 'f', -1, bits)
	}
	b = strconv.AppendFloat(b, v, 'e', -1, bits)
	if n := len(b); n >= 4 && b[n-4] == 'e' && b[n-3] == '-' && b[n-2] == '0' { // e-07
		b = append(b[:n-2], b[n-1])
	}
	return b
}

// pixels is images as JSON: numbers in [0, 1] with at most four decimals, finer
// than an image of 256 levels.
type pixels []float32

// appendDecimal appends v rounded to four decimals, as short as it can be.
func appendDecimal(b []byte, v float32) []byte {
	n := int64(math.Round(float64(v) * 1e4))
	if n < 0 {
		b, n = append(b, '-'), -n
	}
	b = strconv.AppendInt(b, n/1e4, 10)
	if n %= 1e4; n == 0 {
		return b
	}
	b = append(b, '.', '0'+byte(n/1000), '0'+byte(n/100%10), '0'+byte(n/10%10), '0'+byte(n%10))
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	return b
}

// flowObject returns a flow with the names that files have for it: those that are
// left out are 0.
func flowObject(p latent.Preset) object {
	o := object{{"alpha", p.Alpha}, {"beta", p.Beta}, {"sigma", p.Sigma}}.and("start", p.Start).and("tau", p.Tau)
	return append(o, member{"steps", p.Steps}).and("rounds", float32(p.Rounds)).and("trust", p.Trust).and("local", p.Local).and("keep", p.Keep).and("tolerance", p.Tolerance).and("noise", p.Noise)
}

func jsonResponse(o object) *response {
	return &response{contentType: jsonType, body: append(appendJSON(nil, o), '\n')}
}
