package model

import (
	"mppm/shared/nn"
	"mppm/shared/safetensors"
)

// Autoencoder is F and G of Table 8, which the baselines share with the model.
// It is immutable and safe for concurrent use.
type Autoencoder struct {
	conv1, conv2     *nn.Conv
	encode           *nn.Linear
	decode           *nn.Linear
	deconv1, deconv2 *nn.ConvTranspose
}

// AutoencoderSpecs lists the parameters of F and G, each weight with its output
// channel first and its bias after it.
func AutoencoderSpecs() []Spec {
	return []Spec{
		{"encoder.conv1.weight", []int{32, 3, 3, 1}}, {"encoder.conv1.bias", []int{32}},
		{"encoder.conv2.weight", []int{64, 3, 3, 32}}, {"encoder.conv2.bias", []int{64}},
		{"encoder.linear.weight", []int{Latent, flat}}, {"encoder.linear.bias", []int{Latent}},
		{"decoder.linear.weight", []int{flat, Latent}}, {"decoder.linear.bias", []int{flat}},
		{"decoder.deconv1.weight", []int{32, 3, 3, 64}}, {"decoder.deconv1.bias", []int{32}},
		{"decoder.deconv2.weight", []int{1, 3, 3, 32}}, {"decoder.deconv2.bias", []int{1}},
	}
}

// LoadAutoencoder reads F and G from a file, whatever else it holds. It returns
// an error that says which tensor is wrong.
func LoadAutoencoder(f *safetensors.File) (*Autoencoder, error) {
	t := map[string][]float32{}
	var err error
	for _, s := range AutoencoderSpecs() {
		if t[s.Name], err = f.Float32(s.Name, s.Shape...); err != nil {
			return nil, err
		}
	}
	keep := func(e error) {
		if err == nil {
			err = e
		}
	}
	var e error
	a := new(Autoencoder)
	get := func(layer string) (w, b []float32) { return t[layer+".weight"], t[layer+".bias"] }
	w, b := get("encoder.conv1")
	a.conv1, e = nn.NewConv(outer, 32, w, b)
	keep(e)
	w, b = get("encoder.conv2")
	a.conv2, e = nn.NewConv(inner, 64, w, b)
	keep(e)
	w, b = get("encoder.linear")
	a.encode, e = nn.NewLinear(flat, Latent, w, b)
	keep(e)
	w, b = get("decoder.linear")
	a.decode, e = nn.NewLinear(Latent, flat, w, b)
	keep(e)
	w, b = get("decoder.deconv1")
	a.deconv1, e = nn.NewConvTranspose(inner, 64, w, b)
	keep(e)
	w, b = get("decoder.deconv2")
	a.deconv2, e = nn.NewConvTranspose(outer, 32, w, b)
	keep(e)
	return a, err
}

// Coder computes F and G. It holds their workspaces and is not safe for
// concurrent use.
type Coder struct {
	nets  *Autoencoder
	batch int
	ws    nn.Workspace
	a, b  []float32
}

// Coder returns a coder that computes at most batch ≥ 1 images at a time.
func (a *Autoencoder) Coder(batch int) *Coder {
	batch = max(batch, 1)
	return &Coder{nets: a, batch: batch, a: make([]float32, batch*outer.OH*outer.OW*32), b: make([]float32, batch*flat)}
}

// Encode writes to z (n × Latent) the codes F(x) of n images x (n × Pixels),
// nominally in [0, 1]; noise may take pixels outside.
func (c *Coder) Encode(z, x []float32) {
	for n := len(x) / Pixels; n > 0; n = len(x) / Pixels {
		n = min(n, c.batch)
		a, b := c.a[:n*outer.OH*outer.OW*32], c.b[:n*flat]
		c.nets.conv1.Forward(a, x, n, &c.ws)
		nn.ReLU.Apply(a, a, &c.ws)
		c.nets.conv2.Forward(b, a, n, &c.ws)
		nn.ReLU.Apply(b, b, &c.ws)
		c.nets.encode.Forward(z, b, n, &c.ws)
		x, z = x[n*Pixels:], z[n*Latent:]
	}
}

// Decode writes to x (n × Pixels, in [0, 1]) the images G(z) of n codes z
// (n × Latent).
func (c *Coder) Decode(x, z []float32) {
	for n := len(z) / Latent; n > 0; n = len(z) / Latent {
		n = min(n, c.batch)
		a, b := c.a[:n*outer.OH*outer.OW*32], c.b[:n*flat]
		c.nets.decode.Forward(b, z, n, &c.ws)
		nn.ReLU.Apply(b, b, &c.ws)
		c.nets.deconv1.Forward(a, b, n, &c.ws)
		nn.ReLU.Apply(a, a, &c.ws)
		c.nets.deconv2.Forward(x, a, n, &c.ws)
		nn.Sigmoid.Apply(x[:n*Pixels], x[:n*Pixels], &c.ws)
		x, z = x[n*Pixels:], z[n*Latent:]
	}
}
