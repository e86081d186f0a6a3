// Times the nets of the page in three runtimes that take turns, and shows medians.
import * as ort from "./ort.wasm.bundle.min.js";

const $ = (id) => document.getElementById(id);
const here = (name) => new URL(name, import.meta.url).href;
const say = (text) => { $("status").textContent = text; };
const side = 28, pixels = side * side;

const bytes = async (name) => {
  const response = await fetch(here(name));
  if (!response.ok) throw new Error(`The file ${name} did not arrive: the server says ${response.status}.`);
  return new Uint8Array(await response.arrayBuffer());
};

// The tensors and the metadata of a safetensors file, with weights of eight bits as the
// numbers that they stand for.
const safetensors = (file) => {
  const length = Number(new DataView(file.buffer).getBigUint64(0, true));
  const { __metadata__: meta, ...entries } = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
  const raw = (name) => {
    const [from, to] = entries[name].data_offsets;
    return file.slice(8 + length + from, 8 + length + to).buffer;
  };
  const tensor = (name) => {
    const { dtype, shape } = entries[name];
    if (dtype === "F32") return { shape, data: new Float32Array(raw(name)) };
    const numbers = new Int8Array(raw(name)), scales = new Float32Array(raw(`${name}.scale`));
    const each = numbers.length / scales.length;
    return { shape, data: Float32Array.from(numbers, (v, i) => v * scales[Math.floor(i / each)]) };
  };
  return { meta, tensor, has: (name) => name in entries };
};

// Each runtime is { name, encode(x), decode(z), restore(x) }, which return the numbers
// that come out, or promises of them; restore may be several, by name.

const ours = async (weights) => {
  const started = new Promise((ready, failed) => {
    window.mppmBench = { weights, ready, fail: (text) => failed(new Error(text)) };
  });
  const go = new Go(), kernel = mppmKernel();
  const { instance } = await WebAssembly.instantiate(await bytes("bench.wasm"), { ...go.importObject, ...kernel.imports });
  kernel.join(instance);
  go.run(instance);
  await started;
  const { encode, decode, restore } = window.mppmBench;
  const out = {}; // arrays to write to, by their length
  const into = (n) => (out[n] ||= new Float32Array(n));
  const via = (f, from, to) => (x) => {
    const y = into(x.length / from * to);
    f(y, x);
    return y;
  };
  return { encode: via(encode, pixels, 18), decode: via(decode, 18, pixels), restore: { "": via(restore, pixels, pixels) } };
};

// Restores many digits in as many workers as there are cores, four at most, as the page
// has a grid grown: digits are sent there, and come back.
const pool = async (weights) => {
  const program = await WebAssembly.compile(await bytes("bench.wasm"));
  const next = (worker) => new Promise((done, failed) => {
    worker.onmessage = ({ data }) => done(data);
    worker.onerror = (event) => failed(new Error(`A worker failed: ${event.message || "its script did not arrive"}`));
  });
  const workers = await Promise.all(Array.from({ length: Math.min(navigator.hardwareConcurrency || 1, 4) }, async () => {
    const worker = new Worker(here("pool.js"));
    const ready = next(worker);
    worker.postMessage({ program, weights });
    await ready;
    return worker;
  }));
  const restore = async (x) => {
    const n = x.length / pixels, y = new Float32Array(x.length);
    await Promise.all(workers.map(async (worker, i) => {
      const [from, to] = [i, i + 1].map((k) => Math.floor(n * k / workers.length) * pixels);
      const part = x.slice(from, to), restored = next(worker);
      worker.postMessage(part, [part.buffer]);
      y.set(await restored, from);
    }));
    return y;
  };
  return { workers: workers.length, restore };
};

const onnx = async (flow) => {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = { wasm: here("ort-wasm-simd-threaded.wasm") };
  const session = async (name) => ort.InferenceSession.create(await bytes(name), { executionProviders: ["wasm"] });
  const [f, g, step, whole] = await Promise.all(["encoder.onnx", "decoder.onnx", "step.onnx", "restore.onnx"].map(session));
  const image = (x) => new ort.Tensor("float32", x, [x.length / pixels, side, side, 1]);
  const code = (z) => new ort.Tensor("float32", z, [z.length / 18, 18]);
  const number = (v) => new ort.Tensor("float32", Float32Array.of(v), []);
  const encode = async (x) => (await f.run({ image: image(x) })).code;
  const decode = async (z) => (await g.run({ code: z })).image.data;
  const alpha = number(flow.alpha), beta = number(flow.beta), tau = number(flow.tau || 0);
  return {
    encode: async (x) => (await encode(x)).data,
    decode: (z) => decode(code(z)),
    restore: {
      "step by step": async (x) => {
        let z = await encode(x), sigma = Math.max(flow.start || 0, flow.sigma);
        for (let i = 0; i < flow.steps; i++) {
          z = (await step.run({ code: z, alpha, beta, sigma: number(sigma), tau }, ["next"])).next;
          sigma = Math.max(sigma * (1 - flow.beta), flow.sigma);
        }
        return decode(z);
      },
      "as one file": async (x) => (await whole.run({ image: image(x) })).restored.data,
    },
  };
};

const tensorflow = async (model, flow) => {
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  const programs = ["tfjs-backend-wasm.wasm", "tfjs-backend-wasm-simd.wasm", "tfjs-backend-wasm-threaded-simd.wasm"]; // the last is asked for a path, and not fetched
  tf.wasm.setWasmPaths(Object.fromEntries(programs.map((name) => [name, here(name)])));
  if (!(await tf.setBackend("wasm"))) throw new Error("TensorFlow.js does not start its WebAssembly backend here.");
  await tf.ready();
  const constant = (name, dims) => {
    const { shape, data } = model.tensor(name);
    return tf.tensor(data, dims || shape);
  };
  // Kernels are [out, y, x, in] in the file, [y, x, in, out] of a convolution here, and
  // [y, x, out, in] of a transposed one.
  const turned = (name, order) => tf.tidy(() => tf.transpose(constant(name), order));
  const conv = [1, 2].map((i) => [turned(`encoder.conv${i}.weight`, [1, 2, 3, 0]), constant(`encoder.conv${i}.bias`)]);
  const deconv = [1, 2].map((i) => [turned(`decoder.deconv${i}.weight`, [1, 2, 0, 3]), constant(`decoder.deconv${i}.bias`)]);
  // Weights of linear layers are turned: with transposeB, the fused product of this
  // version's backend is wrong.
  const linear = ["encoder.linear", "decoder.linear"].map((name) => [turned(`${name}.weight`, [1, 0]), constant(`${name}.bias`)]);
  const dist = [];
  for (let i = 0; model.has(`distance.${i}.weight`); i++) dist.push([turned(`distance.${i}.weight`, [1, 0]), constant(`distance.${i}.bias`), constant(`distance.${i}.weight`)]);
  if (model.meta["distance.activation"] !== "silu") throw new Error("D is not of SiLU, which is all that is written here.");
  const columns = constant("bank.codes"), bank = turned("bank.codes", [1, 0]);
  const shift = tf.tidy(() => tf.mul(tf.sum(tf.square(bank), 1), -0.5));
  const spacing = model.tensor("bank.spacing").data[0];

  const f = (x) => {
    for (const [filter, bias] of conv) x = tf.fused.conv2d({ x, filter, bias, strides: 2, pad: 1, dimRoundingMode: "floor", activation: "relu" });
    return tf.fused.matMul({ a: tf.reshape(x, [x.shape[0], -1]), b: linear[0][0], bias: linear[0][1] });
  };
  const g = (z) => {
    const n = z.shape[0];
    let x = tf.fused.matMul({ a: z, b: linear[1][0], bias: linear[1][1], activation: "relu" });
    x = tf.reshape(x, [n, 7, 7, 64]);
    x = tf.relu(tf.add(tf.conv2dTranspose(x, deconv[0][0], [n, 14, 14, 32], 2, 1, "floor"), deconv[0][1]));
    return tf.sigmoid(tf.add(tf.conv2dTranspose(x, deconv[1][0], [n, side, side, 1], 2, 1, "floor"), deconv[1][1]));
  };
  const descend = (z) => {
    const before = [];
    let h = z;
    dist.forEach(([w, b], i) => {
      h = tf.fused.matMul({ a: h, b: w, bias: b });
      if (i < dist.length - 1) {
        const s = tf.sigmoid(h);
        before.push([h, s]);
        h = tf.mul(h, s);
      }
    });
    let grad = dist[dist.length - 1][2];
    for (let i = dist.length - 2; i >= 0; i--) {
      const [a, s] = before[i];
      grad = tf.mul(grad, tf.mul(s, tf.add(tf.mul(a, tf.sub(1, s)), 1)));
      grad = tf.matMul(grad, dist[i][2]);
    }
    const length = tf.sqrt(tf.sum(tf.square(grad), 1, true));
    return [tf.relu(h), tf.div(grad, tf.maximum(length, 1e-30))];
  };
  const move = (z, sigma) => {
    const [d, grad] = descend(z);
    const scores = tf.fused.matMul({ a: z, b: columns, bias: shift });
    const mean = tf.matMul(tf.softmax(tf.mul(scores, 1 / (sigma * spacing) ** 2)), bank);
    const beta = flow.tau ? tf.mul(flow.beta, tf.div(d, tf.add(d, flow.tau * spacing))) : tf.scalar(flow.beta);
    const pull = tf.mul(beta, tf.sub(mean, z)), fall = tf.mul(tf.mul(flow.alpha, d), grad);
    return tf.sub(tf.add(z, pull), fall);
  };
  const image = (x) => tf.tensor(x, [x.length / pixels, side, side, 1]);
  const run = (make) => (x) => {
    const y = tf.tidy(() => make(x)), data = y.dataSync();
    y.dispose();
    return data;
  };
  return {
    encode: run((x) => f(image(x))),
    decode: run((z) => g(tf.tensor(z, [z.length / 18, 18]))),
    restore: {
      "": run((x) => {
        let z = f(image(x)), sigma = Math.max(flow.start || 0, flow.sigma);
        for (let i = 0; i < flow.steps; i++) {
          z = move(z, sigma);
          sigma = Math.max(sigma * (1 - flow.beta), flow.sigma);
        }
        return g(z);
      }),
    },
  };
};

// Digits with noise, the same ones each time.
const noisy = (idx, n) => {
  let seed = 1;
  const uniform = () => (seed = Math.imul(seed, 48271) % 2147483647 || 1, Math.abs(seed) / 2147483647);
  return Float32Array.from({ length: n * pixels }, (_, i) => {
    const noise = Math.sqrt(-2 * Math.log(uniform() || 1e-9)) * Math.cos(2 * Math.PI * uniform());
    return idx[16 + i] / 255 + 0.7 * noise;
  });
};

const median = (list) => {
  const sorted = [...list].sort((a, b) => a - b), half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};

// Milliseconds of one call: the fastest of groups that take long enough to be timed, for
// as long as is said. What else the machine does makes others slower, and none faster.
const time = async (f, least) => {
  await f();
  let group = 1, best = Infinity;
  for (const end = performance.now() + least; performance.now() < end || best === Infinity;) {
    const start = performance.now();
    for (let i = 0; i < group; i++) await f();
    const took = performance.now() - start;
    if (took < 4) group *= 2; // clocks tick every tenth of a millisecond
    else best = Math.min(best, took / group);
  }
  return best;
};

const query = new URLSearchParams(location.search);
const rounds = Number(query.get("rounds")) || 7, least = Number(query.get("ms")) || 200;
// On a machine that has other work, the fastest of all rounds says more than a median.
const fastest = query.has("fastest");
const settle = (list) => (fastest ? Math.min(...list) : median(list));
const rest = () => new Promise((done) => setTimeout(done));

const load = async () => {
  if (!("WebAssembly" in window)) throw new Error("This browser has no WebAssembly.");
  for (const [part, name] of [[window.Go, "wasm_exec.js"], [window.mppmKernel, "kernel.js"], [window.tf, "tf-core.min.js"]]) {
    if (!part) throw new Error(`A part of the page, ${name}, did not arrive. Reload to try again.`);
  }
  const weights = await bytes("mnist.safetensors"), model = safetensors(weights);
  const flow = JSON.parse(model.meta["flow.restore"]);
  return { flow, crew: await pool(weights), runtimes: { ours: await ours(weights), onnx: await onnx(flow), tensorflow: await tensorflow(model, flow) }, digits: await bytes("digits.idx") };
};

// How far the numbers of the others are from ours, at most.
const hold = async (runtimes, { name, n, work, input }) => {
  const want = Float32Array.from(await work(runtimes.ours)[0][1](input));
  let largest = 0;
  for (const [runtime, functions] of Object.entries(runtimes)) {
    for (const [way, f] of work(functions)) {
      const got = await f(input);
      const off = got.length === want.length ? got.reduce((most, v, i) => Math.max(most, Math.abs(v - want[i])), 0) : NaN;
      if (!(off < 1e-3)) throw new Error(`The runtimes do not agree: ${name} of ${n} digits is ${off} apart, as ${runtime} makes it ${way}.`);
      largest = Math.max(largest, off);
    }
  }
  return largest;
};

const measure = async ({ runtimes, crew, flow, digits }) => {
  const x = noisy(digits, 100), z = Float32Array.from(runtimes.ours.encode(x));
  const works = [
    ["F", (r) => [["", r.encode]], x, pixels],
    ["G", (r) => [["", r.decode]], z, 18],
    [`restoration, ${flow.steps} steps`, (r) => Object.entries(r.restore), x, pixels],
  ];
  const jobs = works.flatMap(([name, work, input, size]) => [1, 100].map((n) => ({ name, n, work, input: input.subarray(0, n * size), times: {} })));
  let off = 0, at = 0;
  for (const job of jobs) off = Math.max(off, await hold(runtimes, job));
  const alone = Float32Array.from(runtimes.ours.restore[""](x)), together = await crew.restore(x), many = [];
  if (together.some((v, i) => v !== alone[i])) throw new Error("The workers do not restore as one program does.");
  for (let round = 0; round < rounds; round++) {
    for (const job of jobs) {
      const turns = Object.entries(runtimes).flatMap(([name, r]) => job.work(r).map(([way, f]) => [name, way, f]));
      for (let i = 0; i < turns.length; i++) {
        const [name, way, f] = turns[(i + round) % turns.length];
        const ms = await time(() => f(job.input), least);
        ((job.times[name] ||= {})[way] ||= []).push(ms);
        await rest();
      }
      if (job === jobs[jobs.length - 1]) many.push(await time(() => crew.restore(x), least));
      $("bar").value = ++at / (rounds * jobs.length);
      say(`Round ${round + 1} of ${rounds}: ${job.name}, ${job.n}`);
    }
  }
  const rows = jobs.map(({ name, n, times }) => {
    const best = (of) => Object.entries(times[of]).map(([way, list]) => [settle(list), way]).sort((a, b) => a[0] - b[0])[0];
    const [own] = best("ours"), [other, way] = best("onnx"), [third] = best("tensorflow");
    return { name, n, ours: own, onnx: other, way, tensorflow: third };
  });
  return { rows, off, pool: { workers: crew.workers, ms: settle(many) } };
};

const show = ({ rows, off, pool }) => {
  const digits = (ms) => (ms < 10 ? ms.toFixed(2) : ms.toFixed(1));
  $("table").tBodies[0].replaceChildren(...rows.map((r) => {
    const tr = document.createElement("tr");
    const cells = [r.name, r.n, digits(r.ours), digits(r.onnx), digits(r.tensorflow), (r.onnx / r.ours).toFixed(2), (Math.min(r.onnx, r.tensorflow) / r.ours).toFixed(2)];
    tr.append(...cells.map((text) => Object.assign(document.createElement("td"), { textContent: text })));
    return tr;
  }));
  $("table").hidden = false;
  const flops = 2 * (196 * 9 * 32 + 49 * 288 * 64 + 3136 * 18); // of F, and as many of G
  const rate = ({ n, ours: ms }) => (flops * n / ms / 1e6).toFixed(1);
  const ways = rows.filter((r) => r.way).map((r) => `${r.way} for ${r.n}`).join(", ");
  const notes = `${versions()}. ${fastest ? "The fastest" : "Medians"} of ${rounds} rounds; nowhere are their numbers more than ${off.toExponential(0)} apart. Ours reaches ${rate(rows[1])} GFLOP/s in F and ${rate(rows[3])} in G, of 100 digits. ONNX Runtime Web restores fastest ${ways}. ${navigator.userAgent}.`;
  $("notes").textContent = notes;
  const one = rows[rows.length - 1].ours;
  $("pool").textContent = `Apart from these: with its pool, ${pool.workers} ${pool.workers > 1 ? "workers" : "worker"} on this machine, this project restores 100 digits in ${digits(pool.ms)} ms, ${(one / pool.ms).toFixed(2)} times as fast as on one thread, with the same bits; what is sent to and fro counts.`;
  return `${notes}\n\n${$("pool").textContent}`;
};

const versions = () => `ONNX Runtime Web ${ort.env.versions.web}, TensorFlow.js ${tf.version_core}, both in WebAssembly with SIMD on one thread`;

const run = async () => {
  try {
    $("start").disabled = true;
    const result = await measure(await loaded);
    window.benchResult = { ...result, notes: show(result) };
    say("Done");
  } catch (err) {
    fail(err);
  }
  $("start").disabled = false;
};

const fail = (err) => {
  console.error(err);
  say(err.message);
  window.benchResult = { error: err.message };
};

const loaded = load();
loaded.then(() => {
  say(`Ready: ${versions()}`);
  $("start").disabled = false;
  $("start").addEventListener("click", run);
  if (query.has("start")) run();
}, fail);
