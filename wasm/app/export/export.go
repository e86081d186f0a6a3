// Package export makes pictures of what a room shows, of which package encode makes files:
// who shows rooms and writes no files, as an engine does, is spared the formats.
package export

import (
	"errors"
	"image"
)

// ErrNothing says that there is nothing to export.
var ErrNothing = errors.New("there is no picture yet")

// Album is what a room has to export.
type Album interface {
	// Picture returns what is shown now.
	Picture() image.Image
	// Strip returns every step, side by side.
	Strip() image.Image
	// Frames returns what was shown at every step, in the same few colors.
	Frames() []*image.Paletted
}

// Film is what moves.
type Film interface {
	// Frames returns its pictures, in the same few colors.
	Frames() []*image.Paletted
}

// Gap is the space between two pictures side by side, in pixels of the file.
const Gap = 6
