/** Errors of this package, and what their codes mean. */
export type MppmErrorCode =
  /** A file is not one of a model, or of a classifier for its images. */
  | "weights"
  /** A file could not be fetched. */
  | "fetch"
  /** There are not as many numbers as there must be, or they are in no Float32Array. */
  | "shape"
  /** A number or a name is none of those that there may be. */
  | "range"
  /** The model does not have what is asked for. */
  | "unsupported"
  /** The images of a step were asked for after the next step. */
  | "late"
  /** The signal was aborted; its reason is the cause. */
  | "aborted"
  /** The model was closed. */
  | "closed"
  /** The program, or its worker, ended or did not start. */
  | "runtime";

/** The error of this package: nothing of it throws or rejects with another. */
export class MppmError extends Error {
  constructor(code: MppmErrorCode, message: string, options?: ErrorOptions);
  readonly name: "MppmError";
  readonly code: MppmErrorCode;
}

/** A file: its bytes, its address (relative to the page), in Node also its path, or a response. */
export type Source = URL | string | ArrayBuffer | ArrayBufferView | Response;

export interface Cancel {
  /** Aborts what is waited for: it rejects with the code "aborted". */
  signal?: AbortSignal;
}

export interface LoadOptions extends Cancel {
  /** The model's weights. Those of digits, which come with the package, if it is left out. */
  weights?: Source;
  /**
   * The weights of what `read` reads with, fetched when it first does. Those of digits if both
   * this and `weights` are left out; null is none.
   */
  classifier?: Source | null;
  /**
   * Whether the program runs in a worker: true, or it fails; false, in this thread. Left out, in
   * a worker where one starts.
   */
  worker?: boolean;
  /** false: the program without SIMD, which others are given that have none. */
  simd?: boolean;
}

/** Loads a model. */
export function load(options?: LoadOptions): Promise<Model>;

/** What images are like: their numbers are row by row, the channels of a pixel side by side. */
export interface ImageShape {
  readonly height: number;
  readonly width: number;
  /** 1 of gray images, 3 of those in color. */
  readonly channels: number;
}

/** The parameters of a flow (Alg. 4 and App. B.3 of the paper). Lengths are in multiples of `spacing`. */
export interface Parameters {
  /** α of Eq. 15, the share of the distance that a step undoes; α + β < 1. */
  alpha: number;
  /** β of Eq. 15, the weight of the kernel mean. */
  beta: number;
  /** σ of Eq. 21, the width of the kernel. */
  sigma: number;
  /** The distance at which the kernel counts half; 0: it always counts in full. */
  tau: number;
  /** Steps at most. */
  steps: number;
  /** A code that moves by no more has arrived; 0: none ever does. */
  tolerance: number;
  /** Of generation: the spread of the starts, in multiples of the codes' own. */
  noise: number;
  /** Of restoration: how often the image is encoded and flows. */
  rounds: number;
  /** Of a U-Net: the distance at which its skips and their projections count alike; 0: the skips as they are. */
  trust: number;
  /** The same at each pixel, in units of the pixels. */
  local: number;
  /** How far a bright pixel may be off for it and the decoded one to count alike; 0: all are decoded. */
  keep: number;
}

export interface FlowOptions extends Cancel, Partial<Parameters> {
  /** The name of one of the model's `flows`, whose parameters hold where none is given. */
  preset?: string;
}

/** Where generation starts. */
export interface Noise {
  /** How many images. */
  n: number;
  /** A whole number from 0 on: the same seed gives the same images, to the bit, everywhere. */
  seed?: number;
  /** One of the model's `classes`, for images of that class. */
  class?: number;
}

/** Where a flow starts: at images, at codes, or at noise. */
export type Start = { images: Float32Array } | { codes: Float32Array; class?: number } | Noise;

/** Where a flow is. Of n images there are n × latent codes and n distances. */
export interface Step {
  /** 0 is the start. */
  readonly index: number;
  readonly codes: Float32Array;
  /** The learned distance of each code to those of clean images. */
  readonly distances: Float32Array;
  /** How many have not arrived. */
  readonly active: number;
  /** The images of this step. They can be asked for until the next step is. */
  images(options?: Cancel): Promise<Float32Array>;
}

/** Where a flow has come to. */
export interface Result {
  readonly images: Float32Array;
  readonly codes: Float32Array;
  readonly distances: Float32Array;
  /** The number of the last step. */
  readonly index: number;
  readonly active: number;
}

/** What an image is read as. */
export interface Reading {
  readonly class: number;
  readonly probability: number;
  /** Of each class. */
  readonly probabilities: Float32Array;
}

/** A way to damage images: its severities, and those of the paper's Table 6. */
export interface Damage {
  readonly kind: string;
  readonly label: string;
  /** What the severity measures. */
  readonly unit: string;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly mild: number;
  readonly severe: number;
}

export interface DamageOptions extends Cancel {
  /** One of the model's `damages`. */
  kind: string;
  severity: number;
  /** A whole number from 0 on. Image i is damaged with stream i of its random numbers. */
  seed?: number;
}

/**
 * A model. Images and codes are Float32Arrays, several one after the other; images have numbers
 * from 0, black, to 1. What is given is not changed, what is returned is the caller's. One thing
 * is computed at a time: what is asked meanwhile waits.
 */
export interface Model {
  readonly shape: ImageShape;
  /** How many numbers an image has. */
  readonly pixels: number;
  /** How many numbers a code has. */
  readonly latent: number;
  /** The median distance of a clean code to the nearest other. */
  readonly spacing: number;
  /** The flows that the weights name, `restore` and `generate` among them. */
  readonly flows: Readonly<Record<string, Readonly<Parameters>>>;
  /** The classes that images can be grown of; none where the weights know none. */
  readonly classes: readonly number[];
  readonly damages: readonly Damage[];
  /** What the model has beside its encoder and decoder. */
  readonly has: {
    /** The distance net. Without it every distance is 0. */
    readonly distance: boolean;
    /** Skips past the codes, as in a U-Net. */
    readonly skips: boolean;
    /** The distance at each pixel. */
    readonly local: boolean;
  };

  /** F: the codes of images. */
  encode(images: Float32Array, options?: Cancel): Promise<Float32Array>;
  /** G: the images of codes. */
  decode(codes: Float32Array, options?: Cancel): Promise<Float32Array>;
  /** D: the learned distance of each code to those of clean images. */
  distance(codes: Float32Array, options?: Cancel): Promise<Float32Array>;
  /** ∇D at each code. */
  gradient(codes: Float32Array, options?: Cancel): Promise<Float32Array>;
  /** The kernel mean (Eq. 21) at each code, of the flow `restore` if no width is given. */
  mean(codes: Float32Array, options?: Cancel & { sigma?: number }): Promise<Float32Array>;
  /**
   * Flows, step by step: the start, and then every step. Each is computed when it is asked for;
   * who leaves the loop leaves the flow.
   */
  flow(from: Start, options?: FlowOptions): AsyncGenerator<Step, void, undefined>;
  /** Restores images. */
  restore(images: Float32Array, options?: FlowOptions): Promise<Result>;
  /** Grows images from noise, one if no number is given. */
  generate(options?: Partial<Noise> & FlowOptions): Promise<Result>;
  /** What the classifier reads in each image. */
  read(images: Float32Array, options?: Cancel): Promise<Reading[]>;
  /** Damages images. */
  damage(images: Float32Array, options: DamageOptions): Promise<Float32Array>;
  /**
   * The image of strokes of a pen, for models of digits. A stroke has three numbers a point: x and
   * y, in pixels of the image, and the width of the ink. It is centered as the digits are that the
   * model knows, unless `center` is false.
   */
  draw(strokes: readonly Float32Array[], options?: Cancel & { center?: boolean }): Promise<Float32Array>;
  /** Ends the program. What is under way rejects with the code "closed", and so does all later. */
  close(): void;
}
