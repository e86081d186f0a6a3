package weights

import _ "embed"

// The models of Sec. 4.1 for points, in eight bits: safetensors files for package
// ambient, each with its baselines and its training points.
var (
	// Circle is of the half circle in R³ of Sec. 5.
	//
	//go:embed circle.safetensors
	Circle []byte

	// Spiral is of a spiral in the plane.
	//
	//go:embed spiral.safetensors
	Spiral []byte

	// Moons is of two half circles in the plane.
	//
	//go:embed moons.safetensors
	Moons []byte

	// Trefoil is of the trefoil knot in R³.
	//
	//go:embed trefoil.safetensors
	Trefoil []byte
)
