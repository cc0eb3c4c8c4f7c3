/**
 * @file Where tensors were made: remembered only when asked, since a stack costs more than an op. A tensor asks already whether there is a scope that
 * wants to know of it; tracking is a scope around everything, so that tensors ask nothing more.
 */
import { ValueError } from '../errors.js';
import { made, Scope, scopes } from '../memory/scope.js';
import type { Tensor } from '../tensor/tensor.js';

/** A tensor that was made while tracking was on. */
export interface TrackedTensor {
  readonly tensor: WeakRef<Tensor>;
  readonly stack: string;
  /** `performance.now()` at its making. */
  readonly time: number;
}

export const tensorTracking = { on: false };

const tracked = new Set<TrackedTensor>();
let seen = new WeakSet<Tensor>();
let asked = 0;

/** Sees what is made outside of all scopes, and disposes of nothing. */
class Everything extends Scope {
  override track<T extends Tensor>(t: T): T {
    note(t);
    return t;
  }
  override trackMemory(): void {}
  override keep<T extends Tensor>(t: T): T {
    return t;
  }
}
const everything = new Everything();

/**
 * Switches tracking on, from the next tensor on, or off, which forgets what was found.
 * @throws ValueError `ERR_TRACKING_SCOPE` within a scope, whose end would undo it.
 */
export function setTensorTracking(on: boolean): void {
  if (on === tensorTracking.on) return;
  if (scopes.current !== (on ? null : everything))
    throw new ValueError('ERR_TRACKING_SCOPE', 'debug.tensors: switch it outside of scope(fn) and of backward passes');
  tensorTracking.on = on;
  scopes.current = on ? everything : null;
  made.listener = on ? note : null;
  if (!on) {
    tracked.clear();
    seen = new WeakSet();
  }
}

function note(tensor: Tensor): void {
  // What a scope returns is handed to the one around it.
  if (seen.has(tensor)) return;
  seen.add(tensor);
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
