/** @file How the elements to be pruned are chosen. */
import { noGrad, ones, rand, type Tensor, ValueError } from '@tessera/core';

/** How much: a whole number counts elements (or channels), a number between 0 and 1 is the part of them. */
export type Amount = number;

/** A way to choose. PyTorch: nn.utils.prune.BasePruningMethod. */
export interface PruningMethod {
  readonly name: string;
  /** Which elements it chooses among: all that are left, or whole channels. */
  readonly kind: 'unstructured' | 'structured' | 'global';
  /** The mask of importance scores: 1 for what stays, within what `mask` has left. PyTorch: compute_mask. */
  computeMask(scores: Tensor, mask: Tensor): Tensor;
}

const fail = (why: string): never => {
  throw new ValueError('ERR_PRUNE', `prune: ${why}`, { op: 'prune' });
};

/** @throws ValueError `ERR_PRUNE` */
export function checkAmount(amount: Amount): void {
  if (!(amount >= 0) || (amount > 1 && !Number.isInteger(amount)))
    fail(`amount=${amount} should be a number of elements, or a part of them between 0 and 1`);
}

/** How many of `size` that is; Python's rounding of halves. */
export function countOf(amount: Amount, size: number): number {
  checkAmount(amount);
  if (amount >= 1) {
    if (amount > size) fail(`amount=${amount} should be smaller than the number of parameters to prune=${size}`);
    return amount;
  }
  const exact = amount * size;
  const floor = Math.floor(exact);
  if (exact - floor === 0.5) return floor % 2 === 0 ? floor : floor + 1;
  return Math.round(exact);
}

/** `mask` without its `amount` elements of the lowest scores. */
function withoutLowest(scores: Tensor, mask: Tensor, amount: Amount): Tensor {
  const flat = mask.reshape([mask.numel()]);
  const left = Math.round(flat.sum().item());
  const count = countOf(amount, left);
  if (count === 0) return mask.clone();
  const candidates = scores.reshape([scores.numel()]).maskedFill(flat.eq(0), Infinity);
  const [, lowest] = candidates.topk(count, -1, { largest: false });
  return flat.clone().indexFill_(0, lowest, 0).reshape(mask.shape);
}

const dimOf = (t: Tensor, dim: number): number => {
  if (t.ndim <= 1)
    fail(`Structured pruning can only be applied to a multidimensional tensor. Found tensor of shape (${t.shape.join(', ')})`);
  if (dim >= t.ndim || dim < -t.ndim) fail(`Invalid index ${dim} for tensor of size (${t.shape.join(', ')})`);
  return dim < 0 ? dim + t.ndim : dim;
};

/** A mask of whole channels, as the tensor is shaped. */
const channelMask = (keep: Tensor, t: Tensor, dim: number): Tensor =>
  keep
    .to(t.dtype)
    .reshape(t.shape.map((_, d) => (d === dim ? -1 : 1)))
    .expand(t.shape);

/** Prunes nothing. PyTorch: prune.Identity. */
export const identityMethod: PruningMethod = { name: 'Identity', kind: 'unstructured', computeMask: (_scores, mask) => mask.clone() };

/** The smallest in size. PyTorch: prune.L1Unstructured. */
export const l1UnstructuredMethod = (amount: Amount): PruningMethod => ({
  name: 'L1Unstructured',
  kind: 'unstructured',
  computeMask: (scores, mask) => noGrad(() => withoutLowest(scores.abs(), mask, amount)),
});

/** Any. PyTorch: prune.RandomUnstructured. */
export const randomUnstructuredMethod = (amount: Amount): PruningMethod => ({
  name: 'RandomUnstructured',
  kind: 'unstructured',
  // PyTorch prunes those with the largest random numbers.
  computeMask: (scores, mask) => noGrad(() => withoutLowest(rand(scores.shape, { device: scores.device }).neg(), mask, amount)),
});

/** The channels with the smallest norm. PyTorch: prune.LnStructured. */
export const lnStructuredMethod = (amount: Amount, n: number, dim = -1): PruningMethod => ({
  name: 'LnStructured',
  kind: 'structured',
  computeMask: (scores, mask) =>
    noGrad(() => {
      const d = dimOf(scores, dim);
      const channels = scores.shape[d]!;
      const count = countOf(amount, channels);
      if (count === 0) return mask.clone();
      const others = scores.shape.map((_, i) => i).filter((i) => i !== d);
      // Channels that are gone already are the smallest.
      const [, kept] = scores
        .mul(mask)
        .norm(n, others)
        .topk(channels - count, 0);
      const keep = ones([channels], { device: scores.device }).zero_();
      if (channels > count) keep.indexFill_(0, kept, 1);
      return mask.mul(channelMask(keep, mask, d));
    }),
});

/** Any channels. PyTorch: prune.RandomStructured. */
export const randomStructuredMethod = (amount: Amount, dim = -1): PruningMethod => ({
  name: 'RandomStructured',
  kind: 'structured',
  computeMask: (scores, mask) =>
    noGrad(() => {
      const d = dimOf(scores, dim);
      const channels = scores.shape[d]!;
      const count = countOf(amount, channels);
      if (count === 0) return mask.clone();
      const draws = rand([channels], { device: scores.device });
      const [threshold] = draws.kthvalue(count, 0);
      return mask.mul(channelMask(draws.gt(threshold), mask, d));
    }),
});

/** What a mask says. PyTorch: prune.CustomFromMask. */
export const customFromMaskMethod = (given: Tensor): PruningMethod => ({
  name: 'CustomFromMask',
  kind: 'global',
  computeMask: (_scores, mask) => {
    if (given.shape.join() !== mask.shape.join())
      fail(`the mask is (${given.shape.join(', ')}), and the tensor (${mask.shape.join(', ')})`);
    return noGrad(() => mask.mul(given.to(mask.dtype)));
  },
});
