/** @file The cross product: for torch.cross, and for linalg.cross. */
import { ShapeError } from '../errors.js';
import { broadcastShapes, normalizeDim, sameShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { stack } from './cat.js';
import { select } from './view.js';

/** a × b along a dim of size 3. */
export function crossAlong(op: string, a: Tensor, b: Tensor, dim: number): Tensor {
  const shape = broadcastShapes(a.shape, b.shape, op);
  const x = sameShape(a.shape, shape) ? a : a.expand(shape);
  const y = sameShape(b.shape, shape) ? b : b.expand(shape);
  const d = normalizeDim(dim, shape.length, op);
  const sizeOf = (t: Tensor): number => t.shape.at(d - shape.length) ?? 0;
  if (sizeOf(a) !== 3 || sizeOf(b) !== 3)
    throw new ShapeError('ERR_CROSS', `${op}: inputs dimension ${dim} must have length 3. Got ${sizeOf(a)} and ${sizeOf(b)}`, {
      op,
      shapes: [a.shape, b.shape],
    });
  const part = (i: number): Tensor => {
    const j = (i + 1) % 3;
    const k = (i + 2) % 3;
    return select(x, d, j)
      .mul(select(y, d, k))
      .sub(select(x, d, k).mul(select(y, d, j)));
  };
  return stack([part(0), part(1), part(2)], d);
}
