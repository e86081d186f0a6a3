package ambient

import (
	"slices"

	"mppm/shared/ddpm"
	"mppm/shared/fault"
	"mppm/shared/nn"
	"mppm/shared/safetensors"
)

// The nets of a file. Those of the baseline have the shapes of the model's.
const (
	Encoder    = "encoder"     // F
	Decoder    = "decoder"     // G
	Distance   = "distance"    // D
	DAEEncoder = "dae.encoder" // of the denoising autoencoder
	DAEDecoder = "dae.decoder"
)

// Autoencoder is F and G of Table 7, called by those names: from points of dim
// coordinates through the hidden widths to codes of so many numbers, and back.
func Autoencoder(encoder, decoder string, dim int, hidden []int, latent int) (f, g *nn.Net, err error) {
	if f, err = nn.MLP(encoder, dim, hidden, latent, nn.ReLU); err != nil {
		return nil, nil, err
	}
	back := slices.Clone(hidden)
	slices.Reverse(back)
	g, err = nn.MLP(decoder, latent, back, dim, nn.ReLU)
	return f, g, err
}

// DistanceNet is D of Table 7, for points of dim coordinates.
func DistanceNet(dim int, hidden []int, act nn.Activation) (*nn.Net, error) {
	return nn.MLP(Distance, dim, hidden, 1, act)
}

// loadNets reads the nets of a file.
func (m *Model) loadNets(f *safetensors.File) error {
	act := nn.Activation(f.Meta["distance.activation"])
	if !act.Valid() {
		return fault.New(fault.ErrMetadata, "metadata: distance.activation is %q; want %q or %q", act, nn.SiLU, nn.ReLU)
	}
	var err error
	if m.f, m.g, err = m.loadAutoencoder(f, Encoder, Decoder); err != nil {
		return err
	}
	m.Latent = m.f.Out().Size()
	d, err := nn.LoadMLP(f, Distance, m.Dim, 1, act)
	if err != nil {
		return err
	}
	if m.d, err = d.Field(); err != nil {
		return err
	}
	if m.daeF, m.daeG, err = m.loadAutoencoder(f, DAEEncoder, DAEDecoder); err != nil {
		return err
	}
	m.denoiser, err = ddpm.Load(f, m.Dim)
	return err
}

func (m *Model) loadAutoencoder(file *safetensors.File, encoder, decoder string) (f, g *nn.Function, err error) {
	if f, err = nn.LoadMLP(file, encoder, m.Dim, 0, nn.ReLU); err != nil {
		return nil, nil, err
	}
	g, err = nn.LoadMLP(file, decoder, f.Out().Size(), m.Dim, nn.ReLU)
	return f, g, err
}
