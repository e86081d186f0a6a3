package judge

import (
	"fmt"
	"strings"
	"testing"

	"mppm/shared/classifier"
)

// TestNoGradientOfImages: of the two convolutions, only the second one's input has
// a gradient. The first one's are the images, which do not learn.
func TestNoGradientOfImages(t *testing.T) {
	n, err := newNet(2, newParameters(Default()))
	if err != nil {
		t.Fatal(err)
	}
	var of []string
	for _, node := range n.graph.AllNodes() {
		if op := fmt.Sprint(node.Op()); strings.HasPrefix(op, "convInput(") {
			of = append(of, op)
		}
	}
	second := classifier.Digits.Steps()[2].Geometry()
	if len(of) != 1 || !strings.Contains(of[0], fmt.Sprint(second)) {
		t.Errorf("the graph has gradients of the inputs %q, want that of %v alone", of, second)
	}
}
