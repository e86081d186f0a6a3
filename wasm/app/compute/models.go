package compute

import (
	"errors"
	"fmt"
	"iter"
	"slices"
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
	OfFaceRivals = "faces-ldm "
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
	Rivals    map[string]*ldm.Runner // what models of faces are compared with, by their names

	files  map[string]File
	atlas  *atlas.Atlas
	taught taught
}

// taught is an engine with what it was taught: the last one that a job asked for.
type taught struct {
	model.Engine
	latent.Memory
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
// needed. It takes the place of the one that was brought by that name before: jobs that
// are under way have that still. A nil File says that there is no such model.
func (m *Models) Bring(name string, file File) {
	if m.files == nil {
		m.files = map[string]File{}
	}
	if _, again := m.files[name]; again {
		m.forget(name)
	}
	m.files[name] = file
}

// forget drops what was read of a file.
func (m *Models) forget(name string) {
	switch name {
	case Digits:
		m.Engine, m.atlas, m.taught = nil, nil, taught{}
	case Classifier:
		m.Reader = nil
	case OfBaselines:
		m.Baselines = nil
	}
	if c, ok := strings.CutPrefix(name, OfCurve); ok {
		delete(m.Curves, c)
	}
	if of, ok := strings.CutPrefix(name, OfFaces); ok {
		delete(m.Faces, of)
	}
	if of, ok := strings.CutPrefix(name, OfCurve); ok { // which may have learnt more
		delete(m.Curves, of)
	}
}

// file returns a file that was brought, nothing where there is no such model.
func (m *Models) file(name string) ([]byte, error) {
	f, ok := m.files[name]
	if !ok {
		return nil, fmt.Errorf("the file of %s is not there yet", strings.TrimSpace(name))
	}
	if f == nil {
		return nil, nil
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

// only returns the engine of a class, or where there is none of all, as it was taught.
func (m *Models) only(class int, t latent.Memory) (model.Engine, error) {
	if class < 0 {
		return m.teach(t)
	}
	e, err := m.engine()
	if err != nil {
		return nil, err
	}
	return e.Only(class)
}

// readable reports whether there is a classifier, or it was said that there is none. Until
// one comes, nothing is read.
func (m *Models) readable() bool {
	_, told := m.files[Classifier]
	return m.Reader != nil || told
}

// teach returns the engine of the digits with what it is taught.
func (m *Models) teach(t latent.Memory) (model.Engine, error) {
	e, err := m.engine()
	if err != nil || t.Empty() {
		return e, err
	}
	if last := &m.taught; last.Engine == nil || last.Weight != t.Weight || !slices.Equal(last.Codes, t.Codes) || !slices.Equal(last.Forget, t.Forget) {
		if e, err = e.Taught(t); err != nil {
			return nil, err
		}
		m.taught = taught{e, t}
	}
	return m.taught.Engine, nil
}

// reader returns the classifier, nil where there is none.
func (m *Models) reader() (model.Reader, error) {
	if m.Reader == nil {
		b, err := m.file(Classifier)
		if err != nil || b == nil {
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
	r, err := fetched(m, &m.Faces, OfFaces+name, name, func(b []byte) (*latent.Runner, error) {
		l, err := latent.Load(b)
		if err != nil {
			return nil, err
		}
		return l.Runner(1), nil
	})
	if err != nil {
		return nil, fmt.Errorf("the model of faces: %w", err)
	}
	return r, nil
}

// faceRivals returns the denoising autoencoder, and the diffusion between its two halves,
// to compare a model of faces with.
func (m *Models) faceRivals(name string) (*ldm.Runner, error) {
	r, err := fetched(m, &m.Rivals, OfFaceRivals+name, name, func(b []byte) (*ldm.Runner, error) {
		l, err := ldm.Load(b)
		if err != nil {
			return nil, err
		}
		return l.Runner(1), nil
	})
	if err != nil {
		return nil, fmt.Errorf("the models to compare faces with: %w", err)
	}
	if f, err := m.faces(name); err != nil {
		return nil, err
	} else if r.Image() != f.Image() {
		return nil, fmt.Errorf("the models to compare %s with are of images of %v, that one of %v", name, r.Image(), f.Image())
	}
	return r, nil
}

// fetched returns the model of a name, which is read from its file the first time.
func fetched[T any](m *Models, known *map[string]*T, file, name string, load func([]byte) (*T, error)) (*T, error) {
	if r := (*known)[name]; r != nil {
		return r, nil
	}
	b, err := m.file(file)
	if err != nil {
		return nil, err
	}
	r, err := load(b)
	if err != nil {
		return nil, err
	}
	if *known == nil {
		*known = map[string]*T{}
	}
	(*known)[name] = r
	return r, nil
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
