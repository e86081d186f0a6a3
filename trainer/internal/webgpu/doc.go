// Package webgpu runs Gorgonia's graphs on a GPU: any that Vulkan, Metal or
// Direct3D 12 drives, through WebGPU.
//
// A graph is compiled once. Its operations (those of package graph, and the sums
// that gorgonia.Grad adds) become shaders with every size in them as a constant;
// what works element by element is fused into the shader before it, numbers that
// are known are folded, and what nobody reads is left out. Memory is planned from
// when each value is last read. Parameters, gradients and Adam's moments stay on
// the device: a step uploads a batch, submits once, and reads nothing back but
// what the graph keeps, and that only every few steps.
//
// An operation that has no shader is an error that names it when the graph is
// compiled. A device that is lost, that runs out of memory or that does not
// answer is an error too, whatever the driver underneath makes of it.
//
// All but the type Adapter needs cgo and the build tag webgpu: the library it is
// built on comes with hundreds of megabytes of compiled code.
package webgpu
