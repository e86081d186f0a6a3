// How the page's files are fetched, checked and kept: one way for the page, for its
// service worker and for the workers that compute, whose scripts the build puts this
// before.
"use strict";
const files = (() => {
  // Scripts of workers that compute lie in a folder of the page's.
  const scope = new URL(self.document || self.registration ? "./" : "../", self.location);

  // What a browser lacks, or does not allow, is undefined. Where the data of sites
  // is blocked, asking for it throws.
  const optional = (read) => {
    try {
      return read();
    } catch {
      return undefined;
    }
  };

  // Where a version of the page is kept. A lock of the same name is held by whoever
  // needs it: a version that is locked is not deleted.
  const prefix = `mppm: ${scope.pathname} `;
  const cacheName = (version) => prefix + version;

  const ask = async (name, options) => {
    if (scope.protocol === "file:") {
      throw new Error("This page was opened as a file, and so the browser gives it no other file. Open it through a server: run `make demo` in the project's folder and go to the address that it prints, or put the folder on any web host.");
    }
    const response = await fetch(new URL(name, scope), options).catch(() => {
      throw new Error(`The file ${name} could not be fetched. Are you online, and does your network want you to sign in first? Reload to try again.`);
    });
    if (!response.ok) throw new Error(`The file ${name} did not arrive: the server says ${response.status}. Reload to try again.`);
    return response;
  };

  // Reads a stream, of no more than size bytes, and tells progress how many have
  // come.
  const read = async (stream, { name, size }, progress) => {
    const bytes = new Uint8Array(size);
    const reader = stream.getReader();
    for (let at = 0; ;) {
      const { done, value } = await reader.read().catch((err) => {
        throw new Error(`The file ${name} did not arrive whole (${err.message}). Reload to try again.`);
      });
      if (done) return bytes.subarray(0, at);
      if (at + value.length > size) {
        reader.cancel().catch(() => {});
        bytes.set(value.subarray(0, size - at), at);
        throw strange(name, bytes) || new Error(`The file ${name} is longer than it should be. Reload to get all files anew.`);
      }
      bytes.set(value, at);
      at += value.length;
      progress(at);
    }
  };

  // A web page in place of a file, which none of the files that are checked is.
  const strange = (name, bytes) => {
    if (!/^\s*<(!doctype|!--|html|head|body|script|meta)/i.test(new TextDecoder().decode(bytes.subarray(0, 256)))) return null;
    return new Error(`In place of the file ${name} came a web page. Does your network want you to sign in first? Do so in another tab. Or the site has just been published anew, or not all of it. Then reload.`);
  };

  const check = async (bytes, { name, size, sha256 }) => {
    const web = strange(name, bytes);
    if (bytes.length !== size) throw web || new Error(`The file ${name} did not arrive whole: it broke off after ${bytes.length} of ${size} bytes. Reload to try again.`);
    const subtle = optional(() => crypto.subtle); // there only on https and on this machine
    if (subtle) {
      const digest = new Uint8Array(await subtle.digest("SHA-256", bytes));
      const hex = Array.from(digest, (b) => b.toString(16).padStart(2, "0")).join("");
      if (hex !== sha256) throw web || new Error(`The file ${name} is not what was published (wrong checksum). Reload to get it anew.`);
    } else if (web) {
      throw web;
    }
    return bytes;
  };

  // An answer, unpacked if it is packed: hosts differ in what they say of a .gz file,
  // and browsers unpack it or not, but how it begins is certain.
  const unpacked = async (response) => {
    const reader = response.body.getReader();
    const start = [];
    for (let n = 0; n < 2;) {
      const { done, value } = await reader.read();
      if (done) break;
      start.push(value);
      n += value.length;
    }
    const stream = new ReadableStream({
      async pull(c) {
        if (start.length) return c.enqueue(start.shift());
        const { done, value } = await reader.read();
        if (done) c.close();
        else c.enqueue(value);
      },
      cancel: (why) => reader.cancel(why),
    });
    const [a, b] = start.length && start[0].length > 1 ? start[0] : start.map((s) => s[0]);
    if (a !== 0x1f || b !== 0x8b) return { response: new Response(stream), packed: false };
    return { response: new Response(stream.pipeThrough(new DecompressionStream("gzip"))), packed: true };
  };

  // The bytes of a file of the manifest, checked. Where the host does not compress,
  // its .gz twin is taken and unpacked here; where that is not there, or is not what
  // it should be, the file as it is. Whoever wants the bytes as they come, unchecked,
  // is given them as an answer, and another if that was not the right one.
  const get = async (file, progress = () => {}, coming = null) => {
    const take = async (response) => {
      if (coming) coming(response.clone());
      return check(await read(response.body, file, progress), file);
    };
    let plain = await ask(file.name);
    const coded = plain.headers.get("Content-Encoding") || plain.headers.get("X-Unpacked");
    if (!coded && "DecompressionStream" in self) {
      try {
        const twin = await unpacked(await ask(`${file.name}.gz`));
        if (twin.packed) {
          plain.body.cancel().catch(() => {}); // not both over one line
          plain = null;
        }
        return await take(twin.response);
      } catch {
        progress(0);
      }
    }
    return take(plain || await ask(file.name));
  };

  // A program, compiled as it comes, and its bytes, which are checked before any of it
  // runs. A browser keeps what it compiled, for the next visit, if it is given the
  // answer of a host; where the host gives it the wrong type, or it is unpacked here, one
  // made of the same bytes does, and is compiled anew each time.
  const compile = async (file, progress) => {
    let module;
    const bytes = await get(file, progress, (response) => {
      if (!WebAssembly.compileStreaming) return;
      const own = response.headers.get("Content-Type") === "application/wasm";
      const given = own ? response : new Response(response.body, { headers: { "Content-Type": "application/wasm" } });
      module = WebAssembly.compileStreaming(given).catch(() => null);
    });
    return { bytes, module: (await module) || (await WebAssembly.compile(bytes)) };
  };

  const types = {
    css: "text/css; charset=utf-8", js: "text/javascript; charset=utf-8", json: "application/json",
    svg: "image/svg+xml", wasm: "application/wasm", html: "text/html; charset=utf-8",
  };

  // A file as it is kept: unpacked, and with its type, without which a browser neither
  // compiles a program as it comes nor keeps what it compiled.
  const answer = (file, bytes) => {
    const type = types[file.name.split(".").pop()] || "application/octet-stream";
    return new Response(bytes, { headers: { "Content-Type": type, "X-Unpacked": "1" } });
  };

  // Keeps a file for the next visit, under the name that the service worker looks
  // for it: checked, unpacked, and not fetched twice. A browser that keeps nothing
  // fetches it again, and that is all.
  const keep = async (file, bytes, version) => {
    try {
      const cache = await caches.open(cacheName(version));
      await cache.put(new URL(file.name, scope), answer(file, bytes));
    } catch { /* no room, or a private window */ }
  };

  return { scope, optional, prefix, cacheName, types, ask, get, compile, check, answer, keep };
})();
