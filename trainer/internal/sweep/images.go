package sweep

import (
	"context"
	"fmt"
	"math"

	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/trainer/internal/evaluate"
	"mppm/trainer/internal/infer"
)

// ImageTrial is a flow by which pictures were restored.
type ImageTrial struct {
	Preset latent.Preset `json:"preset"`
	// Loss is the mean over the columns of log(FD of the flow / FD of the reference), and
	// Short times what SSIM falls short of the reference's by more than Slack.
	Loss float64   `json:"loss"`
	SSIM []float64 `json:"ssim"` // of each column
	FD   []float64 `json:"fd"`
}

// What a loss of SSIM counts, and how much of one does not.
const (
	Short = 8
	Slack = 0.02
)

// imageAxes are the parameters of a flow that ImageFlows tries, one after the other, and
// their values.
var imageAxes = []struct {
	values []float64
	set    func(p *latent.Preset, v float64)
}{
	{[]float64{0, 0.01, 0.02, 0.04, 0.08}, func(p *latent.Preset, v float64) { p.Keep = float32(v) }},
	{[]float64{0, 0.03, 0.06, 0.12, 0.25, 0.5}, func(p *latent.Preset, v float64) { p.Local = float32(v) }},
	{[]float64{0, 0.1, 0.2, 0.35, 0.5, 0.8, 1.3, 2.5}, func(p *latent.Preset, v float64) { p.Trust = float32(v) }},
	{[]float64{1, 2, 3, 5}, func(p *latent.Preset, v float64) { p.Steps = int(v) }},
	{[]float64{0, 0.3, 0.6, 0.8}, func(p *latent.Preset, v float64) { p.Alpha = float32(v) }},
	{[]float64{1, 2, 3}, func(p *latent.Preset, v float64) { p.Rounds = int(v) }},
	{[]float64{0, 0.05, 0.1}, func(p *latent.Preset, v float64) { p.Beta = float32(v) }},
}

// ImageFlows looks for the flow by which a model restores pictures best: from its own on,
// along one parameter after the other, twice. Losses are measured against a reference, the
// denoising autoencoder if there is one, or the pictures as they were damaged. tried is
// told of every flow. It returns the trials, the best first, and of ctx's error what was
// tried until then.
func ImageFlows(ctx context.Context, j *evaluate.ImageJudge, m *latent.Model, dae *evaluate.Method, columns []degrade.Degradation, clean []byte, seed uint64, tried func(ImageTrial)) ([]ImageTrial, error) {
	s := &imageSearch{ctx: ctx, judge: j, model: m, columns: columns, clean: clean, seed: seed, tried: tried, known: map[latent.Preset]ImageTrial{}}
	if err := s.refer(dae); err != nil {
		return nil, err
	}
	best, err := s.try(m.Restore)
	if err != nil {
		return nil, err
	}
	for range 2 {
		for _, axis := range imageAxes {
			from := best.Preset
			for _, v := range axis.values {
				p := from
				axis.set(&p, v)
				if p.Validate() != nil || (p.Keep > 0 || p.Local > 0) && !m.HasLocal() {
					continue
				}
				t, err := s.try(p)
				if err != nil {
					return s.all, err
				}
				if t.Loss < best.Loss {
					best = t
				}
			}
		}
	}
	return append([]ImageTrial{best}, s.all...), nil
}

// imageSearch is a search under way.
type imageSearch struct {
	ctx       context.Context
	judge     *evaluate.ImageJudge
	model     *latent.Model
	columns   []degrade.Degradation
	clean     []byte
	seed      uint64
	tried     func(ImageTrial)
	reference evaluate.Row[evaluate.ImageCell]
	known     map[latent.Preset]ImageTrial
	all       []ImageTrial
}

func (s *imageSearch) table(m evaluate.Method) (*evaluate.ImageTable, error) {
	return evaluate.Images(s.ctx, s.judge, []evaluate.Method{m}, s.columns, s.clean, s.seed, func(int, int, []byte) {}, func(string, string) {})
}

// refer scores the reference.
func (s *imageSearch) refer(dae *evaluate.Method) error {
	if dae == nil {
		t, err := s.table(s.method(latent.Preset{Sigma: 1}))
		if err == nil {
			s.reference = t.Rows[0]
		}
		return err
	}
	t, err := s.table(*dae)
	if err == nil {
		s.reference = t.Rows[1]
	}
	return err
}

func (s *imageSearch) method(p latent.Preset) evaluate.Method {
	return evaluate.Method{Name: "flow", Restore: func(ctx context.Context, d degrade.Degradation, images []byte) (*infer.Restored, error) {
		return infer.Restore(ctx, s.model, p, &d, images, infer.Options{Seed: s.seed})
	}}
}

// try scores a flow, unless it was scored before.
func (s *imageSearch) try(p latent.Preset) (ImageTrial, error) {
	if t, ok := s.known[p]; ok {
		return t, nil
	}
	table, err := s.table(s.method(p))
	if err != nil {
		return ImageTrial{}, fmt.Errorf("the flow %+v: %w", p, err)
	}
	t := ImageTrial{Preset: p}
	for i, c := range table.Rows[1].Cells {
		r := s.reference.Cells[i]
		t.SSIM, t.FD = append(t.SSIM, c.SSIM.Mean), append(t.FD, c.In[0].FD.Value)
		t.Loss += math.Log(c.In[0].FD.Value/r.In[0].FD.Value) + Short*max(0, r.SSIM.Mean-Slack-c.SSIM.Mean)
	}
	t.Loss /= float64(len(s.columns))
	s.known[p], s.all = t, append(s.all, t)
	s.tried(t)
	return t, nil
}

// MostImageFlows is how many flows ImageFlows tries at most.
func MostImageFlows() int {
	n := 0
	for _, a := range imageAxes {
		n += len(a.values)
	}
	return 1 + 2*n
}
