/** @file Runs of equals along a sorted dim. */
import type { Tensor } from '../tensor/tensor.js';
import { indexValue, type Value } from '../tensor/value.js';
import { e } from './expression.js';
import { launchGather } from './gather.js';
import { computeValue } from './reduction.js';
import { wrap } from './result.js';

/** Is each element along a dim unlike the one before it? The first is. */
export function startsRun(x: Tensor, dim: number): Value {
  const index = indexValue(x.shape, dim, x.device);
  if (x.numel() === 0) return e.eq(index, 0);
  const previous = launchGather(x, dim, wrap(e.max(e.sub(index, 1), 0)));
  return e.or(e.eq(index, 0), e.ne(computeValue(x), computeValue(previous)));
}
