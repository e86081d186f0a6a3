// One of the pool: this project's inference in a worker. The page sends the compiled
// program and the weights first, and then digits, which come back restored.
"use strict";
importScripts("wasm_exec.js", "kernel.js");
const start = ({ program, weights }) => new Promise((ready, failed) => {
  self.mppmBench = { weights, ready, fail: (text) => failed(new Error(text)) };
  const go = new Go(), kernel = mppmKernel();
  WebAssembly.instantiate(program, { ...go.importObject, ...kernel.imports }).then((instance) => {
    kernel.join(instance);
    go.run(instance);
  }, failed);
});
self.onmessage = ({ data }) => {
  if (data instanceof Float32Array) {
    const restored = new Float32Array(data.length);
    self.mppmBench.restore(restored, data);
    self.postMessage(restored, [restored.buffer]);
    return;
  }
  start(data).then(() => self.postMessage("ready"), (err) => setTimeout(() => { throw err; }));
};
