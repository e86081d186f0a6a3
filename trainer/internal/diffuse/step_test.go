package diffuse

import "gorgonia.org/gorgonia"

// step runs the graph on the tape machine, on the batch that lies in in and noise.
func (t *net) step() error {
	vm := gorgonia.NewTapeMachine(t.graph)
	defer vm.Close()
	return vm.RunAll()
}
