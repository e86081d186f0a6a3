package latent

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"mppm/shared/latent"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/dataset"
)

// Rebank returns the weights f with another code bank: so many centers of codes,
// the codes of set's training images by f's own nets. The bank is in eight bits.
func Rebank(ctx context.Context, f *safetensors.File, set *dataset.Set, codes []float32, centers int, seed uint64) (*safetensors.File, error) {
	nets, err := latent.Described(f.Meta)
	if err != nil {
		return nil, err
	}
	dim := nets.F.Out().Size()
	if n := set.Train.N; centers < 1 || centers > n || len(codes) != n*dim {
		return nil, fmt.Errorf("a code bank of %d centers of %d codes is to be made of %d images; give 1 to %[3]d centers, and a code for each image", centers, len(codes)/dim, n)
	}
	out := &safetensors.File{Meta: maps.Clone(f.Meta)}
	for _, t := range f.Tensors {
		if part, _, _ := strings.Cut(t.Name, "."); part != "bank" && part != "prior" && part != "map" {
			out.Tensors = append(out.Tensors, t)
		}
	}
	return out, AddBank(ctx, out, codes, dim, set.Train.Labels, centers, seed, false)
}
