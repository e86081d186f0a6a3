package compute

import (
	"errors"
	"fmt"
	"iter"
	"strings"

	"mppm/shared/ambient"
	"mppm/shared/classifier"
	"mppm/shared/ddpm"
	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/ldm"
	"mppm/shared/rng"
	"mppm/wasm/app/atlas"
	"mppm/wasm/app/curve"
	"mppm/wasm/app/model"
)

// The names of the files that models come in. Those of curves and faces are followed
// by the name of one.
const (
	Digits       = "weights"
	Classifier   = "classifier"
	OfBaselines  = "baselines"
	OfCurve      = "curve "
	OfFaces      = "faces "
	OfFacesRival = "faces-dae "
)

// batch is how many images of digits are computed at a time.
const batch = 16

// Baselines are the models that Restore compares with: a denoising autoencoder, and
// diffusion between its two halves; *ldm.Runner is one.
type Baselines interface {
	// Encode and Decode are those of the autoencoder.
	Encode(z, x []float32)
	Decode(x, z []float32)
	// Start returns from how many steps restoration of such a damage starts.
	Start(d degrade.Degradation) (int, error)
	// Restore takes codes into the diffusion and back, and yields every step.
	Restore(z []float32, steps int, sources []*rng.Source) (iter.Seq[ddpm.Step], error)
	// Codes makes codes of points with so many steps left.
	Codes(z, x []float32, left int)
}

// Models are what a program computes with. The zero value has none: they are set, or
// come in files, which are read when a job needs them.
type Models struct {
	Engine    model.Engine
	Reader    model.Reader
	Baselines Baselines
	Curves    map[string]*curve.Curve
	Faces     map[string]*latent.Runner
	Rivals    map[string]*latent.Runner // denoising autoencoders, by the name of the model of faces

	files map[string]File
	atlas *atlas.Atlas
}

// File is what a model comes in.
type File interface {
	Bytes() []byte
}

// Raw is a file in memory.
type Raw []byte

// Bytes returns the file.
func (r Raw) Bytes() []byte { return r }

// Bring gives a file by its name, which is one of those above, to be read when it is
// needed.
func (m *Models) Bring(name string, file File) {
	if m.files == nil {
		m.files = map[string]File{}
	}
	m.files[name] = file
}

// file returns a file that was brought.
func (m *Models) file(name string) ([]byte, error) {
	f, ok := m.files[name]
	if !ok {
		return nil, fmt.Errorf("the file of %s is not there yet", strings.TrimSpace(name))
	}
	return f.Bytes(), nil
}

func (m *Models) engine() (model.Engine, error) {
	if m.Engine == nil {
		b, err := m.file(Digits)
		if err != nil {
			return nil, err
		}
		l, err := latent.Load(b)
		if err != nil {
			return nil, err
		}
		m.Engine = model.NewEngine(l, batch)
	}
	return m.Engine, nil
}

// only returns the engine of a class, or of all where there is none.
func (m *Models) only(class int) (model.Engine, error) {
	e, err := m.engine()
	if err != nil || class < 0 {
		return e, err
	}
	return e.Only(class)
}

// readable reports whether there is a classifier. Until it comes, nothing is read.
func (m *Models) readable() bool { return m.Reader != nil || m.files[Classifier] != nil }

func (m *Models) reader() (model.Reader, error) {
	if m.Reader == nil {
		b, err := m.file(Classifier)
		if err != nil {
			return nil, err
		}
		c, err := classifier.Load(b)
		if err != nil {
			return nil, err
		}
		m.Reader = c.Runner(batch)
	}
	return m.Reader, nil
}

func (m *Models) baselines() (Baselines, error) {
	if m.Baselines == nil {
		b, err := m.file(OfBaselines)
		if err != nil {
			return nil, err
		}
		l, err := ldm.Load(b)
		if err != nil {
			return nil, fmt.Errorf("the models to compare with: %w", err)
		}
		m.Baselines = l.Runner(1)
	}
	return m.Baselines, nil
}

func (m *Models) curve(name string) (*curve.Curve, error) {
	if c := m.Curves[name]; c != nil {
		return c, nil
	}
	b, err := m.file(OfCurve + name)
	if err != nil {
		return nil, err
	}
	a, err := ambient.Load(b)
	if err != nil {
		return nil, fmt.Errorf("the curve: %w", err)
	}
	if m.Curves == nil {
		m.Curves = map[string]*curve.Curve{}
	}
	m.Curves[name] = curve.New(a)
	return m.Curves[name], nil
}

func (m *Models) faces(name string) (*latent.Runner, error) {
	r, err := m.latent(&m.Faces, OfFaces, name)
	if err != nil {
		return nil, fmt.Errorf("the model of faces: %w", err)
	}
	return r, nil
}

// rival returns the denoising autoencoder to compare a model of faces with.
func (m *Models) rival(name string) (*latent.Runner, error) {
	r, err := m.latent(&m.Rivals, OfFacesRival, name)
	if err != nil {
		return nil, fmt.Errorf("the denoising autoencoder to compare with: %w", err)
	}
	if f, err := m.faces(name); err != nil {
		return nil, err
	} else if r.Image() != f.Image() {
		return nil, fmt.Errorf("the model to compare %s with is of images of %v, that one of %v", name, r.Image(), f.Image())
	}
	return r, nil
}

func (m *Models) latent(known *map[string]*latent.Runner, kind, name string) (*latent.Runner, error) {
	if r := (*known)[name]; r != nil {
		return r, nil
	}
	b, err := m.file(kind + name)
	if err != nil {
		return nil, err
	}
	l, err := latent.Load(b)
	if err != nil {
		return nil, err
	}
	if *known == nil {
		*known = map[string]*latent.Runner{}
	}
	(*known)[name] = l.Runner(1)
	return (*known)[name], nil
}

// theAtlas returns the map of the codes.
func (m *Models) theAtlas() (*atlas.Atlas, error) {
	if m.atlas == nil {
		e, err := m.engine()
		if err != nil {
			return nil, err
		}
		if m.atlas, err = atlas.New(e); err != nil {
			return nil, err
		}
	}
	return m.atlas, nil
}

// errImages says that a job's images or codes are not whole.
var errImages = errors.New("compute: the numbers of a job are not whole images or codes")
