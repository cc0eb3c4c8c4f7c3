/** @file ParameterList: parameters by number. */
import { isParameter, missingForward, Module, Parameter, type Tensor } from '@tessera/core';
import { entriesOf, entryAt, push, replaceAt } from './entries.js';

/** Tensors become parameters. */
export const asParameter = (t: Tensor): Parameter => (isParameter(t) ? t : new Parameter(t));

/** As PyTorch shows a parameter in a container. */
export const describeParameter = (name: string, p: Tensor, type: string): string =>
  `  (${name}): Parameter containing: [${type} of size ${p.shape.join('x')}]`;

/**
 * A list of parameters. PyTorch: nn.ParameterList.
 * @example weights = new nn.ParameterList(Array.from({ length: 10 }, () => randn(10, 10)));
 */
export class ParameterList extends Module {
  static override readonly typeName = 'ParameterList';

  constructor(values: Iterable<Tensor> = []) {
    super();
    this.extend(values);
  }

  /** A list computes nothing. @throws ModuleError `ERR_NO_FORWARD`. */
  forward(..._args: never[]): never {
    return missingForward(this);
  }

  override get length(): number {
    return entriesOf(this).size;
  }

  /** PyTorch: list[i]. @throws IndexError `ERR_INDEX_RANGE`. */
  at(index: number): Parameter {
    return entryAt(this, index);
  }

  /** PyTorch: list[i] = value. */
  set(index: number, value: Tensor): this {
    replaceAt(this, index, asParameter(value));
    return this;
  }

  append(value: Tensor): this {
    push(this, asParameter(value));
    return this;
  }

  extend(values: Iterable<Tensor>): this {
    for (const value of values) this.append(value);
    return this;
  }

  [Symbol.iterator](): IterableIterator<Parameter> {
    return entriesOf<Parameter>(this).values();
  }

  override extraRepr(): string {
    return [...entriesOf<Parameter>(this)].map(([name, p]) => describeParameter(name, p, `torch.${p.dtype}`)).join('\n');
  }
}
