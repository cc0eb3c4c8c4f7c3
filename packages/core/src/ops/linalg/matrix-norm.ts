/** @file Norms of matrices. */
import { DTypeError, ShapeError, ValueError } from '../../errors.js';
import { type DType, isFloat } from '../../tensor/dtype.js';
import { normalizeDim } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { cast } from '../cast.js';
import { OPS } from '../registry.js';
import { permute, reshape } from '../view.js';
import { pNorm } from '../vector-norm.js';
import { svdvals } from './singular-values.js';
import { checkOptions, type OptionNames } from '../../options.js';

const MATRIX_NORM_OPTIONS: OptionNames<MatrixNormOptions> = { keepdim: true, dtype: true };

/** Frobenius, nuclear (Σ σ), spectral (2: the largest σ, −2: the smallest), of columns (±1) and of rows (±∞). */
export type MatrixNormOrder = 'fro' | 'nuc' | number;
export interface MatrixNormOptions {
  readonly keepdim?: boolean;
  readonly dtype?: DType;
}

OPS.set('linalg.matrixNorm', { name: 'linalg.matrixNorm', inputs: 1, differentiable: true });
/** The norms of the matrices in two dims (the last by default). PyTorch: torch.linalg.matrix_norm. @throws ValueError `ERR_NORM` */
export function matrixNorm(
  x: Tensor,
  ord: MatrixNormOrder = 'fro',
  dim: readonly [number, number] = [-2, -1],
  options: MatrixNormOptions = {},
): Tensor {
  checkOptions('matrixNorm', options, MATRIX_NORM_OPTIONS);
  const op = 'linalg.matrixNorm';
  if (!isFloat(options.dtype ?? x.dtype))
    throw new DTypeError('ERR_DTYPE', `${op}: needs a floating dtype, not ${x.dtype}: write x.float() first`, {
      op,
      dtypes: [x.dtype],
    });
  if (x.ndim < 2) throw new ShapeError('ERR_RANK', `${op}: The input tensor A must have at least 2 dimensions.`, { op, shapes: [x.shape] });
  if (dim.length !== 2) throw new ValueError('ERR_DIM', `${op}: dim must be a 2-tuple. Got ${String(dim)}`, { op });
  const rows = normalizeDim(dim[0], x.ndim, op);
  const columns = normalizeDim(dim[1], x.ndim, op);
  if (rows === columns) throw new ValueError('ERR_DIM_REPEATED', `${op}: dims must be different. Got (${dim.join(', ')})`, { op });
  const keepdim = options.keepdim ?? false;
  const a = options.dtype === undefined ? x : cast(x, options.dtype);
  if (ord === 'fro') return pNorm(op, a, 2, [rows, columns], keepdim);
  if (ord === 'nuc' || Math.abs(ord) === 2) {
    const last = x.shape.map((_, d) => d).filter((d) => d !== rows && d !== columns);
    const sigma = svdvals(permute(a, [...last, rows, columns]));
    const result = ord === 'nuc' ? sigma.sum(-1) : ord === 2 ? sigma.amax(-1) : sigma.amin(-1);
    return keepdim
      ? reshape(
          result,
          x.shape.map((s, d) => (d === rows || d === columns ? 1 : s)),
        )
      : result;
  }
  const size = typeof ord === 'number' ? Math.abs(ord) : NaN;
  if (size !== 1 && size !== Infinity) throw new ValueError('ERR_NORM', `${op}: Order ${String(ord)} not supported.`, { op });
  const [summed, compared] = size === 1 ? [rows, columns] : [columns, rows];
  const sums = pNorm(op, a, 1, [summed], true);
  const found = (ord as number) > 0 ? sums.amax(compared, { keepdim: true }) : sums.amin(compared, { keepdim: true });
  return keepdim ? found : found.squeeze([rows, columns]);
}
