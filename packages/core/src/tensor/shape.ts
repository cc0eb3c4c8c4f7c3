/** @file Shape and stride arithmetic. Shapes are plain arrays that nobody writes to after they are made. */
import { formatShape, IndexError, ShapeError, ValueError } from '../errors.js';
import { kindOf } from '../options.js';

/** Sizes, outermost first. PyTorch: torch.Size. */
export type Shape = readonly number[];
/** What a function that takes sizes accepts: `(2, 3)` or `([2, 3])`. */
export type Sizes = readonly number[] | readonly [readonly number[]];

export function numelOf(shape: Shape): number {
  let n = 1;
  for (let i = 0; i < shape.length; i++) n *= shape[i]!;
  return n;
}

/** Strides, in elements, of a row-major tensor. */
export function contiguousStrides(shape: Shape): number[] {
  const strides: number[] = [];
  for (let i = 0; i < shape.length; i++) strides.push(1);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= Math.max(shape[i]!, 1);
  }
  return strides;
}

export function isContiguous(shape: Shape, strides: Shape): boolean {
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    const size = shape[i]!;
    if (size === 0) return true;
    if (size !== 1) {
      if (strides[i] !== step) return false;
      step *= size;
    }
  }
  return true;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/**
 * The shape in which two shapes meet, dims aligned at the right, sizes 1 stretched. PyTorch: torch.broadcast_shapes.
 *
 * @throws ShapeError `ERR_BROADCAST` naming the op and both shapes.
 * @example broadcastShapes([3, 1], [4]) // [3, 4]
 */
export function broadcastShapes(a: Shape, b: Shape, op = 'broadcast_shapes'): Shape {
  if (sameShape(a, b)) return a;
  const rank = Math.max(a.length, b.length);
  const out: number[] = [];
  let isA = rank === a.length;
  let isB = rank === b.length;
  for (let i = 0; i < rank; i++) {
    const x = i - rank + a.length < 0 ? 1 : a[i - rank + a.length]!;
    const y = i - rank + b.length < 0 ? 1 : b[i - rank + b.length]!;
    if (x !== y && x !== 1 && y !== 1) {
      throw new ShapeError(
        'ERR_BROADCAST',
        `${op}: The size of tensor a (${x}) must match the size of tensor b (${y}) at non-singleton dimension ${i}: ${formatShape(a)} and ${formatShape(b)}`,
        { op, shapes: [a, b] },
      );
    }
    const size = x === 1 ? y : x;
    out.push(size);
    if (size !== x) isA = false;
    if (size !== y) isB = false;
  }
  return isA ? a : isB ? b : out;
}

/** May `from` be expanded to `to`? */
export function isExpandable(from: Shape, to: Shape): boolean {
  if (from.length > to.length) return false;
  for (let i = 1; i <= from.length; i++) {
    const size = from[from.length - i]!;
    if (size !== 1 && size !== to[to.length - i]) return false;
  }
  return true;
}

/**
 * A dim counted from either end, as one counted from the front. A 0-d tensor has the dims 0 and −1, as in PyTorch.
 *
 * @throws IndexError `ERR_DIM_RANGE`.
 */
export function normalizeDim(dim: number, rank: number, op: string): number {
  const n = Math.max(rank, 1);
  if (!Number.isInteger(dim)) throw new ValueError('ERR_DIM', `${op}: dim must be an integer, but is ${kindOf(dim)}`, { op });
  if (dim < -n || dim >= n) {
    throw new IndexError('ERR_DIM_RANGE', `${op}: Dimension out of range (expected to be in range of [${-n}, ${n - 1}], but got ${dim})`, {
      op,
    });
  }
  return dim < 0 ? dim + n : dim;
}

/** Several dims, without repetition, in the order given. `undefined` or null: all. */
export function normalizeDims(dims: number | readonly number[] | null | undefined, rank: number, op: string): number[] {
  if (dims === undefined || dims === null) return Array.from({ length: rank }, (_, i) => i);
  if (typeof dims !== 'number' && !Array.isArray(dims))
    throw new ValueError(
      'ERR_DIM',
      `${op}: a dim is a number, dims are a list of them, not ${typeof dims}; options come after: x.sum(1, { keepdim: true })`,
      { op },
    );
  const list = (typeof dims === 'number' ? [dims] : [...dims]).map((d) => normalizeDim(d, rank, op));
  if (new Set(list).size !== list.length) {
    const twice = list.find((d, i) => list.indexOf(d) !== i)!;
    throw new ValueError('ERR_DIM_REPEATED', `${op}: dim ${twice} appears multiple times in the list of dims`, { op });
  }
  return list;
}

/** Sizes from `(2, 3)` or `([2, 3])`, checked to be whole and not negative. */
export function toShape(sizes: Sizes, op: string): number[] {
  const list = (sizes.length === 1 && Array.isArray(sizes[0]) ? sizes[0] : sizes) as readonly number[];
  for (const size of list) {
    if (!Number.isInteger(size)) throw new ValueError('ERR_SIZE', `${op}: a size must be a whole number, but is ${kindOf(size)}`, { op });
    if (size < 0)
      throw new ShapeError('ERR_SIZE', `${op}: Trying to create tensor with negative dimension ${size}: [${list.join(', ')}]`, { op });
  }
  return list.slice();
}

/** Sizes with at most one −1, which takes what is left of `numel`. */
export function inferSize(sizes: readonly number[], numel: number, op: string): number[] {
  let known = 1;
  let open = -1;
  for (let i = 0; i < sizes.length; i++) {
    const size = sizes[i]!;
    if (!Number.isInteger(size)) throw new ValueError('ERR_SIZE', `${op}: a size must be a whole number, but is ${kindOf(size)}`, { op });
    if (size === -1) {
      if (open >= 0) throw new ShapeError('ERR_VIEW_SHAPE', `${op}: only one dimension can be inferred`, { op });
      open = i;
    } else if (size < 0) {
      throw new ShapeError('ERR_VIEW_SHAPE', `${op}: invalid shape dimension ${size}`, { op });
    } else known *= size;
  }
  const text = `[${sizes.join(', ')}]`;
  if (open < 0) {
    if (known !== numel) throw new ShapeError('ERR_VIEW_SHAPE', `${op}: shape '${text}' is invalid for input of size ${numel}`, { op });
    return sizes.slice();
  }
  if (known === 0) {
    throw new ShapeError(
      'ERR_VIEW_SHAPE',
      `${op}: cannot reshape tensor of ${numel} elements into shape ${text} because the unspecified dimension size -1 can be any value and is ambiguous`,
      { op },
    );
  }
  if (numel % known !== 0) throw new ShapeError('ERR_VIEW_SHAPE', `${op}: shape '${text}' is invalid for input of size ${numel}`, { op });
  const out = sizes.slice();
  out[open] = numel / known;
  return out;
}

/**
 * Strides under which a tensor of `shape` and `strides` appears in `newShape`, or null when that takes a copy.
 * PyTorch: the rule of Tensor.view (each new dim lies inside one run of old dims that are contiguous to each other).
 */
export function viewStrides(shape: Shape, strides: Shape, newShape: Shape): number[] | null {
  if (numelOf(shape) === 0) return sameShape(shape, newShape) ? strides.slice() : contiguousStrides(newShape);
  const out = new Array<number>(newShape.length).fill(1);
  if (shape.length === 0) return out;
  let dim = newShape.length - 1;
  let base = strides[shape.length - 1]!;
  let chunk = 1;
  let done = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    chunk *= shape[i]!;
    if (i === 0 || (shape[i - 1] !== 1 && strides[i - 1] !== chunk * base)) {
      while (dim >= 0 && (done < chunk || newShape[dim] === 1)) {
        out[dim] = done * base;
        done *= newShape[dim]!;
        dim--;
      }
      if (done !== chunk) return null;
      if (i > 0) {
        base = strides[i - 1]!;
        chunk = 1;
        done = 1;
      }
    }
  }
  return dim === -1 ? out : null;
}

/** Do two indices of a view reach one element? (An expanded tensor does.) Exact for views made of steps; cautious otherwise. */
export function overlapsItself(shape: Shape, strides: Shape): boolean {
  const dims: [number, number][] = [];
  for (let i = 0; i < shape.length; i++) {
    if (shape[i] === 0) return false;
    if (shape[i]! > 1) dims.push([Math.abs(strides[i]!), shape[i]!]);
  }
  dims.sort((x, y) => x[0] - y[0]);
  let reach = 0;
  for (const [stride, size] of dims) {
    if (stride <= reach) return true;
    reach += stride * (size - 1);
  }
  return false;
}
