package dataset

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"slices"

	"mppm/shared/nn"
	"mppm/trainer/internal/photo"
)

// scaled are the images of IDX files as pictures of another size, each scaled when it is
// read.
type scaled struct {
	images []byte // Side × Side, gray, one after the other
	at     []int  // the numbers of those that are here
	shape  nn.Shape
	*fault
	transpose bool
}

// openScaled is OpenImages of IDX files: those to train on and to test on are as the files
// say.
func openScaled(ctx context.Context, from *source, o ImageOptions, shape nn.Shape) (*Set, error) {
	set, err := load(ctx, from)
	if err != nil {
		return nil, err
	}
	if set.EMNIST { // as it is published
		set.Transpose()
		set.Notes = append(set.Notes, "EMNIST is published with rows and columns swapped: its images are turned upright")
	}
	if o.All {
		set.Test.Images = slices.Concat(set.Train.Images, set.Test.Images)
		if set.Train.Labels != nil && set.Test.Labels != nil {
			set.Test.Labels = slices.Concat(set.Train.Labels, set.Test.Labels)
		} else {
			set.Test.Labels = nil
		}
		set.Train, set.Test.N = Split{}, set.Train.N+set.Test.N
	}
	for _, p := range []*Split{&set.Train, &set.Test} {
		s := &scaled{images: p.Images, at: make([]int, p.N), shape: shape, fault: new(fault)}
		for i := range s.at {
			s.at[i] = i
		}
		p.Images, p.Shape, p.files = nil, shape, s
	}
	return set, nil
}

func (s *scaled) read(dst []byte, i int) error {
	from := s.images[s.at[i]*Pixels : (s.at[i]+1)*Pixels]
	photo.OfPixels(from, Side, Side, 1).Square(dst, s.shape.H, s.shape.C)
	if s.transpose {
		transpose(dst, s.shape.H, s.shape.C)
	}
	return nil
}

func (s *scaled) digest() string {
	h := md5.New()
	for i := range s.at {
		h.Write(s.images[s.at[i]*Pixels : (s.at[i]+1)*Pixels])
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (s *scaled) pick(at []int) lazy {
	q := &scaled{images: s.images, shape: s.shape, fault: s.fault, transpose: s.transpose}
	for _, i := range at {
		q.at = append(q.at, s.at[i])
	}
	return q
}

func (s *scaled) turn() { s.transpose = !s.transpose }
