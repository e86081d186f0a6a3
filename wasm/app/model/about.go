package model

import (
	"slices"
	"strconv"
	"strings"

	"mppm/shared/latent"
	"mppm/shared/metadata"
	"mppm/shared/nn"
)

// About says what a model is of, for the words of the page.
type About struct {
	Name    string   // what people call it, as the name of its file; "": the page's own
	Digits  bool     // its images are handwritten digits, which class i calls i
	Names   []string // of the classes; nil: their numbers
	Classes int      // how many there are; 0: the model knows none
	Print   string   // what tells it from others in a link; "": the page's own
}

// Describe says what a model is of, but for its name: its images are digits if they have
// the shape of MNIST's, and it was trained on those, or names its classes 0 to 9.
func Describe(m *latent.Model) About {
	a := About{Names: m.Classes(), Classes: len(m.Classes())}
	if a.Names == nil && len(m.Bank.Labels) > 0 {
		a.Classes = int(slices.Max(m.Bank.Labels)) + 1
	}
	data := ""
	_ = metadata.Members(m.Meta["data"], func(name, value string) error { // what is none names no data
		if name == "name" {
			data = strings.Trim(value, `"`)
		}
		return nil
	})
	named := slices.Equal(a.Names, strings.Split("0123456789", "")) || a.Names == nil && (data == mnist || strings.HasPrefix(data, mnist+","))
	a.Digits = named && m.Image() == nn.Shape{H: 28, W: 28, C: 1}
	return a
}

// mnist is what weights that were trained on MNIST call their data; of a part of it,
// words follow after a comma.
const mnist = "mnist"

// Class returns what a class is called.
func (a About) Class(i int) string {
	if i >= 0 && i < len(a.Names) {
		return a.Names[i]
	}
	return strconv.Itoa(i)
}

// Say puts a text about digits into the words that the model's images have.
func (a About) Say(text string) string {
	if a.Digits {
		return text
	}
	return images.Replace(text)
}

// Pictures puts a text about faces into the words for a model of other pictures.
func Pictures(text string) string { return pictures.Replace(text) }

// pictures says "picture" in place of "face". What one takes of oneself is one already.
var pictures = strings.NewReplacer(
	"takes a face that the network makes, or a picture of your own", "takes a picture that the network makes, or one of your own",
	"over a face that the network makes, or over your own", "over a picture that the network makes, or over your own",
	"faces you", "faces you", // as a plane does
	"face", "picture", "Face", "Picture",
)

// images says "image" in place of "digit", and what else is said of images.
var images = strings.NewReplacer(
	"looking like a digit", "looking like those that it learned from",
	"digits nobody ever wrote", "images nobody ever made",
	"a digit", "an image", "A digit", "An image", "digit", "image", "Digit", "Image",
)
