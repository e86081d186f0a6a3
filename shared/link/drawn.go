package link

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Drawn is a curve of one's own in Manifold, and how it is learnt: what the command
// "train points" is told, and the strokes that its points lie on.
type Drawn struct {
	Strokes string  `json:"strokes,omitempty"` // as PackStrokes packs them; "": nothing is drawn
	Points  int     `json:"points"`            // how many points lie on the strokes, evenly
	Blur    float64 `json:"blur"`              // σ of the noise that moves them off, a length
	Seed    uint64  `json:"seed"`              // of that noise, and of the training
	Codes   int     `json:"codes"`             // numbers of a code: 1 for one line, 2 for what crosses or closes
	Deep    bool    `json:"deep,omitempty"`    // it has three coordinates; it came as a file then, and is in no link
}

// Bounds of Drawn.
const (
	// Fewer points tell no curve from another; more make the page's training slow.
	MinPoints = 50
	MaxPoints = 1000
	// Noise of a fifth of the circle's radius hides what was drawn.
	MaxBlur  = 0.2
	MinCodes = 1
	MaxCodes = 2
)

// firstDrawn is as many points as a curve drawn by hand needs.
func firstDrawn() Drawn { return Drawn{Points: 400, Seed: 1, Codes: 2} }

// drawnFields are the fields of a curve of one's own.
var drawnFields = []field{
	{Field: Field{Name: "strokes", About: "Of one's own curve: the strokes, as the page packs them", Kind: Text, Length: strokesLength}, get: getStrokes, set: setStrokes},
	{Field: Field{Name: "points", About: "Of one's own curve: how many points lie on the strokes", Kind: Whole, Min: MinPoints, Max: MaxPoints}, at: func(l *Link) any { return &l.Figure.Drawn.Points }},
	{Field: Field{Name: "blur", About: "Of one's own curve: the noise that moves the points off the strokes, a length", Kind: Number, Max: MaxBlur}, at: func(l *Link) any { return &l.Figure.Drawn.Blur }},
	{Field: Field{Name: "codes", About: "Of one's own curve: how many numbers a code has", Kind: Whole, Min: MinCodes, Max: MaxCodes}, at: func(l *Link) any { return &l.Figure.Drawn.Codes }},
	{Field: Field{Name: "train-seed", About: "Of one's own curve: the seed of its points and of the training", Kind: Whole, Max: MaxSeed}, at: func(l *Link) any { return &l.Figure.Drawn.Seed }},
}

// getStrokes writes no strokes where another curve is shown.
func getStrokes(l *Link) string {
	if l.Figure.Curve != Own || l.Figure.Drawn.Deep {
		return ""
	}
	return l.Figure.Drawn.Strokes
}

func setStrokes(l *Link, value string) error {
	strokes, err := UnpackStrokes(value)
	if err == nil {
		l.Figure.Drawn.Strokes = PackStrokes(strokes)
	}
	return err
}

// Strokes are lines that a pen drew: the places of each, in the plane of the figure.
type Strokes [][][2]float64

const (
	// StrokeGrain is what the places of strokes are multiples of: less than a pixel of
	// a figure that shows the unit circle.
	StrokeGrain = 1.0 / 256
	// MaxStrokePlaces bounds the places of all strokes together.
	MaxStrokePlaces = 3000

	strokesVersion  = 1 // the first byte of packed strokes
	farthestStrokes = Farthest / StrokeGrain
	placeBytes      = 4 // at most: two numbers of 13 bits and a sign
)

// strokesLength bounds packed strokes, in letters. A stroke of its own takes three bytes
// more.
var strokesLength = base64.RawURLEncoding.EncodedLen(1 + MaxStrokePlaces*(placeBytes+3))

// Places returns how many places the strokes have.
func (s Strokes) Places() (n int) {
	for _, stroke := range s {
		n += len(stroke)
	}
	return n
}

// PackStrokes writes strokes of at most MaxStrokePlaces in letters that an address may
// hold: for each the number of its places, and how far each is from the one before, on
// the grain. Without strokes it is "".
func PackStrokes(s Strokes) string {
	if len(s) == 0 {
		return ""
	}
	b := []byte{strokesVersion}
	var at [2]int64
	for _, stroke := range s {
		b = binary.AppendUvarint(b, uint64(len(stroke)))
		for _, p := range stroke {
			for k, v := range p {
				g := int64(math.Round(min(max(v/StrokeGrain, -farthestStrokes), farthestStrokes)))
				b = binary.AppendVarint(b, g-at[k])
				at[k] = g
			}
		}
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// UnpackStrokes reads what PackStrokes wrote. It returns an error for anything else.
func UnpackStrokes(text string) (Strokes, error) {
	if text == "" {
		return nil, nil
	}
	if len(text) > strokesLength {
		return nil, fmt.Errorf("strokes take at most %d letters", strokesLength)
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) == 0 || b[0] != strokesVersion {
		return nil, errors.New("these are no strokes")
	}
	broken := errors.New("the strokes are broken off, or changed")
	var out Strokes
	var at [2]int64
	total := 0
	for b = b[1:]; len(b) > 0; {
		n, used := binary.Uvarint(b)
		if used <= 0 || n == 0 || n > uint64(MaxStrokePlaces-total) {
			return nil, broken
		}
		b, total = b[used:], total+int(n)
		stroke := make([][2]float64, n)
		for i := range stroke {
			for k := range at {
				d, used := binary.Varint(b)
				if used <= 0 || d < -2*farthestStrokes || d > 2*farthestStrokes {
					return nil, broken
				}
				b = b[used:]
				if at[k] += d; at[k] < -farthestStrokes || at[k] > farthestStrokes {
					return nil, broken
				}
				stroke[i][k] = float64(at[k]) * StrokeGrain
			}
		}
		out = append(out, stroke)
	}
	return out, nil
}
