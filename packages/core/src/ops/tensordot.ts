/** @file Products summed over any dims of two tensors: one matrix product of what is left against what is summed over. */
import { asWidest } from '../amp/policy.js';
import { autocasting } from '../amp/state.js';
import { formatShape, ShapeError } from '../errors.js';
import { normalizeDim, numelOf } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { matmul } from './matmul.js';
import { OPS } from './registry.js';
import { permute, reshape } from './view.js';

/** Dims summed over: the last n of the first and the first n of the second, or a list for each. */
export type ContractedDims = number | readonly [readonly number[], readonly number[]];

OPS.set('tensordot', { name: 'tensordot', inputs: 2, differentiable: true });
/**
 * Σ over pairs of dims of the products; the dims left of `a`, then those of `b`. PyTorch: torch.tensordot.
 * @example tensordot(a, b, [[1, 0], [0, 1]]) // Σ_ij a_ij b_ji
 * @throws ShapeError `ERR_TENSORDOT`
 */
export function tensordot(a: Tensor, b: Tensor, dims: ContractedDims = 2): Tensor {
  if (autocasting.on) return asWidest(tensordot, a, b, dims);
  const fail = (why: string): never => {
    throw new ShapeError('ERR_TENSORDOT', `tensordot: ${why}: ${formatShape(a.shape)} and ${formatShape(b.shape)}`, {
      op: 'tensordot',
      shapes: [a.shape, b.shape],
    });
  };
  if (typeof dims === 'number' && (dims < 0 || dims > Math.min(a.ndim, b.ndim)))
    fail(`tensordot expects dims >= 0 and no more than the dims of both, but got dims=${dims}`);
  const [listA, listB] = typeof dims === 'number' ? [range(a.ndim - dims, a.ndim), range(0, dims)] : dims;
  if (listA.length !== listB.length) fail('both dimension lists should have same length');
  const ofA = listA.map((d) => normalizeDim(d, a.ndim, 'tensordot'));
  const ofB = listB.map((d) => normalizeDim(d, b.ndim, 'tensordot'));
  let x = a;
  let y = b;
  ofA.forEach((d, i) => {
    const k = ofB[i]!;
    // A size of 1 meets any other: the sum over the other dim comes first.
    if (x.shape[d] === 1 && y.shape[k] !== 1) y = y.sum(k, { keepdim: true, dtype: y.dtype });
    else if (y.shape[k] === 1 && x.shape[d] !== 1) x = x.sum(d, { keepdim: true, dtype: x.dtype });
    else if (x.shape[d] !== y.shape[k])
      fail(
        `contracted dimensions need to match, but first has size ${x.shape[d]} in dim ${d} and second has size ${y.shape[k]} in dim ${k}`,
      );
  });
  const leftA = range(0, a.ndim).filter((d) => !ofA.includes(d));
  const leftB = range(0, b.ndim).filter((d) => !ofB.includes(d));
  const inner = numelOf(ofA.map((d) => x.shape[d]!));
  const sizesA = leftA.map((d) => x.shape[d]!);
  const sizesB = leftB.map((d) => y.shape[d]!);
  const product = matmul(
    reshape(permute(x, [...leftA, ...ofA]), [numelOf(sizesA), inner]),
    reshape(permute(y, [...ofB, ...leftB]), [inner, numelOf(sizesB)]),
  );
  return reshape(product, [...sizesA, ...sizesB]);
}

const range = (from: number, to: number): number[] => Array.from({ length: Math.max(to - from, 0) }, (_, i) => from + i);
