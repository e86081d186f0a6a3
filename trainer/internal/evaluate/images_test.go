package evaluate

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"mppm/shared/degrade"
	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/embedding"
	"mppm/trainer/internal/infer"
)

func TestImageColumns(t *testing.T) {
	var names []string
	for _, c := range ImageColumns() {
		if err := c.Validate(); err != nil {
			t.Error(err)
		}
		names = append(names, c.String())
	}
	const want = "gaussian=0.2 gaussian=0.25 gaussian=0.3 downsample=0.5 downsample=0.42 downsample=0.35 missing=0.04 missing=0.08 missing=0.1 scribble=6 scribble=13 scribble=20 sharpen=8 sharpen=10 sharpen=18"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("columns are %s, want %s", got, want)
	}
	cells := paperCells(names)
	if len(cells) != 3*16 {
		t.Errorf("%d of the paper's 48 figures stand beside a column", len(cells))
	}
	for _, c := range cells {
		if c.Method == "DAE" && c.Ratio != 1 || c.Column == "scribble=20" && c.Method == "LMPPM" && math.Abs(c.Ratio-0.357) > 0.001 {
			t.Errorf("%+v", c)
		}
	}
}

// means is an embedding that a test can follow: the mean of each channel of the left and
// the right half.
type means struct{}

func (means) Name() string { return "means" }

func (means) Embed(_ context.Context, s nn.Shape, images []byte) ([]float32, error) {
	var e []float32
	for ; len(images) > 0; images = images[s.Size():] {
		var sum [6]float32
		for i, b := range images[:s.Size()] {
			sum[i%3+3*(i/3%s.W/(s.W/2))] += float32(b) / 255 / float32(s.H*s.W/2)
		}
		e = append(e, sum[:]...)
	}
	return e, nil
}

var shape = nn.Shape{H: 16, W: 16, C: 3}

// waves are smooth pictures.
func waves(n int, seed uint64) []byte {
	var b []byte
	for i := range n {
		r := rng.New(seed, uint64(i))
		phase := [3]float64{7 * r.Float64(), 7 * r.Float64(), 7 * r.Float64()}
		for p := range shape.H * shape.W {
			for k := range 3 {
				b = append(b, byte(127+100*math.Sin(phase[k]+0.2*float64(p%shape.W)+0.1*float64(p/shape.W))))
			}
		}
	}
	return b
}

// damagedBy is a method that gives back what it gets, between the damaged and the clean
// image.
func damagedBy(share float64) func(ctx context.Context, d degrade.Degradation, images []byte) (*infer.Restored, error) {
	return func(ctx context.Context, d degrade.Degradation, images []byte) (*infer.Restored, error) {
		damaged, err := infer.Damage(ctx, d, shape, images, infer.Options{Seed: 5})
		if err != nil {
			return nil, err
		}
		r := &infer.Restored{Pixels: make([]byte, len(images))}
		for i := range damaged {
			r.Pixels[i] = byte(math.Round(share*float64(damaged[i]) + (1-share)*float64(images[i])))
		}
		n := len(images) / shape.Size()
		r.Degraded = slices.Repeat([]infer.Score{{SSIM: 0.3, PSNR: 10}}, n)
		r.Output = slices.Repeat([]infer.Score{{SSIM: 1 - share/2, PSNR: 20}}, n)
		return r, nil
	}
}

// TestImages: what is nearer to the clean images has the smaller distance, and its ratio
// to the baseline with an interval says so; the clean images themselves are at 0; more
// damage is farther.
func TestImages(t *testing.T) {
	clean := waves(40, 1)
	train := &dataset.Split{N: 60, Shape: shape, Images: waves(60, 2)}
	embedded := 0
	j, err := NewImageJudge(t.Context(), []embedding.Embedding{means{}}, shape, clean, train, 5, func(n int) { embedded += n })
	if err != nil {
		t.Fatal(err)
	}
	if embedded != 100 {
		t.Errorf("progress of %d images, want 100", embedded)
	}
	methods := []Method{{"half", damagedBy(0.5)}, {Baseline, damagedBy(0.9)}, {"oracle", damagedBy(0)}}
	columns := []degrade.Degradation{{Kind: degrade.Missing, Severity: 0.1}, {Kind: degrade.Missing, Severity: 0.4}}
	cells, seen := 0, map[[2]int]bool{}
	table, err := Images(t.Context(), j, methods, columns, clean, 5, func(row, column int, pixels []byte) {
		seen[[2]int{row, column}] = len(pixels) == len(clean)
		if row == 3 && !bytes.Equal(pixels, clean) {
			t.Error("the oracle's images are not the clean ones")
		}
	}, func(string, string) { cells++ })
	if err != nil {
		t.Fatal(err)
	}
	if cells != 6 || len(seen) != 8 || len(table.Rows) != 4 || table.Rows[0].Method != untouched {
		t.Fatalf("%d cells, %d seen, %d rows", cells, len(seen), len(table.Rows))
	}
	at := func(row, column int) Judgement { return table.Rows[row].Cells[column].In[0] }
	if at(3, 0).FD.Value > 1e-6 || math.Abs(at(3, 0).Training-table.Embeddings[0].Floor) > 1e-9 {
		t.Errorf("the clean images are %+v away, and have a floor of %v", at(3, 0), table.Embeddings[0].Floor)
	}
	for c := range columns {
		if !(at(1, c).FD.Value < at(2, c).FD.Value && at(2, c).FD.Value < at(0, c).FD.Value) {
			t.Errorf("%s: FD of half the damage %v, of most %v, of all %v", table.Columns[c], at(1, c).FD.Value, at(2, c).FD.Value, at(0, c).FD.Value)
		}
		r := at(1, c).Ratio
		if r == nil || !(r.Low <= r.Value && r.Value <= r.High && r.High < 1) || at(2, c).Ratio.Value != 1 {
			t.Errorf("%s: the ratio of half the damage is %+v", table.Columns[c], r)
		}
		if d := at(1, c).FD; !(d.Low < d.Value && d.Value < d.High) {
			t.Errorf("%s: the interval of %v is %v to %v", table.Columns[c], d.Value, d.Low, d.High)
		}
	}
	if !(at(0, 1).FD.Value > at(0, 0).FD.Value) {
		t.Errorf("less damage is at %v, more at %v", at(0, 0).FD.Value, at(0, 1).FD.Value)
	}
	if s := table.Rows[1].Cells[0].SSIM; math.Abs(s.Mean-0.75) > 1e-9 || math.Abs(float64(table.Rows[1].Cells[0].PSNR)-20) > 1e-9 {
		t.Errorf("SSIM is %v", s)
	}
	var md, text, js bytes.Buffer
	for _, err := range []error{table.Markdown(&md), table.Text(&text), table.JSON(&js)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(md.String(), "| oracle | **1.0000** ± 0.0000 |") || !strings.Contains(md.String(), "*paper, Table 2, missing=0.1: LMPPM*") {
		t.Errorf("Markdown:\n%s", md.String())
	}
	if !strings.Contains(text.String(), "paper, Table 3, missing=0.1: LDM") {
		t.Errorf("text:\n%s", text.String())
	}
	var back ImageTable
	if err := json.Unmarshal(js.Bytes(), &back); err != nil || back.Rows[3].Cells[1].In[0].FD.Value != at(3, 1).FD.Value {
		t.Errorf("JSON: %v", err)
	}
	table.Rows[3].Cells[0].PSNR = Decibels(math.Inf(1))
	if err := table.JSON(&js); err != nil {
		t.Errorf("equal images: %v", err)
	}
}

// TestNothingToTellApart: an embedding that makes the same numbers of all images is refused.
func TestNothingToTellApart(t *testing.T) {
	one := bytes.Repeat(waves(1, 1), 10)
	if _, err := NewImageJudge(t.Context(), []embedding.Embedding{means{}}, shape, one, nil, 1, func(int) {}); err == nil || !strings.Contains(err.Error(), "tells nothing apart") {
		t.Errorf("%v", err)
	}
}

// TestGrowImages: copies of training images are found out, and so is a collapse.
func TestGrowImages(t *testing.T) {
	train := &dataset.Split{N: 60, Shape: shape, Images: waves(60, 2)}
	clean := waves(40, 1)
	j, err := NewImageJudge(t.Context(), []embedding.Embedding{means{}}, shape, clean, train, 5, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	one := bytes.Repeat(waves(1, 3), 40)
	for i := range one { // alike, not equal
		one[i] ^= byte(i*7/shape.Size()) & 3
	}
	all, err := GrowImages(t.Context(), j, train, []Set{{"real", clean}, {"copies", train.Images[:40*shape.Size()]}, {"one", one}}, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	if all[0].Nearest.Least <= 0 || all[1].Nearest.Mean != 0 || all[2].Apart.Mean > all[0].Apart.Mean/4 {
		t.Errorf("%+v", all)
	}
	if !(all[2].FD[0] > 3*all[0].FD[0]) || math.Abs(all[0].FD[0]-j.embeddings[0].Floor) > 1e-9 {
		t.Errorf("FD of real images is %v, of one %v; the floor is %v", all[0].FD, all[2].FD, j.embeddings[0].Floor)
	}
	var md bytes.Buffer
	if err := GrownImagesMarkdown(&md, all); err != nil || strings.Count(md.String(), "\n") != 5 {
		t.Errorf("%v:\n%s", err, md.String())
	}
}
