package cli

import (
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"mppm/shared/classifier"
	"mppm/shared/latent"
	"mppm/shared/nn"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/torch/torchtest"
	"mppm/weights"
)

// torchBytes are the shipped nets as PyTorch would have them.
func torchBytes(t *testing.T) []byte { return torchFile(t, weights.MNIST, nil) }

func torchFile(t *testing.T, b []byte, meta map[string]string) []byte {
	t.Helper()
	f, err := safetensors.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	n, err := latent.Described(f.Meta)
	if err != nil {
		t.Fatal(err)
	}
	nets := n.All()
	if d, err := nn.LoadMLP(f, "distance", n.F.Out().Size(), 1, nn.SiLU); err == nil {
		nets = append(nets, d.Net)
	}
	return encoded(t, f, meta, nets...)
}

func encoded(t *testing.T, f *safetensors.File, meta map[string]string, nets ...*nn.Net) []byte {
	t.Helper()
	out, err := torchtest.File(f, meta, nets...)
	if err != nil {
		t.Fatal(err)
	}
	b, err := out.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// few digits of MNIST, in a folder.
func smallData(t *testing.T) {
	t.Helper()
	set, err := dataset.Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	const train, test = 60, 10
	if err := os.Mkdir("digits", 0o777); err != nil {
		t.Fatal(err)
	}
	put(t, "digits/train-images-idx3-ubyte", idxOf(set.Train.Images[:train*784]))
	put(t, "digits/train-labels-idx1-ubyte", labels(set.Train.Labels[:train]))
	put(t, "digits/t10k-images-idx3-ubyte", idxOf(set.Test.Images[:test*784]))
	put(t, "digits/classes.txt", []byte(strings.Join(strings.Split("zero one two three four five six seven eight nine", " "), "\n")))
}

// TestImport: nets that come from PyTorch make what they made, in 32 and in eight bits, and
// have a code bank, labels, names of classes and flows.
func TestImport(t *testing.T) {
	t.Chdir(t.TempDir())
	smallData(t)
	put(t, "t.safetensors", torchBytes(t))
	was, err := latent.Load(weights.MNIST)
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float32, 4*784)
	for i := range x {
		x[i] = float32(i*i%255) / 255
	}
	z, again := make([]float32, 4*18), make([]float32, 4*18)
	was.Runner(4).Encode(z, x)
	for _, c := range []struct {
		flags []string
		off   float64
	}{{[]string{"--float"}, 0}, {nil, 0.1}} {
		must(t, append([]string{"import", "--in", "t.safetensors", "--out", "mine.safetensors", "--data", "digits", "--restore", `{"beta":0.2,"sigma":0.5,"steps":2}`}, c.flags...)...)
		b, err := os.ReadFile("mine.safetensors")
		if err != nil {
			t.Fatal(err)
		}
		m, err := latent.Load(b)
		if err != nil {
			t.Fatal(err)
		}
		m.Runner(4).Encode(again, x)
		for i, v := range again {
			if math.Abs(float64(v-z[i])) > c.off {
				t.Fatalf("%q: number %d of the codes is %v, was %v", c.flags, i, v, z[i])
			}
		}
		if m.Restore != (latent.Preset{Beta: 0.2, Sigma: 0.5, Steps: 2}) || m.Generate != was.Generate || m.Bank.Len() != 60 || m.Bank.Labels == nil || !m.HasDistance() {
			t.Errorf("%q: flows %+v, %+v, a bank of %d", c.flags, m.Restore, m.Generate, m.Bank.Len())
		}
		if names := m.Classes(); len(names) != 10 || names[7] != "seven" || m.Meta["scores"] == "" {
			t.Errorf("%q: the classes %q, scores %q", c.flags, names, m.Meta["scores"])
		}
	}
	must(t, "restore", "--weights", "mine.safetensors", "--in", "digits/t10k-images-idx3-ubyte", "--out", "restored.idx")

	put(t, "dae.safetensors", torchFile(t, weights.DAE, nil))
	must(t, "import", "--in", "dae.safetensors", "--out", "mine-dae.safetensors", "--data", "digits", "--quiet")
	b, err := os.ReadFile("mine-dae.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	if m, err := latent.Load(b); err != nil || m.HasDistance() {
		t.Errorf("a denoising autoencoder has a distance: %v", err)
	}
}

// TestImportClassifier: so does a classifier, which needs no data.
func TestImportClassifier(t *testing.T) {
	t.Chdir(t.TempDir())
	f, err := safetensors.Parse(weights.Classifier)
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Split("a b c d e f g h i j", " ")
	put(t, "c.safetensors", encoded(t, f, map[string]string{"classes": strings.Join(names, "\n")}, classifier.Digits))
	must(t, "import", "--in", "c.safetensors", "--out", "mine.safetensors", "--float")
	b, err := os.ReadFile("mine.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	c, err := classifier.Load(b)
	if err != nil || !slices.Equal(c.Names(), names) {
		t.Fatalf("%q, %v", c.Names(), err)
	}
	was, err := classifier.Load(weights.Classifier)
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float32, 784)
	p, q := make([]float32, 10), make([]float32, 10)
	c.Runner(1).Classify(p, nil, x)
	was.Runner(1).Classify(q, nil, x)
	if !slices.Equal(p, q) {
		t.Errorf("it reads %v, read %v", p, q)
	}
}

// TestImportOfNets: nets that the file or the command line describes, with batch norm,
// which is folded away.
func TestImportOfNets(t *testing.T) {
	t.Chdir(t.TempDir())
	smallData(t)
	const encoder = "28x28x1; conv e1 3,2,1 4; batchnorm n1; relu; linear e2 6"
	const decoder = "6; linear g1 14x14x4; relu; convtranspose g2 3,2,1 28x28x1; sigmoid"
	nets, err := latent.Parse(encoder, decoder, "", "")
	if err != nil {
		t.Fatal(err)
	}
	f := new(safetensors.File)
	for _, n := range nets.All() {
		for _, s := range append(n.Specs(), n.Buffers()...) {
			data := make([]float32, s.Size())
			for i := range data {
				data[i] = float32(i%7)/20 + 0.1
			}
			if err := f.AddFloat32(s.Name, data, s.Shape...); err != nil {
				t.Fatal(err)
			}
		}
	}
	put(t, "said.safetensors", encoded(t, f, map[string]string{"encoder": encoder, "decoder": decoder, "flow.restore": `{"sigma":0.3}`}, nets.All()...))
	put(t, "unsaid.safetensors", encoded(t, f, nil, nets.All()...))
	must(t, "import", "--in", "said.safetensors", "--out", "a.safetensors", "--data", "digits", "--float")
	must(t, "import", "--in", "unsaid.safetensors", "--out", "b.safetensors", "--data", "digits", "--float", "--encoder", encoder, "--decoder", decoder, "--restore", `{"sigma":0.3}`)
	a, err := os.ReadFile("a.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile("b.safetensors")
	if err != nil || !slices.Equal(a, b) {
		t.Errorf("nets that the file describes give other weights than the same of the command line (%v)", err)
	}
	m, err := latent.Load(a)
	if err != nil || m.Latent() != 6 || strings.Contains(m.Meta["encoder"], "batchnorm") {
		t.Errorf("the model has %q, %v", m.Meta["encoder"], err)
	}
}

// TestImportRefuses: bad files and settings get a sentence, and what is there stays.
func TestImportRefuses(t *testing.T) {
	t.Chdir(t.TempDir())
	smallData(t)
	good := torchBytes(t)
	put(t, "good", good)
	put(t, "out", []byte("mine"))
	meta := func(kv ...string) []byte {
		m := map[string]string{}
		for i := 0; i < len(kv); i += 2 {
			m[kv[i]] = kv[i+1]
		}
		return torchFile(t, weights.MNIST, m)
	}
	nan := slices.Clone(good)
	copy(nan[len(nan)-4:], []byte{0, 0, 0xc0, 0x7f})
	for want, c := range map[string]struct {
		b     []byte
		flags []string
	}{
		"is empty":                         {[]byte{}, nil},
		"not a weights file":               {[]byte("no weights, but long enough to be some"), nil},
		"claim a header":                   {pngOf(t, make([]byte, 784), 28, 28), nil},
		"torch.save writes":                {[]byte("PK\x03\x04 and what else there is in an archive"), nil},
		"truncated":                        {good[:len(good)-10], nil},
		"is NaN":                           {nan, nil},
		"weights of this project already":  {weights.MNIST, nil},
		`no tensor "encoder.conv1.weight"`: {[]byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"), nil},
		"there is no such layer":           {meta("encoder", "28x28x1; lines a 3"), nil},
		"decoder: nn: input":               {good, []string{"--encoder", "28x28x1; linear a 3"}},
		"distance.activation":              {meta("distance.activation", "tanh"), nil},
		"α is -1":                          {meta("flow.restore", `{"alpha":-1,"sigma":1}`), nil},
		"is no flow":                       {good, []string{"--generate", "0.5"}},
		"unknown field":                    {good, []string{"--restore", `{"sigma":1,"alfa":1}`}},
		"100 centers; give 1 to 60":        {good, []string{"--centers", "100"}},
		"cannot read the data":             {good, []string{"--data", "nowhere"}},
		"local trust in skips":             {meta("flow.restore", `{"sigma":1,"local":1}`), nil},
	} {
		put(t, "in", c.b)
		args := append([]string{"import", "--in", "in", "--out", "out"}, c.flags...)
		if !slices.Contains(args, "--data") {
			args = append(args, "--data", "digits")
		}
		r := run(t, args...)
		if r.code != exitFailure || !strings.Contains(r.stderr, want) || strings.Count(strings.TrimSpace(r.stderr), "\n") > 1 {
			t.Errorf("want %q: exit status %d\n%s", want, r.code, r.stderr)
		}
		if b, err := os.ReadFile("out"); err != nil || string(b) != "mine" {
			t.Fatalf("%s: what was there is now %d bytes long (%v)", want, len(b), err)
		}
	}
}
