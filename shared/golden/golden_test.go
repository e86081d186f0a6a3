package golden

import (
	"fmt"
	"strings"
	"testing"
)

// failing is a test that keeps what it fails with.
type failing struct {
	testing.TB
	said string
}

func (f *failing) Name() string                      { return "TestFlow/at_once" }
func (f *failing) Errorf(format string, args ...any) { f.said += fmt.Sprintf(format, args...) }

// TestCheck: a difference says what it is of, where that is kept, and how it is
// made again.
func TestCheck(t *testing.T) {
	t.Setenv("MPPM_GOLDEN", "")
	const of = "rng: two integers, two normal numbers, one below 1000 and one below 1 of seed 42, stream 7"
	for _, c := range []struct{ of, found, say string }{
		{of, "[1 2]", of + ": the bits are [1 2], want [636e70be0be19a7c"},
		{of, "[1 2]", "(shared/golden/rng.txt, line 1). If they were meant to change, MPPM_GOLDEN=write go test -run '^TestFlow$/^at_once$' "},
		{"rng: nothing", "12", "shared/golden/rng.txt keeps no bits of it; found 12. If"},
		{"none: nothing", "12", "shared/golden/none.txt keeps no bits of it; found 12. If"},
	} {
		f := &failing{TB: t}
		if Check(f, c.of, c.found); !strings.Contains(f.said, c.say) {
			t.Errorf("%s: Check says %q, want something with %q", c.of, f.said, c.say)
		}
	}
}

// TestFiles: every line is a sum and what it is of, which no other line is.
func TestFiles(t *testing.T) {
	entries, err := files.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := files.ReadFile(e.Name())
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for line := range strings.Lines(string(text)) {
			sum, what, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
			if sum == "" || what == "" || seen[what] {
				t.Errorf("%s: %q is not a sum and what it alone is of", e.Name(), line)
			}
			seen[what] = true
		}
	}
}
