package judge

import (
	"gorgonia.org/gorgonia"

	"mppm/shared/classifier"
	"mppm/shared/nn"
	"mppm/trainer/internal/graph"
	"mppm/trainer/internal/optim"
)

// net is the graph of one training step.
type net struct {
	images  []float32 // the batch, batch × Pixels
	targets []float32 // batch × Classes: 1 at the digit's class
	loss    [1]float32
	logits  []float32 // batch × Classes
	graph   *gorgonia.ExprGraph
}

// newNet builds the classifier and its loss for batches of n images.
func newNet(n int, params []*optim.Parameter) (*net, error) {
	t := &net{images: make([]float32, n*classifier.Pixels), targets: make([]float32, n*classifier.Classes), logits: make([]float32, n*classifier.Classes)}
	g := gorgonia.NewGraph()
	t.graph = g
	nodes := map[string]*gorgonia.Node{}
	for _, p := range params {
		p.AddTo(g)
		nodes[p.Name] = p.Node
	}
	x := optim.Matrix(g, "images", n, classifier.Pixels, t.images)
	targets := optim.Matrix(g, "targets", n, classifier.Classes, t.targets)
	type node = *gorgonia.Node
	first := func(x, w, b node) (node, error) { return graph.ConvOfData(classifier.Outer, x, w, b) }
	second := func(x, w, b node) (node, error) { return graph.Conv(classifier.Inner, x, w, b) }
	for _, l := range []struct {
		name       string
		apply      func(x, w, b node) (node, error)
		activation nn.Activation
	}{
		{"conv1", first, nn.ReLU},
		{"conv2", second, nn.ReLU},
		{"embedding", graph.Linear, nn.ReLU},
		{"classes", graph.Linear, nn.Identity},
	} {
		var err error
		if x, err = l.apply(x, nodes[l.name+".weight"], nodes[l.name+".bias"]); err != nil {
			return nil, err
		}
		if l.activation == nn.Identity {
			continue
		}
		if x, err = graph.Activate(l.activation, x); err != nil {
			return nil, err
		}
	}
	loss, err := graph.CrossEntropy(x, targets)
	if err != nil {
		return nil, err
	}
	if err := graph.Keep("loss", loss, t.loss[:]); err != nil {
		return nil, err
	}
	if err := graph.Keep("logits", x, t.logits); err != nil {
		return nil, err
	}
	if err := optim.Differentiate(loss, params); err != nil {
		return nil, err
	}
	return t, nil
}
