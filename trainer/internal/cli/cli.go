// Package cli is the command line of the trainer. It is a contract: others
// script against its commands, flags, exit codes and the form of what it
// writes.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1 // the work failed: what was wrong is on stderr
	exitUsage   = 2 // the command line is wrong: nothing was tried
)

// env is what a command sees of the world.
type env struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	serve          Serve
}

// command is one command of the tree. setup declares the flags and returns what
// runs once they are parsed.
type command struct {
	name     string // one or two words
	args     string // what follows the name in the usage line
	summary  string // one line, for the list
	about    string // paragraphs, for the command's own help
	examples []string
	operands int      // how many arguments that are no flags it takes, at most
	values   []string // what those can be, if not files
	setup    func(*flagSet) func(ctx context.Context, e env, operands []string) error
}

func commands() []command {
	return []command{trainCommand(), imagesCommand(), daeCommand(), ldmCommand(), classifierCommand(), embeddingCommand(), circleCommand(), pointsCommand(), exportCommand(), importCommand(), restoreCommand(), generateCommand(), evalCommand(), evalDistanceCommand(), evalImagesCommand(), evalCircleCommand(), sweepCommand(), sweepImagesCommand(), scaleCommand(), infoCommand(), serveCommand(), devicesCommand(), completionCommand(), manCommand(), versionCommand()}
}

// usageError is an error of the command line itself.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// Run runs the command line args (without the program's name) with the given
// streams, and what serves the page, and returns the exit code: 0 for success, 1 for a
// failure, 2 for a command line that makes no sense. Errors go to stderr, one line each. The
// first interrupt, termination or hangup signal cancels the work, which cleans up
// and writes nothing half; a second one ends the process at once.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, serve Serve) int {
	if signals := stopSignals(); signals != nil { // none would mean all
		var stop context.CancelFunc
		ctx, stop = signal.NotifyContext(ctx, signals...)
		defer stop()
		context.AfterFunc(ctx, stop) // from then on signals do what they do by default
	}
	root := rootCommand(env{stdin, stdout, stderr, serve})
	root.SetArgs(twoDashes(root, args))
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	if word, ok := interrupted(err); ok {
		fmt.Fprintln(stderr, word)
		return exitFailure
	}
	fmt.Fprintf(stderr, "error: %v\n", err)
	var usage usageError
	if errors.As(err, &usage) {
		fmt.Fprintf(stderr, "see: %s\n", strings.TrimSpace(program+" help "+strings.TrimPrefix(nameOf(cmd), "help")))
		return exitUsage
	}
	return exitFailure
}

func init() { cobra.EnableCommandSorting = false } // commands says in which order

// rootCommand returns the commands as the library has them.
func rootCommand(e env) *cobra.Command {
	root := &cobra.Command{Use: "mppm", Version: version(), Args: cobra.ArbitraryArgs, SilenceErrors: true, SilenceUsage: true}
	root.SetOut(e.stdout)
	root.SetErr(e.stderr)
	root.SetVersionTemplate("{{.Version}}")
	root.SetFlagErrorFunc(flagError)
	root.SetHelpFunc(func(*cobra.Command, []string) { printHelp(e.stdout) })
	root.CompletionOptions.DisableDefaultCmd = true // completionCommand says more
	root.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			printHelp(e.stderr)
			return usagef("no command is given")
		}
		return usagef("there is no command %q%s", args[0], suggest(args[0], children(c), ""))
	}
	for _, cmd := range commands() {
		parent, name := root, cmd.name
		if first, second, two := strings.Cut(cmd.name, " "); two {
			parent, name = group(root, first), second
		}
		parent.AddCommand(cmd.build(e, name))
	}
	root.InitDefaultHelpCmd()
	help, _, _ := root.Find([]string{"help"})
	help.RunE = func(_ *cobra.Command, args []string) error {
		c, rest, _ := root.Find(args)
		switch {
		case len(rest) == 0:
			return c.Help()
		case c.HasSubCommands():
			return c.RunE(c, rest) // which says what there is
		}
		return usagef("help takes the name of one command")
	}
	return root
}

// group returns the command that commands of two words have for their first.
func group(root *cobra.Command, name string) *cobra.Command {
	for _, c := range root.Commands() {
		if c.Name() == name {
			return c
		}
	}
	c := &cobra.Command{Use: name, Args: cobra.ArbitraryArgs}
	c.SetHelpFunc(func(c *cobra.Command, _ []string) { c.Commands()[0].Help() })
	c.RunE = func(c *cobra.Command, args []string) error {
		takes := strings.Join(children(c), " or ")
		if len(args) == 0 {
			return usagef("%s what? It takes %s", name, takes)
		}
		return usagef("%s does not take %q, it takes %s%s", name, args[0], takes, suggest(args[0], children(c), ""))
	}
	root.AddCommand(c)
	return c
}

// build returns the command as the library has it.
func (cmd command) build(e env, name string) *cobra.Command {
	flags := new(flagSet)
	run := cmd.setup(flags)
	c := &cobra.Command{Use: name, Short: cmd.summary, Long: strings.TrimSpace(cmd.about), ValidArgs: cmd.values}
	if cmd.operands == 0 {
		c.ValidArgsFunction = cobra.NoFileCompletions
	}
	flags.register(c)
	c.SetHelpFunc(func(c *cobra.Command, _ []string) { printCommand(e.stdout, cmd, flags, c) })
	c.Args = func(_ *cobra.Command, operands []string) error {
		if err := flags.missing(); err != nil {
			return usagef("%s: %w", cmd.name, err)
		}
		if len(operands) > cmd.operands {
			return usagef("%s: unexpected argument %q", cmd.name, operands[cmd.operands])
		}
		return nil
	}
	c.RunE = func(c *cobra.Command, operands []string) error {
		err := flags.apart()
		if err == nil {
			if cmd.takesLong() && !flags.given("quiet") {
				warnSlow(e.stderr)
			}
			err = run(c.Context(), e, operands)
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", cmd.name, err)
		}
		return err
	}
	return c
}

// nameOf returns the words that call a command, "" for the program itself.
func nameOf(c *cobra.Command) string {
	_, name, _ := strings.Cut(c.CommandPath(), " ")
	return name
}

// children returns the names of what a command takes for its next word.
func children(c *cobra.Command) []string {
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	return names
}

func printHelp(w io.Writer) {
	fmt.Fprintf(w, `mppm restores damaged digits and pictures, and grows new ones from noise.

usage: %s COMMAND [flags]

commands:
`, program)
	for _, cmd := range append(commands(), command{name: "help", summary: "describe the program or a command"}) {
		fmt.Fprintf(w, "  %-16s %s\n", cmd.name, cmd.summary)
	}
	fmt.Fprintf(w, `
%s help COMMAND describes a command and its flags.
Exit codes: 0 done, 1 failed, 2 the command line is wrong.
`, program)
}

func printCommand(w io.Writer, cmd command, flags *flagSet, c *cobra.Command) {
	fmt.Fprintf(w, "usage: %s\n\n%s\n", strings.TrimSpace(program+" "+cmd.name+" "+cmd.args), c.Long)
	flags.describe(w, c)
	fmt.Fprint(w, "\nexamples:\n")
	for _, ex := range cmd.examples {
		fmt.Fprintf(w, "  %s %s\n", program, ex)
	}
	var others []string
	for _, sub := range c.Parent().Commands() {
		if c.Parent().HasParent() && sub != c {
			others = append(others, "help "+nameOf(sub))
		}
	}
	if others != nil {
		fmt.Fprintf(w, "\nsee also: %s %s\n", program, strings.Join(others, ", "))
	}
}

func completionCommand() command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return command{
		name:    "completion",
		args:    "SHELL",
		summary: "have a shell complete commands, flags and values",
		about: `
Writes what has a shell complete commands, flags, and the values of those flags that
take one of a few, for a program that is called mppm and on the PATH. To have it in
every shell, give its startup file the line

  source <(mppm completion bash)     in ~/.bashrc, where bash-completion is
  source <(mppm completion zsh)      in ~/.zshrc, after compinit
  mppm completion fish | source      in ~/.config/fish/config.fish
  mppm completion powershell | Out-String | Invoke-Expression     in $PROFILE`,
		examples: []string{"completion bash", "completion zsh"},
		operands: 1,
		values:   shells,
		setup: func(*flagSet) func(context.Context, env, []string) error {
			return func(_ context.Context, e env, operands []string) error {
				root, shell := rootCommand(e), strings.Join(operands, "")
				switch shell {
				case "bash":
					return root.GenBashCompletionV2(e.stdout, true)
				case "zsh":
					return root.GenZshCompletion(e.stdout)
				case "fish":
					return root.GenFishCompletion(e.stdout, true)
				case "powershell":
					return root.GenPowerShellCompletionWithDesc(e.stdout)
				}
				return usagef("there is no %q: say which of %s%s", shell, strings.Join(shells, ", "), suggest(shell, shells, ""))
			}
		},
	}
}

func versionCommand() command {
	return command{
		name:     "version",
		summary:  "say which build this is",
		about:    "Says which build this is: its version, commit, Go and platform.",
		examples: []string{"version"},
		setup: func(*flagSet) func(context.Context, env, []string) error {
			return func(_ context.Context, e env, _ []string) error {
				_, err := io.WriteString(e.stdout, version())
				return err
			}
		},
	}
}

// version says which build this is: bug reports need no more.
func version() string {
	revision, dirty, experiment := "", "", ""
	v := "(devel)"
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" {
			v = info.Main.Version
		}
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				revision = ", commit " + s.Value[:min(12, len(s.Value))]
			case s.Key == "vcs.modified" && s.Value == "true":
				dirty = " with changes"
			case s.Key == "GOEXPERIMENT" && s.Value != "":
				experiment = ", experiments " + s.Value
			}
		}
	}
	return fmt.Sprintf("mppm %s%s%s, %s %s/%s%s\n", v, revision, dirty, runtime.Version(), runtime.GOOS, runtime.GOARCH, experiment)
}
