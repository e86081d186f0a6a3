package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

func manCommand() command {
	return command{
		name:    "man",
		summary: "write the manual page",
		about: `
Writes the manual page of the program, with all commands and flags, for man. Releases
have it in man/man1. To see it, or to have it for good:

  mppm man | man -l -
  mppm man > ~/.local/share/man/man1/mppm.1`,
		examples: []string{"man"},
		setup: func(*flagSet) func(context.Context, env, []string) error {
			return func(_ context.Context, e env, _ []string) error {
				_, err := e.stdout.Write(manual())
				return err
			}
		},
	}
}

// manual returns the manual page, in the language of man(7). It has no date, and so is
// the same whenever it is written.
func manual() []byte {
	var b bytes.Buffer
	fmt.Fprint(&b, `.TH MPPM 1 "" mppm "User Commands"
.SH NAME
mppm \- restore damaged digits and pictures, and grow new ones from noise
.SH SYNOPSIS
.B mppm
.I COMMAND
[flags]
.SH COMMANDS
`)
	for _, cmd := range commands() {
		cmd.manual(&b)
	}
	fmt.Fprint(&b, `.SH EXIT STATUS
0 done, 1 failed, 2 the command line is wrong.
`)
	return b.Bytes()
}

// manual writes what the manual page says of a command.
func (cmd command) manual(b *bytes.Buffer) {
	flags := new(flagSet)
	cmd.setup(flags)
	c := &cobra.Command{}
	flags.register(c)
	fmt.Fprintf(b, ".SS %s\n", roff(strings.TrimSpace("mppm "+cmd.name+" "+cmd.args)))
	for paragraph := range strings.SplitSeq(strings.TrimSpace(cmd.about), "\n\n") {
		asIs := strings.HasPrefix(paragraph, "  ")
		fmt.Fprintln(b, ".PP")
		if asIs {
			fmt.Fprintln(b, ".nf")
		}
		roffLines(b, paragraph)
		if asIs {
			fmt.Fprintln(b, ".fi")
		}
	}
	for _, d := range flags.list {
		flag := c.Flags().Lookup(d.name)
		fmt.Fprintf(b, ".TP\n\\fB\\-\\-%s\\fR", roff(d.name))
		if d.arg != "" {
			fmt.Fprintf(b, " \\fI%s\\fR", roff(d.arg))
		}
		fmt.Fprintln(b)
		roffLines(b, strings.ReplaceAll(flag.Usage, "`", ""))
	}
	fmt.Fprintln(b, ".PP\nExamples:\n.nf")
	for _, ex := range cmd.examples {
		roffLines(b, "  mppm "+ex)
	}
	fmt.Fprintln(b, ".fi")
}

// roffLines writes lines of text.
func roffLines(w io.Writer, text string) {
	for line := range strings.SplitSeq(text, "\n") {
		line = roff(line)
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			line = `\&` + line // or it would be a request
		}
		fmt.Fprintln(w, line)
	}
}

// roff writes a line as man(7) has it: a minus that can be copied as such.
func roff(line string) string {
	return strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(line)
}
