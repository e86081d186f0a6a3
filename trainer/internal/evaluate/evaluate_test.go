package evaluate

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"mppm/shared/classifier"
	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/infer"
	"mppm/weights"
)

func TestInterval(t *testing.T) {
	got := interval([]float64{1, 2, 3, 4})
	// The standard deviation of 1, 2, 3, 4 is √(5/3).
	if want := 1.96 * math.Sqrt(5.0/3/4); got.Mean != 2.5 || math.Abs(got.Half-want) > 1e-12 {
		t.Errorf("interval = %+v, want 2.5 ± %v", got, want)
	}
	if got := interval([]float64{7}); got != (Interval{Mean: 7}) {
		t.Errorf("interval of one number is %+v", got)
	}
}

func TestColumns(t *testing.T) {
	var names []string
	for _, c := range Columns(degrade.Kinds()) {
		if err := c.Validate(); err != nil {
			t.Error(err)
		}
		names = append(names, c.String())
	}
	const want = "gaussian=0.7 gaussian=0.85 elastic=2.3 elastic=1.8 downsample=0.5 downsample=0.35 missing=0.04 missing=0.1 scribble=6 scribble=22 sharpen=8 sharpen=18"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("columns are %s, want those of Table 6: %s", got, want)
	}
	for column := range paper {
		if !strings.Contains(want, column) {
			t.Errorf("the paper's figures for %s stand beside no column", column)
		}
	}
}

// TestRun fills a small table from real digits, and holds it to what is known:
// the input is what it is, restoring helps where there is noise, and a method
// that returns the clean digits is perfect.
func TestRun(t *testing.T) {
	ctx := context.Background()
	set, err := dataset.Load(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	m, err := latent.Load(weights.MNIST)
	if err != nil {
		t.Fatal(err)
	}
	c, err := classifier.Load(weights.Classifier)
	if err != nil {
		t.Fatal(err)
	}
	j, err := NewJudge(ctx, c, set.Train.Images[:3000*latent.DigitPixels])
	if err != nil {
		t.Fatal(err)
	}
	const n = 300
	images, labels := set.Test.Images[:n*latent.DigitPixels], set.Test.Labels[:n]
	noise := degrade.Degradation{Kind: degrade.Gaussian, Severity: 0.7}
	methods := []Method{
		{"flow", func(ctx context.Context, d degrade.Degradation, x []byte) (*infer.Restored, error) {
			return infer.Restore(ctx, m, m.Restore, &d, x, infer.Options{Seed: 3})
		}},
		{"oracle", func(ctx context.Context, d degrade.Degradation, x []byte) (*infer.Restored, error) {
			r, err := infer.Restore(ctx, m, m.Restore, &d, x, infer.Options{Seed: 3})
			if err == nil {
				r.Pixels = x
				for i := range r.Output {
					r.Output[i] = infer.Score{SSIM: 1, PSNR: math.Inf(1)}
				}
			}
			return r, err
		}},
	}
	cells := 0
	table, err := Run(ctx, j, methods, []degrade.Degradation{noise}, images, labels, 3, func(string, string) { cells++ })
	if err != nil {
		t.Fatal(err)
	}
	if cells != 2 || len(table.Rows) != 3 {
		t.Fatalf("%d cells, %d rows; want 2 and, with the input, 3", cells, len(table.Rows))
	}
	input, flow, oracle := table.Rows[0].Cells[0], table.Rows[1].Cells[0], table.Rows[2].Cells[0]
	if !(input.SSIM.Mean < flow.SSIM.Mean && flow.SSIM.Mean < 1) {
		t.Errorf("SSIM of the input %.3f, restored %.3f", input.SSIM.Mean, flow.SSIM.Mean)
	}
	if !(oracle.Distance < flow.Distance && flow.Distance < input.Distance/2) {
		t.Errorf("FD of the clean digits %.1f, restored %.1f, damaged %.1f", oracle.Distance, flow.Distance, input.Distance)
	}
	if oracle != (Cell{SSIM: Interval{Mean: 1}, PSNR: oracle.PSNR, Distance: table.Floor.Distance, Classes: table.Floor.Classes, Accuracy: table.Floor.Accuracy}) {
		t.Errorf("the clean digits score %+v, the floor is %+v", oracle, table.Floor)
	}
	if oracle.Accuracy.Mean < 0.98 || flow.Accuracy.Mean < 0.8 {
		t.Errorf("clean digits are read right at %.3f, restored ones at %.3f", oracle.Accuracy.Mean, flow.Accuracy.Mean)
	}
	var md, comma bytes.Buffer
	if err := table.Markdown(&md); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(md.String(), "### gaussian=0.7") || !strings.Contains(md.String(), "| oracle | **1.0000** ± 0.0000 |") {
		t.Errorf("Markdown:\n%s", md.String())
	}
	if err := table.CSV(&comma); err != nil {
		t.Fatal(err)
	}
	if rows, err := csv.NewReader(&comma).ReadAll(); err != nil || len(rows) != 4 {
		t.Errorf("CSV has %d lines, want 4 (%v)", len(rows), err)
	}
	table.Rows = table.Rows[:2] // JSON has no infinity
	if _, err := json.Marshal(table); err != nil {
		t.Error(err)
	}
}

// TestGrow: a copy of the training set is found out, and so is a collapse.
func TestGrow(t *testing.T) {
	ctx := context.Background()
	set, err := dataset.Load(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	c, err := classifier.Load(weights.Classifier)
	if err != nil {
		t.Fatal(err)
	}
	set.Train.N = 2000
	set.Train.Images = set.Train.Images[:2000*latent.DigitPixels]
	j, err := NewJudge(ctx, c, set.Train.Images)
	if err != nil {
		t.Fatal(err)
	}
	one := bytes.Repeat(set.Test.Image(0), 100)
	for i := range one { // alike, not equal
		one[i] ^= byte(i*7/latent.DigitPixels) & 3
	}
	all, err := Grow(ctx, j, &set.Train, []Set{
		{"real", set.Test.Images[5000*latent.DigitPixels : 5300*latent.DigitPixels]},
		{"copies", set.Train.Images[:300*latent.DigitPixels]},
		{"one digit", one},
	}, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	real, copies, same := all[0], all[1], all[2]
	if real.Nearest.Mean < 2 || copies.Nearest.Mean != 0 {
		t.Errorf("real digits are %.2f from the nearest training digit, copies %.2f", real.Nearest.Mean, copies.Nearest.Mean)
	}
	if real.Entropy < 0.9 || same.Entropy > 0.1 || same.Distance < 2*real.Distance {
		t.Errorf("entropy of real digits %.3f, of one digit %.3f; FD %.1f and %.1f", real.Entropy, same.Entropy, real.Distance, same.Distance)
	}
	if same.Apart.Mean > real.Apart.Mean/4 {
		t.Errorf("real digits are %.2f apart, copies of one %.2f", real.Apart.Mean, same.Apart.Mean)
	}
	var b bytes.Buffer
	if err := GrownMarkdown(&b, all); err != nil || strings.Count(b.String(), "\n") != 5 {
		t.Errorf("%v:\n%s", err, b.String())
	}
}
