package latent

import "mppm/shared/metadata"

// parsePreset reads a flow as files have it: a JSON object of numbers. Members of
// other names are left out.
func parsePreset(text string) (Preset, error) {
	var p Preset
	err := metadata.Numbers(text, map[string]any{
		"alpha": &p.Alpha, "beta": &p.Beta, "sigma": &p.Sigma, "start": &p.Start,
		"tau": &p.Tau, "steps": &p.Steps, "tolerance": &p.Tolerance, "noise": &p.Noise,
		"rounds": &p.Rounds, "trust": &p.Trust, "local": &p.Local, "keep": &p.Keep,
	})
	return p, err
}
