//go:build goexperiment.simd

package kde

import (
	"simd"

	"mppm/shared/vec"
)

// squares is squaresScalar with a vector of codes at a time.
func squares(w, z, codes []float32) {
	l := simd.BroadcastFloat32s(0).Len()
	for j := 0; j < len(w); j += l {
		sum := simd.BroadcastFloat32s(0)
		at := j
		for _, x := range z {
			t := simd.BroadcastFloat32s(x).Sub(simd.LoadFloat32s(codes[at:]))
			sum = sum.Add(t.Mul(t))
			at += len(w)
		}
		sum.Store(w[j:])
	}
}

// weighted is weightedScalar with as many of the 16 sums at a time as a vector
// has lanes.
func weighted(mean, w, codes []float32) {
	var p [lanes]float32
	l := simd.BroadcastFloat32s(0).Len()
	for o := 0; o < lanes; o += l {
		sum := simd.BroadcastFloat32s(0)
		for j := o; j < len(w); j += lanes {
			sum = sum.Add(simd.LoadFloat32s(w[j:]))
		}
		sum.Store(p[o:])
	}
	total := vec.Fold(&p)
	for d := range mean {
		row := codes[d*len(w) : (d+1)*len(w)]
		for o := 0; o < lanes; o += l {
			sum := simd.BroadcastFloat32s(0)
			for j := o; j < len(w); j += lanes {
				sum = sum.Add(simd.LoadFloat32s(w[j:]).Mul(simd.LoadFloat32s(row[j:])))
			}
			sum.Store(p[o:])
		}
		mean[d] = vec.Fold(&p) / total
	}
}
