// Fetches the program, the model and the digits with a real progress bar, checks
// them, and starts the program. All else is in Go.
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  let failed = false;

  const fail = (text) => {
    if (failed) return;
    failed = true;
    $("work").dataset.state = "failed";
    $("loading").hidden = false;
    $("loading").setAttribute("role", "alert");
    $("loading-text").textContent = "This did not work";
    $("loading-detail").textContent = text;
    $("loading-bar").hidden = true;
  };

  // The address says what is on the screen: this link moves the focus alone.
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    $("work").focus();
  });

  // A module whose only function returns a vector: valid only with SIMD.
  const simd = () => WebAssembly.validate(new Uint8Array([
    0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, // \0asm, version 1
    1, 5, 1, 0x60, 0, 1, 0x7b, //          type: () -> v128
    3, 2, 1, 0, //                         one function of it
    10, 22, 1, 20, 0, 0xfd, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0b, // v128.const 0
  ]));

  const request = async (name) => {
    let response;
    try {
      response = await fetch(name);
    } catch {
      throw new Error(`The file ${name} could not be fetched. Are you online? Reload to try again.`);
    }
    if (!response.ok) throw new Error(`The file ${name} did not arrive: the server says ${response.status}. Reload to try again.`);
    return response;
  };

  // Where the host compresses, or the browser cannot unpack, a file is taken as
  // it is; else its .gz twin is taken and unpacked here.
  const open = async (name) => {
    const plain = await request(name);
    if (plain.headers.get("Content-Encoding") || plain.headers.get("X-Unpacked") || !("DecompressionStream" in window)) return plain.body;
    let packed;
    try {
      packed = await request(name + ".gz");
    } catch {
      return plain.body;
    }
    plain.body.cancel();
    // Some hosts mark .gz files as an encoding, and the browser has unpacked them.
    if (packed.headers.get("Content-Encoding")) return packed.body;
    return packed.body.pipeThrough(new DecompressionStream("gzip"));
  };

  // Keeps a file for the next visit, under the name that the service worker looks
  // for it: checked, unpacked, and not fetched twice. A browser that keeps nothing
  // fetches it again, and that is all.
  const keep = async (version, file, bytes) => {
    try {
      const scope = new URL("./", location).pathname;
      const cache = await caches.open(`mppm ${scope} ${version}`);
      await cache.put(file.name, new Response(bytes, { headers: { "X-Unpacked": "1" } }));
    } catch { /* no room, or a private window */ }
  };

  const get = async (file, progress) => {
    const bytes = new Uint8Array(file.size);
    const reader = (await open(file.name)).getReader();
    let at = 0;
    for (;;) {
      const { done, value } = await reader.read().catch((err) => {
        throw new Error(`The file ${file.name} did not arrive whole (${err.message}). Reload to try again.`);
      });
      if (done) break;
      if (at + value.length > bytes.length) throw new Error(`The file ${file.name} is longer than it should be. Reload to get all files anew.`);
      bytes.set(value, at);
      at += value.length;
      progress(value.length);
    }
    if (at !== bytes.length) throw new Error(`The file ${file.name} broke off after ${at} of ${bytes.length} bytes. Reload to try again.`);
    if (window.crypto && crypto.subtle) { // there only on https and on this machine
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
      const hex = Array.from(digest, (b) => b.toString(16).padStart(2, "0")).join("");
      if (hex !== file.sha256) throw new Error(`The file ${file.name} is not what was published (wrong checksum). Reload to get it anew.`);
    }
    return bytes;
  };

  // Ebitengine asks for every frame there is, for ever. It is given this in place
  // of requestAnimationFrame: while Go says that nothing moves, frames are held
  // back, and the page uses no processor time.
  const native = window.requestAnimationFrame;
  let resting = false;
  let held = null;
  const frame = (f) => {
    if (resting) held = f;
    else native(f);
    return 0;
  };
  const rest = (on) => {
    resting = on;
    if (!on && held) {
      native(held);
      held = null;
    }
  };

  // Once the page is there: the models to compare with, the curves, and what makes
  // the next visit instant. None may break what is there.
  const afterwards = async (manifest, files, contents) => {
    const late = await Promise.all(Object.entries({ ...manifest.curves, baselines: manifest.baselines }).map(async ([name, file]) => {
      const bytes = await get(file, () => {}).catch((err) => err.message);
      window.mppm.late(name, bytes);
      return { file, bytes };
    }));
    if (!("serviceWorker" in navigator) || !("caches" in window)) return;
    if (navigator.serviceWorker.controller) return; // the browser looks for a newer one by itself
    const all = [...files.map((file, i) => ({ file, bytes: contents[i] })), ...late.filter((f) => typeof f.bytes !== "string")];
    await Promise.all(all.map((f) => keep(manifest.version, f.file, f.bytes)));
    const program = simd() ? "simd" : "scalar";
    await navigator.serviceWorker.register(`sw.js?program=${program}`).catch(() => {});
  };

  const start = async () => {
    if (!("WebAssembly" in window)) throw new Error("This browser has no WebAssembly, or it is switched off. Any browser from 2020 on has it.");
    if (!document.createElement("canvas").getContext("webgl2")) throw new Error("This browser has no WebGL 2, or it is switched off: the page cannot draw. Try switching on hardware acceleration, or another browser.");
    const manifest = await (await request("manifest.json")).json();
    const program = simd() ? manifest.simd : manifest.scalar;
    const files = [program, manifest.weights, manifest.classifier, manifest.images, manifest.labels];
    const total = files.reduce((sum, f) => sum + f.size, 0);
    let have = 0;
    const progress = (n) => {
      if (failed) return;
      have += n;
      $("loading-bar").value = have / total;
      $("loading-detail").textContent = `${Math.floor((100 * have) / total)} % of ${(total / 1e6).toFixed(1)} MB, unpacked`;
    };
    const contents = await Promise.all(files.map((f) => get(f, progress)));
    const [wasm, weights, classifier, images, labels] = contents;
    $("loading-text").textContent = "Starting";
    const go = new Go();
    const { instance } = await WebAssembly.instantiate(wasm, go.importObject);
    window.mppm = {
      files: { weights, classifier, images, labels },
      ready() {
        delete window.mppm.files;
        $("work").dataset.state = "ready";
        $("loading").hidden = true;
        afterwards(manifest, files, contents);
      },
      fail,
      rest,
      memory: () => instance.exports.mem.buffer.byteLength, // of the program, in bytes
    };
    window.requestAnimationFrame = frame;
    const end = go.run(instance); // runs until the program waits for the first time
    window.requestAnimationFrame = native;
    await end;
    throw new Error("The program stopped unexpectedly. Reload to start it again.");
  };

  start().catch((err) => {
    console.error(err);
    fail(err.message);
  });
})();
