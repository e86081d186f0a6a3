// Runs ONNX files: node run.mjs FOLDER-WITH-ONNXRUNTIME <cases.json >results.json
// A case is {"model": path, "feeds": {name: {"dims": […], "data": base64 of floats}}}, or
// with "whole": a number in place of data; a result the same of what comes out.
import { readFileSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import { createRequire } from "node:module";

const ort = createRequire(resolve(process.argv[2], "x.js"))("onnxruntime-node");
const results = [];
for (const { model, feeds } of JSON.parse(readFileSync(0))) {
  const session = await ort.InferenceSession.create(model, { logSeverityLevel: 3, intraOpNumThreads: 1 });
  const given = {};
  for (const [name, { dims, data, whole }] of Object.entries(feeds)) {
    if (whole !== undefined) {
      given[name] = new ort.Tensor("int64", [BigInt(whole)], []);
      continue;
    }
    const bytes = Uint8Array.from(Buffer.from(data, "base64"));
    given[name] = new ort.Tensor("float32", new Float32Array(bytes.buffer), dims);
  }
  const out = await session.run(given), result = {};
  for (const name of session.outputNames) {
    const { dims, data } = out[name];
    result[name] = { dims, data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64") };
  }
  results.push(result);
}
const all = Buffer.from(JSON.stringify(results));
for (let at = 0; at < all.length; ) at += writeSync(1, all, at);
