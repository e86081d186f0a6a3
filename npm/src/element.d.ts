import type { Reading } from "./index.js";

/** What the element says. A page in another language changes it before it shows one. */
export const texts: {
  label: string;
  original: string;
  damaged: string;
  restored: string;
  pad: string;
  play: string;
  pause: string;
  timeline: string;
  another: string;
  draw: string;
  hint: string;
  loading: string;
  reads(reading: Reading): string;
  step(index: number, last: number, distance: number): string;
  done(steps: number, reading: Reading | null): string;
};

/** Of the event mppm-step: a step of the restoration is shown. */
export interface StepDetail {
  readonly index: number;
  /** The number of the last step. */
  readonly last: number;
  readonly distance: number;
  readonly code: Float32Array;
  readonly image: Float32Array;
}

/** Of the event mppm-restored: the last step is shown. */
export interface RestoredDetail {
  readonly steps: number;
  readonly distance: number;
  readonly code: Float32Array;
  readonly image: Float32Array;
  /** What the digit is read as; null without a classifier. */
  readonly reading: Reading | null;
}

/**
 * `<mppm-digit>`: a digit that is damaged and restored. What is inside it becomes its caption.
 *
 * Attributes: `damage` (one of a model's damages, or none), `severity`, `seed`; `steps`, `alpha`,
 * `beta`, `sigma` of the flow; `digit`, the class of those that are shown; `label`, its name for
 * who does not see it; `autoplay`; `loading="eager"`, to be loaded before it comes into view;
 * `weights` and `classifier`, the addresses of other ones for 28 × 28 pixels in gray.
 *
 * Custom properties: `--mppm-size`, `--mppm-font`, `--mppm-ground`, `--mppm-ink`, `--mppm-accent`,
 * `--mppm-on-accent`, `--mppm-line`, `--mppm-radius`. Parts: `frame`, `button`, `timeline`, `caption`.
 *
 * Events: `mppm-ready`, `mppm-step`, `mppm-restored`, and `mppm-error` with the error.
 */
export class MppmDigit extends HTMLElement {
  /** The image that is damaged, 784 numbers from 0 to 1; null before there is one. */
  get original(): Float32Array | null;
  set original(image: ArrayLike<number>);
  /** Shows another digit. */
  another(): Promise<void>;
  /** Empties the pad, to be drawn on. */
  clear(): void;
  /** Plays the restoration, from its start if it is at its end. */
  play(): void;
  /** Stays at the step that is shown. */
  pause(): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "mppm-digit": MppmDigit;
  }
  interface HTMLElementEventMap {
    "mppm-ready": CustomEvent<null>;
    "mppm-step": CustomEvent<StepDetail>;
    "mppm-restored": CustomEvent<RestoredDetail>;
    "mppm-error": CustomEvent<Error>;
  }
}
