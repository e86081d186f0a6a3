// Runs the training program in Node as its worker does in a browser:
//
//   node worker.js PROGRAM TASK [ORDER@N...]
//
// TASK is a file with the message that begins a task, an ORDER another message, in
// hexadecimal, which is sent once N reports have come. Each report is a line of
// hexadecimal digits on standard output. Whoever reads them ends the process.
"use strict";
const { execFileSync } = require("child_process");
const fs = require("fs");
const path = require("path");
const [, , program, task, ...orders] = process.argv;
const root = path.join(__dirname, "..", "..", "..");
const goroot = execFileSync("go", ["env", "GOROOT"], { encoding: "utf8" }).trim();
require(path.join(goroot, "lib", "wasm", "wasm_exec.js"));
require(path.join(root, "shared", "gemm", "kernel.js"));

let reports = 0;
globalThis.self = globalThis;
globalThis.postMessage = (bytes) => {
  fs.writeSync(1, Buffer.from(bytes).toString("hex") + "\n");
  reports++;
  for (const order of orders) {
    const [hex, at] = order.split("@");
    if (Number(at) === reports) self.onmessage({ data: [new Uint8Array(Buffer.from(hex, "hex"))] });
  }
};
require(path.join(root, "site", "static", "engine.js"));
process.on("SIGINT", () => process.exit(0));
process.on("uncaughtException", (err) => {
  console.error(err.message);
  process.exit(1);
});
WebAssembly.compile(fs.readFileSync(program)).then((module) => {
  self.onmessage({ data: { program: module, vectors: true } });
  self.onmessage({ data: [new Uint8Array(fs.readFileSync(task))] });
});
