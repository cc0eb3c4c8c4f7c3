/** @file Views: the same memory under another shape, strides and offset. None of these copies, but `reshape` and `contiguous` where they must. */
import type { Rule } from '../autograd/node.js';
import { IndexError, ShapeError, ValueError, formatShape } from '../errors.js';
import {
  contiguousStrides,
  inferSize,
  isContiguous,
  isExpandable,
  normalizeDim,
  normalizeDims,
  numelOf,
  overlapsItself,
  sameShape,
  type Shape,
  type Sizes,
  toShape,
  viewStrides,
} from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';
import { IN_MEMORY, relabel } from '../tensor/value.js';
import { filled, zerosOf } from './fill.js';
import { stridesOf } from './in-place.js';
import { attach, recording, wrap } from './result.js';
import { sumTo } from './sum-to.js';

/** A view of `x`; `rule` gives the gradient of `x` from that of the view. */
function makeView(x: Tensor, shape: Shape, strides: Shape, offset: number, name: string, rule: (grad: Tensor) => Tensor): Tensor {
  const out = new Tensor(x.storage, shape, strides, offset);
  out.setBase(x);
  if (recording(x)) attach(out, `${name}Backward0`, [x], ((grad) => [rule(grad)]) as Rule);
  return out;
}

/** Zeros of `shape` with `grad` in the place that `part` picks from them. */
export function embed(grad: Tensor, shape: Shape, part: (zeros: Tensor) => Tensor): Tensor {
  const out = zerosOf(grad, shape);
  copyInto(part(out), grad);
  return out;
}

/** PyTorch: Tensor.copy_() on a tensor without history of its own; differentiable in `source`. */
function copyInto(target: Tensor, source: Tensor): void {
  target.copy_(source);
}

/**
 * The same elements in another shape, without a copy; one size may be −1. PyTorch: Tensor.view().
 * @throws ShapeError `ERR_VIEW_SHAPE`; `ERR_VIEW_STRIDES` where only a copy would do.
 */
export function view(x: Tensor, ...sizes: Sizes): Tensor {
  const shape = inferSize(flat(sizes), x.numel(), 'view');
  const strides = viewStrides(x.shape, stridesOf(x), shape);
  if (strides === null) {
    throw new ShapeError(
      'ERR_VIEW_STRIDES',
      "view: view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous subspaces). Use .reshape(...) instead.",
      {
        op: 'view',
        shapes: [x.shape, shape],
      },
    );
  }
  const from = x.shape;
  return makeView(x, shape, strides, x.offset, 'View', (grad) => reshape(grad, from));
}

const flat = (sizes: Sizes): readonly number[] =>
  sizes.length === 1 && Array.isArray(sizes[0]) ? (sizes[0] as readonly number[]) : (sizes as readonly number[]);

/** As {@link view}; copies where it must. PyTorch: torch.reshape. */
export function reshape(x: Tensor, ...sizes: Sizes): Tensor {
  const shape = inferSize(flat(sizes), x.numel(), 'reshape');
  if (sameShape(shape, x.shape)) return makeView(x, x.shape, stridesOf(x), x.offset, 'View', (grad) => grad);
  const strides = viewStrides(x.shape, stridesOf(x), shape);
  const from = x.shape;
  return strides !== null ? makeView(x, shape, strides, x.offset, 'View', (grad) => reshape(grad, from)) : view(clone(x), shape);
}

/** Row-major, without gaps: itself, or a copy. PyTorch: Tensor.contiguous(). */
export const contiguous = (x: Tensor): Tensor => (x.isContiguous() ? x : clone(x));

/** A copy with memory of its own, in the graph. PyTorch: torch.clone. */
export function clone(x: Tensor): Tensor {
  const out = wrap(relabel(x.value, x.shape, x.dtype));
  if (recording(x)) attach(out, 'CloneBackward0', [x], (grad) => [grad]);
  return out;
}

/** Dims in another order. PyTorch: torch.permute. */
export function permute(x: Tensor, ...dims: Sizes): Tensor {
  const order = normalizeDims(flat(dims), x.ndim, 'permute');
  if (order.length !== x.ndim)
    throw new ValueError(
      'ERR_PERMUTE',
      `permute: number of dimensions in the tensor input (${x.ndim}) does not match the length of the desired ordering of dimensions (${order.length})`,
      { op: 'permute', shapes: [x.shape] },
    );
  const strides = stridesOf(x);
  return makeView(
    x,
    order.map((d) => x.shape[d]!),
    order.map((d) => strides[d]!),
    x.offset,
    'Permute',
    (grad) => {
      const inverse = new Array<number>(order.length);
      order.forEach((d, i) => (inverse[d] = i));
      return permute(grad, inverse);
    },
  );
}

/** Two dims exchanged. PyTorch: torch.transpose. */
export function transpose(x: Tensor, dim0: number, dim1: number): Tensor {
  const a = normalizeDim(dim0, x.ndim, 'transpose');
  const b = normalizeDim(dim1, x.ndim, 'transpose');
  const shape = [...x.shape];
  const strides = [...stridesOf(x)];
  if (x.ndim > 0) {
    [shape[a], shape[b]] = [shape[b]!, shape[a]!];
    [strides[a], strides[b]] = [strides[b]!, strides[a]!];
  }
  return makeView(x, shape, strides, x.offset, 'Transpose', (grad) => transpose(grad, a, b));
}

/** The transpose of a tensor of 2 dims or fewer. PyTorch: torch.t. */
export function t(x: Tensor): Tensor {
  if (x.ndim > 2)
    throw new ShapeError('ERR_RANK', `t: expects a tensor with <= 2 dimensions, but self is ${x.ndim}D`, { op: 't', shapes: [x.shape] });
  return x.ndim < 2 ? makeView(x, x.shape, stridesOf(x), x.offset, 'T', (grad) => grad) : transpose(x, 0, 1);
}

/** Dims of size 1 stretched by stride 0; −1 keeps a size. PyTorch: Tensor.expand(). */
export function expand(x: Tensor, ...sizes: Sizes): Tensor {
  const wanted = flat(sizes);
  const lead = wanted.length - x.ndim;
  if (lead < 0)
    throw new ShapeError(
      'ERR_EXPAND',
      `expand: the number of sizes provided (${wanted.length}) must be greater or equal to the number of dimensions in the tensor (${x.ndim})`,
      { op: 'expand', shapes: [x.shape] },
    );
  const shape: number[] = [];
  const strides: number[] = [];
  const own = stridesOf(x);
  for (let d = 0; d < wanted.length; d++) {
    const size = wanted[d]!;
    const has = d < lead ? 1 : x.shape[d - lead]!;
    if (size === -1) {
      if (d < lead)
        throw new ShapeError(
          'ERR_EXPAND',
          `expand: The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension ${d}`,
          { op: 'expand', shapes: [x.shape] },
        );
      shape.push(has);
      strides.push(own[d - lead]!);
    } else if (size === has) {
      shape.push(size);
      strides.push(d < lead ? 0 : own[d - lead]!);
    } else if (has === 1 && size >= 0 && Number.isInteger(size)) {
      shape.push(size);
      strides.push(0);
    } else {
      throw new ShapeError(
        'ERR_EXPAND',
        `expand: The expanded size of the tensor (${size}) must match the existing size (${has}) at non-singleton dimension ${d}.  Target sizes: [${wanted.join(', ')}].  Tensor sizes: [${x.shape.join(', ')}]`,
        { op: 'expand', shapes: [x.shape] },
      );
    }
  }
  const from = x.shape;
  return makeView(x, shape, strides, x.offset, 'Expand', (grad) => sumTo(grad, from));
}

/** Stretched to `shape`: a view where `x` is in memory, part of the fused program where it is deferred. For gradients. */
export function broadcastGradient(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  if (!isExpandable(x.shape, shape))
    throw new ShapeError('ERR_EXPAND', `expand: ${formatShape(x.shape)} cannot become ${formatShape(shape)}`);
  const { value } = x;
  if (value.op === IN_MEMORY) return expand(x, shape);
  const from = x.shape;
  const out = wrap(relabel(value, shape, x.dtype));
  if (recording(x)) attach(out, 'ExpandBackward0', [x], (grad) => [sumTo(grad, from)]);
  return out;
}

/** A dim of size 1 put in at `dim`. PyTorch: torch.unsqueeze. */
export function unsqueeze(x: Tensor, dim: number): Tensor {
  const d = normalizeDim(dim, x.ndim + 1, 'unsqueeze');
  const shape = [...x.shape];
  const strides = [...stridesOf(x)];
  strides.splice(d, 0, d < x.ndim ? shape[d]! * strides[d]! : 1);
  shape.splice(d, 0, 1);
  const from = x.shape;
  return makeView(x, shape, strides, x.offset, 'Unsqueeze', (grad) => reshape(grad, from));
}

/** Dims of size 1 taken out: all, or those named. PyTorch: torch.squeeze. */
export function squeeze(x: Tensor, dim?: number | readonly number[]): Tensor {
  const dims = new Set(normalizeDims(dim, x.ndim, 'squeeze'));
  const kept = x.shape.map((_, d) => d).filter((d) => !(dims.has(d) && x.shape[d] === 1));
  const strides = stridesOf(x);
  const from = x.shape;
  return makeView(
    x,
    kept.map((d) => x.shape[d]!),
    kept.map((d) => strides[d]!),
    x.offset,
    'Squeeze',
    (grad) => reshape(grad, from),
  );
}

/** The dims from `startDim` to `endDim` joined into one. PyTorch: torch.flatten. */
export function flatten(x: Tensor, startDim = 0, endDim = -1): Tensor {
  const a = normalizeDim(startDim, x.ndim, 'flatten');
  const b = normalizeDim(endDim, x.ndim, 'flatten');
  if (a > b) throw new ValueError('ERR_DIM', `flatten: flatten() has invalid args: start_dim cannot come after end_dim`, { op: 'flatten' });
  if (x.ndim === 0) return reshape(x, [1]);
  if (a === b) return x;
  return reshape(x, [...x.shape.slice(0, a), numelOf(x.shape.slice(a, b + 1)), ...x.shape.slice(b + 1)]);
}

/** One dim split into several. PyTorch: torch.unflatten. */
export function unflatten(x: Tensor, dim: number, sizes: readonly number[]): Tensor {
  const d = normalizeDim(dim, x.ndim, 'unflatten');
  if (sizes.length === 0) throw new ValueError('ERR_SIZE', 'unflatten: sizes must be non-empty', { op: 'unflatten' });
  return reshape(x, [...x.shape.slice(0, d), ...inferSize(sizes, x.shape[d]!, 'unflatten'), ...x.shape.slice(d + 1)]);
}

/** `length` entries of a dim from `start`. PyTorch: torch.narrow. */
export function narrow(x: Tensor, dim: number, start: number, length: number): Tensor {
  if (x.ndim === 0) throw new ShapeError('ERR_RANK', 'narrow: narrow() cannot be applied to a 0-dim tensor.', { op: 'narrow' });
  const d = normalizeDim(dim, x.ndim, 'narrow');
  const size = x.shape[d]!;
  if (length < 0) throw new ValueError('ERR_NARROW', 'narrow: narrow(): length must be non-negative.', { op: 'narrow' });
  if (!Number.isInteger(start) || start < -size || start > size)
    throw new IndexError('ERR_NARROW', `narrow: start out of range (expected to be in range of [-${size}, ${size}], but got ${start})`, {
      op: 'narrow',
      shapes: [x.shape],
    });
  const from = start < 0 ? start + size : start;
  if (!(from + length <= size))
    throw new ShapeError('ERR_NARROW', `narrow: start (${from}) + length (${length}) exceeds dimension size (${size}).`, {
      op: 'narrow',
      shapes: [x.shape],
    });
  return sliceDim(x, d, from, from + length, 1);
}

/** Entries `start`, `start + step`, … before `end` of a dim, as Python's slices pick them (negative from the end, clamped). PyTorch: x[:, a:b:s]. */
export function slice(x: Tensor, dim = 0, start: number | null = null, end: number | null = null, step = 1): Tensor {
  if (x.ndim === 0) throw new IndexError('ERR_RANK', 'slice: slice() cannot be applied to a 0-dim tensor.', { op: 'slice' });
  const d = normalizeDim(dim, x.ndim, 'slice');
  if (!(Number.isInteger(step) && step > 0))
    throw new ValueError('ERR_SLICE_STEP', `slice: slice step must be positive, but is ${step}`, { op: 'slice' });
  const size = x.shape[d]!;
  const clamp = (i: number): number => Math.min(Math.max(i < 0 ? i + size : i, 0), size);
  const a = clamp(start ?? 0);
  const b = Math.max(clamp(end ?? size), a);
  return sliceDim(x, d, a, b, step);
}

function sliceDim(x: Tensor, d: number, start: number, end: number, step: number): Tensor {
  const strides = [...stridesOf(x)];
  const shape = [...x.shape];
  const offset = x.offset + start * strides[d]!;
  shape[d] = Math.ceil((end - start) / step);
  strides[d] = strides[d]! * step;
  const from = x.shape;
  return makeView(x, shape, strides, offset, 'Slice', (grad) => embed(grad, from, (zeros) => sliceDim(zeros, d, start, end, step)));
}

/** The entry `index` of a dim, which goes away. PyTorch: torch.select. */
export function select(x: Tensor, dim: number, index: number): Tensor {
  if (x.ndim === 0) throw new IndexError('ERR_RANK', 'select: select() cannot be applied to a 0-dim tensor.', { op: 'select' });
  const d = normalizeDim(dim, x.ndim, 'select');
  const size = x.shape[d]!;
  if (!Number.isInteger(index) || index < -size || index >= size) {
    throw new IndexError('ERR_INDEX_RANGE', `select: index ${index} is out of bounds for dimension ${d} with size ${size}`, {
      op: 'select',
      shapes: [x.shape],
    });
  }
  const i = index < 0 ? index + size : index;
  const strides = stridesOf(x);
  const from = x.shape;
  return makeView(
    x,
    x.shape.filter((_, k) => k !== d),
    strides.filter((_, k) => k !== d),
    x.offset + i * strides[d]!,
    'Select',
    (grad) => embed(grad, from, (zeros) => select(zeros, d, i)),
  );
}

/** The entries on a diagonal of two dims, as a new last dim. PyTorch: torch.diagonal. */
export function diagonal(x: Tensor, offset = 0, dim1 = 0, dim2 = 1): Tensor {
  const a = normalizeDim(dim1, x.ndim, 'diagonal');
  const b = normalizeDim(dim2, x.ndim, 'diagonal');
  if (a === b)
    throw new ValueError('ERR_DIM_REPEATED', `diagonal: diagonal dimensions cannot be identical ${dim1}, ${dim2}`, { op: 'diagonal' });
  const strides = stridesOf(x);
  const length = Math.max(0, offset >= 0 ? Math.min(x.shape[a]!, x.shape[b]! - offset) : Math.min(x.shape[a]! + offset, x.shape[b]!));
  const at = length === 0 ? x.offset : x.offset + (offset >= 0 ? offset * strides[b]! : -offset * strides[a]!);
  const rest = x.shape.map((_, d) => d).filter((d) => d !== a && d !== b);
  const from = x.shape;
  return makeView(
    x,
    [...rest.map((d) => x.shape[d]!), length],
    [...rest.map((d) => strides[d]!), strides[a]! + strides[b]!],
    at,
    'Diagonal',
    (grad) => embed(grad, from, (zeros) => diagonal(zeros, offset, a, b)),
  );
}

/** Any view of the storage. PyTorch: torch.as_strided. @throws ValueError `ERR_AS_STRIDED` where it would leave the storage. */
export function asStrided(x: Tensor, size: readonly number[], stride: readonly number[], storageOffset: number = x.offset): Tensor {
  const shape = toShape([size], 'asStrided');
  if (stride.length !== shape.length)
    throw new ValueError('ERR_AS_STRIDED', `asStrided: mismatch in length of strides and shape: ${stride.length} and ${shape.length}`, {
      op: 'asStrided',
    });
  let low = storageOffset;
  let high = storageOffset;
  shape.forEach((s, d) => (stride[d]! < 0 ? (low += (s - 1) * stride[d]!) : (high += (s - 1) * stride[d]!)));
  if (stride.some((s) => !Number.isInteger(s) || s < 0) || !Number.isInteger(storageOffset))
    throw new ValueError('ERR_AS_STRIDED', 'asStrided: strides and offset must be whole numbers, not negative', { op: 'asStrided' });
  if (numelOf(shape) > 0 && (low < 0 || high >= x.storage.length)) {
    throw new ValueError(
      'ERR_AS_STRIDED',
      `asStrided: setStorage: sizes [${shape.join(', ')}], strides [${stride.join(', ')}], storage offset ${storageOffset} are out of bounds for storage of ${x.storage.length} elements`,
      { op: 'asStrided', shapes: [x.shape, shape] },
    );
  }
  return makeView(x, shape, stride.slice(), storageOffset, 'AsStrided', asStridedGradient(x, shape, stride, storageOffset));
}

/** The gradient of `x` from that of a view of its storage; written for any geometry. */
export function asStridedGradient(x: Tensor, shape: Shape, strides: Shape, offset: number): (grad: Tensor) => Tensor {
  const { length } = x.storage;
  const own = { shape: x.shape, strides: stridesOf(x), offset: x.offset };
  return (grad) => {
    // Where the view shows an element twice, both gradients count: they are summed over the dims of stride 0, then scattered.
    const flatGrad = scatterStrided(grad, shape, strides, offset, length);
    if (own.offset === 0 && numelOf(own.shape) === length && isContiguous(own.shape, own.strides)) return view(flatGrad, own.shape);
    const seen = asStrided(flatGrad, own.shape, own.strides, own.offset);
    if (!overlapsItself(own.shape, own.strides)) return seen;
    // Where x itself shows an element several times, each of those has an equal part of its gradient, as in PyTorch.
    const times = scatterStrided(filled(own.shape, 1, grad.dtype, grad.device), own.shape, own.strides, own.offset, length);
    return seen.div(asStrided(times, own.shape, own.strides, own.offset));
  };
}

function scatterStrided(grad: Tensor, shape: Shape, strides: Shape, offset: number, length: number): Tensor {
  const repeated = shape.map((_, d) => d).filter((d) => strides[d] === 0 && shape[d]! > 1);
  const g = repeated.length > 0 ? grad.sum(repeated, { keepdim: true }) : grad;
  const zeros = zerosOf(grad, [length]);
  const spread = g.shape;
  const sorted = spread
    .map((s, d) => [strides[d]!, s] as const)
    .filter(([, s]) => s > 1)
    .sort((p, q) => p[0] - q[0]);
  let reach = 0;
  let overlaps = false;
  for (const [stride, size] of sorted) {
    if (stride <= reach) overlaps = true;
    reach += stride * (size - 1);
  }
  if (!overlaps) {
    asStrided(zeros, spread, strides, offset).copy_(g);
    return zeros;
  }
  const index = zeros.newArange(length).asStrided(spread, strides, offset);
  return zeros.scatterAdd(0, reshape(index, [-1]), reshape(g, [-1]));
}

/** Windows of `size` along a dim, every `step`, as a new last dim. PyTorch: Tensor.unfold(). */
export function unfold(x: Tensor, dim: number, size: number, step: number): Tensor {
  const d = normalizeDim(dim, x.ndim, 'unfold');
  const has = x.ndim === 0 ? 1 : x.shape[d]!;
  if (!(step > 0)) throw new ValueError('ERR_UNFOLD', `unfold: step is ${step} but must be > 0`, { op: 'unfold' });
  if (size < 0 || size > has)
    throw new ValueError('ERR_UNFOLD', `unfold: maximum size for tensor at dimension ${d} is ${has} but size is ${size}`, {
      op: 'unfold',
      shapes: [x.shape],
    });
  const strides = stridesOf(x);
  const shape = [...x.shape];
  const out = [...strides];
  if (x.ndim > 0) {
    shape[d] = Math.floor((has - size) / step) + 1;
    out[d] = strides[d]! * step;
  }
  shape.push(size);
  out.push(x.ndim === 0 ? 1 : strides[d]!);
  // The gradient is laid out as a row-major x would be, whatever x is.
  const from = x.shape;
  const steps = contiguousStrides(from);
  const windows = [...steps.map((s, i) => (i === d ? s * step : s)), steps[d] ?? 1];
  return makeView(x, shape, out, x.offset, 'Unfold', (grad) => view(scatterStrided(grad, shape, windows, 0, numelOf(from)), from));
}
