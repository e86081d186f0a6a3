// A model, to be asked: whatever is computed, the program computes. Here questions go to
// it and answers come back, in every runtime the same way; index.js and node.js know the
// runtimes.
import { start } from "./engine.js";

/** An error of this package, with a code for programs. */
export class MppmError extends Error {
  constructor(code, message, options) {
    super(message, options);
    this.name = "MppmError";
    this.code = code;
  }
}

// Any error as one of this package.
const own = (cause, code = "runtime") => (cause instanceof MppmError ? cause : new MppmError(code, `mppm: ${cause.message}`, { cause }));

// Does what copies a question. It fails if there is a function, say, in place of a number.
const copying = (copy) => {
  try {
    return copy();
  } catch (cause) {
    throw own(cause, "range");
  }
};

const abortion = (signal) => new MppmError("aborted", "mppm: this was aborted", { cause: signal.reason });

// A promise, or the abortion of who waits for it.
const unless = (signal, promise) => {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(abortion(signal));
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort);
    const done = () => signal.removeEventListener("abort", abort);
    promise.then((value) => { done(); resolve(value); }, (why) => { done(); reject(why); });
  });
};

// What an answer says: the program's value, or its error.
const value = ({ value, error }) => {
  if (error) throw new MppmError(error.code, `mppm: ${error.message}`);
  return value;
};

// A module whose only function returns a vector: valid only with SIMD.
const simd = () => WebAssembly.validate(new Uint8Array([
  0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, // \0asm, version 1
  1, 5, 1, 0x60, 0, 1, 0x7b, //          type: () -> v128
  3, 2, 1, 0, //                         one function of it
  10, 22, 1, 20, 0, 0xfd, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0b, // v128.const 0
]));

// A program in a worker. It is there once it says so; what then happens to it, all who
// wait are told.
const beside = (worker, program) => new Promise((resolve, reject) => {
  const waiting = new Map();
  let last = 0;
  let why = null;
  const end = (reason) => {
    if (why) return;
    why = reason;
    worker.close();
    reject(why);
    for (const { refuse } of waiting.values()) refuse(why);
    waiting.clear();
  };
  worker.listen((data) => {
    if (data.there) return worker.send({ program });
    if (data.started) return resolve(line);
    if (data.ended) return end(new Error(data.ended));
    const { accept } = waiting.get(data.number) || {};
    waiting.delete(data.number);
    worker.busy(waiting.size > 0);
    if (accept) accept(data.answer);
  }, (reason) => end(new Error(`the worker ended: ${reason}`)));
  const line = {
    ask: (name, question) => new Promise((accept, refuse) => {
      if (why) return refuse(why);
      const number = ++last;
      copying(() => worker.send({ number, name, question }));
      waiting.set(number, { accept, refuse });
      worker.busy(true);
    }),
    close: end,
  };
  worker.busy(true);
});

// A program in this thread. Between two questions others have their turn.
const inside = async (program) => {
  let why = null;
  const end = (reason) => { why ||= own(reason); };
  const ask = await start(program, end);
  return {
    ask: async (name, question) => {
      const copy = copying(() => structuredClone(question));
      await new Promise((resolve) => { setTimeout(resolve); });
      if (why) throw why;
      try {
        return ask(name, copy);
      } catch (reason) {
        end(reason);
        throw why;
      }
    },
    close: (reason) => {
      if (why) return;
      end(reason);
      ask("close", {});
    },
  };
};

// The programs, compiled once, whoever asks for them.
const programs = {};

const compiled = (platform, vectors) => {
  const file = vectors ? platform.files.simd : platform.files.scalar;
  programs[file] ||= platform.compile(file).then((module) => ({ module, vectors })).catch((err) => {
    delete programs[file];
    throw err;
  });
  return programs[file];
};

// A line to a program. Where the caller leaves it open, and no worker starts, as the
// policy of a page may have it, the program runs in this thread.
const dial = async (platform, program, worker) => {
  if (worker === false) return inside(program);
  try {
    return await beside(platform.worker(), program);
  } catch (cause) {
    if (worker) throw new MppmError("runtime", `mppm: the worker did not start: ${cause.message}`, { cause });
    return inside(program);
  }
};

/** A step of a flow. */
class Step {
  #images;

  constructor(of, images) {
    Object.assign(this, of);
    this.#images = images;
  }

  images(options) {
    return this.#images(options);
  }
}

/** A model. index.d.ts says what its methods take and give. */
class Model {
  #line;
  #classifier;

  constructor(line, about, classifier) {
    Object.assign(this, about);
    this.#line = line;
    this.#classifier = classifier;
  }

  async #ask(name, question, signal) {
    if (signal && signal.aborted) throw abortion(signal);
    return value(await unless(signal, this.#line.ask(name, question).catch((why) => { throw own(why); })));
  }

  encode(images, { signal } = {}) {
    return this.#ask("encode", { images }, signal);
  }

  decode(codes, { signal } = {}) {
    return this.#ask("decode", { codes }, signal);
  }

  distance(codes, { signal } = {}) {
    return this.#ask("distance", { codes }, signal);
  }

  gradient(codes, { signal } = {}) {
    return this.#ask("gradient", { codes }, signal);
  }

  mean(codes, { signal, ...settings } = {}) {
    return this.#ask("mean", { ...settings, codes }, signal);
  }

  damage(images, { signal, ...settings } = {}) {
    return this.#ask("damage", { ...settings, images }, signal);
  }

  draw(strokes, { signal, ...settings } = {}) {
    return this.#ask("draw", { ...settings, strokes }, signal);
  }

  async read(images, { signal } = {}) {
    await unless(signal, this.#classifier((file) => this.#ask("classifier", { file })));
    return this.#ask("read", { images }, signal);
  }

  // Begins a flow. One that nobody waits for any more is left.
  async #begin(from, { signal, ...settings }) {
    if (signal && signal.aborted) throw abortion(signal);
    const begun = this.#ask("begin", { ...settings, ...from });
    try {
      return (await unless(signal, begun)).flow;
    } catch (why) {
      begun.then(({ flow }) => this.#ask("end", { flow })).catch(() => {});
      throw why;
    }
  }

  async* flow(from, options = {}) {
    const { signal } = options;
    const flow = await this.#begin(from, options);
    try {
      for (;;) {
        const step = await this.#ask("step", { flow }, signal);
        if (!step) return;
        yield new Step(step, (options) => this.#ask("images", { flow, index: step.index }, options?.signal));
      }
    } finally {
      this.#ask("end", { flow }).catch(() => {}); // all of it may be over
    }
  }

  async #last(from, options = {}) {
    const { signal } = options;
    const flow = await this.#begin(from, options);
    try {
      let last;
      for (let step; (step = await this.#ask("step", { flow }, signal));) last = step;
      return { images: await this.#ask("images", { flow, index: last.index }, signal), ...last };
    } finally {
      this.#ask("end", { flow }).catch(() => {});
    }
  }

  restore(images, options) {
    return this.#last({ images }, options);
  }

  generate(options = {}) {
    return this.#last({ n: options.n ?? 1 }, options);
  }

  close() {
    this.#line.close(new MppmError("closed", "mppm: the model was closed"));
  }
}

// Fetches the classifier when it is first asked for, and again if that went wrong.
const once = (fetch) => {
  let there = null;
  return (take) => {
    there ||= fetch().then((file) => file && take(file)).catch((why) => {
      there = null;
      throw why;
    });
    return there;
  };
};

/** Makes load for a runtime. */
export const loader = (platform) => async (options = {}) => {
  const { signal, worker, weights, simd: vectors = simd() } = options;
  const { classifier = weights === undefined ? platform.files.classifier : null } = options;
  if (signal && signal.aborted) throw abortion(signal);
  const dialing = compiled(platform, vectors).then((program) => dial(platform, program, worker));
  try {
    const [line, file] = await unless(signal, Promise.all([dialing, platform.read(weights ?? platform.files.mnist, signal)]));
    const about = value(await unless(signal, line.ask("load", { file })));
    return new Model(line, about, once(async () => classifier && platform.read(classifier)));
  } catch (why) {
    dialing.then((line) => line.close(own(why)), () => {});
    throw own(why);
  }
};
