// Package shared holds the inference of mppm, in packages on the standard library alone. It
// has no code of its own: this says where to begin.
//
// Images that belong together, as those of handwritten digits do, fill a tiny part of the
// space of all images: a manifold. A damaged image lies off it. The Manifold-Probabilistic
// Projection Model (L. Bar, L. Mor Yosef, S. Zucker, N. Shoham, I. Seroussi and N. Sochen,
// "A Geometric Unification of Generative AI with Manifold-Probabilistic Projection Models")
// learns the distance D to it, and leads a point back step by step: down the distance, and
// up the density of known points. Noise that is led back so becomes a new image. "The paper"
// is that one, wherever its sections, equations, algorithms and tables are named.
//
// These names are used throughout:
//
//	F    the encoder, from an image x to its code z, a few numbers
//	G    the decoder, from a code to an image; also called the generator
//	D    the learned distance of a code, or a point, to those of clean images; 0 or more
//	d    how many numbers a code has; in comments beside it, n is how many images there are
//	α, β the share of the distance, and of the density's pull, in a step
//	σ    a width: of noise, in pixels' own units, or of a kernel
//
// Begin with package latent, which restores and grows images; package ambient does so for
// points in space, with nothing in between. Package weights has what to give them. Images are
// []float32, row by row, 0 black to 1 white, the channels of a pixel side by side. All packages
// give the same bits on every platform.
package shared
