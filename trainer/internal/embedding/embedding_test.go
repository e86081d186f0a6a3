package embedding

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mppm/shared/nn"
	"mppm/shared/nn/nntest"
	"mppm/shared/safetensors"
)

// file is a small net for pictures of 8 × 8, with what the metadata is to say besides.
func file(t *testing.T, meta map[string]string, layers ...nn.Layer) []byte {
	t.Helper()
	if layers == nil {
		layers = []nn.Layer{
			nn.Conv{Name: "a", Window: nn.Halving, Out: 4}, nn.ReLU,
			nn.Linear{Name: "b", Out: nn.Vector(5)}, nn.Keep("embedding"), nn.Linear{Name: "c", Out: nn.Vector(3)},
		}
	}
	n, err := nn.New(nn.Shape{H: 8, W: 8, C: 3}, layers...)
	if err != nil {
		t.Fatal(err)
	}
	f := nntest.File(1, n)
	f.Meta = map[string]string{}
	if err := Describe(f.Meta, n, "a net"); err != nil {
		t.Fatal(err)
	}
	for k, v := range meta {
		f.Meta[k] = v
	}
	b, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func images(n int, s nn.Shape) []byte {
	b := make([]byte, n*s.Size())
	for i := range b {
		b[i] = byte(i*i*7 + i)
	}
	return b
}

var own = nn.Shape{H: 8, W: 8, C: 3}

// TestEmbed holds the numbers to those of the net itself: of the value that it keeps,
// scaled as the metadata says, or as the options do.
func TestEmbed(t *testing.T) {
	b := file(t, map[string]string{meanKey: "[0.5]", stdKey: "[0.25, 0.5, 1]"})
	f, err := safetensors.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	net, err := nn.Parse(f.Meta[netKey])
	if err != nil {
		t.Fatal(err)
	}
	const n = 2*batch + 3
	pixels := images(n, own)
	want := func(mean, std []float32) []float64 {
		x := make([]float32, len(pixels))
		for i, v := range pixels {
			x[i] = (float32(v)/255 - mean[i%3]) / std[i%3]
		}
		v, _ := net.Value("embedding")
		return nntest.Forward(t, net, f, n, x)[v]
	}
	for what, c := range map[string]struct {
		o         Options
		mean, std []float32
	}{
		"metadata": {Options{}, []float32{0.5, 0.5, 0.5}, []float32{0.25, 0.5, 1}},
		"options":  {Options{Mean: []float64{0.1, 0.2, 0.3}, Std: []float64{2}}, []float32{0.1, 0.2, 0.3}, []float32{2, 2, 2}},
	} {
		e, err := Load(b, "file", c.o)
		if err != nil {
			t.Fatal(err)
		}
		if e.Width() != 5 || e.Name() != "a net" || e.In() != own {
			t.Errorf("%s: %d numbers of %q, of pictures of %v", what, e.Width(), e.Name(), e.In())
		}
		got, err := e.Embed(t.Context(), own, pixels)
		if err != nil {
			t.Fatal(err)
		}
		nntest.Near(t, what, got, want(c.mean, c.std), 1e-4)
	}
}

// TestOtherShapes: pictures of another size, or without color, are brought to the net's.
func TestOtherShapes(t *testing.T) {
	e, err := Load(file(t, nil), "file", Options{})
	if err != nil {
		t.Fatal(err)
	}
	color := bytes.Repeat([]byte{90}, 2*16*16*3)
	want, err := e.Embed(t.Context(), own, bytes.Repeat([]byte{90}, 2*8*8*3))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []nn.Shape{{H: 16, W: 16, C: 3}, {H: 20, W: 20, C: 1}, {H: 8, W: 8, C: 1}} {
		got, err := e.Embed(t.Context(), s, bytes.Repeat([]byte{90}, 2*s.Size()))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("an even picture of %v gives %v, and one of %v %v", s, got, own, want)
		}
	}
	if _, err := e.Embed(t.Context(), nn.Shape{H: 16, W: 16, C: 3}, color[1:]); err == nil {
		t.Error("a part of a picture is embedded")
	}
	if _, err := e.Embed(t.Context(), nn.Shape{H: 2, W: 2, C: 2}, color[:8]); err == nil {
		t.Error("a picture of two channels is embedded")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Embed(ctx, own, images(40, own)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestLoadErrors(t *testing.T) {
	vector, err := nn.New(nn.Vector(4), nn.Linear{Name: "a", Out: nn.Vector(2)})
	if err != nil {
		t.Fatal(err)
	}
	of := nntest.File(1, vector)
	of.Meta = map[string]string{}
	if err := Describe(of.Meta, vector, ""); err != nil {
		t.Fatal(err)
	}
	vectors, err := of.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string]struct {
		b []byte
		o Options
	}{
		"no ONNX file":         {[]byte("words"), Options{}},
		`there is no "net"`:    {file(t, map[string]string{netKey: ""}), Options{}},
		"input.mean":           {file(t, map[string]string{meanKey: "half"}), Options{}},
		"2 numbers":            {file(t, map[string]string{stdKey: "[1,2]"}), Options{}},
		"divided by 0":         {file(t, nil), Options{Std: []float64{0}}},
		"makes 1 numbers":      {file(t, nil, nn.Linear{Name: "a", Out: nn.Vector(1)}), Options{}},
		"square pictures":      {vectors, Options{}},
		"for ONNX files":       {file(t, nil), Options{Output: "y"}},
		`"a.weight"`:           {file(t, map[string]string{netKey: "8x8x3; linear a 9"}), Options{}},
		"there is no such lay": {file(t, map[string]string{netKey: "8x8x3; lines a 9"}), Options{}},
	} {
		if want == `there is no "net"` { // no key at all
			f, err := safetensors.Parse(c.b)
			if err != nil {
				t.Fatal(err)
			}
			delete(f.Meta, netKey)
			if c.b, err = f.Encode(); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Load(c.b, "the file", c.o); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "the file") {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, err := Numbers("0.5;1"); err == nil {
		t.Error("numbers with a semicolon between are read")
	}
}

// asProgram has the test binary be a program that is asked for numbers.
const asProgram = "MPPM_TEST_EMBEDDER"

func TestMain(m *testing.M) {
	switch os.Getenv(asProgram) {
	case "":
		os.Exit(m.Run())
	case "sums": // the first byte of each image, and how many there are
		for {
			var q question
			var n int
			if _, err := fmt.Scanf(`{"images":%d,"height":%d,"width":%d,"channels":%d}`+"\n", &q.Images, &q.Height, &q.Width, &q.Channels); err != nil {
				return
			}
			fmt.Print("{\"numbers\":2}\n")
			for range q.Images {
				b := make([]byte, q.Height*q.Width*q.Channels)
				if n, _ = io.ReadFull(os.Stdin, b); n < len(b) {
					os.Exit(1)
				}
				os.Stdout.Write([]byte{0, 0, 0, b[0]&0x3f | 0x40, 0, 0, 128, 63})
			}
		}
	case "words":
		fmt.Println("hello")
		io.Copy(io.Discard, os.Stdin)
	case "short":
		fmt.Println(`{"numbers":9}`)
	case "silent":
		io.Copy(io.Discard, os.Stdin)
	case "fails":
		os.Exit(3)
	}
}

// program starts the test binary as a program.
func program(t *testing.T, ctx context.Context, as string) *Process {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(exe, " \t") {
		t.Skip("the path of the test has a space")
	}
	t.Setenv(asProgram, as)
	p, err := Start(ctx, exe, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestProcess: a program is asked twice, about more than a pipe holds.
func TestProcess(t *testing.T) {
	p := program(t, t.Context(), "sums")
	s := nn.Shape{H: 64, W: 64, C: 3}
	for _, n := range []int{30, 2} {
		pixels := images(n, s)
		e, err := p.Embed(t.Context(), s, pixels)
		if err != nil {
			t.Fatal(err)
		}
		if len(e) != 2*n || e[1] != 1 || e[2*n-1] != 1 {
			t.Errorf("the numbers are %v", e)
		}
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// TestProcessErrors: a program that does not answer, or not so, is named with what is wrong,
// and does not hold anybody up.
func TestProcessErrors(t *testing.T) {
	for as, want := range map[string]string{"words": `"hello`, "short": "ends before 9 numbers", "fails": "no answer"} {
		p := program(t, t.Context(), as)
		if _, err := p.Embed(t.Context(), own, images(2000, own)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", as, err, want)
		}
		if err := p.Close(); err != nil {
			t.Errorf("%s: closed with %v", as, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	p := program(t, ctx, "silent")
	cancel()
	if _, err := p.Embed(ctx, own, images(2, own)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	p.Close()
	if _, err := Start(t.Context(), filepath.Join(t.TempDir(), "nothing"), io.Discard); err == nil {
		t.Errorf("a program that is not there: %v", err)
	}
	if _, err := Start(t.Context(), " ", io.Discard); err == nil {
		t.Error("no command is started")
	}
}
