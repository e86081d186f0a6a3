// Package curves says what a plot of lines shows. Package plots draws it; who has numbers
// to show needs no more than this, and a program without pictures has none of the rest.
package curves

// Axes are the words around a plot, and its vertical scale.
type Axes struct {
	Title, X, Y string
	LogY        bool // decades; values that are not positive are left out
	LogX        bool // the same of X
}

// Line is one curve. X and Y have equal lengths; where either is not finite,
// the curve has a gap.
type Line struct {
	Name string
	X, Y []float64
}
