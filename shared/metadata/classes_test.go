package metadata

import (
	"slices"
	"strings"
	"testing"
)

// TestClasses: what is written is read, and what cannot be shown is refused by both.
func TestClasses(t *testing.T) {
	meta := map[string]string{}
	if names, err := Classes(meta); names != nil || err != nil {
		t.Errorf("of no names: %v, %v", names, err)
	}
	if err := SetClasses(meta, nil); err != nil || len(meta) != 0 {
		t.Errorf("no names leave %v, %v", meta, err)
	}
	want := []string{"T-shirt", "ankle boot", "お"}
	if err := SetClasses(meta, want); err != nil {
		t.Fatal(err)
	}
	if got, err := Classes(meta); err != nil || !slices.Equal(got, want) {
		t.Errorf("%q is read as %q, %v", want, got, err)
	}
	for _, c := range []struct {
		names []string
		want  string
	}{
		{[]string{"a", " "}, "class 1 is empty"},
		{[]string{"a\nb"}, "cannot be printed"},
		{[]string{"\xff"}, "cannot be printed"},
		{[]string{strings.Repeat("é", 65)}, "65 characters"},
		{slices.Repeat([]string{"a"}, 257), "257 names"},
	} {
		meta := map[string]string{}
		if err := SetClasses(meta, c.names); err == nil || !strings.Contains(err.Error(), c.want) || len(meta) != 0 {
			t.Errorf("writing %.20q: %v, want %q", c.names, err, c.want)
		}
		if strings.Contains(c.names[0], "\n") {
			continue // which is two names
		}
		meta[ClassesKey] = strings.Join(c.names, "\n")
		if _, err := Classes(meta); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("reading %.20q: %v, want %q", c.names, err, c.want)
		}
	}
}
