// Runs a Go program that was built with the tag linkedkernel in Node, as go test -exec
// has it: node run.js PROGRAM ARGUMENTS. Go's own wasm_exec_node.js does the same
// without the kernel.
"use strict";
const { execFileSync } = require("child_process");
const path = require("path");
globalThis.require = require;
globalThis.fs = require("fs");
globalThis.path = path;
const goroot = execFileSync("go", ["env", "GOROOT"], { encoding: "utf8" }).trim();
require(path.join(goroot, "lib", "wasm", "wasm_exec.js"));
require("../kernel.js");

const go = new Go();
go.argv = process.argv.slice(2);
go.env = { TMPDIR: require("os").tmpdir(), ...process.env };
go.exit = process.exit;
const kernel = mppmKernel();
WebAssembly.instantiate(fs.readFileSync(process.argv[2]), { ...go.importObject, ...kernel.imports }).then(({ instance }) => {
  process.on("exit", (code) => {
    if (code === 0 && !go.exited) { // all goroutines wait: Go prints where
      go._pendingEvent = { id: 0 };
      go._resume();
    }
  });
  kernel.join(instance);
  return go.run(instance);
}).catch((err) => {
  console.error(err);
  process.exit(1);
});
