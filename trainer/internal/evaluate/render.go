package evaluate

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// paper holds what Table 1 of the paper gives: SSIM and Fréchet distance. Its
// classifier is not ours, so its distances compare with one another only.
var paper = map[string]map[string][2]float64{
	"elastic=2.3": {
		"DAE": {0.66, 69.36}, "LDM": {0.64, 66.52}, "LMPPM": {0.63, 12.61},
		"Ablation^lmppm": {0.63, 12.83}, "Ablation^dae": {0.17, 522.39},
	},
	"elastic=1.8": {
		"DAE": {0.59, 134.60}, "LDM": {0.58, 124.05}, "LMPPM": {0.59, 16.38},
		"Ablation^lmppm": {0.59, 16.27}, "Ablation^dae": {0.15, 527.25},
	},
	"downsample=0.5": {
		"DAE": {0.79, 31.66}, "LDM": {0.75, 31.61}, "LMPPM": {0.67, 11.27},
		"Ablation^lmppm": {0.67, 11.34}, "Ablation^dae": {0.17, 521.14},
	},
	"downsample=0.35": {
		"DAE": {0.54, 133.66}, "LDM": {0.53, 128.80}, "LMPPM": {0.52, 22.65},
		"Ablation^lmppm": {0.52, 22.89}, "Ablation^dae": {0.13, 504.08},
	},
}

// paperMethods are the paper's rows, in its order.
var paperMethods = []string{"DAE", "LDM", "LMPPM", "Ablation^lmppm", "Ablation^dae"}

// Markdown writes the table as Markdown: a section for each damage with a row
// for each method, and the paper's rows under ours where it has them. The best
// of each column is bold.
func (t *Table) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d test digits, seed %d. FD is the Fréchet distance to the training digits in the classifier's embedding, over all digits and as the mean over the ten predicted classes; the floor, real test digits, has %.2f and %.2f, and the classifier reads %.2f %% of them right. ± is a 95 %% confidence interval.\n",
		t.Images, t.Seed, t.Floor.Distance, t.Floor.Classes, 100*t.Floor.Accuracy.Mean)
	for i, column := range t.Columns {
		fmt.Fprintf(&b, "\n### %s\n\n| method | SSIM ↑ | PSNR dB ↑ | FD ↓ | FD by class ↓ | read right ↑ |\n| --- | --- | --- | --- | --- | --- |\n", column)
		ssim, psnr, fd, class, accuracy := t.best(i)
		for r, row := range t.Rows {
			c := row.Cells[i]
			fmt.Fprintf(&b, "| %s | %s ± %.4f | %s | %s | %s | %s ± %.2f %% |\n", row.Method,
				bold(r == ssim, "%.4f", c.SSIM.Mean), c.SSIM.Half, bold(r == psnr, "%.2f", c.PSNR),
				bold(r == fd, "%.2f", c.Distance), bold(r == class, "%.2f", c.Classes),
				bold(r == accuracy, "%.2f", 100*c.Accuracy.Mean), 100*c.Accuracy.Half)
		}
		for _, m := range paperMethods {
			if v, ok := paper[column][m]; ok {
				fmt.Fprintf(&b, "| *paper: %s* | *%.2f* | | | *%.2f* | |\n", m, v[0], v[1])
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func bold(on bool, format string, v float64) string {
	s := fmt.Sprintf(format, v)
	if on {
		return "**" + s + "**"
	}
	return s
}

// best returns the rows that are best in each figure of a column; the first row,
// the input, does not compete.
func (t *Table) best(column int) (ssim, psnr, fd, class, accuracy int) {
	pick := func(better func(a, b Cell) bool) int {
		at := 1
		for r := 2; r < len(t.Rows); r++ {
			if better(t.Rows[r].Cells[column], t.Rows[at].Cells[column]) {
				at = r
			}
		}
		return at
	}
	return pick(func(a, b Cell) bool { return a.SSIM.Mean > b.SSIM.Mean }),
		pick(func(a, b Cell) bool { return a.PSNR > b.PSNR }),
		pick(func(a, b Cell) bool { return a.Distance < b.Distance }),
		pick(func(a, b Cell) bool { return a.Classes < b.Classes }),
		pick(func(a, b Cell) bool { return a.Accuracy.Mean > b.Accuracy.Mean })
}

// CSV writes the table as comma-separated values, a line for each method and
// damage.
func (t *Table) CSV(w io.Writer) error {
	c := csv.NewWriter(w)
	c.Write([]string{"method", "damage", "ssim", "ssim_half", "psnr", "fd", "fd_class", "accuracy", "accuracy_half"})
	f := func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
	for _, row := range t.Rows {
		for i, cell := range row.Cells {
			c.Write([]string{row.Method, t.Columns[i], f(cell.SSIM.Mean), f(cell.SSIM.Half), f(cell.PSNR), f(cell.Distance), f(cell.Classes), f(cell.Accuracy.Mean), f(cell.Accuracy.Half)})
		}
	}
	c.Flush()
	return c.Error()
}

// JSON writes the table as JSON.
func (t *Table) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(t)
}
