/** @file Parameters and buffers: tensors that a module finds among its fields. */
import { ModuleError } from '../errors.js';
import { keep } from '../memory/scope.js';
import { isTensor, Tensor } from '../tensor/tensor.js';
import { checkOptions, type OptionNames, kindOf } from '../options.js';

const BUFFER_OPTIONS: OptionNames<{ readonly persistent?: boolean }> = { persistent: true };

const PARAMETER: unique symbol = Symbol.for('tessera.parameter') as never;
const BUFFER: unique symbol = Symbol.for('tessera.buffer') as never;

/** @throws ModuleError `ERR_MEMBER_TYPE` */
function refuseData(owner: string, data: unknown): never {
  throw new ModuleError('ERR_MEMBER_TYPE', `${owner}: its data must be a Tensor, such as randn(2, 3) or tensor([…]), not ${kindOf(data)}`);
}

/**
 * A tensor that a module learns. Assigned to a field of a module it is found by `parameters()`, `stateDict()` and `to()`; a plain Tensor in a
 * field is not. It shares memory with `data`, and no scope disposes of it. PyTorch: nn.Parameter.
 *
 * @throws AutogradError `ERR_REQUIRES_GRAD_DTYPE` for integers and bools, unless `requiresGrad` is false.
 * @example this.weight = new Parameter(randn(out, in));
 */
export class Parameter extends Tensor {
  /** Tells the type from Tensor's. @internal */
  declare readonly [PARAMETER]: true;

  constructor(data: Tensor, requiresGrad = true) {
    if (!isTensor(data)) refuseData('Parameter', data);
    super(data.storage, data.shape, data.ownStrides, data.offset);
    keep(this);
    if (requiresGrad) this.requiresGrad_();
  }

  override toString(): string {
    return `Parameter containing:\n${super.toString()}`;
  }
}
Object.defineProperty(Parameter.prototype, PARAMETER, { value: true });

/**
 * A tensor that belongs to a module's state but is not learnt, such as a running mean. `persistent: false` keeps it out of `stateDict()`.
 * PyTorch: nn.Buffer.
 */
export class Buffer extends Tensor {
  /** @internal */
  declare readonly [BUFFER]: true;
  readonly persistent: boolean;

  constructor(data: Tensor, options: { readonly persistent?: boolean } = {}) {
    if (!isTensor(data)) refuseData('Buffer', data);
    const { persistent = true } = checkOptions('Buffer', options, BUFFER_OPTIONS);
    super(data.storage, data.shape, data.ownStrides, data.offset);
    keep(this);
    this.persistent = persistent;
  }
}
Object.defineProperty(Buffer.prototype, BUFFER, { value: true });

/** Is it a parameter, of this copy of core or of another one in the same page? */
export const isParameter = (x: unknown): x is Parameter => isTensor(x) && PARAMETER in x;
/** Is it a {@link Buffer}? A plain tensor that was given to `registerBuffer` is a buffer too, which only its module knows. */
export const isBuffer = (x: unknown): x is Buffer => isTensor(x) && BUFFER in x;
