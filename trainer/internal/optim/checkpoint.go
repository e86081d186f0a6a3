package optim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"mppm/shared/nn"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/atomicfile"
	"mppm/trainer/internal/bounded"
)

const checkpointName = "checkpoint.safetensors"

// maxCheckpoint bounds the size of a checkpoint, far above those of the widest
// nets that can be asked for.
const maxCheckpoint = 32 << 30

// ErrNoCheckpoint says that a folder holds no run.
var ErrNoCheckpoint = errors.New("no checkpoint there")

// Claim makes dir, if need be, for a new run. It returns an error if dir holds a
// run already, so that hours of work are not lost to a typing error, or cannot
// be written.
func Claim(dir string) error {
	path := filepath.Join(dir, checkpointName)
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("%s holds a run; --resume goes on with it, or choose another folder with --out", dir)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return atomicfile.Writable(path)
}

// Checkpoint is the state of a run: that of its parameters, and what the kind of
// run needs besides.
type Checkpoint struct {
	path string
	file *safetensors.File
}

// Open reads the checkpoint in dir. It returns ErrNoCheckpoint, wrapped, if
// there is none.
func Open(dir string) (*Checkpoint, error) {
	path := filepath.Join(dir, checkpointName)
	b, err := bounded.ReadFile(path, maxCheckpoint, safetensors.CheckStart)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", dir, ErrNoCheckpoint)
	}
	if err != nil {
		return nil, err
	}
	f, err := safetensors.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &Checkpoint{path, f}, nil
}

// Kind returns what kind of run the checkpoint says it is of.
func (c *Checkpoint) Kind() string { return c.file.Meta["kind"] }

// State decodes the run's state into state, if the checkpoint is of that kind.
func (c *Checkpoint) State(kind string, state any) error {
	if k := c.Kind(); k != kind {
		return c.Wrap(fmt.Errorf("the kind is %q, not %q: this is not a checkpoint of such a run", k, kind))
	}
	if err := json.Unmarshal([]byte(c.file.Meta["state"]), state); err != nil {
		return c.Wrap(fmt.Errorf("the state: %w", err))
	}
	return nil
}

// Has reports whether the checkpoint holds a tensor of that name.
func (c *Checkpoint) Has(name string) bool {
	_, ok := c.file.Lookup(name)
	return ok
}

// Parameters reads the parameters and their moments, whose names and shapes
// params gives.
func (c *Checkpoint) Parameters(params []*Parameter) error {
	for _, p := range params {
		for prefix, dst := range map[string][]float32{"": p.Data, "adam.m.": p.M, "adam.v.": p.V} {
			data, err := c.file.Float32(prefix+p.Name, p.Shape...)
			if err != nil {
				return c.Wrap(err)
			}
			copy(dst, data)
		}
	}
	return nil
}

// Buffer is a tensor of a run that no gradient changes.
type Buffer struct {
	nn.Spec
	Data []float32
}

// Buffers reads buffers, whose names and shapes are given.
func (c *Checkpoint) Buffers(buffers []Buffer) error {
	for _, b := range buffers {
		data, err := c.file.Float32(b.Name, b.Shape...)
		if err != nil {
			return c.Wrap(err)
		}
		copy(b.Data, data)
	}
	return nil
}

// Wrap names the checkpoint's file in an error about what it holds.
func (c *Checkpoint) Wrap(err error) error { return fmt.Errorf("%s: %w", c.path, err) }

// CheckData returns an error if checksums, which a checkpoint names, are not those
// of the data at hand.
func CheckData(checksums, have map[string]string) error {
	for name, sum := range checksums {
		if got := have[name]; got != sum {
			return fmt.Errorf("the run was trained on other data: %s had MD5 %s, and now has %q; give the same with --data", name, sum, got)
		}
	}
	return nil
}

// Save writes the checkpoint of a run to dir, whole or not at all.
func Save(dir, kind string, state any, params []*Parameter, buffers ...Buffer) error {
	f, err := file(kind, state, params, buffers)
	if err == nil {
		err = atomicfile.Write(filepath.Join(dir, checkpointName), func(w io.Writer) error {
			_, err := f.WriteTo(w)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("saving the checkpoint: %w", err)
	}
	return nil
}

// file returns a checkpoint's file, to which the parameters' numbers are lent.
func file(kind string, state any, params []*Parameter, buffers []Buffer) (*safetensors.File, error) {
	s, err := json.Marshal(state)
	if err != nil {
		return nil, err
	}
	f := &safetensors.File{Meta: map[string]string{"kind": kind, "state": string(s)}}
	for _, p := range params {
		for _, t := range []struct {
			prefix string
			data   []float32
		}{{"", p.Data}, {"adam.m.", p.M}, {"adam.v.", p.V}} {
			if err := f.LendFloat32(t.prefix+p.Name, t.data, p.Shape...); err != nil {
				return nil, err
			}
		}
	}
	for _, b := range buffers {
		if err := f.LendFloat32(b.Name, b.Data, b.Shape...); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// Copy is Export of the tensors of a file. It returns an error if one cannot be read as
// numbers of 32 bits.
func Copy(f, tensors *safetensors.File, float bool) error {
	var params []*Parameter
	for _, v := range tensors.Tensors {
		data, err := tensors.Float32(v.Name, v.Shape...)
		if err != nil {
			return err
		}
		params = append(params, &Parameter{Spec: nn.Spec{Name: v.Name, Shape: v.Shape}, Data: data})
	}
	return Export(f, float, params)
}

// Export adds the numbers of parameters and buffers to a weights file: in eight bits
// those with an output channel each, unless float is set, and all others in 32.
func Export(f *safetensors.File, float bool, params []*Parameter, buffers ...Buffer) error {
	for _, p := range params {
		add := f.AddInt8
		if float || len(p.Shape) == 1 {
			add = f.AddFloat32
		}
		if err := add(p.Name, p.Data, p.Shape...); err != nil {
			return err
		}
	}
	for _, b := range buffers {
		if err := f.AddFloat32(b.Name, b.Data, b.Shape...); err != nil {
			return err
		}
	}
	return nil
}
