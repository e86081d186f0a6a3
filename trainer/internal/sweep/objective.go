package sweep

import (
	"cmp"
	"math"

	"mppm/shared/latent"
)

// Objective is what one preset is chosen by.
type Objective struct {
	Preset string
	Task   Task
	Says   string // the objective in words
	admits func(p latent.Preset) bool
	score  func(y *yardstick, t *Trial) Score
}

// Score is how well a trial meets an objective. Less is better: first what it
// violates, then its value.
type Score struct {
	Violation float64 `json:"violation"`
	Value     float64 `json:"value"`
}

func (a Score) compare(b Score) int {
	return cmp.Or(cmp.Compare(a.Violation, b.Violation), cmp.Compare(a.Value, b.Value))
}

// yardstick is what a trial is measured by: the baselines on as many digits,
// for a Fréchet distance of few digits is larger than one of many.
type yardstick struct {
	severe  []bool // by column
	dae     []Cell
	decoded *Grown
}

// Units of violation: what counts as much as what.
const (
	unitSSIM     = 0.01
	unitAccuracy = 0.01
	unitDistance = 0.1 // of the logarithm of a ratio of distances
	unitApart    = 0.01
	unitShare    = 0.01
)

// Bounds on what is restored and grown.
const (
	severeRatio = 0.35 // of the distance to the autoencoder's on severe damage
	leastApart  = 0.95 // of the distance between grown digits to that between decoded real ones
	leastShare  = 0.05 // of each class of grown digits
	mostShare   = 0.16
)

var objectives = []Objective{
	{
		Preset: "restore", Task: Restore,
		Says: "as faithful as the autoencoder and far nearer to real digits: SSIM and accuracy no lower than its in any column; the Fréchet distance at most 0.35 of its in the severe columns (but not below that of clean digits, encoded and decoded), and no higher in the mild ones. Of the flows that do so the one with the highest mean SSIM; if none does, the one that violates least, where 0.01 of SSIM, 0.01 of accuracy and 10 % of distance count alike",
		score: func(y *yardstick, t *Trial) Score {
			var s Score
			for i, c := range t.Cells {
				d := y.dae[i]
				goal := d.Distance
				if y.severe[i] {
					goal = min(goal, max(severeRatio*goal, y.decoded.Distance))
				}
				s.Violation += above(d.SSIM-c.SSIM, unitSSIM) + above(d.Accuracy-c.Accuracy, unitAccuracy) + above(math.Log(c.Distance/goal), unitDistance)
			}
			s.Value = -meanSSIM(t.Cells)
			return s
		},
	},
	{
		Preset: "sharp", Task: Restore,
		Says:   "nearest to real digits: the lowest mean logarithm of the ratio of Fréchet distances to the autoencoder's, over the severe columns, of the flows without a gate (τ = 0, β > 0), so that α = 0 is the paper's ablation",
		admits: func(p latent.Preset) bool { return p.Tau == 0 && p.Beta > 0 },
		score: func(y *yardstick, t *Trial) Score {
			return Score{Value: y.logRatio(t.Cells, true)}
		},
	},
	{
		Preset: "faithful", Task: Restore,
		Says: "nearest to what was there: SSIM no lower and Fréchet distance no higher than the autoencoder's in any column. Of the flows that do so the one with the highest mean SSIM; if none does, the one that violates least, where 0.01 of SSIM and 10 % of distance count alike",
		score: func(y *yardstick, t *Trial) Score {
			var s Score
			for i, c := range t.Cells {
				d := y.dae[i]
				s.Violation += above(d.SSIM-c.SSIM, unitSSIM) + above(math.Log(c.Distance/d.Distance), unitDistance)
			}
			s.Value = -meanSSIM(t.Cells)
			return s
		},
	},
	{
		Preset: "generate", Task: Generate,
		Says: "the lowest Fréchet distance of digits from noise that are diverse: the median distance to the nearest other at least 0.95 of that of decoded held-out digits, and each class 5 to 16 % of all. If no flow does so, the one that violates least, where 1 % of distance and 1 % of share count alike",
		score: func(y *yardstick, t *Trial) Score {
			g := t.Grown
			return Score{
				Violation: above(leastApart-g.Apart/y.decoded.Apart, unitApart) + above(leastShare-g.Least, unitShare) + above(g.Most-mostShare, unitShare),
				Value:     g.Distance,
			}
		},
	},
}

// above is how many units x is above 0.
func above(x, unit float64) float64 { return max(x, 0) / unit }

func meanSSIM(cells []Cell) float64 {
	var sum float64
	for _, c := range cells {
		sum += c.SSIM
	}
	return sum / float64(len(cells))
}

// logRatio is the mean logarithm of the ratios of distances to the
// autoencoder's, over the severe columns or all.
func (y *yardstick) logRatio(cells []Cell, severe bool) float64 {
	var sum float64
	n := 0
	for i, c := range cells {
		if y.severe[i] || !severe {
			sum += math.Log(c.Distance / y.dae[i].Distance)
			n++
		}
	}
	return sum / float64(n)
}

// takes reports whether a trial of the flow p may win. One with α = 0 is an
// ablation of restoration, and is not for choice.
func (o *Objective) takes(t Task, p latent.Preset) bool {
	return o.Task == t && (t != Restore || p.Alpha > 0) && (o.admits == nil || o.admits(p))
}
