// Package weights holds the weights that ship with the project. The model card
// beside them, README.md, says how each file was made and how well it does.
package weights

import _ "embed"

// MNIST is a safetensors file for package latent: the model of Sec. 4.2 for
// handwritten digits, in eight bits.
//
//go:embed mnist.safetensors
var MNIST []byte

// Classifier is a safetensors file for package classifier: the net that reads
// digits, in eight bits.
//
//go:embed classifier.safetensors
var Classifier []byte
