// Package safetensors reads and writes safetensors files, the container of the
// project's weights: named tensors that any tool can open, with string metadata.
//
// A file is 8 bytes of header length N (little-endian), N bytes of JSON, and
// the tensors' bytes, little-endian and row-major, which the JSON's offsets
// cover without gap or overlap. The format is specified at
// https://github.com/huggingface/safetensors.
//
// Weights may be stored in eight bits: an I8 tensor called name, and beside it
// an F32 tensor called name.scale with one scale for each index of axis 0, the
// output channel. The value is the product of the two. Float32 reads both kinds
// alike.
package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"unicode/utf8"

	"mppm/shared/fault"
)

// DType is the type of a tensor's elements, as the file spells it.
type DType string

// The types that this package gives a meaning to. Parse knows all of the
// format's types, so that a file may hold others.
const (
	F32 DType = "F32" // IEEE 754 single precision
	I8  DType = "I8"  // signed bytes, scaled by the tensor name.scale
	U8  DType = "U8"  // unsigned bytes
)

// bitsOf has the size of an element of each type. Those of less than a byte are
// packed; a tensor of them still has a whole number of bytes.
var bitsOf = map[DType]uint64{
	"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
	"BOOL": 8, U8: 8, I8: 8,
	"F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E5M2FNUZ": 8, "F8_E4M3FNUZ": 8,
	"I16": 16, "U16": 16, "F16": 16, "BF16": 16,
	"I32": 32, "U32": 32, F32: 32,
	"I64": 64, "U64": 64, "F64": 64, "C64": 64,
}

const (
	metaKey     = "__metadata__" // the header's one key that is no tensor
	scaleSuffix = ".scale"

	// maxHeader is the limit of the reference implementation.
	maxHeader = 100_000_000
)

// Tensor is one array. len(Data) is the product of Shape times the size of an
// element; no shape is a scalar, one element. From Parse, Data aliases the
// file's bytes.
type Tensor struct {
	Name  string
	DType DType
	Shape []int
	Data  []byte // little-endian, row-major
}

// File is what one file holds. The zero value is an empty file, ready for the
// Add methods.
type File struct {
	Tensors []Tensor          // from Parse, in the order of their bytes
	Meta    map[string]string // may be nil

	lent map[string][]float32 // numbers of tensors without Data, by name
}

// size returns how many bytes the numbers of a tensor of the file have.
func (f *File) size(t Tensor) int { return len(t.Data) + 4*len(f.lent[t.Name]) }

// Lookup returns the tensor of that name.
func (f *File) Lookup(name string) (Tensor, bool) {
	for _, t := range f.Tensors {
		if t.Name == name {
			return t, true
		}
	}
	return Tensor{}, false
}

// get returns the tensor of that name if it has that type and exactly that
// shape, and as many bytes.
func (f *File) get(name string, shape []int, types ...DType) (Tensor, error) {
	t, ok := f.Lookup(name)
	if !ok {
		return Tensor{}, fault.New(fault.ErrTensor, "safetensors: there is no tensor %q", name)
	}
	if !slices.Contains(types, t.DType) {
		return Tensor{}, fault.New(fault.ErrTensor, "safetensors: tensor %q is of type %s, want %s", name, t.DType, join(types))
	}
	if !slices.Equal(t.Shape, shape) {
		return Tensor{}, fault.New(fault.ErrTensor, "safetensors: tensor %q has shape %v, want %v", name, t.Shape, shape)
	}
	size, err := byteSize(t.DType, t.Shape)
	if err != nil {
		return Tensor{}, fault.New(fault.ErrTensor, "safetensors: tensor %q: %w", name, err)
	}
	if uint64(len(t.Data)) != size {
		return Tensor{}, fault.New(fault.ErrTensor, "safetensors: tensor %q: shape %v of %s needs %d bytes, it has %d", name, t.Shape, t.DType, size, len(t.Data))
	}
	return t, nil
}

func join(types []DType) string {
	s := string(types[0])
	for _, t := range types[1:] {
		s += " or " + string(t)
	}
	return s
}

// Float32 returns a copy of the values of the tensor of that name, which must
// have exactly that shape, and be F32, or I8 with its scales in name.scale. It
// returns an error if a value is NaN or infinite, or a scale negative.
func (f *File) Float32(name string, shape ...int) ([]float32, error) {
	t, err := f.get(name, shape, F32, I8)
	if err != nil {
		return nil, err
	}
	if t.DType == F32 {
		return f.floats(t)
	}
	if len(shape) == 0 {
		return nil, fault.New(fault.ErrTensor, "safetensors: tensor %q is an I8 scalar; it has no axis 0 to be scaled along", name)
	}
	st, err := f.get(name+scaleSuffix, shape[:1], F32)
	if err != nil {
		return nil, fmt.Errorf("%w (the scales of I8 tensor %q)", err, name)
	}
	scales, err := f.floats(st)
	if err != nil {
		return nil, err
	}
	out := make([]float32, len(t.Data))
	for c, s := range scales {
		if s < 0 {
			return nil, fault.New(fault.ErrTensor, "safetensors: tensor %q: scale %d is negative: %v", st.Name, c, s)
		}
		n := len(out) / len(scales)
		for i := c * n; i < (c+1)*n; i++ {
			v := float32(int8(t.Data[i])) * s
			if !finite(v) {
				return nil, fault.New(fault.ErrNotFinite, "safetensors: tensor %q: element %d, %d times scale %v, is not a finite float32", name, i, int8(t.Data[i]), s)
			}
			out[i] = v
		}
	}
	return out, nil
}

// floats decodes an F32 tensor, all of whose values must be finite.
func (f *File) floats(t Tensor) ([]float32, error) {
	out := make([]float32, len(t.Data)/4)
	for i := range out {
		v := math.Float32frombits(binary.LittleEndian.Uint32(t.Data[4*i:]))
		if !finite(v) {
			return nil, fault.New(fault.ErrNotFinite, "safetensors: tensor %q: element %d is %v; the file is damaged or its training diverged", t.Name, i, v)
		}
		out[i] = v
	}
	return out, nil
}

// Uint8 returns a copy of the values of the U8 tensor of that name, which must
// have exactly that shape.
func (f *File) Uint8(name string, shape ...int) ([]byte, error) {
	t, err := f.get(name, shape, U8)
	if err != nil {
		return nil, err
	}
	return append([]byte{}, t.Data...), nil
}

// AddFloat32 adds a copy of data as an F32 tensor. No shape means a scalar. It
// returns an error, and adds nothing, if the name is taken, the shape does not
// fit or a value is not finite.
func (f *File) AddFloat32(name string, data []float32, shape ...int) error {
	if err := f.addable(name, len(data), shape); err != nil {
		return err
	}
	if err := allFinite(name, data); err != nil {
		return err
	}
	f.add(name, F32, appendFloats(nil, data), shape)
	return nil
}

// LendFloat32 is AddFloat32 without the copy, for what is written at once: the tensor has
// no Data, Float32 does not find it, and data must stay as it is until the file is written.
func (f *File) LendFloat32(name string, data []float32, shape ...int) error {
	if err := f.addable(name, len(data), shape); err != nil {
		return err
	}
	if err := allFinite(name, data); err != nil {
		return err
	}
	f.add(name, F32, nil, shape)
	if f.lent == nil {
		f.lent = map[string][]float32{}
	}
	f.lent[name] = data
	return nil
}

// AddInt8 adds data as an I8 tensor, with its scales as name.scale. The
// quantization is symmetric: for each index of axis 0 the scale is the largest
// magnitude over 127, and q = x/scale rounded half to even, -127 to 127. So no
// value is off by more than half a scale. Where all values are 0, or too small
// for a scale, so is the scale. It returns an error, and adds nothing, if a name
// is taken, the shape does not fit or a value is not finite.
func (f *File) AddInt8(name string, data []float32, shape ...int) error {
	if err := f.addable(name, len(data), shape); err != nil {
		return err
	}
	if len(shape) == 0 {
		return fmt.Errorf("safetensors: tensor %q is a scalar; quantizing needs an axis 0", name)
	}
	if err := f.addable(name+scaleSuffix, shape[0], shape[:1]); err != nil {
		return err
	}
	if err := allFinite(name, data); err != nil {
		return err
	}
	q := make([]byte, len(data))
	scales := make([]float32, shape[0])
	n := 0
	if shape[0] > 0 {
		n = len(data) / shape[0]
	}
	for c := range scales {
		scales[c] = quantize(q[c*n:(c+1)*n], data[c*n:(c+1)*n])
	}
	f.add(name, I8, q, shape)
	f.add(name+scaleSuffix, F32, appendFloats(nil, scales), shape[:1])
	return nil
}

// quantize writes the signed bytes of x to q, and returns their scale. float64
// holds the quotients exactly enough that ties are those of the float32s.
func quantize(q []byte, x []float32) float32 {
	var peak float64
	for _, v := range x {
		peak = max(peak, math.Abs(float64(v)))
	}
	scale := float32(peak / 127)
	if !finite(127 * scale) { // the quotient was rounded up at the very end of the range
		scale = math.Nextafter32(scale, 0)
	}
	if scale == 0 {
		return 0
	}
	for i, v := range x {
		r := math.RoundToEven(float64(v) / float64(scale))
		// A denormal scale is coarse, and then the quotient can pass 127.
		q[i] = byte(int8(min(max(r, -127), 127)))
	}
	return scale
}

// AddUint8 adds a copy of data as a U8 tensor, under the rules of AddFloat32.
func (f *File) AddUint8(name string, data []byte, shape ...int) error {
	if err := f.addable(name, len(data), shape); err != nil {
		return err
	}
	f.add(name, U8, append([]byte{}, data...), shape)
	return nil
}

// addable says whether a tensor of n elements may be added under that name.
func (f *File) addable(name string, n int, shape []int) error {
	if err := checkName(name); err != nil {
		return err
	}
	if _, taken := f.Lookup(name); taken {
		return fmt.Errorf("safetensors: there is a tensor %q already", name)
	}
	size, err := byteSize(U8, shape) // a byte each: the number of elements
	if err != nil {
		return fmt.Errorf("safetensors: tensor %q: %w", name, err)
	}
	if size != uint64(n) {
		return fmt.Errorf("safetensors: tensor %q: shape %v has %d elements, the data %d", name, shape, size, n)
	}
	return nil
}

func (f *File) add(name string, typ DType, data []byte, shape []int) {
	f.Tensors = append(f.Tensors, Tensor{Name: name, DType: typ, Shape: slices.Clone(shape), Data: data})
}

func checkName(name string) error {
	if name == metaKey {
		return fmt.Errorf("safetensors: a tensor cannot be called %q, the name of the metadata", name)
	}
	if !utf8.ValidString(name) {
		return fmt.Errorf("safetensors: the name %q is not UTF-8", name)
	}
	return nil
}

func allFinite(name string, data []float32) error {
	for i, v := range data {
		if !finite(v) {
			return fault.New(fault.ErrNotFinite, "safetensors: tensor %q: element %d is %v; only finite values are written", name, i, v)
		}
	}
	return nil
}

// finite looks at the bits: v-v == 0 is wrong for a product v where the compiler
// fuses the two operations.
func finite(v float32) bool {
	const exponent = 0x7f800000
	return math.Float32bits(v)&exponent != exponent
}

func appendFloats(b []byte, data []float32) []byte {
	b = slices.Grow(b, 4*len(data))
	for _, v := range data {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

// byteSize returns the size in bytes of an array, or an error if the type is
// unknown, a dimension negative, or the product past what the file can say.
func byteSize(typ DType, shape []int) (uint64, error) {
	width, ok := bitsOf[typ]
	if !ok {
		return 0, fmt.Errorf("%q is no element type of the format", string(typ))
	}
	n := width
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("shape %v has a negative dimension", shape)
		}
		hi, lo := bits.Mul64(n, uint64(d))
		if hi != 0 {
			return 0, fmt.Errorf("shape %v of %s overflows", shape, typ)
		}
		n = lo
	}
	if n%8 != 0 {
		return 0, fmt.Errorf("shape %v of %s is not a whole number of bytes", shape, typ)
	}
	return n / 8, nil
}
