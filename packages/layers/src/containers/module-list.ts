/** @file ModuleList: modules by number. */
import { IndexError, missingForward, Module, typeNameOf, isModule, kindOf, ModuleError } from '@tessera/core';
import { entriesOf, entryAt, place, push, renumber, replaceAt } from './entries.js';
import { checkModule } from './named-modules.js';

function refuseMembers(list: Module, given: unknown): never {
  throw new ModuleError(
    'ERR_MEMBER_TYPE',
    `${typeNameOf(list)}: its modules go into one array, [new nn.Linear(…), …], and this is ${kindOf(given)}`,
  );
}

/**
 * A list of modules, which its owner uses as it likes. An array would hide them from `parameters()`. PyTorch: nn.ModuleList.
 * @example
 * layers = new nn.ModuleList(Array.from({ length: 3 }, () => new nn.Linear(10, 10)));
 * forward(x: Tensor): Tensor {
 *   for (const layer of this.layers) x = layer(x).relu();
 *   return x;
 * }
 */
export class ModuleList<T extends Module = Module> extends Module {
  static override readonly typeName: string = 'ModuleList';

  constructor(modules: Iterable<T> = []) {
    super();
    if (typeof (modules as Partial<Iterable<T>> | null)?.[Symbol.iterator] !== 'function' || isModule(modules) || arguments.length > 1)
      refuseMembers(this, arguments.length > 1 ? arguments[1] : modules);
    this.extend(modules);
  }

  /** A list computes nothing. @throws ModuleError `ERR_NO_FORWARD`. */
  forward(..._args: never[]): never {
    return missingForward(this);
  }

  override get length(): number {
    return entriesOf(this).size;
  }

  /** The module at an index, from the end when negative. PyTorch: list[i]. @throws IndexError `ERR_INDEX_RANGE`. */
  at(index: number): T {
    return entryAt(this, index);
  }

  /** PyTorch: list[a:b]. */
  slice(start?: number, end?: number): ModuleList<T> {
    return new ModuleList([...this].slice(start, end));
  }

  /** PyTorch: list[i] = module. */
  set(index: number, module: T): this {
    checkModule(module);
    replaceAt(this, index, module);
    return this;
  }

  append(module: T): this {
    checkModule(module);
    push(this, module);
    return this;
  }

  extend(modules: Iterable<T>): this {
    for (const module of modules) this.append(module);
    return this;
  }

  /** Puts a module before the one at `index`. */
  insert(index: number, module: T): this {
    checkModule(module);
    if (!Number.isInteger(index)) throw new IndexError('ERR_INDEX_RANGE', `index ${index} is out of range`);
    renumber<T>(this, (list) => list.splice(index, 0, module));
    return this;
  }

  pop(index = -1): T {
    const module = this.at(index);
    const at = place(index, this.length);
    renumber<T>(this, (list) => list.splice(at, 1));
    return module;
  }

  [Symbol.iterator](): IterableIterator<T> {
    return entriesOf<T>(this).values();
  }

  /** Runs of equal modules are shown once, as PyTorch does. */
  override toString(): string {
    const blocks: { first: number; last: number; text: string }[] = [];
    for (const [i, module] of [...this].entries()) {
      const text = module.toString();
      const block = blocks.at(-1);
      if (block?.text === text) block.last = i;
      else blocks.push({ first: i, last: i, text });
    }
    const name = typeNameOf(this);
    if (blocks.length === 0) return `${name}()`;
    const lines = blocks.map(({ first, last, text }) =>
      first === last ? `(${first}): ${text}` : `(${first}-${last}): ${last - first + 1} x ${text}`,
    );
    return `${name}(\n  ${lines.map((line) => line.replaceAll('\n', '\n  ')).join('\n  ')}\n)`;
  }
}
