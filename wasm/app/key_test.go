package app

import "testing"

// TestKey: a shortcut is where it says, and where the layout has no Latin letters,
// where it is on others.
func TestKey(t *testing.T) {
	for _, c := range []struct {
		layout    string
		key, code string
		shift     bool
		want      string
	}{
		{"English", "z", "KeyZ", false, "z"},
		{"English", "Z", "KeyZ", true, "z"},
		{"English", "1", "Digit1", false, "1"},
		{"English", "!", "Digit1", true, "!"},
		{"English", "?", "Slash", true, "?"},
		{"English", "+", "Equal", true, "+"},
		{"Russian", "я", "KeyZ", false, "z"},
		{"Russian", "Я", "KeyZ", true, "z"},
		{"Russian", "т", "KeyN", false, "n"},
		{"Russian", "?", "Digit7", true, "?"},
		{"Russian", "ж", "Semicolon", false, "ж"},
		{"Greek", "ζ", "KeyZ", false, "z"},
		{"Greek", ";", "KeyQ", false, "q"},
		{"Hebrew", "ז", "KeyZ", false, "z"},
		{"Hebrew", "/", "KeyQ", false, "q"},
		{"Arabic", "ئ", "KeyZ", false, "z"},
		{"Arabic", "١", "Digit1", false, "1"},
		{"Georgian", "ზ", "KeyZ", false, "z"},
		{"Devanagari, a sign", "ॆ", "KeyZ", false, "z"},
		{"French", "z", "KeyW", false, "z"},
		{"French", "w", "KeyZ", false, "w"},
		{"French", "&", "Digit1", false, "1"},
		{"French", "é", "Digit2", false, "2"},
		{"French", "2", "Digit2", true, "2"},
		{"French", "-", "Digit6", false, "-"},
		{"German", "y", "KeyZ", false, "y"},
		{"Czech", "ě", "Digit2", false, "2"},
		{"Dvorak", "n", "KeyL", false, "n"},
		{"Dvorak", "'", "KeyQ", false, "q"},
		{"Turkish", "ı", "KeyI", false, "ı"},
		{"any", "Enter", "Enter", false, "Enter"},
		{"any", "ArrowLeft", "ArrowLeft", false, "ArrowLeft"},
		{"any", "Dead", "KeyE", false, "Dead"},
		{"any", " ", "Space", false, " "},
		{"a phone", "Unidentified", "", false, "Unidentified"},
		{"a phone", "", "", false, ""},
		{"not UTF-8", "\xff", "KeyA", false, "a"},
	} {
		if got := Key(c.key, c.code, c.shift); got != c.want {
			t.Errorf("%s: %q at %s is %q, want %q", c.layout, c.key, c.code, got, c.want)
		}
	}
}
