/** @file Pointwise ops of three tensors: blends, and products added to something. */
import { asWidest } from '../amp/policy.js';
import { autocasting } from '../amp/state.js';
import { DTypeError } from '../errors.js';
import { type DType, DTYPE_INFO, promoteTypes } from '../tensor/dtype.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { castValue, narrow, type Value } from '../tensor/value.js';
import { recordBroadcast } from './broadcast-record.js';
import { notTensor, operandValue } from './define.js';
import { e } from './expression.js';
import { assign, forInPlace } from './in-place.js';
import { OPS } from './registry.js';
import { wrap } from './result.js';
import { commonDType } from './cat.js';
import { checkOptions, type OptionNames } from '../options.js';

const VALUE_OPTIONS: OptionNames<ValueOptions> = { value: true };

function requireSame(name: string, a: Tensor, b: Tensor): void {
  if (a.dtype !== b.dtype)
    throw new DTypeError('ERR_DTYPE_MIX', `${name}: expected dtype ${a.dtype} for \`end\` but got dtype ${b.dtype}`, {
      op: name,
      dtypes: [a.dtype, b.dtype],
    });
}

OPS.set('lerp', { name: 'lerp', inputs: 3, differentiable: true });
/** start + weight · (end − start), from the nearer end. PyTorch: torch.lerp. */
export function lerp(start: Tensor, end: Tensor, weight: Tensor | number): Tensor {
  if (!isTensor(end)) notTensor('lerp', 'end', end);
  requireSame('lerp', start, end);
  const given = isTensor(weight) ? weight : null;
  if (given !== null) requireSame('lerp', start, given);
  const { dtype } = start;
  if (DTYPE_INFO[dtype].category !== 'float')
    throw new DTypeError('ERR_DTYPE', `lerp: not implemented for ${dtype}`, { op: 'lerp', dtypes: [dtype] });
  const a = start.value;
  const b = end.value;
  const w = operandValue(weight, dtype, start);
  const difference = e.sub(b, a);
  const fromStart = (): Value => e.add(a, e.mul(w, difference));
  const fromEnd = (): Value => e.sub(b, e.mul(difference, e.sub(1, w)));
  const value =
    typeof weight === 'number' ? (Math.abs(weight) < 0.5 ? fromStart() : fromEnd()) : e.where(e.lt(e.abs(w), 0.5), fromStart(), fromEnd());
  const out = wrap(narrow(value, dtype));
  return recordBroadcast('LerpBackward0', out, [start, end, given], given === null ? [] : [0, 1, 2], [
    (grad, [, , t]) => grad.mul(t === undefined ? 1 - (weight as number) : t.neg().add(1)),
    (grad, [, , t]) => grad.mul(t ?? (weight as number)),
    (grad, [x, y]) => grad.mul(y!.sub(x!)),
  ]);
}
export function lerp_(start: Tensor, end: Tensor, weight: Tensor | number): Tensor {
  return assign(start, lerp(forInPlace(start, 'lerp_', end, weight), end, weight), 'lerp_');
}

export interface ValueOptions {
  /** The product or quotient is multiplied by it. Default 1. */
  readonly value?: number;
}

/** The dtype of three tensors, checked against the factor. */
function meet(name: string, x: Tensor, a: Tensor, b: Tensor, value: number): DType {
  for (const t of [a, b]) if (!isTensor(t)) notTensor(name, 'tensor1', t);
  const dtype = commonDType([x, a, b]);
  if (!Number.isInteger(value) && DTYPE_INFO[dtype].category !== 'float') {
    throw new DTypeError(
      'ERR_ALPHA',
      `${name}: value cannot be converted to type int32 without overflow: For integral input tensors, argument value must not be a floating point number.`,
      { op: name, dtypes: [dtype] },
    );
  }
  return dtype;
}

OPS.set('addcmul', { name: 'addcmul', inputs: 3, differentiable: true });
/** x + value · a · b. PyTorch: torch.addcmul. */
export function addcmul(x: Tensor, a: Tensor, b: Tensor, options: ValueOptions = {}): Tensor {
  checkOptions('addcmul', options, VALUE_OPTIONS);
  if (autocasting.on) return asWidest(addcmul, x, a, b, options);
  const factor = options.value ?? 1;
  const dtype = meet('addcmul', x, a, b, factor);
  if (dtype === 'bool') throw new DTypeError('ERR_DTYPE', "addcmul: not implemented for 'Bool'", { op: 'addcmul', dtypes: ['bool'] });
  const product = e.mul(castValue(a.value, dtype), castValue(b.value, dtype));
  const out = wrap(narrow(e.add(castValue(x.value, dtype), factor === 1 ? product : e.mul(product, factor)), dtype));
  return recordBroadcast(
    'AddcmulBackward0',
    out,
    [x, a, b],
    [1, 2],
    [(grad) => grad, (grad, [, q]) => grad.mul(q!.mul(factor)), (grad, [p]) => grad.mul(p!.mul(factor))],
  );
}
export function addcmul_(x: Tensor, a: Tensor, b: Tensor, options: ValueOptions = {}): Tensor {
  checkOptions('addcmul_', options, VALUE_OPTIONS);
  return assign(x, addcmul(forInPlace(x, 'addcmul_', a, b), a, b, options), 'addcmul_');
}

OPS.set('addcdiv', { name: 'addcdiv', inputs: 3, differentiable: true });
/** x + value · a / b; floats only. PyTorch: torch.addcdiv. @throws DTypeError for two integer tensors. */
export function addcdiv(x: Tensor, a: Tensor, b: Tensor, options: ValueOptions = {}): Tensor {
  checkOptions('addcdiv', options, VALUE_OPTIONS);
  if (autocasting.on) return asWidest(addcdiv, x, a, b, options);
  const factor = options.value ?? 1;
  const dtype = meet('addcdiv', x, a, b, factor);
  if (DTYPE_INFO[promoteTypes(a.dtype, b.dtype)].category !== 'float') {
    throw new DTypeError(
      'ERR_DTYPE',
      'addcdiv: Integer division with addcdiv is no longer supported; use floating point tensors, or x.add(a.div(b, { roundingMode }).mul(value))',
      { op: 'addcdiv', dtypes: [a.dtype, b.dtype] },
    );
  }
  const left = castValue(a.value, dtype);
  const out = wrap(
    narrow(e.add(castValue(x.value, dtype), e.div(factor === 1 ? left : e.mul(left, factor), castValue(b.value, dtype))), dtype),
  );
  return recordBroadcast(
    'AddcdivBackward0',
    out,
    [x, a, b],
    [1, 2],
    [
      (grad) => grad,
      (grad, [, q]) => grad.mul(q!.reciprocal().mul(factor)),
      (grad, [p, q]) => grad.neg().mul(p!.mul(factor).div(q!.mul(q!))),
    ],
  );
}
export function addcdiv_(x: Tensor, a: Tensor, b: Tensor, options: ValueOptions = {}): Tensor {
  checkOptions('addcdiv_', options, VALUE_OPTIONS);
  return assign(x, addcdiv(forInPlace(x, 'addcdiv_', a, b), a, b, options), 'addcdiv_');
}
