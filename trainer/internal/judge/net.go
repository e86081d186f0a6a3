package judge

import (
	"gorgonia.org/gorgonia"

	"mppm/shared/classifier"
	"mppm/trainer/internal/graph"
	"mppm/trainer/internal/netgraph"
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
	b := netgraph.New(params)
	t.graph = b.Graph
	x := b.Matrix("images", n, classifier.Pixels, t.images)
	targets := b.Matrix("targets", n, classifier.Classes, t.targets)
	logits := b.Apply(classifier.Digits, x).Out()
	loss := b.Do(func() (*gorgonia.Node, error) { return graph.CrossEntropy(logits, targets) })
	b.Keep("loss", loss, t.loss[:])
	b.Keep("logits", logits, t.logits)
	if err := b.Err(); err != nil {
		return nil, err
	}
	if err := optim.Differentiate(loss, params); err != nil {
		return nil, err
	}
	return t, nil
}
