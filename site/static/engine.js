// Runs an engine in a worker: a program that computes for the page. The build puts
// wasm_exec.js, kernel.js and files.js before this. The page sends the compiled program
// first, or which file it is in, and then messages, each with a file or without; or, before those, what the first restoration
// needs, and a port that takes its pictures.
"use strict";
(() => {
  const inbox = [];
  let first;
  // A message to oneself comes in a task of its own, after those of the page that wait.
  const pause = new MessageChannel();
  const engine = {
    take: () => inbox.shift(),
    send: (bytes) => self.postMessage(bytes, [bytes.buffer]),
    rest: () => pause.port2.postMessage(0),
    wake() {}, // set by the program
    first: () => {
      const page = first;
      first = undefined;
      return page;
    },
    show: (page, picture) => page.port.postMessage(picture, Object.values(picture).flatMap((v) => (v && v.buffer) || [])),
  };
  pause.port1.onmessage = () => engine.wake();
  self.mppmEngine = engine;

  // fetched is the program in a file, which is kept for a version of the page, if any.
  const fetched = async (file, version) => {
    const { bytes, module } = await files.compile(file, () => {});
    if (version) files.keep(file, bytes, version);
    return module;
  };

  const run = async (asked) => {
    const { vectors } = asked;
    const program = asked.program || await fetched(asked.fetch, asked.keep);
    const go = new Go();
    const kernel = vectors && mppmKernel();
    const instance = await WebAssembly.instantiate(program, { ...go.importObject, ...(kernel && kernel.imports) });
    if (kernel) kernel.join(instance);
    await go.run(instance);
    throw new Error("the engine stopped");
  };

  self.onmessage = ({ data }) => {
    if (Array.isArray(data)) {
      inbox.push(data);
      engine.wake();
      return;
    }
    if (data.first) {
      const page = first = data.first;
      page.port.onmessage = () => { page.over = true; };
      engine.wake();
      return;
    }
    // Of a promise that is broken the page would not hear.
    run(data).catch((err) => setTimeout(() => { throw err; }));
  };
})();
