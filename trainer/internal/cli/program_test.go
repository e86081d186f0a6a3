package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"mppm/shared/gemm"
)

func TestCalled(t *testing.T) {
	const hash = "50f49b19927efb93a99733a00b8f2b56005d0635962fa08fb387bc3c7bb2e0fa"
	for _, c := range []struct{ name, tags, want string }{
		{"mppm", "", "mppm"},
		{"bin/mppm", "", "bin/mppm"},
		{"./mppm", "webgpu", "./mppm"},
		{"/home/a/go/bin/trainer", "", "/home/a/go/bin/trainer"},
		{"/opt/my tools/mppm", "", `"/opt/my tools/mppm"`},
		{"/tmp/go-build2399159976/b001/exe/trainer", "", "go run ./trainer"},
		{"/home/a/.cache/go-build/50/" + hash + "-d/trainer", "", "go run ./trainer"},
		{"/elsewhere/50/" + hash + "-d/trainer", "webgpu", "go run -tags webgpu ./trainer"},
		{"/tmp/go-build2399159976/mppm", "", "/tmp/go-build2399159976/mppm"},
		{"", "", "mppm"},
	} {
		if got := called(c.name, c.tags); got != c.want {
			t.Errorf("called as %q with tags %q: the help says %q, want %q", c.name, c.tags, got, c.want)
		}
	}
}

// TestProgramName runs the program under go run, twice, since the second time it
// comes from the cache, and built under a name of its own.
func TestProgramName(t *testing.T) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	says := func(want string, name string, args ...string) {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir = root
		if filepath.IsAbs(name) { // as the shell finds it on the PATH
			cmd.Args[0] = filepath.Base(name)
		}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if !strings.Contains(string(out), "usage: "+want+" restore ") || !strings.Contains(string(out), "\n  "+want+" restore --in ") {
			t.Errorf("the help does not call the program %q:\n%s", want, out)
		}
	}
	for range 2 {
		says("go run ./trainer", "go", "run", "./trainer", "help", "restore")
	}
	name := "mppm"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	bin := filepath.Join(t.TempDir(), name)
	build := exec.Command("go", "build", "-o", bin, "./trainer")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	says(name, bin, "help", "restore")
}

// TestHelpOfSeveral: a first word that several commands share gets the help of the
// first of them, which names the others; and no message sends one to "help help".
func TestHelpOfSeveral(t *testing.T) {
	r := must(t, "help", "eval")
	if !strings.HasPrefix(r.stdout, "usage: "+program+" eval mnist ") || !strings.HasSuffix(r.stdout, "see also: "+program+" help eval distance, help eval images, help eval circle\n") {
		t.Errorf("help eval:\n%s", r.stdout)
	}
	if again := must(t, "eval", "--help"); again != r {
		t.Errorf("eval --help is not help eval:\n%s", again.stdout)
	}
	for _, args := range [][]string{{"help", "evl"}, {"help", "eval", "cirle"}, {"help", "info", "x"}, {"eval"}, {"--help", "x"}} {
		if r := run(t, args...); strings.Contains(r.stderr, "help help") {
			t.Errorf("%q: %s", args, r.stderr)
		}
	}
}

// TestSlowBuild: a build without vector kernels says so in one line, with the
// remedy, once, before work that takes long; a fast one says nothing.
func TestSlowBuild(t *testing.T) {
	for _, c := range []struct{ tags, arch, want string }{
		{"webgpu,purego", "amd64", "make mppm"},
		{"", "amd64", "AVX2"},
		{"", "386", "GOARCH=amd64"},
		{"", "arm", "GOARCH=arm64"},
		{"", "riscv64", "no vector kernels for riscv64"},
	} {
		if got := slow(c.tags, c.arch); !strings.Contains(got, c.want) || strings.Contains(got, "\n") {
			t.Errorf("-tags %q for %s: %q, want %q in one line", c.tags, c.arch, got, c.want)
		}
	}
	var b bytes.Buffer
	warnSlow(&b)
	if want := map[bool]int{true: 0, false: 1}[gemm.Vectors()]; strings.Count(b.String(), "\n") != want {
		t.Errorf("vectors: %t; %q", gemm.Vectors(), b.String())
	}

	bin := filepath.Join(t.TempDir(), "mppm.exe")
	build := exec.Command("go", "build", "-tags", "purego", "-o", bin, "./trainer")
	build.Dir = "../../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	nowhere := filepath.Join(t.TempDir(), "nowhere")
	for _, c := range []struct {
		notes int
		args  []string
	}{
		{1, []string{"train", "mnist", "--data", nowhere}},
		{1, []string{"eval", "mnist", "--data", nowhere}},
		{1, []string{"sweep", "--data", nowhere}},
		{0, []string{"train", "mnist", "--data", nowhere, "--quiet"}},
		{0, []string{"info", nowhere}},
		{0, []string{"train", "mnist", "--epochs", "0"}},
		{0, []string{"train", "mnist", "--help"}},
	} {
		out, _ := exec.Command(bin, c.args...).CombinedOutput()
		if n := strings.Count(string(out), "note: this takes some ten times as long as it could: "); n != c.notes {
			t.Errorf("%q says %d times that it is slow, want %d:\n%s", c.args, n, c.notes, out)
		}
	}
	if _, err := os.Stat(nowhere); err == nil {
		t.Errorf("%s was made", nowhere)
	}
}
