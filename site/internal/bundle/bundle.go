// Package bundle builds the page: a folder that any static host can serve from
// any path. Names in assets/ hold a hash of what is in them, every file has its
// compressed twins beside it, and manifest.json tells the loader names, sizes
// and checksums.
package bundle

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/andybalholm/brotli"

	"mppm/site/internal/host"
	"mppm/site/less"
)

// Options says what to build and where.
type Options struct {
	Root       string    // the project's folder
	Out        string    // the folder to write; it is replaced as a whole
	Model      string    // weights of one's own, or a run's folder, around which the page is built; "": none
	Data       string    // with Model: the folder of its data, of which the page brings test images along; "": as the weights say
	Weights    string    // the digits' weights; "": those of the project, as for the next two, which a model of one's own has no others of
	Classifier string    // the classifier's weights
	Baselines  string    // the weights of the models to compare with
	Faces      string    // the folder with the weights of models of faces, as far as there are any
	Source     string    // where links to the source lead, as https://…/blob/main; "": to pages of the site itself
	Bench      bool      // with the page that times this beside other runtimes, which npm has installed in site/bench
	Fast       bool      // compress less, for trying things out
	Log        io.Writer // what is being done, and the sizes
}

// File is one entry of the manifest: a file that the loader fetches.
type File struct {
	Name   string `json:"name"`   // relative to the page
	Size   int    `json:"size"`   // in bytes, unpacked
	SHA256 string `json:"sha256"` // hexadecimal
}

// Manifest is manifest.json.
type Manifest struct {
	SIMD       File   `json:"simd"`                // the program, for browsers with WebAssembly SIMD
	Scalar     File   `json:"scalar"`              // the program, for all others
	Engine     Engine `json:"engine"`              // what computes beside it
	Trainer    Engine `json:"trainer"`             // what trains beside it, which is fetched when it is wanted
	Weights    File   `json:"weights"`             // the model
	Classifier File   `json:"classifier,omitzero"` // the net that reads images, if there is one
	Images     File   `json:"images"`              // test images
	Labels     File   `json:"labels"`              // their classes
	Samples    string `json:"samples"`             // what data they are of; "": they are the model's own
	Baselines  File   `json:"baselines,omitzero"`  // the models to compare with, if there are any, which are fetched once all else is there
	// Curves are the models of Manifold's curves, by name, fetched likewise.
	Curves map[string]File `json:"curves"`
	// Faces are the models of faces, which are fetched when they are wanted.
	Faces []Faces `json:"faces,omitempty"`
	// Version is another one whenever anything of the page is.
	Version string `json:"version"`
}

// Engine is a program that computes or trains beside the page's, in a worker.
type Engine struct {
	Script File `json:"script"` // the worker's, which runs it
	SIMD   File `json:"simd"`
	Scalar File `json:"scalar"`
}

// Faces is a model of faces.
type Faces struct {
	Name  string `json:"name"`
	Label string `json:"label"`
	Model File   `json:"model"`
	LDM   *File  `json:"ldm,omitempty"` // latent diffusion to compare with, and with its denoising autoencoder
}

// faces are the names of the models of faces that there can be, with what people call
// them. The weights are in NAME.safetensors, the baselines' in NAME-ldm.safetensors.
var faces = [][2]string{{"faces", "Photo-like"}, {"drawn", "Drawn"}}

// curves are the names of the curves' weights, without their ending.
var curves = []string{"circle", "moons", "spiral", "trefoil"}

// ManifestName is the manifest's name in the folder.
const ManifestName = "manifest.json"

// Build builds the page into a folder beside o.Out and then puts it in its
// place, so that o.Out is never half-written. It refuses to replace a folder
// that holds something else than a built page.
func Build(ctx context.Context, o Options) (err error) {
	if err := replaceable(o.Out); err != nil {
		return err
	}
	shipped := filepath.Join(o.Root, "weights")
	o.Faces = cmp.Or(o.Faces, shipped)
	c, err := o.contents(shipped)
	if err != nil {
		return err
	}
	parent := filepath.Dir(filepath.Clean(o.Out))
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(parent, ".dist-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	b := builder{o: o, dir: tmp}
	if err := b.run(ctx, c); err != nil {
		return err
	}
	return replace(tmp, o.Out)
}

// replaceable returns an error if dir is there and is no built page.
func replaceable(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		return nil
	}
	if _, err := os.Stat(filepath.Join(dir, ManifestName)); err != nil {
		return fmt.Errorf("%s holds something else than a built page, and is left alone: name another folder with -out", dir)
	}
	return nil
}

// replace puts the folder tmp in the place of out.
func replace(tmp, out string) error {
	old := tmp + "-old"
	err := os.Rename(out, old)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	had := err == nil
	if err := os.Rename(tmp, out); err != nil {
		if had {
			return errors.Join(err, os.Rename(old, out))
		}
		return err
	}
	return os.RemoveAll(old)
}

// builder writes one page.
type builder struct {
	o     Options
	dir   string
	names []string // what is written, to be compressed
}

func (b *builder) run(ctx context.Context, c *contents) error {
	fmt.Fprintln(b.o.Log, "compiling the page's program, with SIMD and without")
	simd, scalar, err := b.compileBoth(ctx, "./wasm", "")
	if err != nil {
		return err
	}
	engineSIMD, engineScalar, err := b.compileBoth(ctx, "./wasm/engine", "")
	if err != nil {
		return err
	}
	trainerSIMD, trainerScalar, err := b.trainer(ctx)
	if err != nil {
		return err
	}
	goroot, err := b.goTool(ctx, nil, "env", "GOROOT")
	if err != nil {
		return err
	}
	execJS, err := os.ReadFile(filepath.Join(strings.TrimSpace(goroot), "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return fmt.Errorf("the Go toolchain lacks a file that the page needs: %w", err)
	}
	static := filepath.Join(b.o.Root, "site", "static")
	read := func(name string) []byte {
		c, e := os.ReadFile(filepath.Join(static, name))
		err = errors.Join(err, e)
		return c
	}
	index, style, icon := read("index.html"), read("style.css"), read("icon.svg")
	files, loader, worker, engine := read("files.js"), read("loader.js"), read("sw.js"), read("engine.js")
	ofDigits := c.images == nil
	if ofDigits {
		c.images, c.labels, c.samples = read("digits-images.idx"), read("digits-labels.idx"), "MNIST"
	}
	kernel := read(filepath.Join("..", "..", "shared", "gemm", "kernel.js"))
	if err != nil {
		return err
	}
	var m Manifest
	for _, a := range []struct {
		name    string
		content []byte
		entry   *File
	}{
		{"mppm-simd.wasm", simd, &m.SIMD},
		{"mppm.wasm", scalar, &m.Scalar},
		{"engine.js", slices.Concat(execJS, kernel, files, engine), &m.Engine.Script},
		{"engine-simd.wasm", engineSIMD, &m.Engine.SIMD},
		{"engine.wasm", engineScalar, &m.Engine.Scalar},
		{"trainer-simd.wasm", trainerSIMD, &m.Trainer.SIMD},
		{"trainer.wasm", trainerScalar, &m.Trainer.Scalar},
		{c.name + ".safetensors", c.weights, &m.Weights},
		{"classifier.safetensors", c.classifier, &m.Classifier},
		{"digits-images.idx", c.images, &m.Images},
		{"digits-labels.idx", c.labels, &m.Labels},
		{"ldm.safetensors", c.baselines, &m.Baselines},
	} {
		if a.content == nil {
			continue // there is none
		}
		if *a.entry, err = b.asset(a.name, a.content); err != nil {
			return err
		}
	}
	m.Trainer.Script = m.Engine.Script
	m.Samples = c.samples
	m.Curves = map[string]File{}
	for _, name := range curves {
		content, err := os.ReadFile(filepath.Join(b.o.Root, "weights", name+".safetensors"))
		if err != nil {
			return fmt.Errorf("the weights of a curve: %w", err)
		}
		if m.Curves[name], err = b.asset(name+".safetensors", content); err != nil {
			return err
		}
	}
	if c.pictures != nil {
		f, err := b.asset(c.name+".safetensors", c.pictures)
		if err != nil {
			return err
		}
		m.Faces = []Faces{{Name: slug(c.name), Label: c.name, Model: f}}
	} else if err := b.faces(&m); err != nil {
		return err
	}
	page, named := string(index), map[string]File{}
	if !ofDigits { // what links to the page are shown with
		if page, err = fillIn(page, "index.html", "Draw a digit, break it, and watch", "Break an image, and watch"); err != nil {
			return err
		}
	}
	for name, content := range map[string][]byte{"style.css": style, "files.js": files, "loader.js": loader, "kernel.js": kernel, "icon.svg": icon, "wasm_exec.js": execJS} {
		f, err := b.asset(name, content)
		if err != nil {
			return err
		}
		named[name] = f
		quoted := `"` + name + `"`
		if !strings.Contains(page, quoted) {
			return fmt.Errorf("site/static/index.html does not mention %s", name)
		}
		page = strings.ReplaceAll(page, quoted, `"`+f.Name+`"`)
	}
	page, sources, err := b.sources(page, named["style.css"].Name, named["icon.svg"].Name)
	if err != nil {
		return err
	}
	link := ""
	if b.o.Bench {
		fmt.Fprintln(b.o.Log, "building the page that times this beside other runtimes")
		if err := b.bench(ctx, named["icon.svg"].Name, execJS, kernel, c.weights, c.images); err != nil {
			return err
		}
		link = benchLink
	}
	if page, err = fillIn(page, "index.html", "@bench@", link); err != nil {
		return err
	}
	// What the browser keeps, so that the next visit needs no network: all but the
	// programs, of which it keeps those it can run.
	kept := []File{m.Engine.Script, m.Weights, m.Images, m.Labels}
	for _, f := range []File{m.Classifier, m.Baselines} {
		if f.Name != "" {
			kept = append(kept, f)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		kept = append(kept, named[name])
	}
	for _, name := range curves {
		kept = append(kept, m.Curves[name])
	}
	pages := append([]string{""}, sources...)
	if m.Version, err = b.version(sources, page, m, kept, pages, string(files), string(worker)); err != nil {
		return err
	}
	manifest, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	manifest = append(manifest, '\n')
	if err := b.write(ManifestName, manifest); err != nil {
		return err
	}
	// The page takes the manifest by a name that no other version has: a page and a
	// manifest of two versions do not go together.
	entry, err := b.asset(ManifestName, manifest)
	if err != nil {
		return err
	}
	kept = append(kept, entry)
	if err := b.index(page, m.Version, entry); err != nil {
		return err
	}
	if err := b.worker(string(files)+string(worker), m, kept, pages); err != nil {
		return err
	}
	fmt.Fprintln(b.o.Log, "compressing")
	sizes, err := b.compress(ctx)
	if err != nil {
		return err
	}
	shell := []string{"index.html", entry.Name}
	for _, f := range named {
		shell = append(shell, f.Name)
	}
	visits(b.o.Log, &m, sizes, shell, append(sources, "sw.js"))
	return os.WriteFile(filepath.Join(b.dir, "_headers"), []byte(headersFile()), 0o644)
}

// version names what the page is made of: values, and files that are written. Equal ones
// give the same name at every build, so values are taken as JSON: printed, a pointer
// would be where it lies.
func (b *builder) version(files []string, values ...any) (string, error) {
	digest := sha256.New()
	if err := json.NewEncoder(digest).Encode(values); err != nil {
		return "", err
	}
	for _, name := range files {
		content, err := os.ReadFile(filepath.Join(b.dir, filepath.FromSlash(name)))
		if err != nil {
			return "", err
		}
		digest.Write(content)
	}
	return hex.EncodeToString(digest.Sum(nil))[:host.HashLen], nil
}

// index writes the page, which is told its version and where its manifest is.
func (b *builder) index(page, version string, manifest File) error {
	entry, err := json.Marshal(manifest)
	if err != nil {
		return err
	}
	for mark, text := range map[string]string{"@version@": version, "@manifest@": string(entry)} {
		if page, err = fillIn(page, "index.html", `"`+mark+`"`, `"`+html.EscapeString(text)+`"`); err != nil {
			return err
		}
	}
	return b.write("index.html", []byte(page))
}

// worker writes the service worker, which is told what to keep: files, which are
// named by their hash, and pages.
func (b *builder) worker(script string, m Manifest, kept []File, pages []string) error {
	site, err := json.Marshal(map[string]any{"version": m.Version, "files": kept, "pages": pages, "simd": []File{m.SIMD, m.Engine.SIMD}, "scalar": []File{m.Scalar, m.Engine.Scalar}})
	if err != nil {
		return err
	}
	if script, err = fillIn(script, "sw.js", `"@site@"`, string(site)); err != nil {
		return err
	}
	return b.write("sw.js", []byte(script))
}

// fillIn replaces the one mark of a file of the page.
func fillIn(text, name, mark, by string) (string, error) {
	if strings.Count(text, mark) != 1 {
		return "", fmt.Errorf("site/static/%s does not have %s once", name, mark)
	}
	return strings.Replace(text, mark, by, 1), nil
}

// headersFile is what Netlify, Cloudflare and their like read.
func headersFile() string {
	var s strings.Builder
	fmt.Fprintln(&s, "/*")
	for _, kv := range host.Security() {
		fmt.Fprintf(&s, "  %s: %s\n", kv[0], kv[1])
	}
	fmt.Fprintf(&s, "/assets/*\n  Cache-Control: %s\n", host.Forever)
	return s.String()
}

// asset writes a file under a name that holds its hash.
func (b *builder) asset(name string, content []byte) (File, error) {
	sum := sha256.Sum256(content)
	digest := hex.EncodeToString(sum[:])
	ext := path.Ext(name)
	hashed := path.Join("assets", strings.TrimSuffix(name, ext)+"."+digest[:host.HashLen]+ext)
	return File{Name: hashed, Size: len(content), SHA256: digest}, b.write(hashed, content)
}

func (b *builder) write(name string, content []byte) error {
	at := filepath.Join(b.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	b.names = append(b.names, name)
	return os.WriteFile(at, content, 0o644)
}

// faces adds the models of faces whose weights there are.
func (b *builder) faces(m *Manifest) error {
	for _, f := range faces {
		var files []File
		for _, name := range []string{f[0] + ".safetensors", f[0] + "-ldm.safetensors"} {
			content, err := os.ReadFile(filepath.Join(b.o.Faces, name))
			if errors.Is(err, fs.ErrNotExist) {
				break
			}
			if err != nil {
				return fmt.Errorf("the weights of a model of faces: %w", err)
			}
			file, err := b.asset(name, content)
			if err != nil {
				return err
			}
			files = append(files, file)
		}
		if len(files) == 0 {
			continue
		}
		entry := Faces{Name: f[0], Label: f[1], Model: files[0]}
		if len(files) > 1 {
			entry.LDM = &files[1]
		}
		m.Faces = append(m.Faces, entry)
	}
	return nil
}

// compileBoth compiles a program twice, with the modules of a file as go.mod, or of
// go.mod. A build uses all cores by itself, but the linker does not: two at a time save a
// third.
func (b *builder) compileBoth(ctx context.Context, program, modfile string) (simd, scalar []byte, err error) {
	var wg sync.WaitGroup
	var errs [2]error
	compile := func(i int, out *[]byte, experiment string) {
		defer wg.Done()
		*out, errs[i] = b.compile(ctx, program, modfile, experiment)
	}
	wg.Add(2)
	go compile(0, &simd, "simd")
	go compile(1, &scalar, "")
	wg.Wait()
	return simd, scalar, errors.Join(errs[:]...)
}

// trainer compiles the training program.
func (b *builder) trainer(ctx context.Context) (simd, scalar []byte, err error) {
	const program = "./trainer/page"
	tmp, err := os.MkdirTemp("", "mppm-less-")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(tmp)
	modfile, err := less.Modfile(ctx, b.o.Root, tmp, program)
	if err != nil {
		return nil, nil, err
	}
	return b.compileBoth(ctx, program, modfile)
}

func (b *builder) compile(ctx context.Context, program, modfile, experiment string) ([]byte, error) {
	f, err := os.CreateTemp("", "mppm-*.wasm")
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	if err := f.Close(); err != nil {
		return nil, err
	}
	env := []string{"GOOS=js", "GOARCH=wasm", "GOEXPERIMENT=" + experiment}
	args := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", f.Name()}
	if modfile != "" {
		args = append(args, "-modfile="+modfile)
	}
	if experiment == "simd" {
		args = append(args, "-tags=linkedkernel") // which kernel.js links
	}
	if _, err := b.goTool(ctx, env, append(args, program)...); err != nil {
		return nil, err
	}
	return os.ReadFile(f.Name())
}

func (b *builder) goTool(ctx context.Context, env []string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = b.o.Root
	cmd.Env = append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}

// compress writes .br and .gz beside every file, on all cores, and returns the sizes of
// all, by name.
func (b *builder) compress(ctx context.Context) (map[string]Size, error) {
	results := make([]Size, len(b.names))
	errs := make([]error, 2*len(b.names))
	slots := make(chan struct{}, runtime.NumCPU())
	var wg sync.WaitGroup
	job := func(err *error, f func() error) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			slots <- struct{}{}
			defer func() { <-slots }()
			if *err = ctx.Err(); *err == nil {
				*err = f()
			}
		}()
	}
	for i, name := range b.names {
		at := filepath.Join(b.dir, filepath.FromSlash(name))
		content, err := os.ReadFile(at)
		if err != nil {
			return nil, err
		}
		results[i].Raw = len(content)
		job(&errs[2*i], func() (err error) {
			results[i].Brotli, err = pack(at+".br", content, b.brotli)
			return err
		})
		job(&errs[2*i+1], func() (err error) {
			results[i].Gzip, err = pack(at+".gz", content, b.gzip)
			return err
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	sizes := map[string]Size{}
	t := tabwriter.NewWriter(b.o.Log, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "bytes\tbrotli\tgzip\t ")
	for i, name := range b.names {
		sizes[name] = results[i]
		fmt.Fprintf(t, "%d\t%d\t%d\t  %s\n", results[i].Raw, results[i].Brotli, results[i].Gzip, name)
	}
	return sizes, t.Flush()
}

func (b *builder) brotli(w io.Writer) (io.WriteCloser, error) {
	level := brotli.BestCompression
	if b.o.Fast {
		level = 4
	}
	return brotli.NewWriterLevel(w, level), nil
}

func (b *builder) gzip(w io.Writer) (io.WriteCloser, error) {
	level := gzip.BestCompression
	if b.o.Fast {
		level = gzip.BestSpeed
	}
	return gzip.NewWriterLevel(w, level)
}

// pack writes the compressed content to a file and returns its size.
func pack(name string, content []byte, to func(io.Writer) (io.WriteCloser, error)) (int, error) {
	var out bytes.Buffer
	w, err := to(&out)
	if err != nil {
		return 0, err
	}
	if _, err := w.Write(content); err != nil {
		return 0, err
	}
	if err := w.Close(); err != nil {
		return 0, err
	}
	return out.Len(), os.WriteFile(name, out.Bytes(), 0o644)
}
