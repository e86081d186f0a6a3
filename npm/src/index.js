// The package in a page, and in runtimes that have what pages have.
import { MppmError, loader } from "./core.js";
import * as files from "./files.js";

export { MppmError };

// Fetches a file, and takes what it is wanted for of the answer.
const get = async (source, signal, take) => {
  try {
    const response = source instanceof Response ? source : await fetch(source, { signal });
    if (!response.ok) throw new Error(`the server says ${response.status}`);
    return await take(response);
  } catch (cause) {
    throw new MppmError("fetch", `mppm: ${source.url ?? source} could not be fetched: ${cause.message}`, { cause });
  }
};

export const load = loader({
  files,

  async read(source, signal) {
    if (source instanceof ArrayBuffer) return new Uint8Array(source);
    if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
    return get(source, signal, async (response) => new Uint8Array(await response.arrayBuffer()));
  },

  compile: (file) => get(file, undefined, async (response) => {
    if (WebAssembly.compileStreaming && response.headers.get("Content-Type") === "application/wasm") return WebAssembly.compileStreaming(response);
    return WebAssembly.compile(await response.arrayBuffer());
  }),

  worker() {
    const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    return {
      send: (message) => worker.postMessage(message),
      listen(take, lost) {
        worker.onmessage = ({ data }) => take(data);
        worker.onmessageerror = () => lost("an answer did not arrive");
        worker.onerror = (event) => {
          event.preventDefault?.(); // whoever asked is told
          lost(event.message || "its script did not run");
        };
      },
      busy() {},
      close: () => worker.terminate(),
    };
  },
});
