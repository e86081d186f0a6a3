// Package fault has what whoever calls the packages of shared may want to tell apart when
// one of them returns an error: with errors.Is, whatever the error says in words. Weights
// that cannot be loaded are ErrDamaged, ErrKind, ErrMetadata, ErrTensor or ErrNotFinite;
// numbers that cannot be computed with are ErrSize or ErrNotFinite.
package fault

import (
	"errors"
	"fmt"
)

var (
	// ErrDamaged: the bytes are no safetensors file, or not a whole one.
	ErrDamaged = errors.New("not a whole safetensors file")
	// ErrKind: the file is whole, and the weights in it are of another kind of model than
	// the package loads: those of a classifier, say, where a latent model is wanted.
	ErrKind = errors.New("weights of another kind")
	// ErrMetadata: what the file says of its nets, flows and the like is missing, or
	// cannot be.
	ErrMetadata = errors.New("metadata that does not describe a model")
	// ErrTensor: a tensor is missing, or is not of the type, the shape or in the range that
	// the model takes.
	ErrTensor = errors.New("a tensor that is not the model's")
	// ErrNotFinite: a number, of a tensor, an image, a code or a point, is NaN, infinite, or
	// too large to be computed with.
	ErrNotFinite = errors.New("a number that is not finite")
	// ErrSize: the numbers are not a whole number of images, codes or points of the size
	// that is wanted.
	ErrSize = errors.New("not a whole number of images, codes or points")
)

// New returns an error that is of a kind, one of those above, and says what fmt.Errorf
// makes of the format; what that wraps with %w is wrapped, too.
func New(kind error, format string, args ...any) error {
	return fault{kind, fmt.Errorf(format, args...)}
}

// fault is an error of a kind.
type fault struct{ kind, err error }

func (f fault) Error() string   { return f.err.Error() }
func (f fault) Unwrap() []error { return []error{f.kind, f.err} }
