/** @file What `x.at(…)` takes: numbers, slices, new dims, '...', tensors; and the view that its basic part makes. */
import { kindOf } from '../options.js';
import { IndexError, ValueError } from '../errors.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { isMask, type TensorIndices } from './advanced-index.js';
import { tensor } from './creation.js';
import { select, slice, unsqueeze } from './view.js';

/** Python's `start:stop:step`; what is left out is the whole. Negative bounds count from the end, steps are positive. */
export interface Slice {
  readonly start?: number | null;
  readonly stop?: number | null;
  readonly step?: number | null;
}
/**
 * One index of `x.at(…)`: a number takes an entry (negative: from the end), ':' or `'1:5:2'` or `{ start, stop, step }` a slice, null puts in a dim of
 * size 1, '...' stands for all dims that are not named, an integer tensor (or array) picks entries, a bool tensor is a mask, a boolean
 * is a mask of its own new dim.
 */
export type Index = number | string | null | boolean | Slice | Tensor | readonly number[] | readonly boolean[];

/** The view that the basic indices make, and the tensors that are left to index it with. */
export interface Parsed {
  readonly view: Tensor;
  readonly indices: TensorIndices;
}

const SLICE = /^\s*(-?\d+)?\s*:\s*(-?\d+)?\s*(?::\s*(-?\d+)?\s*)?$/;

function parseSlice(text: string): Slice {
  const match = SLICE.exec(text);
  if (match === null)
    throw new ValueError('ERR_INDEX', `at: '${text}' is no index: write '...' or a slice such as ':', '1:5' or '::2'`, { op: 'at' });
  const bound = (s: string | undefined): number | null => (s === undefined ? null : Number(s));
  return { start: bound(match[1]), stop: bound(match[2]), step: bound(match[3]) };
}

const asTensor = (index: Tensor | readonly number[] | readonly boolean[], like: Tensor): Tensor =>
  isTensor(index)
    ? index
    : tensor(index as number[], {
        dtype: index.length > 0 && index.every((i) => typeof i === 'boolean') ? 'bool' : 'int32',
        device: like.device,
      });

/** How many dims an index takes. */
const width = (index: Index, like: Tensor): number => {
  if (index === null || index === '...' || typeof index === 'boolean') return 0;
  if (typeof index !== 'object' || !(isTensor(index) || Array.isArray(index))) return 1;
  const t = asTensor(index as Tensor, like);
  return isMask(t) ? t.ndim : 1;
};

/** @throws IndexError `ERR_INDEX_COUNT`, `ERR_INDEX_RANGE`; ValueError `ERR_INDEX`. */
export function parseIndices(x: Tensor, given: readonly Index[]): Parsed {
  const list: readonly Index[] = given.map((index) => (Array.isArray(index) ? asTensor(index as readonly number[], x) : index));
  const named = list.reduce<number>((n, index) => n + width(index, x), 0);
  if (named > x.ndim)
    throw new IndexError('ERR_INDEX_COUNT', `at: too many indices for tensor of dimension ${x.ndim} (got ${named})`, {
      op: 'at',
      shapes: [x.shape],
    });
  let view = x;
  let dim = 0;
  /** Index tensors by the dim of the view that they start at. */
  const found = new Map<number, Tensor>();
  let open = true;
  for (const index of list) {
    if (index === null) view = unsqueeze(view, dim++);
    else if (index === '...') {
      if (!open) throw new IndexError('ERR_INDEX', "at: an index can only have a single ellipsis ('...')", { op: 'at' });
      open = false;
      dim += x.ndim - named;
    } else if (typeof index === 'number') {
      if (!Number.isInteger(index)) throw new ValueError('ERR_INDEX', `at: an index must be a whole number, not ${index}`, { op: 'at' });
      if (index < -view.shape[dim]! || index >= view.shape[dim]!) {
        throw new IndexError('ERR_INDEX_RANGE', `at: index ${index} is out of bounds for dimension ${dim} with size ${view.shape[dim]}`, {
          op: 'at',
          shapes: [x.shape],
        });
      }
      view = select(view, dim, index);
    } else if (typeof index === 'boolean') {
      view = unsqueeze(view, dim);
      found.set(dim++, tensor(index ? [0] : [], { dtype: 'int32', device: x.device }));
    } else if (isTensor(index)) {
      if (isMask(index) && index.ndim === 0) {
        view = unsqueeze(view, dim);
        found.set(dim++, index.reshape([1]));
      } else {
        found.set(dim, index);
        dim += isMask(index) ? index.ndim : 1;
      }
    } else if (index === undefined || typeof index === 'function')
      throw new ValueError(
        'ERR_INDEX',
        `at: an index is a number, a slice such as ':' or '1:5', null, '...', a Tensor or an array, not ${kindOf(index)}`,
        { op: 'at' },
      );
    else {
      const { start = null, stop = null, step = null } = typeof index === 'string' ? parseSlice(index) : (index as Slice);
      const whole = start === null && stop === null && (step === null || step === 1);
      if (!whole) view = slice(view, dim, start, stop, step ?? 1);
      dim++;
    }
  }
  const indices: (Tensor | null)[] = [];
  const last = Math.max(-1, ...found.keys());
  for (let d = 0; d <= last;) {
    const index = found.get(d) ?? null;
    indices.push(index);
    d += index !== null && isMask(index) ? index.ndim : 1;
  }
  return { view, indices };
}
