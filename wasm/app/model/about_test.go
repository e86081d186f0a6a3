package model

import (
	"strings"
	"testing"

	"mppm/shared/latent"
	"mppm/shared/latent/latenttest"
	"mppm/weights"
)

// TestDescribe: the shipped model is of digits; others are as far as they say so.
func TestDescribe(t *testing.T) {
	shipped, err := latent.Load(weights.MNIST)
	if err != nil {
		t.Fatal(err)
	}
	if a := Describe(shipped); !a.Digits || a.Names != nil || a.Classes != 10 || a.Class(7) != "7" || a.Say("another digit") != "another digit" {
		t.Errorf("the shipped model is %+v", a)
	}
	for name, c := range map[string]struct {
		key, value string
		digits     bool
	}{
		"says nothing":      {"", "", false},
		"MNIST":             {"data", `{"name":"mnist"}`, true},
		"a part of MNIST":   {"data", `{"name":"mnist, without 5000 held-out training digits"}`, true},
		"relatives":         {"data", `{"name":"mnist-like"}`, false},
		"no data":           {"data", `[`, false},
		"classes of digits": {"classes", strings.Join(strings.Split("0123456789", ""), "\n"), true},
		"classes of others": {"classes", strings.Join(strings.Split("abcdefghij", ""), "\n"), false},
	} {
		f := latenttest.File(1)
		if c.key != "" {
			f.Meta[c.key] = c.value
		}
		m, err := latent.New(f)
		if err != nil {
			t.Fatal(err)
		}
		a := Describe(m)
		if a.Digits != c.digits || a.Classes != 10 {
			t.Errorf("%s: %+v", name, a)
		}
		if got := a.Say("A digit: another digit, of ten digits. Digits"); !c.digits && got != "An image: another image, of ten images. Images" {
			t.Errorf("%s: %q", name, got)
		}
	}
}
