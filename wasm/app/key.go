package app

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Key returns which key of a shortcut was pressed: what the layout says it is, in
// lower case; or, where that is neither a Latin letter nor a sign that a shortcut
// has, what stands there on the keyboards that the shortcuts are written for. So
// Ctrl+Z is where it is used to be on Cyrillic, Greek and Hebrew keyboards, and is
// the key that says Z on French and German ones; and the digits need no Shift where
// the layout wants it. key and code are those of the browser's event.
func Key(key, code string, shift bool) string {
	if utf8.RuneCountInString(key) != 1 {
		return key // Enter, ArrowLeft
	}
	r, _ := utf8.DecodeRuneInString(key)
	switch {
	case unicode.Is(unicode.Latin, r) && unicode.IsLetter(r) && !isDigitKey(code):
		return strings.ToLower(key)
	case r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)), strings.ContainsRune(" ?+=-", r):
		return strings.ToLower(key)
	}
	if letter, ok := strings.CutPrefix(code, "Key"); ok && len(letter) == 1 {
		return strings.ToLower(letter)
	}
	if isDigitKey(code) && !shift {
		return strings.TrimPrefix(code, "Digit")
	}
	return key
}

func isDigitKey(code string) bool {
	return strings.HasPrefix(code, "Digit") && len(code) == len("Digit0")
}
