// <mppm-digit>: a digit that is damaged and restored, in somebody's article. What is seen is
// computed by the model; here it is shown, and what people do is passed on.
import { load } from "./index.js";

/** What the element says. A page in another language changes it before it shows one. */
export const texts = {
  label: "A handwritten digit, damaged and restored",
  original: "Original",
  damaged: "Damaged",
  restored: "Restored",
  pad: "Drawing pad: the arrow keys move the pen, Space puts it down and lifts it, Delete empties the pad",
  play: "Restore",
  pause: "Pause",
  timeline: "Steps of the flow",
  another: "Another digit",
  draw: "Draw my own",
  hint: "Draw a digit here",
  loading: "Loading …",
  reads: (reading) => `reads as ${reading.class} (${Math.floor(100 * reading.probability)} %)`,
  step: (index, last, distance) => `step ${index} of ${last} · D = ${distance.toFixed(2)}`,
  done: (steps, reading) => `Restored in ${steps} steps${reading ? `, ${texts.reads(reading)}` : ""}`,
};

const css = `
:host {
  display: block;
  position: relative;
  max-inline-size: var(--mppm-size, 44rem);
  font: var(--mppm-font, inherit);
  container-type: inline-size;
  --ground: var(--mppm-ground, #07090c);
  --ink: var(--mppm-ink, #fff3dd);
  --accent: var(--mppm-accent, #b84a08);
  --on-accent: var(--mppm-on-accent, #fffaf2);
  --line: var(--mppm-line, #8888);
  --radius: var(--mppm-radius, 0.4rem);
}
@supports (color: light-dark(black, white)) {
  :host {
    --ground: var(--mppm-ground, light-dark(#fffdf9, #07090c));
    --ink: var(--mppm-ink, light-dark(#14181e, #fff3dd));
    --accent: var(--mppm-accent, light-dark(#b84a08, #ffb04a));
    --on-accent: var(--mppm-on-accent, light-dark(#fffaf2, #1d1203));
  }
}
:host([hidden]), [hidden] { display: none !important; }
* { box-sizing: border-box; }
.all { display: grid; gap: 0.75rem; margin: 0; }
.places { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 0.75rem; }
.place { display: grid; gap: 0.25rem; margin: 0; align-content: start; }
.place figcaption { display: flex; gap: 0.5em; font-size: 0.875em; line-height: 1.4; white-space: nowrap; }
.place b { font-weight: 600; }
@container (max-width: 36rem) {
  .place figcaption { flex-direction: column; gap: 0; }
  .place span { min-block-size: 1.4em; } /* what is read comes late, and moves nothing */
}
@container (max-width: 30rem) {
  .places { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .places > :first-child { grid-column: 1 / -1; }
}
.frame { position: relative; aspect-ratio: 1; border: 1px solid var(--line); border-radius: var(--radius); overflow: hidden; background: var(--ground); color: var(--ink); }
canvas { display: block; inline-size: 100%; block-size: 100%; image-rendering: pixelated; }
#pad { touch-action: none; cursor: crosshair; }
.frame:focus-within { outline: 2px solid var(--accent); outline-offset: 2px; }
#pad:focus { outline: none; }
#hint { position: absolute; inset: 0; display: grid; place-items: center; pointer-events: none; font-size: 0.875em; }
#pen { position: absolute; inline-size: calc(100% / 28); block-size: calc(100% / 28); background: var(--accent); box-shadow: 0 0 0 1px var(--ground); pointer-events: none; opacity: 0.6; }
#pen.down { opacity: 1; }
.row { display: flex; flex-wrap: wrap; align-items: center; gap: 0.5rem 0.75rem; }
button { min-block-size: 2.25rem; padding: 0.25rem 0.9rem; border: 1px solid var(--line); border-radius: var(--radius); background: none; color: inherit; font: inherit; font-size: 0.9375em; cursor: pointer; }
button:hover:enabled { border-color: currentColor; }
button:disabled, input:disabled { opacity: 0.5; cursor: default; }
#play { border-color: var(--accent); background: var(--accent); color: var(--on-accent); min-inline-size: 6rem; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
input { flex: 1 1 8rem; min-inline-size: 6rem; block-size: 1.75rem; margin: 0; accent-color: var(--accent); }
#at { font-variant-numeric: tabular-nums; font-size: 0.875em; }
#heard { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
#wrong, .caption { margin: 0; font-size: 0.875em; }
`;

const side = 28;
const pen = 2.6; // width of its ink, in pixels of the image
const nearby = 0.3; // how far the pen must move to leave another point
const pace = 110; // milliseconds of a step

// A tree of elements, without markup, which a page may forbid.
const make = (tag, attributes = {}, ...children) => {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) e.addEventListener(name.slice(2), value);
    else if (typeof value === "boolean") e[name] = value;
    else e.setAttribute(name, value);
  }
  e.append(...children);
  return e;
};

// The models of all elements of the page: those with the same weights share one.
const models = new Map();

const borrow = (weights, classifier) => {
  const key = JSON.stringify([weights, classifier]);
  const shared = models.get(key) || { users: 0 };
  models.set(key, shared);
  shared.users++;
  shared.model ||= load({ ...(weights && { weights }), ...(classifier && { classifier }) });
  let back = false;
  return {
    model: shared.model,
    giveBack() {
      if (back) return;
      back = true;
      if (--shared.users > 0) return;
      setTimeout(() => { // an element that is moved comes back at once
        if (shared.users > 0 || models.get(key) !== shared) return;
        models.delete(key);
        shared.model.then((model) => model.close(), () => {});
      });
    },
  };
};

const sheet = () => {
  const s = new CSSStyleSheet();
  s.replaceSync(css);
  return s;
};
let sheets = null;

// Importing this where there is no page, as a server does that renders one, does nothing.
const Base = globalThis.HTMLElement || class {};

/** The element. element.d.ts says what its attributes are. */
export class MppmDigit extends Base {
  static observedAttributes = ["damage", "severity", "seed", "steps", "alpha", "beta", "sigma", "digit", "label", "weights", "classifier"];

  #at = {}; // the parts of the tree, by their ids
  #seen = null; // watches whether it comes into view
  #borrowed = null;
  #model = null;
  #running = null; // aborts the restoration under way
  #grown = 0; // how many digits were grown
  #original = null;
  #steps = []; // { image, distance, code }
  #index = 0;
  #timer = 0;
  #told = false; // of this restoration
  #reading = null;
  #strokes = null; // of a drawing; null where there is none
  #pointer = null;
  #cursor = { x: side / 2, y: side / 2, down: false };
  #inking = false;
  #again = false;
  #dark = null;
  #repaint = () => this.#paint();

  constructor() {
    super();
    this.#build();
  }

  connectedCallback() {
    this.#name();
    this.#dark = matchMedia("(prefers-color-scheme: dark)");
    this.#dark.addEventListener("change", this.#repaint);
    if (this.getAttribute("loading") === "eager") return this.#start();
    this.#seen = new IntersectionObserver((entries) => {
      if (entries.some((e) => e.isIntersecting)) this.#start();
    });
    this.#seen.observe(this);
  }

  disconnectedCallback() {
    this.#seen?.disconnect();
    this.#dark?.removeEventListener("change", this.#repaint);
    this.#leave();
  }

  attributeChangedCallback(name) {
    if (name === "label") return this.#name();
    if (name === "weights" || name === "classifier") {
      if (!this.#borrowed) return;
      this.#leave();
      this.#original = null;
      this.#start();
    } else if (this.#model) {
      if (name === "digit") this.#grow(true);
      else this.#restore(true);
    }
  }

  /** The image that is damaged, 784 numbers from 0 to 1. */
  get original() {
    return this.#original && this.#original.slice();
  }

  set original(image) {
    this.#strokes = null;
    this.#original = Float32Array.from(image);
    this.#restore(true);
  }

  /** Shows another digit. */
  another() {
    return this.#grow(true);
  }

  /** Empties the pad, to be drawn on. */
  clear() {
    this.#stop();
    this.#running?.abort();
    this.#strokes = [];
    this.#original = null;
    this.#steps = [];
    this.#reading = null;
    this.#show(0);
    this.#blank();
    this.#at.pad.focus();
  }

  /** Plays the restoration, from its start if it is at its end. */
  play() {
    const last = this.#steps.length - 1;
    if (last < 0) return;
    this.#stop();
    if (this.#index >= last) this.#show(0);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return this.#show(last);
    const next = () => {
      this.#show(this.#index + 1);
      this.#timer = this.#index < this.#steps.length - 1 ? setTimeout(next, pace) : 0;
      this.#button();
    };
    this.#timer = setTimeout(next, pace);
    this.#button();
  }

  /** Stays at the step that is shown. */
  pause() {
    this.#stop();
    this.#button();
  }

  #build() {
    const place = (id, more = {}) => {
      const canvas = make("canvas", { id, width: side, height: side, role: "img", "aria-label": texts[id] || texts.original, ...more });
      return { canvas, frame: make("div", { class: "frame", part: "frame" }, canvas) };
    };
    const pad = place("pad", {
      tabindex: 0, role: "application", "aria-label": texts.pad,
      onpointerdown: (e) => this.#down(e), onpointermove: (e) => this.#move(e), onpointerup: (e) => this.#up(e), onpointercancel: (e) => this.#up(e),
      onkeydown: (e) => this.#key(e), onblur: () => this.#lift(),
    });
    pad.frame.append(make("span", { id: "hint", hidden: true }, texts.hint), make("span", { id: "pen", hidden: true }));
    const column = (name, { frame }) => make("figure", { class: "place" },
      make("figcaption", {}, make("b", {}, texts[name]), ...(name === "original" ? [] : [make("span", { id: `${name}-note` })])), frame);
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheets ||= sheet()];
    root.append(make("div", { class: "all", id: "all", role: "group" },
      make("div", { class: "places" }, column("original", pad), column("damaged", place("damaged")), column("restored", place("restored"))),
      make("div", { class: "row" },
        make("button", { id: "play", type: "button", disabled: true, part: "button", onclick: () => (this.#timer ? this.pause() : this.play()) }, texts.play),
        make("input", { id: "timeline", type: "range", min: 0, max: 0, value: 0, disabled: true, "aria-label": texts.timeline, part: "timeline", oninput: () => { this.#stop(); this.#show(Number(this.#at.timeline.value)); } }),
        make("span", { id: "at" }, texts.loading)),
      make("div", { class: "row" },
        make("button", { id: "another", type: "button", disabled: true, part: "button", onclick: () => this.another() }, texts.another),
        make("button", { id: "draw", type: "button", disabled: true, part: "button", onclick: () => this.clear() }, texts.draw)),
      make("p", { id: "wrong", role: "alert", hidden: true }),
      make("div", { class: "caption", part: "caption" }, make("slot"))),
    make("span", { id: "heard", role: "status" }));
    for (const e of root.querySelectorAll("[id]")) this.#at[e.id] = e;
  }

  #name() {
    this.#at.all.setAttribute("aria-label", this.getAttribute("label") || texts.label);
  }

  // Shows another digit, that the model grows.
  async #grow(play) {
    if (!this.isConnected) return;
    await this.#try(async () => {
      const model = await this.#there();
      const digit = this.getAttribute("digit");
      const seed = this.#number("seed", 1) + this.#grown++;
      const { images } = await model.generate({ seed, ...(digit !== null && { class: Number(digit) }) });
      this.#strokes = null;
      this.#original = images;
      await this.#restore(play);
    });
  }

  // Borrows the model, and shows a digit.
  async #start() {
    if (this.#borrowed) return;
    this.#seen?.disconnect();
    await this.#try(async () => {
      await this.#there();
      for (const id of ["another", "draw"]) this.#at[id].disabled = false;
      this.#at.at.textContent = "";
      this.dispatchEvent(new CustomEvent("mppm-ready", { bubbles: true, composed: true }));
      const play = this.hasAttribute("autoplay");
      if (this.#original) await this.#restore(play);
      else if (!this.#strokes) await this.#grow(play);
    });
  }

  async #there() {
    const mine = this.#borrowed ||= borrow(this.getAttribute("weights"), this.getAttribute("classifier"));
    try {
      const model = await mine.model;
      if (this.#borrowed === mine) this.#model = model;
      return model;
    } catch (why) {
      if (this.#borrowed === mine) this.#leave();
      throw why;
    }
  }

  #leave() {
    this.#stop();
    this.#running?.abort();
    this.#borrowed?.giveBack();
    this.#borrowed = this.#model = null;
  }

  // Does what may go wrong, and says so.
  async #try(work) {
    try {
      this.#at.wrong.hidden = true;
      await work();
    } catch (error) {
      if (error.code === "aborted" || error.code === "closed") return; // by this element
      this.#button();
      this.#at.wrong.textContent = error.message;
      this.#at.wrong.hidden = false;
      if (this.#at.at.textContent === texts.loading) this.#at.at.textContent = "";
      this.dispatchEvent(new CustomEvent("mppm-error", { detail: error, bubbles: true, composed: true }));
    }
  }

  #number(name, otherwise) {
    const text = this.getAttribute(name);
    return text === null ? otherwise : Number(text);
  }

  // Damages the original, and restores it: computed at once, shown step by step.
  async #restore(play) {
    if (!this.#model || !this.#original) return;
    this.#stop();
    this.#running?.abort();
    const { signal } = this.#running = new AbortController();
    this.#steps = []; // those that were are of another picture
    await this.#try(async () => {
      const [model, original] = [this.#model, this.#original];
      const kind = this.getAttribute("damage") || "gaussian";
      const severity = this.#number("severity", model.damages.find((d) => d.kind === kind)?.mild ?? 0);
      const damaged = kind === "none" ? original : await model.damage(original, { kind, severity, seed: this.#number("seed", 1), signal });
      const settings = {};
      for (const name of ["steps", "alpha", "beta", "sigma"]) if (this.hasAttribute(name)) settings[name] = this.#number(name);
      const steps = [];
      for await (const step of model.flow({ images: damaged }, { ...settings, signal })) {
        steps.push({ image: await step.images({ signal }), distance: step.distances[0], code: step.codes });
      }
      const read = (image) => model.read(image, { signal }).then(([reading]) => reading, (why) => { if (why.code !== "unsupported") throw why; });
      const [before, after] = [await read(damaged), await read(steps.at(-1).image)];
      this.#steps = steps;
      this.#told = false;
      this.#reading = after;
      this.#at.hint.hidden = true;
      if (!this.#strokes) this.#ink("pad", original);
      this.#ink("damaged", damaged);
      this.#note("damaged", before);
      this.#at.timeline.max = steps.length - 1;
      this.#show(0);
      if (play) this.play();
    });
  }

  // Shows a step. After the last one the restoration is told of, once.
  #show(index) {
    const last = this.#steps.length - 1;
    this.#index = Math.max(0, Math.min(index, last));
    const { timeline, at, heard } = this.#at;
    timeline.disabled = last < 1;
    timeline.value = this.#index;
    this.#button();
    if (last < 0) return;
    const { image, distance, code } = this.#steps[this.#index];
    this.#ink("restored", image);
    const text = texts.step(this.#index, last, distance);
    at.textContent = text;
    timeline.setAttribute("aria-valuetext", text);
    this.#note("restored", this.#index === last ? this.#reading : null);
    this.dispatchEvent(new CustomEvent("mppm-step", { detail: { index: this.#index, last, distance, code, image }, bubbles: true, composed: true }));
    if (this.#index < last || this.#told) return;
    this.#told = true;
    heard.textContent = texts.done(last, this.#reading);
    this.dispatchEvent(new CustomEvent("mppm-restored", { detail: { steps: last, distance, code, image, reading: this.#reading || null }, bubbles: true, composed: true }));
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#timer = 0;
  }

  #button() {
    this.#at.play.disabled = this.#steps.length === 0;
    this.#at.play.textContent = this.#timer ? texts.pause : texts.play;
  }

  #note(name, reading) {
    this.#at[`${name}-note`].textContent = reading ? texts.reads(reading) : "";
  }

  #pictures = {}; // what each canvas shows

  // Shows an image: the ink as the page colors it, on what is behind.
  #ink(id, image) {
    this.#pictures[id] = image;
    const canvas = this.#at[id];
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.fillStyle = getComputedStyle(canvas).color;
    context.fillRect(0, 0, 1, 1);
    const { data: color } = context.getImageData(0, 0, 1, 1);
    const picture = new ImageData(side, side);
    image.forEach((v, i) => picture.data.set([color[0], color[1], color[2], 255 * Math.max(0, Math.min(v, 1))], 4 * i));
    context.putImageData(picture, 0, 0);
  }

  #paint() {
    for (const [id, image] of Object.entries(this.#pictures)) this.#ink(id, image);
  }

  // Empties all that is shown.
  #blank() {
    for (const id of ["pad", "damaged", "restored"]) this.#ink(id, new Float32Array(side * side));
    for (const name of ["damaged", "restored"]) this.#note(name, null);
    this.#at.at.textContent = "";
    this.#at.hint.hidden = false;
  }

  // Where a pointer is, in pixels of the image.
  #place(event) {
    const box = this.#at.pad.getBoundingClientRect();
    const on = (v) => Math.max(0, Math.min(v * side, side));
    return [on((event.clientX - box.left) / box.width), on((event.clientY - box.top) / box.height)];
  }

  #down(event) {
    if (event.button !== 0 || this.#pointer !== null) return;
    this.#start();
    if (!this.#model) return;
    this.#lift();
    this.#pointer = event.pointerId;
    try {
      this.#at.pad.setPointerCapture(event.pointerId);
    } catch { /* it is gone already */ }
    this.#begin(...this.#place(event));
  }

  #move(event) {
    if (event.pointerId !== this.#pointer) return;
    const events = event.getCoalescedEvents?.() || [];
    for (const e of events.length ? events : [event]) this.#on(...this.#place(e));
  }

  #up(event) {
    if (event.pointerId !== this.#pointer) return;
    this.#pointer = null;
    this.#end();
  }

  #begin(x, y) {
    if (!this.#strokes) this.clear();
    this.#running?.abort();
    this.#at.hint.hidden = true;
    this.#strokes.push([x, y, pen]);
    this.#draw();
  }

  #on(x, y) {
    const stroke = this.#strokes.at(-1);
    if (Math.hypot(x - stroke.at(-3), y - stroke.at(-2)) < nearby) return;
    stroke.push(x, y, pen);
    this.#draw();
  }

  // The drawing as it is becomes the original, centered as the model knows digits.
  async #end() {
    if (!this.#model) return;
    this.#running?.abort();
    const { signal } = this.#running = new AbortController();
    await this.#try(async () => {
      this.#original = await this.#model.draw(this.#strokes.map((s) => Float32Array.from(s)), { signal });
      await this.#restore(true);
    });
  }

  // Shows the drawing as it is, whenever the last picture of it has come.
  async #draw() {
    this.#again = true;
    if (this.#inking) return;
    this.#inking = true;
    await this.#try(async () => {
      while (this.#again && this.#model && this.#strokes) {
        this.#again = false;
        const image = await this.#model.draw(this.#strokes.map((s) => Float32Array.from(s)), { center: false });
        if (this.#strokes) this.#ink("pad", image);
      }
    });
    this.#inking = false;
  }

  #key(event) {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const at = this.#cursor;
    if (event.ctrlKey || event.metaKey || event.altKey || !this.#model) return;
    if (by) {
      const far = event.shiftKey ? 4 : 1;
      at.x = Math.max(0, Math.min(at.x + far * by[0], side));
      at.y = Math.max(0, Math.min(at.y + far * by[1], side));
      if (at.down) this.#on(at.x, at.y);
    } else if (event.key === " " || event.key === "Enter") {
      if (at.down) this.#lift();
      else {
        at.down = true;
        this.#begin(at.x, at.y);
      }
    } else if (event.key === "Delete" || event.key === "Backspace") {
      at.down = false;
      this.clear();
    } else if (event.key === "Escape" && at.down) {
      this.#lift();
    } else {
      return;
    }
    event.preventDefault();
    const { pen: mark } = this.#at;
    mark.hidden = false;
    mark.classList.toggle("down", at.down);
    mark.style.left = `${100 * (at.x - 0.5) / side}%`;
    mark.style.top = `${100 * (at.y - 0.5) / side}%`;
  }

  // Lifts the pen of the keyboard.
  #lift() {
    this.#at.pen.hidden = true;
    if (!this.#cursor.down) return;
    this.#cursor.down = false;
    this.#end();
  }
}

if (globalThis.customElements && !customElements.get("mppm-digit")) customElements.define("mppm-digit", MppmDigit);
