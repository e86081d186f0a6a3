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
}

// command is one command of the tree. setup declares the flags and returns what
// runs once they are parsed.
type command struct {
	name     string // one or two words
	args     string // what follows the name in the usage line
	summary  string // one line, for the list
	about    string // paragraphs, for the command's own help
	examples []string
	operands int // how many arguments that are no flags it takes, at most
	setup    func(*flagSet) func(ctx context.Context, e env, operands []string) error
}

func commands() []command {
	return []command{trainCommand(), daeCommand(), ldmCommand(), classifierCommand(), circleCommand(), pointsCommand(), exportCommand(), restoreCommand(), generateCommand(), evalCommand(), evalDistanceCommand(), evalCircleCommand(), sweepCommand(), scaleCommand(), infoCommand(), devicesCommand()}
}

// usageError is an error of the command line itself.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// Run runs the command line args (without the program's name) with the given
// streams and returns the exit code: 0 for success, 1 for a failure, 2 for a
// command line that makes no sense. Errors go to stderr, one line each. The
// first interrupt, termination or hangup signal cancels the work, which cleans up
// and writes nothing half; a second one ends the process at once.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if signals := stopSignals(); signals != nil { // none would mean all
		var stop context.CancelFunc
		ctx, stop = signal.NotifyContext(ctx, signals...)
		defer stop()
		context.AfterFunc(ctx, stop) // from then on signals do what they do by default
	}
	e := env{stdin, stdout, stderr}
	name, err := dispatch(ctx, e, args)
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
		fmt.Fprintf(stderr, "see: %s\n", strings.TrimSpace(program+" help "+name))
		return exitUsage
	}
	return exitFailure
}

// dispatch finds the command and runs it. It returns the command's name for the
// sake of messages.
func dispatch(ctx context.Context, e env, args []string) (string, error) {
	if len(args) == 0 {
		printHelp(e.stderr)
		return "", usagef("no command is given")
	}
	switch args[0] {
	case "help":
		return "", help(e, args[1:])
	case "-h", "-help", "--help":
		return "", help(e, nil)
	case "version", "-version", "--version":
		if len(args) > 1 {
			return "", usagef("version takes no arguments")
		}
		_, err := io.WriteString(e.stdout, version())
		return "version", err
	}
	cmd, rest, err := find(args)
	if err != nil {
		return "", err
	}
	flags := new(flagSet)
	run := cmd.setup(flags)
	operands, err := flags.parse(rest)
	if errors.Is(err, errHelp) {
		return cmd.name, printCommand(e.stdout, cmd)
	}
	if err == nil && len(operands) > cmd.operands {
		err = fmt.Errorf("unexpected argument %q", operands[cmd.operands])
	}
	if err != nil {
		return cmd.name, usagef("%s: %w", cmd.name, err)
	}
	if err := flags.apart(); err != nil {
		return cmd.name, fmt.Errorf("%s: %w", cmd.name, err)
	}
	if cmd.takesLong() && !flags.given("quiet") {
		warnSlow(e.stderr)
	}
	if err := run(ctx, e, operands); err != nil {
		return cmd.name, fmt.Errorf("%s: %w", cmd.name, err)
	}
	return cmd.name, nil
}

// find matches the first one or two words of args with a command.
func find(args []string) (command, []string, error) {
	var names, second []string
	for _, cmd := range commands() {
		first, sub, two := strings.Cut(cmd.name, " ")
		names = append(names, first)
		if first != args[0] {
			continue
		}
		if !two {
			return cmd, args[1:], nil
		}
		if len(args) > 1 && args[1] == sub {
			return cmd, args[2:], nil
		}
		if len(args) > 1 && isHelp(args[1]) { // "train --help": the first of what can be trained, the model
			return cmd, args[1:], nil
		}
		second = append(second, sub)
	}
	if second != nil {
		if len(args) == 1 {
			return command{}, nil, usagef("%s what? It takes %s", args[0], strings.Join(second, " or "))
		}
		return command{}, nil, usagef("%s does not take %q, it takes %s%s", args[0], args[1], strings.Join(second, " or "), suggest(args[1], second, ""))
	}
	names = append(names, "help", "version")
	return command{}, nil, usagef("there is no command %q%s", args[0], suggest(args[0], names, ""))
}

func isHelp(arg string) bool { return arg == "-h" || arg == "-help" || arg == "--help" }

func help(e env, args []string) error {
	if len(args) == 0 {
		printHelp(e.stdout)
		return nil
	}
	if args[0] == "help" || args[0] == "version" {
		printHelp(e.stdout)
		return nil
	}
	if len(args) == 1 {
		args = append(args, "--help") // "help train" is "train --help"
	}
	cmd, rest, err := find(args)
	if err != nil {
		return err
	}
	if len(rest) > 0 && !isHelp(rest[0]) {
		return usagef("help takes the name of one command")
	}
	return printCommand(e.stdout, cmd)
}

func printHelp(w io.Writer) {
	fmt.Fprintf(w, `mppm restores damaged digits and grows new ones from noise.

usage: %s COMMAND [flags]

commands:
`, program)
	for _, cmd := range commands() {
		fmt.Fprintf(w, "  %-16s %s\n", cmd.name, cmd.summary)
	}
	fmt.Fprintf(w, `  %-16s %s
  %-16s %s

%s help COMMAND describes a command and its flags.
Exit codes: 0 done, 1 failed, 2 the command line is wrong.
`, "help", "describe the program or a command", "version", "say which build this is", program)
}

func printCommand(w io.Writer, cmd command) error {
	flags := new(flagSet)
	cmd.setup(flags)
	var b strings.Builder
	fmt.Fprintf(&b, "usage: %s %s %s\n\n%s\n", program, cmd.name, cmd.args, strings.TrimSpace(cmd.about))
	flags.describe(&b)
	if len(cmd.examples) > 0 {
		b.WriteString("\nexamples:\n")
		for _, ex := range cmd.examples {
			fmt.Fprintf(&b, "  %s %s\n", program, ex)
		}
	}
	if others := siblings(cmd); len(others) > 0 {
		fmt.Fprintf(&b, "\nsee also: %s help %s\n", program, strings.Join(others, ", help "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// siblings returns the names of the other commands with the same first word.
func siblings(cmd command) []string {
	var names []string
	first, _, _ := strings.Cut(cmd.name, " ")
	for _, c := range commands() {
		if c.name != cmd.name && strings.HasPrefix(c.name, first+" ") {
			names = append(names, c.name)
		}
	}
	return names
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
