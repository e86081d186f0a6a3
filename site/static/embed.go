// Package static holds the page's test digits, for programs of the site that
// show them without the page.
package static

import _ "embed"

// Images and Labels are IDX files: 28 × 28 digits of MNIST's test set, and their
// classes.
var (
	//go:embed digits-images.idx
	Images []byte

	//go:embed digits-labels.idx
	Labels []byte
)
