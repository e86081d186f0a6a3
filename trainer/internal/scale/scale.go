// Package scale measures what a training step takes, in time and in memory, for
// batches and images of any size: the nets of Table 8, at the side that the project
// trains them for and at others, and the U-Net of Table 9.
package scale

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"gorgonia.org/gorgonia"

	"mppm/shared/latent"
	"mppm/shared/unet"
	"mppm/trainer/internal/device"
	"mppm/trainer/internal/memory"
	"mppm/trainer/internal/optim"
)

// Net names what is trained.
type Net string

// The nets.
const (
	LMPPM Net = "lmppm" // F, G and D of Table 8 with the loss of Eq. 20, at side 28
	DAE   Net = "dae"   // F and G of Table 8, at any side
	UNet  Net = "unet"  // the U-Net of Table 9, for images of three colors, without D
)

// Bounds of what can be measured.
const (
	MinSide  = 8
	MinUNet  = 16 // what the four poolings of the U-Net leave a pixel of
	MaxSide  = 1024
	MaxBatch = 1 << 16
)

// Cell is one thing to measure: a net, and the size of its batches.
type Cell struct {
	Net   Net `json:"net"`
	Side  int `json:"side"`  // of the images, in pixels
	Batch int `json:"batch"` // images in a step
}

// String is the form that ParseCell reads: net:side:batch.
func (c Cell) String() string { return fmt.Sprintf("%s:%d:%d", c.Net, c.Side, c.Batch) }

// ParseCell reads a cell such as dae:28:128.
func ParseCell(s string) (Cell, error) {
	f := strings.Split(s, ":")
	if len(f) == 3 {
		side, err := strconv.Atoi(f[1])
		batch, berr := strconv.Atoi(f[2])
		if err == nil && berr == nil {
			c := Cell{Net(f[0]), side, batch}
			return c, c.Validate()
		}
	}
	return Cell{}, fmt.Errorf("%q is no net, side and batch such as dae:28:128", s)
}

// Validate returns an error that says what of a cell is out of range.
func (c Cell) Validate() error {
	least := MinSide
	switch c.Net {
	case LMPPM:
		if c.Side != latent.DigitSide {
			return fmt.Errorf("the net lmppm takes images of side %d, not %d", latent.DigitSide, c.Side)
		}
	case UNet:
		least = MinUNet
	case DAE:
	default:
		return fmt.Errorf("there is no net %q, only lmppm, dae and unet", c.Net)
	}
	if c.Side < least || c.Side > MaxSide {
		return fmt.Errorf("the side is %d; the net %s takes %d to %d", c.Side, c.Net, least, MaxSide)
	}
	if c.Batch < 1 || c.Batch > MaxBatch {
		return fmt.Errorf("the batch is %d; give 1 to %d", c.Batch, MaxBatch)
	}
	return nil
}

// Plan says which cells are measured.
type Plan struct {
	Batches  []int // of the nets of Table 8 at side 28
	Sides    []int // of the images
	Batch    int   // of the autoencoder at every side
	UNet     []int // batches of the U-Net at every side
	LeastFor int   // the least side that the U-Net is measured at
}

// DefaultPlan takes about two minutes on two cores.
func DefaultPlan() Plan {
	return Plan{Batches: []int{8, 32, 128, 512, 1024}, Sides: []int{28, 64, 120, 256}, Batch: 32, UNet: []int{1, 4}, LeastFor: 32}
}

// Cells lists what is measured, each once, in order, or says what is out of range.
func (p Plan) Cells() ([]Cell, error) {
	var all []Cell
	for _, b := range p.Batches {
		all = append(all, Cell{LMPPM, latent.DigitSide, b}, Cell{DAE, latent.DigitSide, b})
	}
	for _, s := range p.Sides {
		all = append(all, Cell{DAE, s, p.Batch})
		for _, b := range p.UNet {
			if s >= p.LeastFor {
				all = append(all, Cell{UNet, s, b})
			}
		}
	}
	var once []Cell
	for _, c := range all {
		if err := c.Validate(); err != nil {
			return nil, err
		}
		if !slices.Contains(once, c) {
			once = append(once, c)
		}
	}
	if once == nil {
		return nil, errors.New("there is nothing to measure: give batches or sides")
	}
	slices.SortFunc(once, func(a, b Cell) int {
		return cmp.Or(cmp.Compare(a.Net, b.Net), cmp.Compare(a.Side, b.Side), cmp.Compare(a.Batch, b.Batch))
	})
	return once, nil
}

// Row is what was measured of a cell.
type Row struct {
	Cell
	Parameters int     `json:"parameters"`
	Steps      int     `json:"steps"`          // that were timed
	Seconds    float64 `json:"seconds"`        // of a step, the mean
	Peak       int64   `json:"peak"`           // bytes of memory that the process had at most
	Device     string  `json:"device"`         // what trained
	Note       string  `json:"note,omitempty"` // why there are no numbers
}

// Rate is how many images a second are trained on.
func (r Row) Rate() float64 { return float64(r.Batch) / r.Seconds }

// Options are how cells are measured.
type Options struct {
	Seconds float64       // for which steps are timed; two steps, at least
	Memory  int64         // bytes that a cell may take: it is not tried if it needs more; 0: no bound
	Device  device.Choice // what trains
}

// ErrMemory says that a cell needs more memory than it may have.
var ErrMemory = errors.New("not enough memory")

// Measure times training steps of a cell in this process, and takes the peak of the
// process's memory, which is that of the cell if the process does nothing else. It
// returns ctx's error if that ends first.
func Measure(ctx context.Context, c Cell, o Options) (Row, error) {
	if err := c.Validate(); err != nil {
		return Row{}, err
	}
	row := Row{Cell: c}
	tooMuch := func(need int64) error {
		if o.Memory <= 0 || need <= o.Memory {
			return nil
		}
		return fmt.Errorf("%w: %v needs about %s, and may have %s", ErrMemory, c, gigabytes(need), gigabytes(o.Memory))
	}
	if err := tooMuch(atLeast(c)); err != nil {
		return row, err
	}
	s, err := newStep(c)
	if err != nil {
		return row, err
	}
	for _, p := range s.params {
		row.Parameters += len(p.Data)
	}
	need, err := needs(s.graph())
	if err == nil {
		err = tooMuch(need)
	}
	if err != nil {
		return row, err
	}
	m, on, err := o.Device.Start(s.graph(), s.params, nil)
	if err != nil {
		return row, err
	}
	defer m.Close()
	row.Device = on
	const rate = 1e-3
	var begun time.Time
	for done := 0; ; done++ { // the first step makes what the others use again
		if done == 1 {
			if err := m.Sync(); err != nil {
				return row, err
			}
			begun = time.Now()
		}
		if row.Steps = done - 1; row.Steps >= 2 && time.Since(begun).Seconds() >= o.Seconds {
			break
		}
		if err := ctx.Err(); err != nil {
			return row, err
		}
		if err := m.Step(done+1, rate); err != nil {
			return row, err
		}
	}
	if err := m.Sync(); err != nil {
		return row, err
	}
	row.Seconds = time.Since(begun).Seconds() / float64(row.Steps)
	if v := float64(s.loss[0]); math.IsNaN(v) || math.IsInf(v, 0) {
		return row, fmt.Errorf("%v: the loss is %v", c, v)
	}
	row.Peak = peak()
	return row, nil
}

// needs estimates the memory of a graph's steps: what it holds by now, and what each
// operation's result will take.
func needs(g *gorgonia.ExprGraph) (int64, error) {
	held := optim.Held()
	results, err := optim.Results(g)
	return held + results, err
}

// atLeast returns the bytes of a cell's largest arrays alone, its data and its
// linear layers: what is known of its memory before it takes any.
func atLeast(c Cell) int64 {
	const number, kept = 4, 4 // bytes; a parameter, its gradient, and two moments
	side, batch := int64(c.Side), int64(c.Batch)
	channels, flat, wide := int64(1), side/4*(side/4)*64, int64(latent.DigitLatent)
	if c.Net == UNet {
		c := unet.Table9()
		channels, flat, wide = colors, side/16*(side/16)*int64(c.Channels[len(c.Channels)-1]), int64(c.Latent)
	}
	return 2*number*batch*side*side*channels + 2*kept*number*flat*wide
}

// peak returns the most memory that this process had: what the kernel says where it
// does (Linux), and else what Go has taken of it.
func peak() int64 {
	if kb, ok := memory.Field("/proc/self/status", "VmHWM:"); ok {
		return kb << 10
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys)
}

func gigabytes(n int64) string { return fmt.Sprintf("%.1f GB", float64(n)/1e9) }
