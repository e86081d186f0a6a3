package weights

import _ "embed"

// DAE is a safetensors file for package latent: a denoising autoencoder, which is
// a model without the distance, in eight bits.
//
//go:embed dae.safetensors
var DAE []byte

// LDM is a safetensors file for package ldm: diffusion in the latent space of
// DAE, in eight bits.
//
//go:embed ldm.safetensors
var LDM []byte
