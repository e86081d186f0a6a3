package classifier

import (
	"fmt"
	"strings"
	"testing"

	"mppm/shared/classifier"
	"mppm/trainer/internal/netgraph"
)

// TestNoGradientOfImages: of the two convolutions, only the second one's input has
// a gradient. The first one's are the images, which do not learn.
func TestNoGradientOfImages(t *testing.T) {
	task := New(Default(), nil)
	task.params = netgraph.Parameters(1, 0, classifier.Digits)
	s, err := task.build(2)
	if err != nil {
		t.Fatal(err)
	}
	var of []string
	for _, node := range s.Graphs[0].Expr().AllNodes() {
		if op := fmt.Sprint(node.Op()); strings.HasPrefix(op, "convInput(") {
			of = append(of, op)
		}
	}
	second := classifier.Digits.Steps()[2].Geometry()
	if len(of) != 1 || !strings.Contains(of[0], fmt.Sprint(second)) {
		t.Errorf("the graph has gradients of the inputs %q, want that of %v alone", of, second)
	}
}
