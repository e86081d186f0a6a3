package app

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"mppm/shared/latent"
	"mppm/shared/link"
	"mppm/wasm/app/compute"
	"mppm/wasm/app/model"
	"mppm/wasm/app/restore"
	"mppm/wasm/app/room"
)

// Model is what Restore, Generate and Map are of.
type Model struct {
	model.About
	Engine   model.Engine
	Reads    bool            // there is a classifier, or will be
	Reader   model.Reader    // it; nil where it is read from its file
	Restore  latent.Preset   // its own flow for restoring
	Generate latent.Preset   // its own flow for generating
	Samples  restore.Samples // clean images to begin with
	Data     string          // of what these are; "": they are the model's own
	Rivals   bool            // there are models to compare with, or will be

	Pictures string // the name that Faces knows it by: it is of pictures, and nothing above but About is said of it

	// Files are what the models come in, by the names that package compute has for them. A
	// nil File says that there is no such model.
	Files map[string]compute.File
}

// check returns an error if the page cannot show the model.
func (m *Model) check() error {
	if err := m.Restore.Validate(); err != nil {
		return fmt.Errorf("the model's flow for restoring: %w", err)
	}
	if err := m.Generate.Validate(); err != nil {
		return fmt.Errorf("the model's flow for generating: %w", err)
	}
	if m.Samples == nil || m.Samples.Len() == 0 {
		return errors.New("there are no images to show")
	}
	return nil
}

// page returns what links to the model are about.
func (m *Model) page(faces []string) *link.Page {
	return room.NewLinks(m.Engine, m.Restore, m.Generate, m.About, m.Samples.Len(), faces)
}

// kept is the page's own model, while another is shown, and what was on the screen.
type kept struct {
	model Model
	link  link.Link
	past  restore.Past
}

// Use shows another model in place of the page's own, from the first screen on. What was
// there comes back with Back. It returns an error, and changes nothing, if the model cannot
// be shown.
func (a *App) Use(m Model) error {
	if m.Pictures != "" {
		return a.usePictures(m)
	}
	if err := m.check(); err != nil {
		return err
	}
	if a.kept == nil {
		a.kept = &kept{model: a.shown, link: a.saved(), past: a.Restore.Past()}
	}
	a.use(m)
	return nil
}

// use has the rooms begin anew with a model.
func (a *App) use(m Model) {
	a.shown = m
	for name, f := range m.Files {
		a.Compute.Bring(name, f)
	}
	a.Session.Use(m.page(a.faceModels()), m.Engine, m.Reader, m.Reads && (a.kept != nil || a.readable), m.About)
	a.Restore.Use(m.Restore, m.Samples)
	a.Generate.Use(m.Generate)
	a.Map.Use()
	if m.Rivals && (a.kept != nil || a.rivals) {
		a.Restore.Comparable()
	}
}

// Bring gives a file of the page's own model, by the name that package compute has for it.
func (a *App) Bring(name string, f compute.File) {
	own := a.own()
	if own.Files == nil {
		own.Files = map[string]compute.File{}
	}
	own.Files[name] = f
	if a.kept == nil {
		a.Compute.Bring(name, f)
	}
}

// RivalsCame says that the page's own models to compare with are there.
func (a *App) RivalsCame() {
	a.rivals = true
	if a.kept == nil {
		a.Restore.Comparable()
	}
}

// Reads reports whether what Restore, Generate and Map show is read, or will be.
func (a *App) Reads() bool { return a.shown.Reads }

// Compares reports whether Restore compares with other models, or will.
func (a *App) Compares() bool { return a.shown.Rivals }

// Back shows the page's own models again, as they were; where they are shown, it does
// nothing.
func (a *App) Back() {
	a.backToFaces()
	a.backToImages()
}

// backToImages is Back for Restore, Generate and Map.
func (a *App) backToImages() {
	k := a.kept
	if k == nil {
		return
	}
	a.kept = nil
	now := a.State
	a.use(k.model)
	l := k.link
	l.Mode, l.Figure, l.Faces = now.Mode, now.Figure, now.Faces // which had nothing to do with it
	a.State = l.State
	a.Want(l.Step)
	for _, r := range []link.Mode{link.Restore, link.Generate, link.Map} {
		if err := a.rooms[r].Open(&l); err != nil {
			a.Fail(err) // it was shown before
		}
	}
	a.Restore.Return(k.past)
}

// own returns the page's own model, whichever is shown.
func (a *App) own() *Model {
	if a.kept != nil {
		return &a.kept.model
	}
	return &a.shown
}

// Opened reports whether another model than the page's own is shown.
func (a *App) Opened() bool { return a.kept != nil || a.pictures.as != "" }

// pictures is a model that was opened for Faces.
type pictures struct {
	as   string // the name that Faces knows it by; "": there is none
	name string // what people call it
}

// faceModels lists the models that Faces can show.
func (a *App) faceModels() []string {
	if a.pictures.as == "" {
		return a.faces
	}
	return append(slices.Clone(a.faces), a.pictures.as)
}

// usePictures shows a model of pictures in Faces.
func (a *App) usePictures(m Model) error {
	a.backToFaces()
	a.pictures = pictures{m.Pictures, m.Name}
	for name, f := range m.Files {
		a.Compute.Bring(name, f)
	}
	a.Links = a.shown.page(a.faceModels())
	a.Faces.Arrive(m.Pictures, nil)
	if err := a.Faces.SetModel(m.Pictures); err != nil {
		return err
	}
	return a.SetMode(link.Faces)
}

// backToFaces has Faces show the page's own models.
func (a *App) backToFaces() {
	was := a.pictures.as
	if was == "" {
		return
	}
	a.pictures = pictures{}
	a.Links = a.shown.page(a.faces)
	switch {
	case a.State.Faces.Model != was:
	case len(a.faces) > 0:
		if err := a.Faces.SetModel(a.faces[0]); err != nil {
			a.Fail(err)
		}
	default:
		a.State.Faces.Model = ""
		if a.Mode == link.Faces {
			a.Mode = link.Restore
		}
	}
	a.Faces.Forget(was)
	a.Compute.Bring(compute.OfFaces+was, nil)
	a.Touch()
}

// Pictured returns the model that was opened for Faces: what Faces knows it by, and what
// people call it; "" where there is none.
func (a *App) Pictured() (as, name string) { return a.pictures.as, a.pictures.name }

// OfFaces reports whether Faces shows faces, and no pictures of anything else.
func (a *App) OfFaces() bool {
	m := a.State.Faces.Model
	return m == "" || m == "faces" || m == "drawn"
}

// OwnWords says what the way back leads to.
func (a *App) OwnWords() string {
	if a.own().Digits && a.kept != nil {
		return "Back to the digits"
	}
	return "Back to the page’s own model"
}

// Words says what model was opened.
func (a *App) Words() string {
	var words []string
	if a.kept != nil {
		image := a.Engine.Image()
		codes, _ := a.Engine.Bank()
		words = append(words, fmt.Sprintf("This is %s: gray images of %d × %d pixels, %d of their codes.", a.About.Name, image.W, image.H, len(codes)/a.Engine.Latent()))
	}
	if a.pictures.as != "" {
		words = append(words, fmt.Sprintf("%s is in the tab Pictures.", a.pictures.name))
	}
	return strings.Join(words, " ") + " It stays in this page."
}

// SampleWords says what the image is that is restored, where it is one of the model's
// samples.
func (a *App) SampleWords() string {
	label, of := a.Restore.Label(), "from "+a.shown.Data
	if a.shown.Data == "" {
		of = "of the model’s own"
	}
	switch {
	case label < 0:
		return of
	case a.About.Digits:
		return fmt.Sprintf("a %d %s", label, of)
	}
	return a.About.Class(label) + ", " + of
}
