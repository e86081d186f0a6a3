package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// typed has what shells are given, and what they have to offer among others. The last
// word is the one that is completed.
var typed = []struct {
	line   string
	offers []string
}{
	{"mppm res", []string{"restore"}},
	{"mppm train ", []string{"mnist", "circle", "points"}},
	{"mppm restore --me", []string{"--method"}},
	{"mppm restore --method ", []string{"lmppm", "dae", "ldm"}},
	{"mppm restore --method d", []string{"dae"}},
	{"mppm restore --degrade ga", []string{"gaussian=", "gaussian-unclipped="}},
	{"mppm serve --o", []string{"--open"}},
	{"mppm info one", []string{"one.safetensors"}},
	{"mppm restore --weights o", []string{"one.safetensors"}},
}

// completers are what has a shell complete a line as it does when somebody presses the tab
// key: MPPM_LINE, whose script is the file MPPM_SCRIPT. They write what is offered, a line
// each, perhaps with a description behind it.
var completers = map[string]string{
	"bash": `source "$MPPM_SCRIPT"
read -r -a COMP_WORDS <<<"$MPPM_LINE"
[[ "$MPPM_LINE" == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE="$MPPM_LINE" COMP_POINT=${#MPPM_LINE} COMP_TYPE=9 COMP_KEY=9
# What bash-completion has, and what the shell itself does with the function's answer.
_get_comp_words_by_ref() { cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=("${COMP_WORDS[@]}") cword=$COMP_CWORD; }
compopt() { [[ "$*" == *'+o default'* ]] && files=no; }
__start_mppm mppm "${COMP_WORDS[COMP_CWORD]}"
printf '%s\n' "${COMPREPLY[@]}"
[[ ${#COMPREPLY[@]} -gt 0 || "$files" == no ]] || compgen -f -- "${COMP_WORDS[COMP_CWORD]}"`,
	"zsh": `autoload -Uz compinit && compinit -u -D
source "$MPPM_SCRIPT"
[[ "$_comps[mppm]" == _mppm ]] || print 'it is not registered'
words=(${(z)MPPM_LINE})
[[ "$MPPM_LINE" == *' ' ]] && words+=('')
CURRENT=$#words
# What the function would show is written: with a description after a colon.
_describe() { print -l -- $completions; (( $#completions )) }
_arguments() { print -l -- *(N) }
_mppm`,
	"fish": `source $MPPM_SCRIPT
complete -C $MPPM_LINE`,
}

// TestShells asks real shells, those that are installed.
func TestShells(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("its shells do not run scripts as these do")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin, home := t.TempDir(), t.TempDir()
	script := "#!/bin/sh\n" + asTrainer + "=1 exec '" + exe + "' \"$@\"\n"
	if err := os.WriteFile(filepath.Join(bin, "mppm"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(home, "one.safetensors"), nil)
	for shell, complete := range completers {
		t.Run(shell, func(t *testing.T) {
			program, err := exec.LookPath(shell)
			if err != nil {
				t.Skipf("there is no %s here", shell)
			}
			file := put(t, filepath.Join(bin, shell), []byte(must(t, "completion", shell).stdout))
			for _, c := range typed {
				args := []string{"-c", complete}
				if shell == "zsh" {
					args = append([]string{"-f"}, args...)
				}
				cmd := exec.Command(program, args...)
				cmd.Dir = home
				cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "HOME="+home, "MPPM_LINE="+c.line, "MPPM_SCRIPT="+file)
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("%q: %v\n%s", c.line, err, out)
				}
				var offered []string
				for line := range strings.Lines(string(out)) {
					word, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
					word, _, _ = strings.Cut(word, ":")
					word, _, _ = strings.Cut(word, "  ")
					offered = append(offered, strings.TrimSpace(word))
				}
				for _, want := range c.offers {
					if !slices.Contains(offered, want) {
						t.Errorf("%q: %q is not offered:\n%s", c.line, want, out)
					}
				}
			}
		})
	}
}
