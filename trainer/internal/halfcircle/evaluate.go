package halfcircle

import (
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"

	"mppm/shared/ambient"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/atomicfile"
	"mppm/trainer/internal/bounded"
	"mppm/trainer/internal/pointcloud"
	"mppm/trainer/internal/progress"
	"mppm/trainer/internal/run"
	task "mppm/trainer/internal/task/ambient"
)

// Points is how many points a run is given: 550 to train on, and 137 that it
// holds out. 550 is the batch of Table 10, which does not say how many points
// there were.
const Points = 687

// Tests is how many points are restored in a column.
const Tests = 500

// Streams of the seed, apart from those of training.
const (
	StreamPoints    = 10 << 40 // of the points that runs are trained on
	streamTest      = 11 << 40
	streamDiffusion = 12 << 40 // + the number of the point
	streamStart     = 13 << 40
)

// Cloud returns the points that the run of a seed is trained on.
func Cloud(seed uint64) *pointcloud.Cloud {
	return pointcloud.HalfCircle(Points, rng.New(seed, StreamPoints))
}

// The trainings.
const (
	Ours   = "default" // task.Default
	Theirs = "paper"   // task.Paper: Tables 7 and 10
)

// Trainings returns the configurations that methods take their nets from.
func Trainings() map[string]task.Config {
	return map[string]task.Config{Ours: task.Default(), Theirs: task.Paper()}
}

// Column is what points are tested: where on the arc they are from, and how noisy.
type Column struct {
	Uniform bool    `json:"uniform"` // angles are uniform on the arc; else as the training points'
	Sigma   float32 `json:"sigma"`   // deviation of the noise in each coordinate
}

func (c Column) String() string {
	where := "angles as in training"
	if c.Uniform {
		where = "angles uniform on the arc"
	}
	return fmt.Sprintf("noise %g, %s", c.Sigma, where)
}

// Columns are the tests.
func Columns() []Column {
	return []Column{{true, 0.2}, {true, 0.3}, {false, 0.2}, {false, 0.3}}
}

// Test draws n points of a test for a seed: clean ones, and the same with noise.
func (c Column) Test(seed uint64, n int) (clean, noisy []float32) {
	src := rng.New(seed, streamTest)
	for range n {
		a := pointcloud.ArcFrom + (pointcloud.ArcTo-pointcloud.ArcFrom)*src.Float64()
		if !c.Uniform {
			a = pointcloud.TruncatedNormal(pointcloud.ArcCenter, pointcloud.ArcSpread, pointcloud.ArcFrom, pointcloud.ArcTo, src)
		}
		clean = pointcloud.AppendArc(clean, a)
	}
	noisy = make([]float32, len(clean))
	src.FillNorm(noisy, c.Sigma)
	for i, v := range clean {
		noisy[i] += v
	}
	return clean, noisy
}

// Stat is a mean over seeds and the standard deviation.
type Stat struct {
	Mean   float64 `json:"mean"`
	Spread float64 `json:"sd"`
}

// Row is a method's errors in one column, over the seeds.
type Row struct {
	Method string   `json:"method"`
	Nets   string   `json:"nets"`
	Column Column   `json:"column"`
	Seeds  []Errors `json:"seeds"`
}

// Stat returns the statistics of one of the errors.
func (r Row) Stat(of func(Errors) float64) Stat {
	var s Stat
	n := float64(len(r.Seeds))
	for _, e := range r.Seeds {
		s.Mean += of(e) / n
	}
	if n > 1 {
		for _, e := range r.Seeds {
			d := of(e) - s.Mean
			s.Spread += float64(d*d) / (n - 1)
		}
	}
	s.Spread = math.Sqrt(s.Spread)
	return s
}

// Table is the whole evaluation.
type Table struct {
	First uint64 `json:"first_seed"`
	Seeds int    `json:"seeds"`
	Tests int    `json:"tests"`
	Rows  []Row  `json:"rows"`
}

// Find returns the row of a method in a column.
func (t *Table) Find(method, nets string, c Column) (Row, bool) {
	for _, r := range t.Rows {
		if r.Method == method && r.Nets == nets && r.Column == c {
			return r, true
		}
	}
	return Row{}, false
}

// maxNets bounds the size of a weights file that is found: far above any.
const maxNets = 1 << 28

// Nets returns the model of one configuration and seed, as a weights file gives
// it: that in dir, if an evaluation with the same settings has left it there, and
// else one that is trained, and left there. Without a dir nothing is kept.
func Nets(ctx context.Context, dir, name string, c task.Config, seed uint64) (*ambient.Model, error) {
	c.Seed = seed
	cloud := Cloud(seed)
	path := filepath.Join(dir, fmt.Sprintf("%s-%d.safetensors", name, seed))
	if dir != "" {
		if b, err := bounded.ReadFile(path, maxNets, safetensors.CheckStart); err == nil {
			if m, err := ambient.Load(b); err == nil && task.Same(m, c, cloud) {
				return m, nil
			}
		}
	}
	t := task.New(c, cloud)
	r, err := run.New(t, "")
	if err != nil {
		return nil, err
	}
	if err := r.Train(ctx, run.Options{}); err != nil {
		return nil, err
	}
	f, err := t.Weights(false)
	if err != nil {
		return nil, err
	}
	b, err := f.Encode()
	if err == nil && dir != "" {
		err = atomicfile.WriteBytes(path, b)
	}
	if err != nil {
		return nil, err
	}
	return ambient.Load(b)
}

// Options are what an evaluation can be told.
type Options struct {
	Trainings map[string]task.Config
	First     uint64 // the first seed
	Seeds     int
	Tests     int    // points in a column
	Dir       string // where nets are kept and found again; "" keeps none
}

// Run trains every configuration on every seed, and scores all methods. It
// returns the table and the models of the first seed. bar counts trainings.
func Run(ctx context.Context, o Options, bar *progress.Bar) (*Table, map[string]*ambient.Model, error) {
	t := &Table{First: o.First, Seeds: o.Seeds, Tests: o.Tests}
	for _, c := range Columns() {
		for _, m := range Methods() {
			if _, ok := o.Trainings[m.Nets]; ok && (m.In == nil || m.In(c)) {
				t.Rows = append(t.Rows, Row{Method: m.Name, Nets: m.Nets, Column: c})
			}
		}
	}
	if o.Dir != "" {
		if err := os.MkdirAll(o.Dir, 0o755); err != nil {
			return nil, nil, err
		}
	}
	models := map[string]*ambient.Model{}
	for seed := o.First; seed < o.First+uint64(o.Seeds); seed++ {
		for _, nets := range slices.Sorted(maps.Keys(o.Trainings)) {
			m, err := Nets(ctx, o.Dir, nets, o.Trainings[nets], seed)
			if err != nil {
				return nil, nil, fmt.Errorf("seed %d, %s: %w", seed, nets, err)
			}
			if seed == o.First {
				models[nets] = m
			}
			if err := t.score(m, nets, seed); err != nil {
				return nil, nil, fmt.Errorf("seed %d, %s: %w", seed, nets, err)
			}
			bar.Note("seed %d, nets: %s", seed, nets)
			bar.Add(1)
		}
	}
	return t, models, nil
}

// score adds to the rows of some nets the errors of one seed.
func (t *Table) score(m *ambient.Model, nets string, seed uint64) error {
	r := m.Runner(64)
	for _, method := range Methods() {
		if method.Nets != nets {
			continue
		}
		for i := range t.Rows {
			row := &t.Rows[i]
			if row.Method != method.Name || row.Nets != nets {
				continue
			}
			clean, y := row.Column.Test(seed, t.Tests)
			if err := method.Restore(r, y, row.Column.Sigma, seed); err != nil {
				return fmt.Errorf("%s: %w", method.Name, err)
			}
			row.Seeds = append(row.Seeds, Measure(y, clean))
		}
	}
	return nil
}
