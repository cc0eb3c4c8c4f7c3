/** @file Parameters and buffers whose shape is not known yet: those of lazy layers, before their first input. */
import { ValueError } from '../errors.js';
import { empty } from '../ops/creation.js';
import type { DeviceLike } from '../plugin/runtime.js';
import type { DType } from '../tensor/dtype.js';
import type { Shape } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { Buffer, Parameter } from './parameter.js';
import { checkOptions, type OptionNames } from '../options.js';

const UNINITIALIZED_BUFFER_OPTIONS: OptionNames<Where & { readonly persistent?: boolean }> = {
  dtype: true,
  device: true,
  persistent: true,
};
const UNINITIALIZED_PARAMETER_OPTIONS: OptionNames<Where & { readonly requiresGrad?: boolean }> = {
  dtype: true,
  device: true,
  requiresGrad: true,
};

const UNINITIALIZED: unique symbol = Symbol.for('tessera.uninitialized') as never;

interface Where {
  readonly dtype?: DType;
  readonly device?: DeviceLike;
}

/** Gives a tensor its shape, with contents that are not defined, under the handle that optimizers and modules have; its class becomes `type`. */
function materialize(tensor: Tensor, shape: Shape, options: Where, type: { readonly prototype: object }): void {
  if (!isUninitialized(tensor))
    throw new ValueError('ERR_INITIALIZED', 'materialize: the tensor has its shape already', { shapes: [tensor.shape] });
  tensor.become(empty(shape, { dtype: options.dtype ?? tensor.dtype, device: options.device ?? tensor.device }));
  Object.setPrototypeOf(tensor, type.prototype);
}

/**
 * A parameter without a shape. It counts no elements until `materialize` gives it one; the handle stays, so an optimizer may hold it before.
 * PyTorch: nn.UninitializedParameter.
 */
export class UninitializedParameter extends Parameter {
  /** @internal */
  declare readonly [UNINITIALIZED]: true;

  constructor(options: Where & { readonly requiresGrad?: boolean } = {}) {
    checkOptions('UninitializedParameter', options, UNINITIALIZED_PARAMETER_OPTIONS);
    const { requiresGrad = true, ...where } = options;
    super(empty([0], where), requiresGrad);
  }

  /** Takes a shape; from then on it is a Parameter like others. PyTorch: materialize. @throws ValueError `ERR_INITIALIZED`. */
  materialize(shape: Shape, options: Where = {}): void {
    materialize(this, shape, options, Parameter);
  }
}
Object.defineProperty(UninitializedParameter.prototype, UNINITIALIZED, { value: true });

/** A buffer without a shape. PyTorch: nn.UninitializedBuffer. */
export class UninitializedBuffer extends Buffer {
  /** @internal */
  declare readonly [UNINITIALIZED]: true;

  constructor(options: Where & { readonly persistent?: boolean } = {}) {
    checkOptions('UninitializedBuffer', options, UNINITIALIZED_BUFFER_OPTIONS);
    const { persistent = true, ...where } = options;
    super(empty([0], where), { persistent });
  }

  /** As {@link UninitializedParameter}'s. */
  materialize(shape: Shape, options: Where = {}): void {
    materialize(this, shape, options, Buffer);
  }
}
Object.defineProperty(UninitializedBuffer.prototype, UNINITIALIZED, { value: true });

/** Does it wait for its shape? */
export const isUninitialized = (x: unknown): x is UninitializedParameter | UninitializedBuffer => isTensor(x) && UNINITIALIZED in x;
