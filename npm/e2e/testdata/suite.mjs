// What holds in every runtime, and with every way to run the program. Nothing here is of a
// page, or of Node.

// 64 bits of FNV-1a over numbers, as shared/golden has it.
const hash = () => {
  let h = 0xcbf29ce484222325n;
  return {
    add(numbers) {
      for (const b of new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength)) h = ((h ^ BigInt(b)) * 0x100000001b3n) & 0xffffffffffffffffn;
    },
    text: () => h.toString(16).padStart(16, "0"),
  };
};

const equal = (got, want, what) => {
  const [a, b] = [got, want].map((v) => JSON.stringify(v));
  if (a !== b) throw new Error(`${what}: got ${a}, want ${b}`);
};

/**
 * Runs the suite.
 * @param {object} mppm the package
 * @param {object} weights its addresses of weights
 * @param {{ digits: string, faces: string }} want the hashes of what is computed
 * @param {object} options of load; faces, which take long, are left out where no worker is wanted
 * @param {() => void} [kill] ends the worker that was started last
 * @returns {Promise<string[]>} what failed
 */
export const suite = async ({ load, MppmError }, weights, want, options, kill) => {
  const failed = [];
  const test = async (name, run) => {
    try {
      await run();
    } catch (why) {
      failed.push(`${JSON.stringify(options)}: ${name}: ${why} ${why.stack}`);
    }
  };
  const fails = async (code, run) => {
    let result;
    try {
      result = await run();
    } catch (why) {
      if (!(why instanceof MppmError) || why.name !== "MppmError" || !why.message.startsWith("mppm: ")) throw new Error(`${run}: rejects with ${why.stack || why}`);
      equal(why.code, code, `${run}: ${why.message}`);
      return why;
    }
    throw new Error(`${run} gives ${String(result).slice(0, 80)}, and should fail: ${code}`);
  };
  const model = await load(options);
  const size = model.pixels;
  const { images } = await model.generate({ n: 20, seed: 1 });
  const digit = images.slice(0, size);

  await test("what it is", () => {
    equal([model.shape, model.pixels, model.latent, model.classes], [{ height: 28, width: 28, channels: 1 }, 784, 18, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]], "the model");
    equal(model.damages.map(({ kind }) => kind), ["gaussian", "elastic", "downsample", "missing", "scribble", "sharpen"], "damages");
    equal(Object.keys(model.flows.restore), ["alpha", "beta", "sigma", "tau", "steps", "tolerance", "noise", "trust", "rounds", "local", "keep"], "the parameters, which index.d.ts has by their names");
    equal(model.has, { distance: true, skips: false, local: false }, "what it has");
    if (!(model.flows.restore.steps > 0 && model.flows.restore.alpha > 0)) throw new Error(`restore is ${JSON.stringify(model.flows.restore)}`);
  });

  await test("the same bits", async () => {
    const bits = hash();
    const each = async (from) => {
      let last;
      for await (last of model.flow(from)) {
        bits.add(last.codes);
        bits.add(last.distances);
      }
      return last;
    };
    const clean = await model.decode((await each({ n: 20, seed: 1 })).codes);
    const noisy = await model.damage(clean, { kind: "gaussian", severity: 0.7, seed: 2 });
    const { codes } = await each({ codes: await model.encode(noisy) });
    const restored = await model.decode(codes);
    bits.add(restored);
    equal(bits.text(), want.digits, "the bits");
    const result = await model.restore(noisy);
    equal([...result.images], [...restored], "restore");
    equal([...result.codes], [...codes], "restore");
    equal([...await model.distance(result.codes)], [...result.distances], "distances");
  });

  await test("steps", async () => {
    const noisy = await model.damage(images.slice(0, 2 * size), { kind: "missing", severity: 0.1 });
    const seen = [];
    for await (const step of model.flow({ images: noisy }, { steps: 4, beta: 0.1 })) {
      equal([...await step.images()], [...await model.decode(step.codes)], `the images of step ${step.index}`);
      seen.push(step.index, step.codes.length, step.distances.length);
    }
    equal(seen, [0, 1, 2, 3, 4].flatMap((i) => [i, 36, 2]), "steps");
  });

  await test("two flows at a time", async () => {
    const all = async (flow) => {
      const codes = [];
      for await (const step of flow) codes.push([...step.codes]);
      return codes;
    };
    const start = () => [model.flow({ n: 2, seed: 5 }), model.flow({ images: digit })];
    const alone = [];
    for (const flow of start()) alone.push(await all(flow));
    equal(await Promise.all(start().map(all)), alone, "two flows");
  });

  await test("flows that are left", async () => {
    for await (const step of model.flow({ n: 1 })) if (step.index === 0) break;
    const begun = [];
    const more = async () => {
      for (let i = 0; i < 257; i++) {
        begun.push(model.flow({ n: 1 }));
        await begun.at(-1).next();
      }
    };
    await fails("range", more);
    for (const flow of begun) await flow.return();
    await model.generate();
  });

  await test("a class", async () => {
    const grown = await model.generate({ n: 6, seed: 3, class: 7 });
    const read = await model.read(grown.images);
    if (read.filter((r) => r.class === 7).length < 5) throw new Error(`sevens are read as ${JSON.stringify(read.map((r) => r.class))}`);
    equal([read[0].probabilities.length, read[0].probabilities[7]], [10, read[0].probability], "a reading");
  });

  await test("a drawing", async () => {
    const one = [new Float32Array(Array.from({ length: 12 }, (_, i) => [4, 2 + i, 2]).flat())];
    const [drawn, centered] = [await model.draw(one, { center: false }), await model.draw(one)];
    if (!(drawn[8 * 28 + 4] > 0.8 && drawn[8 * 28 + 14] === 0 && centered[14 * 28 + 14] > 0.8)) throw new Error("there is no ink where the pen was");
    equal((await model.read(await model.restore(centered).then((r) => r.images)))[0].class, 1, "a stroke is read");
    await fails("shape", () => model.draw([new Float32Array(2)]));
    await fails("shape", () => model.draw("l"));
    await fails("range", () => model.draw([new Float32Array([1, 1, 0])]));
  });

  await test("the distance's slope", async () => {
    const codes = await model.encode(await model.damage(digit, { kind: "gaussian", severity: 0.7, seed: 4 }));
    const [slope, mean] = [await model.gradient(codes), await model.mean(codes)];
    const toMean = slope.reduce((sum, g, i) => sum + g * (codes[i] - mean[i]), 0);
    if (!(toMean > 0)) throw new Error("the distance does not fall towards the mean of what is near");
    const [narrow, same] = [await model.mean(codes, { sigma: 0.01 }), await model.mean(codes, { sigma: model.flows.restore.sigma })];
    equal([...same], [...mean], "the mean at the flow's own width");
    if (narrow.every((v, i) => v === mean[i])) throw new Error("the width of the kernel changes nothing");
  });

  await test("bad input", async () => {
    for (const images of [new Float32Array(), new Float32Array(size - 1), new Float64Array(size), [...digit], undefined, null, "image", 7]) {
      await fails("shape", () => model.encode(images));
      await fails("shape", () => model.read(images));
      await fails("shape", () => model.damage(images, { kind: "gaussian", severity: 1 }));
      if (images !== undefined && images !== null) await fails("shape", () => model.restore(images));
    }
    await fails("range", () => model.restore(undefined));
    await fails("range", () => model.encode(new Float32Array(size).fill(NaN)));
    await fails("shape", () => model.decode(new Float32Array(17)));
    await fails("range", () => model.decode(new Float32Array(18).fill(Infinity)));
    await fails("range", () => model.decode(() => 1));
    await fails("shape", () => model.generate({ n: 1e9 }));
    for (const bad of [{ n: 0.5 }, { n: -1 }, { n: "two" }, { n: 0 }, { seed: -1 }, { seed: 0.5 }, { class: 10 }, { alpha: 2 }, { alpha: 0.9, beta: 0.9 }, { sigma: 0 }, { steps: 1.5 }, { steps: NaN }, { steps: 1e9 }, { preset: "nothing" }, { preset: 3 }, { alhpa: 1 }, { alpha: "0.5" }, { alpha: {} }, { images: digit }]) {
      await fails("range", () => model.generate(bad));
    }
    for (const bad of [undefined, {}, { kind: "gaussian" }, { kind: "rain", severity: 1 }, { kind: "gaussian", severity: 3 }, { kind: "gaussian", severity: "1" }, { kind: "scribble", severity: 1.5 }, { kind: "gaussian", severity: 1, seed: -1 }]) {
      await fails("range", () => model.damage(digit, bad));
    }
    await fails("range", () => model.flow({}).next());
    await fails("range", () => model.mean(new Float32Array(18), { sigma: -1 }));
    await fails("range", () => model.mean(new Float32Array(18), { sigma: 0 }));
    const flow = model.flow({ n: 1 });
    const { value: first } = await flow.next();
    await flow.next();
    await fails("late", () => first.images());
    const { value: left } = await flow.next();
    await flow.return();
    await fails("late", () => left.images());
    equal((await model.encode(digit)).length, 18, "what it is asked afterwards");
  });

  await test("aborting", async () => {
    const reason = new Error("enough");
    const before = await fails("aborted", () => model.encode(digit, { signal: AbortSignal.abort(reason) }));
    equal(before.cause === reason, true, "the reason");
    const abort = new AbortController();
    const late = fails("aborted", () => model.restore(images, { steps: 10000, signal: abort.signal }));
    setTimeout(() => abort.abort(), 50);
    await late;
    for (let i = 0; i < 260 && options.worker; i++) { // flows that begin all the same are left
      const at = new AbortController();
      const begun = fails("aborted", () => model.generate({ signal: at.signal }));
      at.abort();
      await begun;
      await model.distance(new Float32Array(18));
    }
    const during = new AbortController();
    await fails("aborted", async () => {
      for await (const step of model.flow({ n: 1 }, { signal: during.signal })) if (step.index === 2) during.abort();
    });
    await fails("aborted", () => load({ ...options, signal: AbortSignal.abort() }));
    const loading = new AbortController();
    const loaded = fails("aborted", () => load({ ...options, signal: loading.signal }));
    loading.abort();
    await loaded;
    equal((await model.encode(digit)).length, 18, "what it is asked afterwards");
  });

  await test("what is no file", async () => {
    await fails("weights", () => load({ ...options, weights: new Uint8Array(100) }));
    await fails("weights", () => load({ ...options, weights: weights.classifier }));
    await fails("fetch", () => load({ ...options, weights: new URL("nothing", weights.mnist) }));
    await fails("fetch", () => load({ ...options, weights: new Response("", { status: 404 }) }));
    await fails("fetch", () => load({ ...options, weights: new Response(new ReadableStream({ pull: (c) => c.error(new Error("broken off")) })) }));
    await fails("fetch", () => load({ ...options, weights: 7 }));
    const none = await load({ ...options, classifier: null });
    await fails("unsupported", () => none.read(digit));
    none.close();
    const wrong = await load({ ...options, classifier: weights.mnist });
    await fails("weights", () => wrong.read(digit));
    await fails("weights", () => wrong.read(digit)); // and again
    wrong.close();
  });

  if (options.worker !== false) await test("faces", async () => {
    const faces = await load({ ...options, weights: weights.faces, classifier: weights.classifier });
    equal([faces.shape.channels, faces.has, faces.classes], [3, { distance: true, skips: true, local: true }, []], "faces");
    const bits = hash();
    const { images: face } = await faces.generate({ seed: 3 });
    const { images: mended } = await faces.restore(await faces.damage(face, { kind: "missing", severity: 0.1, seed: 1 }));
    bits.add(face);
    bits.add(mended);
    equal(bits.text(), want.faces, "the bits");
    await fails("unsupported", () => faces.draw([new Float32Array([1, 1, 1])]));
    await fails("unsupported", () => faces.generate({ class: 1 }));
    await fails("weights", () => faces.read(face));
    faces.close();
  });

  await test("a closed model", async () => {
    const other = await load({ ...options, weights: await fetched(weights.mnist) });
    const waiting = [fails("closed", () => other.restore(images)), fails("closed", () => other.encode(images))];
    other.close();
    other.close();
    await Promise.all(waiting);
    await fails("closed", () => other.encode(digit));
    await fails("closed", () => other.flow({ n: 1 }).next());
  });

  if (kill) {
    await test("a dead worker", async () => {
      const other = await load(options);
      const waiting = [fails("runtime", () => other.restore(images, { steps: 10000 })), fails("runtime", () => other.generate({ steps: 10000 }))];
      setTimeout(kill, 20);
      await Promise.all(waiting);
      await fails("runtime", () => other.encode(digit));
      other.close();
    });
  }

  model.close();
  return failed;
};

// The bytes of a file where fetch has them; else its address.
const fetched = async (file) => {
  try {
    return await (await fetch(file)).arrayBuffer();
  } catch {
    return file;
  }
};
