/** @file ModuleDict: modules by name. */
import { IndexError, missingForward, Module } from '@tessera/core';
import { entriesOf } from './entries.js';
import { checkModule, type NamedModules, namedModules } from './named-modules.js';

/**
 * Modules by name, in the order in which they were put in; its owner uses them as it likes. PyTorch: nn.ModuleDict.
 * @example
 * choices = new nn.ModuleDict({ conv: new nn.Conv2d(10, 10, 3), pool: new nn.MaxPool2d(3) });
 * forward(x: Tensor, choice: 'conv' | 'pool'): Tensor {
 *   return this.choices.get(choice)(x);
 * }
 */
export class ModuleDict<T extends Module = Module> extends Module {
  static override readonly typeName = 'ModuleDict';

  constructor(modules: NamedModules<T> = []) {
    super();
    this.update(modules);
  }

  /** A dictionary computes nothing. @throws ModuleError `ERR_NO_FORWARD`. */
  forward(..._args: never[]): never {
    return missingForward(this);
  }

  get size(): number {
    return entriesOf(this).size;
  }

  /** PyTorch: dict[name]. @throws IndexError `ERR_NO_KEY`. */
  get(name: string): T {
    const module = entriesOf<T>(this).get(name);
    if (module === undefined)
      throw new IndexError('ERR_NO_KEY', `ModuleDict has no module '${name}'; it has: ${[...this.keys()].join(', ')}`);
    return module;
  }

  has(name: string): boolean {
    return entriesOf(this).has(name);
  }

  /** PyTorch: dict[name] = module. */
  set(name: string, module: T): this {
    checkModule(module, name);
    entriesOf<T>(this).set(name, module);
    return this;
  }

  /** Puts in all of these. PyTorch: update(). */
  update(modules: NamedModules<T>): this {
    for (const [name, module] of namedModules(modules)) this.set(name, module);
    return this;
  }

  delete(name: string): boolean {
    return entriesOf(this).delete(name);
  }

  /** Takes a module out. */
  pop(name: string): T {
    const module = this.get(name);
    this.delete(name);
    return module;
  }

  clear(): void {
    entriesOf(this).clear();
  }

  keys(): IterableIterator<string> {
    return entriesOf(this).keys();
  }

  values(): IterableIterator<T> {
    return entriesOf<T>(this).values();
  }

  /** PyTorch: items(). */
  entries(): IterableIterator<[string, T]> {
    return entriesOf<T>(this).entries();
  }

  [Symbol.iterator](): IterableIterator<[string, T]> {
    return this.entries();
  }
}
