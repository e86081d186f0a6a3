package cli

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

// TestManual: the manual page has every command, flag and example, and formats without a
// warning where there is a formatter.
func TestManual(t *testing.T) {
	page := must(t, "man").stdout
	for _, cmd := range commands() {
		flags := new(flagSet)
		cmd.setup(flags)
		_, part, ok := strings.Cut(page, "\n.SS "+roff("mppm "+cmd.name))
		if !ok {
			t.Errorf("%s is not there", cmd.name)
		}
		part, _, _ = strings.Cut(part, "\n.S")
		for _, d := range flags.list {
			if !strings.Contains(part, `\fB\-\-`+roff(d.name)+`\fR`) {
				t.Errorf("%s lacks --%s", cmd.name, d.name)
			}
		}
		for _, ex := range cmd.examples {
			if !strings.Contains(part, roff("  mppm "+ex)+"\n") {
				t.Errorf("%s lacks its example %q", cmd.name, ex)
			}
		}
	}
	if program, err := exec.LookPath("groff"); err == nil {
		c := exec.Command(program, "-man", "-Kutf8", "-Tutf8", "-ww", "-z")
		c.Stdin = strings.NewReader(page)
		var said bytes.Buffer
		c.Stdout, c.Stderr = &said, &said
		if err := c.Run(); err != nil || said.Len() > 0 {
			t.Errorf("groff: %v\n%.2000s", err, said.String())
		}
	}
}
