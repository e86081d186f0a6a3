package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNode runs the suite in Node, in a worker and without, with SIMD and without.
func TestNode(t *testing.T) {
	t.Parallel()
	fail(t, node(t, "node.mjs", want(t)))
}

// TestOtherRuntime runs the suite in a runtime that has what pages have but neither
// workers nor anything of Node's.
func TestOtherRuntime(t *testing.T) {
	t.Parallel()
	fail(t, node(t, "other.mjs", want(t)))
}

// TestEnds: a program that uses a model ends when it has come to its end, and one in
// CommonJS can use it.
func TestEnds(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"open.mjs":  `import { load } from "mppm"; const m = await load(); const { images } = await m.generate({ n: 2 }); console.log(images.length);`,
		"plain.cjs": `import("mppm").then(async ({ load }) => { const m = await load({ worker: false }); console.log((await m.generate({ n: 2 })).images.length); });`,
		"path.mjs":  `import { load } from "mppm"; const m = await load({ weights: "node_modules/mppm/weights/mnist.safetensors" }); console.log((await m.generate({ n: 2 })).images.length); m.close();`,
	} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(script), 0o644); err != nil {
			t.Fatal(err)
		}
		if out := strings.TrimSpace(node(t, name)); out != "1568" {
			t.Errorf("%s prints %s", name, out)
		}
	}
}
