package bundle

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"mppm/shared/center"
	"mppm/shared/classifier"
	"mppm/shared/idx"
	"mppm/shared/latent"
	"mppm/shared/ldm"
	"mppm/shared/picture"
	"mppm/shared/rng"
)

// weightsFile returns the weights that a path names: a file, or a run's folder with one.
func weightsFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return path, nil
	}
	files, err := filepath.Glob(filepath.Join(path, "*.safetensors"))
	if err != nil {
		return "", err
	}
	files = slices.DeleteFunc(files, func(f string) bool { return filepath.Base(f) == "checkpoint.safetensors" })
	switch len(files) {
	case 0:
		return "", fmt.Errorf("%s holds no weights: its run is not at its end yet; name a finished run, or a file", path)
	case 1:
		return files[0], nil
	}
	return "", fmt.Errorf("%s holds several weights (%s): name one of them", path, strings.Join(files, ", "))
}

// contents are what the page is about.
type contents struct {
	name                  string // what people call the model
	weights               []byte
	classifier, baselines []byte // nil: there is none
	images, labels        []byte // clean images to begin with, as IDX files; nil: those of the project
	samples               string // what data they are of; "": they are the model's own
	pictures              []byte // a model for Faces, in place of the project's; nil: those
}

// contents reads what the page is about: the digits, whose weights are in the folder
// shipped, or a model of one's own.
func (o *Options) contents(shipped string) (*contents, error) {
	c := &contents{name: "mnist"}
	if o.Model != "" {
		m, err := readOwn(o.Model, o.Data)
		if err != nil {
			return nil, err
		}
		if m.inRestore() {
			if o.Bench {
				return nil, errors.New("the bench page times the digits' model: build it without a model of your own")
			}
			return o.around(m)
		}
		c.pictures, c.name = m.weights, m.name
	}
	var err error
	for _, f := range []struct {
		path, name, what, flag string
		to                     *[]byte
	}{
		{o.Weights, "mnist", "the model's weights", "-weights", &c.weights},
		{o.Classifier, "classifier", "the classifier's weights", "-classifier", &c.classifier},
		{o.Baselines, "ldm", "the weights of the models to compare with", "-baselines", &c.baselines},
	} {
		path := cmp.Or(f.path, filepath.Join(shipped, f.name+".safetensors"))
		*f.to, err = os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) && f.to == &c.weights {
			return nil, fmt.Errorf("there are no weights at %s: name a file with -weights, or train one with `make train`", path)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w (name a file with %s)", f.what, err, f.flag)
		}
	}
	return c, nil
}

// around reads what goes with a model of one's own, as far as there is anything.
func (o *Options) around(m *own) (*contents, error) {
	c := &contents{name: m.name, weights: m.weights, images: m.images, labels: m.labels, samples: m.samples}
	image, latents := m.model.Image(), m.model.Latent()
	read := func(path, what string, to *[]byte) (err error) {
		if path == "" {
			return nil
		}
		if path, err = weightsFile(path); err == nil {
			*to, err = os.ReadFile(path)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		return nil
	}
	if err := read(o.Classifier, "the classifier", &c.classifier); err != nil {
		return nil, err
	}
	if err := read(o.Baselines, "the models to compare with", &c.baselines); err != nil {
		return nil, err
	}
	if c.classifier != nil {
		r, err := classifier.Load(c.classifier)
		if err != nil {
			return nil, err
		}
		if r.Image() != image || r.Classes() < m.classes() {
			return nil, fmt.Errorf("the classifier reads images of %v and tells %d classes apart; the model's are of %v and %d", r.Image(), r.Classes(), image, m.classes())
		}
	}
	if c.baselines != nil {
		l, err := ldm.Load(c.baselines)
		if err != nil {
			return nil, fmt.Errorf("the models to compare with: %w", err)
		}
		if l.Image() != image || l.Latent() != latents {
			return nil, fmt.Errorf("the models to compare with are of images of %v and codes of %d numbers; the model is of %v and %d", l.Image(), l.Latent(), image, latents)
		}
	}
	if m.samples == "" {
		fmt.Fprintln(o.Log, "there are no test images of the model's data: the page begins with images of the model's own (name the data's folder with -data)")
	} else {
		fmt.Fprintln(o.Log, "test images:", m.samples)
	}
	return c, nil
}

// slug returns a name as a link may have it.
func slug(name string) string {
	return strings.Map(func(r rune) rune {
		if r < 128 && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return unicode.ToLower(r)
		}
		return '-'
	}, name)
}

// own is a model of one's own, around which the page is built.
type own struct {
	name           string // what people call it
	weights        []byte
	model          *latent.Model
	images, labels []byte // clean images to begin with, as IDX files
	samples        string // what data these are of; "": the model's own
}

// inRestore reports whether Restore, Generate and Map show the model; else Faces does.
func (o *own) inRestore() bool {
	s := o.model.Image()
	return s.C == 1 && !o.model.HasSkips()
}

// maxSamples bounds the images that the page brings along.
const maxSamples = 200

// unlabeled is the label of an image without a class.
const unlabeled = 255

// readOwn reads a model, and finds test images of its data: in the folder data, where the
// model says that its data is, or where Debian and Ubuntu install it. Without any, the
// model's own codes are decoded.
func readOwn(path, data string) (*own, error) {
	file, err := weightsFile(path)
	if err != nil {
		return nil, fmt.Errorf("the model: %w", err)
	}
	o := &own{name: strings.TrimSuffix(filepath.Base(file), ".safetensors")}
	if file != path {
		o.name = filepath.Base(filepath.Clean(path)) // of the run
	}
	if o.weights, err = os.ReadFile(file); err != nil {
		return nil, fmt.Errorf("the model: %w", err)
	}
	if o.model, err = latent.Load(o.weights); err != nil {
		return nil, fmt.Errorf("the model %s: %w", file, err)
	}
	image := o.model.Image()
	switch {
	case image.H != image.W:
		return nil, fmt.Errorf("the model %s: its images have %d × %d pixels, and the page shows square ones", file, image.W, image.H)
	case !o.inRestore():
		return o, nil
	}
	var about struct{ Name string }
	_ = json.Unmarshal([]byte(o.model.Meta["data"]), &about) // what does not say so names no data
	places := []string{data}
	if data == "" && about.Name != "" {
		places = []string{about.Name, filepath.Join("/usr/share/datasets", about.Name)}
	}
	for _, dir := range places {
		pixels, labels, err := o.testImages(dir)
		if errors.Is(err, fs.ErrNotExist) && data == "" {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("the test images: %w", err)
		}
		o.samples = filepath.Base(filepath.Clean(dir))
		return o, o.keep(pixels, labels)
	}
	pixels, labels := o.decoded()
	return o, o.keep(pixels, labels)
}

// keep makes files of images and their labels.
func (o *own) keep(pixels, labels []byte) error {
	image := o.model.Image()
	x, err := idx.New(pixels, len(labels), image.H, image.W)
	if err != nil {
		return err
	}
	y, err := idx.New(labels, len(labels))
	if err != nil {
		return err
	}
	o.images, o.labels = x.Encode(), y.Encode()
	return nil
}

// decoded returns what the model decodes codes of its bank to, spread over all of them.
func (o *own) decoded() (pixels, labels []byte) {
	m := o.model
	n, d := min(m.Bank.Len(), maxSamples), m.Latent()
	r := m.Runner(1)
	z, x := make([]float32, d), make([]float32, m.Pixels())
	for i := range n {
		k := i * m.Bank.Len() / n
		m.Bank.Code(z, k)
		r.Decode(x, z)
		pixels = append(pixels, grays(x)...)
		label := byte(unlabeled)
		if m.Bank.Labels != nil {
			label = m.Bank.Labels[k]
		}
		labels = append(labels, label)
	}
	return pixels, labels
}

func grays(x []float32) []byte {
	b := make([]byte, len(x))
	for i, v := range x {
		b[i] = byte(min(max(v, 0), 1)*255 + 0.5)
	}
	return b
}

// testFiles are how a test set's file of images may be called, which that of the labels is
// called after.
var testFiles = []string{"t10k-images*idx3-ubyte*", "*test-images*idx3-ubyte*"}

// testImages returns some of a data set's test images: of the IDX files of a folder, or of
// the pictures in its folder test, or testing, which lie in folders that are named after
// their classes. They are as evenly of all classes as there are any. Without a test set
// the error is fs.ErrNotExist.
func (o *own) testImages(dir string) (pixels, labels []byte, err error) {
	if _, err := os.Stat(dir); err != nil {
		return nil, nil, err
	}
	for _, pattern := range testFiles {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(found) == 0 {
			continue
		}
		x, err := readIDX(found[0])
		if err != nil {
			return nil, nil, err
		}
		name := strings.NewReplacer("images", "labels", "idx3", "idx1").Replace(filepath.Base(found[0]))
		y, err := readIDX(filepath.Join(dir, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, err
		}
		return o.fromIDX(dir, x, y)
	}
	for _, name := range []string{"test", "testing"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return o.fromPictures(filepath.Join(dir, name))
		}
	}
	return nil, nil, fmt.Errorf("%s holds no test set, as t10k-images-idx3-ubyte with its labels, or a folder test of pictures: %w", dir, fs.ErrNotExist)
}

func readIDX(path string) (*idx.File, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f, err := idx.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// fromIDX returns some images of two IDX files; without labels y is nil.
func (o *own) fromIDX(dir string, x, y *idx.File) (pixels, labels []byte, err error) {
	n, h, w, err := x.Images()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", dir, err)
	}
	image := o.model.Image()
	if h != image.H || w != image.W {
		return nil, nil, fmt.Errorf("the images of %s have %d × %d pixels, the model's %d × %d", dir, w, h, image.W, image.H)
	}
	all := slices.Repeat([]byte{unlabeled}, n)
	if classes := o.classes(); y != nil && classes > 0 {
		if all, err = y.Labels(); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", dir, err)
		}
		if len(all) != n || n == 0 {
			return nil, nil, fmt.Errorf("%s: %d labels for %d images", dir, len(all), n)
		}
		first := byte(0)
		if int(slices.Max(all)) == classes && slices.Min(all) == 1 { // they are counted from 1, as letters are
			first = 1
		}
		for i := range all {
			if all[i] -= first; int(all[i]) >= classes {
				return nil, nil, fmt.Errorf("%s: label %d is %d; the model's classes are 0 to %d", dir, i, all[i], classes-1)
			}
		}
	}
	turned := strings.Contains(o.model.Meta["data"], ", transposed") // as training says
	for _, i := range evenly(all) {
		one := x.Data[i*h*w : (i+1)*h*w]
		for k := range one {
			if turned {
				k = k%w*w + k/w
			}
			pixels = append(pixels, one[k])
		}
		labels = append(labels, all[i])
	}
	return pixels, labels, nil
}

// classes returns how many classes the model knows, 0 where it knows none.
func (o *own) classes() int {
	if n := len(o.model.Classes()); n > 0 {
		return n
	}
	if l := o.model.Bank.Labels; len(l) > 0 {
		return int(slices.Max(l)) + 1
	}
	return 0
}

// fromPictures returns some pictures of a folder: the squares in their middles, in the
// model's size.
func (o *own) fromPictures(dir string) (pixels, labels []byte, err error) {
	classes := o.model.Classes()
	if classes == nil {
		for i := range o.classes() {
			classes = append(classes, fmt.Sprint(i))
		}
	}
	var files []string
	var all []byte
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.EqualFold(filepath.Ext(path), ".png") {
			return err
		}
		label := byte(unlabeled)
		if i := slices.Index(classes, filepath.Base(filepath.Dir(path))); i >= 0 {
			label = byte(i)
		}
		files, all = append(files, path), append(all, label)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if len(files) == 0 {
		return nil, nil, fmt.Errorf("there are no PNG files in %s: %w", dir, fs.ErrNotExist)
	}
	side := o.model.Image().W
	x := make([]float32, side*side)
	for _, i := range evenly(all) {
		p, err := readPicture(files[i])
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", files[i], err)
		}
		center.SquareGray(x, p, side)
		pixels, labels = append(pixels, grays(x)...), append(labels, all[i])
	}
	return pixels, labels, nil
}

func readPicture(path string) (*picture.Picture, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return picture.DecodePNG(f, picture.MaxArea)
}

// evenly returns the places of up to maxSamples labels: one of each class, then another of
// each, as long as there are any, drawn with a fixed seed.
func evenly(labels []byte) (chosen []int) {
	of := map[byte][]int{}
	for _, i := range rng.New(1, 0).Perm(len(labels)) {
		of[labels[i]] = append(of[labels[i]], i)
	}
	var classes []byte
	for c := range of {
		classes = append(classes, c)
	}
	slices.Sort(classes)
	for k := 0; len(chosen) < min(len(labels), maxSamples); k++ {
		for _, c := range classes {
			if k < len(of[c]) && len(chosen) < maxSamples {
				chosen = append(chosen, of[c][k])
			}
		}
	}
	return chosen
}
