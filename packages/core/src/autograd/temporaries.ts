/**
 * @file What a backward pass makes for itself: gradients on their way, and what rules compute between. It is freed as soon as the last rule has
 * read it, so that a plain training loop does not wait for the collector with half of its memory.
 */
import { Scope, scopes } from '../memory/scope.js';
import type { Memory } from '../tensor/memory.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * The tensors of one pass. Each counts its holds: the places in the graph where it waits to be read. One whose last hold is let go is disposed
 * of. Tensors that somebody else may have seen (hooks, custom functions) are released: they live as all others do.
 */
export class Temporaries extends Scope {
  /** The scope of whoever called the pass: what hooks and custom functions make belongs there. */
  readonly outside: Scope | null = scopes.current instanceof Temporaries ? scopes.current.outside : scopes.current;
  readonly #before: Scope | null = scopes.current;
  readonly #made: Tensor[] = [];
  readonly #memories: Memory[] = [];

  override track<T extends Tensor>(t: T): T {
    t.pass = this;
    this.#made.push(t);
    return t;
  }

  override trackMemory(memory: Memory): void {
    this.#memories.push(memory);
  }

  override keep<T extends Tensor>(t: T): T {
    if (t.pass === this) t.pass = null;
    return this.outside === null ? t : this.outside.keep(t);
  }

  /** What is made from now on belongs to the pass. */
  enter(): void {
    scopes.current = this;
  }

  /** What is made from now on belongs to the caller. */
  leave(): void {
    scopes.current = this.#before;
  }

  /** Takes over a tensor that was made for the pass before it began, held once. */
  adopt(t: Tensor): void {
    t.pass = this;
    t.holds = 1;
  }

  hold(t: Tensor): Tensor {
    if (t.pass === this) t.holds++;
    return t;
  }

  letGo(t: Tensor): void {
    if (t.pass === this && --t.holds <= 0) t.dispose();
  }

  /** Others know of it: it is theirs from now on. */
  escape(t: Tensor): void {
    if (t.pass !== this) return;
    t.pass = null;
    this.outside?.track(t);
  }

  /** A rule has ended: what it made and nobody holds is freed. */
  sweep(): void {
    const made = this.#made;
    for (let i = 0; i < made.length; i++) {
      const t = made[i]!;
      if (t.holds === 0 && t.pass === this) t.dispose();
    }
    made.length = 0;
    const memories = this.#memories;
    for (let i = 0; i < memories.length; i++) if (memories[i]!.owners === 0) memories[i]!.abandon();
    memories.length = 0;
  }
}

/** Runs a user's function inside a backward rule: what it makes is the user's. */
export function asUser<T>(fn: () => T): T {
  const inside = scopes.current;
  if (!(inside instanceof Temporaries)) return fn();
  scopes.current = inside.outside;
  try {
    return fn();
  } finally {
    scopes.current = inside;
  }
}
