// Package unet makes the nets for pictures in color, which package latent computes with
// (Table 9): a U-Net, in which details go past the code by skip connections. Those of a
// damaged image carry the damage, too; so there are projections, which draw the skips from
// the code alone (App. B.3). Images are of any shape that the poolings leave a pixel of.
package unet

import (
	"fmt"

	"mppm/shared/latent"
	"mppm/shared/nn"
)

// Config are the sizes of the nets.
type Config struct {
	Channels []int // of the encoder's blocks, from the image inwards
	Latent   int   // d, numbers of a code
	// Chart is the side of a small image that the code is a linear map of, but for what
	// the encoder's blocks add; 0 is none, as in Table 9. With a chart, codes that are
	// near each other are of images that look alike from afar, however little the nets
	// have learnt, and P draws the skips of the small image that a code stands for.
	Chart int
}

// Table9 are the sizes of the paper.
func Table9() Config { return Config{Channels: []int{32, 64, 128, 256}, Latent: 1024} }

// Names of the layers of a chart: what makes the small image, the map to the code, and in
// P the way back.
const (
	ChartPool = "chart.pool"
	ChartMap  = "chart.linear"
	ChartBack = "projection.image"
	ChartGrow = "projection.grow"
)

// New returns the nets for images of one shape. G makes an image, in [0, 1], of z and of
// one skip of each block: S_i, the block's features before they are pooled, Ŝ_i, or what
// is between.
//
// The paper draws the projections and does not size them. Without a chart P is a way up
// through transposed convolutions: a linear layer to each skip alone would have hundreds
// of millions of weights. With one it is the small image of z, enlarged, and a way down of
// one convolution for each skip. New returns an error that says what does not fit.
func New(image nn.Shape, c Config) (*latent.Nets, error) {
	if len(c.Channels) == 0 {
		return nil, fmt.Errorf("unet: there are no blocks; give the channels of one at least")
	}
	if c.Chart < 0 || c.Chart > 0 && (c.Chart > image.H || c.Chart > image.W) {
		return nil, fmt.Errorf("unet: the chart has a side of %d; give 1 to that of the image, %v, or 0 for none", c.Chart, image)
	}
	var down []nn.Layer
	skips := skipsOf(image, c.Channels)
	chart, pool := image, nn.Window{}
	if c.Chart > 0 {
		pool, chart = chartOf(image, c.Chart)
		down = append(down, nn.Keep("image"), nn.Conv{Name: ChartPool, Window: pool, Out: image.C},
			nn.Linear{Name: ChartMap, Out: nn.Vector(c.Latent)}, nn.Keep("chart"), nn.From("image"))
	}
	for i, out := range c.Channels {
		name := fmt.Sprintf("encoder.%d", i)
		down = append(down, block(name+".conv1", name+".norm1", out)...)
		down = append(down, block(name+".conv2", name+".norm2", out)...)
		down = append(down, nn.Keep(skip(i)), nn.MaxPool{Window: nn.Pairs})
	}
	g := nn.Pairs.On(skips[len(skips)-1])
	small := nn.Shape{H: g.OH, W: g.OW, C: g.C} // what is left after the poolings
	down = append(down, nn.Linear{Name: "encoder.linear", Out: nn.Vector(c.Latent)})
	if c.Chart > 0 {
		down = append(down, nn.Add("chart"))
	} else {
		down = append(down, nn.LeakyReLU)
	}

	var up []nn.Layer
	for i, shape := range skips {
		up = append(up, nn.Input{Name: skip(i), Shape: shape})
	}
	up = append(up, nn.Linear{Name: "decoder.linear", Out: small})
	for i := len(skips) - 1; i >= 0; i-- {
		name := fmt.Sprintf("decoder.%d", i)
		up = append(up, nn.ConvTranspose{Name: name + ".deconv", Window: nn.Pairs, To: skips[i]}, nn.Concat(skip(i)))
		up = append(up, block(name+".conv1", name+".norm1", c.Channels[i])...)
		up = append(up, block(name+".conv2", name+".norm2", c.Channels[max(i-1, 0)])...)
	}
	up = append(up, nn.Conv{Name: "decoder.out", Window: nn.Same, Out: image.C}, nn.Sigmoid)

	n := new(latent.Nets)
	var err error
	if n.F, err = nn.New(image, down...); err != nil {
		return nil, fmt.Errorf("unet: the encoder: %w", err)
	}
	if n.P, err = nn.New(nn.Vector(c.Latent), across(skips, small, chart, image, pool)...); err != nil {
		return nil, fmt.Errorf("unet: the projections: %w", err)
	}
	if n.G, err = nn.New(nn.Vector(c.Latent), up...); err != nil {
		return nil, fmt.Errorf("unet: the decoder: %w", err)
	}
	return n, nil
}

// Local is L for the same images and sizes: from the features of a few of the encoder's
// blocks and the image itself it makes the distance at each pixel. The blocks deeper
// than localDepth see too much of the image to say where.
//
// The paper has no such net: it is D of Eq. 4 at each pixel in place of the whole image.
func Local(image nn.Shape, c Config) (*nn.Net, error) {
	shapes := skipsOf(image, c.Channels)
	shapes = shapes[:min(len(shapes), localDepth)]
	layers := []nn.Layer{nn.Keep("image")}
	for i, shape := range shapes {
		layers = append(layers, nn.Input{Name: skip(i), Shape: shape})
	}
	last := len(shapes) - 1
	if last > 0 {
		layers = append(layers, nn.From(skip(last)),
			nn.Conv{Name: fmt.Sprintf("local.%d.conv", last), Window: nn.Same, Out: localWidth(shapes[last])}, nn.LeakyReLU)
	}
	for i := last - 1; i >= 0; i-- {
		name := fmt.Sprintf("local.%d", i)
		to := shapes[i]
		to.C = localWidth(to)
		layers = append(layers, nn.ConvTranspose{Name: name + ".deconv", Window: nn.Pairs, To: to}, nn.Concat(skip(i)))
		if i == 0 {
			layers = append(layers, nn.Concat("image"))
		}
		layers = append(layers, nn.Conv{Name: name + ".conv", Window: nn.Same, Out: to.C}, nn.LeakyReLU)
	}
	n, err := nn.New(image, append(layers, nn.Conv{Name: "local.out", Window: nn.Same, Out: 1})...)
	if err != nil {
		return nil, fmt.Errorf("unet: the local distance: %w", err)
	}
	return n, nil
}

// localDepth is how many skips L takes at most, and localWidth how many channels it makes
// of one.
const localDepth = 5

func localWidth(skip nn.Shape) int { return max(8, skip.C/2) }

// skipsOf returns the shapes of the skips of blocks with those channels.
func skipsOf(image nn.Shape, channels []int) (shapes []nn.Shape) {
	for _, c := range channels {
		image.C = c
		shapes = append(shapes, image)
		g := nn.Pairs.On(image)
		image.H, image.W = g.OH, g.OW
	}
	return shapes
}

func skip(i int) string { return fmt.Sprintf("skip.%d", i) }

// chartOf returns the window that averages an image to a chart of about that side, and
// the chart's shape.
func chartOf(image nn.Shape, side int) (nn.Window, nn.Shape) {
	step := max(1, min(image.H, image.W)/side)
	w := nn.Window{Side: step, Stride: step}
	g := w.On(image)
	return w, nn.Shape{H: g.OH, W: g.OW, C: image.C}
}

// grow is the window that enlarges a chart which pool has made of an image: bilinear
// interpolation as a transposed convolution, with the weights of Bilinear.
func grow(pool nn.Window) nn.Window {
	step := pool.Stride
	return nn.Window{Side: 2*step - step%2, Stride: step, Pad: step / 2}
}

// across are the layers of P.
func across(skips []nn.Shape, small, chart, image nn.Shape, pool nn.Window) []nn.Layer {
	var layers []nn.Layer
	if pool == (nn.Window{}) {
		layers = append(layers, nn.Linear{Name: "projection.linear", Out: small})
		for i := len(skips) - 1; i >= 0; i-- {
			layers = append(layers, nn.LeakyReLU,
				nn.ConvTranspose{Name: fmt.Sprintf("projection.%d", i), Window: nn.Pairs, To: skips[i]}, nn.Keep(skip(i)))
		}
		return layers
	}
	layers = append(layers, nn.Linear{Name: ChartBack, Out: chart}, nn.ConvTranspose{Name: ChartGrow, Window: grow(pool), To: image})
	for i, shape := range skips {
		if i > 0 {
			layers = append(layers, nn.MaxPool{Window: nn.Pairs})
		}
		name := fmt.Sprintf("projection.%d", i)
		layers = append(layers, block(name+".conv", name+".norm", shape.C)...)
		layers = append(layers, nn.Keep(skip(i)))
	}
	return layers
}

// Average returns the weights [C, Side, Side, C] with which the convolution ChartPool of a
// window averages the pixels under it.
func Average(channels int, w nn.Window) []float32 {
	weight := make([]float32, channels*w.Side*w.Side*channels)
	for c := range channels {
		for t := range w.Side * w.Side {
			weight[(c*w.Side*w.Side+t)*channels+c] = 1 / float32(w.Side*w.Side)
		}
	}
	return weight
}

// Bilinear returns the weights [C, Side, Side, C] with which the transposed convolution
// ChartGrow of a window interpolates.
func Bilinear(channels int, w nn.Window) []float32 {
	weight := make([]float32, channels*w.Side*w.Side*channels)
	tap := func(i int) float32 {
		off := float32(i) - float32(w.Side-1)/2
		return 1 - max(off, -off)/float32(w.Stride)
	}
	for c := range channels {
		for i := range w.Side {
			for j := range w.Side {
				weight[((c*w.Side+i)*w.Side+j)*channels+c] = tap(i) * tap(j)
			}
		}
	}
	return weight
}

// block is a convolution to so many channels, batch norm and LeakyReLU.
func block(conv, norm string, out int) []nn.Layer {
	return []nn.Layer{nn.Conv{Name: conv, Window: nn.Same, Out: out}, nn.BatchNorm{Name: norm}, nn.LeakyReLU}
}

// Distance is D of Table 9 for codes of so many numbers: dropout follows each hidden
// layer (hidden: 300, 100, 30).
func Distance(latent int, hidden []int) (*nn.Net, error) {
	const dropout = 0.2
	var layers []nn.Layer
	for i, w := range hidden {
		layers = append(layers, nn.Linear{Name: fmt.Sprintf("distance.%d", i), Out: nn.Vector(w)}, nn.ReLU, nn.Dropout{Rate: dropout})
	}
	layers = append(layers, nn.Linear{Name: fmt.Sprintf("distance.%d", len(hidden)), Out: nn.Vector(1)})
	return nn.New(nn.Vector(latent), layers...)
}
