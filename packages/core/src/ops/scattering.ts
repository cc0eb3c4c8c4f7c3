/** @file Writing by index tensors along a dim: scatter, index_add and their kin. Indices lie in [0, size) of the dim. */
import { DTypeError, IndexError, ShapeError, ValueError } from '../errors.js';
import { DTYPE_INFO } from '../tensor/dtype.js';
import { normalizeDim, sameShape, type Shape } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import type { ScatterKind } from '../backend/contract.js';
import { cast } from './cast.js';
import type { Operand } from './define.js';
import { filled, zerosOf } from './fill.js';
import { atLeast1, checkIndexShape, cutTo, gather, indexSelect, indexTensor, launchScatter, scatterAdd } from './gather.js';
import { assign, forInPlace } from './in-place.js';
import { OPS } from './registry.js';
import { attach, recording, wrap } from './result.js';
import { expand, reshape, unsqueeze } from './view.js';
import { choose } from './where.js';
import { checkOptions, type OptionNames } from '../options.js';

const SCATTER_OPTIONS: OptionNames<ScatterOptions> = { reduce: true, value: true };
const SCATTER_REDUCE_OPTIONS: OptionNames<ScatterReduceOptions> = { includeSelf: true };
const INDEX_ADD_OPTIONS: OptionNames<IndexAddOptions> = { alpha: true };

/** The kernel in a dtype that it takes, on a copy; 0-d tensors as 1-d ones. `source` has the shape of `index`. */
function scattered(kind: ScatterKind, x: Tensor, dim: number, index: Tensor, source: Tensor): Tensor {
  const { compute } = DTYPE_INFO[x.dtype];
  const kernel = kind === 'set' ? x.dtype : compute === 'bool' ? 'int32' : compute;
  const out = cast(
    launchScatter(kind, atLeast1(cast(x.detach(), kernel)), dim, atLeast1(index.detach()), atLeast1(cast(source.detach(), kernel))),
    x.dtype,
  );
  return wrap((x.ndim === 0 ? reshape(out, []) : out).value);
}

export interface ScatterOptions {
  /** 'add' or 'multiply' combine with what is there. */
  readonly reduce?: 'add' | 'multiply' | null;
  /** The number to write where no `src` is given. */
  readonly value?: number;
}

for (const name of ['scatter', 'scatterReduce', 'indexAdd', 'indexCopy', 'indexFill'])
  OPS.set(name, { name, inputs: 2, differentiable: true });
/**
 * A copy with x[index[i][j]][j] = src[i][j] for dim 0, and so on; `src` may be a number. PyTorch: torch.scatter.
 * @throws IndexError `ERR_INDEX_RANGE`; ShapeError `ERR_GATHER_SHAPE`.
 */
export function scatter(x: Tensor, dim: number, index: Tensor, src?: Operand, options: ScatterOptions = {}): Tensor {
  checkOptions('scatter', options, SCATTER_OPTIONS);
  const d = normalizeDim(dim, x.ndim, 'scatter');
  const idx = indexTensor(index, 'scatter');
  checkIndexShape('scatter', x, d, idx);
  const given = src ?? options.value;
  if (given === undefined) throw new ValueError('ERR_ARGUMENT', "scatter: missing argument 'src'", { op: 'scatter' });
  const whole = isTensor(given) ? given : expand(filled([], given, x.dtype, x.device), idx.shape);
  if (whole.dtype !== x.dtype)
    throw new DTypeError(
      'ERR_DTYPE_MIX',
      `scatter: Expected self.dtype to be equal to src.dtype, but they are ${x.dtype} and ${whole.dtype}`,
      { op: 'scatter', dtypes: [x.dtype, whole.dtype] },
    );
  const part = cutTo('scatter', whole, idx.shape);
  const kind = kindOf(options.reduce);
  const out = scattered(kind, x, d, idx, part);
  if (recording(x, part)) {
    if (kind === 'mul') {
      attach(out, 'ScatterBackward1', [x, part], () => {
        throw new ValueError(
          'ERR_NOT_DIFFERENTIABLE',
          "scatter: the derivative for 'multiply' is not implemented; use scatterReduce with 'prod'",
          { op: 'scatter' },
        );
      });
    } else {
      attach(out, 'ScatterBackward0', [x, part], (grad, node) => [
        !node.needs(0) ? null : kind === 'add' ? grad : scatter(grad, d, node.saved(0), 0),
        node.needs(1) ? gather(grad, d, node.saved(0)) : null,
      ]).save(idx);
    }
  }
  return out;
}
function kindOf(reduce: string | null | undefined): ScatterKind {
  if (reduce === undefined || reduce === null) return 'set';
  if (reduce === 'add') return 'add';
  if (reduce === 'multiply') return 'mul';
  throw new ValueError('ERR_REDUCE', `scatter: reduce argument must be either add or multiply, not '${reduce}'`, { op: 'scatter' });
}
export const scatter_ = (x: Tensor, dim: number, index: Tensor, src?: Operand, options: ScatterOptions = {}): Tensor => {
  checkOptions('scatter_', options, SCATTER_OPTIONS);
  return assign(x, scatter(forInPlace(x, 'scatter_', src), dim, index, src, options), 'scatter_');
};
export const scatterAdd_ = (x: Tensor, dim: number, index: Tensor, src: Tensor): Tensor =>
  assign(x, scatterAdd(forInPlace(x, 'scatterAdd_', src), dim, index, src), 'scatterAdd_');

export type ScatterReduction = 'sum' | 'prod' | 'mean' | 'amax' | 'amin';
export interface ScatterReduceOptions {
  /** What is in `x` counts too. Default true. */
  readonly includeSelf?: boolean;
}

/** What a reduction starts from, where what is in `x` does not count. */
function identity(reduce: ScatterReduction, dtype: Tensor['dtype']): number {
  const { category, compute } = DTYPE_INFO[dtype];
  if (reduce === 'prod') return 1;
  if (reduce === 'sum' || reduce === 'mean') return 0;
  if (category === 'float') return reduce === 'amax' ? -Infinity : Infinity;
  if (compute === 'bool') return reduce === 'amax' ? 0 : 1;
  if (dtype === 'uint8') return reduce === 'amax' ? 0 : 255;
  return reduce === 'amax' ? -2147483648 : 2147483647;
}
const KINDS: Readonly<Record<ScatterReduction, ScatterKind>> = { sum: 'add', prod: 'mul', mean: 'add', amax: 'max', amin: 'min' };

/**
 * A copy with what `src` sends to each place (index[i][j], j), combined by `reduce`: 'sum', 'prod', 'mean', 'amax' or 'amin'. PyTorch: torch.scatter_reduce.
 * @throws ValueError `ERR_REDUCE` for another reduction.
 */
export function scatterReduce(
  x: Tensor,
  dim: number,
  index: Tensor,
  src: Tensor,
  reduce: ScatterReduction,
  options: ScatterReduceOptions = {},
): Tensor {
  checkOptions('scatterReduce', options, SCATTER_REDUCE_OPTIONS);
  return reduced('scatterReduce', x, dim, index, src, reduce, options.includeSelf ?? true);
}
export const scatterReduce_ = (
  x: Tensor,
  dim: number,
  index: Tensor,
  src: Tensor,
  reduce: ScatterReduction,
  options: ScatterReduceOptions = {},
): Tensor => {
  checkOptions('scatterReduce_', options, SCATTER_REDUCE_OPTIONS);
  return assign(x, scatterReduce(forInPlace(x, 'scatterReduce_', src), dim, index, src, reduce, options), 'scatterReduce_');
};

function reduced(name: string, x: Tensor, dim: number, index: Tensor, src: Tensor, reduce: ScatterReduction, includeSelf: boolean): Tensor {
  const d = normalizeDim(dim, x.ndim, name);
  if (!Object.hasOwn(KINDS, reduce))
    throw new ValueError('ERR_REDUCE', `${name}: reduce argument must be either sum, prod, mean, amax or amin, got ${reduce}.`, {
      op: name,
    });
  const idx = indexTensor(index, name);
  checkIndexShape(name, x, d, idx);
  if (src.dtype !== x.dtype)
    throw new DTypeError(
      'ERR_DTYPE_MIX',
      `${name}: Expected self.dtype to be equal to src.dtype, but they are ${x.dtype} and ${src.dtype}`,
      { op: name, dtypes: [x.dtype, src.dtype] },
    );
  const part = cutTo(name, src, idx.shape);
  const source = part.detach();
  const input = x.detach();
  const start = includeSelf ? input : scatter(input, d, idx, identity(reduce, x.dtype));
  let out = scattered(KINDS[reduce], start, d, idx, source);
  if (reduce === 'mean') {
    const count = countOf(input, d, idx, includeSelf);
    out = wrap((x.isFloatingPoint() ? out.div(count) : out.div(count, { roundingMode: 'floor' })).value);
  }
  if (recording(x, part)) {
    attach(out, `${name.charAt(0).toUpperCase()}${name.slice(1)}Backward0`, [x, part], (grad, node) => {
      const [self, from, at, result] = [node.saved(0), node.saved(1), node.saved(2), node.saved(3)];
      const [dx, ds] = GRADIENTS[reduce](grad, { x: self, d, index: at, src: from, out: result, includeSelf });
      return [includeSelf ? dx : scatter(dx, d, at, 0), ds];
    }).save(x, part, idx, out);
  }
  return out;
}

/** How many values meet in each place, 1 where none do. */
function countOf(like: Tensor, d: number, index: Tensor, includeSelf: boolean): Tensor {
  const count = scatterAdd(
    filled(like.shape, includeSelf ? 1 : 0, like.dtype, like.device),
    d,
    index,
    filled(index.shape, 1, like.dtype, like.device),
  );
  return count.maskedFill(count.eq(0), 1);
}

interface Saved {
  readonly x: Tensor;
  readonly d: number;
  readonly index: Tensor;
  readonly src: Tensor;
  readonly out: Tensor;
  readonly includeSelf: boolean;
}
type Gradient = (grad: Tensor, saved: Saved) => readonly [Tensor, Tensor];

const extremeGradient: Gradient = (grad, { x, d, index, src, out }) => {
  const mine = x.eq(out);
  const theirs = src.eq(gather(out, d, index));
  // Equals share.
  const share = grad.div(scatterAdd(cast(mine, grad.dtype), d, index, cast(theirs, grad.dtype)));
  return [choose(mine, share, 0), choose(theirs, gather(share, d, index), 0)];
};

/** PyTorch: scatter_reduce_backward in FunctionsManual.cpp. */
const GRADIENTS: Readonly<Record<ScatterReduction, Gradient>> = {
  sum: (grad, { d, index }) => [grad, gather(grad, d, index)],
  mean: (grad, { x, d, index, includeSelf }) => {
    const share = grad.div(countOf(x.detach(), d, index, includeSelf));
    return [share, gather(share, d, index)];
  },
  amax: extremeGradient,
  amin: extremeGradient,
  prod: (grad, { x, d, index, src, out, includeSelf }) => {
    // A single 0 among the factors has a gradient of its own: the product of the others.
    const own = x.maskedFill(x.eq(0), 1);
    const dx = grad.mul(reduced('scatterReduce', own, d, index, src, 'prod', includeSelf)).div(own);
    const zero = src.eq(0);
    const zeros = gather(scatterAdd(zerosOf(x, x.shape), d, index, cast(zero, x.dtype)), d, index);
    const single = zero.logicalAnd(zeros.eq(1));
    const others = reduced('scatterReduce', x, d, index, src.maskedFill(single, 1), 'prod', includeSelf);
    return [dx, choose(single, gather(grad.mul(others), d, index), gather(grad.mul(out), d, index).div(src.maskedFill(zero, 1)))];
  },
};

// ── with a vector of indices ──

/** The index for each element of a source of `shape`. */
function spread(op: string, x: Tensor, dim: number, index: Tensor, source: Tensor | null): [number, Tensor, Shape] {
  const d = normalizeDim(dim, x.ndim, op);
  const idx = indexTensor(index, op);
  if (idx.ndim > 1)
    throw new IndexError('ERR_INDEX_RANK', `${op}: Index should have dimension 1 or 0 (got ${idx.ndim})`, { op, shapes: [idx.shape] });
  const n = idx.numel();
  const shape = atLeast1(x).shape.map((s, k) => (k === d ? n : s));
  if (source !== null) {
    if (source.dtype !== x.dtype)
      throw new DTypeError(
        'ERR_DTYPE_MIX',
        `${op}: self and source expected to have the same dtype, but got (self) ${x.dtype} and (source) ${source.dtype}`,
        { op, dtypes: [x.dtype, source.dtype] },
      );
    const fits = sameShape(atLeast1(source).shape, shape) || (source.ndim === 0 && n === 1 && x.ndim <= 1);
    if (!fits) {
      throw new ShapeError(
        'ERR_INDEX_SOURCE',
        `${op}: the source's sizes must match those of self but for the number of indices at dimension ${d}: self [${x.shape.join(', ')}], ${n} indices, source [${source.shape.join(', ')}]`,
        { op, shapes: [x.shape, source.shape] },
      );
    }
  }
  let wide = reshape(idx, [n]);
  for (let k = 0; k < shape.length; k++) if (k !== d) wide = unsqueeze(wide, k);
  return [d, expand(wide, shape), shape];
}

/** The result of scattering along whole entries: shapes are those of 1-d tensors where `x` is 0-d. */
function alongEntries(kind: ScatterKind, x: Tensor, d: number, index: Tensor, source: Tensor): Tensor {
  return wrap(reshape(scattered(kind, atLeast1(x), d, index, reshape(source, index.shape)), x.shape).value);
}

export interface IndexAddOptions {
  /** The source is multiplied by it. Default 1. */
  readonly alpha?: number;
}
/** A copy with x[index[i]] += alpha · source[i] for dim 0, and so on. PyTorch: torch.index_add. */
export function indexAdd(x: Tensor, dim: number, index: Tensor, source: Tensor, options: IndexAddOptions = {}): Tensor {
  checkOptions('indexAdd', options, INDEX_ADD_OPTIONS);
  const [d, wide] = spread('indexAdd', x, dim, index, source);
  const alpha = options.alpha ?? 1;
  const scaled = alpha === 1 ? source.detach() : source.detach().mul(alpha).to(source.dtype);
  const out = alongEntries('add', x, d, wide, scaled);
  if (recording(x, source)) {
    const { shape } = source;
    attach(out, 'IndexAddBackward0', [x, source], (grad, node) => [
      grad,
      node.needs(1) ? reshape(indexSelect(grad, d, node.saved(0)).mul(alpha), shape) : null,
    ]).save(index);
  }
  return out;
}
export const indexAdd_ = (x: Tensor, dim: number, index: Tensor, source: Tensor, options: IndexAddOptions = {}): Tensor => {
  checkOptions('indexAdd_', options, INDEX_ADD_OPTIONS);
  return assign(x, indexAdd(forInPlace(x, 'indexAdd_', source), dim, index, source, options), 'indexAdd_');
};

/** A copy with x[index[i]] = source[i] for dim 0, and so on. PyTorch: torch.index_copy. */
export function indexCopy(x: Tensor, dim: number, index: Tensor, source: Tensor): Tensor {
  const [d, wide] = spread('indexCopy', x, dim, index, source);
  const out = alongEntries('set', x, d, wide, source.detach());
  if (recording(x, source)) {
    const { shape } = source;
    attach(out, 'IndexCopyBackward0', [x, source], (grad, node) => [
      node.needs(0) ? indexFill(grad, d, node.saved(0), 0) : null,
      node.needs(1) ? reshape(indexSelect(grad, d, node.saved(0)), shape) : null,
    ]).save(index);
  }
  return out;
}
export const indexCopy_ = (x: Tensor, dim: number, index: Tensor, source: Tensor): Tensor =>
  assign(x, indexCopy(forInPlace(x, 'indexCopy_', source), dim, index, source), 'indexCopy_');

/** A copy with one value in the entries that `index` names. PyTorch: torch.index_fill. */
export function indexFill(x: Tensor, dim: number, index: Tensor, value: Operand): Tensor {
  const given = isTensor(value) ? value : null;
  if (given !== null && given.ndim > 0)
    throw new ShapeError('ERR_FILL', `indexFill: Only supports 0-dimensional value tensor, but got tensor with ${given.ndim} dimensions`, {
      op: 'indexFill',
      shapes: [given.shape],
    });
  const [d, wide, shape] = spread('indexFill', x, dim, index, null);
  const source = given === null ? filled([], value as number, x.dtype, x.device) : cast(given.detach(), x.dtype);
  const out = alongEntries('set', x, d, wide, expand(source, shape));
  if (recording(x, given)) {
    attach(out, 'IndexFillBackward0', [x, given], (grad, node) => [
      node.needs(0) ? indexFill(grad, d, node.saved(0), 0) : null,
      // Entries that are named twice count once.
      node.needs(1) ? cast(grad.mul(indexFill(zerosOf(grad, grad.shape), d, node.saved(0), 1)).sum(), given!.dtype) : null,
    ]).save(index);
  }
  return out;
}
export const indexFill_ = (x: Tensor, dim: number, index: Tensor, value: Operand): Tensor =>
  assign(x, indexFill(forInPlace(x, 'indexFill_', value), dim, index, value), 'indexFill_');

/** A copy with source[i] combined into x[index[i]] by 'prod', 'mean', 'amax' or 'amin'. PyTorch: torch.index_reduce. */
export function indexReduce(
  x: Tensor,
  dim: number,
  index: Tensor,
  source: Tensor,
  reduce: Exclude<ScatterReduction, 'sum'>,
  options: ScatterReduceOptions = {},
): Tensor {
  checkOptions('indexReduce', options, SCATTER_REDUCE_OPTIONS);
  if (!(reduce in KINDS) || (reduce as string) === 'sum')
    throw new ValueError(
      'ERR_REDUCE',
      `indexReduce: index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got ${reduce}.`,
      { op: 'indexReduce' },
    );
  const [d, wide] = spread('indexReduce', x, dim, index, source);
  return reshape(reduced('indexReduce', atLeast1(x), d, wide, reshape(source, wide.shape), reduce, options.includeSelf ?? true), x.shape);
}
export const indexReduce_ = (
  x: Tensor,
  dim: number,
  index: Tensor,
  source: Tensor,
  reduce: Exclude<ScatterReduction, 'sum'>,
  options: ScatterReduceOptions = {},
): Tensor => {
  checkOptions('indexReduce_', options, SCATTER_REDUCE_OPTIONS);
  return assign(x, indexReduce(forInPlace(x, 'indexReduce_', source), dim, index, source, reduce, options), 'indexReduce_');
};
