package latent_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"mppm/shared/fault"
	"mppm/shared/latent"
	"mppm/shared/latent/latenttest"
	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/shared/unet"
)

// TestPartial: of slices of wrong lengths the whole images are computed that all have room
// for, to the same bits as ever; what is behind those stays, and nothing panics.
func TestPartial(t *testing.T) {
	image := nn.Shape{H: 16, W: 16, C: 3}
	sizes := unet.Config{Channels: []int{4, 8}, Latent: 5}
	nets, err := unet.New(image, sizes)
	if err != nil {
		t.Fatal(err)
	}
	if nets.L, err = unet.Local(image, sizes); err != nil {
		t.Fatal(err)
	}
	const n = 5
	for name, m := range map[string]*latent.Model{"digits": latenttest.Model(1), "unet": latenttest.ModelOf(1, nets)} {
		d, pixels, area := m.Latent(), m.Pixels(), m.Image().H*m.Image().W
		x, z := make([]float32, n*pixels), make([]float32, n*d)
		for i := range x {
			x[i] = float32(rng.New(2, uint64(i)).Float64())
		}
		rng.New(3, 0).FillNorm(z, 1)
		r := m.Runner(2)
		var skips latent.Skips
		r.EncodeSkips(make([]float32, n*d), x, &skips)
		trust := &latent.Trust{Image: make([]float32, n), Pixel: make([]float32, n*area)}
		// Of each, how many numbers it makes of an image, and it with outputs and inputs of
		// so many numbers.
		for _, c := range []struct {
			name    string
			out, in int
			do      func(y, x []float32)
		}{
			{"Encode", d, pixels, func(y, x []float32) { r.Encode(y, x) }},
			{"EncodeSkips", d, pixels, func(y, x []float32) { r.EncodeSkips(y, x, new(latent.Skips)) }},
			{"Decode", pixels, d, func(y, z []float32) { r.Decode(y, z) }},
			{"DecodeSkips", pixels, d, func(y, z []float32) { r.DecodeSkips(y, z, &skips, nil) }},
			{"DecodeSkips with trust", pixels, d, func(y, z []float32) { r.DecodeSkips(y, z, &skips, trust) }},
			{"Local", area, pixels, func(y, x []float32) { r.Local(y, x, &skips) }},
			{"Distance", 1, d, func(y, z []float32) { r.Distance(y, nil, z) }},
			{"Distance's gradient", d, d, func(y, z []float32) { r.Distance(make([]float32, n), y, z) }},
			{"Gradient", d, d, func(y, z []float32) { r.Gradient(y, z) }},
			{"Mean", d, d, func(y, z []float32) { r.Mean(y, z, 0.5) }},
		} {
			if c.name == "Local" && !m.HasLocal() {
				continue
			}
			in := z
			if c.in == pixels {
				in = x
			}
			want := make([]float32, n*c.out)
			c.do(want, in)
			for _, sizes := range [][2]int{
				{n * c.out, n*c.in - 1}, {n * c.out, 2*c.in + c.in/2}, {n * c.out, 0}, {0, n * c.in}, {n*c.out - 1, n * c.in}, {3 * c.out, n * c.in}, {3*c.out - 1, 4*c.in + 1},
			} {
				got := make([]float32, sizes[0])
				for i := range got {
					got[i] = -7
				}
				c.do(got, in[:sizes[1]])
				whole := min(sizes[0]/c.out, sizes[1]/c.in) * c.out
				if !slices.Equal(got[:whole], want[:whole]) {
					t.Errorf("%s: %s of %v numbers: what is whole is not as it is alone", name, c.name, sizes)
				}
				if slices.ContainsFunc(got[whole:], func(v float32) bool { return v != -7 }) {
					t.Errorf("%s: %s of %v numbers: it writes behind what is whole", name, c.name, sizes)
				}
			}
		}
		// The skips of fewer images than there are codes.
		var few latent.Skips
		r.EncodeSkips(z[:2*d], x[:2*pixels], &few)
		r.DecodeSkips(make([]float32, n*pixels), z, &few, nil)
		r.DecodeSkips(make([]float32, n*pixels), z, new(latent.Skips), trust)
		r.DecodeSkips(make([]float32, n*pixels), z, &skips, &latent.Trust{Image: []float32{0.5}, Pixel: make([]float32, 3)})

		nan := slices.Clone(z)
		nan[d] = float32(math.NaN())
		for _, c := range []struct{ got, want error }{
			{m.CheckImages(x), nil}, {m.CheckCodes(z), nil},
			{m.CheckImages(nil), fault.ErrSize}, {m.CheckImages(x[1:]), fault.ErrSize},
			{m.CheckCodes(nil), fault.ErrSize}, {m.CheckCodes(z[1:]), fault.ErrSize}, {m.CheckCodes(nan), fault.ErrNotFinite},
		} {
			if !errors.Is(c.got, c.want) {
				t.Errorf("%s: %v, want %v", name, c.got, c.want)
			}
		}
		if _, err := r.Flow(z[1:], m.Restore); !errors.Is(err, fault.ErrSize) {
			t.Errorf("%s: a flow of part of a code: %v", name, err)
		}
		if _, err := r.Restoration(x[1:], m.Restore); !errors.Is(err, fault.ErrSize) {
			t.Errorf("%s: a restoration of part of an image: %v", name, err)
		}
	}
}
