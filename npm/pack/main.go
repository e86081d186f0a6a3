// Command pack builds the npm package: the folder OUT/mppm, and beside it the tarball
// that npm makes of it. Both are replaced as a whole.
//
//	go run ./npm/pack [-out bin/npm] [-version 0.0.0]
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

// programs are the two builds of the program, by their names in the package.
var programs = []struct{ name, experiment, tags string }{
	{"mppm-simd.wasm", "simd", "linkedkernel"},
	{"mppm.wasm", "", ""},
}

// weights are the files that the package has of those in the folder weights.
var weights = []string{"mnist", "classifier", "faces", "drawn"}

// numbered is a version as npm has them.
var numbered = regexp.MustCompile(`^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`)

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("pack", flag.ContinueOnError)
	flags.SetOutput(stderr)
	out := flags.String("out", "", "folder to write (default bin/npm)")
	version := flags.String("version", "0.0.0", "version of the package")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is not understood; pack takes flags alone", flags.Arg(0))
	}
	if !numbered.MatchString(*version) {
		return fmt.Errorf("the version is %q; npm wants three numbers, as in 1.2.3", *version)
	}
	env, err := output(ctx, "", nil, "go", "env", "GOMOD", "GOROOT")
	if err != nil {
		return err
	}
	mod, goroot, _ := strings.Cut(strings.TrimSpace(env), "\n")
	p := packer{root: filepath.Dir(mod), goroot: goroot, version: *version}
	if _, err := os.Stat(filepath.Join(p.root, "npm", "src", "package.json")); err != nil {
		return errors.New("run this inside the project")
	}
	if *out == "" {
		*out = filepath.Join(p.root, "bin", "npm")
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(*out, ".pack-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if p.dir = filepath.Join(tmp, "mppm"); p.write(ctx) != nil {
		return p.err
	}
	text, err := output(ctx, p.dir, nil, "npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", tmp)
	if err != nil {
		return fmt.Errorf("npm makes no tarball (install Node 20 or later, and npm): %w", err)
	}
	tarball := strings.TrimSpace(text)
	old, err := filepath.Glob(filepath.Join(*out, "mppm-*.tgz"))
	if err != nil {
		return err
	}
	for _, path := range old { // of another version
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	for _, name := range []string{"mppm", tarball} {
		if err := replace(filepath.Join(tmp, name), filepath.Join(*out, name)); err != nil {
			return err
		}
	}
	info, err := os.Stat(filepath.Join(*out, tarball))
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s: %.1f MB\n", filepath.Join(*out, tarball), float64(info.Size())/1e6)
	return nil
}

// replace puts a file or a folder in the place of another.
func replace(from, to string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	return os.Rename(from, to)
}

// packer writes the folder of the package. After an error it writes nothing more.
type packer struct {
	root, goroot, dir, version string
	err                        error
}

func (p *packer) write(ctx context.Context) error {
	p.compile(ctx)
	src := filepath.Join(p.root, "npm", "src")
	entries, err := os.ReadDir(src)
	p.check(err)
	for _, e := range entries {
		content := p.read(filepath.Join(src, e.Name()))
		if e.Name() == "package.json" {
			content = bytes.Replace(content, []byte(`"version": "0.0.0"`), fmt.Appendf(nil, `"version": %q`, p.version), 1)
		}
		p.put(e.Name(), content)
	}
	for _, name := range weights {
		p.put(filepath.Join("weights", name+".safetensors"), p.read(filepath.Join(p.root, "weights", name+".safetensors")))
	}
	p.put("go.js", p.parts())
	p.put("LICENSE", p.read(filepath.Join(p.root, "LICENSE")))
	p.put("LICENSE-GO", p.read(filepath.Join(p.goroot, "LICENSE")))
	return p.err
}

// parts is the module that has Go's script and the kernels' as a function of the global
// object that they are to use, which they then leave as it is for others.
func (p *packer) parts() []byte {
	var b bytes.Buffer
	b.WriteString("// Go's own script, of which LICENSE-GO is the license, and the kernels.\nexport const parts = (globalThis) => {\n")
	b.Write(p.read(filepath.Join(p.goroot, "lib", "wasm", "wasm_exec.js")))
	b.Write(p.read(filepath.Join(p.root, "shared", "gemm", "kernel.js")))
	b.WriteString("return globalThis;\n};\n")
	return b.Bytes()
}

func (p *packer) check(err error) {
	if p.err == nil {
		p.err = err
	}
}

func (p *packer) read(path string) []byte {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("the package lacks a file: %w", err)
	}
	p.check(err)
	return b
}

func (p *packer) put(name string, content []byte) {
	if p.err != nil {
		return
	}
	path := filepath.Join(p.dir, name)
	p.check(os.MkdirAll(filepath.Dir(path), 0o755))
	p.check(os.WriteFile(path, content, 0o644))
}

// compile builds both programs, at the same time.
func (p *packer) compile(ctx context.Context) {
	var wg sync.WaitGroup
	errs := make([]error, len(programs))
	for i, program := range programs {
		wg.Go(func() {
			_, errs[i] = output(ctx, p.root, []string{"GOOS=js", "GOARCH=wasm", "GOEXPERIMENT=" + program.experiment},
				"go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-tags", program.tags, "-o", filepath.Join(p.dir, program.name), "./npm/engine")
		})
	}
	wg.Wait()
	p.check(errors.Join(errs...))
}

// output runs a command, and returns what it prints.
func output(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, args[0], err, stderr.Bytes())
	}
	return string(out), nil
}
