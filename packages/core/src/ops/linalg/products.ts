/** @file Powers of a matrix, and products of many. */
import { asHalf } from '../../amp/policy.js';
import { autocasting } from '../../amp/state.js';
import { ShapeError, ValueError } from '../../errors.js';
import type { Tensor } from '../../tensor/tensor.js';
import { crossAlong } from '../cross.js';
import { eye } from '../creation.js';
import { matmul } from '../matmul.js';
import { zerosOf } from '../fill.js';
import { OPS } from '../registry.js';
import { attach, recording } from '../result.js';
import { clone, expand, squeeze, unsqueeze } from '../view.js';
import { wantSquare } from './checks.js';
import { inv } from './solve.js';
import { checkOptions, type OptionNames } from '../../options.js';

const CROSS_OPTIONS: OptionNames<{ readonly dim?: number }> = { dim: true };

OPS.set('linalg.matrixPower', { name: 'linalg.matrixPower', inputs: 1, differentiable: true });
/** Aⁿ by repeated squaring; a negative n takes the inverse. PyTorch: torch.linalg.matrix_power. */
export function matrixPower(a: Tensor, n: number): Tensor {
  wantSquare('linalg.matrixPower', a);
  if (!Number.isInteger(n))
    throw new ValueError('ERR_POWER', `linalg.matrixPower: n must be an integer, but is ${n}`, { op: 'linalg.matrixPower' });
  if (n === 0) {
    const one = clone(expand(eye(a.shape.at(-1)!, { dtype: a.dtype, device: a.device }), a.shape));
    if (recording(a)) attach(one, 'LinalgMatrixPowerBackward0', [a], (grad) => [zerosOf(grad, grad.shape)]);
    return one;
  }
  let square = n < 0 ? inv(a) : a;
  let result: Tensor | null = null;
  for (let left = Math.abs(n); left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = result === null ? square : matmul(result, square);
    if (left > 1) square = matmul(square, square);
  }
  return result === a ? clone(a) : result!;
}

OPS.set('linalg.multiDot', { name: 'linalg.multiDot', inputs: 2, differentiable: true });
/**
 * The product of two or more matrices in the order that takes the fewest multiplications; the first may be a row and the last a column, as
 * vectors. PyTorch: torch.linalg.multi_dot. @throws ShapeError `ERR_MULTI_DOT`
 */
export function multiDot(tensors: readonly Tensor[]): Tensor {
  if (autocasting.on) return asHalf(multiDot, tensors);
  const op = 'linalg.multiDot';
  if (tensors.length < 2) throw new ValueError('ERR_MULTI_DOT', `${op}: expected at least 2 tensors but got ${tensors.length}`, { op });
  const chain = tensors.map((x, i) => {
    if (x.ndim === 2) return x;
    if (x.ndim === 1 && i === 0) return unsqueeze(x, 0);
    if (x.ndim === 1 && i === tensors.length - 1) return unsqueeze(x, 1);
    throw new ShapeError('ERR_MULTI_DOT', `${op}: tensor ${i} must be 2D but got ${x.ndim}D`, { op, shapes: [x.shape] });
  });
  for (let i = 1; i < chain.length; i++) {
    if (chain[i - 1]!.shape[1] !== chain[i]!.shape[0]) {
      throw new ShapeError(
        'ERR_MULTI_DOT',
        `${op}: tensors ${i - 1} and ${i} with shapes [${chain[i - 1]!.shape.join(', ')}] and [${chain[i]!.shape.join(', ')}] cannot be multiplied`,
        { op, shapes: [chain[i - 1]!.shape, chain[i]!.shape] },
      );
    }
  }
  const split = cheapestSplits([chain[0]!.shape[0]!, ...chain.map((x) => x.shape[1]!)]);
  const product = (from: number, to: number): Tensor =>
    from === to ? chain[from]! : matmul(product(from, split[from]![to]!), product(split[from]![to]! + 1, to));
  let out = product(0, chain.length - 1);
  if (tensors.at(-1)!.ndim === 1) out = squeeze(out, -1);
  if (tensors[0]!.ndim === 1) out = squeeze(out, 0);
  return out;
}

/** Where to split each run of a chain of matrices, sizes[i] by sizes[i + 1] each (Cormen et al., Introduction to Algorithms, 15.2). */
function cheapestSplits(sizes: readonly number[]): number[][] {
  const n = sizes.length - 1;
  const cost = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  const split = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  for (let length = 1; length < n; length++) {
    for (let i = 0; i + length < n; i++) {
      const j = i + length;
      cost[i]![j] = Infinity;
      for (let k = i; k < j; k++) {
        const total = cost[i]![k]! + cost[k + 1]![j]! + sizes[i]! * sizes[k + 1]! * sizes[j + 1]!;
        if (total < cost[i]![j]!) {
          cost[i]![j] = total;
          split[i]![j] = k;
        }
      }
    }
  }
  return split;
}

OPS.set('linalg.cross', { name: 'linalg.cross', inputs: 2, differentiable: true });
/** a × b along a dim of size 3, the last by default. PyTorch: torch.linalg.cross. */
export function cross(a: Tensor, b: Tensor, options: { readonly dim?: number } = {}): Tensor {
  checkOptions('cross', options, CROSS_OPTIONS);
  if (a.ndim !== b.ndim)
    throw new ShapeError('ERR_CROSS', `linalg.cross: inputs must have the same number of dimensions.`, {
      op: 'linalg.cross',
      shapes: [a.shape, b.shape],
    });
  return crossAlong('linalg.cross', a, b, options.dim ?? -1);
}
