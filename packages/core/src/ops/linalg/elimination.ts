/**
 * @file Gauss-Jordan elimination with partial pivoting, in tensor ops: a batch of matrices at a time, on any backend, without reading a value.
 * Each column takes a search for the pivot, an exchange of rows, and one pointwise kernel.
 */
import type { Tensor } from '../../tensor/tensor.js';
import { indexValue } from '../../tensor/value.js';
import { cat } from '../cat.js';
import { e } from '../expression.js';
import { filled } from '../fill.js';
import { launchGather } from '../gather.js';
import { computeValue, reduceTo } from '../reduction.js';
import { wrap } from '../result.js';
import { clone, expand, narrow } from '../view.js';

export interface Elimination {
  /** A⁻¹B, (batch, n, m). */
  readonly solution: Tensor;
  /** The pivots, (batch, n): their product is the determinant but for its sign. */
  readonly pivots: Tensor;
  /** −1 where an odd number of rows was exchanged, else 1: (batch). */
  readonly sign: Tensor;
}

/**
 * Solves A X = B for `a` (batch, n, n) and `b` (batch, n, m), outside the graph. Pivots that are 0 are replaced by `instead`, which makes a
 * neighbouring matrix of a singular one.
 */
export function eliminate(a: Tensor, b: Tensor, instead = 0): Elimination {
  const [batch, n] = a.shape as [number, number, number];
  const width = n + b.shape[2]!;
  const rows = indexValue([batch, n, 1], 1, a.device);
  let m = cat([a.detach(), b.detach()], 2);
  let sign = filled([batch, 1, 1], 1, a.dtype, a.device).value;
  const pivots: Tensor[] = [];
  for (let k = 0; k < n; k++) {
    if (batch === 0) break;
    // The row at or below k whose element in column k is largest. NaN is the largest of all, and spreads.
    const below = e.abs(computeValue(narrow(narrow(m, 2, k, 1), 1, k, n - k)));
    const found = e.add(reduceTo('argmax', below, [1], true, 0), k);
    sign = e.where(e.eq(found, k), sign, e.neg(sign));
    if (k < n - 1) {
      const order = wrap(e.where(e.eq(rows, k), found, e.where(e.eq(rows, found), k, rows)));
      m = launchGather(m, 1, expand(order, [batch, n, width]));
    }
    let pivot = narrow(narrow(m, 2, k, 1), 1, k, 1).value;
    pivots.push(clone(wrap(pivot)));
    if (instead !== 0) pivot = e.where(e.eq(pivot, 0), instead, pivot);
    const row = e.div(narrow(m, 1, k, 1).value, pivot);
    const left = e.sub(m.value, e.mul(narrow(m, 2, k, 1).value, row));
    m = wrap(e.where(e.eq(rows, k), row, left)).realize();
  }
  return {
    solution: clone(narrow(m, 2, n, width - n)),
    pivots: pivots.length === 0 ? filled([batch, n], 1, a.dtype, a.device) : cat(pivots, 1).reshape([batch, n]),
    sign: wrap(sign).reshape([batch]),
  };
}
