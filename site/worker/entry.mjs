// What the edge runs for addresses that are no file of the page: it starts the
// Go program with the first of them, and hands every one to the same program.
// All else is in Go.
//
// One program for all requests is sound because Go never waits for anything
// outside: the body is read here, before, and the answer comes whole. So nothing
// of one request is left when Go returns, and none can wake another's.
import "./build/wasm_exec.js";
import module from "./build/app.wasm";

// So many bytes of a body are kept, one more than the program takes: it says what
// is too much. So many are read, and dropped, that the connection stays usable.
const KEPT = (1 << 20) + 1;
const READ = 1 << 24;

let program; // the one that runs
const waiting = new Set(); // what to call for each request if it ends

function start() {
  const go = new Go();
  const binding = {};
  let ready = false;
  globalThis.context = { binding };
  go.exit = (code) => {
    program = undefined;
    for (const reject of waiting) reject(new Error(`the program ended with code ${code}`));
  };
  const imports = { ...go.importObject, workers: { ready: () => { ready = true; } } };
  go.run(new WebAssembly.Instance(module, imports)); // returns when Go waits
  if (!ready) throw new Error("the program did not start");
  return binding;
}

async function bodyOf(request) {
  if (!request.body) return undefined;
  const parts = [];
  let size = 0;
  for await (const part of request.body) {
    if (size < KEPT) parts.push(part);
    size += part.length;
    if (size > READ) break;
  }
  return new Blob(parts);
}

async function answer(request) {
  const { url, method, headers } = request;
  const whole = new Request(url, { method, headers, body: await bodyOf(request) });
  program ??= start();
  return new Promise((resolve, reject) => {
    waiting.add(reject);
    program.handleRequest(whole).then(resolve, reject).finally(() => waiting.delete(reject));
  });
}

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname !== "/s" && !pathname.startsWith("/api/")) return env.ASSETS.fetch(request);
    try {
      return await answer(request);
    } catch (error) {
      console.error(error);
      program = undefined; // the next request gets a new one
      const detail = "this went wrong here, not with you; the same request may work later";
      return Response.json(
        { title: "Internal Server Error", status: 500, detail },
        { status: 500, headers: { "Content-Type": "application/problem+json", "Cache-Control": "no-store", "Access-Control-Allow-Origin": "*" } },
      );
    }
  },
};
