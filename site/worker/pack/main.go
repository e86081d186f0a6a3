// Command pack builds the program that the edge runs, and what starts it, into
// site/worker/build. It fails if the program is too large to be deployed.
//
//	go run ./site/worker/pack
package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/andybalholm/brotli"
)

// maxPacked bounds the program compressed with gzip, which is how the edge
// counts; its free plan takes 3 MB.
const maxPacked = 3_000_000

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, stdout io.Writer) error {
	if len(os.Args) > 1 {
		return fmt.Errorf("%q is not understood; pack takes no arguments", os.Args[1])
	}
	env, err := goTool(ctx, "", nil, "env", "GOMOD", "GOROOT")
	if err != nil {
		return err
	}
	mod, goroot, _ := strings.Cut(strings.TrimSpace(env), "\n")
	root := filepath.Dir(mod)
	if _, err := os.Stat(filepath.Join(root, "site", "worker", "entry.mjs")); err != nil {
		return errors.New("run this inside the project")
	}
	out := filepath.Join(root, "site", "worker", "build")
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	execJS, err := os.ReadFile(filepath.Join(goroot, "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return fmt.Errorf("the Go toolchain lacks a file that the program needs: %w", err)
	}
	if err := os.WriteFile(filepath.Join(out, "wasm_exec.js"), execJS, 0o644); err != nil {
		return err
	}
	for _, name := range []string{"kernel.js", "kernel.wasm", "link.wasm"} {
		b, err := os.ReadFile(filepath.Join(root, "shared", "gemm", name))
		if err != nil {
			return fmt.Errorf("the program's kernel: %w", err)
		}
		if err := os.WriteFile(filepath.Join(out, name), b, 0o644); err != nil {
			return err
		}
	}
	// Beside its place first, so that a program that runs there is never half-written.
	wasm, tmp := filepath.Join(out, "app.wasm"), filepath.Join(out, "app.wasm.new")
	build := append([]string{"build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", tmp}, smaller()...)
	// The collector of before Go 1.26 is smaller, by a hundredth of a megabyte
	// compressed; there is one processor, and a small heap.
	if _, err := goTool(ctx, root, []string{"GOOS=js", "GOARCH=wasm", "GOEXPERIMENT=simd,nogreenteagc"}, append(build, "./site/worker")...); err != nil {
		return err
	}
	if err := os.Rename(tmp, wasm); err != nil {
		return err
	}
	program, err := os.ReadFile(wasm)
	if err != nil {
		return err
	}
	packed := len(gzipped(program))
	fmt.Fprintf(stdout, "site/worker/build/app.wasm: %d bytes, gzip %d, brotli %d\n", len(program), packed, len(brotlied(program)))
	if packed > maxPacked {
		return fmt.Errorf("the program has %d bytes compressed; the edge takes %d", packed, maxPacked)
	}
	return nil
}

// smaller returns the flags that save a tenth of a megabyte, compressed: nothing
// of the standard library is inlined, but what pixels and numbers go through; and
// HTTP/2, which the edge speaks and not the program, is left out.
func smaller() []string {
	flags := []string{"-tags=nethttpomithttp2,linkedkernel", "-gcflags=std=-l"}
	for _, hot := range []string{"simd", "math", "compress", "image"} {
		flags = append(flags, "-gcflags="+hot+"/...=")
	}
	return append(flags, "-gcflags=math/big=-l") // whose numbers are those of certificates
}

func gzipped(b []byte) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression) // the level is right
	_, _ = w.Write(b)                                       // memory does not fail
	_ = w.Close()
	return out.Bytes()
}

func brotlied(b []byte) []byte {
	var out bytes.Buffer
	w := brotli.NewWriterLevel(&out, brotli.BestCompression)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

func goTool(ctx context.Context, dir string, env []string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}
