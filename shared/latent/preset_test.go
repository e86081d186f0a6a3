package latent

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// TestParsePreset holds the reading of a flow to the definition of its type: every
// field of it, by the name that its tag says.
func TestParsePreset(t *testing.T) {
	var want Preset
	v := reflect.ValueOf(&want).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.Float32:
			f.SetFloat(0.1 + float64(i))
		case reflect.Int:
			f.SetInt(int64(7 + i))
		default:
			t.Fatalf("%s is a %s, which no flow has", v.Type().Field(i).Name, f.Kind())
		}
	}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(b), strings.Replace(string(b), "{", `{"of": {"a": ["later program"]}, `, 1)} {
		if got, err := parsePreset(text); err != nil || got != want {
			t.Errorf("%s is read as %+v, %v", text, got, err)
		}
	}
	for text, says := range map[string]string{
		"": "object", "[]": "object", "null": "object", `{`: "EOF", `{"alpha":0.1,}`: "invalid", `{"alpha":0.1}{}`: "follows",
		`{"alpha":"0.1"}`: "alpha", `{"alpha":null}`: "alpha", `{"tau":1e99}`: "tau", `{"steps":1.5}`: "steps", `{"alpha":1,"alpha":1}`: "alpha",
	} {
		if _, err := parsePreset(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want a word of %s", text, err, says)
		}
	}
}
