// Runs the suite as in a runtime that is not Node and no page: node other.mjs WANT
import { readFile } from "node:fs/promises";
import { suite } from "./suite.mjs";

const want = JSON.parse(process.argv[2]);
const print = process.stdout.write.bind(process.stdout);
const { fetch } = globalThis;
globalThis.fetch = async (url, options) => {
  if (new URL(url).protocol !== "file:") return fetch(url, options);
  const body = await readFile(url).catch(() => null);
  return new Response(body, { status: body ? 200 : 404 });
};
// What is Node's own cannot be taken away, since Node's fetch uses it; but who asks can be seen.
const asked = [];
for (const name of ["process", "Buffer", "global", "setImmediate", "clearImmediate"]) {
  const value = globalThis[name];
  Object.defineProperty(globalThis, name, {
    get() {
      const who = new Error().stack.split("\n")[2];
      if (who.includes("/mppm/")) asked.push(`the package asks for ${name}: ${who}`);
      return value;
    },
  });
}
const before = Object.keys(globalThis);
const mppm = await import("./node_modules/mppm/index.js");
const weights = await import("./node_modules/mppm/weights.js");
await import("./node_modules/mppm/element.js"); // which there is nothing to show in
const failed = (await suite(mppm, weights, want, {})).concat(asked);
const left = Object.keys(globalThis).filter((name) => !before.includes(name));
if (left.length) failed.push(`the package leaves ${left} behind`);
try {
  await mppm.load({ worker: true });
  failed.push("a worker was started");
} catch (why) {
  if (why.code !== "runtime") failed.push(String(why.stack));
}
print(JSON.stringify(failed));
