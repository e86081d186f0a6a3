package scale

import (
	"encoding/csv"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"mppm/shared/gemm"
	"mppm/shared/latent"
	"mppm/trainer/internal/atomicfile"
	"mppm/trainer/internal/curves"
	"mppm/trainer/internal/plots"
)

// Report is what was measured.
type Report struct{ Rows []Row }

// Save writes the report into dir: tables as Markdown and CSV, and plots.
func (r Report) Save(dir string) error {
	if err := atomicfile.WriteAll(dir, map[string]func(io.Writer) error{"scale.md": r.Markdown, "scale.csv": r.CSV}); err != nil {
		return err
	}
	return r.plots(dir)
}

// Files are the names of what Save may write, the tables first.
func Files() []string {
	return []string{"scale.md", "scale.csv", "batch-time.png", "batch-memory.png", "side-time.png", "side-memory.png"}
}

// titles are the headings of the nets' tables.
var titles = map[Net]string{
	LMPPM: "LMPPM: encoder, decoder and distance net of Table 8, with the loss of Eq. 20",
	DAE:   "Autoencoder of Table 8, gray images",
	UNet:  "U-Net of Table 9, color images",
}

// Markdown writes a table for each net.
func (r Report) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Training steps\n\nForward, backward and Adam. %d threads, %s/%s, matrix products by the kernel %q.\nMemory is the peak of a process that does nothing else.\n",
		runtime.GOMAXPROCS(0), runtime.GOOS, runtime.GOARCH, gemm.Kernel())
	var last Net
	for _, row := range r.Rows {
		if row.Net != last {
			fmt.Fprintf(&b, "\n## %s\n\n| side | batch | parameters | ms/step | images/s | peak MB | device |\n| ---: | ---: | ---: | ---: | ---: | ---: | --- |\n", titles[row.Net])
			last = row.Net
		}
		numbers := "– | – | – | " + row.Note
		if row.Steps > 0 {
			numbers = fmt.Sprintf("%.1f | %.3g | %.0f | %s", 1e3*row.Seconds, row.Rate(), float64(row.Peak)/1e6, row.Device)
		}
		fmt.Fprintf(&b, "| %d | %d | %d | %s |\n", row.Side, row.Batch, row.Parameters, numbers)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// CSV writes a row for each cell; those without numbers have a note.
func (r Report) CSV(w io.Writer) error {
	c := csv.NewWriter(w)
	c.Write([]string{"net", "side", "batch", "parameters", "steps", "seconds_per_step", "images_per_second", "peak_bytes", "device", "note"})
	for _, row := range r.Rows {
		seconds, rate, peak := "", "", ""
		if row.Steps > 0 {
			seconds, rate = strconv.FormatFloat(row.Seconds, 'g', 6, 64), strconv.FormatFloat(row.Rate(), 'g', 6, 64)
			peak = strconv.FormatInt(row.Peak, 10)
		}
		c.Write([]string{string(row.Net), strconv.Itoa(row.Side), strconv.Itoa(row.Batch), strconv.Itoa(row.Parameters), strconv.Itoa(row.Steps), seconds, rate, peak, row.Device, row.Note})
	}
	c.Flush()
	return c.Error()
}

// plots draws time and memory over the batch, at side 28, and over the side.
func (r Report) plots(dir string) error {
	kinds := []struct {
		file, title, y string
		of             func(Row) float64
	}{
		{"time", "Time of a training step", "milliseconds", func(r Row) float64 { return 1e3 * r.Seconds }},
		{"memory", "Memory of training", "MB at most", func(r Row) float64 { return float64(r.Peak) / 1e6 }},
	}
	for _, k := range kinds {
		over := func(file, x string, at func(Row) int, name func(Row) string) error {
			lines := curvesOf(r.Rows, at, k.of, name)
			if lines == nil {
				return nil
			}
			return plots.Curves(filepath.Join(dir, file+"-"+k.file+".png"), curves.Axes{Title: k.title, X: x, Y: k.y, LogX: true, LogY: true}, lines...)
		}
		err := over("batch", "images in a step, of 28×28 pixels", func(r Row) int { return r.Batch }, func(r Row) string {
			if r.Side != latent.DigitSide || r.Net == UNet {
				return ""
			}
			return string(r.Net)
		})
		if err == nil {
			err = over("side", "side of the images, in pixels", func(r Row) int { return r.Side }, func(r Row) string {
				return fmt.Sprintf("%s, %d a step", r.Net, r.Batch)
			})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// curvesOf collects the rows that name gives a name to lines of at least two points.
func curvesOf(rows []Row, x func(Row) int, y func(Row) float64, name func(Row) string) []curves.Line {
	var lines []curves.Line
	at := map[string]int{}
	for _, row := range rows {
		n := name(row)
		if n == "" || row.Steps == 0 {
			continue
		}
		i, ok := at[n]
		if !ok {
			i = len(lines)
			at[n], lines = i, append(lines, curves.Line{Name: n})
		}
		lines[i].X, lines[i].Y = append(lines[i].X, float64(x(row))), append(lines[i].Y, y(row))
	}
	var drawn []curves.Line
	for _, l := range lines {
		if len(l.X) > 1 {
			drawn = append(drawn, l)
		}
	}
	return drawn
}
