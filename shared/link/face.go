package link

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"mppm/shared/degrade"
	"mppm/shared/latent"
)

// Faces is the mode of pages that have models of faces: see Model.Faces.
const Faces Mode = "faces"

// Face is the subject of that mode.
const Face Subject = "faces"

// FaceTask is what is done with faces.
type FaceTask string

// The tasks.
const (
	Heal FaceTask = "heal" // a damaged face is restored
	Grow FaceTask = "grow" // faces grow from noise
	Pass FaceTask = "pass" // one face turns into another
)

// FaceTasks lists the tasks.
func FaceTasks() []FaceTask { return []FaceTask{Heal, Grow, Pass} }

// FaceState is what was chosen in the mode Faces. A photograph is not in it.
type FaceState struct {
	Model    string        `json:"model"`
	Task     FaceTask      `json:"task"`
	Face     uint64        `json:"face"`     // the seed from which the model makes the face that is damaged
	Kind     degrade.Kind  `json:"kind"`     // of the seeded damage, or None
	Severity float64       `json:"severity"` // in the kind's unit
	Seed     uint64        `json:"seed"`     // of the damage
	Paint    string        `json:"paint,omitempty"`
	GrowSeed uint64        `json:"growSeed"`
	Selected int           `json:"selected"` // which of the grown faces is shown large, and is passed from
	To       int           `json:"to"`       // which one is passed to
	Heal     latent.Preset `json:"heal"`     // the flow of restoring; its Sigma is 0 where it is the model's own
	Grow     latent.Preset `json:"grow"`     // that of generating, likewise
}

// GrownFaces is how many faces grow at a time.
const GrownFaces = 9

// maxPaint bounds what is painted by hand in a link, in letters.
const maxPaint = 1 << 16

// FaceDamage lists the kinds of damage that are done to faces.
func FaceDamage() []degrade.Info {
	var list []degrade.Info
	for _, i := range degrade.Kinds() {
		if i.Color[0] > 0 {
			list = append(list, i)
		}
	}
	return list
}

// wellMade is the seed of the face that is shown first: one that anybody takes for a face.
const wellMade = 24

func firstFace(models []string) FaceState {
	s := FaceState{Task: Heal, Face: wellMade, Kind: degrade.Missing, Severity: Find(degrade.Missing).Color[1], Seed: 1, GrowSeed: 1, To: 1}
	if len(models) > 0 {
		s.Model = models[0]
	}
	return s
}

// Modes lists the modes that the page has, in the order of their tabs.
func (p *Page) Modes() []Mode {
	list := Modes()
	if p.model.NoMap {
		list = slices.DeleteFunc(list, func(m Mode) bool { return m == Map })
	}
	if len(p.model.Faces) == 0 {
		return list
	}
	return append(list, Faces)
}

// faceFields are the fields of Faces, of pages that have it.
func (p *Page) faceFields() []field {
	if len(p.model.Faces) == 0 {
		return nil
	}
	kinds := []string{string(None)}
	for _, i := range FaceDamage() {
		kinds = append(kinds, string(i.Kind))
	}
	return []field{
		{Field: Field{Name: "faces", About: "In mode faces: the model", Kind: Word, Words: p.model.Faces}, at: func(l *Link) any { return &l.Faces.Model }},
		{Field: Field{Name: "face-task", About: "What is done with faces", Kind: Word, Words: words(FaceTasks())}, at: func(l *Link) any { return (*string)(&l.Faces.Task) }},
		{Field: Field{Name: "face", About: "The seed of the face that is damaged, which the model makes", Kind: Whole, Max: MaxSeed}, at: func(l *Link) any { return &l.Faces.Face }},
		{Field: Field{Name: "face-damage", About: "What is done to the face before it is restored", Kind: Word, Words: kinds}, at: func(l *Link) any { return (*string)(&l.Faces.Kind) },
			then: func(l *Link) error { l.Faces.Severity = Find(l.Faces.Kind).Color[1]; return nil }},
		{Field: Field{Name: "face-severity", About: "How much of it, in the damage's own unit", Kind: Number, Max: 50}, at: func(l *Link) any { return &l.Faces.Severity }, within: ofFaceDamage},
		{Field: Field{Name: "face-seed", About: "The seed of the damage", Kind: Whole, Max: MaxSeed}, at: func(l *Link) any { return &l.Faces.Seed }},
		{Field: Field{Name: "face-paint", About: "What is painted by hand, as the page packs it", Kind: Text, Length: maxPaint}, at: func(l *Link) any { return &l.Faces.Paint },
			set: func(l *Link, value string) error {
				if len(value) > maxPaint {
					return errors.New("this is too much paint")
				}
				l.Faces.Paint = value // whoever opens the link tells whether it is paint
				return nil
			}},
		{Field: Field{Name: "face-grow", About: "The seed of the noise that faces grow from", Kind: Whole, Max: MaxSeed}, at: func(l *Link) any { return &l.Faces.GrowSeed }},
		{Field: Field{Name: "face-selected", About: "Which of the grown faces is shown large", Kind: Whole, Max: GrownFaces - 1}, at: func(l *Link) any { return &l.Faces.Selected }},
		{Field: Field{Name: "face-to", About: "Which of them it turns into", Kind: Whole, Max: GrownFaces - 1}, at: func(l *Link) any { return &l.Faces.To }},
		flowField("face-heal", "The flow of restoring", func(l *Link) *latent.Preset { return &l.Faces.Heal }),
		flowField("face-grow-flow", "The flow of growing", func(l *Link) *latent.Preset { return &l.Faces.Grow }),
	}
}

// ofFaceDamage has the severity within what the damage takes.
func ofFaceDamage(l *Link, f *Field) {
	if l.Faces.Kind == None {
		return
	}
	info := Find(l.Faces.Kind)
	f.Min, f.Max, f.of = info.Min, info.Max, "with face-damage="+string(l.Faces.Kind)+" "
	if l.Faces.Kind == degrade.Scribble {
		f.Kind = Whole
	}
}

// flowField is a field with a whole flow: the values of its sliders in their order, with _
// between them; "" is the model's own.
func flowField(name, about string, at func(l *Link) *latent.Preset) field {
	// Links from before there was a distance at each pixel end at the rounds.
	const least = 7
	dials := FaceDials()
	takes := errors.New("it takes the " + strconv.Itoa(len(dials)) + " numbers of a flow, with _ between them")
	return field{
		Field: Field{Name: name, About: about + ": the values of its sliders, with _ between them", Kind: Text, Length: 120},
		get: func(l *Link) string {
			p := at(l)
			if p.Sigma == 0 {
				return ""
			}
			list := make([]string, len(dials))
			for i, d := range dials {
				list[i] = decimal(Value(*p, d.Parameter))
			}
			return strings.Join(list, "_")
		},
		set: func(l *Link, value string) error {
			parts := strings.Split(value, "_")
			if len(parts) != least && len(parts) != len(dials) {
				return takes
			}
			var p latent.Preset
			for i, d := range dials[:len(parts)] {
				v, err := strconv.ParseFloat(parts[i], 64)
				if err != nil || !(v >= d.Min && v <= d.Max) {
					return errors.New(d.Symbol + " takes a number from " + decimal(d.Min) + " to " + decimal(d.Max))
				}
				p = With(p, d.Parameter, v)
			}
			if err := p.Validate(); err != nil {
				return err
			}
			*at(l) = p
			return nil
		},
	}
}
