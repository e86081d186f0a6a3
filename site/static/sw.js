// Keeps the page for the next visit, which then needs no network.
//
// Each version of the page is kept in a cache of its own, and is whole once that
// has its mark, which is put there last. All files but the pages are named by a
// hash of what is in them: wherever one is kept it is the right one, so that a page
// has the files of its own version, whichever version this worker is of. Pages are
// given from a version that is whole, and from no other.
//
// A cache is deleted under its lock, and only if nobody holds that: no page of the
// version, and no worker that is filling it.
"use strict";
(() => {
  const site = "@site@"; // version, files, pages, simd, scalar: written by the build
  const { scope } = files;
  const own = files.cacheName(site.version);
  const former = `mppm ${scope.pathname} `; // prefix of the caches of workers that marked and locked nothing
  const programs = new URL(self.location).searchParams.get("program") === "simd" ? site.simd : site.scalar;
  const assets = [...site.files, ...programs];
  const mark = new URL("?whole", scope);

  const address = (name) => new URL(name, scope);
  const whole = async (cache) => !!(await caches.match(mark, { cacheName: cache }));

  // One of the files that never change, of an earlier version if that has it.
  const asset = async (file) => {
    const old = await caches.match(address(file.name));
    const bytes = (old && await files.check(new Uint8Array(await old.arrayBuffer()), file).catch(() => null)) || await files.get(file);
    return files.answer(file, bytes);
  };

  // A page, of this version: it names files of this version alone. The answer is
  // made anew, since browsers refuse one that was redirected.
  const page = async (name) => {
    const response = await files.ask(name, { cache: "no-cache" });
    const text = await response.text();
    const named = [...text.matchAll(/="(?:\.\.\/)*(assets\/[^"]+)"/g)].map((m) => m[1]);
    if (!named.length || !named.every((n) => assets.some((file) => file.name === n))) throw new Error(`${address(name)} is of another version`);
    const headers = new Headers(response.headers);
    headers.delete("Content-Encoding");
    headers.delete("Content-Length");
    headers.set("Content-Type", files.types.html);
    return new Response(text, { headers });
  };

  // One after the other: what has come is kept, and is there for the next try.
  const fill = async () => {
    if (await whole(own)) return;
    try {
      const cache = await caches.open(own);
      const add = async (name, make) => {
        if (!(await cache.match(address(name)))) await cache.put(address(name), await make());
      };
      for (const name of site.pages) await add(name, () => page(name));
      for (const file of assets) await add(file.name, () => asset(file));
      await cache.put(mark, new Response());
    } catch (err) {
      if (err.name === "QuotaExceededError") await caches.delete(own); // the version that there is needs its room
      throw err;
    }
  };

  let mine = 0; // locks that this worker holds
  const locked = (work) => navigator.locks.request(own, { mode: "shared" }, async () => {
    mine++;
    try {
      return await work();
    } finally {
      mine--;
    }
  });

  // Fills the cache, and holds its lock until this worker is the one that answers.
  let activated;
  const active = new Promise((done) => { activated = done; });
  const install = () => new Promise((done, failed) => {
    locked(async () => {
      await fill();
      done();
      await active;
    }).catch(failed);
  });

  // Deletes the versions that nobody needs, if this one is whole and answers for
  // good. A page without a lock, as there is if there are more pages than locks, has
  // only just come, and may be of any version.
  const clean = async () => {
    const { installing, waiting } = self.registration;
    const replaced = self.serviceWorker && self.serviceWorker.state !== "activated";
    if (installing || waiting || replaced || !(await whole(own))) return;
    const { held } = await navigator.locks.query();
    const holders = held.filter((lock) => lock.name.startsWith(files.prefix)).length - mine;
    const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
    const pages = windows.filter(({ url }) => [scope.pathname, `${scope.pathname}index.html`].includes(new URL(url).pathname));
    if (pages.length > holders) return;
    for (const cache of await caches.keys()) {
      if (cache === own || !(cache.startsWith(files.prefix) || cache.startsWith(former))) continue;
      await navigator.locks.request(cache, { ifAvailable: true }, (lock) => lock && caches.delete(cache));
    }
  };

  // A whole version's page; without one, that of the network, and without that too,
  // of any other version that is whole.
  const visit = async (request, url) => {
    if (await whole(own)) return (await caches.match(url, { cacheName: own })) || fetch(request);
    try {
      return await fetch(request);
    } catch (err) {
      for (const cache of await caches.keys()) {
        if (!cache.startsWith(files.prefix) || !(await whole(cache))) continue;
        const kept = await caches.match(url, { cacheName: cache });
        if (kept) return kept;
      }
      throw err;
    }
  };

  // A file of some version. A browser keeps what it compiled of a program with the
  // answer that this came with: it is given that again, packed as it was, while the
  // browser's own cache has it, and what is kept here where it does not.
  const give = async (request, url) => {
    if (url.pathname.endsWith(".wasm")) {
      const same = await fetch(new Request(request, { cache: "only-if-cached", mode: "same-origin" })).catch(() => null);
      if (same && same.ok && same.headers.get("Content-Encoding")) return same;
    }
    return (await caches.match(url, { cacheName: own })) || (await caches.match(url)) || fetch(request);
  };

  self.addEventListener("install", (event) => event.waitUntil(install().then(() => self.skipWaiting())));
  self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim().then(activated)));
  self.addEventListener("message", (event) => event.waitUntil(clean()));
  self.addEventListener("fetch", (event) => {
    const { request } = event;
    if (request.method !== "GET" || !request.url.startsWith(scope.href)) return;
    const url = new URL(request.url);
    url.search = url.hash = "";
    if (url.pathname === `${scope.pathname}index.html`) url.pathname = scope.pathname;
    if (request.mode === "navigate") {
      event.respondWith(visit(request, url));
      event.waitUntil(locked(fill).catch(() => {})); // should its cache have been lost
    } else {
      event.respondWith(give(request, url));
    }
  });
})();
