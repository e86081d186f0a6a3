package link

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"mppm/shared/degrade"
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
	About    string // what it says, in words
	Kind     Kind
	Min, Max float64
	Words    []string
	Length   int
	First    string // the value where none is given; "" where others decide, or the model
	of       string // on what Min and Max depend, before what the field takes
}

// field is a field with where a link has what it says.
type field struct {
	Field
	// at returns a pointer to it: *int, *uint64, *float64, *float32, *bool, *string.
	at func(l *Link) any
	// What it may say, where that depends on what was read before it: changes f.
	within func(l *Link, f *Field)
	// What else follows from it. Others are then as they are where nothing is said
	// of them.
	then func(l *Link) error
	// How it is written and read, where at does not say; set changes nothing where
	// it returns an error.
	get func(l *Link) string
	set func(l *Link, value string) error
}

// number reads a number as links write it: in decimals, not as 0x10 or 1e3.
func (f *Field) number(value string) (float64, error) {
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
func (f *Field) word(value string) (string, error) {
	for _, w := range f.Words {
		if strings.EqualFold(w, value) {
			return w, nil
		}
	}
	return "", f.takes()
}

// takes says what the field takes.
func (f *Field) takes() error {
	switch f.Kind {
	case Whole:
		return errors.New(f.of + "it takes a whole number from " + decimal(f.Min) + " to " + decimal(f.Max))
	case Number:
		return errors.New(f.of + "it takes a number from " + decimal(f.Min) + " to " + decimal(f.Max))
	case Word:
		return errors.New("it takes " + strings.Join(f.Words, ", "))
	}
	return errors.New("it takes at most " + strconv.Itoa(f.Length) + " letters, digits, - and _")
}

// Check returns a value as it is meant, a word in its own case, or an error that
// says what the field takes. What only another field can tell, and what is packed
// in a text, it lets through.
func (f *Field) Check(value string) (string, error) {
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

// write returns what a link says in the field.
func (f *field) write(l *Link) string {
	if f.get != nil {
		return f.get(l)
	}
	switch at := f.at(l).(type) {
	case *int:
		return strconv.Itoa(*at)
	case *uint64:
		return strconv.FormatUint(*at, 10)
	case *float64:
		return decimal(*at)
	case *float32:
		return decimal32(*at)
	case *bool:
		if !*at {
			return off
		}
		return on
	case *string:
		return *at
	}
	return ""
}

// put has a link say a value in the field. It returns an error that says what is
// wrong, or what the field takes, and then changes nothing.
func (f *field) put(l *Link, value string) error {
	if f.set != nil {
		return f.set(l, value)
	}
	takes := f.Field
	if f.within != nil {
		f.within(l, &takes)
	}
	var v float64
	var err error
	switch f.Kind {
	case Whole, Number:
		v, err = takes.number(value)
	case Word:
		value, err = takes.word(value)
	}
	if err != nil {
		return err
	}
	was := *l
	switch at := f.at(l).(type) {
	case *int:
		*at = int(v)
	case *uint64:
		*at = uint64(v)
	case *float64:
		*at = v
	case *float32:
		*at = float32(v)
	case *bool:
		*at = value == on
	case *string:
		*at = value
	}
	if f.then != nil {
		if err := f.then(l); err != nil {
			*l = was
			return err
		}
	}
	return nil
}

// What a switch may say.
const (
	on  = "on"
	off = "off"
)

// The fields of a flow begin with these.
const (
	ofRestore  = string(Restore) + "-"
	ofGenerate = string(Generate) + "-"
	ofManifold = string(Manifold) + "-"
)

// list returns the fields of the page's links. Those that others depend on come
// before them.
func (p *Page) list() []field {
	list := slices.Concat([]field{{
		Field: Field{Name: modelField, About: "The model, where it is not the page's own: the first letters of its file's SHA-256", Kind: Text, Length: 64},
		get:   func(*Link) string { return "" }, // Write says it
		set:   p.isModel,
	}}, digitFields, p.memoryFields(), flowFields(ofRestore, Dials()), flowFields(ofGenerate, Dials()), figureFields, flowFields(ofManifold, FigureDials()), p.faceFields(), []field{timeline})
	for i := range list {
		f := &list[i]
		switch f.Name {
		case "mode":
			f.Words = words(p.Modes())
		case "damage":
			f.Words = words(Damages())
		case "follow":
			f.Words = words(Followed())
		case "curve":
			for _, c := range Curves() {
				f.Words = append(f.Words, string(c.Curve))
			}
		case "digit":
			f.Max = float64(p.digits - 1)
		case "severity":
			for _, d := range degrade.Kinds() {
				f.Min, f.Max = min(f.Min, d.Min), max(f.Max, d.Max)
			}
		case "picture":
			f.Length, f.set = pictureLength(p.model.Pixels), p.setPicture
		case "like", "spot":
			f.Length, f.set = codeLength(p.model.Latent), p.setCode(f.at)
		case "class":
			f.Max, f.then = float64(p.model.Classes-1), p.canGrow
		}
		if f.switches() {
			f.Words = []string{on, off}
		}
		own := f.within == nil && f.Name != "at" && !strings.HasPrefix(f.Name, ofRestore) && !strings.HasPrefix(f.Name, ofGenerate)
		if own {
			f.First = f.write(&p.first)
		}
	}
	return list
}

// modelField is the field that names a model which is not the page's own.
const modelField = "model"

// isModel returns an error where a link is of another model than the page's.
func (p *Page) isModel(_ *Link, value string) error {
	switch {
	case value == p.model.Print:
		return nil
	case p.model.Print == "":
		return errors.New("this link was made with another model, which the page has not: open the file of that model, and then the link")
	}
	return errors.New("this link was made with another model than the one that is open: open the file of that model, and then the link")
}

// switches reports whether the field is on or off.
func (f *field) switches() bool {
	if f.at == nil {
		return false
	}
	_, is := f.at(new(Link)).(*bool)
	return is
}

func words[T ~string](list []T) []string {
	var out []string
	for _, w := range list {
		out = append(out, string(w))
	}
	return out
}

// digitFields are the fields of all modes but Manifold, without their flows.
var digitFields = []field{
	{Field: Field{Name: "mode", About: "The page's mode", Kind: Word}, at: func(l *Link) any { return (*string)(&l.Mode) }},
	{Field: Field{Name: "drawing", About: "A drawing, as the page packs it", Kind: Text, Length: MaxLength}, get: getDrawing, set: setDrawing},
	{Field: Field{Name: "picture", About: "A picture, as the page packs it", Kind: Text}, get: getPicture},
	{Field: Field{Name: "digit", About: "Which of the page's test digits", Kind: Whole}, at: func(l *Link) any { return &l.State.Digit }},
	{Field: Field{Name: "damage", About: "What is done to the digit before it is restored", Kind: Word}, at: func(l *Link) any { return (*string)(&l.Kind) },
		then: func(l *Link) error { l.Severity = Find(l.Kind).Mild; return nil }},
	{Field: Field{Name: "severity", About: "How much of it, in the damage's own unit; its mild severity of Table 6 where none is given", Kind: Number}, at: func(l *Link) any { return &l.Severity },
		within: ofDamage, then: undamaged},
	{Field: Field{Name: "seed", About: "The seed of the damage", Kind: Whole, Max: MaxSeed}, at: func(l *Link) any { return &l.Seed }},
	{Field: Field{Name: "brush", About: "The diameter of the pen, in pixels of the image", Kind: Number, Min: MinBrush, Max: MaxBrush}, at: func(l *Link) any { return &l.Brush }},
	{Field: Field{Name: "grid-seed", About: "The seed of the noise that digits grow from", Kind: Whole, Max: MaxSeed}, at: func(l *Link) any { return &l.GenerateSeed }},
	{Field: Field{Name: "grid", About: "How many digits the grid has along each edge", Kind: Whole, Min: MinGrid, Max: MaxGrid}, at: func(l *Link) any { return &l.Grid },
		then: func(l *Link) error {
			last := l.Grid*l.Grid - 1
			l.Selected, l.WalkTo = min(l.Selected, last), min(l.WalkTo, last)
			return nil
		}},
	{Field: Field{Name: "class", About: "The only class that grows, or -1 for all", Kind: Whole, Min: Any}, at: func(l *Link) any { return &l.Class }},
	{Field: Field{Name: "like", About: "The code that digits grow around, as the page packs it", Kind: Text}, at: func(l *Link) any { return &l.Like }},
	{Field: Field{Name: "selected", About: "Which digit of the grid is enlarged", Kind: Whole, Max: MaxGrid*MaxGrid - 1}, at: func(l *Link) any { return &l.Selected }, within: ofGrid},
	{Field: Field{Name: "walk-to", About: "Which digit of the grid a walk leads to", Kind: Whole, Max: MaxGrid*MaxGrid - 1}, at: func(l *Link) any { return &l.WalkTo }, within: ofGrid},
	{Field: Field{Name: "walk", About: "Walk from the one to the other", Kind: Word}, at: func(l *Link) any { return &l.State.Walk }},
	{Field: Field{Name: "spot", About: "The code that was put on the map, as the page packs it", Kind: Text}, at: func(l *Link) any { return &l.State.Spot }},
	{Field: Field{Name: "follow", About: "In mode map: whose path is shown", Kind: Word}, at: func(l *Link) any { return (*string)(&l.Follow) },
		then: func(l *Link) error {
			if l.Follow == Spot && l.State.Spot == "" {
				return errors.New("there is no spot to follow; give spot too")
			}
			return nil
		}},
	{Field: Field{Name: "map-x", About: "The middle of what is seen of the map, in the units of the codes", Kind: Number, Min: -farthestLens, Max: farthestLens}, at: func(l *Link) any { return &l.View.X }},
	{Field: Field{Name: "map-y", About: "The middle of what is seen of the map, in the units of the codes", Kind: Number, Min: -farthestLens, Max: farthestLens}, at: func(l *Link) any { return &l.View.Y }},
	{Field: Field{Name: "map-zoom", About: "How many times larger than as a whole the map is seen", Kind: Number, Min: 1, Max: MaxZoom}, at: func(l *Link) any { return &l.View.Zoom }},
	{Field: Field{Name: "heat", About: "D as color on the map", Kind: Word}, at: func(l *Link) any { return &l.Heat }},
}

// figureFields are the fields of Manifold, without its flow.
var figureFields = []field{
	{Field: Field{Name: "curve", About: "In mode manifold: the curve", Kind: Word}, at: func(l *Link) any { return (*string)(&l.Figure.Curve) },
		then: func(l *Link) error {
			info, _ := FindCurve(l.Figure.Curve)
			l.Figure.At = info.First
			return nil
		}},
	{Field: Field{Name: "at", About: "Where the point was dropped: its coordinates, with _ between them", Kind: Text, Length: 100}, get: getAt, set: setAt},
	{Field: Field{Name: "point-seed", About: "The seed of the random point, and of diffusion", Kind: Whole, Max: MaxSeed}, at: func(l *Link) any { return &l.Figure.Seed }},
	{Field: Field{Name: "azimuth", About: "How far the curve is turned, in degrees", Kind: Number, Min: -180, Max: 180}, at: func(l *Link) any { return &l.Figure.Camera.Azimuth }, then: onGrain},
	{Field: Field{Name: "elevation", About: "From how far above it is seen, in degrees", Kind: Number, Min: -90, Max: 90}, at: func(l *Link) any { return &l.Figure.Camera.Elevation }, then: onGrain},
	{Field: Field{Name: "closeness", About: "How large the curve is seen", Kind: Number, Min: MinCloseness, Max: MaxCloseness}, at: func(l *Link) any { return &l.Figure.Camera.Zoom }, then: onGrain},
	{Field: Field{Name: "view-x", About: "By how much the view of a flat curve is off its middle", Kind: Number, Min: -FarthestView, Max: FarthestView}, at: func(l *Link) any { return &l.Figure.Camera.X }, then: onGrain},
	{Field: Field{Name: "view-y", About: "By how much the view of a flat curve is off its middle", Kind: Number, Min: -FarthestView, Max: FarthestView}, at: func(l *Link) any { return &l.Figure.Camera.Y }, then: onGrain},
	{Field: Field{Name: "without", About: "The methods that are not shown, with _ between them", Kind: Text, Length: 100}, get: getWithout, set: setWithout},
	{Field: Field{Name: "slice", About: "D as color around the curve", Kind: Word}, at: func(l *Link) any { return &l.Figure.Slice }},
	{Field: Field{Name: "construction", About: "How a step comes about", Kind: Word}, at: func(l *Link) any { return &l.Figure.Construction }},
}

// flowFields are the fields of a flow: one for each of its sliders.
func flowFields(of string, dials []Dial) []field {
	at := func(l *Link, name Parameter) any {
		switch of {
		case ofRestore:
			return in(&l.RestoreFlow, name)
		case ofGenerate:
			return in(&l.GenerateFlow, name)
		}
		return in(&l.Figure.Flow, name)
	}
	about := map[string]string{ofRestore: "The flow of restoring: ", ofGenerate: "The flow of generating: ", ofManifold: "The flow of the curves: "}[of]
	var list []field
	for _, d := range dials {
		kind := Number
		if d.Parameter == Steps {
			kind = Whole
		}
		list = append(list, field{
			Field: Field{Name: of + string(d.Parameter), About: about + d.About, Kind: kind, Min: d.Min, Max: d.Max},
			at:    func(l *Link) any { return at(l, d.Parameter) },
		})
	}
	return list
}

var timeline = field{
	Field: Field{Name: "step", About: "Where the timeline rests, where it is not at its end", Kind: Whole, Max: maxSteps},
	at:    func(l *Link) any { return &l.Step },
	get: func(l *Link) string {
		if l.Step < 0 {
			return ""
		}
		return strconv.Itoa(l.Step)
	},
}

func getDrawing(l *Link) string {
	if l.Source != Drawing {
		return ""
	}
	return l.Drawing
}

func setDrawing(l *Link, value string) error {
	strokes, err := stroke.Decode(value)
	if err == nil {
		l.Source, l.Drawing = Drawing, stroke.Encode(strokes)
	}
	return err
}

func getPicture(l *Link) string {
	if l.Source != Picture {
		return ""
	}
	return l.State.Picture
}

func (p *Page) setPicture(l *Link, value string) error {
	if l.Source == Drawing {
		return errors.New("there is a drawing too, which is shown")
	}
	_, err := p.UnpackPicture(value)
	if err == nil {
		l.Source, l.State.Picture = Picture, value
	}
	return err
}

// setCode returns how a code is set where at says.
func (p *Page) setCode(at func(l *Link) any) func(l *Link, value string) error {
	return func(l *Link, value string) error {
		_, err := p.UnpackCode(value)
		if err == nil {
			*at(l).(*string) = value
		}
		return err
	}
}

// ofDamage has the severity within what the damage takes. Without damage any does
// nothing.
func ofDamage(l *Link, f *Field) {
	if l.Kind == None {
		return
	}
	info := Find(l.Kind)
	f.Min, f.Max, f.of = info.Min, info.Max, "with damage="+string(l.Kind)+" "
	if l.Kind == degrade.Scribble {
		f.Kind = Whole // they are counted
	}
}

func undamaged(l *Link) error {
	if l.Kind == None {
		l.Severity = 0
	}
	return nil
}

func ofGrid(l *Link, f *Field) { f.Max = float64(l.Grid*l.Grid - 1) }

func (p *Page) canGrow(l *Link) error {
	if l.Class == Any || p.model.Only == nil {
		return nil
	}
	return p.model.Only(l.Class)
}

func onGrain(l *Link) error {
	l.Figure.Camera = l.Figure.Camera.OnGrain()
	return nil
}

// getAt writes a point: its coordinates, with "_" between them.
func getAt(l *Link) string {
	info, _ := FindCurve(l.Figure.Curve)
	var list []string
	for _, v := range l.Figure.At[:info.Dim()] {
		list = append(list, decimal(v))
	}
	return strings.Join(list, "_")
}

func setAt(l *Link, value string) error {
	info, _ := FindCurve(l.Figure.Curve)
	list := strings.Split(value, "_")
	takes := fmt.Errorf("a point of this curve is %d numbers from %d to %d, with _ between them", info.Dim(), -Farthest, Farthest)
	if len(list) != info.Dim() {
		return takes
	}
	coordinate := Field{Kind: Number, Min: -Farthest, Max: Farthest}
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
}

// getWithout writes the methods that are not shown, with "_" between them.
func getWithout(l *Link) string {
	var list []string
	for _, m := range Methods() {
		if !l.Figure.Shows(m) {
			list = append(list, string(m))
		}
	}
	return strings.Join(list, "_")
}

func setWithout(l *Link, value string) error {
	f := l.Figure
	for _, name := range strings.Split(strings.ToLower(value), "_") {
		m := Method(name)
		if !slices.Contains(Methods(), m) {
			return fmt.Errorf("it takes %s, with _ between them", strings.Join(words(Methods()), ", "))
		}
		f.Show(m, false)
	}
	l.Figure = f
	return nil
}
