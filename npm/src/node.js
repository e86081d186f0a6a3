// The package in Node.
import { readFile } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import { MppmError, loader } from "./core.js";
import * as files from "./files.js";

export { MppmError };

// The bytes of a file, by its URL, its path or the answer of a server.
const bytes = async (source, signal) => {
  try {
    const url = typeof source === "string" && /^(https?|file):/.test(source) ? new URL(source) : source;
    if (typeof url === "string" || url.protocol === "file:") return await readFile(url, { signal });
    const response = url instanceof Response ? url : await fetch(url, { signal });
    if (!response.ok) throw new Error(`the server says ${response.status}`);
    return await response.arrayBuffer();
  } catch (cause) {
    throw new MppmError("fetch", `mppm: ${source.url ?? source} could not be read: ${cause.message}`, { cause });
  }
};

export const load = loader({
  files,

  async read(source, signal) {
    if (source instanceof ArrayBuffer) return new Uint8Array(source);
    if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
    return new Uint8Array(await bytes(source, signal)); // a Buffer may be a part of a larger one
  },

  compile: async (file) => WebAssembly.compile(await bytes(file)),

  worker() {
    const worker = new Worker(new URL("./worker-node.js", import.meta.url));
    return {
      send: (message) => worker.postMessage(message),
      listen(take, lost) {
        worker.on("message", take);
        worker.on("messageerror", () => lost("an answer did not arrive"));
        worker.on("error", (why) => lost(why.message));
        worker.on("exit", () => lost("it ended"));
      },
      // Whoever has no question open is not kept from ending.
      busy: (is) => (is ? worker.ref() : worker.unref()),
      close: () => { worker.terminate(); },
    };
  },
});
