// Makes golden.json: what onnxruntime makes of the nets of onnx_test.go.
//   mkdir nets && MPPM_ONNX=$PWD/nets go test -run ONNXRuntime ./trainer/internal/onnx
//   npm install onnxruntime-web && node golden.mjs nets > golden.json
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createRequire } from "node:module";

const ort = createRequire(join(process.cwd(), "x.js"))("onnxruntime-web");
ort.env.wasm.numThreads = 1;
const dir = process.argv[2], golden = {};
for (const file of readdirSync(dir).filter((f) => f.endsWith(".onnx")).sort()) {
  const { shape: [h, w, c], last, x } = JSON.parse(readFileSync(join(dir, file.replace(".onnx", ".json"))));
  const session = await ort.InferenceSession.create(readFileSync(join(dir, file)));
  const data = new Float32Array(x.length); // channels first
  for (let i = 0; i < h * w; i++) for (let k = 0; k < c; k++) data[last ? i * c + k : k * h * w + i] = x[i * c + k];
  const input = new ort.Tensor("float32", data, last ? [1, h, w, c] : [1, c, h, w]);
  const out = await session.run({ [session.inputNames[0]]: input });
  golden[file.replace(".onnx", "")] = Array.from(out[session.outputNames[0]].data);
}
console.log(JSON.stringify(golden, null, 1));
