package timeline

import (
	"encoding/binary"
	"hash/fnv"
	"math"
)

// Trajectory is a flow of N images, decoded at every step.
type Trajectory struct {
	N        int
	frames   [][]byte    // [step] N × numbers of an image, 255 is full ink
	codes    [][]float32 // [step] N × numbers of a code
	distance [][]float32 // [step] N
	highest  float32
}

// Add appends a step: the images as they are shown, as many bytes as they have numbers,
// their codes, and D of these. It keeps the slices.
func (t *Trajectory) Add(ink []byte, z, distance []float32) {
	t.frames = append(t.frames, ink)
	t.codes = append(t.codes, z)
	t.distance = append(t.distance, distance)
	for _, d := range distance {
		t.highest = max(t.highest, d)
	}
}

// Ink returns the byte that shows a pixel: 0 for 0 and below, 255 for 1 and
// above.
func Ink(v float32) byte {
	if !(v > 0) {
		return 0
	}
	return byte(min(v, 1)*255 + 0.5)
}

// Steps returns how many steps are computed, the start included.
func (t *Trajectory) Steps() int { return len(t.frames) }

// Distance returns D of image i at a step.
func (t *Trajectory) Distance(step, i int) float64 { return float64(t.distance[step][i]) }

// Highest returns the highest D of the whole flow.
func (t *Trajectory) Highest() float64 { return float64(t.highest) }

// Mean returns the mean of D over the images at a step.
func (t *Trajectory) Mean(step int) float64 {
	sum := 0.0
	for _, d := range t.distance[step] {
		sum += float64(d)
	}
	return sum / float64(max(len(t.distance[step]), 1))
}

// Image writes to dst (as many numbers as an image has, in [0, 1]) image i at a
// step, as it is shown.
func (t *Trajectory) Image(dst []float32, step, i int) {
	for k, v := range t.Frame(step, i) {
		dst[k] = float32(v) / 255
	}
}

// At writes to dst (as many bytes as an image has numbers) image i as it is at
// pos, blended between the two steps beside it; a pos that is not computed yet
// shows the last step there is. Without any step it clears dst.
func (t *Trajectory) At(dst []byte, i int, pos float64) {
	last := len(t.frames) - 1
	if last < 0 {
		clear(dst)
		return
	}
	k, blend := Between(pos, last)
	a := t.Frame(k, i)
	if blend == 0 {
		copy(dst, a)
		return
	}
	b := t.Frame(k+1, i)
	for j, v := range a {
		dst[j] = byte(float64(v) + (float64(b[j])-float64(v))*blend + 0.5)
	}
}

// DistanceAt returns D of image i at pos, blended likewise.
func (t *Trajectory) DistanceAt(i int, pos float64) float64 {
	last := len(t.frames) - 1
	if last < 0 {
		return 0
	}
	k, blend := Between(pos, last)
	d := t.Distance(k, i)
	if blend > 0 {
		d += (t.Distance(k+1, i) - d) * blend
	}
	return d
}

// Between splits a place on the steps 0 … last into the step before it and how
// far it is towards the next, in [0, 1).
func Between(pos float64, last int) (step int, blend float64) {
	if !(pos > 0) {
		return 0, 0
	}
	if pos >= float64(last) {
		return last, 0
	}
	step = int(pos)
	return step, pos - float64(step)
}

// Code returns the code of image i at a step. It belongs to the trajectory.
func (t *Trajectory) Code(step, i int) []float32 { return part(t.codes[step], t.N, i) }

// Frame returns the ink of image i at a step, 255 where it is full. It belongs to
// the trajectory.
func (t *Trajectory) Frame(step, i int) []byte { return part(t.frames[step], t.N, i) }

// part returns the i-th of n equal parts.
func part[T any](all []T, n, i int) []T {
	size := len(all) / n
	return all[i*size:][:size]
}

// Digest returns a number that is another one if a bit of the trajectory is: two programs
// that computed it can be compared.
func (t *Trajectory) Digest() uint64 {
	h := fnv.New64a()
	bits := func(x []float32) {
		b := make([]byte, 0, 4*len(x))
		for _, v := range x {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
		h.Write(b)
	}
	for k := range t.frames {
		h.Write(t.frames[k])
		bits(t.codes[k])
		bits(t.distance[k])
	}
	return h.Sum64()
}
