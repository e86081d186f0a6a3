package bundle

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mppm/shared/idx"
	"mppm/shared/latent"
	"mppm/shared/latent/latenttest"
	"mppm/shared/nn"
	"mppm/shared/safetensors"
	"mppm/shared/unet"
	"mppm/weights"
)

// letters are the classes of a model of one's own.
var letters = strings.Split("abcdefghij", "")

// write puts a file into a folder, and returns its path.
func write(t *testing.T, dir, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// run writes a run's folder with small weights of images of side × side pixels.
func run(t *testing.T, side int, change func(*safetensors.File)) string {
	t.Helper()
	shape := nn.Shape{H: side, W: side, C: 1}
	f := latenttest.FileOf(2, &latent.Nets{F: nn.Must(latent.Encoder(shape, 5)), G: nn.Must(latent.Decoder(shape, 5))})
	f.Meta["classes"] = strings.Join(letters, "\n")
	if change != nil {
		change(f)
	}
	b, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "mine")
	write(t, dir, "checkpoint.safetensors", []byte("a checkpoint"))
	write(t, dir, "mnist.safetensors", b)
	return dir
}

// idxFiles writes a test set of n images of side × side pixels, image i all of i, of class
// i % 10, counted from first.
func idxFiles(t *testing.T, dir, ending string, n, side int, first byte) {
	t.Helper()
	var pixels, labels []byte
	for i := range n {
		pixels = append(pixels, bytes.Repeat([]byte{byte(i)}, side*side)...)
		pixels[len(pixels)-side*side+1] = 255 // the second of the first row
		labels = append(labels, byte(i%10)+first)
	}
	x, err := idx.New(pixels, n, side, side)
	if err != nil {
		t.Fatal(err)
	}
	y, err := idx.New(labels, n)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "t10k-images"+ending, x.Encode())
	write(t, dir, "t10k-labels"+strings.Replace(ending, "idx3", "idx1", 1), y.Encode())
}

// TestOwnModel: a page around a model of one's own has its weights, its test images, evenly
// of all classes, or else the model's own, and no classifier or baselines that are not given.
func TestOwnModel(t *testing.T) {
	data := filepath.Join(t.TempDir(), "things")
	idxFiles(t, data, "-idx3-ubyte", 250, 12, 0)
	counted := filepath.Join(t.TempDir(), "counted")
	idxFiles(t, counted, ".idx3-ubyte", 40, 12, 1)
	pictures := filepath.Join(t.TempDir(), "pictures")
	for i, class := range []string{"b", "nobody", "j"} {
		img := image.NewGray(image.Rect(0, 0, 30, 20))
		for k := range img.Pix {
			img.SetGray(k%30, k/30, color.Gray{uint8(100 * i)})
		}
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			t.Fatal(err)
		}
		write(t, pictures, filepath.Join("test", class, "it.png"), b.Bytes())
	}
	turned := func(f *safetensors.File) { f.Meta["data"] = `{"name":"x","md5":{"t10k":"0, transposed"}}` }
	says := func(f *safetensors.File) { f.Meta["data"] = `{"name":"` + data + `"}` }
	for name, c := range map[string]struct {
		model, data string
		n           int
		samples     string
		first       []byte // labels, sorted
		second      int    // which pixel of the first image is 255, -1: none
	}{
		"IDX files":             {run(t, 12, nil), data, 200, "things", slices.Repeat([]byte{0}, 20), 1},
		"as the weights say":    {run(t, 12, says), "", 200, "things", slices.Repeat([]byte{0}, 20), 1},
		"counted from 1":        {run(t, 12, nil), counted, 40, "counted", []byte{0, 0, 0, 0, 1}, 1},
		"transposed":            {run(t, 12, turned), data, 200, "things", nil, 12},
		"pictures":              {run(t, 12, nil), pictures, 3, "pictures", []byte{1, 9, 255}, -1},
		"none":                  {run(t, 12, nil), "", 100, "", []byte{0}, -1},
		"a file, and no labels": {filepath.Join(run(t, 12, unlabel), "mnist.safetensors"), data, 200, "things", slices.Repeat([]byte{255}, 200), 1},
		"neither":               {run(t, 12, unlabel), "", 100, "", []byte{255}, -1},
	} {
		o := Options{Model: c.model, Data: c.data, Log: io.Discard}
		got, err := o.contents("")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		x, err := idx.Parse(got.images)
		if err != nil {
			t.Fatal(err)
		}
		y, err := idx.Parse(got.labels)
		if err != nil {
			t.Fatal(err)
		}
		n, h, w, err := x.Images()
		labels, err2 := y.Labels()
		if err != nil || err2 != nil || n != c.n || len(labels) != n || h != 12 || w != 12 || got.samples != c.samples || got.classifier != nil || got.baselines != nil {
			t.Errorf("%s: %d images of %d × %d from %q, %v, %v", name, n, w, h, got.samples, err, err2)
		}
		if c.second >= 0 && (x.Data[c.second] != 255 || x.Data[13-c.second] == 255) {
			t.Errorf("%s: the first image is %v", name, x.Data[:144])
		}
		slices.Sort(labels)
		if !slices.Equal(labels[:len(c.first)], c.first) {
			t.Errorf("%s: the labels are %v", name, labels)
		}
	}
}

// unlabel takes the classes of a model's codes away.
func unlabel(f *safetensors.File) {
	delete(f.Meta, "classes")
	f.Tensors = slices.DeleteFunc(f.Tensors, func(t safetensors.Tensor) bool { return t.Name == "bank.labels" })
}

// TestOwnPictures: a model in color goes to Faces, and the digits stay.
func TestOwnPictures(t *testing.T) {
	n, err := unet.New(nn.Shape{H: 16, W: 16, C: 3}, unet.Config{Channels: []int{4, 6}, Latent: 9})
	if err != nil {
		t.Fatal(err)
	}
	b, err := latenttest.FileOf(1, n).Encode()
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Model: write(t, t.TempDir(), "Cats and dogs.safetensors", b), Log: io.Discard}
	c, err := o.contents(filepath.Join("..", "..", "..", "weights"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(c.pictures, b) || !bytes.Equal(c.weights, weights.MNIST) || c.classifier == nil || slug(c.name) != "cats-and-dogs" {
		t.Errorf("%s: %d bytes for Faces, %d for Restore", c.name, len(c.pictures), len(c.weights))
	}
}

// TestOwnRefuses: what does not fit is said before anything is built.
func TestOwnRefuses(t *testing.T) {
	mine := run(t, 12, nil)
	large := filepath.Join(t.TempDir(), "large")
	idxFiles(t, large, "-idx3-ubyte", 3, 16, 0)
	many := filepath.Join(t.TempDir(), "many")
	idxFiles(t, many, "-idx3-ubyte", 30, 12, 7)
	shipped := filepath.Join("..", "..", "..", "weights")
	two := filepath.Join(t.TempDir(), "two")
	write(t, two, "a.safetensors", nil)
	write(t, two, "b.safetensors", nil)
	for want, o := range map[string]Options{
		"no such file":                  {Model: filepath.Join(mine, "nowhere")},
		"holds no weights":              {Model: t.TempDir()},
		"holds several weights":         {Model: two},
		"the model ":                    {Model: filepath.Join(mine, "checkpoint.safetensors")},
		"have 16 × 16 pixels":           {Model: mine, Data: large},
		"label 3 is 10":                 {Model: mine, Data: many},
		"holds no test set":             {Model: mine, Data: two},
		"the classifier reads":          {Model: mine, Classifier: filepath.Join(shipped, "classifier.safetensors")},
		"the models to compare with ar": {Model: mine, Baselines: filepath.Join(shipped, "ldm.safetensors")},
		"the bench page":                {Model: mine, Bench: true},
		"the models to compare with: o": {Model: mine, Baselines: filepath.Join(mine, "gone")},
	} {
		o.Log = io.Discard
		want = strings.TrimSuffix(strings.TrimSuffix(want, "ar"), "o")
		if _, err := o.contents(shipped); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
