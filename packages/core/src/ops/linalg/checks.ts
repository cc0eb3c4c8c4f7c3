/** @file What functions on matrices ask of their inputs, and what they say when a matrix has no answer. */
import { DTypeError, formatShape, ShapeError, ValueError } from '../../errors.js';
import { isFloat } from '../../tensor/dtype.js';
import type { Tensor } from '../../tensor/tensor.js';

/** @throws DTypeError `ERR_DTYPE`: integers have no such results, and the halves too few bits for them. */
export function wantPrecise(op: string, x: Tensor): void {
  if (!isFloat(x.dtype))
    throw new DTypeError('ERR_DTYPE', `${op}: needs a floating dtype, not ${x.dtype}: write x.float() first`, {
      op,
      dtypes: [x.dtype],
    });
  if (x.dtype === 'float16' || x.dtype === 'bfloat16')
    throw new DTypeError('ERR_DTYPE', `${op}: Low precision dtypes not supported. Got ${x.dtype}`, { op, dtypes: [x.dtype] });
}

/** @throws ShapeError `ERR_RANK` */
export function wantMatrix(op: string, x: Tensor): void {
  if (x.ndim < 2) throw new ShapeError('ERR_RANK', `${op}: The input tensor A must have at least 2 dimensions.`, { op, shapes: [x.shape] });
}

/** @throws ShapeError `ERR_RANK`, `ERR_NOT_SQUARE` */
export function wantSquare(op: string, x: Tensor): void {
  wantMatrix(op, x);
  if (x.shape.at(-1) !== x.shape.at(-2))
    throw new ShapeError(
      'ERR_NOT_SQUARE',
      `${op}: A must be batches of square matrices, but they are ${x.shape.at(-2)} by ${x.shape.at(-1)} matrices: ${formatShape(x.shape)}`,
      { op, shapes: [x.shape] },
    );
}

/**
 * Refuses matrices for which a factorisation broke down: `pivots` (batch, n) must satisfy `good`. Only where the device can be read at once;
 * elsewhere the results hold NaN or infinity, as documented with each function.
 * @throws ValueError with `code`
 */
export function wantPivots(
  op: string,
  code: string,
  pivots: Tensor,
  good: (pivot: number) => boolean,
  why: (order: number) => string,
): void {
  if (pivots.device.backend.readSync === undefined || pivots.numel() === 0) return;
  const n = pivots.shape[1]!;
  const at = pivots.data().findIndex((p) => !good(p));
  if (at < 0) return;
  const batch = pivots.shape[0]! > 1 ? `(Batch element ${Math.floor(at / n)}): ` : '';
  throw new ValueError(code, `${op}: ${batch}${why((at % n) + 1)}`, { op });
}
