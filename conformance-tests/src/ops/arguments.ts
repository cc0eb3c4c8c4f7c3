/** @file The fixtures' values as arguments: tensors on the device, numbers, arrays. */
import { asStrided, fromHost, type Tensor, tensor as makeTensor } from '@tessera/core';
import { numbersOf, dtypeOf } from '../check/host-tensor.js';
import { Skip } from '../check/skip.js';
import type { DecodedCall, TensorValue, Value } from '../fixtures/index.js';
import { type AnyModule, constructModule } from '../modules/construct.js';
import { hasDType, type Subject } from '../subject/subject.js';

/** Keywords that are numbers. */
const FACTORS = new Set(['alpha', 'beta', 'value']);

/** A call's arguments, and the leaves among them in the order in which the data list gradients. */
export interface Arguments {
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly leaves: readonly Tensor[];
  /** Modules among the arguments. */
  readonly modules: readonly AnyModule[];
}

/** Keywords that say how memory is laid out: no tensor here has a layout of its own, and values are the same. */
const IGNORED = new Set(['memory_format', 'layout']);

/**
 * Makes the arguments of a call.
 *
 * @param operands The op is one of two operands, of which a number may be one: JavaScript cannot tell 2.0 from 2, so that beside integer
 * tensors a whole float goes as the 0-d tensor that PyTorch treats it as.
 * @throws Skip where a value has no counterpart here.
 */
export function makeArguments(call: DecodedCall, subject: Subject, operands = false): Arguments {
  const reader = new Reader(subject);
  const floats = operands && !hasFloatTensor(call);
  const args = call.args.map((arg) =>
    floats && arg.kind === 'float' && Number.isInteger(arg.value) ? makeTensor(arg.value, { device: subject.device }) : reader.read(arg),
  );
  const kwargs: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(call.kwargs)) {
    if (value.kind === 'layout' && value.name !== 'strided') throw new Skip('scope', 'sparse tensors are left out');
    if (!IGNORED.has(name)) kwargs[name] = reader.keyword(name, value);
  }
  return { args, kwargs, leaves: reader.leaves, modules: reader.modules };
}

class Reader {
  readonly leaves: Tensor[] = [];
  readonly modules: AnyModule[] = [];
  readonly #subject: Subject;

  constructor(subject: Subject) {
    this.#subject = subject;
  }

  keyword(name: string, value: Value): unknown {
    // The data name PyTorch's CPU; here it is the device under test.
    if (name === 'device') return this.#subject.device;
    // Python's booleans are numbers, ours are not; factors of bool tensors are written so.
    return value.kind === 'bool' && FACTORS.has(name) ? Number(value.value) : this.read(value);
  }

  read(value: Value): unknown {
    switch (value.kind) {
      case 'tensor':
        return this.#tensor(value);
      case 'int':
        if (typeof value.value === 'bigint') throw new Skip('scope', 'an integer beyond 2^53');
        return value.value;
      case 'float':
      case 'bool':
      case 'string':
        return value.value;
      case 'null':
        return null;
      case 'list':
      case 'tuple':
        return value.items.map((item) => this.read(item));
      case 'dict':
        return Object.fromEntries(Object.entries(value.entries).map(([key, item]) => [key, this.read(item)]));
      case 'slice':
        return { start: this.read(value.start), stop: this.read(value.stop), step: this.read(value.step) };
      case 'ellipsis':
        return '...';
      case 'dtype':
        return this.#available(dtypeOf(value.name));
      case 'device':
        return this.#subject.device;
      case 'memory_format':
      case 'layout':
        return undefined;
      case 'fn':
        return this.#subject.library.fn(`F.${value.name}`, value.name);
      case 'module': {
        if (value.kwargs === null) throw new Skip('scope', `the data tell of the ${value.name} in its arguments only how it prints`);
        const kwargs = Object.entries(value.kwargs).map(([name, item]) => [name, this.read(item)] as const);
        const module = constructModule(this.#subject.library, value.name, [], Object.fromEntries(kwargs));
        this.modules.push(module);
        return module;
      }
      default:
        return value satisfies never;
    }
  }

  #available<D extends ReturnType<typeof dtypeOf>>(dtype: D): D {
    if (!hasDType(this.#subject, dtype)) throw new Skip('device', `${this.#subject.name} has no ${dtype}`);
    return dtype;
  }

  #tensor(value: TensorValue): Tensor {
    if (value.alias !== undefined) {
      const leaf = this.leaves[value.alias];
      this.leaves.push(leaf);
      return leaf;
    }
    const made = placeTensor(value, this.#subject);
    if (value.grad) this.leaves.push(made.requiresGrad_());
    return made;
  }
}

/** A tensor of the fixtures on the device, strided as it is there. @throws Skip */
export function placeTensor(value: TensorValue, subject: Subject): Tensor {
  const dtype = dtypeOf(value.dtype);
  if (!hasDType(subject, dtype)) throw new Skip('device', `${subject.name} has no ${dtype}`);
  const numbers = numbersOf(value);
  if (!value.view) return fromHost(numbers, value.shape, dtype, subject.device);
  const { size, stride, offset } = value.view;
  return asStrided(fromHost(numbers, [numbers.length], dtype, subject.device), size, stride, offset);
}

function hasFloatTensor({ args, kwargs }: DecodedCall): boolean {
  const isFloat = (value: Value): boolean =>
    value.kind === 'tensor'
      ? value.dtype.startsWith('float')
      : (value.kind === 'list' || value.kind === 'tuple') && value.items.some(isFloat);
  return args.some(isFloat) || Object.values(kwargs).some(isFloat);
}
