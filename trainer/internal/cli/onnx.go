package cli

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"mppm/shared/safetensors"
	"mppm/trainer/internal/atomicfile"
	"mppm/trainer/internal/onnx"
	"mppm/trainer/internal/overlap"
	"mppm/weights"
)

// The formats of export.
const (
	formatSafetensors = "safetensors"
	formatONNX        = "onnx"
)

// writesExport is of a file, or of a folder of ONNX files.
func (o *exportOptions) writesExport(p *overlap.Paths, flag, path string) {
	if o.format != formatONNX {
		p.Writes(flag, path)
		return
	}
	names := onnx.Names()
	p.WritesIn(flag, path, names, func(name string) bool { return slices.Contains(names, name) })
}

// embedded are all embedded weights by their names.
var embedded = map[string][]byte{
	"mnist": weights.MNIST, "dae": weights.DAE, "ldm": weights.LDM, "classifier": weights.Classifier,
	"faces": weights.Faces, "faces-dae": weights.FacesDAE, "faces-ldm": weights.FacesLDM,
	"drawn": weights.Drawn, "drawn-dae": weights.DrawnDAE, "drawn-ldm": weights.DrawnLDM,
	"circle": weights.Circle, "spiral": weights.Spiral, "moons": weights.Moons, "trefoil": weights.Trefoil,
}

// readEmbedded is readWeights, and knows all embedded weights by their names. A file of
// such a name goes first.
func readEmbedded(path string) (b []byte, name string, err error) {
	if b, ok := embedded[path]; ok && len(b) > 0 {
		if _, err := os.Stat(path); err != nil {
			return b, "the embedded weights of " + path, nil
		}
	}
	return readWeights(path)
}

// exportONNX writes the nets of a weights file.
func (o *exportOptions) exportONNX(e env) error {
	b, name, err := readEmbedded(o.weights)
	if err != nil {
		return err
	}
	f, err := safetensors.Parse(b)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	files, err := onnx.Files(f, onnx.ModelOptions{Int8: o.int8})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	err = atomicfile.WriteDir(o.out, o.force, func(dir string) error {
		for name, content := range files {
			if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || o.quiet {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if _, err := fmt.Fprintf(e.stdout, "%s (%s)\n", filepath.Join(o.out, name), size(len(files[name]))); err != nil {
			return err
		}
	}
	return nil
}
