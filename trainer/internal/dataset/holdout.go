package dataset

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strings"

	"mppm/shared/rng"
)

// splitSeed orders the training digits for HoldOut. It is one for all, so that
// whoever trains without n digits and whoever chooses settings by n digits mean
// the same ones.
const splitSeed = 1

// Least is the least number of images that anything is trained on: the code bank
// measures lengths by the distance from one code to another.
const Least = 2

// Enough returns an error if n images are too few to train on.
func Enough(n int) error {
	if n >= Least {
		return nil
	}
	are, images := "are", "images"
	if n == 1 {
		are, images = "is", "image"
	}
	return fmt.Errorf("there %s %d %s to train on; give at least %d, and a few thousand for nets that know more than these", are, max(n, 0), images, Least)
}

// HoldOut returns the set to choose settings with: Test are n training digits,
// and Train are the others. The test digits of s are in neither, and are not
// read. The n digits are always the same, in an order drawn at random, and
// those of a smaller n are among those of a larger. The name says what was done,
// and the checksums are those of the training files and of the digits held
// out. It returns an error if n is not from 1 to one less than there are.
func (s *Set) HoldOut(n int) (*Set, error) {
	if n < 1 || n >= s.Train.N {
		return nil, fmt.Errorf("%d training digits are to be held out; give 1 to %d, there are %d", n, s.Train.N-1, s.Train.N)
	}
	order := rng.New(splitSeed, 0).Perm(s.Train.N)
	out := make([]bool, s.Train.N)
	for _, i := range order[:n] {
		out[i] = true
	}
	var rest []int
	for i, held := range out {
		if !held {
			rest = append(rest, i)
		}
	}
	set := &Set{Name: fmt.Sprintf("%s, without %d held-out training digits", s.Name, n), Train: s.Train.pick(rest), Test: s.Train.pick(order[:n]), Classes: s.Classes, Checksums: map[string]string{}}
	for name, sum := range s.Checksums {
		if !strings.HasPrefix(name, testImages) && !strings.HasPrefix(name, testLabels) && name != namesAndSizes+testFolder {
			set.Checksums[name] = sum
		}
	}
	set.Checksums[fmt.Sprintf("%d held out", n)] = set.Test.digest()
	return set, nil
}

// digest is the MD5 of a split in memory, or of the names and sizes of its files,
// in hexadecimal.
func (s *Split) digest() string {
	if s.files != nil {
		return s.files.digest()
	}
	h := md5.New()
	h.Write(s.Images)
	h.Write(s.Labels)
	return hex.EncodeToString(h.Sum(nil))
}

// pick returns the images of s with the given numbers, in that order: a copy of
// those in memory.
func (s *Split) pick(at []int) Split {
	p := Split{N: len(at), Shape: s.Shape}
	if s.files != nil {
		p.files = s.files.pick(at)
	} else {
		p.Images = make([]byte, 0, len(at)*s.Pixels())
		for _, i := range at {
			p.Images = append(p.Images, s.Image(i)...)
		}
	}
	if s.Labels != nil {
		for _, i := range at {
			p.Labels = append(p.Labels, s.Labels[i])
		}
	}
	return p
}
