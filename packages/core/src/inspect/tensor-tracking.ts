/** @file Where tensors were made: remembered only when asked, since a stack costs more than an op. */
import type { Tensor } from '../tensor/tensor.js';
import { made } from '../tensor/made.js';

/** A tensor that was made while tracking was on. */
export interface TrackedTensor {
  readonly tensor: WeakRef<Tensor>;
  readonly stack: string;
  /** `performance.now()` at its making. */
  readonly time: number;
}

export const tensorTracking = { on: false };

const tracked = new Set<TrackedTensor>();
let asked = 0;

/** Switches tracking on, from the next tensor on, or off, which forgets what was found. */
export function setTensorTracking(on: boolean): void {
  tensorTracking.on = on;
  made.listener = on ? note : null;
  if (!on) tracked.clear();
}

function note(tensor: Tensor): void {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 30;
  const stack = new Error('made').stack ?? '';
  Error.stackTraceLimit = limit;
  tracked.add({ tensor: new WeakRef(tensor), stack, time: performance.now() });
  // Dead ones are swept when they may be half of all, so that this stays cheap.
  if (tracked.size > 2 * Math.max(asked, 1024)) {
    liveTensors();
    asked = tracked.size;
  }
}

/** What was made while tracking was on and still lives: not disposed of, and not collected. */
export function liveTensors(): { readonly tensor: Tensor; readonly record: TrackedTensor }[] {
  const live: { tensor: Tensor; record: TrackedTensor }[] = [];
  for (const record of tracked) {
    const tensor = record.tensor.deref();
    if (tensor === undefined || tensor.isDisposed) tracked.delete(record);
    else live.push({ tensor, record });
  }
  return live;
}
