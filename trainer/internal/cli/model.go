package cli

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"mppm/shared/fault"
	"mppm/shared/latent"
	"mppm/shared/link"
	"mppm/shared/nn"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/bounded"
	"mppm/trainer/internal/sniff"
	"mppm/weights"
)

// maxWeights bounds the size of a weights file: far above any the nets can make.
const maxWeights = 1 << 30

// The methods that restore and generate.
const (
	methodLMPPM = "lmppm" // the model of Sec. 4.2
	methodDAE   = "dae"   // a denoising autoencoder, which has no distance net
	methodLDM   = "ldm"   // diffusion in the latent space of one
)

// methods are the ways to restore and to generate; the first is the default.
var methods = []string{methodLMPPM, methodDAE, methodLDM}

// method adds the flag that chooses one of them.
func (f *flagSet) method(p *string, help string) {
	choice(f, p, "method", "NAME", help+": "+strings.Join(methods, ", "), methods)
}

// readWeights returns the bytes of the weights file at path, or of the embedded
// one for no path, and how to call it in messages.
func readWeights(path string) (b []byte, name string, err error) {
	return readWeightsOf(methodLMPPM, path)
}

// faces are the embedded weights for pictures, by the name that stands for a file and by
// the method. A file of that name goes first.
var faces = map[string]map[string][]byte{
	"faces": {methodLMPPM: weights.Faces, methodDAE: weights.FacesDAE, methodLDM: weights.FacesLDM},
	"drawn": {methodLMPPM: weights.Drawn, methodDAE: weights.DrawnDAE, methodLDM: weights.DrawnLDM},
}

// readWeightsOf is readWeights with the embedded weights of a method.
func readWeightsOf(method, path string) (b []byte, name string, err error) {
	if path == "" {
		switch method {
		case methodDAE:
			b = weights.DAE
		case methodLDM:
			b = weights.LDM
		default:
			b = weights.MNIST
		}
		if len(b) == 0 {
			return nil, "", fmt.Errorf("this build has no weights in it: train some (%s help train), and give them with --weights", program)
		}
		return b, "the embedded weights", nil
	}
	if of, ok := faces[path]; ok {
		if _, err := os.Stat(path); err != nil {
			return of[method], "the embedded weights of " + path, nil
		}
	}
	b, err = readWeightsFile(path)
	return b, path, err
}

func readWeightsFile(path string) ([]byte, error) {
	b, err := bounded.ReadFile(path, maxWeights, func(head []byte) error {
		// A safetensors file has JSON after the eight bytes of its length, which may
		// be what some other format begins with.
		if len(head) < 9 || head[8] != '{' {
			if err := sniff.Refuse("this", head, "a weights file"); err != nil {
				return err
			}
		}
		return safetensors.CheckStart(head)
	})
	if err != nil {
		err = fmt.Errorf("cannot read the weights: %w", err)
	}
	return b, err
}

// loadModelOf reads the weights of a method, LMPPM or DAE, for digits, and refuses those
// of the other.
func loadModelOf(method, path string) (*latent.Model, error) {
	m, name, err := loadAnyModelOf(method, path)
	if err == nil && m.Image() != latent.Digit {
		return nil, notDigits(name, m.Image())
	}
	return m, err
}

// loadAnyModelOf is loadModelOf for images of any shape. name is how to call the weights.
func loadAnyModelOf(method, path string) (m *latent.Model, name string, err error) {
	b, name, err := readWeightsOf(method, path)
	if err != nil {
		return nil, name, err
	}
	m, err = latent.Load(b)
	switch {
	case err != nil:
		return nil, name, notLoaded(name, err)
	case method == methodDAE && m.HasDistance():
		return nil, name, fmt.Errorf("%s: they have a distance net, so they are not of a denoising autoencoder: leave out --method %s", name, method)
	case method == methodLMPPM && !m.HasDistance():
		return nil, name, fmt.Errorf("%s: they have no distance net, so they are of a denoising autoencoder: give --method %s", name, methodDAE)
	}
	return m, name, nil
}

// notLoaded is the error for weights that cannot be loaded: of those that are of another
// kind it says how to find out of which.
func notLoaded(name string, err error) error {
	if errors.Is(err, fault.ErrKind) {
		return fmt.Errorf("%s: %w: `%s info FILE` says what is in a file", name, err, program)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// notDigits is the error for weights of other images.
func notDigits(name string, image nn.Shape) error {
	return fmt.Errorf("%s: they are of images of %v, and this command reads and writes digits of %v: give weights of those", name, image, latent.Digit)
}

// presets returns the names of a model's flows, or nil where it cannot be read.
func presets(method, path string) []string {
	m, err := loadPicturesOf(method, path)
	if err != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(m.Presets))
}

// flowFlags are the flags that change a flow's parameters.
type flowFlags struct {
	preset string
	name   *flagDef // of the preset
	list   []*flowFlag
}

// flowFlag is the flag of one of them.
type flowFlag struct {
	*flagDef
	parameter link.Parameter
	number    float64
	whole     int // of link.Steps and Rounds, in place of the number
}

func (v *flowFlag) value() float64 { return v.number + float64(v.whole) }

// flow adds the flags of a flow. preset names the one that is the default, and
// noise says whether it starts from noise, and not from an image.
func (f *flagSet) flow(preset string, noise bool) *flowFlags {
	v := new(flowFlags)
	f.group = "the flow (each default is the preset's)"
	v.name = f.text(&v.preset, "preset", "NAME", "take the parameters that the weights file has under this name (default "+preset+")")
	for _, d := range link.Flags() {
		switch d.Parameter {
		case link.Noise:
			if !noise {
				continue
			}
		case link.Rounds, link.Trust, link.Local, link.Keep:
			if noise {
				continue
			}
		}
		one := &flowFlag{parameter: d.Parameter}
		if d.Parameter == link.Steps || d.Parameter == link.Rounds {
			one.flagDef = f.integer(&one.whole, string(d.Parameter), "N", d.About, int(d.Least), int(d.Most))
		} else {
			one.flagDef = f.number(&one.number, string(d.Parameter), "X", d.About, d.Least, d.Most)
		}
		one.initial = ""
		v.list = append(v.list, one)
	}
	f.group = ""
	return v
}

// check finds what is wrong with the flags whatever the preset is, before
// anything is read.
func (v *flowFlags) check(method string) error {
	defs := []*flagDef{v.name}
	said := map[link.Parameter]float64{}
	for _, one := range v.list {
		defs = append(defs, one.flagDef)
		said[one.parameter] = one.value()
		if one.given && one.parameter == link.Sigma && float32(one.number) == 0 {
			return usagef("--sigma is 0: the kernel needs a width")
		}
	}
	if i := slices.IndexFunc(defs, func(d *flagDef) bool { return d.given }); i >= 0 && method == methodLDM {
		return usagef("--%s is of the flow, and --method %s has none: leave it out", defs[i].name, method)
	}
	if alpha, beta := said[link.Alpha], said[link.Beta]; alpha+beta >= 1 {
		return usagef("α+β is %g (--alpha %g, --beta %g): it has to be less than 1", alpha+beta, alpha, beta)
	}
	return nil
}

// apply returns the flow that the flags ask of a model whose default is preset.
func (v *flowFlags) apply(m *latent.Model, preset string) (latent.Preset, error) {
	if v.preset != "" {
		preset = v.preset
	}
	p, ok := m.Presets[preset]
	if !ok {
		names := slices.Sorted(maps.Keys(m.Presets))
		return p, usagef("the weights have no preset %q, only %s%s", preset, strings.Join(names, ", "), suggest(preset, names, ""))
	}
	for _, one := range v.list {
		if one.given {
			p = link.With(p, one.parameter, one.value())
		}
	}
	if err := p.Validate(); err != nil {
		return p, usagef("%w (from the preset %q and the flags)", err, preset)
	}
	return p, nil
}

// describeFlow names a flow's parameters, for a person.
func describeFlow(p latent.Preset) string {
	s := fmt.Sprintf("α %g, β %g, σ %g, τ %g, %d steps", p.Alpha, p.Beta, p.Sigma, p.Tau, p.Steps)
	if p.Tolerance > 0 {
		s += fmt.Sprintf(", tolerance %g", p.Tolerance)
	}
	if p.Rounds > 1 {
		s += fmt.Sprintf(", %d rounds", p.Rounds)
	}
	if p.Trust > 0 {
		s += fmt.Sprintf(", trust %g", p.Trust)
	}
	if p.Local > 0 {
		s += fmt.Sprintf(", local trust %g", p.Local)
	}
	if p.Keep > 0 {
		s += fmt.Sprintf(", pixels kept up to %g", p.Keep)
	}
	if p.Noise > 0 {
		s += fmt.Sprintf(", noise %g", p.Noise)
	}
	return s
}
