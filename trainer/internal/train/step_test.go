package train

import "gorgonia.org/gorgonia"

// step runs the graph on the batch that lies in clean and noisy, which leaves
// the gradients in the parameters and the terms of the loss in terms.
func (t *net) step() error {
	vm := gorgonia.NewTapeMachine(t.params[0].Node.Graph())
	defer vm.Close()
	return vm.RunAll()
}
