package judge

import "gorgonia.org/gorgonia"

// step runs the graph on the tape machine, on the batch that lies in images and targets.
func (t *net) step() error {
	vm := gorgonia.NewTapeMachine(t.graph)
	defer vm.Close()
	return vm.RunAll()
}
