package app

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"strings"

	"mppm/shared/classifier"
	"mppm/shared/latent"
	"mppm/shared/ldm"
	"mppm/shared/safetensors"
	"mppm/wasm/app/compute"
	"mppm/wasm/app/model"
	"mppm/wasm/app/restore"
)

// batch is how many images a model that was opened computes at a time.
const batch = 16

// Bounds of models that are opened.
const (
	MaxModelBytes = 256 << 20 // of a file
	minSide       = 8         // pixels along each edge of an image: less does not hold the window of SSIM
	maxSide       = 256
	printLength   = 8 // letters of a model's print
)

// ModelFile is a file that may hold a model.
type ModelFile struct {
	Name string
	compute.File
}

// IsModel reports whether a file's name is that of a model.
func IsModel(name string) bool { return strings.HasSuffix(strings.ToLower(name), ".safetensors") }

// Read reads the files of a model: its weights, and, if there are any, those of a
// classifier and of models to compare with. Without weights they go with the model that was
// opened last. An own model of the page that fits is taken where a file is missing. The
// error says what is wrong with which file, and what to do.
func (a *App) Read(files []ModelFile) (Model, error) {
	var r reading
	for _, f := range files {
		if err := r.read(f); err != nil {
			return Model{}, fmt.Errorf("%q is not opened: %w", f.Name, err)
		}
	}
	return r.opened(a)
}

// reading is what some files hold.
type reading struct {
	model      *latent.Model
	classifier *classifier.Classifier
	rivals     *ldm.Model
	pictures   bool // the model is one for Faces
	about      model.About
	files      map[string]ModelFile // by the names that package compute has for them
}

// read reads a file.
func (r *reading) read(f ModelFile) error {
	data := f.Bytes()
	tensors, err := safetensors.Parse(data)
	if err != nil {
		return fmt.Errorf("it is no whole file of weights (%w); open a .safetensors file that mppm wrote", err)
	}
	what := ""
	switch kind := tensors.Meta["kind"]; {
	case strings.HasPrefix(kind, latent.Kind):
		if r.model, err = latent.New(tensors); err != nil {
			return err
		}
		if err := showable(r.model); err != nil {
			return err
		}
		r.about = model.Describe(r.model)
		sum := sha256.Sum256(data)
		r.about.Name, r.about.Print = called(f.Name), hex.EncodeToString(sum[:])[:printLength]
		what = compute.Digits
		if r.pictures = r.model.Image().C != 1 || r.model.HasSkips(); r.pictures {
			what = compute.OfFaces + ownPictures + r.about.Print
		}
	case strings.HasPrefix(kind, classifier.Kind):
		what = compute.Classifier
		if r.classifier, err = classifier.New(tensors); err != nil {
			return err
		}
	case strings.HasPrefix(kind, ldm.Kind):
		what = compute.OfBaselines
		if r.rivals, err = ldm.New(tensors); err != nil {
			return err
		}
	case kind == "":
		return errors.New("it does not say what it holds: weights of other programs have to be brought into this one's form with `mppm import`")
	default:
		return fmt.Errorf("it is of the kind %q, and the page opens models of images (%s), their classifiers, and models to compare them with (%s)", kind, latent.Kind, ldm.Kind)
	}
	if r.files == nil {
		r.files = map[string]ModelFile{}
	}
	if other, two := r.files[what]; two {
		return fmt.Errorf("it is of the same kind as %s: open one model at a time", other.Name)
	}
	r.files[what] = f
	return nil
}

// called returns what a model is called by the name of its file.
func called(file string) string {
	name := []rune(strings.TrimSpace(file))
	if n := len(name) - len(".safetensors"); n > 0 && IsModel(file) {
		name = name[:n]
	}
	const most = 40
	if len(name) > most {
		name = append(name[:most-1], '…')
	}
	return string(name)
}

// ownPictures begins the name of a model that is opened for Faces.
const ownPictures = "own-"

// showable returns an error if the page cannot show a model's images.
func showable(m *latent.Model) error {
	s := m.Image()
	switch {
	case s.C != 1 && s.C != 3:
		return fmt.Errorf("its images have %d channels, and the page shows gray ones and colors", s.C)
	case s.H != s.W:
		return fmt.Errorf("its images have %d × %d pixels, and the page shows square ones", s.W, s.H)
	case s.W < minSide || s.W > maxSide:
		return fmt.Errorf("its images have %d × %d pixels, and the page shows those of %d to %d along each edge", s.W, s.H, minSide, maxSide)
	}
	return nil
}

// opened puts together what was read.
func (r *reading) opened(a *App) (m Model, err error) {
	switch {
	case r.pictures && len(r.files) > 1:
		return m, errors.New("a model of pictures in color, or with skips, is opened alone")
	case r.pictures:
		m.About, m.Pictures, m.Files = r.about, ownPictures+r.about.Print, map[string]compute.File{}
		for name, f := range r.files {
			m.Files[name] = f.File
		}
		return m, nil
	case r.model != nil:
		m = r.fresh(a)
	case len(r.files) == 0:
		return m, errors.New("there is no file of a model in this")
	case a.kept == nil:
		return m, errors.New("this goes with a model of your own: open that first, or both together")
	default:
		m = a.shown
		m.Files = maps.Clone(m.Files)
	}
	image, latent := m.Engine.Image(), m.Engine.Latent()
	if c := r.classifier; c != nil {
		if c.Image() != image || c.Classes() < m.Classes {
			return m, fmt.Errorf("%q is not opened: it reads images of %v and tells %d classes apart; the model's are of %v and %d", r.files[compute.Classifier].Name, c.Image(), c.Classes(), image, m.Classes)
		}
		if m.Reader = c.Runner(batch); m.Names == nil {
			m.Names = c.Names()
		}
	}
	if l := r.rivals; l != nil {
		if l.Image() != image || l.Latent() != latent {
			return m, fmt.Errorf("%q is not opened: it is of images of %v and codes of %d numbers; the model's are of %v and %d", r.files[compute.OfBaselines].Name, l.Image(), l.Latent(), image, latent)
		}
		m.Rivals = true
	}
	for name, f := range r.files {
		m.Files[name] = f.File
	}
	return m, nil
}

// fresh returns the model of the weights that were read. Another model of digits is read,
// and compared, as the page's own is.
func (r *reading) fresh(a *App) Model {
	m := Model{About: r.about, Engine: model.NewEngine(r.model, batch), Restore: r.model.Restore, Generate: r.model.Generate}
	m.Samples = restore.NewOwn(m.Engine)
	m.Files = map[string]compute.File{compute.Classifier: nil, compute.OfBaselines: nil}
	own := a.own()
	if !m.Digits || !own.Digits {
		return m
	}
	m.Reader, m.Reads, m.Files[compute.Classifier] = own.Reader, own.Reads, own.Files[compute.Classifier]
	if a.rivals && m.Engine.Latent() == own.Engine.Latent() {
		m.Rivals, m.Files[compute.OfBaselines] = true, own.Files[compute.OfBaselines]
	}
	return m
}
