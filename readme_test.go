// Package mppm_test runs what README.md tells its readers to run.
package mppm_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mppm/shared/idx"
	"mppm/shared/latent"
	"mppm/shared/rng"
	"mppm/weights"
)

// blocks returns the fenced blocks of a language.
func blocks(t *testing.T, language string) []string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllSubmatch(text, -1) {
		found = append(found, string(m[1]))
	}
	if len(found) == 0 {
		t.Fatalf("README.md has no %s block", language)
	}
	return found
}

// TestCommands runs every trainer command of README.md as it stands, in a folder
// with a few digits; training alone is told to be brief.
func TestCommands(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	dir := t.TempDir()
	digits(t, dir)
	ran := 0
	for _, block := range blocks(t, "sh") {
		for line := range strings.Lines(block) {
			if strings.HasPrefix(line, "make mppm ") {
				build(t, filepath.Join(dir, "bin"))
			}
			args, ok := strings.CutPrefix(strings.TrimSpace(line), "bin/mppm ")
			if !ok {
				continue
			}
			fields := strings.Fields(args)
			ran++
			if fields[0] == "serve" {
				serves(t, filepath.Join(dir, "bin", "mppm"), fields...)
				continue
			}
			switch {
			case fields[0] == "train" && fields[1] == "images":
				fields = append(fields, "--epochs", "1", "--distance", "1", "--batch", "4", "--centers", "8")
			case fields[0] == "train" && fields[1] != "mnist":
				fields = append(fields, "--epochs", "3")
			case fields[0] == "train":
				fields = append(fields, "--data", "data", "--epochs", "1", "--batch", "16", "--centers", "8")
			case fields[0] == "export" && !slices.Contains(fields, "--format"): // of a run
				fields = append(fields, "--data", "data")
			case fields[0] == "eval":
				fields = append(fields, "--data", "data", "--n", "20", "--grown", "100")
			}
			c := exec.Command("bin/mppm", fields...) // in dir
			c.Dir = dir
			if out, err := c.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", strings.TrimSpace(line), err, out)
			}
		}
	}
	if ran < 8 {
		t.Errorf("only %d commands of README.md were found", ran)
	}
	for _, made := range []string{"restored/00000.png", "strip.png", "digits.idx", "digits.png", "mine.safetensors", "runs/eval/table.md", "runs/circle/loss.png", "runs/mine/loss.png", "runs/photos/generated.png"} {
		if info, err := os.Stat(filepath.Join(dir, made)); err != nil || info.Size() == 0 {
			t.Errorf("README.md's commands did not make %s: %v", made, err)
		}
	}
}

// serves starts the program that serves the page, far from its source, visits it, and
// ends it as Ctrl-C does.
func serves(t *testing.T, program string, args ...string) {
	t.Helper()
	args = slices.DeleteFunc(args, func(s string) bool { return s == "--open" }) // no window
	c := exec.Command(program, append(args, "--addr", "127.0.0.1:0")...)
	c.Dir = t.TempDir()
	c.Stderr = os.Stderr
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Process.Kill() // where it has not ended yet
	line, err := bufio.NewReader(stdout).ReadString('\n')
	url := regexp.MustCompile(`http://\S+/`).FindString(line)
	if err != nil || url == "" {
		t.Fatalf("serve says %q: %v", line, err)
	}
	visit := func(path, kind string) []byte {
		r, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		if err != nil || r.StatusCode != 200 || !strings.HasPrefix(r.Header.Get("Content-Type"), kind) {
			t.Errorf("%s: %v, status %d, type %s; want %s", path, err, r.StatusCode, r.Header.Get("Content-Type"), kind)
		}
		return b
	}
	if page := visit("", "text/html"); !bytes.Contains(page, []byte("mppm")) {
		t.Errorf("the page is %.100q", page)
	}
	var manifest struct {
		SIMD struct {
			Name   string
			SHA256 string
		}
	}
	if err := json.Unmarshal(visit("manifest.json", "application/json"), &manifest); err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(visit(manifest.SIMD.Name, "application/wasm")); hex.EncodeToString(sum[:]) != manifest.SIMD.SHA256 {
		t.Errorf("%s is not what the manifest says", manifest.SIMD.Name)
	}
	visit("api/generate?seed=7&n=1", "image/png")
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("serve, interrupted: %v", err)
	}
}

// build makes mppm as README.md says, but into the folder bin.
func build(t *testing.T, bin string) {
	t.Helper()
	c := exec.Command("make", "mppm", "BIN="+bin)
	c.Env = append(os.Environ(), "MAKEFLAGS=") // make test has its own
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("make mppm: %v\n%s", err, out)
	}
}

// digits puts what a reader has into dir: my-digits, a folder of PNG files,
// my-points.csv, data, IDX files to train on, and photos, larger PNG files. They are digits grown from noise.
func digits(t *testing.T, dir string) {
	t.Helper()
	m := shipped(t)
	const n = 32
	r := m.Runner(n)
	z, x := make([]float32, n*latent.DigitLatent), make([]float32, n*latent.DigitPixels)
	r.Noise(z, r.Generate, rng.New(5, 0))
	steps, err := r.Flow(z, m.Generate)
	if err != nil {
		t.Fatal(err)
	}
	for range steps {
	}
	r.Decode(x, z)
	pixels := make([]byte, len(x))
	for i, v := range x {
		pixels[i] = byte(v*255 + 0.5)
	}
	for _, folder := range []string{"my-digits", "data", "photos"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for i, name := range []string{"one.png", "two.png", "three.png"} {
		img := &image.Gray{Pix: pixels[i*latent.DigitPixels : (i+1)*latent.DigitPixels], Stride: latent.DigitSide, Rect: image.Rect(0, 0, latent.DigitSide, latent.DigitSide)}
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "my-digits", name), b.Bytes())
	}
	const larger = 3 // for pictures as large as those of a camera, in proportion
	for i := range n {
		img := image.NewGray(image.Rect(0, 0, larger*latent.DigitSide, larger*latent.DigitSide))
		for at := range img.Pix {
			x, y := at%img.Stride/larger, at/img.Stride/larger
			img.Pix[at] = pixels[i*latent.DigitPixels+y*latent.DigitSide+x]
		}
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "photos", fmt.Sprintf("%d.png", i)), b.Bytes())
	}
	f, err := idx.New(pixels, n, latent.DigitSide, latent.DigitSide)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "data", "train-images-idx3-ubyte"), f.Encode())
	write(t, filepath.Join(dir, "data", "t10k-images-idx3-ubyte"), f.Encode())
	labels, err := idx.New(make([]byte, n), n)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "data", "t10k-labels-idx1-ubyte"), labels.Encode())
	var line []byte
	for i := range 100 {
		line = fmt.Appendf(line, "%d,%d,%d\n", i, 2*i, i*i%7)
	}
	write(t, filepath.Join(dir, "my-points.csv"), line)
}

// TestProgram runs the program that README.md shows to those who import shared.
func TestProgram(t *testing.T) {
	dir, err := os.MkdirTemp(".", "readme-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for _, block := range blocks(t, "go") {
		write(t, filepath.Join(dir, "main.go"), []byte(block))
		out, err := exec.Command("go", "run", "./"+dir).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "step 15  D = ") {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

// TestLinks: what README.md shows and links to is there.
func TestLinks(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllSubmatch(text, -1) {
		if _, err := os.Stat(string(m[1])); err != nil {
			t.Errorf("README.md: %v", err)
		}
	}
}

func shipped(t *testing.T) *latent.Model {
	t.Helper()
	m, err := latent.Load(weights.MNIST)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}
