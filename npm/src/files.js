// Where the files of the package are. Bundlers find them by these lines.
export const simd = new URL("./mppm-simd.wasm", import.meta.url);
export const scalar = new URL("./mppm.wasm", import.meta.url);
export const mnist = new URL("./weights/mnist.safetensors", import.meta.url);
export const classifier = new URL("./weights/classifier.safetensors", import.meta.url);
