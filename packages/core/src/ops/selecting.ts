/** @file Choosing between elements: larger and smaller, bounds, masks, triangles. */
import { DTypeError, ShapeError, ValueError } from '../errors.js';
import { checkOptions, type OptionNames } from '../options.js';
import { DTYPE_INFO } from '../tensor/dtype.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { castValue, indexValue, narrow } from '../tensor/value.js';
import { recordBroadcast } from './broadcast-record.js';
import { binary, inPlace, notTensor, type Operand, operandValue, resultType, type TensorOp, unary, type UnaryOp } from './define.js';
import { e } from './expression.js';
import { filled, zerosOf } from './fill.js';
import { assign, forInPlace } from './in-place.js';
import { OPS } from './registry.js';
import { wrap } from './result.js';
import { choose } from './where.js';

const asTensor = (x: Operand): Tensor => x as Tensor;

/** x where `condition` holds, `other` elsewhere. PyTorch: Tensor.where. The function is `where(condition, x, other)`. */
export const where = (x: Tensor, condition: Tensor, other: Operand): Tensor => choose(condition, x, other);

/** The larger of two; NaN wins; equals share the gradient. PyTorch: torch.maximum. */
export const maximum: TensorOp = /* @__PURE__ */ binary('maximum', {
  tensors: true,
  forward: (e, a, b) => e.max(a, b),
  backward: [
    (grad, a, b) => choose(asTensor(a).eq(b), grad.div(2), grad).maskedFill(asTensor(a).lt(b), 0),
    (grad, a, b) => choose(asTensor(a).eq(b), grad.div(2), grad).maskedFill(asTensor(a).gt(b), 0),
  ],
  saves: ['ab', 'ab'],
});
/** The smaller of two; NaN wins; equals share the gradient. PyTorch: torch.minimum. */
export const minimum: TensorOp = /* @__PURE__ */ binary('minimum', {
  tensors: true,
  forward: (e, a, b) => e.min(a, b),
  backward: [
    (grad, a, b) => choose(asTensor(a).eq(b), grad.div(2), grad).maskedFill(asTensor(a).gt(b), 0),
    (grad, a, b) => choose(asTensor(a).eq(b), grad.div(2), grad).maskedFill(asTensor(a).lt(b), 0),
  ],
  saves: ['ab', 'ab'],
});

/** A bound of `clamp`: a number, a tensor that broadcasts, or none. */
export type Bound = Tensor | number | null | undefined;
export interface ClampOptions {
  readonly min?: Bound;
  readonly max?: Bound;
}

const CLAMP_OPTIONS: OptionNames<ClampOptions> = { min: true, max: true };

OPS.set('clamp', { name: 'clamp', inputs: 3, differentiable: true });
/**
 * min(max(x, min), max): NaN stays NaN, and where the bounds cross, `max` it is. PyTorch: torch.clamp.
 * @example x.clamp(0, 1); x.clamp({ max: 6 }); x.clamp(low, high)
 * @throws ValueError `ERR_CLAMP` without a bound.
 */
export function clamp(x: Tensor, min?: Bound | ClampOptions, max?: Bound): Tensor {
  if (typeof min === 'object' && min !== null && !isTensor(min)) {
    checkOptions('clamp', min, CLAMP_OPTIONS);
    return clampBetween(x, min.min ?? null, min.max ?? null);
  }
  return clampBetween(x, (min as Bound) ?? null, max ?? null);
}

function clampBetween(x: Tensor, min: Tensor | number | null, max: Tensor | number | null): Tensor {
  if (!isTensor(x)) notTensor('clamp', 'input', x);
  if (min === null && max === null)
    throw new ValueError('ERR_CLAMP', "clamp: at least one of 'min' and 'max' must be given", { op: 'clamp' });
  if (x.dtype === 'bool' && !(isTensor(min) || isTensor(max)))
    throw new DTypeError('ERR_DTYPE', "clamp: not implemented for 'Bool'", { op: 'clamp', dtypes: ['bool'] });
  let dtype = x.dtype;
  for (const bound of [min, max]) if (bound !== null) dtype = promoted(dtype, x, bound);
  const { compute } = DTYPE_INFO[dtype];
  let value = castValue(x.value, dtype);
  if (min !== null) value = e.max(value, operandValue(min, dtype, x));
  if (max !== null) value = e.min(value, operandValue(max, dtype, x));
  const out = wrap(narrow(castValue(value, compute), dtype));
  const low = isTensor(min) ? min : null;
  const high = isTensor(max) ? max : null;
  const save = [0, ...(low === null ? [] : [1]), ...(high === null ? [] : [2])];
  const bounds = (saved: readonly Tensor[]): [Operand | null, Operand | null] => [
    low === null ? (min as number | null) : saved[1]!,
    high === null ? (max as number | null) : saved.at(-1)!,
  ];
  return recordBroadcast('ClampBackward0', out, [x, low, high], save, [
    (grad, saved) => {
      const [a, b] = bounds(saved);
      const inside = a === null ? saved[0]!.le(b!) : b === null ? saved[0]!.ge(a) : saved[0]!.ge(a).logicalAnd(saved[0]!.le(b));
      return choose(inside, grad, 0);
    },
    (grad, saved) => {
      const [a, b] = bounds(saved);
      const below = saved[0]!.lt(a!);
      return choose(b === null ? below : below.logicalAnd((a as Tensor).lt(b)), grad, 0);
    },
    (grad, saved) => {
      const [a, b] = bounds(saved);
      const above = saved[0]!.gt(b!);
      return choose(a === null ? above : above.logicalOr((b as Tensor).lt(a)), grad, 0);
    },
  ]);
}

/** The dtype so far, raised by a bound as PyTorch's result_type of all raises it. */
function promoted(dtype: Tensor['dtype'], x: Tensor, bound: Operand): Tensor['dtype'] {
  const meet = resultType(x, bound);
  return DTYPE_INFO[meet].index > DTYPE_INFO[dtype].index ? meet : dtype;
}

export function clamp_(x: Tensor, min?: Bound | ClampOptions, max?: Bound): Tensor {
  return assign(x, clamp(forInPlace(x, 'clamp_', min, max), min, max), 'clamp_');
}
/** PyTorch: torch.clip. */
export const clip: typeof clamp = clamp;
export const clip_: typeof clamp_ = clamp_;
/** max(x, min). PyTorch: torch.clamp_min. */
export const clampMin = (x: Tensor, min: Tensor | number): Tensor => clampBetween(x, min, null);
export const clampMin_ = (x: Tensor, min: Tensor | number): Tensor => clamp_(x, min);
/** min(x, max). PyTorch: torch.clamp_max. */
export const clampMax = (x: Tensor, max: Tensor | number): Tensor => clampBetween(x, null, max);
export const clampMax_ = (x: Tensor, max: Tensor | number): Tensor => clamp_(x, null, max);

OPS.set('maskedFill', { name: 'maskedFill', inputs: 2, differentiable: true });
/** `value` where the mask holds, x elsewhere, in x's dtype; the mask is broadcast, and x to it. PyTorch: torch.masked_fill. */
export function maskedFill(x: Tensor, mask: Tensor, value: Operand): Tensor {
  if (mask.dtype !== 'bool')
    throw new DTypeError('ERR_DTYPE', `maskedFill: masked_fill only supports boolean masks, but got mask with dtype ${mask.dtype}`, {
      op: 'maskedFill',
      dtypes: [mask.dtype],
    });
  const given = isTensor(value) ? value : null;
  if (given !== null && given.ndim > 0) {
    throw new ShapeError(
      'ERR_FILL',
      `maskedFill: masked_fill only supports a 0-dimensional value tensor, but got tensor with ${given.ndim} dimension(s).`,
      { op: 'maskedFill', shapes: [given.shape] },
    );
  }
  const { compute } = DTYPE_INFO[x.dtype];
  const fill = given === null ? operandValue(value, compute === 'bool' ? 'bool' : x.dtype, x) : castValue(given.value, compute);
  const out = wrap(narrow(e.where(mask.value, fill, castValue(x.value, compute)), x.dtype));
  return recordBroadcast(
    'MaskedFillBackward0',
    out,
    [x, mask, given],
    [1],
    [(grad, [m]) => choose(m!, 0, grad), null, (grad, [m]) => choose(m!, grad, 0)],
  );
}
export function maskedFill_(x: Tensor, mask: Tensor, value: Operand): Tensor {
  return assign(x, maskedFill(forInPlace(x, 'maskedFill_', value), mask, value), 'maskedFill_');
}

function requireMatrix(name: string): (x: Tensor) => void {
  return (x) => {
    if (x.ndim < 2)
      throw new ShapeError('ERR_RANK', `${name}: input tensor must have at least 2 dimensions`, { op: name, shapes: [x.shape] });
  };
}

/** The lower triangle of the last two dims, zeros above `diagonal`. PyTorch: torch.tril. */
export const tril: UnaryOp<[number?]> = /* @__PURE__ */ unary<[number?]>('tril', {
  forward: (e, x, diagonal = 0) => {
    const rank = x.shape.length;
    const column = e.sub(indexValue(x.shape, rank - 1, x.device), indexValue(x.shape, rank - 2, x.device));
    return e.where(e.le(column, diagonal), x, 0);
  },
  backward: (grad, _x, _out, diagonal) => grad.tril(diagonal),
  saves: 'none',
  check: requireMatrix('tril'),
});
export const tril_: UnaryOp<[number?]> = /* @__PURE__ */ inPlace(tril);

/** The upper triangle of the last two dims, zeros below `diagonal`. PyTorch: torch.triu. */
export const triu: UnaryOp<[number?]> = /* @__PURE__ */ unary<[number?]>('triu', {
  forward: (e, x, diagonal = 0) => {
    const rank = x.shape.length;
    const column = e.sub(indexValue(x.shape, rank - 1, x.device), indexValue(x.shape, rank - 2, x.device));
    return e.where(e.ge(column, diagonal), x, 0);
  },
  backward: (grad, _x, _out, diagonal) => grad.triu(diagonal),
  saves: 'none',
  check: requireMatrix('triu'),
});
export const triu_: UnaryOp<[number?]> = /* @__PURE__ */ inPlace(triu);

/** A tensor like `x` with one value. PyTorch: torch.fill. */
export function fill(x: Tensor, value: Operand): Tensor {
  const given = isTensor(value) ? value : null;
  if (value === undefined) notTensor('fill', 'value', value);
  if (given !== null && given.ndim > 0)
    throw new ShapeError('ERR_FILL', `fill: fill only supports 0-dimension value tensor but got tensor with ${given.ndim} dimensions.`, {
      op: 'fill',
      shapes: [given.shape],
    });
  const out = filled(x.shape, given === null ? (value as number) : 0, x.dtype, x.device);
  if (given !== null) out.copy_(given.detach());
  return recordBroadcast('FillBackward0', out, [x, given], [], [(grad) => zerosOf(grad, grad.shape), (grad) => grad]);
}
