package compliance

import (
	"testing"

	"gorgonia.org/gorgonia"
)

func TestTapeMachine(t *testing.T) {
	Operations(t, func(g *gorgonia.ExprGraph) (gorgonia.VM, error) { return gorgonia.NewTapeMachine(g), nil })
}
