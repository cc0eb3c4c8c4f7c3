/** @file Sorting, and what is found by it. NaN counts as the largest; sorts are stable. Indices are int32. */
import { DTypeError, IndexError } from '../errors.js';
import { normalizeDim } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { zerosOf } from './fill.js';
import { scatterAdd } from './gather.js';
import { pickAlong } from './pick.js';
import type { ReduceOptions } from './reduction.js';
import { launchSort, launchTopk } from './sort.js';
import { OPS } from './registry.js';
import { attach, recording } from './result.js';
import { clone, narrow } from './view.js';
import { checkOptions, type OptionNames } from '../options.js';

const SORT_OPTIONS: OptionNames<SortOptions> = { descending: true, stable: true };
const TOPK_OPTIONS: OptionNames<TopkOptions> = { largest: true, sorted: true };
const REDUCE_OPTIONS: OptionNames<ReduceOptions> = { keepdim: true };

export interface SortOptions {
  /** The largest first. Default false. */
  readonly descending?: boolean;
  /** Equals keep their order. Here they always do. */
  readonly stable?: boolean;
}

/** Sends the gradient of values that were picked along a dim back to their places. */
function recordPlaces(name: string, x: Tensor, values: Tensor, indices: Tensor, dim: number): Tensor {
  if (recording(x)) {
    const from = x.shape;
    attach(values, name, [x], (grad, node) => [from.length === 0 ? grad : scatterAdd(zerosOf(grad, from), dim, node.saved(0), grad)]).save(
      indices,
    );
  }
  return values;
}

OPS.set('sort', { name: 'sort', inputs: 1, differentiable: true });
/**
 * The elements in order along a dim (the last by default), and the places that they came from. PyTorch: torch.sort.
 * @example const [values, indices] = sort(tensor([3, 1, 2])) // [1., 2., 3.], [1, 2, 0]
 */
export function sort(x: Tensor, dim = -1, options: SortOptions = {}): [values: Tensor, indices: Tensor] {
  checkOptions('sort', options, SORT_OPTIONS);
  const d = normalizeDim(dim, x.ndim, 'sort');
  const [values, indices] = launchSort(x, d, options.descending ?? false);
  return [recordPlaces('SortBackward0', x, values, indices, d), indices];
}

OPS.set('argsort', { name: 'argsort', inputs: 1, differentiable: false });
/** The places of the elements in order along a dim (the last by default). PyTorch: torch.argsort. */
export const argsort = (x: Tensor, dim = -1, options: SortOptions = {}): Tensor => {
  checkOptions('argsort', options, SORT_OPTIONS);
  return launchSort(x, normalizeDim(dim, x.ndim, 'argsort'), options.descending ?? false)[1];
};

OPS.set('msort', { name: 'msort', inputs: 1, differentiable: true });
/** Sorted along the first dim. PyTorch: torch.msort. */
export const msort = (x: Tensor): Tensor => sort(x, 0)[0];

export interface TopkOptions {
  /** The smallest ones when false. Default true. */
  readonly largest?: boolean;
  /** In order. Here they always are. */
  readonly sorted?: boolean;
}

OPS.set('topk', { name: 'topk', inputs: 1, differentiable: true });
/** The k largest (or smallest) along a dim (the last by default), in order, and their places. PyTorch: torch.topk. @throws IndexError `ERR_TOPK` */
export function topk(x: Tensor, k: number, dim = -1, options: TopkOptions = {}): [values: Tensor, indices: Tensor] {
  checkOptions('topk', options, TOPK_OPTIONS);
  const d = normalizeDim(dim, x.ndim, 'topk');
  const size = x.ndim === 0 ? 1 : x.shape[d]!;
  if (!(Number.isInteger(k) && k >= 0 && k <= size))
    throw new IndexError('ERR_TOPK', `topk: selected index k out of range: k is ${k}, dim ${d} has size ${size}`, {
      op: 'topk',
      shapes: [x.shape],
    });
  if (x.dtype === 'bool')
    throw new DTypeError('ERR_DTYPE', `topk: "topk_cpu" not implemented for 'Bool'`, { op: 'topk', dtypes: ['bool'] });
  const largest = options.largest ?? true;
  const [values, indices] = x.ndim === 0 ? launchSort(x, d, largest) : launchTopk(x.detach(), k, d, largest);
  return [recordPlaces('TopkBackward0', x, values, indices, d), indices];
}

OPS.set('kthvalue', { name: 'kthvalue', inputs: 1, differentiable: true });
/** The kth smallest (1 is the smallest) along a dim (the last by default), and its place. PyTorch: torch.kthvalue. @throws IndexError `ERR_KTHVALUE` */
export function kthvalue(x: Tensor, k: number, dim = -1, options: ReduceOptions = {}): [values: Tensor, indices: Tensor] {
  checkOptions('kthvalue', options, REDUCE_OPTIONS);
  const d = normalizeDim(dim, x.ndim, 'kthvalue');
  const size = x.ndim === 0 ? 1 : x.shape[d]!;
  if (size === 0)
    throw new IndexError('ERR_REDUCE_EMPTY', `kthvalue: kthvalue(): Expected reduction dim ${d} to have non-zero size.`, {
      op: 'kthvalue',
      shapes: [x.shape],
    });
  if (!(Number.isInteger(k) && k >= 1 && k <= size))
    throw new IndexError(
      'ERR_KTHVALUE',
      `kthvalue: kthvalue(): selected number k out of range for dimension ${d}: k is ${k}, its size ${size}`,
      { op: 'kthvalue', shapes: [x.shape] },
    );
  const places = launchSort(x.detach(), d, false)[1];
  return pickAlong('kthvalue', x, d, x.ndim === 0 ? places : clone(narrow(places, d, k - 1, 1)), options.keepdim ?? false);
}
