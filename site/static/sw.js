// Keeps the page for the next visit, which then needs no network. Names with a
// hash never change what they hold; all others belong to one version of the page,
// which is kept as a whole and replaced as a whole.
"use strict";
(() => {
  const site = "@site@"; // version, kept, simd, scalar: written by the build
  const scope = new URL("./", self.location);
  const prefix = `mppm ${scope.pathname} `;
  const name = prefix + site.version;
  const program = new URL(self.location).searchParams.get("program") === "simd" ? site.simd : site.scalar;
  const hashed = (file) => /\.[0-9a-f]{16}\.[a-z0-9_]+$/.test(file);

  // A file as it is, unpacked here where the host does not compress.
  const fetched = async (file) => {
    const url = new URL(file, scope);
    const plain = await fetch(url, { cache: hashed(file) ? "default" : "no-cache" });
    if (!plain.ok) throw new Error(`${url}: ${plain.status}`);
    if (!/\.(wasm|safetensors)$/.test(file) || plain.headers.get("Content-Encoding") || !("DecompressionStream" in self)) return plain;
    const packed = await fetch(`${url}.gz`).catch(() => null);
    if (!packed || !packed.ok) return plain;
    plain.body.cancel();
    const body = packed.headers.get("Content-Encoding") ? packed.body : packed.body.pipeThrough(new DecompressionStream("gzip"));
    return new Response(body, { headers: { "X-Unpacked": "1" } });
  };

  const fill = async () => {
    const cache = await caches.open(name);
    await Promise.all([...site.kept, program].map(async (file) => {
      const url = new URL(file, scope);
      if (await cache.match(url)) return;
      const old = hashed(file) && (await caches.match(url));
      await cache.put(url, old || (await fetched(file)));
    }));
  };

  // Versions of before go when a page of this one is opened: one that is still
  // open may need them.
  const clean = async () => {
    for (const other of await caches.keys()) {
      if (other.startsWith(prefix) && other !== name) await caches.delete(other);
    }
  };

  const answer = async (request) => {
    const url = new URL(request.url);
    url.search = url.hash = "";
    if (url.pathname === `${scope.pathname}index.html`) url.pathname = scope.pathname;
    const cache = await caches.open(name);
    return (await cache.match(url)) || (await caches.match(url)) || fetch(request);
  };

  self.addEventListener("install", (event) => event.waitUntil(fill().then(() => self.skipWaiting())));
  self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
  self.addEventListener("fetch", (event) => {
    const { request } = event;
    if (request.method !== "GET" || !request.url.startsWith(scope.href)) return;
    event.respondWith(answer(request));
    if (request.mode === "navigate") event.waitUntil(clean());
  });
})();
