package weights

import _ "embed"

// Faces is a safetensors file for package latent: a U-Net with distances for faces in
// color, in eight bits, trained on faces that image generators made, of nobody.
//
//go:embed faces.safetensors
var Faces []byte

// FacesDAE is the denoising autoencoder to compare with Faces: a U-Net without a distance.
//
//go:embed faces-dae.safetensors
var FacesDAE []byte

// FacesLDM is the latent diffusion model to compare with Faces, with the nets of FacesDAE.
//
//go:embed faces-ldm.safetensors
var FacesLDM []byte

// Drawn is Faces for faces that were drawn, as make drawn-faces draws them.
//
//go:embed drawn.safetensors
var Drawn []byte

// DrawnDAE is the denoising autoencoder to compare with Drawn.
//
//go:embed drawn-dae.safetensors
var DrawnDAE []byte

// DrawnLDM is the latent diffusion model to compare with Drawn, with the nets of DrawnDAE.
//
//go:embed drawn-ldm.safetensors
var DrawnLDM []byte
