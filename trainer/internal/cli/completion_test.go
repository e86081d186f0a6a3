package cli

import (
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"mppm/shared/degrade"
)

// TestCompletion asks for completions as the shells' scripts do: the words that are
// typed, of which the last is to be completed.
func TestCompletion(t *testing.T) {
	var kinds []string
	for _, k := range degrade.All() {
		kinds = append(kinds, string(k.Kind)+"=")
	}
	const nothing, files, dirs = cobra.ShellCompDirectiveNoFileComp, cobra.ShellCompDirectiveDefault, cobra.ShellCompDirectiveFilterDirs
	for _, c := range []struct {
		typed string // words; the last may be empty
		want  []string
		how   cobra.ShellCompDirective
	}{
		{"re", []string{"restore"}, nothing},
		{"e", []string{"export", "eval"}, nothing},
		{"train ", []string{"mnist", "dae", "ldm", "classifier", "circle", "points"}, nothing},
		{"help eval ", []string{"mnist", "distance", "circle"}, nothing},
		{"completion ", []string{"bash", "zsh", "fish", "powershell"}, nothing},
		{"train mnist --lam", []string{"--lambda1", "--lambda2", "--lambda3", "--lambda4", "--lambda5", "--lambda6"}, nothing},
		{"restore --", []string{"--in", "--out"}, nothing}, // what it has to have comes first
		{"restore --in x -out y --deg", []string{"--degrade"}, nothing},
		{"restore --degrade ", kinds, nothing | cobra.ShellCompDirectiveNoSpace},
		{"restore --method ", methods, nothing},
		{"restore --preset ", []string{"generate", "restore"}, nothing},
		{"restore -method dae -preset ", presets(methodDAE, ""), nothing},
		{"restore --weights none.safetensors --preset ", nil, nothing},
		{"generate --preset=", []string{"generate"}, nothing},
		{"restore --in ", nil, files},
		{"restore --seed ", nil, nothing},
		{"train mnist --out ", nil, dirs},
		{"sweep --axis ", sweepAxes, nothing},
		{"scale --device ", deviceNames(), nothing},
		{"train points --decimal ", []string{"comma", "point"}, nothing},
		{"train points --curve ", []string{"circle", "spiral"}, nothing},
		{"train circle --target ", []string{"nearest", "projection", "clean"}, nothing},
		{"train mnist --activation ", []string{"silu", "relu"}, nothing},
		{"info ", nil, files},
		{"devices ", nil, nothing},
	} {
		r := must(t, append([]string{cobra.ShellCompRequestCmd}, strings.Split(c.typed, " ")...)...)
		lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
		var got []string
		for _, line := range lines[:len(lines)-1] {
			word, _, _ := strings.Cut(line, "\t") // what follows describes it
			got = append(got, word)
		}
		if how := ":" + strconv.Itoa(int(c.how)); lines[len(lines)-1] != how || !contains(got, c.want) {
			t.Errorf("%q is completed by %q, %s; want %q, %s", c.typed, got, lines[len(lines)-1], c.want, how)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		script := must(t, "completion", shell).stdout
		if !strings.Contains(script, "mppm") {
			t.Errorf("the script for %s does not name the program:\n%s", shell, script)
		}
		if path, err := exec.LookPath(shell); err == nil && shell != "powershell" {
			c := exec.Command(path, "-n")
			c.Stdin = strings.NewReader(script)
			if out, err := c.CombinedOutput(); err != nil {
				t.Errorf("%s does not read the script for it: %v\n%s", shell, err, out)
			}
		}
	}
	if r := run(t, "completion", "bsh"); r.code != exitUsage || !strings.Contains(r.stderr, "did you mean bash") {
		t.Errorf("completion bsh: %+v", r)
	}
}

// contains reports whether all of want is in got, and, where nothing is wanted, that
// nothing is.
func contains(got, want []string) bool {
	for _, w := range want {
		if !slices.Contains(got, w) {
			return false
		}
	}
	return want != nil || got == nil
}

// TestDashes: one dash does as well as two, and what follows a flag is its value
// whatever it begins with.
func TestDashes(t *testing.T) {
	root := rootCommand(env{})
	for _, c := range []struct{ given, want string }{
		{"restore -in a -out=b --seed -1 -quiet c", "restore --in a --out=b --seed -1 --quiet c"},
		{"restore -in - -h", "restore --in - -h"},
		{"restore --in -out -- -x", "restore --in -out -- -x"},
		{"train mnist -lambda1 2", "train mnist --lambda1 2"},
		{"-help", "--help"},
	} {
		if got := strings.Join(twoDashes(root, strings.Fields(c.given)), " "); got != c.want {
			t.Errorf("%q is taken as %q, want %q", c.given, got, c.want)
		}
	}
}
