/** @file Tensors taken apart: views of one tensor along a dim. What puts tensors together takes a list first and lives in cat.ts and stacks.ts. */
import { noGrad } from '../autograd/mode.js';
import { attachAll } from '../autograd/outputs.js';
import { DTypeError, IndexError, ShapeError, ValueError } from '../errors.js';
import { normalizeDim } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { cat, stack } from './cat.js';
import { zerosOf } from './fill.js';
import { recording } from './result.js';
import { narrow, select, slice } from './view.js';

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
  if (!Number.isInteger(size) || size < 0)
    throw new ValueError('ERR_SPLIT', `split: split expects split_size be non-negative, but got split_size=${size}`, { op: 'split' });
  if (size === 0 && length > 0)
    throw new ValueError('ERR_SPLIT', `split: split_size can only be 0 if dimension size is 0, but got dimension size of ${length}`, {
      op: 'split',
    });
  const count = size === 0 ? 1 : Math.max(1, Math.ceil(length / size));
  return pieces(
    x,
    d,
    Array.from({ length: count }, (_, i) => Math.min(size, length - i * size)),
  );
}

/** Pieces of the given sizes, which must add up. PyTorch: torch.split_with_sizes. */
export function splitWithSizes(x: Tensor, sizes: readonly number[], dim = 0): Tensor[] {
  requireDims('split', x);
  const d = normalizeDim(dim, x.ndim, 'split');
  if (sizes.some((s) => !Number.isInteger(s) || s < 0)) {
    throw new ValueError(
      'ERR_SPLIT',
      `split: split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes=[${sizes.join(', ')}]`,
      { op: 'split' },
    );
  }
  if (sizes.reduce((a, b) => a + b, 0) !== x.shape[d]) {
    throw new ValueError(
      'ERR_SPLIT',
      `split: split_with_sizes expects split_sizes to sum exactly to ${x.shape[d]} (input tensor's size at dimension ${d}), but got split_sizes=[${sizes.join(', ')}]`,
      { op: 'split', shapes: [x.shape] },
    );
  }
  return pieces(x, d, sizes);
}

/** Views side by side along a dim, with one node for all: their gradients are joined, not each spread over zeros and added up. */
function pieces(x: Tensor, d: number, sizes: readonly number[]): Tensor[] {
  let at = 0;
  return together(
    x,
    'SplitBackward0',
    sizes.map((size) => {
      const start = at;
      at += size;
      return (t: Tensor) => narrow(t, d, start, size);
    }),
    (grads) => cat(grads, d),
  );
}

/** Several views of `x`; `join` makes its gradient from theirs. */
function together(
  x: Tensor,
  name: string,
  parts: readonly ((x: Tensor) => Tensor)[],
  join: (grads: readonly Tensor[]) => Tensor,
): Tensor[] {
  const views = noGrad(() => parts.map((part) => part(x)));
  if (parts.length > 0 && recording(x)) {
    const shapes = views.map((v) => v.shape);
    attachAll(views, name, [x], (grads) => {
      const like = grads.find((g) => g !== null)!;
      return [join(grads.map((g, i) => g ?? zerosOf(like, shapes[i]!)))];
    });
  }
  return views;
}

/** At most `chunks` pieces of equal size, but for the last. Views. PyTorch: torch.chunk. */
export function chunk(x: Tensor, chunks: number, dim = 0): Tensor[] {
  requireDims('chunk', x);
  if (!Number.isInteger(chunks) || chunks <= 0)
    throw new ValueError('ERR_SPLIT', `chunk: chunk expects \`chunks\` to be greater than 0, got: ${chunks}`, { op: 'chunk' });
  const d = normalizeDim(dim, x.ndim, 'chunk');
  const length = x.shape[d]!;
  if (length === 0)
    return pieces(
      x,
      d,
      Array.from({ length: chunks }, () => 0),
    );
  return split(x, Math.ceil(length / chunks), d);
}

/** The entries along a dim, which goes away. Views. PyTorch: torch.unbind. */
export function unbind(x: Tensor, dim = 0): Tensor[] {
  if (x.ndim === 0)
    throw new IndexError('ERR_RANK', `unbind: Dimension specified as ${dim} but tensor has no dimensions`, { op: 'unbind' });
  const d = normalizeDim(dim, x.ndim, 'unbind');
  return together(
    x,
    'UnbindBackward0',
    Array.from({ length: x.shape[d]! }, (_, i) => (t: Tensor) => select(t, d, i)),
    (grads) => stack(grads, d),
  );
}

/**
 * `sections` pieces, the first ones an entry longer where it does not come out even, or the pieces between `indices`. Views.
 * PyTorch: torch.tensor_split.
 */
export function tensorSplit(x: Tensor, indicesOrSections: number | readonly number[] | Tensor, dim = 0): Tensor[] {
  if (x.ndim === 0)
    throw new ShapeError('ERR_RANK', 'tensorSplit: tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims', {
      op: 'tensorSplit',
    });
  const d = normalizeDim(dim, x.ndim, 'tensorSplit');
  const size = x.shape[d]!;
  const at = isTensor(indicesOrSections) ? fromTensor(indicesOrSections) : indicesOrSections;
  if (typeof at === 'number') {
    if (!(Number.isInteger(at) && at > 0))
      throw new ValueError('ERR_SPLIT', `tensorSplit: number of sections must be larger than 0, got ${at}`, { op: 'tensorSplit' });
    const small = Math.floor(size / at);
    return pieces(
      x,
      d,
      Array.from({ length: at }, (_, i) => small + (i < size % at ? 1 : 0)),
    );
  }
  const bounds = [0, ...at, size];
  const views = bounds.slice(1).map((end, i) => slice(x, d, i === 0 ? 0 : bounds[i]!, i === bounds.length - 2 ? null : end));
  return views;
}

function fromTensor(t: Tensor): number | readonly number[] {
  if (t.dtype !== 'int32')
    throw new DTypeError(
      'ERR_DTYPE',
      `tensorSplit: tensor_split expected tensor_indices_or_sections to have dtype of long, but got ${t.dtype}`,
      { op: 'tensorSplit', dtypes: [t.dtype] },
    );
  if (t.ndim > 1)
    throw new ShapeError(
      'ERR_RANK',
      `tensorSplit: tensor_split expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional tensor, but got a tensor with ${t.ndim} dims`,
      { op: 'tensorSplit', shapes: [t.shape] },
    );
  const data = Array.from(t.detach().data());
  return t.ndim === 0 ? data[0]! : data;
}

function splitAlong(name: string, rank: number, x: Tensor, sections: number | readonly number[], dim: number): Tensor[] {
  if (x.ndim < rank)
    throw new ShapeError(
      'ERR_RANK',
      `${name}: torch.${name} requires a tensor with at least ${rank} dimension, but got a tensor with ${x.ndim} dimensions!`,
      { op: name, shapes: [x.shape] },
    );
  if (typeof sections !== 'number' && !Array.isArray(sections))
    throw new ValueError('ERR_ARGUMENT', `${name}: sections must be a number or a list of indices, not ${typeof sections}`, { op: name });
  if (typeof sections === 'number') {
    if (sections <= 0)
      throw new ValueError('ERR_SPLIT', `${name}: number of sections must be larger than 0, got ${sections}`, { op: name });
    if (x.shape[dim]! % sections !== 0) {
      throw new ValueError(
        'ERR_SPLIT',
        `${name}: torch.${name} attempted to split along dimension ${dim}, but the size of the dimension ${x.shape[dim]} is not divisible by the split_size ${sections}!`,
        { op: name, shapes: [x.shape] },
      );
    }
  }
  return tensorSplit(x, sections, dim);
}
/** Along dim 1, or 0 for vectors. PyTorch: torch.hsplit. */
export const hsplit = (x: Tensor, sections: number | readonly number[]): Tensor[] =>
  splitAlong('hsplit', 1, x, sections, x.ndim === 1 ? 0 : 1);
/** Along dim 0. PyTorch: torch.vsplit. */
export const vsplit = (x: Tensor, sections: number | readonly number[]): Tensor[] => splitAlong('vsplit', 2, x, sections, 0);
/** Along dim 2. PyTorch: torch.dsplit. */
export const dsplit = (x: Tensor, sections: number | readonly number[]): Tensor[] => splitAlong('dsplit', 3, x, sections, 2);
/** PyTorch: torch.unsafe_chunk. */
export const unsafeChunk: typeof chunk = chunk;
/** PyTorch: torch.unsafe_split. */
export const unsafeSplit: typeof split = split;
