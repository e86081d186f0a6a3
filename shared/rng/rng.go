// Package rng draws seeded random numbers that are the same, bit for bit, on
// every platform Go compiles for.
//
// The generator is math/rand/v2's PCG, whose algorithm is fixed. What
// math/rand/v2 does not promise is the normal distribution: its ziggurat calls
// math.Log and math.Exp, which are assembly on some platforms and Go on others
// and may differ in the last bit. Norm uses only operations that IEEE 754 and
// the Go specification pin down.
package rng

import (
	"math"
	"math/rand/v2"
)

// Source is one stream of random numbers. It is not safe for concurrent use;
// give each goroutine its own with a stream number.
type Source struct {
	pcg rand.PCG
}

// New returns the stream numbered stream of a seed. Equal arguments give equal
// sequences; different ones give sequences that are independent for any
// purpose here.
func New(seed, stream uint64) *Source {
	s := new(Source)
	// PCG with close seeds starts with close states: scramble both words first.
	s.pcg.Seed(mix(seed+0x9e3779b97f4a7c15), mix(stream^0xd1b54a32d192ed03))
	return s
}

// mix is the finalizer of splitmix64.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// Uint64 returns 64 random bits.
func (s *Source) Uint64() uint64 { return s.pcg.Uint64() }

// Float64 returns a number in [0, 1) with 53 random bits.
func (s *Source) Float64() float64 { return float64(s.pcg.Uint64()>>11) * 0x1p-53 }

// Float32 returns a number in [0, 1) with 24 random bits.
func (s *Source) Float32() float32 { return float32(s.pcg.Uint64()>>40) * 0x1p-24 }

// IntN returns a number in [0, n). It panics if n is not positive.
func (s *Source) IntN(n int) int {
	if n <= 0 {
		panic("rng: IntN of a number that is not positive")
	}
	return rand.New(&s.pcg).IntN(n)
}

// Perm returns a random permutation of 0 … n-1.
func (s *Source) Perm(n int) []int { return rand.New(&s.pcg).Perm(n) }

// Norm returns a standard normal number (Marsaglia's polar method). The second
// number of each pair is thrown away, so that the state is the generator's
// alone and a checkpoint need not carry half a pair.
func (s *Source) Norm() float64 {
	u, q := s.polar()
	return u * math.Sqrt(float64(-2*logOf(q))/q)
}

// polar draws a point of the unit disc, and returns its first coordinate and the square of
// its distance from the center.
func (s *Source) polar() (u, q float64) {
	for {
		u := float64(2*s.Float64()) - 1
		v := float64(2*s.Float64()) - 1
		q := float64(u*u) + float64(v*v)
		if q > 0 && q < 1 {
			return u, q
		}
	}
}

// SkipNorm leaves the stream as n calls of Norm would, in a fraction of their time.
func (s *Source) SkipNorm(n int) {
	for range n {
		s.polar()
	}
}

// FillNorm fills dst with normal numbers of mean 0 and standard deviation sigma.
func (s *Source) FillNorm(dst []float32, sigma float32) {
	for i := range dst {
		dst[i] = float32(s.Norm()) * sigma
	}
}

// State returns the state of the stream, 20 bytes, for a checkpoint.
func (s *Source) State() []byte {
	b, _ := s.pcg.MarshalBinary() // never fails
	return b
}

// Restore continues the stream whose state is given. It returns an error if the
// bytes are not from State, and leaves the stream as it was.
func (s *Source) Restore(state []byte) error { return s.pcg.UnmarshalBinary(state) }

// odd is one over 25, 23 … 1: a division takes as long as all else in a turn of logOf.
var odd = [...]float64{1. / 25, 1. / 23, 1. / 21, 1. / 19, 1. / 17, 1. / 15, 1. / 13, 1. / 11, 1. / 9, 1. / 7, 1. / 5, 1. / 3, 1}

// logOf is the natural logarithm for 0 < x < 1, right to about 1 ulp. x = m·2^e
// with m in [√½, √2), and log m = 2·atanh((m-1)/(m+1)), summed by its series:
// 13 odd terms reach 2^-53 at |m-1|/(m+1) ≤ 0.1716. Each product is rounded by
// an explicit conversion so that no compiler fuses it with the sum.
func logOf(x float64) float64 {
	m, e := math.Frexp(x) // exact; m in [½, 1)
	if m < math.Sqrt2/2 {
		m *= 2
		e--
	}
	t := (m - 1) / (m + 1)
	t2 := float64(t * t)
	sum := 0.0
	for _, share := range odd {
		sum = float64(sum*t2) + share
	}
	return float64(2*float64(t*sum)) + float64(float64(e)*math.Ln2)
}
