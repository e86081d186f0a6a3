package bundle

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"mppm/site/internal/host"
)

// benchLink leads from the page to the one that times it, where that is built.
const benchLink = ` <a href="bench/">How fast it is here</a>, beside other runtimes.`

// bench writes the page that times inference beside other runtimes, in a folder of its
// own. It is not kept for a visit without a network.
func (b *builder) bench(ctx context.Context, icon string, execJS, kernel, weights, images []byte) error {
	from := filepath.Join(b.o.Root, "site", "bench")
	tmp, err := os.MkdirTemp("", "mppm-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	model, nets := filepath.Join(tmp, "weights"), filepath.Join(tmp, "onnx")
	program, err := b.compile(ctx, "./wasm/bench", "", "simd")
	if err != nil {
		return err
	}
	if err := os.WriteFile(model, weights, 0o644); err != nil {
		return err
	}
	if _, err := b.goTool(ctx, nil, "run", "./trainer", "export", "--format", "onnx", "--weights", model, "--out", nets, "--quiet"); err != nil {
		return err
	}
	index, err := os.ReadFile(filepath.Join(from, "index.html"))
	if err != nil {
		return err
	}
	policy, _, _ := strings.Cut(host.Policy, "; frame-ancestors")
	page := strings.NewReplacer("@policy@", policy, "@icon@", icon).Replace(string(index))
	content := map[string][]byte{"index.html": []byte(page), "bench.wasm": program, "wasm_exec.js": execJS, "kernel.js": kernel, "mnist.safetensors": weights, "digits.idx": images}
	var files []string
	for _, name := range []string{"encoder.onnx", "decoder.onnx", "step.onnx", "restore.onnx"} {
		files = append(files, filepath.Join(nets, name))
	}
	for _, name := range []string{
		"bench.js", "pool.js", "bench.css",
		"node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs",
		"node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm",
		"node_modules/@tensorflow/tfjs-core/dist/tf-core.min.js",
		"node_modules/@tensorflow/tfjs-backend-wasm/dist/tf-backend-wasm.min.js",
		"node_modules/@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm",
		"node_modules/@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm",
	} {
		files = append(files, filepath.Join(from, filepath.FromSlash(name)))
	}
	for _, file := range files {
		c, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) && strings.Contains(file, "node_modules") {
			return fmt.Errorf("the bench page needs what it is measured beside: run `npm ci` in site/bench (%w)", err)
		}
		if err != nil {
			return err
		}
		// Not every host knows the type of .mjs, and browsers run no module of another one.
		name := filepath.Base(file)
		if short, ok := strings.CutSuffix(name, ".mjs"); ok {
			name = short + ".js"
		}
		content[name] = c
	}
	for _, name := range slices.Sorted(maps.Keys(content)) {
		if err := b.write(path.Join("bench", name), content[name]); err != nil {
			return err
		}
	}
	return nil
}
