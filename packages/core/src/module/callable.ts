/**
 * @file Objects that can be called: `model(x)`. The constructor returns a function whose prototype is that of the class, so that methods, fields
 * and private fields of the classes below land on it, and `instanceof` works.
 */
import type { ModuleHooks } from './hooks.js';
import type { Member } from './members.js';

/** Where a module keeps what is no field of its own: reached by the files of this folder, and by containers. */
export const STATE: unique symbol = Symbol.for('tessera.module.state') as never;

export class ModuleState {
  /** null while there is none, so that a call without hooks asks one question. */
  hooks: ModuleHooks | null = null;
  /** The names that are buffers whatever tensor they hold, and whether each is saved. */
  readonly buffers = new Map<string, boolean>();
  /** Members that are no properties: what containers hold, in their order (a property named `0` would come before all others). */
  readonly entries = new Map<string, Member | null>();
}

/** What a call of the object does. */
export type CallRoute = (self: Callable, state: ModuleState, args: readonly unknown[]) => unknown;

/**
 * Base of {@link Module}. The function's own `name` and `length` are deleted: a model may have fields of these names, and must not seem to have
 * them otherwise.
 */
export abstract class Callable {
  /** @internal */
  declare readonly [STATE]: ModuleState;

  constructor(route: CallRoute) {
    const state = new ModuleState();
    const self = (...args: readonly unknown[]): unknown => route(self as unknown as Callable, state, args);
    delete (self as { name?: string }).name;
    delete (self as { length?: number }).length;
    Object.setPrototypeOf(self, new.target.prototype as object);
    Object.defineProperty(self, STATE, { value: state });
    return self as never;
  }
}
