// Makes the 128 numbers of a face-recognition net (npm @vladmandic/face-api, MIT) of the
// pictures that `mppm eval images --embedder "node docs/faces-eval/embed.mjs"` hands over.
//
// A question on standard input is a line of JSON and the pictures behind it, row by row,
// the channels of a pixel side by side, a byte each:
//     {"images":200,"height":96,"width":96,"channels":3}
// The answer on standard output is a line of JSON and the numbers behind it, picture by
// picture, as 32-bit floats, the least byte first:
//     {"numbers":128}
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

const BATCH = 16; // pictures that go through the net together
const NUMBERS = 128;

const require = createRequire(import.meta.url);
console.log = console.error; // standard output is for answers
const tf = require("@tensorflow/tfjs");
require("@tensorflow/tfjs-backend-wasm");
const faceapi = require("@vladmandic/face-api/dist/face-api.node-wasm.js");

async function load() {
  await tf.setBackend("wasm");
  await tf.ready();
  const models = join(dirname(require.resolve("@vladmandic/face-api/package.json")), "model");
  const net = new faceapi.FaceRecognitionNet();
  const manifest = JSON.parse(await readFile(join(models, "face_recognition_model-weights_manifest.json"), "utf8"));
  const bytes = await readFile(join(models, "face_recognition_model.bin"));
  net.loadFromWeightMap(tf.io.decodeWeights(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length), manifest[0].weights));
  return net;
}

// picture is a tensor of one picture, in color.
function picture(bytes, { height, width, channels }) {
  const t = tf.tensor3d(new Int32Array(bytes), [height, width, channels], "int32");
  return channels === 3 ? t : tf.tidy(() => tf.tile(t, [1, 1, 3]));
}

async function answer(net, question, bytes) {
  const size = question.height * question.width * question.channels;
  const out = new Float32Array(question.images * NUMBERS);
  for (let lo = 0; lo < question.images; lo += BATCH) {
    const batch = [];
    for (let i = lo; i < Math.min(lo + BATCH, question.images); i++) {
      batch.push(picture(bytes.subarray(i * size, (i + 1) * size), question));
    }
    const numbers = await net.computeFaceDescriptor(batch);
    [numbers].flat().forEach((d, i) => out.set(d, (lo + i) * NUMBERS));
    tf.dispose(batch);
  }
  return Buffer.concat([Buffer.from(JSON.stringify({ numbers: NUMBERS }) + "\n"), Buffer.from(out.buffer)]);
}

const net = await load();
let chunks = [], held = 0, question = null, wanted = 0;
for await (const chunk of process.stdin) {
  chunks.push(chunk);
  held += chunk.length;
  for (;;) {
    if (question === null) {
      if (!chunks.length || !chunks.some((c) => c.includes(10))) break;
      const all = Buffer.concat(chunks);
      const end = all.indexOf(10);
      question = JSON.parse(all.subarray(0, end).toString());
      wanted = question.images * question.height * question.width * question.channels;
      chunks = [all.subarray(end + 1)];
      held = all.length - end - 1;
    }
    if (held < wanted) break;
    const all = Buffer.concat(chunks);
    const reply = await answer(net, question, all.subarray(0, wanted));
    if (!process.stdout.write(reply)) await new Promise((go) => process.stdout.once("drain", go));
    chunks = [all.subarray(wanted)];
    held -= wanted;
    question = null;
  }
}
