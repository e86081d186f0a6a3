//go:build webgpu

package webgpu

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unsafe"

	"github.com/oliverbestmann/webgpu/wgpu"
)

// Timing is how long the stages of a name take.
type Timing struct {
	Name  string  // operations that are fused
	Runs  int     // stages of the name in a step
	Share float64 // of all stages' time
}

// Profile is where the time of a step goes.
type Profile struct {
	Step    time.Duration // with no stage timed
	Timings []Timing      // the longest first
}

// ErrNotTimed says that a device has no timestamps.
var ErrNotTimed = errors.New("the GPU cannot say how long each shader runs")

// Profile runs the graph, as RunAll does, so many times, and once more with every
// stage timed. Devices count time in units of their own, so the stages get
// shares.
func (vm *VM) Profile(runs int) (*Profile, error) {
	if !vm.d.Adapter.Times {
		return nil, ErrNotTimed
	}
	if err := vm.flush(); err != nil {
		return nil, err
	}
	p := new(Profile)
	ticks := make([]uint64, 2*len(vm.stages))
	err := vm.d.do("profiling", func() error {
		start := time.Now()
		for range runs {
			if err := vm.submit(false); err != nil {
				return err
			}
		}
		if err := vm.fetch(vm.staging, nil); err != nil {
			return err
		}
		p.Step = time.Since(start) / time.Duration(max(runs, 1))
		return vm.time(ticks)
	})
	if err != nil {
		return nil, err
	}
	var all float64
	byName := map[string]*Timing{}
	for i, s := range vm.stages {
		t := byName[s.name]
		if t == nil {
			t = &Timing{Name: s.name}
			byName[s.name] = t
		}
		t.Runs++
		t.Share += float64(ticks[2*i+1] - ticks[2*i])
		all += float64(ticks[2*i+1] - ticks[2*i])
	}
	for _, t := range byName {
		t.Share /= max(all, 1)
		p.Timings = append(p.Timings, *t)
	}
	slices.SortFunc(p.Timings, func(a, b Timing) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(a.Name, b.Name))
	})
	return p, nil
}

// time runs every stage in a pass of its own, and reads when each began and
// ended.
func (vm *VM) time(ticks []uint64) error {
	n := len(ticks)
	set, err := vm.d.gpu.TryCreateQuerySet(&wgpu.QuerySetDescriptor{Type: wgpu.QueryTypeTimestamp, Count: uint32(n)})
	if err != nil {
		return err
	}
	defer set.Release()
	resolved, err := vm.d.buffer("timestamps", 2*n, wgpu.BufferUsageQueryResolve|wgpu.BufferUsageCopySrc)
	if err != nil {
		return err
	}
	defer resolved.Release()
	read, err := vm.d.buffer("timestamps", 2*n, wgpu.BufferUsageMapRead|wgpu.BufferUsageCopyDst)
	if err != nil {
		return err
	}
	defer read.Release()
	e, err := vm.d.gpu.TryCreateCommandEncoder(nil)
	if err != nil {
		return err
	}
	defer e.Release()
	for i, s := range vm.stages {
		pass := beginTimedPass(vm.d.gpu, e, set, 2*i)
		dispatch(pass, vm.pipelines[i], vm.groups[i], s.groups)
		if err := end(pass); err != nil {
			return err
		}
	}
	if err := e.TryResolveQuerySet(set, 0, uint32(n), resolved, 0); err != nil {
		return err
	}
	if err := e.TryCopyBufferToBuffer(resolved, 0, read, 0, uint64(n)*8); err != nil {
		return err
	}
	if err := vm.finish(e); err != nil {
		return err
	}
	return vm.fetch(read, unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(ticks))), 2*n))
}

// String is a table.
func (p *Profile) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	stages := 0
	for _, t := range p.Timings {
		fmt.Fprintf(w, "%.1f %%\t%.3f ms\t%d ×\t %s\n", 100*t.Share, 1e3*t.Share*p.Step.Seconds(), t.Runs, t.Name)
		stages += t.Runs
	}
	w.Flush()
	return fmt.Sprintf("%.3f ms a run of %d stages\n%s", 1e3*p.Step.Seconds(), stages, b.String())
}
