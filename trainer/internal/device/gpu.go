//go:build webgpu

package device

import (
	"gorgonia.org/gorgonia"

	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/webgpu"
)

// Adapters lists the GPUs, the fastest kind first.
func Adapters() ([]webgpu.Adapter, error) { return webgpu.Adapters(), nil }

// worthwhile reports whether Auto finds a GPU: one that is no software.
func worthwhile() bool {
	all := webgpu.Adapters()
	return len(all) > 0 && !all[0].Software
}

// machine is a graph on a device of its own.
type machine struct {
	*webgpu.VM
	device *webgpu.Device
}

func (m machine) Close() error {
	err := m.VM.Close()
	if closing := m.device.Close(); err == nil {
		err = closing
	}
	return err
}

// gpu is Start on a GPU. It returns no machine if Auto finds none worth it.
func (c Choice) gpu(g *gorgonia.ExprGraph, params []*optim.Parameter, seen func(step int) error) (optim.Machine, string, error) {
	name := string(c)
	switch c {
	case Auto:
		if !worthwhile() {
			return nil, "", nil
		}
		name = ""
	case GPU:
		name = ""
	}
	d, err := webgpu.Open(name)
	if err != nil {
		return nil, "", err
	}
	vm, err := webgpu.NewTraining(d, g, params, seen)
	if err != nil {
		d.Close()
		return nil, "", err
	}
	return machine{vm, d}, d.Adapter.String(), nil
}
