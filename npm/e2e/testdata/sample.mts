// All of the package, as TypeScript sees it. It is compiled, and not run.
import { load, MppmError, type Model, type MppmErrorCode, type Reading, type Result, type Step } from "mppm";
import { MppmDigit, texts, type RestoredDetail } from "mppm/element";
import { classifier, drawn, faces, mnist } from "mppm/weights";

const model: Model = await load();
await load({ weights: faces, classifier: null, worker: false, simd: false, signal: AbortSignal.timeout(1000) });
await load({ weights: "mine.safetensors", classifier, worker: true });
await load({ weights: new Uint8Array(8), classifier: new ArrayBuffer(8) });
for (const url of [drawn, mnist] satisfies URL[]) await load({ weights: url });

const { images, codes, distances, index }: Result = await model.generate({ n: 3, seed: 1, class: 7, steps: 10 });
const damaged: Float32Array = await model.damage(images, { kind: model.damages[0]!.kind, severity: 0.5, seed: 1 });
const restored: Result = await model.restore(damaged, { ...model.flows["restore"], alpha: 0.3 });
const readings: Reading[] = await model.read(restored.images);
const probability: number = readings[0]!.probabilities[readings[0]!.class]!;
for await (const step of model.flow({ codes, class: 3 }, { preset: "generate", beta: 0.2 })) {
  const at: Step = step;
  const picture: Float32Array = await at.images();
  console.log(at.index, at.codes, at.distances[0], at.active, picture.length);
}
for await (const _ of model.flow({ images })) break;
for await (const _ of model.flow({ n: 2, seed: 5 }, { signal: new AbortController().signal })) break;
const slope: Float32Array = await model.gradient(await model.encode(await model.decode(codes)));
console.log(await model.mean(slope, { sigma: 0.4 }), await model.distance(codes), distances, index, probability);
console.log(await model.draw([new Float32Array([1, 2, 3])], { center: false }));
const { height, width, channels } = model.shape;
console.log(height * width * channels === model.pixels, model.latent, model.spacing, model.classes, model.has.skips);

try {
  model.close();
} catch (error) {
  if (error instanceof MppmError) {
    const code: MppmErrorCode = error.code;
    console.log(code, error.cause);
  }
}

const element: MppmDigit = document.createElement("mppm-digit");
element.addEventListener("mppm-restored", ({ detail }) => {
  const d: RestoredDetail = detail;
  console.log(d.steps, d.reading?.class);
});
element.addEventListener("mppm-step", (event) => console.log(event.detail.distance.toFixed(2)));
element.original = images;
await element.another();
element.play();
texts.play = "Wiederherstellen";

// @ts-expect-error images are Float32Arrays
await model.encode([1, 2, 3]);
// @ts-expect-error there is no such parameter
await model.restore(images, { alhpa: 1 });
// @ts-expect-error a flow starts from something
model.flow({});
// @ts-expect-error damage has a severity
await model.damage(images, { kind: "gaussian" });
