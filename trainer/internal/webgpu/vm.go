//go:build webgpu

package webgpu

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/oliverbestmann/webgpu/wgpu"
	"gorgonia.org/gorgonia"

	"mppm/trainer/internal/optim"
)

// VM is a graph compiled for a device.
type VM struct {
	d      *Device
	params []*optim.Parameter
	seen   func(step int) error // of a training step
	kept   []kept               // that are read back
	at     []place              // where they lie in results
	stages []*stage
	copies []transfer

	buffers   []*wgpu.Buffer // one for each arena
	sizes     []int
	moments   [2]*wgpu.Buffer
	staging   *wgpu.Buffer // what is read back
	home      *wgpu.Buffer // parameters and moments on their way home
	pipelines []*wgpu.ComputePipeline
	groups    []*wgpu.BindGroup
	adam      *wgpu.ComputePipeline
	adamGroup *wgpu.BindGroup
	adamGrid  [3]int

	uploads []upload
	upload  []float32 // a copy of the inputs' arena
	rates   int       // where Adam's rates lie in it
	slots   int       // steps whose results staging holds
	filled  int       // of them, as yet unread
	last    int       // the step that was submitted last
	held    []release
}

// upload is an input of every step.
type upload struct {
	host []float32
	at   int
}

type release interface{ Release() }

var _ gorgonia.VM = (*VM)(nil)

// New compiles a graph. Each RunAll then takes the inputs from where they lie in
// memory, as the tape machine does, and leaves there what graph.Keep asks for;
// the values of nodes are not set. It returns an error that names the operation
// if one has no shader, and an error if the device lacks the memory.
func New(d *Device, g *gorgonia.ExprGraph) (*VM, error) { return compile(d, g, nil, nil) }

// NewTraining compiles the graph of a training step, with Adam behind it. The
// parameters, which must be inputs of the graph whose gradients it keeps (as
// optim.Differentiate has it), go to the device now, and come home at Sync.
// Everything else that the graph keeps is read back after a few steps; seen is
// then called for each of those steps in order, with its number, while what it kept
// lies where it was asked for.
func NewTraining(d *Device, g *gorgonia.ExprGraph, params []*optim.Parameter, seen func(step int) error) (*VM, error) {
	return compile(d, g, params, seen)
}

// Results of so many steps are read at once: waiting for the device then costs
// little. A software device is slow enough as it is.
const lag = 16

func compile(d *Device, g *gorgonia.ExprGraph, params []*optim.Parameter, seen func(step int) error) (*VM, error) {
	prog, err := read(g)
	if err != nil {
		return nil, err
	}
	vm := &VM{d: d, params: params, seen: seen, slots: 1}
	if len(params) > 0 && !d.Adapter.Software {
		vm.slots = lag
	}
	stages, inside, err := lower(prog, d.limits.bindings)
	if err != nil {
		return nil, err
	}
	vm.stages = stages
	if err := vm.place(prog, inside); err != nil {
		return nil, err
	}
	if err := d.do("compiling", vm.build); err != nil {
		vm.Close()
		return nil, err
	}
	if len(params) > 0 {
		if err := d.do("uploading the parameters", vm.load); err != nil {
			vm.Close()
			return nil, err
		}
	}
	return vm, nil
}

// place decides where everything lies.
func (vm *VM) place(prog *program, inside map[*value]int) error {
	p := &plan{sizes: make([]int, temporary), placed: map[*value]bool{}, inside: inside}
	gradient := map[*float32]place{}
	for _, param := range vm.params {
		v := prog.nodes[param.Node]
		if v == nil {
			return fmt.Errorf("webgpu: nothing that is kept depends on the parameter %s", param.Name)
		}
		p.put(v, weights)
		gradient[&param.Grad[0]] = place{gradients, v.place.offset}
	}
	p.sizes[gradients] = p.sizes[weights]
	for _, v := range prog.inputs {
		if !p.placed[v] {
			p.put(v, inputs)
			vm.uploads = append(vm.uploads, upload{v.Host, v.place.offset})
		}
	}
	vm.rates = p.sizes[inputs]
	p.sizes[inputs] += align
	vm.upload = make([]float32, p.sizes[inputs])
	for _, k := range prog.kept {
		if at, ok := gradient[&k.dst[0]]; ok {
			delete(gradient, &k.dst[0])
			p.want(k.value, at)
			continue
		}
		at := place{results, p.sizes[results]}
		vm.kept, vm.at = append(vm.kept, k), append(vm.at, at)
		p.sizes[results] += aligned(k.Size())
		if !k.Known {
			p.want(k.value, at)
		}
	}
	if len(gradient) > 0 {
		return errors.New("webgpu: the graph does not keep the gradient of every parameter")
	}
	p.temporaries(vm.stages)
	vm.sizes, vm.copies = p.sizes, p.copies
	return nil
}

// build makes the buffers and the pipelines.
func (vm *VM) build() error {
	const storage = wgpu.BufferUsageStorage | wgpu.BufferUsageCopyDst | wgpu.BufferUsageCopySrc
	names := []string{"the batch", "the parameters", "the gradients", "the results"}
	for a, n := range vm.sizes {
		name := "an intermediate result"
		if a < len(names) {
			name = names[a]
		}
		b, err := vm.buffer(name, n, storage)
		if err != nil {
			return err
		}
		vm.buffers = append(vm.buffers, b)
	}
	var err error
	const read = wgpu.BufferUsageMapRead | wgpu.BufferUsageCopyDst
	if vm.staging, err = vm.buffer("what is read back", vm.sizes[results]*vm.slots, read); err != nil {
		return err
	}
	pipelines := map[string]*wgpu.ComputePipeline{}
	for _, s := range vm.stages {
		source, err := s.source()
		if err != nil {
			return err
		}
		names, values := s.bindings()
		written := len(names) - len(s.outs)
		var entries []wgpu.BindGroupEntry
		for i, v := range values {
			entries = append(entries, vm.entry(i, v.place, v.Size()))
		}
		layout, err := vm.layout(len(names), func(i int) bool { return i >= written })
		if err != nil {
			return err
		}
		if pipelines[source] == nil {
			if pipelines[source], err = vm.pipeline(s.name, source, layout); err != nil {
				return err
			}
		}
		group, err := vm.group(layout, entries)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		vm.pipelines, vm.groups = append(vm.pipelines, pipelines[source]), append(vm.groups, group)
	}
	if len(vm.params) == 0 {
		return nil
	}
	return vm.buildAdam(storage, read)
}

func (vm *VM) buildAdam(storage, read wgpu.BufferUsage) error {
	n := vm.sizes[weights]
	decay := vm.params[0].Decay
	for _, p := range vm.params {
		if p.Decay != decay {
			return fmt.Errorf("webgpu: the weight decay of %s is %v, that of %s is %v: all parameters of a graph must have one", vm.params[0].Name, decay, p.Name, p.Decay)
		}
	}
	var err error
	for i := range vm.moments {
		if vm.moments[i], err = vm.buffer("a moment of Adam", n, storage); err != nil {
			return err
		}
	}
	if vm.home, err = vm.buffer("what is saved", 3*n, read); err != nil {
		return err
	}
	groups, row := grid((n+255)/256, 1)
	vm.adamGrid = groups
	s := &stage{name: "adam", kernel: "adam", args: map[string]any{
		"Size": n, "Grid": row, "Epsilon": optim.Epsilon,
		"Decay": decay, "Beta1": optim.Beta1, "Rest1": 1 - optim.Beta1, "Beta2": optim.Beta2, "Rest2": 1 - optim.Beta2,
	}}
	source, err := s.source()
	if err != nil {
		return err
	}
	layout, err := vm.layout(5, func(i int) bool { return i != 1 && i != 4 })
	if err != nil {
		return err
	}
	if vm.adam, err = vm.pipeline(s.name, source, layout); err != nil {
		return err
	}
	vm.adamGroup, err = vm.group(layout, []wgpu.BindGroupEntry{
		vm.entry(0, place{weights, 0}, n),
		vm.entry(1, place{gradients, 0}, n),
		{Binding: 2, Buffer: vm.moments[0], Size: wgpu.WholeSize},
		{Binding: 3, Buffer: vm.moments[1], Size: wgpu.WholeSize},
		vm.entry(4, place{inputs, vm.rates}, 2),
	})
	return err
}

// hold remembers what is to be given back at Close.
func hold[T release](vm *VM, v T, err error) (T, error) {
	if err == nil {
		vm.held = append(vm.held, v)
	}
	return v, err
}

func (vm *VM) buffer(name string, n int, usage wgpu.BufferUsage) (*wgpu.Buffer, error) {
	b, err := vm.d.buffer(name, n, usage)
	return hold(vm, b, err)
}

func (vm *VM) entry(binding int, p place, n int) wgpu.BindGroupEntry {
	return wgpu.BindGroupEntry{Binding: uint32(binding), Buffer: vm.buffers[p.arena], Offset: uint64(p.offset) * 4, Size: uint64(n) * 4}
}

func (vm *VM) layout(n int, written func(i int) bool) (*wgpu.BindGroupLayout, error) {
	var entries []wgpu.BindGroupLayoutEntry
	for i := range n {
		kind := wgpu.BufferBindingTypeReadOnlyStorage
		if written(i) {
			kind = wgpu.BufferBindingTypeStorage
		}
		entries = append(entries, wgpu.BindGroupLayoutEntry{Binding: uint32(i), Visibility: wgpu.ShaderStageCompute, Buffer: wgpu.BufferBindingLayout{Type: kind}})
	}
	l, err := vm.d.gpu.TryCreateBindGroupLayout(&wgpu.BindGroupLayoutDescriptor{Entries: entries})
	return hold(vm, l, err)
}

func (vm *VM) group(l *wgpu.BindGroupLayout, entries []wgpu.BindGroupEntry) (*wgpu.BindGroup, error) {
	g, err := vm.d.gpu.TryCreateBindGroup(&wgpu.BindGroupDescriptor{Layout: l, Entries: entries})
	return hold(vm, g, err)
}

func (vm *VM) pipeline(name, source string, l *wgpu.BindGroupLayout) (*wgpu.ComputePipeline, error) {
	module, err := vm.d.gpu.TryCreateShaderModule(&wgpu.ShaderModuleDescriptor{Label: name, WGSLSource: &wgpu.ShaderSourceWGSL{Code: source}})
	if err != nil {
		return nil, fmt.Errorf("the shader of %s: %w", name, err)
	}
	defer module.Release()
	layout, err := vm.d.gpu.TryCreatePipelineLayout(&wgpu.PipelineLayoutDescriptor{BindGroupLayouts: []*wgpu.BindGroupLayout{l}})
	if err != nil {
		return nil, err
	}
	defer layout.Release()
	p, err := vm.d.gpu.TryCreateComputePipeline(&wgpu.ComputePipelineDescriptor{Label: name, Layout: layout, Compute: wgpu.ProgrammableStageDescriptor{Module: module, EntryPoint: "main"}})
	if err != nil {
		return nil, fmt.Errorf("the shader of %s: %w", name, err)
	}
	return hold(vm, p, nil)
}

// bytes is the memory of numbers.
func bytes(x []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), len(x)*4)
}

// load sends the parameters and their moments to the device.
func (vm *VM) load() error {
	all := make([]float32, vm.sizes[weights])
	for part, b := range []*wgpu.Buffer{vm.buffers[weights], vm.moments[0], vm.moments[1]} {
		at := 0
		for _, p := range vm.params {
			at += aligned(copy(all[at:], [][]float32{p.Data, p.M, p.V}[part]))
		}
		if err := vm.d.queue.TryWriteBuffer(b, 0, bytes(all)); err != nil {
			return err
		}
	}
	return nil
}

// submit uploads the inputs and runs the graph, and Adam with it.
func (vm *VM) submit(adam bool) error {
	for _, u := range vm.uploads {
		copy(vm.upload[u.at:], u.host)
	}
	if err := vm.d.queue.TryWriteBuffer(vm.buffers[inputs], 0, bytes(vm.upload)); err != nil {
		return err
	}
	e, err := vm.d.gpu.TryCreateCommandEncoder(nil)
	if err != nil {
		return err
	}
	defer e.Release()
	if err := vm.encode(e, adam); err != nil {
		return err
	}
	if n := uint64(vm.sizes[results]) * 4; n > 0 {
		if err := e.TryCopyBufferToBuffer(vm.buffers[results], 0, vm.staging, uint64(vm.filled)*n, n); err != nil {
			return err
		}
	}
	return vm.finish(e)
}

// finish submits what was recorded.
func (vm *VM) finish(e *wgpu.CommandEncoder) error {
	c, err := e.TryFinish(nil)
	if err != nil {
		return err
	}
	defer c.Release()
	vm.d.queue.Submit(c)
	return nil
}

// encode records the stages, in one pass if nothing has to be copied.
func (vm *VM) encode(e *wgpu.CommandEncoder, adam bool) error {
	pass := e.BeginComputePass(nil)
	for i, s := range vm.stages {
		dispatch(pass, vm.pipelines[i], vm.groups[i], s.groups)
	}
	if len(vm.copies) > 0 {
		if err := end(pass); err != nil {
			return err
		}
		if err := vm.copy(e); err != nil || !adam {
			return err
		}
		pass = e.BeginComputePass(nil)
	}
	if adam {
		dispatch(pass, vm.adam, vm.adamGroup, vm.adamGrid)
	}
	return end(pass)
}

func dispatch(pass *wgpu.ComputePassEncoder, p *wgpu.ComputePipeline, g *wgpu.BindGroup, n [3]int) {
	pass.SetPipeline(p)
	pass.SetBindGroup(0, g, nil)
	pass.DispatchWorkgroups(uint32(n[0]), uint32(n[1]), uint32(n[2]))
}

// end ends a pass; it must be given back before its commands are submitted.
func end(pass *wgpu.ComputePassEncoder) error {
	defer pass.Release()
	return pass.TryEnd()
}

func (vm *VM) copy(e *wgpu.CommandEncoder) error {
	for _, c := range vm.copies {
		from, to := c.from.place, c.to
		if err := e.TryCopyBufferToBuffer(vm.buffers[from.arena], uint64(from.offset)*4, vm.buffers[to.arena], uint64(to.offset)*4, uint64(c.from.Size())*4); err != nil {
			return err
		}
	}
	return nil
}

// collect waits for the device and hands every step's results over.
func (vm *VM) collect(seen func(step int) error) error {
	steps := vm.filled
	if steps == 0 {
		return nil
	}
	vm.filled = 0
	n := vm.sizes[results]
	all := make([]float32, steps*n)
	if err := vm.d.do("reading the results", func() error { return vm.fetch(vm.staging, all) }); err != nil {
		return err
	}
	for i := range steps {
		for k, keep := range vm.kept {
			if keep.Known {
				keep.dst[0] = keep.Num
				continue
			}
			copy(keep.dst, all[i*n+vm.at[k].offset:])
		}
		if seen == nil {
			continue
		}
		if err := seen(vm.last - steps + i + 1); err != nil {
			return err
		}
	}
	return nil
}

// fetch waits for the device and copies the start of a buffer.
func (vm *VM) fetch(b *wgpu.Buffer, dst []float32) error {
	if len(dst) == 0 {
		vm.d.gpu.Poll(true, nil)
		return nil
	}
	size := len(dst) * 4
	var status wgpu.MapAsyncStatus
	if err := b.TryMapAsync(wgpu.MapModeRead, 0, uint64(size), func(s wgpu.MapAsyncStatus) { status = s }); err != nil {
		return err
	}
	vm.d.gpu.Poll(true, nil)
	if status != wgpu.MapAsyncStatusSuccess {
		return fmt.Errorf("its memory cannot be read (%v)", status)
	}
	copy(bytes(dst), b.GetMappedRange(0, uint(size)))
	return b.TryUnmap()
}

// RunAll runs the graph and waits for what it keeps. Of a graph that trains, it
// computes no gradient that anyone sees, and changes no parameter.
func (vm *VM) RunAll() error {
	if err := vm.flush(); err != nil {
		return err
	}
	if err := vm.d.do("running the graph", func() error { return vm.submit(false) }); err != nil {
		return err
	}
	vm.filled = 1
	return vm.collect(nil)
}

func (vm *VM) flush() error { return vm.collect(vm.seen) }

// Step runs the graph and takes a step of Adam at a learning rate; step counts
// from 1.
func (vm *VM) Step(step int, rate float64) error {
	size, root := optim.Rates(step, rate)
	vm.upload[vm.rates], vm.upload[vm.rates+1] = size, root
	if err := vm.d.do("a training step", func() error { return vm.submit(true) }); err != nil {
		return err
	}
	vm.last = step
	if vm.filled++; vm.filled < vm.slots {
		return nil
	}
	return vm.flush()
}

// Sync waits for all steps, and brings the parameters and their moments home.
func (vm *VM) Sync() error {
	if err := vm.flush(); err != nil {
		return err
	}
	n := vm.sizes[weights]
	all := make([]float32, 3*n)
	err := vm.d.do("saving the parameters", func() error {
		e, err := vm.d.gpu.TryCreateCommandEncoder(nil)
		if err != nil {
			return err
		}
		defer e.Release()
		for part, b := range []*wgpu.Buffer{vm.buffers[weights], vm.moments[0], vm.moments[1]} {
			if err := e.TryCopyBufferToBuffer(b, 0, vm.home, uint64(part*n)*4, uint64(n)*4); err != nil {
				return err
			}
		}
		if err := vm.finish(e); err != nil {
			return err
		}
		return vm.fetch(vm.home, all)
	})
	if err != nil {
		return err
	}
	at := 0
	for _, p := range vm.params {
		copy(p.Data, all[at:])
		copy(p.M, all[n+at:])
		copy(p.V, all[2*n+at:])
		at += aligned(len(p.Data))
	}
	return nil
}

// Reset does nothing: a run leaves nothing behind that the next would see.
func (vm *VM) Reset() {}

// Close gives the device's memory back. What was not synced is lost.
func (vm *VM) Close() error {
	held := vm.held
	vm.held = nil
	if len(held) == 0 {
		return nil
	}
	err := vm.d.do("giving memory back", func() error {
		for _, h := range held {
			h.Release()
		}
		return nil
	})
	if errors.Is(err, ErrLost) {
		graveyard(held)
		return nil
	}
	return err
}

// Memory is how many bytes the compiled graph takes on the device.
func (vm *VM) Memory() int64 {
	var n int64
	for _, s := range vm.sizes {
		n += int64(s)
	}
	return 4 * (n + int64(5*vm.sizes[weights]) + int64(vm.sizes[results]*vm.slots))
}
