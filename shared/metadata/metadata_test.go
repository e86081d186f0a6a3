package metadata

import (
	"encoding/json"
	"strings"
	"testing"
)

type values struct {
	A float32 `json:"a"`
	B float64 `json:"b"`
	C int     `json:"c"`
	D uint64  `json:"d"`
}

func (v *values) fields() map[string]any {
	return map[string]any{"a": &v.A, "b": &v.B, "c": &v.C, "d": &v.D}
}

// TestNumbers: what is read is what encoding/json reads.
func TestNumbers(t *testing.T) {
	for _, text := range []string{
		`{}`, `{"a":0.1,"b":0.1,"c":-7,"d":18446744073709551615}`, ` { "b" : 1e-3 , "x" : {"a":[1,2]} , "c":5 } `,
		`{"a":16777217,"b":16777217}`,
	} {
		got, want := values{A: 3}, values{A: 3}
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		if err := Numbers(text, got.fields()); err != nil || got != want {
			t.Errorf("%s is read as %+v, %v; want %+v", text, got, err, want)
		}
	}
}

func TestRefuses(t *testing.T) {
	for text, want := range map[string]string{
		``: "no JSON object", `[]`: "no JSON object", `{"a":1`: "EOF", `{"a":"x"}`: "a is", `{"c":1.5}`: "c is 1.5", `{"d":-1}`: "d is -1",
		`{"a":1} {}`: "follows", `{"a":1e999}`: "range", `{"a":1,}`: "invalid", `{"a":null}`: "a is null",
	} {
		if err := Numbers(text, new(values).fields()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if Items(`{}`, func(string) error { return nil }) == nil || Items(`[1,2`, func(string) error { return nil }) == nil {
		t.Error("what is no array is taken for one")
	}
}

func TestItems(t *testing.T) {
	var got []string
	if err := Items(`[1, {"a": 2}, []]`, func(v string) error { got = append(got, v); return nil }); err != nil {
		t.Fatal(err)
	}
	if s := strings.Join(got, "|"); s != `1|{"a": 2}|[]` {
		t.Errorf("the items are %s", s)
	}
}
