package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"

	"mppm/shared/gemm"
)

// program is how the help calls the program: as it was called.
var program = called(os.Args[0], setting("-tags"))

// called returns how to call the program again whose name was name when it was
// started, and which was built with tags. Under go run the name is that of a file
// that nobody knows of.
func called(name, tags string) string {
	switch {
	case name == "":
		return "mppm"
	case goRun.MatchString(filepath.ToSlash(name)) && tags != "":
		return "go run -tags " + tags + " ./trainer"
	case goRun.MatchString(filepath.ToSlash(name)):
		return "go run ./trainer"
	case strings.Contains(name, " "):
		return `"` + name + `"`
	}
	return name
}

// goRun matches the names of programs that go run builds: at first in a
// temporary folder, and from then on in the build cache.
var goRun = regexp.MustCompile(`/go-build\d+/b\d+/exe/[^/]+$|/[0-9a-f]{2}/[0-9a-f]{64}-d/[^/]+$`)

// setting returns a setting of the build, "" if it has none of that name.
func setting(key string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == key {
				return s.Value
			}
		}
	}
	return ""
}

// takesLong reports whether the command works for minutes or hours.
func (c command) takesLong() bool {
	first, _, _ := strings.Cut(c.name, " ")
	return first == "train" || first == "eval" || first == "sweep"
}

// warnSlow says in one line, and with the remedy, that work will take ten times
// as long as it could. It says nothing where this is as fast as the program gets.
func warnSlow(w io.Writer) {
	if !gemm.Vectors() {
		fmt.Fprintf(w, "note: this takes some ten times as long as it could: %s\n", slow(setting("-tags"), runtime.GOARCH))
	}
}

// slow says why a build with these tags for goarch has no vector kernels, and
// what to do.
func slow(tags, goarch string) string {
	for _, tag := range strings.Split(tags, ",") {
		if tag == "purego" {
			return "the program was built with -tags purego, so without vector instructions; build it without (make mppm)"
		}
	}
	switch goarch {
	case "amd64":
		return "this processor, or the virtual machine, lacks AVX2 and FMA; run the program on one that has them"
	case "386":
		return "the program was built for 386, which has no vector kernels here; build it with GOARCH=amd64"
	case "arm":
		return "the program was built for arm, which has no vector kernels here; build it with GOARCH=arm64 if the system has 64 bits"
	}
	return "there are no vector kernels for " + goarch + "; run the program on amd64 or arm64"
}
