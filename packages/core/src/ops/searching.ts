/** @file Finding places in sorted sequences, and membership. Binary search runs on the device: a look-up for each halving. */
import { DTypeError, formatShape, ShapeError, ValueError } from '../errors.js';
import { promoteTypes } from '../tensor/dtype.js';
import { sameShape } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { castValue, type Value } from '../tensor/value.js';
import { cast } from './cast.js';
import { tensor } from './creation.js';
import { resultType } from './define.js';
import { e } from './expression.js';
import { filled, fillValue } from './fill.js';
import { gather, launchGather } from './gather.js';
import { computeValue, reduceTo } from './reduction.js';
import { OPS } from './registry.js';
import { wrap } from './result.js';
import { launchSort } from './sort.js';
import { reshape, unsqueeze } from './view.js';
import { checkOptions, type OptionNames } from '../options.js';

const SEARCH_OPTIONS: OptionNames<SearchOptions> = { right: true, side: true, sorter: true, outInt32: true };
const BUCKETIZE_OPTIONS: OptionNames<{ readonly right?: boolean; readonly outInt32?: boolean }> = { right: true, outInt32: true };
const ISIN_OPTIONS: OptionNames<IsinOptions> = { assumeUnique: true, invert: true };

export interface SearchOptions {
  /** The place behind equals in place of the one before them. Default false. */
  readonly right?: boolean;
  /** The same as a word. */
  readonly side?: 'left' | 'right';
  /** Indices that sort the sequence, where it is not sorted. */
  readonly sorter?: Tensor | null;
  /** Here results are always int32. */
  readonly outInt32?: boolean;
}

OPS.set('searchsorted', { name: 'searchsorted', inputs: 2, differentiable: false });
/**
 * Where each value would go in a sorted sequence so that it stays sorted (int32): the first place i with seq_i ≥ v, or > v with `right`.
 * Sequences are the last dim; they are one for all values, or one for each row of them. PyTorch: torch.searchsorted.
 *
 * @throws ShapeError `ERR_SEARCHSORTED`; ValueError `ERR_SEARCHSORTED` when `side` and `right` disagree.
 */
export function searchsorted(sortedSequence: Tensor, values: Tensor | number, options: SearchOptions = {}): Tensor {
  checkOptions('searchsorted', options, SEARCH_OPTIONS);
  const op = 'searchsorted';
  const { right = false, side, sorter = null } = options;
  if (side !== undefined && side !== 'left' && side !== 'right')
    throw new ValueError('ERR_SEARCHSORTED', `${op}: torch.searchsorted(): side can only be 'left' or 'right' but got ${String(side)}`, {
      op,
    });
  if (right && side === 'left')
    throw new ValueError(
      'ERR_SEARCHSORTED',
      `${op}: torch.searchsorted(): side and right can't be set to opposites, got side of left while right was True`,
      { op },
    );
  const x = isTensor(values)
    ? values.detach()
    : tensor(values, { dtype: Number.isInteger(values) ? sortedSequence.dtype : 'float32', device: sortedSequence.device });
  const { shape } = sortedSequence;
  if (shape.length === 0)
    throw new ShapeError('ERR_SEARCHSORTED', `${op}: torch.searchsorted(): boundaries tensor should have positive dimension`, { op });
  if (shape.length !== 1 && !(x.ndim === shape.length && sameShape(shape.slice(0, -1), x.shape.slice(0, -1)))) {
    throw new ShapeError(
      'ERR_SEARCHSORTED',
      `${op}: torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and input value tensor must match, but we got boundaries tensor ${formatShape(shape)} and input value tensor ${formatShape(x.shape)}`,
      { op, shapes: [shape, x.shape] },
    );
  }
  if (isTensor(values) && x.dtype !== sortedSequence.dtype) {
    throw new DTypeError(
      'ERR_DTYPE_MIX',
      `${op}: torch.searchsorted(): input value tensor and boundaries should have same dtype, got ${x.dtype} and ${sortedSequence.dtype}`,
      { op, dtypes: [sortedSequence.dtype, x.dtype] },
    );
  }
  let sequence = sortedSequence.detach();
  if (sorter !== null) {
    if (!sameShape(sorter.shape, shape))
      throw new ShapeError(
        'ERR_SEARCHSORTED',
        `${op}: torch.searchsorted(): boundary and sorter must have the same size, but got boundary tensor ${formatShape(shape)} and got sorter tensor ${formatShape(sorter.shape)}`,
        { op, shapes: [shape, sorter.shape] },
      );
    sequence = gather(sequence, -1, sorter);
  }
  const common = promoteTypes(sequence.dtype, x.dtype);
  const flat = shape.length === 1 ? reshape(x, [-1]) : x;
  const found = place(cast(sequence, common), cast(flat, common), right || side === 'right');
  return wrap(reshape(found, x.shape).value);
}

/** Binary search along the last dim, for all values at once. */
function place(sequence: Tensor, x: Tensor, right: boolean): Tensor {
  const dim = sequence.ndim - 1;
  const n = sequence.shape[dim]!;
  let low = filled(x.shape, 0, 'int32', x.device);
  if (n === 0 || x.numel() === 0) return low;
  let high = filled(x.shape, n, 'int32', x.device);
  const value = computeValue(x);
  for (let left = n; left > 0; left >>= 1) {
    const middle = wrap(e.shr(e.add(low.value, high.value), 1));
    const at = castValue(launchGather(sequence, dim, wrap(e.min(middle.value, n - 1))).value, value.dtype);
    // Written so that a NaN goes behind all others.
    const beyond = e.not(right ? e.gt(at, value) : e.ge(at, value));
    const open = e.lt(low.value, high.value);
    const next = wrap(e.where(e.and(open, beyond), e.add(middle.value, 1), low.value));
    high = wrap(e.where(e.and(open, e.not(beyond)), middle.value, high.value)).realize();
    low = next.realize();
  }
  return low;
}

OPS.set('bucketize', { name: 'bucketize', inputs: 2, differentiable: false });
/** The bucket of each element between sorted 1-d boundaries (int32). PyTorch: torch.bucketize. */
export function bucketize(
  x: Tensor | number,
  boundaries: Tensor,
  options: { readonly right?: boolean; readonly outInt32?: boolean } = {},
): Tensor {
  checkOptions('bucketize', options, BUCKETIZE_OPTIONS);
  if (boundaries.ndim !== 1)
    throw new ShapeError('ERR_BUCKETIZE', `bucketize: boundaries tensor must be 1 dimension, but got dim(${boundaries.ndim})`, {
      op: 'bucketize',
      shapes: [boundaries.shape],
    });
  if (!isTensor(x)) return searchsorted(boundaries, x, options);
  const common = promoteTypes(x.dtype, boundaries.dtype);
  return searchsorted(cast(boundaries.detach(), common), cast(x.detach(), common), options);
}

/** More test elements than this are sorted and searched; fewer are compared one by one. */
const FEW = 64;

export interface IsinOptions {
  /** PyTorch's promise that nothing comes twice; not needed here. */
  readonly assumeUnique?: boolean;
  /** Is it not among them? */
  readonly invert?: boolean;
}

OPS.set('isin', { name: 'isin', inputs: 2, differentiable: false });
/** Is each element among the test elements? bool. PyTorch: torch.isin. */
export function isin(elements: Tensor | number, testElements: Tensor | number, options: IsinOptions = {}): Tensor {
  checkOptions('isin', options, ISIN_OPTIONS);
  const like = isTensor(elements) ? elements : isTensor(testElements) ? testElements : null;
  if (like === null) throw new ValueError('ERR_ISIN', 'isin: one of the two must be a tensor', { op: 'isin' });
  const dtype = resultType(elements, testElements);
  const asTensor = (x: Tensor | number): Tensor => cast(isTensor(x) ? x.detach() : filled([], x, dtype, like.device), dtype);
  const x = asTensor(elements);
  const tests = reshape(asTensor(testElements), [-1]);
  const count = tests.numel();
  let found: Value;
  if (count === 0) found = fillValue(x.shape, false, 'bool', x.device);
  else if (count <= FEW) {
    const same = e.eq(computeValue(unsqueeze(x, -1)), computeValue(tests));
    found = reduceTo('max', same, [x.ndim], false, false);
  } else {
    const sorted = launchSort(tests, 0, false)[0];
    const flat = reshape(x, [-1]);
    const at = wrap(e.min(place(sorted, flat, false).value, count - 1));
    found = reshape(wrap(e.eq(computeValue(launchGather(sorted, 0, at)), computeValue(flat))), x.shape).value;
  }
  return wrap(options.invert === true ? e.not(found) : found);
}
