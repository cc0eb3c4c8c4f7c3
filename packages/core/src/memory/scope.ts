/**
 * @file Scopes: what a function makes is disposed of when it ends, but what it returns. An option, never a need: tensors are collected anyway.
 */
import { MemoryError } from '../errors.js';
import type { Memory } from '../tensor/memory.js';
import type { Tensor } from '../tensor/tensor.js';

/** Who is told of the tensors that are made in scopes; nobody, unless tensors are tracked. @internal */
export const made: { listener: ((t: Tensor) => void) | null } = { listener: null };

/** Keeps tensors, and disposes of them together. Made by {@link scope}. */
export class Scope {
  readonly #tensors = new Set<Tensor>();
  /** Memories that were made while it ran: what an op computed for itself alone belongs to no tensor. */
  readonly #memories: Memory[] = [];

  /** Adds a tensor that the scope is to dispose of; answers it. */
  track<T extends Tensor>(t: T): T {
    if (made.listener !== null) made.listener(t);
    this.#tensors.add(t);
    return t;
  }

  /** @internal */
  trackMemory(memory: Memory): void {
    this.#memories.push(memory);
  }

  /** The tensor outlives the scope. */
  keep<T extends Tensor>(t: T): T {
    this.#tensors.delete(t);
    return t;
  }

  /** Disposes of all that is tracked, but what `result` (a tensor, or arrays and plain objects of them) holds. */
  end(result: unknown, parent: Scope | null): void {
    for (const t of tensorsIn(result)) {
      if (this.#tensors.delete(t)) parent?.track(t);
    }
    for (const t of this.#tensors) t.dispose();
    this.#tensors.clear();
    for (const memory of this.#memories) if (memory.owners === 0) memory.abandon();
    this.#memories.length = 0;
  }

  get size(): number {
    return this.#tensors.size;
  }
}

/** The scope of the synchronous code that runs now. */
export const scopes: { current: Scope | null } = { current: null };

const TENSOR = Symbol.for('tessera.tensor');

function* tensorsIn(x: unknown, depth = 0): Generator<Tensor> {
  if (typeof x !== 'object' || x === null || depth > 8) return;
  if (TENSOR in x) yield x as unknown as Tensor;
  else if (Array.isArray(x)) for (const y of x) yield* tensorsIn(y, depth + 1);
  else if (x instanceof Map) for (const y of x.values()) yield* tensorsIn(y, depth + 1);
  else if (Object.getPrototypeOf(x) === Object.prototype) for (const y of Object.values(x)) yield* tensorsIn(y, depth + 1);
}

/**
 * Runs `fn`; tensors made in it are disposed of when it ends or throws, but those that it returns, and gradients and parameters, which
 * others hold. A synchronous function needs nothing more; an async one takes the scope as its argument and tracks what it wants disposed of,
 * since browsers have no context that follows an `await`.
 *
 * @example const loss = scope(() => model(x).sub(y).square().mean());
 * @example await scope(async (s) => { const batch = s.track(await load()); … });
 */
export function scope<T>(fn: (s: Scope) => T): T {
  const own = new Scope();
  const parent = scopes.current;
  const asynchronous = fn.constructor.name === 'AsyncFunction';
  if (asynchronous && fn.length === 0) {
    throw new MemoryError(
      'ERR_ASYNC_SCOPE',
      'scope(fn) without an argument takes a synchronous function; write scope(async (s) => { … s.track(t) … })',
    );
  }
  scopes.current = asynchronous ? parent : own;
  let result: T;
  try {
    result = fn(own);
  } catch (error) {
    scopes.current = parent;
    own.end(undefined, null);
    throw error;
  }
  scopes.current = parent;
  if (typeof (result as { then?: unknown } | null)?.then === 'function') {
    return Promise.resolve(result).then(
      (value) => {
        own.end(value, null);
        return value;
      },
      (error: unknown) => {
        own.end(undefined, null);
        throw error;
      },
    ) as T;
  }
  own.end(result, parent);
  return result;
}

/** The tensor outlives the scope that runs now: what parameters, gradients and optimizer states are marked with. */
export function keep<T extends Tensor>(t: T): T {
  return scopes.current === null ? t : scopes.current.keep(t);
}
