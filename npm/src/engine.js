// Starts the program, in a worker or beside whoever asks. What it computes is in Go.
import { parts } from "./go.js"; // Go's own script and the kernels, as a function: see ../pack

// All that the program sees of the outside. With the global object in its place, Go would
// leave things there, in the page of somebody else.
const outside = () => ({
  Object, Array, Uint8Array, Float32Array, Error, Date,
  crypto: globalThis.crypto, performance: globalThis.performance, TextEncoder, TextDecoder,
});

/**
 * Starts the program.
 * @param {{ module: WebAssembly.Module, vectors: boolean }} program compiled, and whether it is the one with SIMD
 * @param {(why: Error) => void} ended is told once, if the program ends by itself
 * @returns {Promise<(name: string, question: object) => object>} what answers a question
 */
export const start = async ({ module, vectors }, ended) => {
  const scope = outside();
  const { Go, mppmKernel } = parts(scope);
  const go = new Go();
  const kernel = vectors && mppmKernel();
  const instance = await WebAssembly.instantiate(module, { ...go.importObject, ...(kernel && kernel.imports) });
  if (kernel) kernel.join(instance);
  const gone = new Error("the program has ended; what it was at is lost: load the model again");
  go.run(instance).then(() => ended(gone), (err) => ended(err));
  return (name, question) => {
    const answer = scope.ask(name, question);
    if (!answer) throw gone; // it ended while it was asked
    return answer;
  };
};

/** The buffers of an answer's arrays, which change hands. */
export const buffers = ({ value }) => {
  if (value instanceof Float32Array) return [value.buffer];
  return Object.values(value || {}).filter((v) => v instanceof Float32Array).map((v) => v.buffer);
};
