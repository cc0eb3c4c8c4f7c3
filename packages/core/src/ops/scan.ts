/** @file Running sums, products and logsumexps along a dim, from either end, each differentiable: what scans.ts names them by. */
import type { ScanKind } from '../backend/contract.js';
import { gradState } from '../autograd/mode.js';
import { type DType, DTYPE_INFO, isFloat } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { castValue } from '../tensor/value.js';
import { cast } from './cast.js';
import { exponentialSums } from './exponential-sums.js';
import { e } from './expression.js';
import { zerosOf } from './fill.js';
import { attach, emptyValue, launched, recording, viewOfValue, wrap } from './result.js';

/** The kernel, in the compute dtype of `dtype`. 0-d and empty tensors need none. */
export function launchScan(kind: ScanKind, reverse: boolean, x: Tensor, dim: number, dtype: DType): Tensor {
  const { compute } = DTYPE_INFO[dtype];
  const value = castValue(castValue(x.value, dtype), compute === 'bool' ? 'int32' : compute);
  if (x.ndim === 0 || value.numel === 0) return wrap(castValue(value, dtype));
  const input = viewOfValue(value);
  const out = emptyValue(x.device, value.dtype, x.shape);
  launched(x.device, `scan ${kind}`, x.shape);
  x.device.kernels.scan(kind, reverse, input, viewOfValue(out), dim);
  return wrap(castValue(out, dtype));
}

/** Σ of what comes before each place and at it; `reverse`: from the end. The gradient runs the other way. */
export function runningSum(x: Tensor, dim: number, reverse: boolean, dtype: DType): Tensor {
  const out = launchScan('sum', reverse, x, dim, dtype);
  if (isFloat(dtype) && recording(x)) {
    const from = x.dtype;
    attach(out, 'CumsumBackward0', [x], (grad) => [cast(runningSum(grad, dim, !reverse, grad.dtype), from)]);
  }
  return out;
}

/** Π of what comes before each place and at it; `reverse`: from the end. */
export function runningProduct(x: Tensor, dim: number, reverse: boolean, dtype: DType): Tensor {
  const out = launchScan('prod', reverse, x, dim, dtype);
  if (isFloat(dtype) && recording(x)) {
    const from = x.dtype;
    attach(out, 'CumprodBackward0', [x], (grad, node) => {
      const input = cast(node.saved(0), dtype);
      if (input.ndim === 0 || input.numel() === 0) return [cast(grad, from)];
      return [
        cast(
          gradState.enabled ? productGradient(grad, input, dim, reverse) : fastProductGradient(grad, input, node.saved(1), dim, reverse),
          from,
        ),
      ];
    }).save(x, out);
  }
  return out;
}

export const reverseCumprod = (x: Tensor, dim: number): Tensor => runningProduct(x, dim, true, x.dtype);

/** ln Σ e^x of what comes before each place and at it; `reverse`: from the end. The gradient goes through logarithms, as PyTorch's does. */
export function runningLogSumExp(x: Tensor, dim: number, reverse: boolean): Tensor {
  const out = launchScan('logsumexp', reverse, x, dim, x.dtype);
  if (recording(x)) {
    attach(out, 'LogcumsumexpBackward0', [x], (grad, node) => [
      exponentialSums(grad, node.saved(0), node.saved(1).neg(), dim, !reverse),
    ]).save(x, out);
  }
  return out;
}

/**
 * Σ_{k ≥ i} grad_k ∂y_k/∂x_i without dividing by what may be 0. Before the first 0 (and where there is none) it is Σ_{k ≥ i} grad_k y_k / x_i;
 * at the first 0, the same sum with that 0 left out of the products, up to the next 0; behind it, 0.
 */
function fastProductGradient(grad: Tensor, x: Tensor, out: Tensor, dim: number, reverse: boolean): Tensor {
  const isZero = wrap(e.eq(x.value, 0));
  const zerosSoFar = launchScan('sum', reverse, cast(isZero, 'int32'), dim, 'int32');
  const sums = (g: Tensor, y: Tensor, from: number): Tensor => {
    const kept = wrap(e.where(e.eq(zerosSoFar.value, from), e.mul(g.value, y.value), 0));
    return launchScan('sum', !reverse, kept, dim, x.dtype);
  };
  const ahead = sums(grad, out, 0);
  // The first 0 made 1: products that leave it out.
  const first = e.and(isZero.value, e.eq(zerosSoFar.value, 1));
  const without = launchScan('prod', reverse, wrap(e.where(first, 1, x.value)), dim, x.dtype);
  const atFirst = sums(grad, without, 1);
  const result = e.where(e.eq(zerosSoFar.value, 0), e.div(ahead.value, x.value), e.where(first, atFirst.value, 0));
  return wrap(result);
}

/** The same in differentiable form, place by place: O(n) launches of O(n) work, which second derivatives need once in a while. */
function productGradient(grad: Tensor, x: Tensor, dim: number, reverse: boolean): Tensor {
  const n = x.shape[dim]!;
  const result = zerosOf(grad, x.shape);
  for (let i = 0; i < n; i++) {
    // The products that x_i is part of, with x_i made 1.
    const start = reverse ? 0 : i;
    const length = reverse ? i + 1 : n - i;
    const part = x.narrow(dim, start, length).clone();
    part.select(dim, reverse ? length - 1 : 0).fill_(1);
    let products = runningProduct(part, dim, reverse, x.dtype);
    if (reverse ? i < n - 1 : i > 0) {
      const before = reverse ? x.narrow(dim, i + 1, n - 1 - i) : x.narrow(dim, 0, i);
      const whole = runningProduct(before, dim, reverse, x.dtype);
      products = products.mul(whole.narrow(dim, reverse ? 0 : i - 1, 1));
    }
    result.select(dim, i).copy_(products.mul(grad.narrow(dim, start, length)).sum(dim));
  }
  return result;
}
