package tensor

import "gonum.org/v1/gonum/mat"

// FromMat64 is left out: only a singular value decomposition asks for it, after ToMat64.
func FromMat64(*mat.Dense, ...FuncOpt) *Dense { return nil }

// ToMat64 is left out.
func ToMat64(*Dense, ...FuncOpt) (*mat.Dense, error) { return nil, errLeftOut }
