/** @file Indexing: `x[…]` is `x.at(…)`. A list of integers inside an index is an index tensor. */
import { isTensor, tensor, type Tensor } from '@tessera/core';
import type { Subject } from '../../subject/subject.js';
import type { Adapters } from './adapter.js';

/** One of Python's indices as one of ours: a slice is { start, stop, step } without what is None, a list is an int32 tensor. */
function toIndex(index: unknown, subject: Subject): unknown {
  if (Array.isArray(index)) {
    const booleans = index.every((item) => typeof item === 'boolean');
    return tensor(index as number[], { dtype: booleans ? 'bool' : 'int32', device: subject.device });
  }
  if (typeof index !== 'object' || index === null || isTensor(index)) return index;
  return Object.fromEntries(Object.entries(index).filter(([, bound]) => bound !== null));
}

export const INDEXING: Adapters = {
  __getitem__: ({ library, subject, args: [x, index] }) => {
    // A tuple is several indices; the data write a single list of integers as a list and a tuple of them as a tuple.
    const indices = Array.isArray(index) && index.some((item) => typeof item === 'object' || typeof item === 'string') ? index : [index];
    return library.method(x as Tensor, 'at')(...indices.map((item) => toIndex(item, subject)));
  },
  narrow: ({ library, subject, args: [x, dim, start, length] }) => {
    const from = (place: unknown): unknown => library.fn('narrow')(x, dim, place, length);
    if (!isTensor(start)) return from(start);
    return subject.device.syncRead ? from(start.item()) : start.itemAsync().then(from);
  },
  slice: ({ library, args: [x, ...rest] }) => library.fn('slice')(x, ...rest),
  index_put: ({ library, subject, args: [x, indices, values], kwargs }) =>
    library.fn('indexPut')(
      x,
      (indices as readonly unknown[]).map((item) => toIndex(item, subject)),
      values,
      kwargs,
    ),
};
