package link

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"mppm/shared/degrade"
	"mppm/shared/model"
	"mppm/shared/mppm"
	"mppm/shared/stroke"
)

// Kind is what a field's value must be.
type Kind int

// The kinds.
const (
	Whole  Kind = iota // a whole number from Min to Max
	Number             // a number from Min to Max
	Word               // one of Words
	Text               // at most Length letters, packed by this package or by stroke
)

// Field describes a field of a link. Where what a field may say depends on
// another one, as the severity does on the damage, the widest range is given.
type Field struct {
	Name     string
	Kind     Kind
	Min, Max float64
	Words    []string
	Length   int
	First    string // the value where none is given; "" where others decide, or the model
	About    string // what it says, in a line
}

// field is a field with how it is read and written. set returns an error that
// says what is wrong, or what the field takes, and then changes nothing.
type field struct {
	Field
	get   func(l *Link) string
	set   func(l *Link, value string) error
	leads bool // what it says decides what later fields are where nothing is said
}

// number reads a number as links write it: in decimals, not as 0x10 or 1e3.
func (f Field) number(value string) (float64, error) {
	v, err := strconv.ParseFloat(value, 64)
	if err != nil || strings.Trim(value, "0123456789.-") != "" {
		return 0, f.takes()
	}
	if !(v >= f.Min && v <= f.Max) || f.Kind == Whole && v != math.Trunc(v) {
		return 0, f.takes()
	}
	return v + 0, nil // without the sign of zero
}

// word reads one of the field's words, in whatever case.
func (f Field) word(value string) (string, error) {
	for _, w := range f.Words {
		if strings.EqualFold(w, value) {
			return w, nil
		}
	}
	return "", f.takes()
}

// takes says what the field takes.
func (f Field) takes() error {
	switch f.Kind {
	case Whole:
		return fmt.Errorf("it takes a whole number from %s to %s", decimal(f.Min), decimal(f.Max))
	case Number:
		return fmt.Errorf("it takes a number from %s to %s", decimal(f.Min), decimal(f.Max))
	case Word:
		return fmt.Errorf("it takes %s", strings.Join(f.Words, ", "))
	}
	return fmt.Errorf("it takes at most %d letters, digits, - and _", f.Length)
}

// Check returns a value as it is meant, a word in its own case, or an error that
// says what the field takes. What only another field can tell, and what is packed
// in a text, it lets through.
func (f Field) Check(value string) (string, error) {
	switch f.Kind {
	case Whole, Number:
		_, err := f.number(value)
		return value, err
	case Word:
		return f.word(value)
	}
	if len(value) > f.Length || strings.Trim(value, safe) != "" {
		return "", f.takes()
	}
	return value, nil
}

func whole[T int | uint64](name, about string, lo, hi float64, at func(l *Link) *T) field {
	f := Field{Name: name, Kind: Whole, Min: lo, Max: hi, About: about}
	return field{Field: f,
		get: func(l *Link) string { return fmt.Sprint(*at(l)) },
		set: func(l *Link, value string) error {
			v, err := f.number(value)
			if err == nil {
				*at(l) = T(v)
			}
			return err
		},
	}
}

func number(name, about string, lo, hi float64, at func(l *Link) *float64) field {
	f := Field{Name: name, Kind: Number, Min: lo, Max: hi, About: about}
	return field{Field: f,
		get: func(l *Link) string { return decimal(*at(l)) },
		set: func(l *Link, value string) error {
			v, err := f.number(value)
			if err == nil {
				*at(l) = v
			}
			return err
		},
	}
}

func word[T ~string](name, about string, words []T, at func(l *Link) *T) field {
	f := Field{Name: name, Kind: Word, About: about}
	for _, w := range words {
		f.Words = append(f.Words, string(w))
	}
	return field{Field: f,
		get: func(l *Link) string { return string(*at(l)) },
		set: func(l *Link, value string) error {
			w, err := f.word(value)
			if err == nil {
				*at(l) = T(w)
			}
			return err
		},
	}
}

func onOff(name, about string, at func(l *Link) *bool) field {
	f := Field{Name: name, Kind: Word, Words: []string{"on", "off"}, About: about}
	return field{Field: f,
		get: func(l *Link) string { return map[bool]string{true: "on", false: "off"}[*at(l)] },
		set: func(l *Link, value string) error {
			w, err := f.word(value)
			if err == nil {
				*at(l) = w == "on"
			}
			return err
		},
	}
}

func code(name, about string, at func(l *Link) *string) field {
	return field{Field: Field{Name: name, Kind: Text, Length: codeLength, About: about},
		get: func(l *Link) string { return *at(l) },
		set: func(l *Link, value string) error {
			_, err := UnpackCode(value)
			if err == nil {
				*at(l) = value
			}
			return err
		},
	}
}

// camera is a field of Manifold's camera, which is always on its grain.
func camera(name, about string, lo, hi float64, at func(c *Camera) *float64) field {
	f := number(name, about, lo, hi, func(l *Link) *float64 { return at(&l.Figure.Camera) })
	set := f.set
	f.set = func(l *Link, value string) error {
		err := set(l, value)
		if err == nil {
			l.Figure.Camera = l.Figure.Camera.OnGrain()
		}
		return err
	}
	return f
}

// cell is a field that chooses a digit of the grid.
func cell(name, about string, at func(l *Link) *int) field {
	f := whole(name, about, 0, MaxGrid*MaxGrid-1, at)
	f.set = func(l *Link, value string) error {
		here := f.Field
		here.Max = float64(l.Grid*l.Grid - 1)
		v, err := here.number(value)
		if err == nil {
			*at(l) = int(v)
		}
		return err
	}
	return f
}

// dial is a field of a flow: its value in Steps, or else where it is.
func dial(of, about string, d Dial, steps func(l *Link) *int, at func(l *Link) *float32) field {
	name := of + string(d.Parameter)
	if d.Parameter == Steps {
		return whole(name, about, d.Min, d.Max, steps)
	}
	f := Field{Name: name, Kind: Number, Min: d.Min, Max: d.Max, About: about}
	return field{Field: f,
		get: func(l *Link) string { return decimal32(*at(l)) },
		set: func(l *Link, value string) error {
			v, err := f.number(value)
			if err == nil {
				*at(l) = float32(v)
			}
			return err
		},
	}
}

// The fields of a flow begin with these.
const (
	ofRestore  = string(Restore) + "-"
	ofGenerate = string(Generate) + "-"
	ofManifold = string(Manifold) + "-"
)

// sums are the flows, whose α and β bound each other.
var sums = []struct {
	of     string
	forces func(l *Link) (alpha, beta *float32)
}{
	{ofRestore, func(l *Link) (a, b *float32) { return &l.RestoreFlow.Alpha, &l.RestoreFlow.Beta }},
	{ofGenerate, func(l *Link) (a, b *float32) { return &l.GenerateFlow.Alpha, &l.GenerateFlow.Beta }},
	{ofManifold, func(l *Link) (a, b *float32) { return &l.Figure.Flow.Alpha, &l.Figure.Flow.Beta }},
}

// meanings says what the parameters of a flow are.
var meanings = map[Parameter]string{
	Alpha:    "α of Eq. 15; α + β is below 1",
	Beta:     "β of Eq. 15",
	Sigma:    "σ_ker of Eq. 21, in multiples of the codes' spacing",
	Tau:      "τ of the gate, likewise; 0 for none",
	Steps:    "how many steps at most",
	SigmaD:   "σ_d of Eq. 19, a length",
	SigmaKer: "σ_ker of Eq. 19, in multiples of the codes' standard deviation",
}

// list returns the fields of the page's links. Those that others depend on come
// before them.
func (p *Page) list() []field {
	list := []field{
		word("mode", "The page's mode", Modes(), func(l *Link) *Mode { return &l.Mode }),
		drawing(),
		picture(),
		whole("digit", "Which of the page's test digits", 0, float64(p.digits-1), func(l *Link) *int { return &l.State.Digit }),
		damage(),
		severity(),
		whole("seed", "The seed of the damage", 0, MaxSeed, func(l *Link) *uint64 { return &l.Seed }),
		number("brush", "The diameter of the pen, in pixels of the image", MinBrush, MaxBrush, func(l *Link) *float64 { return &l.Brush }),
		whole("grid-seed", "The seed of the noise that digits grow from", 0, MaxSeed, func(l *Link) *uint64 { return &l.GenerateSeed }),
		grid(),
		p.class(),
		code("like", "The code that digits grow around, as the page packs it", func(l *Link) *string { return &l.Like }),
		cell("selected", "Which digit of the grid is enlarged", func(l *Link) *int { return &l.Selected }),
		cell("walk-to", "Which digit of the grid a walk leads to", func(l *Link) *int { return &l.WalkTo }),
		onOff("walk", "Walk from the one to the other", func(l *Link) *bool { return &l.State.Walk }),
		code("spot", "The code that was put on the map, as the page packs it", func(l *Link) *string { return &l.State.Spot }),
		follow(),
		number("map-x", "The middle of what is seen of the map, in the units of the codes", -farthestLens, farthestLens, func(l *Link) *float64 { return &l.View.X }),
		number("map-y", "The middle of what is seen of the map, in the units of the codes", -farthestLens, farthestLens, func(l *Link) *float64 { return &l.View.Y }),
		number("map-zoom", "How many times larger than as a whole the map is seen", 1, MaxZoom, func(l *Link) *float64 { return &l.View.Zoom }),
		onOff("heat", "D as color on the map", func(l *Link) *bool { return &l.Heat }),
	}
	for _, flow := range []struct {
		of, about string
		preset    func(l *Link) *model.Preset
	}{
		{ofRestore, "The flow of restoring: ", func(l *Link) *model.Preset { return &l.RestoreFlow }},
		{ofGenerate, "The flow of generating: ", func(l *Link) *model.Preset { return &l.GenerateFlow }},
	} {
		for _, d := range Dials() {
			list = append(list, dial(flow.of, flow.about+meanings[d.Parameter], d,
				func(l *Link) *int { return &flow.preset(l).Steps },
				func(l *Link) *float32 { return ofPreset(flow.preset(l), d.Parameter) }))
		}
	}
	list = append(list,
		curve(),
		at(),
		whole("point-seed", "The seed of the random point, and of diffusion", 0, MaxSeed, func(l *Link) *uint64 { return &l.Figure.Seed }),
		camera("azimuth", "How far the curve is turned, in degrees", -180, 180, func(c *Camera) *float64 { return &c.Azimuth }),
		camera("elevation", "From how far above it is seen, in degrees", -90, 90, func(c *Camera) *float64 { return &c.Elevation }),
		camera("closeness", "How large the curve is seen", MinCloseness, MaxCloseness, func(c *Camera) *float64 { return &c.Zoom }),
		camera("view-x", "By how much the view of a flat curve is off its middle", -FarthestView, FarthestView, func(c *Camera) *float64 { return &c.X }),
		camera("view-y", "By how much the view of a flat curve is off its middle", -FarthestView, FarthestView, func(c *Camera) *float64 { return &c.Y }),
		without(),
		onOff("slice", "D as color around the curve", func(l *Link) *bool { return &l.Figure.Slice }),
		onOff("construction", "How a step comes about", func(l *Link) *bool { return &l.Figure.Construction }),
	)
	flow := func(l *Link) *mppm.Preset { return &l.Figure.Flow }
	for _, d := range FigureDials() {
		list = append(list, dial(ofManifold, "The flow of the curves: "+meanings[d.Parameter], d,
			func(l *Link) *int { return &flow(l).Steps },
			func(l *Link) *float32 { return ofFigure(flow(l), d.Parameter) }))
	}
	list = append(list, step())
	for i := range list {
		f := &list[i]
		own := f.Name == "severity" || f.Name == "selected" || f.Name == "walk-to" || f.Name == "at"
		if !own && !strings.HasPrefix(f.Name, ofRestore) && !strings.HasPrefix(f.Name, ofGenerate) {
			f.First = f.get(&p.first)
		}
	}
	return list
}

func drawing() field {
	return field{Field: Field{Name: "drawing", Kind: Text, Length: MaxLength, About: "A drawing, as the page packs it"},
		get: func(l *Link) string {
			if l.Source != Drawing {
				return ""
			}
			return l.Drawing
		},
		set: func(l *Link, value string) error {
			strokes, err := stroke.Decode(value)
			if err == nil {
				l.Source, l.Drawing = Drawing, stroke.Encode(strokes)
			}
			return err
		},
	}
}

func picture() field {
	return field{Field: Field{Name: "picture", Kind: Text, Length: maxPicture, About: "A picture, as the page packs it"},
		get: func(l *Link) string {
			if l.Source != Picture {
				return ""
			}
			return l.State.Picture
		},
		set: func(l *Link, value string) error {
			if l.Source == Drawing {
				return errors.New("there is a drawing too, which is shown")
			}
			_, err := UnpackPicture(value)
			if err == nil {
				l.Source, l.State.Picture = Picture, value
			}
			return err
		},
	}
}

func damage() field {
	f := word("damage", "What is done to the digit before it is restored", Damages(), func(l *Link) *degrade.Kind { return &l.Kind })
	f.leads = true
	set := f.set
	f.set = func(l *Link, value string) error {
		err := set(l, value)
		if err == nil {
			l.Severity = Find(l.Kind).Mild
		}
		return err
	}
	return f
}

func severity() field {
	f := number("severity", "How much of it, in the damage's own unit; its mild severity of Table 6 where none is given", 0, 0, func(l *Link) *float64 { return &l.Severity })
	for _, i := range degrade.Kinds() {
		f.Min, f.Max = min(f.Min, i.Min), max(f.Max, i.Max)
	}
	f.set = func(l *Link, value string) error {
		here, info := f.Field, Find(l.Kind)
		if l.Kind != None { // without damage any severity does nothing
			here.Min, here.Max = info.Min, info.Max
		}
		if l.Kind == degrade.Scribble {
			here.Kind = Whole // they are counted
		}
		v, err := here.number(value)
		if err != nil {
			if l.Kind != None {
				err = fmt.Errorf("with damage=%s %w", l.Kind, err)
			}
			return err
		}
		if l.Kind != None {
			l.Severity = v
		}
		return nil
	}
	return f
}

func grid() field {
	f := whole("grid", "How many digits the grid has along each edge", MinGrid, MaxGrid, func(l *Link) *int { return &l.Grid })
	f.leads = true
	set := f.set
	f.set = func(l *Link, value string) error {
		err := set(l, value)
		if err == nil {
			last := l.Grid*l.Grid - 1
			l.Selected, l.WalkTo = min(l.Selected, last), min(l.WalkTo, last)
		}
		return err
	}
	return f
}

func (p *Page) class() field {
	f := whole("class", "The only class that grows, or -1 for all", Any, MaxClass, func(l *Link) *int { return &l.Class })
	f.set = func(l *Link, value string) error {
		v, err := f.number(value)
		if err == nil && v != Any && p.only != nil {
			err = p.only(int(v))
		}
		if err == nil {
			l.Class = int(v)
		}
		return err
	}
	return f
}

func follow() field {
	f := word("follow", "In mode map: whose path is shown", Followed(), func(l *Link) *Subject { return &l.Follow })
	set := f.set
	f.set = func(l *Link, value string) error {
		if strings.EqualFold(value, string(Spot)) && l.State.Spot == "" {
			return errors.New("there is no spot to follow; give spot too")
		}
		return set(l, value)
	}
	return f
}

func curve() field {
	var names []Curve
	for _, i := range Curves() {
		names = append(names, i.Curve)
	}
	f := word("curve", "In mode manifold: the curve", names, func(l *Link) *Curve { return &l.Figure.Curve })
	f.leads = true
	set := f.set
	f.set = func(l *Link, value string) error {
		err := set(l, value)
		if err == nil {
			info, _ := FindCurve(l.Figure.Curve)
			l.Figure.At = info.First
		}
		return err
	}
	return f
}

// at is where the point was dropped: coordinates with "_" between them.
func at() field {
	coordinate := Field{Kind: Number, Min: -Farthest, Max: Farthest}
	return field{Field: Field{Name: "at", Kind: Text, Length: 100, About: "Where the point was dropped: its coordinates, with _ between them"},
		get: func(l *Link) string {
			info, _ := FindCurve(l.Figure.Curve)
			var list []string
			for _, v := range l.Figure.At[:info.Dim()] {
				list = append(list, decimal(v))
			}
			return strings.Join(list, "_")
		},
		set: func(l *Link, value string) error {
			info, _ := FindCurve(l.Figure.Curve)
			list := strings.Split(value, "_")
			takes := fmt.Errorf("a point of this curve is %d numbers from %d to %d, with _ between them", info.Dim(), -Farthest, Farthest)
			if len(list) != info.Dim() {
				return takes
			}
			var x [3]float64
			for k, text := range list {
				v, err := coordinate.number(text)
				if err != nil {
					return takes
				}
				x[k] = OnGrain(v, PointGrain)
			}
			l.Figure.At = x
			return nil
		},
	}
}

// without are the methods that are not shown, with "_" between them.
func without() field {
	var names []string
	for _, m := range Methods() {
		names = append(names, string(m))
	}
	return field{Field: Field{Name: "without", Kind: Text, Length: 100, About: "The methods that are not shown, with _ between them"},
		get: func(l *Link) string {
			var list []string
			for _, m := range Methods() {
				if !l.Figure.Shows(m) {
					list = append(list, string(m))
				}
			}
			return strings.Join(list, "_")
		},
		set: func(l *Link, value string) error {
			list := strings.Split(strings.ToLower(value), "_")
			for _, m := range list {
				if !slices.Contains(names, m) {
					return fmt.Errorf("it takes %s, with _ between them", strings.Join(names, ", "))
				}
			}
			for _, m := range list {
				l.Figure.Show(Method(m), false)
			}
			return nil
		},
	}
}

// step is where the timeline rests.
func step() field {
	f := Field{Name: "step", Kind: Whole, Max: maxSteps, About: "Where the timeline rests, where it is not at its end"}
	return field{Field: f,
		get: func(l *Link) string {
			if l.Step < 0 {
				return ""
			}
			return strconv.Itoa(l.Step)
		},
		set: func(l *Link, value string) error {
			v, err := f.number(value)
			if err == nil {
				l.Step = int(v)
			}
			return err
		},
	}
}
