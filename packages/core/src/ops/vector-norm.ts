/** @file p-norms of the elements over dims: one reduction each, and their gradients. */
import { ValueError } from '../errors.js';
import type { DType } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { narrow, type Value } from '../tensor/value.js';
import { cast } from './cast.js';
import { e } from './expression.js';
import { zerosOf } from './fill.js';
import { powerOf } from './power.js';
import { sum } from './reduce.js';
import { computeValue, reduceTo, restoreDims } from './reduction.js';
import { attach, recording, wrap } from './result.js';

/** (Σ |x|^p)^(1/p); the largest for ∞, the smallest for −∞, how many are not 0 for 0. */
function normValue(value: Value, p: number, dims: readonly number[], keepdim: boolean): Value {
  const reduce = (kind: 'sum' | 'max' | 'min', v: Value): Value => reduceTo(kind, v, dims, keepdim, 0);
  if (p === Infinity) return reduce('max', e.abs(value));
  if (p === -Infinity) return reduce('min', e.abs(value));
  if (p === 0) return reduce('sum', e.cast(e.ne(value, 0), value.dtype));
  if (p === 1) return reduce('sum', e.abs(value));
  // Of one element each: |x| to the last bit, which the root of a power is not.
  if (dims.length > 0 && dims.every((d) => value.shape[d] === 1)) return reduce('max', e.abs(value));
  if (p === 2) return e.sqrt(reduce('sum', e.mul(value, value)));
  return powerOf(e, reduce('sum', powerOf(e, e.abs(value), p)), 1 / p);
}

/** @throws ValueError `ERR_NORM_EMPTY` where the norm of nothing has no value. */
function refuseNothing(name: string, x: Tensor, p: number, dims: readonly number[]): void {
  if (!(p < 0 || p === Infinity)) return;
  const gone = dims.find((d) => x.shape[d] === 0);
  if (gone === undefined) return;
  throw new ValueError(
    'ERR_NORM_EMPTY',
    `${name}: linalg.vector_norm cannot compute the ${p} norm on the dimension ${gone} because this dimension is empty and the operation does not have an identity`,
    { op: name, shapes: [x.shape] },
  );
}

/** The p-norm over `dims` (counted from the front). */
export function pNorm(name: string, x: Tensor, p: number, dims: readonly number[], keepdim: boolean, dtype?: DType): Tensor {
  const input = dtype === undefined ? x : cast(x, dtype);
  refuseNothing(name, input, p, dims);
  const out = wrap(narrow(normValue(computeValue(input), p, dims, keepdim), input.dtype));
  if (recording(input)) {
    attach(out, 'LinalgVectorNormBackward0', [input], (grad, node) => {
      const from = node.saved(0);
      const restored = (t: Tensor): Tensor => restoreDims(t, from.shape, dims, keepdim);
      return [pNormGradient(restored(grad), from, restored(node.saved(1)), p, dims)];
    }).save(input, out);
  }
  return out;
}

/** The gradient of the input; `grad` and `norm` have the reduced dims with size 1. PyTorch: norm_backward in FunctionsManual.cpp. */
function pNormGradient(grad: Tensor, x: Tensor, norm: Tensor, p: number, dims: readonly number[]): Tensor {
  if (p === 0) return zerosOf(x, x.shape);
  if (p === 1) return x.sign().mul(grad);
  if (p === 2) return grad.mul(x.div(norm).maskedFill(norm.eq(0), 0));
  if (p === Infinity || p === -Infinity) {
    const size = x.abs();
    const hits = cast(size.eq(norm).logicalOr(size.ne(size).logicalAnd(norm.ne(norm))), grad.dtype);
    return x
      .sign()
      .mul(hits)
      .mul(grad.div(sum(hits, dims.length === 0 ? null : dims, { keepdim: true })));
  }
  if (p < 1)
    return x
      .sign()
      .mul(
        x
          .abs()
          .pow(p - 1)
          .maskedFill(x.eq(0), 0),
      )
      .mul(grad)
      .mul(norm.pow(1 - p));
  const scale = grad.div(norm.pow(p - 1)).maskedFill(norm.eq(0), 0);
  return p < 2
    ? x
        .sign()
        .mul(x.abs().pow(p - 1))
        .mul(scale)
    : x.mul(x.abs().pow(p - 2)).mul(scale);
}
