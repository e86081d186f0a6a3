// Fetches, with a real progress bar, what an engine needs for the first restoration, which
// is shown at once, then the program, checks all of it, and starts the program. All else
// is in Go.
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  if (typeof files === "undefined") return; // did not arrive: what to do then, the page itself says
  $("loading-detail").textContent = "\u00a0";
  $("loading-detail").className = "";
  let failed = false;

  const fail = (text) => {
    if (failed) return;
    failed = true;
    $("work").dataset.state = "failed";
    $("stage").append($("loading"));
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

  // While a page of a version is there, it holds that version's lock: no worker
  // deletes the files that it may still need. A page that the browser puts aside, to
  // come back to, lets go: with a lock it would not be put aside.
  const version = document.querySelector('meta[name="version"]').content;
  const locks = files.optional(() => navigator.locks);
  let release = () => {};
  const hold = () => {
    if (locks) locks.request(files.cacheName(version), { mode: "shared" }, () => new Promise((done) => { release = done; })).catch(() => {});
  };
  hold();
  addEventListener("pagehide", () => release());
  addEventListener("pageshow", (event) => { if (event.persisted) hold(); });

  const keep = (file, bytes) => files.keep(file, bytes, version);

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

  // syscall/js lets what a getter throws pass through Go, which does not live on; and
  // any getter of the browser may throw, as that of localStorage does where the data
  // of sites is blocked. Go is given undefined, which is a number 0 where its results
  // lie, as by a browser that has no such thing. A setter that throws has set nothing.
  const shield = (go) => {
    const gojs = go.importObject.gojs;
    const get = gojs["syscall/js.valueGet"];
    const set = gojs["syscall/js.valueSet"];
    gojs["syscall/js.valueGet"] = (sp) => {
      try {
        get(sp);
      } catch {
        go.mem.setFloat64((sp >>> 0) + 32, 0, true);
      }
    };
    gojs["syscall/js.valueSet"] = (sp) => {
      try {
        set(sp);
      } catch { /* as said */ }
    };
  };

  // Programs that compute beside the page's own, in workers, the first from the start: none
  // waits for another. What they are sent before they are compiled waits in the worker. The
  // page computes by itself where there are none, and where one is lost.
  const launch = (file, compiled, vectors) => {
    const worker = new Worker(new URL(file.name, files.scope));
    worker.onerror = () => { worker.lost = true; }; // until the program listens
    compiled.then(({ module }) => worker.postMessage({ program: module, vectors })).catch(() => {
      worker.dispatchEvent(new Event("error"));
    });
    return worker;
  };
  const engines = (file, compiled, vectors) => {
    const first = files.optional(() => launch(file, compiled, vectors));
    let free = first;
    return {
      first,
      hire() {
        const worker = free || launch(file, compiled, vectors);
        free = null;
        return worker;
      },
    };
  };

  // The program that trains runs as an engine does, and is fetched when somebody trains: by
  // the worker itself, so that the page does not stutter.
  const trainers = ({ script, simd, scalar }, vectors) => () => {
    const worker = new Worker(new URL(script.name, files.scope));
    const workers = files.optional(() => navigator.serviceWorker);
    worker.postMessage({ fetch: vectors ? simd : scalar, vectors, keep: workers && workers.controller ? version : "" });
    return worker;
  };

  // The first restoration, which an engine computes, plays and paints while the program
  // is on its way: here its pictures are put where the program's will be, and taken away
  // by end() once those are there.
  const show = (engine, weights, images, labels, faces) => {
    const { port1, port2 } = new MessageChannel();
    const root = getComputedStyle(document.documentElement);
    const colors = Object.fromEntries(["--ground", "--ink", "--line", "--muted", "--accent", "--raise", "--dae", "--ddpm", "--own", "--classes", "--cool"].map((name) => [name, root.getPropertyValue(name)]));
    const ratio = devicePixelRatio || 1, stage = $("stage"), within = stage.getBoundingClientRect();
    // Where the program will draw: in whole pixels of the screen, counted from the stage.
    const places = Object.fromEntries(["original", "degraded", "restored", "film"].map((name) => {
      const el = document.querySelector(`:is(#panel-restore, .time) [data-place="${name}"]`);
      const box = el.getBoundingClientRect();
      const [left, top] = [within.left + stage.clientLeft, within.top + stage.clientTop];
      const [x0, x1] = [box.left, box.right].map((x) => Math.round((x - left) * ratio));
      const [y0, y1] = [box.top, box.bottom].map((y) => Math.round((y - top) * ratio));
      return [name, { el, x: x0 / ratio + left - box.left, y: y0 / ratio + top - box.top, width: x1 - x0, height: y1 - y0 }];
    }));
    const unit = ratio * parseFloat(root.fontSize) / 16;
    const film = { width: places.film.width, height: places.film.height, unit, margin: Math.ceil(2 * unit) }; // for the frame
    const canvases = {};
    const put = (name, pixels, width, margin) => {
      const place = places[name];
      let canvas = canvases[name];
      if (!canvas) {
        canvas = canvases[name] = document.createElement("canvas");
        [canvas.width, canvas.height] = [width, pixels.length / 4 / width];
        const style = { left: place.x - margin / ratio, top: place.y - margin / ratio, width: (place.width + 2 * margin) / ratio, height: (place.height + 2 * margin) / ratio };
        for (const [name, v] of Object.entries(style)) canvas.style[name] = `${v}px`;
        place.el.prepend(canvas);
      }
      canvas.getContext("2d").putImageData(new ImageData(pixels, width), 0, 0);
    };
    const since = { at: undefined };
    port1.onmessage = ({ data }) => {
      if (failed) return;
      if (since.at === undefined) {
        since.at = performance.now();
        $("work").dataset.first = "";
        $("plot").append($("loading"));
        $("loading-text").textContent = "Fetching the rest";
      }
      for (const name of ["original", "degraded", "restored"]) {
        if (data[name]) put(name, data[name], data.width, 0);
      }
      put("film", data.film, film.width + 2 * film.margin, film.margin);
      $("status").textContent = data.status;
      $("timeline").style.setProperty("--tiles", data.tiles);
      $("timeline").max = data.steps;
      $("timeline").value = data.step;
    };
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    engine.postMessage({ first: {
      weights, images, labels, faces, colors, film, still, port: port2,
      fragment: location.hash.slice(1), query: location.search.slice(1),
    } }, [port2]);
    return {
      since,
      end() {
        port1.postMessage("over");
        port1.close();
        // A picture that is drawn is seen some frames later.
        const then = (frames) => {
          if (frames) return native(() => then(frames - 1));
          delete $("work").dataset.first;
          for (const canvas of Object.values(canvases)) canvas.remove();
        };
        then(3);
      },
    };
  };

  // Once the page is there: what reads digits, which is on its way, the models to compare
  // with, the curves, and what makes the next visit instant. None may break what is there.
  const afterwards = async (manifest, reader, kept) => {
    const bring = async (name, file, coming = files.get(file)) => {
      const bytes = await coming.catch((err) => err.message);
      window.mppm.late(name, bytes);
      return { file, bytes };
    };
    // A page that is built around a model of one's own may lack the one or the other.
    const late = reader ? [await bring("classifier", manifest.classifier, reader)] : [];
    const rivals = manifest.baselines && { baselines: manifest.baselines };
    late.push(...await Promise.all(Object.entries({ ...manifest.curves, ...rivals }).map(([name, file]) => bring(name, file))));
    const workers = files.optional(() => navigator.serviceWorker);
    if (!workers || !locks || !files.optional(() => caches)) return;
    if (workers.controller) { // the browser looks for a newer one by itself
      workers.controller.postMessage("there");
      return;
    }
    const all = [...kept, ...late].filter((f) => f.bytes && typeof f.bytes !== "string");
    await Promise.all(all.map((f) => keep(f.file, f.bytes)));
    const program = simd() ? "simd" : "scalar";
    await workers.register(`sw.js?program=${program}`);
  };

  const start = async () => {
    if (!("WebAssembly" in window)) throw new Error("This browser has no WebAssembly, or it is switched off. Any browser from 2020 on has it.");
    if (!document.createElement("canvas").getContext("webgl2")) throw new Error("This browser has no WebGL 2, or it is switched off: the page cannot draw. Try switching on hardware acceleration, or another browser.");
    const entry = JSON.parse(document.querySelector('meta[name="manifest"]').content);
    const manifest = JSON.parse(new TextDecoder().decode(await files.get(entry)));
    const faces = (manifest.faces || []).map(({ name, label }) => ({ name, label }));
    $("tab-faces").hidden = !faces.length;
    const vectors = simd();
    const [program, beside] = vectors ? [manifest.simd, manifest.engine.simd] : [manifest.scalar, manifest.engine.scalar];
    const list = [program, beside, manifest.weights, manifest.images, manifest.labels];
    const total = list.reduce((sum, f) => sum + f.size, 0);
    const have = list.map(() => 0);
    const progress = (i) => (at) => {
      if (failed) return;
      have[i] = at;
      const share = have.reduce((sum, n) => sum + n) / total;
      $("loading-bar").value = share;
      $("loading-detail").textContent = `${Math.floor(100 * share)} % of ${(total / 1e6).toFixed(1)} MB, unpacked`;
    };
    const compiledEngine = files.compile(beside, progress(1));
    const engine = engines(manifest.engine.script, compiledEngine, vectors);
    // The page goes on without one.
    const engineBytes = compiledEngine.then(({ bytes }) => bytes, () => null);
    const [weights, images, labels] = await Promise.all(list.slice(2).map((f, i) => files.get(f, progress(i + 2))));
    const first = engine.first && files.optional(() => show(engine.first, weights, images, labels, faces.map(({ name }) => name)));
    const contents = [null, await engineBytes, weights, images, labels];
    // Only now, so that nothing before it waits for a share of the line.
    const { module, bytes } = await files.compile(program, progress(0));
    contents[0] = bytes;
    // A page that is built around a model of one's own may have no classifier, or one that
    // says what the classes are called, which the program has to know from the start.
    const reader = manifest.classifier && files.get(manifest.classifier);
    if (reader) reader.catch(() => {}); // which is said where it is waited for
    const classifier = reader && manifest.samples !== "MNIST" ? await reader : undefined;
    $("loading-text").textContent = "Starting";
    for (const [part, name] of [[window.Go, "wasm_exec.js"], [window.mppmKernel, "kernel.js"]]) {
      if (!part) throw new Error(`A part of the program, ${name}, did not arrive. Reload to try again.`);
    }
    const go = new Go();
    shield(go);
    const kernel = vectors && mppmKernel();
    const instance = await WebAssembly.instantiate(module, { ...go.importObject, ...(kernel && kernel.imports) });
    if (kernel) kernel.join(instance);
    // The models of faces are large, and are fetched when they are wanted: by late(),
    // and with "faces " or "faces-ldm " before the name.
    const want = async (name) => {
      const { model, ldm } = manifest.faces.find((f) => f.name === name);
      const share = (at) => window.mppm.progress(name, at / model.size);
      const take = async (what, file, progress) => {
        const bytes = await files.get(file, progress).catch((err) => err.message);
        window.mppm.late(what + name, bytes);
        const workers = files.optional(() => navigator.serviceWorker);
        if (typeof bytes !== "string" && workers && workers.controller) await keep(file, bytes);
      };
      await take("faces ", model, share);
      if (ldm) await take("faces-ldm ", ldm);
    };
    window.mppm = {
      engine: engine.hire,
      trainer: trainers(manifest.trainer, vectors),
      rivals: Boolean(manifest.baselines),
      reads: Boolean(manifest.classifier),
      samples: manifest.samples,
      faces,
      since: first && first.since.at,
      want: (name) => { want(name).catch((err) => console.error(err)); },
      files: { weights, images, labels, classifier },
      ready() {
        delete window.mppm.files;
        $("work").dataset.state = "ready";
        $("loading").hidden = true;
        if (first) first.end();
        afterwards(manifest, reader, list.map((file, i) => ({ file, bytes: contents[i] }))).catch(() => {});
      },
      fail,
      rest,
      memory: () => instance.exports.mem.buffer.byteLength, // of the program, in bytes
    };
    // Ebitengine looks for gamepads, which the page has no use for; within another
    // site's page, looking is forbidden, and throws.
    files.optional(() => Object.defineProperty(navigator, "getGamepads", { value: () => [], configurable: true }));
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
