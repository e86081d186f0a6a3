package dataset

import (
	"math"
	"slices"

	"mppm/shared/nn"
	"mppm/shared/rng"
)

// thumbSide is the side of a thumbnail, in which near-duplicates are looked for.
const thumbSide = 8

// thumb is the mean of an image's luma in each of 8 × 8 parts, less the mean of all.
type thumb [thumbSide * thumbSide]float32

// thumbnail makes the thumbnail of an image in bytes.
func thumbnail(image []byte, s nn.Shape) (t thumb) {
	var count [thumbSide * thumbSide]float32
	for y := range s.H {
		for x := range s.W {
			at := y*thumbSide/s.H*thumbSide + x*thumbSide/s.W
			p := image[(y*s.W+x)*s.C:][:s.C]
			v := float32(p[0])
			if s.C == 3 {
				v = 0.299*float32(p[0]) + 0.587*float32(p[1]) + 0.114*float32(p[2])
			}
			t[at] += v / 255
			count[at]++
		}
	}
	var mean float32
	for i := range t {
		t[i] /= count[i]
		mean += t[i] / float32(len(t))
	}
	for i := range t {
		t[i] -= mean
	}
	return t
}

// mirrored returns the thumbnail of the image in a mirror.
func (t *thumb) mirrored() (m thumb) {
	for i, v := range t {
		m[i/thumbSide*thumbSide+thumbSide-1-i%thumbSide] = v
	}
	return m
}

// apart is the root mean square of what two thumbnails differ by.
func (t *thumb) apart(u *thumb) float64 {
	var sum float32
	for i, v := range t {
		d := v - u[i]
		sum += d * d
	}
	return math.Sqrt(float64(sum) / float64(len(t)))
}

// alike is how far apart the thumbnails of near-duplicates are at most: of 1,409 faces cut
// alike, four pairs are nearer than 0.037, and no other two than 0.063.
const alike = 0.05

// Where pictures are alike all over, as drawn faces are, near-duplicates are nearer than
// half of what most have to their tenth neighbor, of so many that are asked. The first
// few neighbors may all be near-duplicates. Among the 5,500 of make drawn-faces, each
// drawn by itself, 3,008 would else be one group.
const (
	neighbor = 10
	asked    = 200
)

// near is how far apart the thumbnails of near-duplicates are at most, among these.
func near(thumbs []thumb) float64 {
	n := min(len(thumbs), asked)
	tenth := make([]float64, n)
	for k := range tenth {
		i := k * len(thumbs) / n
		mirror := thumbs[i].mirrored()
		nearest := make([]float64, 0, len(thumbs)-1)
		for j := range thumbs {
			if j != i {
				nearest = append(nearest, min(thumbs[i].apart(&thumbs[j]), mirror.apart(&thumbs[j])))
			}
		}
		if len(nearest) < neighbor {
			return alike
		}
		slices.Sort(nearest)
		tenth[k] = nearest[neighbor-1]
	}
	slices.Sort(tenth)
	return min(alike, tenth[n/2]/2)
}

// groups numbers images so that near-duplicates, and near-duplicates of those, have
// the same number.
func groups(thumbs []thumb) []int {
	group := make([]int, len(thumbs))
	for i := range group {
		group[i] = i
	}
	root := func(i int) int {
		for group[i] != i {
			group[i] = group[group[i]]
			i = group[i]
		}
		return i
	}
	// Two thumbnails that are alike have contrasts that are: in the order of their
	// contrasts, only those near by need be compared.
	contrast := make([]float64, len(thumbs))
	order := make([]int, len(thumbs))
	var flat thumb
	for i := range thumbs {
		contrast[i], order[i] = thumbs[i].apart(&flat), i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case contrast[a] < contrast[b]:
			return -1
		case contrast[a] > contrast[b]:
			return 1
		}
		return a - b
	})
	within := near(thumbs)
	for k, i := range order {
		mirror := thumbs[i].mirrored()
		for _, j := range order[k+1:] {
			if contrast[j]-contrast[i] > within {
				break
			}
			if thumbs[i].apart(&thumbs[j]) <= within || mirror.apart(&thumbs[j]) <= within {
				group[root(j)] = root(i)
			}
		}
	}
	for i := range group {
		group[i] = root(i)
	}
	return group
}

// split draws which images are trained on and which are held out, a share of them;
// near-duplicates go together.
func split(thumbs []thumb, share float64, seed uint64) (train, test []int) {
	members := map[int][]int{}
	var firsts []int
	for i, g := range groups(thumbs) {
		if members[g] == nil {
			firsts = append(firsts, g)
		}
		members[g] = append(members[g], i)
	}
	want := int(math.Ceil(share * float64(len(thumbs))))
	for _, k := range rng.New(seed, 0).Perm(len(firsts)) {
		m := members[firsts[k]]
		// A group too large for what is still wanted is trained on.
		if len(test)+len(m) <= want {
			test = append(test, m...)
		} else {
			train = append(train, m...)
		}
	}
	slices.Sort(train)
	slices.Sort(test)
	return train, test
}
