// What the edge runs for addresses that are no file of the page: it starts the
// Go program with the first of them, and hands every one to the same program.
// All else is in Go.
//
// One program for all requests is sound because Go never waits for anything
// outside: the body is read here, before, and the answer comes whole. So nothing
// of one request is left when Go returns, and none can wake another's.
import "./build/wasm_exec.js";
import "./build/kernel.js";
import module from "./build/app.wasm";
import kernel from "./build/kernel.wasm";
import link from "./build/link.wasm";

// So many bytes of a body are kept, one more than the program takes: it says what
// is too much. So many are read, and dropped, that the connection stays usable.
const KEPT = 24 * (1 << 20) + 1;
const READ = 1 << 26;

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
  const linked = mppmKernel({ kernel, link });
  const imports = { ...go.importObject, ...linked.imports, workers: { ready: () => { ready = true; } } };
  const instance = new WebAssembly.Instance(module, imports);
  linked.join(instance);
  go.run(instance); // returns when Go waits
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

// wholeOf returns a request with all of its body there, and without any where HTTP
// gives it no meaning: no request may be made with one. It throws where the
// request cannot be made whole.
async function wholeOf(request) {
  const { url, method, headers } = request;
  const body = await bodyOf(request); // of a GET too: what is not read blocks the connection
  if (/%(?![0-9a-f]{2})/i.test(new URL(url).pathname)) throw new Error(`${url} is wrongly encoded`);
  return new Request(url, { method, headers, body: method === "GET" || method === "HEAD" ? undefined : body });
}

async function answer(whole) {
  program ??= start();
  return new Promise((resolve, reject) => {
    waiting.add(reject);
    program.handleRequest(whole).then(resolve, reject).finally(() => waiting.delete(reject));
  });
}

// problem returns an error as the program would (RFC 9457).
function problem(status, title, detail) {
  return Response.json(
    { title, status, detail },
    { status, headers: { "Content-Type": "application/problem+json", "Cache-Control": "no-store", "Access-Control-Allow-Origin": "*" } },
  );
}

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname !== "/s" && !pathname.startsWith("/api/")) return env.ASSETS.fetch(request);
    let whole;
    try {
      whole = await wholeOf(request);
    } catch { // the program has no part in it, and lives on
      return problem(400, "Bad Request", "the request broke off, or is none that can be read; send it again");
    }
    try {
      return await answer(whole);
    } catch (error) {
      console.error(error);
      program = undefined; // the next request gets a new one
      return problem(500, "Internal Server Error", "this went wrong here, not with you; the same request may work later");
    }
  },
};
