package torch

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mppm/shared/latent"
	"mppm/shared/latent/latenttest"
	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
	"mppm/shared/unet"
	"mppm/trainer/internal/torch/torchtest"
	"mppm/weights"
)

func parsed(t *testing.T, b []byte) *safetensors.File {
	t.Helper()
	f, err := safetensors.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// nets are all nets of a model, D among them.
func nets(t *testing.T, f *safetensors.File) []*nn.Net {
	t.Helper()
	n, err := latent.Described(f.Meta)
	if err != nil {
		t.Fatal(err)
	}
	d, err := nn.LoadMLP(f, "distance", n.F.Out().Size(), 1, nn.Activation(f.Meta["distance.activation"]))
	if err != nil {
		t.Fatal(err)
	}
	return append(n.All(), d.Net)
}

// same fails unless a file has the tensors of the nets as f has them, to the bit.
func same(t *testing.T, what string, got, f *safetensors.File, nets []*nn.Net) {
	t.Helper()
	for _, n := range nets {
		for _, s := range append(n.Specs(), n.Buffers()...) {
			want, err := f.Float32(s.Name, s.Shape...)
			if err != nil {
				t.Fatal(err)
			}
			if have, err := got.Float32(s.Name, s.Shape...); err != nil || !slices.Equal(have, want) {
				t.Errorf("%s: %s is another (%v)", what, s.Name, err)
			}
		}
	}
}

// TestRead: tensors that were laid out number by number come back, those of batch norm and
// of layers between images and vectors too.
func TestRead(t *testing.T) {
	u, err := unet.New(nn.Shape{H: 12, W: 8, C: 3}, unet.Config{Channels: []int{4, 6}, Latent: 5, Chart: 4})
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]*safetensors.File{"digits": parsed(t, weights.MNIST), "a U-Net": latenttest.FileOf(1, u)} {
		all := nets(t, f)
		in, err := torchtest.File(f, nil, all...)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Read(in, all...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		same(t, name, got, f, all)
	}
}

// TestTypes: numbers of 64 and of 16 bits are those of 32.
func TestTypes(t *testing.T) {
	net := nn.Must(nn.New(nn.Vector(2), nn.Linear{Name: "a", Out: nn.Vector(2)}))
	values := []float64{1.5, -0.25, 0, 0x1p-24}
	for kind, put := range map[safetensors.DType]func(float64) []byte{
		"F64": func(v float64) []byte { return binary.LittleEndian.AppendUint64(nil, math.Float64bits(v)) },
		"F32": func(v float64) []byte { return binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(v))) },
		"BF16": func(v float64) []byte {
			return binary.LittleEndian.AppendUint16(nil, uint16(math.Float32bits(float32(v))>>16))
		},
		"F16": func(v float64) []byte {
			return binary.LittleEndian.AppendUint16(nil, map[float64]uint16{1.5: 0x3e00, -0.25: 0xb400, 0: 0, 0x1p-24: 1}[v])
		},
	} {
		f := new(safetensors.File)
		var data []byte
		for _, v := range values {
			data = append(data, put(v)...)
		}
		f.Tensors = []safetensors.Tensor{{Name: "a.weight", DType: kind, Shape: []int{2, 2}, Data: data}, {Name: "a.bias", DType: kind, Shape: []int{2}, Data: data[:len(data)/2]}}
		out, err := Read(f, net)
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		got, err := out.Float32("a.weight", 2, 2)
		for i, v := range values {
			if err != nil || float64(got[i]) != v {
				t.Errorf("%s: number %d is %v, want %v (%v)", kind, i, got[i], v, err)
			}
		}
	}
}

// TestRefused: what is wrong with a file is said, with the tensor and what it should be.
func TestRefused(t *testing.T) {
	net := nn.Must(nn.New(nn.Shape{H: 4, W: 4, C: 1}, nn.Conv{Name: "a", Window: nn.Halving, Out: 2}))
	good := func() *safetensors.File {
		f := new(safetensors.File)
		if err := add(f, []int{2, 1, 3, 3}); err != nil {
			t.Fatal(err)
		}
		return f
	}
	for want, spoil := range map[string]func(*safetensors.File){
		`no tensor "a.bias"`:       func(f *safetensors.File) { f.Tensors = f.Tensors[:1] },
		"nn.Conv2d; the file has ": func(f *safetensors.File) { f.Tensors = f.Tensors[1:] },
		"want [2 1 3 3]":           func(f *safetensors.File) { f.Tensors[0].Shape = []int{2, 3, 3, 1} },
		"of type I8":               func(f *safetensors.File) { f.Tensors[0].DType = "I8" },
		"of no layer": func(f *safetensors.File) {
			f.Tensors = append(f.Tensors, safetensors.Tensor{Name: "b", DType: "F32", Shape: []int{0}})
		},
		"has 4 bytes; want 72": func(f *safetensors.File) { f.Tensors[0].Data = f.Tensors[0].Data[:4] },
		"number 1 is NaN":      func(f *safetensors.File) { copy(f.Tensors[1].Data[4:], []byte{0, 0, 0xc0, 0x7f}) },
	} {
		f := good()
		spoil(f)
		if _, err := Read(f, net); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	f := good()
	f.Tensors = append(f.Tensors, safetensors.Tensor{Name: "a.num_batches_tracked", DType: "I64", Data: make([]byte, 8)})
	if _, err := Read(f, net); err != nil {
		t.Errorf("a counter of batch norm: %v", err)
	}
}

func add(f *safetensors.File, shape []int) error {
	size := 1
	for _, d := range shape {
		size *= d
	}
	f.Tensors = append(f.Tensors,
		safetensors.Tensor{Name: "a.weight", DType: "F32", Shape: shape, Data: make([]byte, 4*size)},
		safetensors.Tensor{Name: "a.bias", DType: "F32", Shape: []int{2}, Data: make([]byte, 8)})
	return nil
}

// python returns a Python with PyTorch, or skips the test.
func python(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(name, "-c", "import torch, numpy").Run() == nil {
			return name
		}
	}
	t.Skip("python3 finds no torch and numpy (on Debian and Ubuntu python3-torch and python3-numpy)")
	return ""
}

// flipped returns n images with the channels first, of ones with the channels last, or the
// other way round.
func flipped(x []float32, s nn.Shape, first bool) []float32 {
	out := make([]float32, len(x))
	area := s.H * s.W
	for i := range x {
		image, at := i/s.Size(), i%s.Size()
		to := image*s.Size() + at%s.C*area + at/s.C
		if first {
			out[to] = x[i]
		} else {
			out[i] = x[to]
		}
	}
	return out
}

// TestPyTorch runs the program of docs/interop.md: nets of this project in PyTorch make
// what they make here, and so do those of PyTorch here.
func TestPyTorch(t *testing.T) {
	py := python(t)
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	script := filepath.Join("..", "..", "..", "docs", "interop", "mppm_torch.py")
	call := func(args ...string) {
		t.Helper()
		if out, err := exec.Command(py, append([]string{script}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", args, err, out)
		}
	}
	load := func(name string) *safetensors.File {
		t.Helper()
		b, err := os.ReadFile(at(name))
		if err != nil {
			t.Fatal(err)
		}
		return parsed(t, b)
	}
	type value struct {
		name  string
		shape nn.Shape
		data  []float32
	}
	const n = 3
	put := func(file string, values ...value) {
		t.Helper()
		f := new(safetensors.File)
		for _, v := range values {
			shape := []int{n, v.shape.C, v.shape.H, v.shape.W}
			if v.shape.H*v.shape.W == 1 {
				shape = shape[:2]
			}
			if err := f.AddFloat32(v.name, flipped(v.data, v.shape, true), shape...); err != nil {
				t.Fatal(err)
			}
		}
		b, err := f.Encode()
		if err == nil {
			err = os.WriteFile(at(file), b, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	near := func(what string, f *safetensors.File, v value) {
		t.Helper()
		tensor, ok := f.Lookup(v.name)
		if !ok {
			t.Fatalf("%s: there is no %s", what, v.name)
		}
		got, err := f.Float32(v.name, tensor.Shape...)
		if err != nil || len(got) != len(v.data) {
			t.Fatalf("%s: %d numbers, want %d (%v)", what, len(got), len(v.data), err)
		}
		got = flipped(got, v.shape, false)
		largest, off := 1.0, 0.0
		for i, w := range v.data {
			largest, off = max(largest, math.Abs(float64(w))), max(off, math.Abs(float64(got[i]-w)))
		}
		if !(off <= 1e-5*largest) {
			t.Errorf("%s: %s is off by %.2g, of numbers up to %.3g", what, v.name, off, largest)
		}
		t.Logf("%s: %s is off by %.2g, of numbers up to %.3g", what, v.name, off, largest)
	}
	random := func(name string, s nn.Shape) value {
		v := value{name, s, make([]float32, n*s.Size())}
		src := rng.New(1, uint64(s.Size()))
		for i := range v.data {
			v.data[i] = src.Float32()
		}
		return v
	}

	// From here to there.
	var jobs []string
	wants := map[string]value{}
	for name, b := range map[string][]byte{"digits": weights.MNIST, "faces": weights.Faces} {
		f := parsed(t, b)
		if err := os.WriteFile(at(name), b, 0o644); err != nil {
			t.Fatal(err)
		}
		all := nets(t, f)
		for i, net := range all {
			letter := []string{"F", "G", "P", "L"}[min(i, 3)]
			if i == len(all)-1 {
				letter = "D"
			}
			in := []value{random("in", net.In())}
			var side [][]float32
			for _, v := range net.Inputs()[1:] {
				x := random(inputName(net, v), net.Shape(v))
				in, side = append(in, x), append(side, x.data)
			}
			fn, err := net.Load(f)
			if err != nil {
				t.Fatal(err)
			}
			want := value{"out", net.Out(), make([]float32, n*net.Out().Size())}
			fn.Runner(n).Forward(want.data, in[0].data, side...)
			job := name + "-" + letter
			put(job+".in", in...)
			jobs, wants[job] = append(jobs, letter, at(name), at(job+".in"), at(job)), want
		}
		// And back, to the bit.
		call("to-torch", at(name), at("there"))
		got, err := Read(load("there"), all...)
		if err != nil {
			t.Fatal(err)
		}
		same(t, name, got, f, all)
	}
	call(append([]string{"run"}, jobs...)...)
	for job, want := range wants {
		near(job, load(job), want)
	}

	// From there to here: nets in plain PyTorch, and what they make.
	call("new", at("plain"), "7")
	d, err := latent.Distance(latent.DigitLatent, []int{100, 50, 20}, nn.SiLU)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Read(load("plain"), latent.F, latent.G, d)
	if err != nil {
		t.Fatal(err)
	}
	made := load("plain.made")
	x, err := made.Float32("x", 4, 1, 28, 28)
	if err != nil {
		t.Fatal(err)
	}
	z, err := made.Float32("z", 4, latent.DigitLatent)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		net  *nn.Net
		in   []float32
		made string
	}{{latent.F, x, "z"}, {latent.G, z, "y"}, {d, z, "d"}} {
		fn, err := c.net.Load(f)
		if err != nil {
			t.Fatal(err)
		}
		y := make([]float32, 4*c.net.Out().Size())
		fn.Runner(4).Forward(y, c.in)
		near("plain PyTorch", made, value{c.made, c.net.Out(), y})
	}
}

// inputName is the name of a net's further input.
func inputName(n *nn.Net, value int) string {
	for _, l := range n.Layers() {
		if in, ok := l.(nn.Input); ok {
			if v, _ := n.Value(in.Name); v == value {
				return in.Name
			}
		}
	}
	return fmt.Sprint(value)
}
