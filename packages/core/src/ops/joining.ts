/** @file Tensors taken apart: views of one tensor along a dim. What puts tensors together takes a list first and lives in cat.ts. */
import { IndexError, ShapeError, ValueError } from '../errors.js';
import { normalizeDim } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { narrow, select } from './view.js';

function requireDims(name: string, x: Tensor): void {
  if (x.ndim === 0) throw new ShapeError('ERR_RANK', `${name}: ${name} expects at least a 1-dimensional tensor`, { op: name });
}

/**
 * Pieces of `size` entries along a dim, the last one smaller where it must be, or pieces of the given sizes. Views. PyTorch: torch.split.
 * @example x.split(2); x.split([1, 3], 1)
 */
export function split(x: Tensor, size: number | readonly number[], dim = 0): Tensor[] {
  if (typeof size !== 'number') return splitWithSizes(x, size, dim);
  requireDims('split', x);
  const d = normalizeDim(dim, x.ndim, 'split');
  const length = x.shape[d]!;
  if (!Number.isInteger(size) || size < 0) throw new ValueError('ERR_SPLIT', `split: split expects split_size be non-negative, but got split_size=${size}`, { op: 'split' });
  if (size === 0 && length > 0) throw new ValueError('ERR_SPLIT', `split: split_size can only be 0 if dimension size is 0, but got dimension size of ${length}`, { op: 'split' });
  const count = size === 0 ? 1 : Math.max(1, Math.ceil(length / size));
  return pieces(x, d, Array.from({ length: count }, (_, i) => Math.min(size, length - i * size)));
}

/** Pieces of the given sizes, which must add up. PyTorch: torch.split_with_sizes. */
export function splitWithSizes(x: Tensor, sizes: readonly number[], dim = 0): Tensor[] {
  requireDims('split', x);
  const d = normalizeDim(dim, x.ndim, 'split');
  if (sizes.some((s) => !Number.isInteger(s) || s < 0)) {
    throw new ValueError('ERR_SPLIT', `split: split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes=[${sizes.join(', ')}]`, { op: 'split' });
  }
  if (sizes.reduce((a, b) => a + b, 0) !== x.shape[d]) {
    throw new ValueError('ERR_SPLIT', `split: split_with_sizes expects split_sizes to sum exactly to ${x.shape[d]} (input tensor's size at dimension ${d}), but got split_sizes=[${sizes.join(', ')}]`, { op: 'split', shapes: [x.shape] });
  }
  return pieces(x, d, sizes);
}

function pieces(x: Tensor, d: number, sizes: readonly number[]): Tensor[] {
  let at = 0;
  return sizes.map((size) => {
    const piece = narrow(x, d, at, size);
    at += size;
    return piece;
  });
}

/** At most `chunks` pieces of equal size, but for the last. Views. PyTorch: torch.chunk. */
export function chunk(x: Tensor, chunks: number, dim = 0): Tensor[] {
  requireDims('chunk', x);
  if (!Number.isInteger(chunks) || chunks <= 0) throw new ValueError('ERR_SPLIT', `chunk: chunk expects \`chunks\` to be greater than 0, got: ${chunks}`, { op: 'chunk' });
  const d = normalizeDim(dim, x.ndim, 'chunk');
  const length = x.shape[d]!;
  if (length === 0) return pieces(x, d, Array.from({ length: chunks }, () => 0));
  return split(x, Math.ceil(length / chunks), d);
}

/** The entries along a dim, which goes away. Views. PyTorch: torch.unbind. */
export function unbind(x: Tensor, dim = 0): Tensor[] {
  if (x.ndim === 0) throw new IndexError('ERR_RANK', `unbind: Dimension specified as ${dim} but tensor has no dimensions`, { op: 'unbind' });
  const d = normalizeDim(dim, x.ndim, 'unbind');
  return Array.from({ length: x.shape[d]! }, (_, i) => select(x, d, i));
}
