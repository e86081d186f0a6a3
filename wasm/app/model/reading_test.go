package model

import "testing"

func TestReadingIsNeverQuiteSure(t *testing.T) {
	for _, c := range []struct {
		r    Reading
		want string
	}{
		{Reading{4, 0.97}, "reads as 4 (97 %)"},
		{Reading{0, 0.104}, "reads as 0 (10 %)"},
		{Reading{9, 0.994}, "reads as 9 (99 %)"},
		{Reading{9, 1}, "reads as 9 (> 99 %)"},
	} {
		if got := (About{Digits: true}).Read(c.r); got != c.want {
			t.Errorf("%+v says %q, want %q", c.r, got, c.want)
		}
	}
}
