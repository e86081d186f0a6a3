package link

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/stroke"
)

const pixels = 28 * 28

// page is one of 200 digits and classes 0 to 4.
func page() *Page {
	flow := latent.Preset{Alpha: 0.6, Beta: 0.2, Sigma: 0.4, Steps: 15}
	return New(200, Model{Pixels: pixels, Latent: 18, Classes: 10, Restore: flow, Generate: flow, Only: func(class int) error {
		if class > 4 {
			return errors.New("there is no code of this class")
		}
		return nil
	}})
}

// TestRepair: what people and programs do to a link on its way does not change
// what it says.
func TestRepair(t *testing.T) {
	p := page()
	drawing := stroke.Encode([][]stroke.Point{{{X: 3, Y: 3, Width: 2}, {X: 9, Y: 20, Width: 2}}})
	strokes := PackStrokes(Strokes{{{-0.5, 0.25}, {1, 8}}, {{-8, 0.00390625}}})
	for _, c := range []struct{ came, says string }{
		// As it is.
		{"", ""},
		{"digit=5&mode=map", "mode=map&digit=5"},
		// What services add.
		{"digit=5&from=singlemessage&isappinstalled=0", "digit=5"},
		{"mibextid=Zxz2cZ&digit=5", "digit=5"},
		{"digit=5&ref=share&igsh=MzRlODBiNWFlZA==", "digit=5"},
		{"utm_source=a%20b&digit=5&fbclid=IwAR0x&gclid=a-b_c&ttclid=E.C.P&si=%3Cx%3E", "digit=5"},
		{"digit=5?utm_source=copy", "digit=5"},
		{"digit=5&next=https%3A%2F%2Felsewhere.example%2F%3Fmode%3Dmap%26seed%3D9", "digit=5"},
		{"digit=5&next=https://elsewhere.example/?mode=map", "digit=5"},
		{"ref=seed%3D9", ""},
		{"igsh", "?"},
		// Encoded, once or more.
		{"digit%3D5%26seed%3D3", "digit=5&seed=3"},
		{"digit%3D5%26mode%3Dmap=", "mode=map&digit=5"},
		{"digit%3D5%26mode%3Dmap&fbclid=x", "mode=map&digit=5"},
		{"digit=5%26seed%3D3", "digit=5&seed=3"},
		{"digit%253D5%2526seed%253D3", "digit=5&seed=3"},
		{"digit%25253D5%252526seed%25253D3", "digit=5&seed=3"},
		{"%64igit=%35", "digit=5"},
		{"mode%3Dmap%0A", "mode=map"},
		{"digit=5&amp;seed=3", "digit=5&seed=3"},
		{"digit=5&amp;amp;seed=3", "digit=5&seed=3"},
		{"digit%3D5%26amp%3Bseed%3D3", "digit=5&seed=3"},
		{"digit=5&ampseed=3", "digit=5&seed=3"},
		{"digit=5&#38;seed=3", "digit=5&seed=3"},
		{"digit=3D5&seed=3D3", "digit=5&seed=3"},
		{"drawing=" + drawing[:5] + "=\r\n" + drawing[5:], "drawing=" + drawing},
		// Around it.
		{"digit=5&seed=3)", "digit=5&seed=3"},
		{"digit=5&seed=3.", "digit=5&seed=3"},
		{"digit=5&seed=3,", "digit=5&seed=3"},
		{"digit=5&seed=3;", "digit=5&seed=3"},
		{"digit=5&seed=3>", "digit=5&seed=3"},
		{"digit=5&seed=3%3E.", "digit=5&seed=3"},
		{"digit=5&seed=3%22", "digit=5&seed=3"},
		{"mode=generate&like=" + strings.Repeat("AQ", 24) + ").", "mode=generate&like=" + strings.Repeat("AQ", 24)},
		{"“digit=5&seed=3”", "digit=5&seed=3"},
		{"%E2%80%9Cdigit=5&seed=3%E2%80%9D", "digit=5&seed=3"},
		{"*digit=5*", "digit=5"},
		{"_digit=5_", "digit=5"},
		{"without=dae_", "without=dae"},
		{"severity=0.5..", "severity=0.5"},
		{"?digit=5", "digit=5"},
		{"#digit=5", "digit=5"},
		{"#!/digit=5", "digit=5"},
		{"/?digit=5", "digit=5"},
		{"&digit=5&", "digit=5"},
		{"https://page.example/x/#digit=5&seed=3", "digit=5&seed=3"},
		{"https://page.example/s?digit=5", "digit=5"},
		// White space, and what is not seen.
		{" digit=5 & seed=3 ", "digit=5&seed=3"},
		{"digit=5&\r\n seed=3", "digit=5&seed=3"},
		{"drawing=" + drawing[:4] + "\n " + drawing[4:], "drawing=" + drawing},
		{"drawing=" + drawing[:4] + "%0D%0A" + drawing[4:], "drawing=" + drawing},
		{"digit=5+", "digit=5"},
		{"digit=5%E2%80%8B&seed=3\u00ad", "digit=5&seed=3"},
		{"mode=map and what follows it", "mode=map"},
		{"map–zoom=2.5&map‑x=−3", "map-x=-3&map-zoom=2.5"},
		// Capitals.
		{"DIGIT=5&Mode=Map&HEAT=OFF&Damage=None", "mode=map&digit=5&damage=none&heat=off"},
		// A curve of one's own.
		{"mode=manifold&curve=OWN&strokes=" + strokes + "&points=100&blur=0.05&codes=1&train-seed=7", "mode=manifold&curve=own&strokes=" + strokes + "&points=100&blur=0.05&codes=1&train-seed=7"},
		{"curve=own&strokes=" + strokes[:3] + "%20\r\n" + strokes[3:] + ")&at=0.5_0.25", "curve=own&at=0.5_0.25&strokes=" + strokes},
		{"curve=moons&strokes=" + strokes, "curve=moons"},
		{"curve=own&strokes=", "curve=own"},
		{"curve=own&points=400&blur=0&codes=2", "curve=own"},
		// What is as on the first screen, and more than is needed.
		{"mode=restore&digit=173&seed=1&heat=on&slice=on&walk=off&construction=off&severity=0.7&selected=0&at=0.625_1.125_0.75", ""},
		{"digit=007", "digit=7"},
		{"map-x=-0", ""},
		{"azimuth=179.99", "azimuth=-180"},
		// Twice.
		{"seed=2&seed=2", "seed=2"},
		{"seed=2&seed=3", "seed=3 ?"},
		// Nothing that a page shows.
		{"%%%", ""},
		{"digit5seed3", "?"},
		{"digit", "?"},
	} {
		want, faulty := strings.CutSuffix(c.says, "?")
		l, faults := p.Read(c.came)
		if got := p.Write(l); got != strings.TrimSpace(want) || (faults != nil) != faulty {
			t.Errorf("%q is read as %q (%v), want %q", c.came, got, faults, c.says)
		}
	}
}

// TestFaults: a value that cannot be shown is named, with what the field takes;
// nothing else suffers.
func TestFaults(t *testing.T) {
	p := page()
	for came, want := range map[string]string{
		"digit=300":                            "digit=300 is left out: it takes a whole number from 0 to 199",
		"digit=0x10":                           "digit=0x10 is left out: it takes a whole number from 0 to 199",
		"digit=1e1":                            "digit=1e1 is left out: it takes a whole number from 0 to 199",
		"digit=":                               `digit="" is left out: it takes a whole number from 0 to 199`,
		"digit=<script>":                       "digit=script is left out: it takes a whole number from 0 to 199",
		"seed=1,000":                           `seed="1,000" is left out: it takes a whole number from 0 to 4294967295`,
		"grid=11":                              "grid=11 is left out: it takes a whole number from 1 to 10",
		"restore-sigma=5":                      "restore-sigma=5 is left out: it takes a number from 0.05 to 4",
		"restore-steps=0":                      "restore-steps=0 is left out: it takes a whole number from 1 to 100",
		"mode=fly":                             "mode=fly is left out: it takes restore, generate, map, manifold",
		"heat=2":                               "heat=2 is left out: it takes on, off",
		"class=7":                              "class=7 is left out: there is no code of this class",
		"follow=spot":                          "follow=spot is left out: there is no spot to follow; give spot too",
		"damage=elastic&severity=0.5":          "severity=0.5 is left out: with damage=elastic it takes a number from 1 to 6",
		"damage=scribble&severity=2.5":         "severity=2.5 is left out: with damage=scribble it takes a whole number from 0 to 50",
		"restore-alpha=0.9":                    "restore-alpha=0.9 is left out: α + β would be 1.1; it must stay below 1",
		"manifold-alpha=0.9&manifold-beta=0.1": "manifold-alpha=0.9 is left out: α + β would be 1; it must stay below 1; manifold-beta=0.1 is left out: α + β would be 1; it must stay below 1",
		"drawing=AQ&picture=" + PackPicture(make([]byte, pixels)): "picture=\"7MABDQAAAMKg909tDwcEAAAA…\" is left out: there is a drawing too, which is shown",
		"curve=own&strokes=AQ5x":                                  "strokes=AQ5x is left out: the strokes are broken off, or changed",
		"curve=own&strokes=Ag":                                    "strokes=Ag is left out: these are no strokes",
		"curve=own&points=40":                                     "points=40 is left out: it takes a whole number from 50 to 1000",
		"curve=own&blur=0.21":                                     "blur=0.21 is left out: it takes a number from 0 to 0.2",
		"curve=own&codes=3":                                       "codes=3 is left out: it takes a whole number from 1 to 2",
		"seed=2&seed=3":                                           "seed=2 is left out: it is given twice, and the last one holds",
		"digit=x&seed=x&brush=x&grid=x&class=x":                   `digit=x is left out: it takes a whole number from 0 to 199; seed=x is left out: it takes a whole number from 0 to 4294967295; brush=x is left out: it takes a number from 1 to 5; and 2 more`,
	} {
		l, faults := p.Read("grid-seed=8&" + came + "&map-y=2")
		if faults.String() != want && !strings.HasPrefix(want, "picture=") || len(faults) == 0 {
			t.Errorf("%q: %q, want %q", came, faults, want)
		}
		if l.GenerateSeed != 8 || l.View.Y != 2 {
			t.Errorf("%q takes other fields with it: %q", came, p.Write(l))
		}
	}
	if _, faults := p.Read(strings.Repeat("a", MaxLength+1)); len(faults) != 1 || len(faults.String()) > 200 {
		t.Errorf("a link that is too long: %v", faults)
	}
	// α and β bound each other only once both are read.
	if l, faults := p.Read("restore-alpha=0.9&restore-beta=0.05"); faults != nil || l.RestoreFlow.Alpha != 0.9 || l.RestoreFlow.Beta != 0.05 {
		t.Errorf("%+v, %v", l.RestoreFlow, faults)
	}
}

// TestPlaces: what is behind the "#" holds, then what is behind the "?".
func TestPlaces(t *testing.T) {
	p := page()
	l, faults := p.Read("digit=5&fbclid=x", "digit=7&seed=3&utm_source=y")
	if got := p.Write(l); got != "digit=5&seed=3" || faults != nil {
		t.Errorf("%q, %v", got, faults)
	}
	for text, want := range map[string]bool{"": false, "fbclid=x": false, "v2": false, "digit=5": true, "digit%3D5": true, "x=1&DIGIT=x": true} {
		if p.Names(text) != want {
			t.Errorf("%q has a field of a link: %v", text, !want)
		}
	}
}

// TestFieldsTakeTheirBounds: each field takes its first value and its bounds, or
// the words that it names, and no number beyond.
func TestFieldsTakeTheirBounds(t *testing.T) {
	p := page()
	for _, f := range p.Fields() {
		with := map[string]string{"severity": "damage=scribble&", "selected": "grid=10&", "walk-to": "grid=10&", "follow": "spot=" + strings.Repeat("AQ", 24) + "&",
			"restore-alpha": "restore-beta=0&", "restore-beta": "restore-alpha=0&", "generate-alpha": "generate-beta=0&", "generate-beta": "generate-alpha=0&", "manifold-alpha": "manifold-beta=0&", "manifold-beta": "manifold-alpha=0&"}[f.Name]
		good, bad := f.Words, []string(nil)
		if f.Kind == Whole || f.Kind == Number {
			good = []string{decimal(f.Min), decimal(f.Max)}
			bad = []string{decimal(f.Min - 1), decimal(f.Max + 1), "NaN", "Inf", "0x1", "1_0"}
			if f.Name == "class" {
				good[1] = "4"
			}
			if f.Kind == Whole {
				bad = append(bad, decimal(f.Min+0.5))
			}
		}
		if f.First != "" {
			good = append(good, f.First)
		}
		for _, v := range good {
			if l, faults := p.Read(with + f.Name + "=" + v); faults != nil {
				t.Errorf("%s=%s: %v", f.Name, v, faults)
			} else if again, faults := p.Read(p.Write(l)); again != l || faults != nil {
				t.Errorf("%s=%s becomes %q, which says something else (%v)", f.Name, v, p.Write(l), faults)
			}
		}
		for _, v := range bad {
			if _, faults := p.Read(with + f.Name + "=" + v); faults == nil {
				t.Errorf("%s=%s is taken", f.Name, v)
			}
			if _, err := f.Check(v); err == nil {
				t.Errorf("%s=%s passes", f.Name, v)
			}
		}
	}
	for _, k := range degrade.Kinds() {
		for _, v := range []float64{k.Min, k.Mild, k.Severe, k.Max} {
			link := fmt.Sprintf("damage=%s&severity=%v", k.Kind, v)
			if l, faults := p.Read(link); faults != nil || l.Severity != v || l.Kind != k.Kind {
				t.Errorf("%s: %v %v (%v)", link, l.Kind, l.Severity, faults)
			}
		}
	}
}

func TestPackedPicture(t *testing.T) {
	p := page()
	ink := make([]byte, pixels)
	for i := range ink {
		ink[i] = byte(i * i)
	}
	text := PackPicture(ink)
	if got, err := p.UnpackPicture(text); err != nil || !bytes.Equal(got, ink) || len(text) > p.Field("picture").Length {
		t.Errorf("%d letters, %v", len(text), err)
	}
	for _, bad := range []string{"", "AAAA", text[:len(text)-9], PackPicture(ink[1:]), PackPicture(append(ink, 0)), strings.Repeat("A", p.Field("picture").Length+1)} {
		if _, err := p.UnpackPicture(bad); err == nil {
			t.Errorf("%.40q is a picture", bad)
		}
	}
}

// TestWork: no link takes long, however it is encoded or cut.
func TestWork(t *testing.T) {
	p := page()
	for _, part := range []string{"%25", "?", "&", "digit=1?", "%26", "a%3D", "digit=%3F", "=", "%253D%2526", ";amp", "digit=5%26"} {
		p.Read(strings.Repeat(part, MaxLength/len(part)))
	}
	p.Read("%" + strings.Repeat("25", MaxLength/2-1))
	p.Read("digit=%" + strings.Repeat("25", MaxLength/2-10))
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{"", "mode=generate&grid=3&like=AQAQ", "digit%3D5%26seed%3D3", "at=1_2_3&curve=moons", "damage=none&severity=3", "restore-alpha=0.123456789", "azimuth=180&closeness=0.51", "drawing=AQLAAcABUBAQAA&step=2", "seed=1&amp;seed=2).", "forget=7_1&bank-weight=3", "bank-add=" + strings.Repeat("AQ", 48) + "&forget=0_1_2_3_4"} {
		f.Add(s)
	}
	p := page()
	f.Fuzz(func(t *testing.T, text string) {
		l, _ := p.Read(text)
		written := p.Write(l)
		if strings.Trim(written, safe+"=&") != "" {
			t.Fatalf("%q gives %q, which an address would change", text, written)
		}
		again, faults := p.Read(written)
		if again != l || faults != nil {
			t.Fatalf("%q gives %q, of which %q is left out: %+v, was %+v", text, written, faults, again, l)
		}
		if twice := p.Write(again); twice != written {
			t.Fatalf("%q becomes %q", written, twice)
		}
	})
}

// TestStrokes: strokes are packed and unpacked to the same, within their bounds, and
// nothing else is unpacked.
func TestStrokes(t *testing.T) {
	s := Strokes{{{0, 0}, {StrokeGrain, -Farthest}}, {{Farthest, Farthest}}}
	got, err := UnpackStrokes(PackStrokes(s))
	if err != nil || fmt.Sprint(got) != fmt.Sprint(s) {
		t.Errorf("%v is unpacked as %v, %v", s, got, err)
	}
	full := make(Strokes, MaxStrokePlaces)
	for i := range full {
		full[i] = [][2]float64{{Farthest * float64(i%2*2-1), -Farthest * float64(i%2*2-1)}}
	}
	text := PackStrokes(full)
	if got, err := UnpackStrokes(text); err != nil || got.Places() != MaxStrokePlaces || len(text) > strokesLength {
		t.Errorf("a full drawing of %d letters, at most %d: %v", len(text), strokesLength, err)
	}
	if _, err := UnpackStrokes(PackStrokes(append(full, s...))); err == nil {
		t.Error("more places than there may be are unpacked")
	}
	if got := PackStrokes(Strokes{{{1e300, -1e300}}}); got != PackStrokes(Strokes{{{Farthest, -Farthest}}}) {
		t.Error("places are not brought within their bounds")
	}
}

func FuzzUnpackStrokes(f *testing.F) {
	for _, text := range []string{"", "AQ", "AQ5x", "!", PackStrokes(Strokes{{{1, 2}, {3, 4}}})} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := UnpackStrokes(text)
		if err != nil {
			return
		}
		again, err := UnpackStrokes(PackStrokes(s))
		if err != nil || fmt.Sprint(again) != fmt.Sprint(s) {
			t.Errorf("%q is unpacked as %v, and again as %v, %v", text, s, again, err)
		}
	})
}
