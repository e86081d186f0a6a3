// Runs ONNX files: node run.mjs FOLDER-WITH-ONNXRUNTIME-WEB <cases.json >results.json
// A case is {"model": path, "feeds": {name: {"dims": […], "data": base64 of floats}}}, a
// result the same of what comes out.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { createRequire } from "node:module";

const ort = createRequire(resolve(process.argv[2], "x.js"))("onnxruntime-web");
ort.env.wasm.numThreads = 1;
process.on("uncaughtException", (err) => { // whose source would be printed: all of it is one line
  console.error(err.message);
  process.exit(1);
});
const results = [];
for (const { model, feeds } of JSON.parse(readFileSync(0))) {
  const session = await ort.InferenceSession.create(readFileSync(model), { logSeverityLevel: 3 });
  const given = {};
  for (const [name, { dims, data }] of Object.entries(feeds)) {
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
console.log(JSON.stringify(results));
