// Has <mppm-digit> do all it does, in a page, and tells what is wrong.
const query = new URLSearchParams(location.search);
const failed = [];
const told = async () => {
  const next = await fetch(`/told?page=${query.get("page")}`, { method: "POST", body: JSON.stringify(failed) }).then((r) => r.text());
  if (next) location.href = next;
};

const workers = [];
const { Worker } = globalThis;
globalThis.Worker = class extends Worker {
  constructor(...args) {
    super(...args);
    workers.push(this);
  }

  terminate() {
    this.ended = true;
    super.terminate();
  }
};

addEventListener("securitypolicyviolation", (event) => failed.push(`the policy forbids ${event.violatedDirective}: ${event.blockedURI}`));

const check = (ok, what) => {
  if (!ok) failed.push(what);
};

// The next event of a name, within a while.
const next = (e, name) => new Promise((resolve, reject) => {
  e.addEventListener(name, resolve, { once: true });
  setTimeout(() => reject(new Error(`${e.outerHTML}: waited for ${name} in vain: ${e.shadowRoot.getElementById("wrong").textContent}`)), 60000);
});

const part = (e, id) => e.shadowRoot.getElementById(id);
const shown = (e, id) => part(e, id).getContext("2d").getImageData(0, 0, 28, 28).data.filter((_, i) => i % 4 === 3);
const sum = (numbers) => numbers.reduce((s, v) => s + v, 0);

const test = async () => {
  const { MppmDigit, texts } = await import("/some/where/mppm/element.js");
  const add = (attributes) => {
    const e = document.createElement("mppm-digit");
    for (const [name, value] of Object.entries({ loading: "eager", ...attributes })) e.setAttribute(name, value);
    document.body.append(e);
    return e;
  };

  // It plays by itself, and says what came of it.
  const one = add({ autoplay: "", seed: 3, digit: 4, severity: 0.7, label: "A four" });
  check(one instanceof MppmDigit && part(one, "all").getAttribute("aria-label") === "A four", "it has no name");
  const steps = [];
  one.addEventListener("mppm-step", ({ detail }) => steps.push(detail.index));
  let { detail } = await next(one, "mppm-restored");
  check(detail.steps === 15 && detail.code.length === 18 && detail.image.length === 784 && detail.reading.class === 4 && detail.distance < 0.5, `restored: ${JSON.stringify({ ...detail, code: 0, image: 0 })}`);
  check(steps.join() === Array.from({ length: 16 }, (_, i) => i).join() || matchMedia("(prefers-reduced-motion: reduce)").matches, `it shows the steps ${steps}`);
  check(part(one, "at").textContent.startsWith("step 15 of 15 · D = ") && part(one, "restored-note").textContent.startsWith("reads as 4"), `it says ${part(one, "all").textContent}`);
  check(part(one, "heard").textContent.startsWith("Restored in 15 steps, reads as 4"), `one hears ${part(one, "heard").textContent}`);
  check(sum(shown(one, "pad")) > 5000 && sum(shown(one, "damaged")) > sum(shown(one, "pad")) && sum(shown(one, "restored")) > 5000, "there are no pictures");
  const first = one.original;

  // Attributes hold at once.
  const weak = detail.distance;
  const again = next(one, "mppm-restored");
  one.setAttribute("steps", 3);
  ({ detail } = await again);
  check(detail.steps === 3 && detail.distance > weak && part(one, "timeline").max === "3", `with 3 steps: ${detail.steps}, D = ${detail.distance}`);
  const wrong = next(one, "mppm-error");
  one.setAttribute("damage", "rain");
  check((await wrong).detail.code === "range" && !part(one, "wrong").hidden && part(one, "wrong").textContent.includes("there are gaussian"), `of rain it says ${part(one, "wrong").textContent}`);
  const right = next(one, "mppm-restored");
  one.setAttribute("damage", "none");
  await right;
  check(part(one, "wrong").hidden && shown(one, "damaged").join() === shown(one, "pad").join(), "damage none damages");

  // The timeline.
  const { timeline } = { timeline: part(one, "timeline") };
  timeline.value = 1;
  timeline.dispatchEvent(new Event("input"));
  check(part(one, "at").textContent.startsWith("step 1 of 3") && timeline.getAttribute("aria-valuetext") === part(one, "at").textContent, "the timeline does nothing");

  // Another one shares the model, and waits to be asked.
  const two = add({ seed: 3 });
  await next(two, "mppm-ready");
  await next(two, "mppm-step");
  check(workers.length === 1, `${workers.length} workers run for two elements`);
  check(part(two, "at").textContent.startsWith("step 0 of 15"), `without autoplay it is at ${part(two, "at").textContent}`);
  const asked = next(two, "mppm-restored");
  part(two, "play").click();
  check(part(two, "play").textContent === texts.pause || matchMedia("(prefers-reduced-motion: reduce)").matches, "playing, the button says something else");
  await asked;
  const grown = next(two, "mppm-restored");
  part(two, "another").click();
  await grown;
  check(two.original.some((v, i) => v !== first[i]), "another digit is the same");

  // An image of the page's own.
  const own = next(two, "mppm-restored");
  two.original = first;
  await own;
  check(two.original.every((v, i) => v === first[i]), "the image of the page's is another one");
  const few = next(two, "mppm-error");
  two.original = [1, 2, 3];
  check((await few).detail.code === "shape", "three numbers are an image");

  // Drawn with a pointer.
  const pad = part(two, "pad");
  part(two, "draw").click();
  check(!part(two, "hint").hidden && two.original === null && sum(shown(two, "pad")) === 0, "the pad is not empty");
  const box = pad.getBoundingClientRect();
  const point = (type, y) => pad.dispatchEvent(new PointerEvent(type, { pointerId: 7, isPrimary: true, button: 0, bubbles: true, clientX: box.left + 0.3 * box.width, clientY: box.top + y * box.height }));
  const drawn = next(two, "mppm-restored");
  point("pointerdown", 0.2);
  for (let y = 0.2; y < 0.8; y += 0.02) point("pointermove", y);
  point("pointerup", 0.8);
  ({ detail } = await drawn);
  check(detail.reading.class === 1 && part(two, "hint").hidden, `a stroke is read as ${detail.reading.class}`);
  const at = shown(two, "pad");
  check(at[14 * 28 + 8] > 200 && at[14 * 28 + 14] === 0, "the ink is not where the pen was");
  check(two.original[14 * 28 + 14] > 0.7, "the drawing is not centered");

  // Drawn with keys.
  const key = (name, more) => pad.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true, ...more }));
  const typed = next(two, "mppm-restored");
  key("Delete");
  for (let i = 0; i < 9; i++) key("ArrowUp");
  key(" ");
  for (let i = 0; i < 5; i++) key("ArrowDown", { shiftKey: true });
  check(!part(two, "pen").hidden && part(two, "pen").classList.contains("down"), "the keyboard's pen is not seen");
  key(" ");
  ({ detail } = await typed);
  check(detail.reading.class === 1, `what the keys drew is read as ${detail.reading.class}`);

  // Whoever is last closes the model; who is moved keeps it.
  document.body.prepend(two);
  one.remove();
  await new Promise((resolve) => { setTimeout(resolve, 50); });
  check(workers.length === 1 && !workers[0].ended, "the worker ended that an element needs");
  const moved = next(two, "mppm-restored");
  two.setAttribute("seed", 9);
  await moved;
  two.remove();
  await new Promise((resolve) => { setTimeout(resolve, 50); });
  check(workers[0].ended, "the worker goes on without an element");
  const shownAgain = next(two, "mppm-step");
  document.body.append(two);
  await shownAgain;
  const back = next(two, "mppm-restored");
  two.play();
  await back;
  check(workers.length === 2, "it does not come back");

  // Without weights.
  const lost = add({ weights: "nothing.safetensors" });
  check((await next(lost, "mppm-error")).detail.code === "fetch" && !part(lost, "wrong").hidden, "it does not say that weights are missing");
};

try {
  await test();
} catch (why) {
  failed.push(`${why} ${why.stack}`);
}
await told();
