package classifier_test

import (
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"mppm/shared/classifier"
	"mppm/shared/classifier/classifiertest"
	"mppm/shared/golden"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
)

func images(n int, seed uint64) []float32 {
	x := make([]float32, n*classifier.Pixels)
	r := rng.New(seed, 0)
	for i := range x {
		x[i] = r.Float32()
	}
	return x
}

// reference computes the net in float64, by the definition of each layer.
func reference(t *testing.T, f *safetensors.File, img []float32) (probs, embedding []float64) {
	t.Helper()
	get := func(layer string) (w, b []float32) {
		for _, s := range classifier.Digits.Specs() {
			for suffix, dst := range map[string]*[]float32{".weight": &w, ".bias": &b} {
				if s.Name == layer+suffix {
					var err error
					if *dst, err = f.Float32(s.Name, s.Shape...); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		return w, b
	}
	x := make([]float64, len(img))
	for i, v := range img {
		x[i] = float64(v)
	}
	conv := func(layer string, x []float64, side, in int) []float64 {
		w, b := get(layer)
		half, out := side/2, len(b)
		y := make([]float64, half*half*out)
		for oy := range half {
			for ox := range half {
				for o := range out {
					sum := float64(b[o])
					for ky := range 3 {
						for kx := range 3 {
							iy, ix := 2*oy+ky-1, 2*ox+kx-1
							if iy < 0 || ix < 0 || iy >= side || ix >= side {
								continue
							}
							for c := range in {
								sum += float64(w[((o*3+ky)*3+kx)*in+c]) * x[(iy*side+ix)*in+c]
							}
						}
					}
					y[(oy*half+ox)*out+o] = max(sum, 0)
				}
			}
		}
		return y
	}
	linear := func(layer string, x []float64) []float64 {
		w, b := get(layer)
		y := make([]float64, len(b))
		for o := range y {
			y[o] = float64(b[o])
			for i, v := range x {
				y[o] += float64(w[o*len(x)+i]) * v
			}
		}
		return y
	}
	embedding = linear("embedding", conv("conv2", conv("conv1", x, 28, 1), 14, 32))
	for i, v := range embedding {
		embedding[i] = max(v, 0)
	}
	probs = linear("classes", embedding)
	var sum float64
	for i, v := range probs {
		probs[i] = math.Exp(v)
		sum += probs[i]
	}
	for i := range probs {
		probs[i] /= sum
	}
	return probs, embedding
}

func TestAgainstDefinition(t *testing.T) {
	f := classifiertest.File(1)
	c := classifiertest.Classifier(1)
	const n = 3
	x := images(n, 2)
	probs, embeddings := make([]float32, n*classifier.Classes), make([]float32, n*classifier.Width)
	c.Runner(2).Classify(probs, embeddings, x)
	for i := range n {
		p, e := reference(t, f, x[i*classifier.Pixels:(i+1)*classifier.Pixels])
		positive := 0
		for k, want := range e {
			if got := float64(embeddings[i*classifier.Width+k]); math.Abs(got-want) > 1e-5*(1+want) {
				t.Fatalf("number %d of embedding %d is %v, want %v", k, i, got, want)
			}
			if want > 0 {
				positive++
			}
		}
		if positive < 20 || positive > classifier.Width-20 {
			t.Fatalf("%d numbers of embedding %d are positive: a poor test", positive, i)
		}
		for k, want := range p {
			if got := float64(probs[i*classifier.Classes+k]); math.Abs(got-want) > 1e-5*want+1e-9 {
				t.Fatalf("probability %d of image %d is %v, want %v", k, i, got, want)
			}
		}
	}
}

// TestOneByOne: an image gives the same bits in any batch, in any order, on any
// goroutine, with or without what else is asked.
func TestOneByOne(t *testing.T) {
	c := classifiertest.Classifier(3)
	const n = 11
	x := images(n, 4)
	probs, embeddings := make([]float32, n*classifier.Classes), make([]float32, n*classifier.Width)
	c.Runner(n).Classify(probs, embeddings, x)
	var wg sync.WaitGroup
	for _, batch := range []int{-1, 1, 2, 4, 64} {
		wg.Go(func() {
			r := c.Runner(batch)
			p, e := make([]float32, len(probs)), make([]float32, len(embeddings))
			r.Classify(p, nil, x)
			r.Classify(nil, e, x)
			if !slices.Equal(p, probs) || !slices.Equal(e, embeddings) {
				t.Errorf("batches of %d give other numbers", batch)
			}
			clear(p)
			clear(e)
			r.Classify(p, e, x)
			if !slices.Equal(p, probs) || !slices.Equal(e, embeddings) {
				t.Errorf("batches of %d give other numbers when both are asked", batch)
			}
			r.Classify(nil, nil, x)
			r.Classify(nil, nil, nil)
		})
	}
	wg.Wait()
}

// TestGolden pins the bits: they are the same on every platform.
func TestGolden(t *testing.T) {
	c := classifiertest.Classifier(5)
	const n = 4
	p, e := make([]float32, n*classifier.Classes), make([]float32, n*classifier.Width)
	c.Runner(n).Classify(p, e, images(n, 6))
	h := fnv.New64a()
	for _, v := range append(p, e...) {
		fmt.Fprintf(h, "%08x", math.Float32bits(v))
	}
	golden.Check(t, "classifier: probabilities and embeddings of four images", fmt.Sprintf("%016x", h.Sum64()))
}

func TestSoftmaxOfFarLogits(t *testing.T) {
	c := classifiertest.Classifier(7)
	x := images(1, 8)
	for i := range x {
		x[i] *= 1e4
	}
	p := make([]float32, classifier.Classes)
	c.Runner(1).Classify(p, nil, x)
	var sum float64
	for _, v := range p {
		if !(v >= 0 && v <= 1) {
			t.Fatalf("probabilities %v", p)
		}
		sum += float64(v)
	}
	if math.Abs(sum-1) > 1e-6 {
		t.Errorf("probabilities sum to %v", sum)
	}
	if class, top := classifier.Best(p); p[class] != top || top < 0.1 {
		t.Errorf("the best of %v is said to be %d", p, class)
	}
}

func TestBest(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		p     []float32
		class int
		top   float32
	}{
		{[]float32{0, 0, 0.2, 0.7, 0, 0, 0, 0, 0, 0.1}, 3, 0.7},
		{[]float32{0, 0.5, 0, 0, 0, 0, 0, 0, 0, 0.5}, 1, 0.5},
		{slices.Repeat([]float32{nan}, 10), 0, 0},
	} {
		if class, top := classifier.Best(c.p); class != c.class || top != c.top {
			t.Errorf("Best(%v) = %d, %v", c.p, class, top)
		}
	}
}

func TestSize(t *testing.T) {
	b, err := classifiertest.File(1).Encode()
	if err != nil {
		t.Fatal(err)
	}
	if len(b) >= 450_000 {
		t.Errorf("a classifier in eight bits takes %d bytes; the page allows 450,000", len(b))
	}
}

func TestLoadErrors(t *testing.T) {
	change := func(name string, f func(t *safetensors.Tensor)) func(*safetensors.File) {
		return func(file *safetensors.File) {
			for i := range file.Tensors {
				if file.Tensors[i].Name == name {
					file.Tensors[i].Data = slices.Clone(file.Tensors[i].Data)
					f(&file.Tensors[i])
				}
			}
		}
	}
	for want, edit := range map[string]func(*safetensors.File){
		`kind is ""`:       func(f *safetensors.File) { f.Meta = nil },
		`kind is "lmppm"`:  func(f *safetensors.File) { f.Meta["kind"] = "lmppm" },
		`"conv1.weight"`:   func(f *safetensors.File) { f.Tensors = f.Tensors[2:] },
		`"classes.bias"`:   func(f *safetensors.File) { f.Tensors = f.Tensors[:len(f.Tensors)-1] },
		`"conv2.bias"`:     change("conv2.bias", func(t *safetensors.Tensor) { t.Shape = []int{32, 2} }),
		"has shape [9 1]":  change("classes.bias", func(t *safetensors.Tensor) { t.Shape, t.Data = []int{9, 1}, t.Data[:36] }),
		"element 3 is NaN": change("embedding.bias", func(t *safetensors.Tensor) { copy(t.Data[12:], []byte{0, 0, 0xc0, 0x7f}) }),
		"scale 0":          change("embedding.weight.scale", func(t *safetensors.Tensor) { copy(t.Data, []byte{0, 0, 0x80, 0xbf}) }),
		"has 2 names":      func(f *safetensors.File) { f.Meta["classes"] = "a\nb" },
		"class 0 is empty": func(f *safetensors.File) { f.Meta["classes"] = "\nb" },
		"U8":               change("classes.weight", func(t *safetensors.Tensor) { t.DType = safetensors.U8 }),
	} {
		f := classifiertest.File(1)
		edit(f)
		b, err := f.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := classifier.Load(b); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "classifier: ") {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if _, err := classifier.Load(nil); err == nil {
		t.Error("no bytes make a classifier")
	}
}

// TestNames: the names of the classes are those of the file.
func TestNames(t *testing.T) {
	f := classifiertest.File(1)
	want := []string{"T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"}
	f.Meta["classes"] = strings.Join(want, "\n")
	c, err := classifier.New(f)
	if err != nil || !slices.Equal(c.Names(), want) {
		t.Errorf("the names are %q, %v", c.Names(), err)
	}
}

func FuzzLoad(f *testing.F) {
	b, err := classifiertest.File(1).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b[:2000])
	f.Add(append([]byte(nil), b...))
	f.Add([]byte{2, 0, 0, 0, 0, 0, 0, 0, '{', '}'})
	x := images(1, 1)
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := classifier.Load(b)
		if err != nil {
			return
		}
		p, e := make([]float32, classifier.Classes), make([]float32, classifier.Width)
		c.Runner(1).Classify(p, e, x)
	})
}

func BenchmarkClassify(b *testing.B) {
	c := classifiertest.Classifier(1)
	for _, n := range []int{1, 64} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := c.Runner(n)
			x, p := images(n, 1), make([]float32, n*classifier.Classes)
			for b.Loop() {
				r.Classify(p, nil, x)
			}
			b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "images/s")
		})
	}
}
