// Command release makes what is published of a version: for each system an archive with
// mppm, which carries the page, its manual page and the completions of four shells, and
// the file SHA256SUMS. `make release` builds the page and runs it.
//
//	go run ./release [-out bin/release] [-targets linux/amd64,…] [-version v1.2.3]
//
// The version is that of the commit's tag, as Go stamps it into a program; of a commit
// without one it is a pseudo-version. The same commit and the same Go give the same
// bytes, wherever and whenever: programs are built without paths and cgo, and files in
// archives have the time of SOURCE_DATE_EPOCH, or of 1980.
package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// targets are the systems and processors that programs are built for.
var targets = []string{
	"linux/amd64", "linux/arm64",
	"darwin/amd64", "darwin/arm64",
	"windows/amd64", "windows/arm64",
}

// sums is the file of checksums, as sha256sum reads it, and what a folder with a release
// is known by.
const sums = "SHA256SUMS"

// options say what is made.
type options struct {
	program string   // the package of the program
	tags    string   // build tags
	vcs     bool     // whether the version is that of the commit; without, it is version
	version string   // that there has to be; "": any
	targets []string // as system/processor
	texts   []string // files of the project that lie beside the program
	out     string   // the folder to write; it is replaced as a whole
	time    time.Time
	log     io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o := options{program: "./trainer", tags: "page", vcs: true, texts: []string{"LICENSE", "README.md", "CHANGELOG.md"}, log: os.Stdout}
	flag.StringVar(&o.out, "out", filepath.Join("bin", "release"), "folder to write")
	flag.StringVar(&o.version, "version", "", "refuse to make another version than this")
	list := flag.String("targets", strings.Join(targets, ","), "what to build for, with commas between")
	flag.Parse()
	o.targets = strings.Split(*list, ",")
	err := func() (err error) {
		if o.time, err = epoch(os.Getenv("SOURCE_DATE_EPOCH")); err != nil {
			return err
		}
		if _, err := os.Stat(filepath.Join("site", "page", "page.zip")); err != nil {
			return errors.New("the page is not packed: run `make release`, in the project's folder")
		}
		return release(ctx, o)
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// epoch reads SOURCE_DATE_EPOCH, seconds since 1970. Zip files know no time before 1980.
func epoch(text string) (time.Time, error) {
	first := time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
	if text == "" {
		return first, nil
	}
	s, err := strconv.ParseInt(text, 10, 64)
	if err != nil || s < first.Unix() {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH is %q; it has to be the seconds from 1970 to a time after 1979", text)
	}
	return time.Unix(s, 0).UTC(), nil
}

// release makes everything in a folder beside o.out and then puts it in its place.
func release(ctx context.Context, o options) error {
	if err := replaceable(o.out); err != nil {
		return err
	}
	for _, t := range o.targets {
		if !slices.Contains(targets, t) {
			return fmt.Errorf("%q is not built for; there are %s", t, strings.Join(targets, ", "))
		}
	}
	parent := filepath.Dir(filepath.Clean(o.out))
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(parent, ".release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	done := filepath.Join(tmp, "done")
	if err := os.Mkdir(done, 0o755); err != nil {
		return err
	}
	beside, err := o.beside(ctx, filepath.Join(tmp, "here"))
	if err != nil {
		return err
	}
	var lines strings.Builder
	for _, t := range o.targets {
		name, content, err := o.archive(ctx, t, filepath.Join(tmp, "mppm"), beside)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(done, name), content, 0o644); err != nil {
			return err
		}
		fmt.Fprintf(&lines, "%x  %s\n", sha256.Sum256(content), name)
		fmt.Fprintf(o.log, "%6.1f MB  %s\n", float64(len(content))/1e6, name)
	}
	if err := os.WriteFile(filepath.Join(done, sums), []byte(lines.String()), 0o644); err != nil {
		return err
	}
	if err := os.RemoveAll(o.out); err != nil {
		return err
	}
	return os.Rename(done, o.out)
}

// replaceable returns an error if a folder is there and holds something else than a
// release.
func replaceable(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, sums)); err != nil {
		return fmt.Errorf("%s holds something else than a release, and is left alone: name another folder with -out", dir)
	}
	return nil
}

// beside returns what lies beside the program in every archive: texts, and what the
// program itself says of its use, once it is built for this machine.
func (o options) beside(ctx context.Context, program string) ([]file, error) {
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	if _, err := o.build(ctx, runtime.GOOS+"/"+runtime.GOARCH, program); err != nil {
		return nil, err
	}
	var files []file
	for _, name := range o.texts {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		files = append(files, file{name: name, content: b})
	}
	for _, f := range []struct{ name, args string }{
		{"completions/mppm.bash", "completion bash"},
		{"completions/_mppm", "completion zsh"},
		{"completions/mppm.fish", "completion fish"},
		{"completions/mppm.ps1", "completion powershell"},
		{"man/man1/mppm.1", "man"},
	} {
		b, err := output(exec.CommandContext(ctx, program, strings.Fields(f.args)...))
		if err != nil {
			return nil, err
		}
		files = append(files, file{name: f.name, content: b})
	}
	return files, nil
}

// archive builds the program for a target and returns its archive.
func (o options) archive(ctx context.Context, target, program string, beside []file) (name string, content []byte, err error) {
	version, err := o.build(ctx, target, program)
	if err != nil {
		return "", nil, err
	}
	b, err := os.ReadFile(program)
	if err != nil {
		return "", nil, err
	}
	system, processor, _ := strings.Cut(target, "/")
	folder, called, pack, ending := fmt.Sprintf("mppm-%s-%s-%s", version, system, processor), "mppm", tarGz, ".tar.gz"
	if system == "windows" {
		called, pack, ending = "mppm.exe", zipped, ".zip"
	}
	content, err = pack(folder, append([]file{{called, b, true}}, beside...), o.time)
	return folder + ending, content, err
}

// build builds the program for a target, and returns its version.
func (o options) build(ctx context.Context, target, to string) (version string, err error) {
	system, processor, _ := strings.Cut(target, "/")
	c := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags", o.tags, "-buildvcs="+strconv.FormatBool(o.vcs), "-ldflags=-s -w", "-o", to, o.program)
	c.Env = append(os.Environ(), "GOOS="+system, "GOARCH="+processor, "GOEXPERIMENT=simd", "CGO_ENABLED=0", "GOFLAGS=", "GOAMD64=v1", "GOARM64=v8.0")
	if _, err := output(c); err != nil {
		return "", fmt.Errorf("for %s: %w", target, err)
	}
	info, err := buildinfo.ReadFile(to)
	if err != nil {
		return "", err
	}
	version = info.Main.Version
	switch {
	case !o.vcs:
		version = o.version
	case version == "" || version == "(devel)":
		return "", errors.New("the program knows no version: a release is made in a clone of the repository, with its tags")
	case o.version != "" && version != o.version:
		return "", fmt.Errorf("this is version %s, not %s: check out the tag, and leave nothing uncommitted", version, o.version)
	}
	return version, nil
}

// output runs a command, and returns what it writes.
func output(c *exec.Cmd) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(c.Args, " "), err, cmp.Or(strings.TrimSpace(stderr.String()), "it says nothing"))
	}
	return stdout.Bytes(), nil
}
