//go:build !goexperiment.simd

package kde

func squares(w, z, codes []float32)     { squaresScalar(w, z, codes) }
func weighted(mean, w, codes []float32) { weightedScalar(mean, w, codes) }
