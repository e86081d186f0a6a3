package halfcircle

import (
	"bytes"
	"context"
	"encoding/json"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mppm/shared/ambient"
	"mppm/trainer/internal/pointcloud"
	"mppm/trainer/internal/progress"
	task "mppm/trainer/internal/task/ambient"
	"mppm/weights"
)

func arcOf(angles ...float64) []float32 {
	var x []float32
	for _, a := range angles {
		x = pointcloud.AppendArc(x, a)
	}
	return x
}

func even(n int) []float32 {
	var x []float32
	for i := range n {
		x = pointcloud.AppendArc(x, math.Pi*(float64(i)+0.5)/float64(n))
	}
	return x
}

func TestMeasure(t *testing.T) {
	clean := even(360)
	if e := Measure(clean, clean); e.Mean > 1e-6 || e.Max > 1e-6 || e.Covered != 1 || math.Abs(e.Spread-1) > 1e-9 || e.Along != 0 {
		t.Errorf("clean points: %+v", e)
	}
	// All points at 1.1 times the radius, and 0.2 above the plane.
	y := append([]float32(nil), clean...)
	for i := range y {
		y[i] *= 1.1
		if i%3 == 2 {
			y[i] = 0.2
		}
	}
	e := Measure(y, clean)
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"mean", e.Mean, 0.1}, {"RMS", e.RMS, 0.1}, {"mean square", e.Square, 0.01}, {"max", e.Max, 0.1},
		{"distance", e.Distance, math.Hypot(0.1, 0.2)}, {"covered", e.Covered, 1},
	} {
		if math.Abs(c.got-c.want) > 1e-6 {
			t.Errorf("%s is %v, want %v", c.name, c.got, c.want)
		}
	}
	// All angles drawn halfway to the middle: half of the arc is left.
	y = nil
	for i := range 360 {
		y = pointcloud.AppendArc(y, math.Pi/4+math.Pi*(float64(i)+0.5)/720)
	}
	if e := Measure(y, clean); math.Abs(e.Covered-0.5) > 0.06 || math.Abs(e.Spread-0.5) > 1e-4 || e.Mean > 1e-6 || math.Abs(e.Along-math.Pi/8) > 1e-3 {
		t.Errorf("contracted: %+v", e)
	}
	// All in one point; below the arc's ends; and right of the jump of atan2.
	if e := Measure(arcOf(1, 1, 1), arcOf(0.5, 1, 1.5)); math.Abs(e.Covered-1.0/3) > 1e-9 || e.Spread > 1e-6 {
		t.Errorf("collapsed: %+v", e)
	}
	if e := Measure(arcOf(math.Pi+0.2), arcOf(math.Pi)); math.Abs(e.Along-0.2) > 1e-6 || e.Covered != 0 || e.Mean > 1e-6 || e.Distance < 0.19 {
		t.Errorf("beyond the end: %+v", e)
	}
}

// TestTargets: on points and noise that its training did not see, MPPM with the
// shipped weights has a lower mean and maximal deviation than DAE and DDPM, and
// covers no less of the arc than DAE.
func TestTargets(t *testing.T) {
	m, err := ambient.Load(weights.Circle)
	if err != nil {
		t.Fatal(err)
	}
	r := m.Runner(64)
	for _, c := range Columns() {
		score := func(name string) Errors {
			clean, y := c.Test(1000, 300)
			if err := find(name).Restore(r, y, c.Sigma, 1); err != nil {
				t.Fatal(err)
			}
			return Measure(y, clean)
		}
		ours, dae, ddpm := score("MPPM"), score("DAE"), score("DDPM, from the step with that noise")
		t.Logf("%v: MPPM %.4f %.3f %.2f, DAE %.4f %.3f %.2f, DDPM %.4f %.3f %.2f", c, ours.Mean, ours.Max, ours.Covered, dae.Mean, dae.Max, dae.Covered, ddpm.Mean, ddpm.Max, ddpm.Covered)
		if ours.Mean > min(dae.Mean, ddpm.Mean)/2 || ours.Max > min(dae.Max, ddpm.Max) || ours.Covered < dae.Covered {
			t.Errorf("%v: MPPM %+v, DAE %+v, DDPM %+v", c, ours, dae, ddpm)
		}
	}
}

// TestFlowOfTable10Contracts: with the kernel as wide as the noise, the flow moves
// along the arc to where the points are dense.
func TestFlowOfTable10Contracts(t *testing.T) {
	m, err := ambient.Load(weights.Circle)
	if err != nil {
		t.Fatal(err)
	}
	r := m.Runner(64)
	clean, y := figureNoise.Test(1000, 100)
	wide := append([]float32(nil), y...)
	if err := find("MPPM, flow of Table 10, no tolerance").Restore(r, wide, 0, 1); err != nil {
		t.Fatal(err)
	}
	if err := find("MPPM").Restore(r, y, 0, 1); err != nil {
		t.Fatal(err)
	}
	if a, b := Measure(wide, clean), Measure(y, clean); a.Spread > 0.8 || b.Spread < 0.9 {
		t.Errorf("the angles' spread is %.2f with the wide kernel, %.2f with the default", a.Spread, b.Spread)
	}
}

// TestRun trains a little on two seeds, and checks that the table has every row,
// and that figures are drawn.
func TestRun(t *testing.T) {
	c := task.Default()
	c.Epochs, c.Denoiser = 5, []int{16}
	c.Diffusion.Steps = 60
	o := Options{Trainings: map[string]task.Config{Ours: c}, First: 5, Seeds: 2, Tests: 20, Dir: filepath.Join(t.TempDir(), "nets")}
	table, models, err := Run(context.Background(), o, progress.New(nil, "", 0, progress.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range table.Rows {
		if len(r.Seeds) != 2 {
			t.Errorf("%s, %v: %d seeds", r.Method, r.Column, len(r.Seeds))
		}
	}
	if r, ok := table.Find("noisy points, as they are", Ours, Column{true, 0.3}); !ok || math.Abs(r.Stat(func(e Errors) float64 { return e.Mean }).Mean-0.24) > 0.05 {
		t.Errorf("noise of 0.3 moves points by %+v", r)
	}
	if _, ok := table.Find("DAE", Theirs, Column{true, 0.3}); ok {
		t.Error("there is a row of nets that were not trained")
	}
	var md, csv, js bytes.Buffer
	if err := table.Markdown(&md); err != nil {
		t.Fatal(err)
	}
	if err := table.CSV(&csv); err != nil {
		t.Fatal(err)
	}
	if err := table.JSON(&js); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(md.String(), "## Noise 0.3, angles uniform") || !strings.Contains(md.String(), "| DAE | default |") {
		t.Errorf("table.md:\n%s", md.String())
	}
	if want := 1 + len(table.Rows)*len(columns); strings.Count(csv.String(), "\n") != want {
		t.Errorf("table.csv has %d lines, want %d", strings.Count(csv.String(), "\n"), want)
	}
	var back Table
	if err := json.Unmarshal(js.Bytes(), &back); err != nil || len(back.Rows) != len(table.Rows) {
		t.Errorf("table.json: %v", err)
	}
	dir := t.TempDir()
	if err := Figures(dir, models[Ours], 5, 40); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"figure4.png", "figure5.png", "figure6.png", "figure7.png"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := png.Decode(bytes.NewReader(b)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A canceled run goes as far as there are nets, and no further.
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	again, _, err := Run(ctx, o, progress.New(nil, "", 0, progress.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	var same bytes.Buffer
	if err := again.JSON(&same); err != nil || !bytes.Equal(same.Bytes(), js.Bytes()) {
		t.Errorf("kept nets give other errors (%v)", err)
	}
	o.Seeds++
	if _, _, err := Run(ctx, o, progress.New(nil, "", 0, progress.Options{})); err == nil {
		t.Error("a canceled run has a result")
	}
}
