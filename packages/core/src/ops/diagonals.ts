/** @file Diagonals: taken from matrices, and put into them. */
import { ShapeError, ValueError } from '../errors.js';
import { noGrad } from '../autograd/mode.js';
import { normalizeDim, type Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { OPS } from './registry.js';
import { attach, recording } from './result.js';
import { clone, diagonal, embed, reshape } from './view.js';
import { checkOptions, type OptionNames } from '../options.js';

const FILL_DIAGONAL_OPTIONS: OptionNames<{ readonly wrap?: boolean }> = { wrap: true };

OPS.set('diagEmbed', { name: 'diagEmbed', inputs: 1, differentiable: true });
/** The entries of the last dim on a diagonal of two new dims, zeros elsewhere. PyTorch: torch.diag_embed. */
export function diagEmbed(x: Tensor, offset = 0, dim1 = -2, dim2 = -1): Tensor {
  const rank = x.ndim + 1;
  const a = normalizeDim(dim1, rank, 'diagEmbed');
  const b = normalizeDim(dim2, rank, 'diagEmbed');
  if (a === b)
    throw new ValueError('ERR_DIM_REPEATED', `diagEmbed: diagonal dimensions cannot be identical ${dim1}, ${dim2}`, { op: 'diagEmbed' });
  if (x.ndim === 0) throw new ShapeError('ERR_RANK', 'diagEmbed: takes a tensor with at least 1 dim', { op: 'diagEmbed' });
  const side = x.shape.at(-1)! + Math.abs(offset);
  const rest = x.shape.slice(0, -1);
  let next = 0;
  const shape: Shape = Array.from({ length: rank }, (_, d) => (d === a || d === b ? side : rest[next++]!));
  const out = noGrad(() => embed(x.detach(), shape, (zeros) => diagonal(zeros, offset, a, b)));
  if (recording(x)) attach(out, 'DiagEmbedBackward0', [x], (grad) => [diagonal(grad, offset, a, b)]);
  return out;
}

/** A matrix with a vector on its diagonal, or the diagonal of a matrix (a copy). PyTorch: torch.diag. */
export function diag(x: Tensor, offset = 0): Tensor {
  if (x.ndim === 1) return diagEmbed(x, offset);
  if (x.ndim === 2) return clone(diagonal(x, offset));
  throw new ShapeError('ERR_RANK', `diag: Supports 1D or 2D tensors. Got ${x.ndim}D`, { op: 'diag', shapes: [x.shape] });
}

/** A matrix with all elements of `x` on its diagonal. PyTorch: torch.diagflat. */
export const diagflat = (x: Tensor, offset = 0): Tensor => diagEmbed(reshape(x, [x.numel()]), offset);

/** The sum of the diagonal of a matrix. PyTorch: torch.trace. */
export function trace(x: Tensor): Tensor {
  if (x.ndim !== 2)
    throw new ShapeError('ERR_RANK', `trace: expected a matrix, but got tensor with dim ${x.ndim}`, { op: 'trace', shapes: [x.shape] });
  return diagonal(x).sum();
}

/** Sets the diagonal in place; `wrap` begins again below it in tall matrices. PyTorch: Tensor.fill_diagonal_. */
export function fillDiagonal_(x: Tensor, value: number | boolean, options: { readonly wrap?: boolean } = {}): Tensor {
  checkOptions('fillDiagonal_', options, FILL_DIAGONAL_OPTIONS);
  if (x.ndim < 2)
    throw new ShapeError('ERR_RANK', 'fillDiagonal_: dimensions must larger than 1', { op: 'fillDiagonal_', shapes: [x.shape] });
  if (x.ndim > 2 && x.shape.some((s) => s !== x.shape[0]))
    throw new ShapeError('ERR_SQUARE', 'fillDiagonal_: all dimensions of input must be of equal length', {
      op: 'fillDiagonal_',
      shapes: [x.shape],
    });
  const strides = x.stride();
  const step = strides.reduce((s, n) => s + n, 0);
  const rows = x.shape[0]!;
  const size = Math.min(...x.shape);
  x.asStrided([size], [step]).fill_(value);
  if (options.wrap === true && x.ndim === 2 && rows > x.shape[1]! + 1) {
    const columns = x.shape[1]!;
    const first = size * step + strides[0]!;
    const left = Math.ceil((x.numel() - (columns + 1) * columns) / (columns + 1));
    if (left > 0) x.asStrided([left], [step], x.offset + first).fill_(value);
  }
  return x;
}
