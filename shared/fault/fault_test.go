package fault_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"mppm/shared/ambient"
	"mppm/shared/ambient/ambienttest"
	"mppm/shared/classifier"
	"mppm/shared/classifier/classifiertest"
	"mppm/shared/fault"
	"mppm/shared/latent"
	"mppm/shared/latent/latenttest"
	"mppm/shared/ldm"
	"mppm/shared/ldm/ldmtest"
	"mppm/shared/safetensors"
)

// kinds are what weights that cannot be loaded are told apart by.
var kinds = []error{fault.ErrDamaged, fault.ErrKind, fault.ErrMetadata, fault.ErrTensor, fault.ErrNotFinite}

// only returns an error unless err is of one kind alone, and says something.
func only(err, kind error) error {
	if err == nil || strings.TrimSpace(err.Error()) == "" {
		return errors.New("there is no error")
	}
	for _, k := range kinds {
		if errors.Is(err, k) != (k == kind) {
			return fmt.Errorf("whether it is %q is %v: %w", k, errors.Is(err, k), err)
		}
	}
	return nil
}

// TestWeights: every way to spoil weights is told apart, by every package that loads some.
func TestWeights(t *testing.T) {
	for _, m := range []struct {
		name string
		file *safetensors.File
		load func([]byte) error
	}{
		{"latent", latenttest.File(1), func(b []byte) error { _, err := latent.Load(b); return err }},
		{"classifier", classifiertest.File(1), func(b []byte) error { _, err := classifier.Load(b); return err }},
		{"ambient", ambienttest.File(1), func(b []byte) error { _, err := ambient.Load(b); return err }},
		{"ldm", ldmtest.File(1), func(b []byte) error { _, err := ldm.Load(b); return err }},
	} {
		whole, err := m.file.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if err := m.load(whole); err != nil {
			t.Fatalf("%s: %v", m.name, err)
		}
		check := func(what string, b []byte, kind error) {
			t.Helper()
			if err := only(m.load(b), kind); err != nil {
				t.Errorf("%s, %s: %v", m.name, what, err)
			}
		}
		check("of nothing", nil, fault.ErrDamaged)
		check("of text", []byte("this is a text, and no file of weights"), fault.ErrDamaged)
		for _, n := range []int{1, 8, 100, len(whole) / 2, len(whole) - 1} {
			check(fmt.Sprintf("cut off after %d bytes", n), whole[:n], fault.ErrDamaged)
		}
		check("longer", append(slices.Clone(whole), 0), fault.ErrDamaged)
		// spoilt checks a copy of the file that is changed.
		spoilt := func(what string, change func(*safetensors.File), kind error) {
			t.Helper()
			f, err := safetensors.Parse(slices.Clone(whole))
			if err != nil {
				t.Fatal(err)
			}
			change(f)
			b, err := f.Encode()
			if err != nil {
				t.Fatal(err)
			}
			check(what, b, kind)
		}
		spoilt("of no kind", func(f *safetensors.File) { delete(f.Meta, "kind") }, fault.ErrKind)
		spoilt("of another kind", func(f *safetensors.File) { f.Meta["kind"] = "poems" }, fault.ErrKind)
		for _, key := range slices.Sorted(maps.Keys(m.file.Meta)) {
			if key != "kind" {
				spoilt("with nonsense in "+key, func(f *safetensors.File) { f.Meta[key] = "nonsense" }, fault.ErrMetadata)
			}
		}
		for i, tensor := range m.file.Tensors {
			if strings.HasPrefix(tensor.Name, "map.") || tensor.Name == "bank.labels" {
				continue // may be missing
			}
			spoilt("without "+tensor.Name, func(f *safetensors.File) {
				f.Tensors = slices.DeleteFunc(f.Tensors, func(t safetensors.Tensor) bool { return t.Name == tensor.Name })
			}, fault.ErrTensor)
			spoilt("with another shape of "+tensor.Name, func(f *safetensors.File) {
				at := slices.IndexFunc(f.Tensors, func(t safetensors.Tensor) bool { return t.Name == tensor.Name })
				f.Tensors[at].Shape = append([]int{1, 1}, tensor.Shape...)
			}, fault.ErrTensor)
			if i > 0 && tensor.DType == safetensors.F32 {
				spoilt("with NaN in "+tensor.Name, func(f *safetensors.File) {
					at := slices.IndexFunc(f.Tensors, func(t safetensors.Tensor) bool { return t.Name == tensor.Name })
					binary.LittleEndian.PutUint32(f.Tensors[at].Data, math.Float32bits(float32(math.NaN())))
				}, fault.ErrNotFinite)
			}
		}
	}
}

// TestNew: an error is of its kind, and of what it wraps.
func TestNew(t *testing.T) {
	err := fault.New(fault.ErrTensor, "tensor %q: %w", "z", fs.ErrNotExist)
	if err.Error() != `tensor "z": file does not exist` || !errors.Is(err, fault.ErrTensor) || !errors.Is(err, fs.ErrNotExist) || errors.Is(err, fault.ErrKind) {
		t.Errorf("%v", err)
	}
	if err := fmt.Errorf("the model: %w", err); !errors.Is(err, fault.ErrTensor) {
		t.Errorf("%v is not what it wraps", err)
	}
}
