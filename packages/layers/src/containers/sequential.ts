/** @file Sequential: one module after the other. */
import { cameFrom, IndexError, isModule, Module, type Tensor } from '@tessera/core';
import { entriesOf, entryAt, place, push, renumber, replaceAt } from './entries.js';
import { checkModule, type NamedModules, namedModules } from './named-modules.js';

type Step = (x: unknown) => unknown;

/**
 * Feeds its input to the first module, what that gives to the second, and so on. PyTorch: nn.Sequential.
 *
 * The same module may stand in several places: its parameters are counted once. `I` and `O` are the types of the first input and the last
 * output, tensors by default.
 *
 * @throws ModuleError `ERR_MEMBER_TYPE` for what is no module.
 * @example new nn.Sequential(new nn.Linear(10, 50), new nn.ReLU(), new nn.Linear(50, 1))
 * @example new nn.Sequential([['conv', new nn.Conv2d(1, 20, 5)], ['relu', new nn.ReLU()]]) // keys 'conv.weight', 'conv.bias'
 */
export class Sequential<I = Tensor, O = Tensor> extends Module {
  static override readonly typeName = 'Sequential';

  constructor(...modules: readonly Module[] | readonly [NamedModules]) {
    super();
    const [first] = modules;
    if (modules.length === 1 && !isModule(first)) {
      for (const [name, module] of namedModules(first as NamedModules)) this.set(name, module);
    } else {
      for (const module of modules as readonly Module[]) this.append(module);
    }
  }

  forward(input: I): O {
    return this.#run([...entriesOf<Module>(this)], 0, input) as O;
  }

  #run(steps: readonly (readonly [string, Module])[], from: number, input: unknown): unknown {
    let x = input;
    let i = from;
    const failed = (error: unknown): never => {
      cameFrom(error, steps[i][0]);
      throw error;
    };
    try {
      for (; i < steps.length; i++) {
        x = (steps[i][1] as unknown as Step)(x);
        if (x instanceof Promise && i + 1 < steps.length) return x.then((y) => this.#run(steps, i + 1, y), failed);
      }
    } catch (error) {
      failed(error);
    }
    return x;
  }

  /** How many modules it has. PyTorch: len(sequential). */
  override get length(): number {
    return entriesOf(this).size;
  }

  /** The module at an index, or of a name. PyTorch: sequential[i]. @throws IndexError `ERR_INDEX_RANGE`. */
  at(index: number | string): Module {
    if (typeof index === 'number') return entryAt(this, index);
    const module = entriesOf<Module>(this).get(index);
    if (module === undefined) throw new IndexError('ERR_INDEX_RANGE', `Sequential has no module '${index}'`);
    return module;
  }

  /** A Sequential of the modules from `start` to before `end`, which keep their names. PyTorch: sequential[a:b]. */
  slice(start?: number, end?: number): Sequential<unknown, unknown> {
    return new Sequential<unknown, unknown>([...entriesOf<Module>(this)].slice(start, end));
  }

  /** Puts a module in the place of another one, or under a name. PyTorch: sequential[i] = module. */
  set(index: number | string, module: Module): this {
    checkModule(module, typeof index === 'string' ? index : undefined);
    if (typeof index === 'number') replaceAt(this, index, module);
    else entriesOf<Module>(this).set(index, module);
    return this;
  }

  append(module: Module): this {
    checkModule(module);
    push(this, module);
    return this;
  }

  extend(modules: Iterable<Module>): this {
    for (const module of modules) this.append(module);
    return this;
  }

  insert(index: number, module: Module): this {
    checkModule(module);
    const { length } = this;
    if (!Number.isInteger(index) || index < -length || index > length)
      throw new IndexError('ERR_INDEX_RANGE', `Index out of range: ${index}`);
    renumber<Module>(this, (list) => list.splice(index, 0, module));
    return this;
  }

  /** Takes a module out. PyTorch: sequential.pop(i). */
  pop(index = -1): Module {
    const module = this.at(index);
    const at = place(index, this.length);
    renumber<Module>(this, (list) => list.splice(at, 1));
    return module;
  }

  [Symbol.iterator](): IterableIterator<Module> {
    return entriesOf<Module>(this).values();
  }
}
