package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"mppm/shared/classifier"
	"mppm/shared/latent"
	"mppm/shared/metadata"
	"mppm/shared/nn"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/atomicfile"
	"mppm/trainer/internal/dataset"
	nets "mppm/trainer/internal/task/latent"
	"mppm/trainer/internal/task/unet"
	"mppm/trainer/internal/torch"
)

type importOptions struct {
	in, out           string
	data              dataOptions
	nets              [4]string // texts of F, G, P and L
	activation        nn.Activation
	restore, generate string // flows, as JSON
	centers           int
	seed              uint64
	float, quiet      bool
	bank, chosen      *flagDef // --centers and --activation
}

// netKeys are what the nets are called in metadata, and by flags.
var netKeys = [4]string{"encoder", "decoder", "projections", "local"}

func importCommand() command {
	return command{
		name:    "import",
		args:    "--in FILE --out FILE [flags]",
		summary: "make a weights file of nets that PyTorch has trained",
		about: `
Makes a weights file, which everything else runs and the page shows, of nets that were
trained elsewhere: a safetensors file with the tensors as PyTorch's modules have them,
under the names of the layers: encoder.conv1.weight, decoder.linear.bias,
distance.0.weight. The nets are those of Table 8 for digits unless the file's metadata, or
--encoder and --decoder, say others, a layer after the other:
  28x28x1; conv encoder.conv1 3,2,1 32; relu; ...; linear encoder.linear 18
Batch norm is folded into the layers before it. Without tensors of distance the model is
a denoising autoencoder. The code bank is made of the data that the nets were trained on,
and the flows are those of this project's own training, or what the metadata has as
flow.restore and flow.generate, or --restore and --generate. Nets whose tensors are
called conv1 to classes are a classifier, and need no data.

docs/interop.md has all names, shapes and layouts, and a program for both ways.`,
		examples: []string{
			"import --in torch.safetensors --out mine.safetensors",
			"import --in torch.safetensors --out mine.safetensors --float --centers 500 --seed 2",
		},
		setup: func(f *flagSet) func(context.Context, env, []string) error {
			o := importOptions{centers: nets.Default().Centers, seed: 1}
			f.text(&o.in, "in", "FILE", "the safetensors file of PyTorch's tensors").required = true
			f.text(&o.out, "out", "FILE", "the weights file to write").required = true
			o.data.flags(f, idxFiles+orFolders+"PNG files, or pictures for nets of another size than digits"+orMNIST)
			f.group = "the nets, where the file does not say"
			for i, help := range []string{"F: layers with semicolons between", "G, likewise", "P of a U-Net, likewise", "L of a U-Net, likewise"} {
				f.text(&o.nets[i], netKeys[i], "NET", help)
			}
			o.chosen = choice(f, &o.activation, "activation", "NAME", fmt.Sprintf("of the distance net: %s or %s", nn.SiLU, nn.ReLU), []nn.Activation{nn.SiLU, nn.ReLU})
			f.group = "what is made with them"
			f.text(&o.restore, "restore", "JSON", `the flow of restoration, as {"alpha":0.14,"beta":0.4,"sigma":0.42,"steps":15}`)
			f.text(&o.generate, "generate", "JSON", "the flow of generation, likewise, with noise")
			o.bank = f.integer(&o.centers, "centers", "N", "centers of the code bank; by default no more than there are images", 1, 100_000)
			f.seed(&o.seed, "seed", "seed of everything random")
			f.toggle(&o.float, "float", "keep 32-bit numbers")
			f.toggle(&o.quiet, "quiet", "say nothing")
			f.reads("in", &o.in, readsFile)
			f.reads("data", &o.data.dir, readsData)
			f.writes("out", &o.out, writesFile)
			return func(ctx context.Context, e env, _ []string) error { return o.run(ctx, e) }
		},
	}
}

func (o *importOptions) run(ctx context.Context, e env) error {
	if err := atomicfile.Writable(o.out); err != nil {
		return err
	}
	b, err := readWeightsFile(o.in)
	if err != nil {
		return saved(o.in, err)
	}
	f, err := safetensors.Parse(b)
	if err != nil {
		return fmt.Errorf("%s: %w", o.in, err)
	}
	if err := ours(f); err != nil {
		return fmt.Errorf("%s: %w", o.in, err)
	}
	_, reads := f.Lookup("classes.weight")
	if _, described := f.Meta["net"]; reads || described {
		return o.classifier(e, f)
	}
	m, tensors, err := o.model(f)
	if err != nil {
		return fmt.Errorf("%s: %w", o.in, err)
	}
	return o.finish(ctx, e, m, tensors)
}

// saved returns what is wrong with a file that cannot be read: err, or that it is what
// torch.save writes.
func saved(path string, err error) error {
	f, open := os.Open(path)
	if open != nil {
		return err
	}
	defer f.Close()
	head := make([]byte, 4)
	if _, read := io.ReadFull(f, head); read == nil && string(head) == "PK\x03\x04" {
		return fmt.Errorf("%s is a ZIP archive, as torch.save writes: write the tensors as safetensors, for which docs/interop.md has a function", path)
	}
	return err
}

// ours returns an error if a file is none of PyTorch's: one of this project, whose
// weights lie otherwise.
func ours(f *safetensors.File) error {
	for _, name := range []string{"bank.codes", "encoder.conv1.weight.scale", "conv1.weight.scale"} {
		if _, ok := f.Lookup(name); ok {
			return errors.New("these are weights of this project already: use them as they are, with --weights")
		}
	}
	return nil
}

// model reads the nets of a file.
func (o *importOptions) model(f *safetensors.File) (m nets.Foreign, tensors *safetensors.File, err error) {
	m = nets.Foreign{Centers: o.centers, Seed: o.seed, Float: o.float, Nets: latent.Digits()}
	texts, some := o.nets, false
	for i, key := range netKeys {
		if texts[i] == "" {
			texts[i] = f.Meta[key]
		}
		some = some || texts[i] != ""
	}
	if some {
		if m.Nets, err = latent.Parse(texts[0], texts[1], texts[2], texts[3]); err != nil {
			return m, nil, err
		}
	}
	all := m.Nets.All()
	d, err := o.distance(f, m.Nets.F.Out().Size(), &m)
	if err != nil {
		return m, nil, err
	}
	if d != nil {
		all = append(all, d)
	}
	if tensors, err = torch.Read(f, all...); err != nil {
		return m, nil, err
	}
	if m.Flows, err = o.flows(f, &m); err != nil {
		return m, nil, err
	}
	image := m.Nets.F.In()
	m.About = map[string]any{"training": map[string]any{"imported": true}}
	if image != latent.Digit {
		m.About["training"] = o.pictures(image)
	}
	return m, tensors, nil
}

// pictures are the settings by which a folder of pictures is read again for nets of
// images of that shape.
func (o *importOptions) pictures(image nn.Shape) unet.Config {
	return unet.Config{Side: image.H, Gray: image.C == 1, Share: unet.Default().Share, Seed: o.seed}
}

// distance returns D as the file has it; nil where it has none.
func (o *importOptions) distance(f *safetensors.File, dim int, m *nets.Foreign) (*nn.Net, error) {
	var widths []int
	for {
		t, ok := f.Lookup(fmt.Sprintf("distance.%d.weight", len(widths)))
		if !ok {
			break
		}
		if len(t.Shape) != 2 || t.Shape[0] < 1 || t.Shape[0] > nn.MaxWidth {
			return nil, fmt.Errorf("tensor %q has the shape %v; want [out, in] of nn.Linear, out at most %d", t.Name, t.Shape, nn.MaxWidth)
		}
		widths = append(widths, t.Shape[0])
	}
	if len(widths) == 0 {
		return nil, nil
	}
	last := len(widths) - 1
	if widths[last] != 1 {
		return nil, fmt.Errorf("tensor distance.%d.weight has %d rows; the last layer of D has one", last, widths[last])
	}
	m.Activation = o.activation
	if was, ok := f.Meta["distance.activation"]; ok && !o.chosen.given {
		m.Activation = nn.Activation(was)
	}
	if m.Activation != nn.SiLU && m.Activation != nn.ReLU {
		return nil, fmt.Errorf("metadata: distance.activation is %q; want %q or %q", m.Activation, nn.SiLU, nn.ReLU)
	}
	return latent.Distance(dim, widths[:last], m.Activation)
}

// flows are those of the command line, of the file, or of the project's own training.
func (o *importOptions) flows(f *safetensors.File, m *nets.Foreign) (map[string]latent.Preset, error) {
	flows := nets.Presets(m.Activation != "")
	if len(m.Nets.Skips()) > 0 {
		flows = unet.Presets(m.Activation != "", m.Nets.L != nil)
	}
	given := map[string]string{}
	for key, text := range f.Meta {
		if name, ok := strings.CutPrefix(key, "flow."); ok {
			given[name] = text
		}
	}
	if o.restore != "" {
		given["restore"] = o.restore
	}
	if o.generate != "" {
		given["generate"] = o.generate
	}
	for name, text := range given {
		var p latent.Preset
		d := json.NewDecoder(strings.NewReader(text))
		d.DisallowUnknownFields()
		if err := d.Decode(&p); err != nil {
			return nil, fmt.Errorf("the flow %s: %s is no flow: %w", name, text, err)
		}
		if err := p.Validate(); err != nil {
			return nil, fmt.Errorf("the flow %s: %w", name, err)
		}
		flows[name] = p
	}
	return flows, nil
}

// reader returns what reads the data of nets for images of a shape.
func (o *importOptions) reader(e env, image nn.Shape) (func(context.Context, string) (*dataset.Set, error), error) {
	switch {
	case image == latent.Digit:
		return dataset.Open, nil
	case image.H != image.W || image.C != 1 && image.C != 3:
		return nil, fmt.Errorf("the nets take images of %v: data is read for squares in gray or in color", image)
	case o.data.dir == "":
		return nil, usagef("--data is missing: the nets take images of %v, and MNIST has none", image)
	}
	return picturesOf(e, o.pictures(image).Pictures(), o.quiet), nil
}

// finish makes the code bank, scores the weights and writes them.
func (o *importOptions) finish(ctx context.Context, e env, m nets.Foreign, tensors *safetensors.File) error {
	read, err := o.reader(e, m.Nets.F.In())
	if err != nil {
		return err
	}
	set, err := o.data.open(ctx, e.stderr, read)
	if err != nil {
		return err
	}
	shrink(e.stderr, set.Train.N, []*flagDef{o.bank}, fitting{"centers", "the code bank has %d centers", &m.Centers})
	out, err := m.Weights(ctx, tensors, set)
	if err != nil {
		return err
	}
	if _, err := latent.New(out); err != nil { // before anything is written
		return fmt.Errorf("%s: %w", o.in, err)
	}
	noise := digitNoise
	if m.Nets.F.In() != latent.Digit {
		noise = pictureNoise
	}
	b, err := writeScored(ctx, o.out, out, set, noise, progressOf(e, o.quiet))
	if err != nil || o.quiet {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "imported to %s (%s)\n", o.out, size(len(b)))
	return err
}

// classifier imports a classifier, whose classes may have their names in the metadata.
func (o *importOptions) classifier(e env, f *safetensors.File) error {
	net, err := classifierNet(f)
	if err != nil {
		return fmt.Errorf("%s: %w", o.in, err)
	}
	tensors, err := torch.Read(f, net)
	if err != nil {
		return fmt.Errorf("%s: %w", o.in, err)
	}
	if net, tensors, err = net.Fold(tensors); err != nil {
		return fmt.Errorf("%s: %w", o.in, err)
	}
	out := &safetensors.File{Meta: map[string]string{}}
	if err := classifier.Describe(out.Meta, net); err != nil {
		return err
	}
	names, err := metadata.Classes(f.Meta)
	if err != nil {
		return fmt.Errorf("%s: %w", o.in, err)
	}
	if err := metadata.SetClasses(out.Meta, names); err != nil {
		return err
	}
	for _, t := range tensors.Tensors {
		data, err := tensors.Float32(t.Name, t.Shape...)
		if err != nil {
			return fmt.Errorf("%s: %w", o.in, err)
		}
		add := out.AddInt8
		if o.float || len(t.Shape) == 1 {
			add = out.AddFloat32
		}
		if err := add(t.Name, data, t.Shape...); err != nil {
			return fmt.Errorf("%s: %w", o.in, err)
		}
	}
	if _, err := classifier.New(out); err != nil {
		return fmt.Errorf("%s: %w", o.in, err)
	}
	b, err := encodeWeights(out, o.out)
	if err != nil || o.quiet {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "imported to %s (%s)\n", o.out, size(len(b)))
	return err
}

// classifierNet is the net that a file describes, or that for digits with as many classes
// as the file has.
func classifierNet(f *safetensors.File) (*nn.Net, error) {
	if text, ok := f.Meta["net"]; ok {
		net, err := nn.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("metadata: net: %w", err)
		}
		return net, nil
	}
	t, _ := f.Lookup("classes.weight")
	if len(t.Shape) != 2 || t.Shape[0] < 2 || t.Shape[0] > dataset.MaxClasses {
		return nil, fmt.Errorf("tensor %q has the shape %v; want [classes, %d] of nn.Linear, 2 to %d classes", t.Name, t.Shape, classifier.Width, dataset.MaxClasses)
	}
	return classifier.Net(classifier.Digits.In(), t.Shape[0])
}
