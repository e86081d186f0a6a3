// Runs the suite in a page, which the test serves, and tells it what failed.
const query = new URLSearchParams(location.search);
const options = JSON.parse(query.get("options"));

// The last worker, to be killed, as where a browser ends one.
let last;
const { Worker } = globalThis;
globalThis.Worker = class extends Worker {
  constructor(...args) {
    super(...args);
    last = this;
  }
};

// Tells what failed, and goes to the next page.
const told = async (failed) => {
  const next = await fetch(`/told?page=${query.get("page")}`, { method: "POST", body: JSON.stringify(failed) }).then((r) => r.text());
  if (next) location.href = next;
};

addEventListener("securitypolicyviolation", (event) => { if (query.get("forbidden") === null) told([`the policy forbids ${event.violatedDirective}: ${event.blockedURI}`]); });
try {
  const known = Object.keys(globalThis);
  const mppm = await import("/some/where/mppm/index.js");
  const weights = await import("/some/where/mppm/weights.js");
  const { suite } = await import("/suite.mjs");
  const kill = options.worker && (() => last.dispatchEvent(new ErrorEvent("error", { message: "out of memory" })));
  const failed = await suite(mppm, weights, JSON.parse(query.get("want")), options, kill);
  const left = Object.keys(globalThis).filter((name) => !known.includes(name));
  if (left.length) failed.push(`the package leaves ${left} behind`);
  if (options.worker === false && last) failed.push("a worker was started");
  await told(failed);
} catch (why) {
  await told([`${why} ${why.stack}`]);
}
