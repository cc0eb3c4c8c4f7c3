/** @file Tensors put side by side, and grids of them. All take a list (or several tensors) first. */
import { DTypeError, ShapeError, ValueError } from '../errors.js';
import { broadcastShapes, numelOf, type Shape } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { cat, commonDType, stack } from './cat.js';
import { cast } from './cast.js';
import { fromHost } from './creation.js';
import { filled } from './fill.js';
import { indexSelect } from './gather.js';
import { expand, reshape, transpose, unsqueeze } from './view.js';
import { checkOptions, type OptionNames } from '../options.js';

const COMBINATIONS_OPTIONS: OptionNames<CombinationsOptions> = { withReplacement: true };
const VANDER_OPTIONS: OptionNames<VanderOptions> = { increasing: true };

type Tensors = readonly Tensor[] | readonly [readonly Tensor[]];
const listOf = (tensors: Tensors): readonly Tensor[] =>
  tensors.length === 1 && Array.isArray(tensors[0]) ? (tensors[0] as readonly Tensor[]) : (tensors as readonly Tensor[]);

/** One tensor gives one, several give a list. */
type Each<T extends Tensors> = T extends readonly [Tensor] ? Tensor : Tensor[];
const each = <T extends Tensors>(tensors: T, widen: (x: Tensor) => Tensor): Each<T> => {
  if (tensors.length === 1 && isTensor(tensors[0])) return widen(tensors[0]) as Each<T>;
  return listOf(tensors).map(widen) as Each<T>;
};
const widen1 = (x: Tensor): Tensor => (x.ndim === 0 ? reshape(x, [1]) : x);
const widen2 = (x: Tensor): Tensor => (x.ndim === 0 ? reshape(x, [1, 1]) : x.ndim === 1 ? unsqueeze(x, 0) : x);
const widen3 = (x: Tensor): Tensor => (x.ndim < 2 ? unsqueeze(widen2(x), 2) : x.ndim === 2 ? unsqueeze(x, 2) : x);

/** With at least 1 dim. PyTorch: torch.atleast_1d. */
export const atleast1d = <T extends Tensors>(...tensors: T): Each<T> => each(tensors, widen1);
/** With at least 2 dims. PyTorch: torch.atleast_2d. */
export const atleast2d = <T extends Tensors>(...tensors: T): Each<T> => each(tensors, widen2);
/** With at least 3 dims. PyTorch: torch.atleast_3d. */
export const atleast3d = <T extends Tensors>(...tensors: T): Each<T> => each(tensors, widen3);

function some(name: string, tensors: readonly Tensor[]): readonly Tensor[] {
  if (tensors.length === 0) throw new ValueError('ERR_CAT_EMPTY', `${name}: expects a non-empty TensorList`, { op: name });
  return tensors;
}
/** Along dim 1, or 0 for vectors. PyTorch: torch.hstack. */
export function hstack(tensors: readonly Tensor[]): Tensor {
  const wide = some('hstack', tensors).map(widen1);
  return cat(wide, wide[0]!.ndim === 1 ? 0 : 1);
}
/** As rows. PyTorch: torch.vstack. */
export const vstack = (tensors: readonly Tensor[]): Tensor => cat(some('vstack', tensors).map(widen2), 0);
/** PyTorch: torch.row_stack. */
export const rowStack: typeof vstack = vstack;
/** Along dim 2. PyTorch: torch.dstack. */
export const dstack = (tensors: readonly Tensor[]): Tensor => cat(some('dstack', tensors).map(widen3), 2);
/** Vectors as the columns of a matrix. PyTorch: torch.column_stack. */
export const columnStack = (tensors: readonly Tensor[]): Tensor =>
  cat(
    some('columnStack', tensors).map((x) => (x.ndim <= 1 ? reshape(x, [x.numel(), 1]) : x)),
    1,
  );

/** Matrices (numbers and vectors are rows) along the diagonal of one, zeros elsewhere. PyTorch: torch.block_diag. */
export function blockDiag(...tensors: readonly Tensor[]): Tensor {
  if (tensors.length === 0) throw new ValueError('ERR_CAT_EMPTY', 'blockDiag: expects at least one tensor', { op: 'blockDiag' });
  const blocks = tensors.map((t) => {
    if (t.ndim > 2)
      throw new ShapeError('ERR_RANK', `blockDiag: Input tensors must have 2 or fewer dimensions. Input has ${t.ndim} dimensions`, {
        op: 'blockDiag',
        shapes: [t.shape],
      });
    return widen2(t);
  });
  const dtype = commonDType(blocks);
  const columns = blocks.reduce((n, b) => n + b.shape[1]!, 0);
  let before = 0;
  const rows = blocks.map((b) => {
    const zeros = (n: number): Tensor => filled([b.shape[0]!, n], 0, dtype, b.device);
    const row = cat([zeros(before), cast(b, dtype), zeros(columns - before - b.shape[1]!)], 1);
    before += b.shape[1]!;
    return row;
  });
  return cat(rows, 0);
}

/** All stretched to the shape in which they meet. PyTorch: torch.broadcast_tensors. */
export function broadcastTensors(...tensors: Tensors): Tensor[] {
  const list = listOf(tensors);
  const shape = list.reduce<Shape>((s, t) => broadcastShapes(s, t.shape, 'broadcastTensors'), []);
  return list.map((t) => expand(t, shape));
}

export interface MeshgridOptions {
  /** 'ij' (the default): dim i belongs to tensor i; 'xy': the first two dims are exchanged. */
  readonly indexing?: 'ij' | 'xy';
}
/** Grids of coordinates: each vector repeated along the dims of the others. PyTorch: torch.meshgrid. @example meshgrid([x, y], { indexing: 'xy' }) */
export function meshgrid(...args: readonly (Tensor | readonly Tensor[] | MeshgridOptions)[]): Tensor[] {
  const last = args.at(-1);
  const options = last !== undefined && !Array.isArray(last) && !isTensor(last) ? (last as MeshgridOptions) : undefined;
  const tensors = listOf((options === undefined ? args : args.slice(0, -1)) as Tensors);
  const indexing = options?.indexing ?? 'ij';
  if (indexing !== 'ij' && indexing !== 'xy')
    throw new ValueError('ERR_MESHGRID', `meshgrid: indexing must be one of "xy" or "ij", but received: ${String(indexing)}`, {
      op: 'meshgrid',
    });
  if (tensors.length === 0) throw new ValueError('ERR_MESHGRID', 'meshgrid: expects a non-empty TensorList', { op: 'meshgrid' });
  for (const t of tensors) {
    if (t.ndim > 1)
      throw new ShapeError('ERR_RANK', `meshgrid: Expected 0D or 1D tensor in the tensor list but got: ${t.ndim}D`, {
        op: 'meshgrid',
        shapes: [t.shape],
      });
    if (t.dtype !== tensors[0]!.dtype)
      throw new DTypeError('ERR_DTYPE_MIX', 'meshgrid: expects all tensors to have the same dtype', {
        op: 'meshgrid',
        dtypes: [tensors[0]!.dtype, t.dtype],
      });
  }
  const shape = tensors.map((t) => t.numel());
  const grids = tensors.map((t, i) =>
    expand(
      reshape(
        t,
        shape.map((s, d) => (d === i ? s : 1)),
      ),
      shape,
    ),
  );
  return indexing === 'xy' && tensors.length >= 2 ? grids.map((g) => transpose(g, 0, 1)) : grids;
}

/** All tuples of elements, one from each vector, as rows. PyTorch: torch.cartesian_prod. */
export function cartesianProd(...tensors: readonly Tensor[]): Tensor {
  for (const t of tensors)
    if (t.ndim !== 1)
      throw new ShapeError('ERR_RANK', `cartesianProd: Expect a 1D vector, but got shape [${t.shape.join(', ')}]`, {
        op: 'cartesianProd',
        shapes: [t.shape],
      });
  if (tensors.length === 1) return tensors[0]!;
  return stack(
    meshgrid(tensors).map((g) => reshape(g, [g.numel()])),
    1,
  );
}

export interface CombinationsOptions {
  /** An element may come several times. Default false. */
  readonly withReplacement?: boolean;
}
/** All choices of `r` elements of a vector, in order, as rows. PyTorch: torch.combinations. */
export function combinations(x: Tensor, r = 2, options: CombinationsOptions = {}): Tensor {
  checkOptions('combinations', options, COMBINATIONS_OPTIONS);
  if (x.ndim !== 1)
    throw new ShapeError('ERR_RANK', `combinations: Expect a 1D vector, but got shape [${x.shape.join(', ')}]`, {
      op: 'combinations',
      shapes: [x.shape],
    });
  if (!(Number.isInteger(r) && r >= 0))
    throw new ValueError('ERR_COMBINATIONS', `combinations: Expect a non-negative number, but got ${r}`, { op: 'combinations' });
  if (r === 0) return filled([0], 0, x.dtype, x.device);
  const n = x.numel();
  const rows: number[] = [];
  const grow = (chosen: readonly number[]): void => {
    if (chosen.length === r) {
      rows.push(...chosen);
      return;
    }
    const first = chosen.length === 0 ? 0 : chosen.at(-1)! + (options.withReplacement === true ? 0 : 1);
    for (let i = first; i < n; i++) grow([...chosen, i]);
  };
  grow([]);
  return reshape(indexSelect(x, 0, fromHost(rows, [rows.length], 'int32', x.device)), [rows.length / r, r]);
}

/** The Kronecker product: each element of `a` times all of `b`. PyTorch: torch.kron. */
export function kron(a: Tensor, b: Tensor): Tensor {
  const rank = Math.max(a.ndim, b.ndim);
  const pad = (s: Shape): number[] => [...new Array<number>(rank - s.length).fill(1), ...s];
  const p = pad(a.shape);
  const q = pad(b.shape);
  const product = reshape(
    a,
    p.flatMap((s) => [s, 1]),
  ).mul(
    reshape(
      b,
      q.flatMap((s) => [1, s]),
    ),
  );
  const shape = p.map((s, d) => s * q[d]!);
  return numelOf(shape) === product.numel() ? reshape(product, shape) : product;
}

export interface VanderOptions {
  /** Powers go up from left to right. Default false. */
  readonly increasing?: boolean;
}
/** Columns of powers of a vector, from n − 1 down to 0. PyTorch: torch.vander. */
export function vander(x: Tensor, columnCount?: number, options: VanderOptions = {}): Tensor {
  checkOptions('vander', options, VANDER_OPTIONS);
  const n = columnCount ?? x.numel();
  if (x.ndim !== 1) throw new ShapeError('ERR_RANK', 'vander: x must be a one-dimensional tensor.', { op: 'vander', shapes: [x.shape] });
  if (!(Number.isInteger(n) && n >= 0)) throw new ValueError('ERR_VANDER', 'vander: N must be non-negative.', { op: 'vander' });
  if (n === 0) return filled([x.numel(), 0], 0, x.dtype, x.device);
  const columns = Array.from({ length: n }, (_, i) => x.pow(options.increasing === true ? i : n - 1 - i));
  return stack(columns, 1);
}
