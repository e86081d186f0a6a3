package nn

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Bounds of a net that is read from text.
const (
	maxTextLayers  = 256
	maxTextNumbers = 1 << 26 // of all values together, for one input
)

// Text writes the net in one line: the shape of its input, then its layers, in order,
// all with semicolons between. A layer is its kind and what it is made of:
//
//	28x28x1; conv encoder.conv1 3,2,1 32; relu; …; linear encoder.linear 18
//
// Shapes are heights, widths and channels, or channels alone; windows are side, stride
// and padding. It returns an error if a name is none that Parse can read: one with a
// space or a semicolon.
func (n *Net) Text() (string, error) {
	parts := []string{shapeText(n.In())}
	for _, l := range n.layers {
		var words []string
		switch l := l.(type) {
		case Linear:
			words = []string{"linear", l.Name, shapeText(l.Out)}
		case Conv:
			words = []string{"conv", l.Name, l.Window.text(), strconv.Itoa(l.Out)}
		case ConvTranspose:
			words = []string{"convtranspose", l.Name, l.Window.text(), shapeText(l.To)}
		case MaxPool:
			words = []string{"maxpool", l.Window.text()}
		case AvgPool:
			words = []string{"avgpool", l.Window.text()}
		case BatchNorm:
			words = []string{"batchnorm", l.Name}
		case Dropout:
			words = []string{"dropout", strconv.FormatFloat(float64(l.Rate), 'g', -1, 32)}
		case Input:
			words = []string{"input", l.Name, shapeText(l.Shape)}
		case Keep:
			words = []string{"keep", string(l)}
		case From:
			words = []string{"from", string(l)}
		case Concat:
			words = []string{"concat", string(l)}
		case Add:
			words = []string{"add", string(l)}
		case Activation:
			words = []string{string(l)}
		default:
			return "", fmt.Errorf("nn: there is no text for a %T", l)
		}
		for _, w := range words {
			if w == "" || strings.ContainsAny(w, "; \t\n") {
				return "", fmt.Errorf("nn: the name %q cannot be written: give one without spaces and semicolons", w)
			}
		}
		parts = append(parts, strings.Join(words, " "))
	}
	return strings.Join(parts, "; "), nil
}

// Parse reads what Text writes. It trusts nothing in it: it returns an error that says
// which layer is none or cannot be where it is, and so for nets of more than 256 layers
// or with more numbers than could be computed with.
func Parse(text string) (*Net, error) {
	parts := strings.Split(text, ";")
	if len(parts)-1 > maxTextLayers {
		return nil, fmt.Errorf("nn: the net has %d layers; %d are the most", len(parts)-1, maxTextLayers)
	}
	in, err := parseShape(strings.TrimSpace(parts[0]))
	if err != nil {
		return nil, fmt.Errorf("nn: input: %w", err)
	}
	var layers []Layer
	for i, part := range parts[1:] {
		l, err := parseLayer(strings.Fields(part))
		if err != nil {
			return nil, fmt.Errorf("nn: layer %d, %q: %w", i, strings.TrimSpace(part), err)
		}
		layers = append(layers, l)
	}
	n, err := New(in, layers...)
	if err != nil {
		return nil, err
	}
	total := 0
	for _, s := range n.shapes {
		if total += s.Size(); total > maxTextNumbers {
			return nil, fmt.Errorf("nn: more than %d numbers go through the net", maxTextNumbers)
		}
	}
	return n, nil
}

// words are how many words a layer of a kind has; of an activation, one.
var words = map[string]int{
	"linear": 3, "conv": 4, "convtranspose": 4, "maxpool": 2, "avgpool": 2, "batchnorm": 2, "dropout": 2,
	"input": 3, "keep": 2, "from": 2, "concat": 2, "add": 2,
}

// parseLayer reads a layer. Whether it can be where it is is for New to say.
func parseLayer(w []string) (Layer, error) {
	if len(w) == 0 {
		return nil, errors.New("there is nothing between two semicolons")
	}
	if a := Activation(w[0]); len(w) == 1 && a.Valid() {
		return a, nil
	}
	if n, ok := words[w[0]]; !ok || n != len(w) {
		return nil, errors.New("there is no such layer")
	}
	last := w[len(w)-1]
	switch w[0] {
	case "linear", "input":
		s, err := parseShape(last)
		if w[0] == "input" {
			return Input{w[1], s}, err
		}
		return Linear{w[1], s}, err
	case "conv":
		win, err := parseWindow(w[2])
		out, bad := strconv.Atoi(last)
		if err == nil && bad != nil {
			err = fmt.Errorf("%q is no number of channels", last)
		}
		return Conv{w[1], win, out}, err
	case "convtranspose":
		win, err := parseWindow(w[2])
		if err != nil {
			return nil, err
		}
		s, err := parseShape(last)
		return ConvTranspose{w[1], win, s}, err
	case "maxpool":
		win, err := parseWindow(last)
		return MaxPool{win}, err
	case "avgpool":
		win, err := parseWindow(last)
		return AvgPool{win}, err
	case "dropout":
		rate, err := strconv.ParseFloat(last, 32)
		if err != nil {
			err = fmt.Errorf("%q is no share", last)
		}
		return Dropout{float32(rate)}, err
	case "batchnorm":
		return BatchNorm{last}, nil
	case "keep":
		return Keep(last), nil
	case "from":
		return From(last), nil
	case "concat":
		return Concat(last), nil
	}
	return Add(last), nil
}

func (w Window) text() string { return fmt.Sprintf("%d,%d,%d", w.Side, w.Stride, w.Pad) }

func parseWindow(text string) (Window, error) {
	n, err := numbers(text, ",")
	if err != nil || len(n) != 3 {
		return Window{}, fmt.Errorf("%q is no window; want side,stride,padding", text)
	}
	return Window{n[0], n[1], n[2]}, nil
}

func shapeText(s Shape) string {
	if s.H == 1 && s.W == 1 {
		return strconv.Itoa(s.C)
	}
	return fmt.Sprintf("%dx%dx%d", s.H, s.W, s.C)
}

func parseShape(text string) (Shape, error) {
	n, err := numbers(text, "x")
	switch {
	case err == nil && len(n) == 1:
		n = []int{1, 1, n[0]}
	case err != nil || len(n) != 3:
		return Shape{}, fmt.Errorf("%q is no shape; want channels, or height, width and channels as in 28x28x1", text)
	}
	s := Shape{n[0], n[1], n[2]}
	return s, s.check()
}

// numbers reads whole numbers with a separator between.
func numbers(text, separator string) ([]int, error) {
	var all []int
	for _, part := range strings.Split(text, separator) {
		v, err := strconv.Atoi(part)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}
