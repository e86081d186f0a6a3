package nn

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Bounds of a net that is read from text.
const (
	maxTextLayers  = 256
	maxTextNumbers = 1 << 26 // of all values together, for one input
)

// netText is a net as JSON.
type netText struct {
	In     []int       `json:"in"` // H, W, C
	Layers []layerText `json:"layers"`
}

// layerText is a layer as JSON. Its kind is that of the layer, or the name of an
// activation.
type layerText struct {
	Kind   string  `json:"kind"`
	Name   string  `json:"name,omitempty"`
	Window []int   `json:"window,omitempty"` // side, stride, padding
	Out    []int   `json:"out,omitempty"`    // H, W, C, or the channels alone
	Rate   float32 `json:"rate,omitempty"`   // of dropout
}

// MarshalJSON writes the net as an object: "in", the shape of its input as
// [height, width, channels], and "layers", each with its "kind" and what New needs
// to know of it, in order.
func (n *Net) MarshalJSON() ([]byte, error) {
	shape := func(s Shape) []int { return []int{s.H, s.W, s.C} }
	window := func(w Window) []int { return []int{w.Side, w.Stride, w.Pad} }
	text := netText{In: shape(n.In())}
	for _, l := range n.layers {
		var t layerText
		switch l := l.(type) {
		case Linear:
			t = layerText{Kind: "linear", Name: l.Name, Out: shape(l.Out)}
		case Conv:
			t = layerText{Kind: "conv", Name: l.Name, Window: window(l.Window), Out: []int{l.Out}}
		case ConvTranspose:
			t = layerText{Kind: "convtranspose", Name: l.Name, Window: window(l.Window), Out: shape(l.To)}
		case MaxPool:
			t = layerText{Kind: "maxpool", Window: window(l.Window)}
		case BatchNorm:
			t = layerText{Kind: "batchnorm", Name: l.Name}
		case Dropout:
			t = layerText{Kind: "dropout", Rate: l.Rate}
		case Input:
			t = layerText{Kind: "input", Name: l.Name, Out: shape(l.Shape)}
		case Keep:
			t = layerText{Kind: "keep", Name: string(l)}
		case From:
			t = layerText{Kind: "from", Name: string(l)}
		case Concat:
			t = layerText{Kind: "concat", Name: string(l)}
		case Add:
			t = layerText{Kind: "add", Name: string(l)}
		case Activation:
			t = layerText{Kind: string(l)}
		default:
			return nil, fmt.Errorf("nn: there is no text for a %T", l)
		}
		text.Layers = append(text.Layers, t)
	}
	return json.Marshal(text)
}

// UnmarshalJSON reads what MarshalJSON writes. It trusts nothing in it: it returns
// an error that says which layer is none or cannot be where it is, and so for nets
// of more than 256 layers or with more numbers than could be computed with.
func (n *Net) UnmarshalJSON(b []byte) error {
	var text netText
	if err := json.Unmarshal(b, &text); err != nil {
		return fmt.Errorf("nn: %w", err)
	}
	if len(text.Layers) > maxTextLayers {
		return fmt.Errorf("nn: the net has %d layers; %d are the most", len(text.Layers), maxTextLayers)
	}
	in, err := shapeOf(text.In)
	if err != nil {
		return fmt.Errorf("nn: in: %w", err)
	}
	var layers []Layer
	for i, t := range text.Layers {
		l, err := t.layer()
		if err != nil {
			return fmt.Errorf("nn: layer %d, %s: %w", i, t.Kind, err)
		}
		layers = append(layers, l)
	}
	net, err := New(in, layers...)
	if err != nil {
		return err
	}
	total := 0
	for _, s := range net.shapes {
		if total += s.Size(); total > maxTextNumbers {
			return fmt.Errorf("nn: more than %d numbers go through the net", maxTextNumbers)
		}
	}
	*n = *net
	return nil
}

// layer returns the layer that t describes. Whether it can be where it is is for New
// to say.
func (t layerText) layer() (Layer, error) {
	var w Window
	switch t.Kind {
	case "conv", "convtranspose", "maxpool":
		if len(t.Window) != 3 {
			return nil, fmt.Errorf("the window is %v; want [side, stride, padding]", t.Window)
		}
		w = Window{t.Window[0], t.Window[1], t.Window[2]}
	}
	var out Shape
	switch t.Kind {
	case "linear", "convtranspose", "input":
		var err error
		if out, err = shapeOf(t.Out); err != nil {
			return nil, fmt.Errorf("out: %w", err)
		}
	}
	switch t.Kind {
	case "linear":
		return Linear{t.Name, out}, nil
	case "conv":
		if len(t.Out) != 1 {
			return nil, fmt.Errorf("out is %v; want [channels]", t.Out)
		}
		return Conv{t.Name, w, t.Out[0]}, nil
	case "convtranspose":
		return ConvTranspose{t.Name, w, out}, nil
	case "maxpool":
		return MaxPool{w}, nil
	case "batchnorm":
		return BatchNorm{t.Name}, nil
	case "dropout":
		return Dropout{t.Rate}, nil
	case "input":
		return Input{t.Name, out}, nil
	case "keep":
		return Keep(t.Name), nil
	case "from":
		return From(t.Name), nil
	case "concat":
		return Concat(t.Name), nil
	case "add":
		return Add(t.Name), nil
	}
	if a := Activation(t.Kind); a.Valid() {
		return a, nil
	}
	return nil, errors.New("there is no such layer")
}

// shapeOf returns the shape with these dimensions, each 1 or more.
func shapeOf(d []int) (Shape, error) {
	if len(d) != 3 {
		return Shape{}, fmt.Errorf("the shape is %v; want [height, width, channels]", d)
	}
	s := Shape{d[0], d[1], d[2]}
	return s, s.check()
}
