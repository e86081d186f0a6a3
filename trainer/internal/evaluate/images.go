package evaluate

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"mppm/shared/degrade"
	"mppm/shared/nn"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/embedding"
	"mppm/trainer/internal/frechet"
	"mppm/trainer/internal/infer"
)

// ImageColumns are the damages of Table 2, and downsampling, each from mild to severe:
// those of degrade.Info.Color.
func ImageColumns() []degrade.Degradation {
	var c []degrade.Degradation
	for _, k := range degrade.Kinds() {
		for _, s := range k.Color {
			if s > 0 {
				c = append(c, degrade.Degradation{Kind: k.Kind, Severity: s})
			}
		}
	}
	return c
}

// Figure is a number and its 95 % interval.
type Figure struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// Judgement is how far a set of images is from others in one embedding. Distances are in
// per cent of the variance of the embedding over the training images: the mean square of
// what one of those is from their mean is 100.
type Judgement struct {
	// FD is the Fréchet distance to the clean images that the set was made of.
	FD Figure `json:"fd"`
	// Training is that to the training images; 0 where there are none.
	Training float64 `json:"fd_training,omitempty"`
	// Ratio is FD by that of Baseline; nil where there is none.
	Ratio *Figure `json:"fd_ratio,omitempty"`
}

// ImageCell is how one method does on one damage.
type ImageCell struct {
	SSIM Interval    `json:"ssim"`
	PSNR Decibels    `json:"psnr"`      // the mean
	In   []Judgement `json:"embedding"` // one for each embedding
}

// Decibels may be infinite, where images are the same: JSON has null for that.
type Decibels float64

// MarshalJSON is of json.Marshaler.
func (d Decibels) MarshalJSON() ([]byte, error) {
	if math.IsInf(float64(d), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(d))
}

// Baseline is the method whose distances the others' are compared with.
const Baseline = "DAE"

// ImageTable is Table 2 for a set of pictures.
type ImageTable struct {
	Images     int              `json:"images"`
	Shape      string           `json:"shape"`
	Seed       uint64           `json:"seed"`
	Embeddings []About          `json:"embeddings"`
	Columns    []string         `json:"columns"` // as degrade.Degradation.String
	Rows       []Row[ImageCell] `json:"rows"`
	Paper      []PaperCell      `json:"paper"` // of those columns
}

// About is what there is to know of an embedding.
type About struct {
	Name     string  `json:"name"`
	Numbers  int     `json:"numbers"`
	Variance float64 `json:"variance"` // over the training images, or over the clean ones where there are none: what distances are in per cent of
	// Floor is the distance of the clean images to the training images; 0 where there are
	// none.
	Floor float64 `json:"floor,omitempty"`
}

// ImageJudge measures distances from pictures.
type ImageJudge struct {
	image      nn.Shape
	clean      int // images
	embeddings []*judged
}

// judged is one embedding, and what it makes of the images that others are compared with.
type judged struct {
	embedding.Embedding
	About
	scale     float64
	training  *frechet.Gaussian // nil where there are no training images
	clean     *frechet.Gaussian
	bootstrap *frechet.Bootstrap
}

// draws is how many times the images are drawn for an interval.
const draws = 100

// NewImageJudge returns the judge that measures distances in some embeddings from clean
// images (bytes) of a shape, and from training images, unless train is nil. It draws by
// the seed. progress is told of n more images that have been embedded.
func NewImageJudge(ctx context.Context, embeddings []embedding.Embedding, image nn.Shape, clean []byte, train *dataset.Split, seed uint64, progress func(n int)) (*ImageJudge, error) {
	j := &ImageJudge{image: image, clean: len(clean) / image.Size()}
	for _, e := range embeddings {
		d := &judged{Embedding: e}
		x, err := e.Embed(ctx, image, clean)
		if err != nil {
			return nil, err
		}
		d.About = About{Name: e.Name(), Numbers: len(x) / j.clean}
		progress(j.clean)
		if d.clean, err = frechet.Fit(x, d.Numbers); err != nil {
			return nil, err
		}
		d.Variance = d.clean.Variance()
		if train != nil {
			if d.training, err = embedTraining(ctx, e, d.Numbers, train, progress); err != nil {
				return nil, err
			}
			d.Variance = d.training.Variance()
		}
		if !(d.Variance > 0) {
			return nil, fmt.Errorf("the embedding %s makes the same numbers of all images: it tells nothing apart", d.Name())
		}
		d.scale = 100 / d.Variance
		if train != nil {
			if d.Floor, err = d.distance(d.clean, d.training); err != nil {
				return nil, err
			}
		}
		if d.bootstrap, err = frechet.NewBootstrap(x, d.Numbers, draws, seed); err != nil {
			return nil, err
		}
		j.embeddings = append(j.embeddings, d)
	}
	return j, nil
}

// Name is the embedding's: About has it too.
func (d *judged) Name() string { return d.About.Name }

// distance is that of a set from a reference, in the units of Judgement.
func (d *judged) distance(set, reference *frechet.Gaussian) (float64, error) {
	v, err := frechet.Distance(set, reference)
	return d.scale * v, err
}

// embedTraining embeds training images, some at a time, as they need not fit into memory.
func embedTraining(ctx context.Context, e embedding.Embedding, dim int, train *dataset.Split, progress func(n int)) (*frechet.Gaussian, error) {
	const some = 256
	var all []float32
	for lo := 0; lo < train.N; lo += some {
		var images []byte
		for i := lo; i < min(lo+some, train.N); i++ {
			images = append(images, train.Image(i)...)
		}
		if err := train.Err(); err != nil {
			return nil, err
		}
		x, err := e.Embed(ctx, train.Shape, images)
		if err != nil {
			return nil, err
		}
		all = append(all, x...)
		progress(len(x) / dim)
	}
	return frechet.Fit(all, dim)
}

// score judges what was made of the clean images, one of each. It returns the distances of
// each draw too, for each embedding.
func (j *ImageJudge) score(ctx context.Context, pixels []byte, scores []infer.Score) (ImageCell, [][]float64, error) {
	ssim := make([]float64, len(scores))
	for i, s := range scores {
		ssim[i] = s.SSIM
	}
	c := ImageCell{SSIM: interval(ssim), PSNR: Decibels(infer.Mean(scores).PSNR)}
	var all [][]float64
	for _, d := range j.embeddings {
		x, err := d.Embed(ctx, j.image, pixels)
		if err != nil {
			return c, nil, err
		}
		g, err := frechet.Fit(x, d.Numbers)
		if err != nil {
			return c, nil, err
		}
		var in Judgement
		if in.FD.Value, err = d.distance(g, d.clean); err != nil {
			return c, nil, err
		}
		if d.training != nil {
			if in.Training, err = d.distance(g, d.training); err != nil {
				return c, nil, err
			}
		}
		drawn, err := d.bootstrap.Distances(ctx, x)
		if err != nil {
			return c, nil, err
		}
		for i := range drawn {
			drawn[i] *= d.scale
		}
		in.FD.Low, in.FD.High = frechet.Interval(in.FD.Value, drawn)
		c.In, all = append(c.In, in), append(all, drawn)
	}
	return c, all, nil
}

// Images fills the table: every method on every column of the judge's clean images
// (bytes). What is in a cell is shown to seen, which may keep none of it, and done is told
// of each cell of a method.
func Images(ctx context.Context, j *ImageJudge, methods []Method, columns []degrade.Degradation, clean []byte, seed uint64,
	seen func(row, column int, pixels []byte), done func(method, column string)) (*ImageTable, error) {
	t := &ImageTable{Images: j.clean, Shape: j.image.String(), Seed: seed}
	for _, d := range j.embeddings {
		t.Embeddings = append(t.Embeddings, d.About)
	}
	for _, c := range columns {
		t.Columns = append(t.Columns, c.String())
	}
	drawn := make([][][][]float64, len(methods)+1) // row, column, embedding, draw
	for i := range drawn {
		drawn[i] = make([][][]float64, len(columns))
	}
	var err error
	t.Rows, err = fill(ctx, methods, columns, j.image, clean, seed, func(row, column int, pixels []byte, scores []infer.Score) (cell ImageCell, err error) {
		seen(row, column, pixels)
		cell, drawn[row][column], err = j.score(ctx, pixels, scores)
		return cell, err
	}, done)
	if err != nil {
		return nil, err
	}
	t.compare(drawn)
	t.Paper = paperCells(t.Columns)
	return t, nil
}

// compare fills in the ratios to Baseline, draw by draw.
func (t *ImageTable) compare(drawn [][][][]float64) {
	base := -1
	for r, row := range t.Rows {
		if row.Method == Baseline {
			base = r
		}
	}
	if base < 0 {
		return
	}
	for r, row := range t.Rows {
		for i, c := range row.Cells {
			for e := range c.In {
				of := t.Rows[base].Cells[i].In[e].FD.Value
				if !(of > 0) {
					continue
				}
				ratio := Figure{Value: c.In[e].FD.Value / of}
				each := make([]float64, 0, draws)
				for k, v := range drawn[base][i][e] {
					if v > 0 {
						each = append(each, drawn[r][i][e][k]/v)
					}
				}
				ratio.Low, ratio.High = frechet.Interval(ratio.Value, each)
				c.In[e].Ratio = &ratio
			}
		}
	}
}

// PaperCell is what Tables 2 and 3 give for one method and damage. Images, nets and
// embedding are not ours, so distances compare with one another only: as ratios.
type PaperCell struct {
	Table  int     `json:"table"`
	Column string  `json:"column"`
	Method string  `json:"method"`
	SSIM   float64 `json:"ssim"`
	FD     float64 `json:"fid"`
	Ratio  float64 `json:"fid_ratio"` // by the DAE's of the same column
}

// paperImages holds Tables 2 and 3, for DAE, LDM and LMPPM: SSIM and FID.
var paperImages = []struct {
	table   int
	column  string
	methods [3][2]float64
}{
	{2, "gaussian=0.2", [3][2]float64{{0.928, 21.78}, {0.925, 13.00}, {0.868, 14.95}}},
	{2, "gaussian=0.25", [3][2]float64{{0.904, 27.15}, {0.901, 18.68}, {0.888, 17.07}}},
	{2, "gaussian=0.3", [3][2]float64{{0.828, 42.52}, {0.822, 34.19}, {0.839, 21.35}}},
	{2, "missing=0.04", [3][2]float64{{0.917, 33.90}, {0.914, 27.35}, {0.881, 16.20}}},
	{2, "missing=0.08", [3][2]float64{{0.798, 49.00}, {0.798, 41.47}, {0.862, 23.92}}},
	{2, "missing=0.1", [3][2]float64{{0.745, 47.94}, {0.738, 44.41}, {0.832, 34.13}}},
	{2, "scribble=6", [3][2]float64{{0.921, 34.83}, {0.919, 29.31}, {0.879, 16.73}}},
	{2, "scribble=13", [3][2]float64{{0.889, 45.66}, {0.887, 39.02}, {0.878, 17.35}}},
	{2, "scribble=20", [3][2]float64{{0.860, 51.68}, {0.859, 44.66}, {0.869, 18.46}}},
	{2, "sharpen=8", [3][2]float64{{0.902, 28.53}, {0.898, 20.79}, {0.878, 16.79}}},
	{2, "sharpen=10", [3][2]float64{{0.883, 29.80}, {0.878, 21.73}, {0.874, 17.33}}},
	{2, "sharpen=18", [3][2]float64{{0.815, 33.82}, {0.807, 25.37}, {0.853, 19.48}}},
	{3, "gaussian=0.3", [3][2]float64{{0.694, 43.05}, {0.663, 34.99}, {0.707, 23.92}}},
	{3, "scribble=22", [3][2]float64{{0.817, 54.75}, {0.793, 42.73}, {0.757, 30.69}}},
	{3, "missing=0.1", [3][2]float64{{0.762, 49.23}, {0.757, 41.38}, {0.671, 25.63}}},
	{3, "sharpen=12", [3][2]float64{{0.719, 46.64}, {0.724, 34.54}, {0.714, 28.25}}},
}

// besides are the columns of Table 3 that are none of ours, and ours beside which they
// stand.
var besides = map[string]string{"scribble=22": "scribble=20", "sharpen=12": "sharpen=10"}

// paperCells returns what the paper has for columns, in their order.
func paperCells(columns []string) []PaperCell {
	var all []PaperCell
	for _, ours := range columns {
		for _, p := range paperImages {
			if p.column != ours && besides[p.column] != ours {
				continue
			}
			for i, method := range []string{"DAE", "LDM", "LMPPM"} {
				m := p.methods[i]
				all = append(all, PaperCell{p.table, p.column, method, m[0], m[1], m[1] / p.methods[0][1]})
			}
		}
	}
	return all
}

// paperOf returns the paper's cells that stand beside a column.
func (t *ImageTable) paperOf(column string) []PaperCell {
	var all []PaperCell
	for _, p := range t.Paper {
		if p.Column == column || besides[p.Column] == column {
			all = append(all, p)
		}
	}
	return all
}

// about says what the figures are.
func (t *ImageTable) about() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d images of %s that nothing was trained on, seed %d. FD is the Fréchet distance to those images as they were, in per cent of the variance of the embedding, and FD train that to the training images; the interval is the 95 %% of %d draws with replacement. FD/DAE is by the DAE's, drawn alike. ± is a 95 %% interval. The paper's FID is in an embedding of its own: compare the ratios. Its scribble=22 and sharpen=12 stand beside our 20 and 10.\n",
		t.Images, t.Shape, t.Seed, draws)
	for i, e := range t.Embeddings {
		fmt.Fprintf(&b, "\nEmbedding %d: %s, %d numbers, of variance %.4g.", i+1, e.Name, e.Numbers, e.Variance)
		if e.Floor > 0 {
			fmt.Fprintf(&b, " The images as they were have an FD train of %.2f.", e.Floor)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// Text writes the table for a terminal: a block for each damage with a row for each
// method, and the paper's beside.
func (t *ImageTable) Text(w io.Writer) error {
	if _, err := io.WriteString(w, t.about()); err != nil {
		return err
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i, column := range t.Columns {
		fmt.Fprintf(tw, "\n%s\tSSIM\tPSNR dB", column)
		for range t.Embeddings {
			fmt.Fprint(tw, "\tFD\t\tFD/DAE\tFD train")
		}
		fmt.Fprintln(tw)
		for _, row := range t.Rows {
			c := row.Cells[i]
			fmt.Fprintf(tw, "  %s\t%.4f ± %.4f\t%.2f", row.Method, c.SSIM.Mean, c.SSIM.Half, c.PSNR)
			for _, in := range c.In {
				fmt.Fprintf(tw, "\t%.2f\t%.2f to %.2f\t%s\t%s", in.FD.Value, in.FD.Low, in.FD.High, in.Ratio.text(), orNothing("%.2f", in.Training))
			}
			fmt.Fprintln(tw)
		}
		for _, p := range t.paperOf(column) {
			fmt.Fprintf(tw, "  paper, Table %d, %s: %s\t%.3f\t\t%.2f\t\t%.2f\n", p.Table, p.Column, p.Method, p.SSIM, p.FD, p.Ratio)
		}
	}
	return tw.Flush()
}

// Markdown writes the table as Markdown. The best of each column is bold.
func (t *ImageTable) Markdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString(t.about())
	for i, column := range t.Columns {
		fmt.Fprintf(&b, "\n### %s\n\n| method | SSIM ↑ | PSNR dB ↑ |", column)
		rule := "\n| --- | --- | --- |"
		for e := range t.Embeddings {
			fmt.Fprintf(&b, " FD %[1]d ↓ | FD/DAE %[1]d ↓ | FD train %[1]d ↓ |", e+1)
			rule += " --- | --- | --- |"
		}
		b.WriteString(rule + "\n")
		ssim := t.best(i, func(a, b ImageCell) bool { return a.SSIM.Mean > b.SSIM.Mean })
		psnr := t.best(i, func(a, b ImageCell) bool { return a.PSNR > b.PSNR })
		for r, row := range t.Rows {
			c := row.Cells[i]
			fmt.Fprintf(&b, "| %s | %s ± %.4f | %s |", row.Method, bold(r == ssim, "%.4f", c.SSIM.Mean), c.SSIM.Half, bold(r == psnr, "%.2f", float64(c.PSNR)))
			for e, in := range c.In {
				best := t.best(i, func(a, b ImageCell) bool { return a.In[e].FD.Value < b.In[e].FD.Value })
				fmt.Fprintf(&b, " %s (%.2f to %.2f) | %s | %s |", bold(r == best, "%.2f", in.FD.Value), in.FD.Low, in.FD.High, in.Ratio.text(), orNothing("%.2f", in.Training))
			}
			b.WriteString("\n")
		}
		for _, p := range t.paperOf(column) {
			fmt.Fprintf(&b, "| *paper, Table %d, %s: %s* | *%.3f* | | *%.2f* | *%.2f* | |%s\n", p.Table, p.Column, p.Method, p.SSIM, p.FD, p.Ratio, strings.Repeat(" | | |", len(t.Embeddings)-1))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// best returns the row that is best in a column; the images as they were damaged do not
// compete.
func (t *ImageTable) best(column int, better func(a, b ImageCell) bool) int {
	at := 1
	for r := 2; r < len(t.Rows); r++ {
		if better(t.Rows[r].Cells[column], t.Rows[at].Cells[column]) {
			at = r
		}
	}
	return at
}

func (f *Figure) text() string {
	if f == nil {
		return ""
	}
	return fmt.Sprintf("%.2f (%.2f to %.2f)", f.Value, f.Low, f.High)
}

func orNothing(format string, v float64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf(format, v)
}

// JSON writes the table as JSON.
func (t *ImageTable) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(t)
}
