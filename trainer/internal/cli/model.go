package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"mppm/shared/flow"
	"mppm/shared/latent"
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

// loadModelOf reads the weights of a method, LMPPM or DAE, and refuses those of
// the other.
func loadModelOf(method, path string) (*latent.Model, error) {
	b, name, err := readWeightsOf(method, path)
	if err != nil {
		return nil, err
	}
	m, err := latent.Load(b)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	case method == methodDAE && m.HasDistance():
		return nil, fmt.Errorf("%s: they have a distance net, so they are not of a denoising autoencoder: leave out --method %s", name, method)
	case method == methodLMPPM && !m.HasDistance():
		return nil, fmt.Errorf("%s: they have no distance net, so they are of a denoising autoencoder: give --method %s", name, methodDAE)
	}
	return m, nil
}

// presets returns the names of a model's flows, or nil where it cannot be read.
func presets(method, path string) []string {
	m, err := loadModelOf(method, path)
	if err != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(m.Presets))
}

// flowFlags are the flags that change a flow's parameters.
type flowFlags struct {
	preset                                    string
	alpha, beta, sigma, tau, tolerance, noise float64
	steps                                     int
	name                                      *flagDef // of the preset
	defs                                      []*flagDef
	change                                    []func(*latent.Preset) // what each of defs does, if it is given
}

// flow adds the flags of a flow. preset names the one that is the default, and
// noise says whether it starts from noise.
func (f *flagSet) flow(preset string, noise bool) *flowFlags {
	v := new(flowFlags)
	f.group = "the flow (each default is the preset's)"
	keep := func(d *flagDef, change func(*latent.Preset)) {
		d.initial = ""
		v.defs = append(v.defs, d)
		v.change = append(v.change, change)
	}
	v.name = f.text(&v.preset, "preset", "NAME", "take the parameters that the weights file has under this name (default "+preset+")")
	const most = 1e6
	keep(f.number(&v.alpha, "alpha", "X", "α: share of the distance that a step undoes; α+β < 1", 0, most),
		func(p *latent.Preset) { p.Alpha = float32(v.alpha) })
	keep(f.number(&v.beta, "beta", "X", "β: weight of the kernel mean", 0, most),
		func(p *latent.Preset) { p.Beta = float32(v.beta) })
	keep(f.number(&v.sigma, "sigma", "X", "σ: width of the kernel, in units of the codes' spacing", 0, most),
		func(p *latent.Preset) { p.Sigma = float32(v.sigma) })
	keep(f.number(&v.tau, "tau", "X", "τ: distance at which the kernel counts half, in the same units; 0: it always counts in full", 0, most),
		func(p *latent.Preset) { p.Tau = float32(v.tau) })
	keep(f.integer(&v.steps, "steps", "N", "steps at most", 0, flow.MaxSteps),
		func(p *latent.Preset) { p.Steps = v.steps })
	keep(f.number(&v.tolerance, "tolerance", "X", "stop where a step is no longer than this, in the same units; 0: never", 0, most),
		func(p *latent.Preset) { p.Tolerance = float32(v.tolerance) })
	if noise {
		keep(f.number(&v.noise, "noise", "X", "spread of the starts, in multiples of the codes' own", 0, most),
			func(p *latent.Preset) { p.Noise = float32(v.noise) })
	}
	f.group = ""
	return v
}

// check finds what is wrong with the flags whatever the preset is, before
// anything is read.
func (v *flowFlags) check(method string) error {
	if method == methodLDM {
		for _, d := range append(v.defs, v.name) {
			if d.given {
				return usagef("--%s is of the flow, and --method %s has none: leave it out", d.name, method)
			}
		}
	}
	for _, d := range v.defs {
		if d.given && d.name == "sigma" && float32(v.sigma) == 0 {
			return usagef("--sigma is 0: the kernel needs a width")
		}
	}
	if v.alpha+v.beta >= 1 {
		return usagef("α+β is %g (--alpha %g, --beta %g): it has to be less than 1", v.alpha+v.beta, v.alpha, v.beta)
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
	for i, d := range v.defs {
		if d.given {
			v.change[i](&p)
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
	if p.Noise > 0 {
		s += fmt.Sprintf(", noise %g", p.Noise)
	}
	return s
}
