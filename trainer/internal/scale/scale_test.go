package scale

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mppm/shared/latent"
	"mppm/trainer/internal/optim"
	task "mppm/trainer/internal/task/latent"
)

// steps trains so many steps, and returns the loss of each.
func steps(t *testing.T, s *step, n int) (losses []float32) {
	t.Helper()
	m := optim.NewTape(s.graph(), s.params, nil)
	defer m.Close()
	for i := range n {
		if err := m.Step(i+1, 1e-3); err != nil {
			t.Fatal(err)
		}
		losses = append(losses, s.loss[0])
	}
	return losses
}

// TestAutoencoder: at side 28 it is the net that is trained, number for number, and
// at any side it learns.
func TestAutoencoder(t *testing.T) {
	const n = 3
	got, err := autoencoder(latent.DigitSide, n)
	if err != nil {
		t.Fatal(err)
	}
	c := task.DefaultDAE()
	c.Batch = n
	want, err := task.NewStep(c)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.params) != len(want.Params) {
		t.Fatalf("%d parameters, want %d", len(got.params), len(want.Params))
	}
	for i, p := range want.Params {
		q := got.params[i]
		if p.Name != q.Name || !slices.Equal(p.Shape, q.Shape) {
			t.Fatalf("parameter %d is %s %v, want %s %v", i, q.Name, q.Shape, p.Name, p.Shape)
		}
		copy(q.Data, p.Data)
	}
	fill(want.Clean, want.Noisy)
	a, b := steps(t, got, 3), steps(t, &step{want.Params, want.Terms}, 3)
	if !slices.Equal(a, b) || a[0] == 0 {
		t.Errorf("the losses are %v, those of training %v", a, b)
	}
	for _, side := range []int{8, 13, 30} {
		s, err := autoencoder(side, 2)
		if err != nil {
			t.Fatal(err)
		}
		if l := steps(t, s, 8); !(l[7] < l[0]) {
			t.Errorf("side %d: the losses are %v", side, l)
		}
	}
}

// TestUNet: it has the numbers that Table 9 gives it, all of its weights have a
// share in the loss, and it learns.
func TestUNet(t *testing.T) {
	s, err := uNet(16, 2)
	if err != nil {
		t.Fatal(err)
	}
	conv := func(in, out, side int) int { return side*side*in*out + out }
	want := 0
	for _, b := range [][2]int{{3, 32}, {32, 64}, {64, 128}, {128, 256}} {
		want += conv(b[0], b[1], 3) + 2*b[1] + conv(b[1], b[1], 3) + 2*b[1]
	}
	const flat = 256 // of 1×1 pixel
	want += flat*1024 + 1024 + 1024*flat + flat
	for _, b := range [][3]int{{256, 256, 128}, {128, 128, 64}, {64, 64, 32}, {32, 32, 32}} {
		want += conv(b[0], b[0], 2) + conv(b[0]+b[1], b[0], 3) + 2*b[0] + conv(b[0], b[2], 3) + 2*b[2]
	}
	want += conv(32, 3, 3)
	got := 0
	for _, p := range s.params {
		got += len(p.Data)
	}
	if got != want {
		t.Errorf("%d parameters, want %d", got, want)
	}
	l := steps(t, s, 8)
	if !(l[7] < l[0]) {
		t.Errorf("the losses are %v", l)
	}
	for _, p := range s.params {
		if strings.HasSuffix(p.Name, ".weight") && !slices.ContainsFunc(p.Grad, func(g float32) bool { return g != 0 }) {
			t.Errorf("%s has no gradient", p.Name)
		}
	}
	if _, err := uNet(31, 1); err != nil { // 15, 7, 3, 1
		t.Error(err)
	}
}

func TestCells(t *testing.T) {
	for s, want := range map[string]string{
		"dae:28:128": "", "lmppm:28:1": "", "unet:16:2": "",
		"": "such as dae:28:128", "dae:28": "such as", "dae:a:1": "such as", "dae:28:1:1": "such as",
		"vae:28:1": "no net \"vae\"", "lmppm:64:1": "side 28", "unet:15:1": "16 to", "dae:7:1": "8 to", "dae:5000:1": "8 to", "dae:28:0": "the batch is 0",
	} {
		c, err := ParseCell(s)
		if want == "" && (err != nil || c.String() != s) {
			t.Errorf("%q is read as %v, %v", s, c, err)
		}
		if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", s, err, want)
		}
	}
	cells, err := Plan{Batches: []int{32, 8}, Sides: []int{64, 28}, Batch: 32, UNet: []int{2, 1}, LeastFor: 32}.Cells()
	var all []string
	for _, c := range cells {
		all = append(all, c.String())
	}
	if got := strings.Join(all, " "); err != nil || got != "dae:28:8 dae:28:32 dae:64:32 lmppm:28:8 lmppm:28:32 unet:64:1 unet:64:2" {
		t.Errorf("%s, %v", got, err)
	}
	for _, p := range []Plan{{}, {Batches: []int{0}}, {Sides: []int{3}, Batch: 1}, {Sides: []int{20}, Batch: 1, UNet: []int{0}}} {
		if cells, err := p.Cells(); err == nil {
			t.Errorf("%+v: %v", p, cells)
		}
	}
	if _, err := DefaultPlan().Cells(); err != nil {
		t.Error(err)
	}
}

func TestMeasure(t *testing.T) {
	for _, c := range []Cell{{LMPPM, 28, 2}, {DAE, 28, 2}, {DAE, 9, 2}} {
		r, err := Measure(t.Context(), c, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if r.Cell != c || r.Steps != 2 || !(r.Seconds > 0) || r.Peak < 4*int64(r.Parameters) || r.Parameters < 100 || r.Device != "the CPU" || r.Note != "" {
			t.Errorf("%+v", r)
		}
	}
	c := Cell{DAE, 28, 64}
	if _, err := Measure(t.Context(), c, Options{Memory: 1 << 20}); !errors.Is(err, ErrMemory) || !strings.Contains(err.Error(), c.String()) {
		t.Errorf("with 1 MB: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Measure(ctx, c, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	if _, err := Measure(t.Context(), Cell{}, Options{}); err == nil {
		t.Error("no net is measured")
	}
}

// TestNeeds: what a step is said to need grows as what it holds: with its images,
// beside what the parameters take.
func TestNeeds(t *testing.T) {
	need := func(c Cell) int64 {
		s, err := newStep(c)
		if err != nil {
			t.Fatal(err)
		}
		n, err := needs(s.graph())
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	small, large := need(Cell{DAE, 28, 64}), need(Cell{DAE, 28, 640})
	if ratio := float64(large) / float64(small); ratio < 5 || ratio > 11 {
		t.Errorf("64 images need %d bytes, 640 need %d", small, large)
	}
}

func TestReport(t *testing.T) {
	row := func(net Net, side, batch int, seconds float64) Row {
		return Row{Cell: Cell{net, side, batch}, Parameters: 7, Steps: 3, Seconds: seconds, Peak: int64(batch) * 1e6, Device: "the CPU"}
	}
	r := Report{[]Row{row(DAE, 28, 8, 0.01), row(DAE, 28, 32, 0.04), row(DAE, 64, 32, 0.2), row(LMPPM, 28, 8, 0.02), {Cell: Cell{UNet, 64, 1}, Note: "not enough memory"}}}
	dir := t.TempDir()
	if err := r.Save(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"batch-time.png", "batch-memory.png", "side-time.png", "side-memory.png"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("no %s (%v)", name, err)
		}
	}
	md, err := os.ReadFile(filepath.Join(dir, "scale.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| 28 | 8 | 7 | 10.0 | 800 | 8 | the CPU |\n", "| 64 | 1 | 0 | – | – | – | not enough memory |\n", "U-Net of Table 9"} {
		if !strings.Contains(string(md), want) {
			t.Errorf("no %q in\n%s", want, md)
		}
	}
	b, err := os.ReadFile(filepath.Join(dir, "scale.csv"))
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil || len(records) != 6 || strings.Join(records[3], " ") != "dae 64 32 7 3 0.2 160 32000000 the CPU " || records[5][5] != "" || records[5][9] != "not enough memory" {
		t.Errorf("%v, %v", records, err)
	}
	// Nothing to draw is no error.
	if err := (Report{r.Rows[4:]}).Save(t.TempDir()); err != nil {
		t.Error(err)
	}
}
