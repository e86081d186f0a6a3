package ambient

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"mppm/shared/ambient"
	"mppm/shared/safetensors"
)

// Start is what a run begins with in place of nets that are drawn: those of a weights
// file, or of a checkpoint's best epochs.
type Start struct {
	Config Config // of the run that the file is of
	file   *safetensors.File
	sum    string
}

// ReadStart reads the bytes of a weights file or checkpoint. It trusts nothing in them.
func ReadStart(b []byte) (*Start, error) {
	f, err := safetensors.Parse(b)
	if err != nil {
		return nil, err
	}
	s := &Start{file: f}
	switch kind := f.Meta["kind"]; kind {
	case ambient.Kind:
		err = json.Unmarshal([]byte(f.Meta["training"]), &s.Config)
	case CheckpointKind:
		var was state
		err = json.Unmarshal([]byte(f.Meta["state"]), &was)
		s.Config = was.Config
	default:
		return nil, fmt.Errorf("its kind is %q; give weights of train points, or a checkpoint of it", kind)
	}
	if err == nil {
		err = s.Config.Validate()
	}
	if err != nil {
		return nil, fmt.Errorf("its settings: %w", err)
	}
	sum := sha256.Sum256(b)
	s.sum = hex.EncodeToString(sum[:])
	return s, nil
}

// Shape gives a configuration the nets of the file.
func (s *Start) Shape(c *Config) {
	c.Latent, c.Hidden, c.Distance, c.Denoiser, c.Activation = s.Config.Latent, s.Config.Hidden, s.Config.Distance, s.Config.Denoiser, s.Config.Activation
}

// From has the run begin with the nets of a file. The configuration then names it. Nets
// of other shapes are an error of Plan.
func (t *Task) From(s *Start) {
	t.from, t.Config.From = s.file, s.sum
}

// begun gives the parameters the numbers of the file that the run begins with.
func (t *Task) begun() error {
	prefix := ""
	if t.from.Meta["kind"] == CheckpointKind {
		prefix = best
	}
	for m := range methods {
		for _, p := range t.params[m] {
			data, err := t.from.Float32(prefix+p.Name, p.Shape...)
			if err != nil {
				return fmt.Errorf("the nets to begin with are of other shapes, or of points of other dimensions: %w", err)
			}
			copy(p.Data, data)
		}
	}
	return nil
}
