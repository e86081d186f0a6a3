//go:build js && wasm && goexperiment.simd

package main

const simd = true
