/** @file ParameterDict: parameters by name. */
import { type DType, IndexError, missingForward, Module, type Parameter, type Tensor } from '@tessera/core';
import { entriesOf } from './entries.js';
import { asParameter, describeParameter } from './parameter-list.js';

const TYPES: Readonly<Record<DType, string>> = {
  float32: 'FloatTensor',
  float64: 'DoubleTensor',
  float16: 'HalfTensor',
  bfloat16: 'BFloat16Tensor',
  int32: 'IntTensor',
  uint8: 'ByteTensor',
  bool: 'BoolTensor',
};

/** Parameters by name, in the order in which they were put in. PyTorch: nn.ParameterDict. */
export class ParameterDict extends Module {
  static override readonly typeName = 'ParameterDict';

  constructor(values: Readonly<Record<string, Tensor>> | ReadonlyMap<string, Tensor> = {}) {
    super();
    this.update(values);
  }

  /** A dictionary computes nothing. @throws ModuleError `ERR_NO_FORWARD`. */
  forward(..._args: never[]): never {
    return missingForward(this);
  }

  get size(): number {
    return entriesOf(this).size;
  }

  /** PyTorch: dict[name]. @throws IndexError `ERR_NO_KEY`. */
  get(name: string): Parameter {
    const p = entriesOf<Parameter>(this).get(name);
    if (p === undefined)
      throw new IndexError('ERR_NO_KEY', `ParameterDict has no parameter '${name}'; it has: ${[...this.keys()].join(', ')}`);
    return p;
  }

  has(name: string): boolean {
    return entriesOf(this).has(name);
  }

  /** PyTorch: dict[name] = value. */
  set(name: string, value: Tensor): this {
    entriesOf<Parameter>(this).set(name, asParameter(value));
    return this;
  }

  update(values: Readonly<Record<string, Tensor>> | ReadonlyMap<string, Tensor>): this {
    for (const [name, value] of values instanceof Map ? (values as ReadonlyMap<string, Tensor>) : Object.entries(values))
      this.set(name, value);
    return this;
  }

  delete(name: string): boolean {
    return entriesOf(this).delete(name);
  }

  clear(): void {
    entriesOf(this).clear();
  }

  keys(): IterableIterator<string> {
    return entriesOf(this).keys();
  }

  values(): IterableIterator<Parameter> {
    return entriesOf<Parameter>(this).values();
  }

  /** PyTorch: items(). */
  entries(): IterableIterator<[string, Parameter]> {
    return entriesOf<Parameter>(this).entries();
  }

  [Symbol.iterator](): IterableIterator<[string, Parameter]> {
    return this.entries();
  }

  override extraRepr(): string {
    return [...this.entries()].map(([name, p]) => describeParameter(name, p, `torch.${TYPES[p.dtype]}`)).join('\n');
  }
}
