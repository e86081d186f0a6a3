//go:build !webgpu

package device

import (
	"errors"

	"gorgonia.org/gorgonia"

	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/webgpu"
)

// ErrNotBuilt says how to get a program that can use a GPU.
var ErrNotBuilt = errors.New("this program was built without GPUs; to get one with them, build it with -tags webgpu (make mppm TAGS=webgpu), which takes a C compiler and downloads some 600 MB once")

// Adapters lists the GPUs.
func Adapters() ([]webgpu.Adapter, error) { return nil, ErrNotBuilt }

// gpu is Start on a GPU.
func (c Choice) gpu(*gorgonia.ExprGraph, []*optim.Parameter, func(step int) error) (optim.Machine, string, error) {
	if c == Auto {
		return nil, "", nil
	}
	return nil, "", ErrNotBuilt
}

// worthwhile reports whether Auto finds a GPU.
func worthwhile() bool { return false }
