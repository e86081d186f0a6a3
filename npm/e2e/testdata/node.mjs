// Runs the suite in Node on the package as it is installed: node node.mjs WANT
import { Worker } from "node:worker_threads";
import * as mppm from "mppm";
import * as weights from "mppm/weights";
import { suite } from "./suite.mjs";

const want = JSON.parse(process.argv[2]);

// The last worker to which anything was sent, to be killed.
let last;
const { postMessage } = Worker.prototype;
Worker.prototype.postMessage = function (...args) {
  last = this;
  return postMessage.apply(this, args);
};

let failed = [];
for (const [options, kill] of [[{ worker: true }, () => last.terminate()], [{ worker: false }], [{ worker: true, simd: false }]]) {
  const before = last;
  failed = failed.concat(await suite(mppm, weights, want, options, kill));
  if ((last !== before) !== options.worker) failed.push(`${JSON.stringify(options)}: not run as asked`);
}
console.log(JSON.stringify(failed));
