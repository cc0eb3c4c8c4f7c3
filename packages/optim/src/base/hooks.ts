/** @file Hooks of optimizers, in the order of their calls. */
import type { RemovableHandle } from '@tessera/core';

export interface HookOptions {
  /** Before the hooks that are there already. */
  readonly prepend?: boolean;
}

export class Hooks<H> {
  #hooks: readonly H[] = [];

  add(hook: H, { prepend = false }: HookOptions = {}): RemovableHandle {
    // One function may be registered twice; each handle removes its own.
    let live = true;
    const before = this.#hooks;
    this.#hooks = prepend ? [hook, ...before] : [...before, hook];
    return {
      remove: () => {
        if (!live) return;
        live = false;
        const at = prepend ? this.#hooks.indexOf(hook) : this.#hooks.lastIndexOf(hook);
        this.#hooks = this.#hooks.filter((_, i) => i !== at);
      },
    };
  }

  [Symbol.iterator](): Iterator<H> {
    return this.#hooks[Symbol.iterator]();
  }
}
