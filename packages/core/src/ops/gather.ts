/** @file Looking up and scattering by index tensors. Indices are int32 (other integers are converted); negative ones are refused, as in PyTorch. */
import { asWidest } from '../amp/policy.js';
import { autocasting } from '../amp/state.js';
import type { ScatterKind } from '../backend/contract.js';
import { DTypeError, formatShape, IndexError, isTesseraError, ShapeError } from '../errors.js';
import { DTYPE_INFO } from '../tensor/dtype.js';
import { normalizeDim, type Shape } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { materialise } from '../tensor/launch.js';
import { relabel } from '../tensor/value.js';
import { cast } from './cast.js';
import { notTensor } from './define.js';
import { OPS } from './registry.js';
import { filled, zerosOf } from './fill.js';
import { attach, emptyValue, launched, recording, reshapedView, viewOf, viewOfValue, wrap } from './result.js';
import { expand, reshape, unsqueeze } from './view.js';

/** Indices as the kernels take them. */
export function indexTensor(index: Tensor, op: string): Tensor {
  if (!isTensor(index)) notTensor(op, 'index', index);
  if (DTYPE_INFO[index.dtype].category !== 'integer')
    throw new DTypeError('ERR_INDEX_DTYPE', `${op}: Expected an integer dtype for index, but got ${index.dtype}: index.to('int32')`, {
      op,
      dtypes: [index.dtype],
    });
  return cast(index, 'int32');
}

/** Does an index tensor fit beside `x`? */
export function checkIndexShape(op: string, x: Tensor, dim: number, index: Tensor): void {
  if (index.numel() === 0) return;
  const fits = index.ndim === x.ndim || (index.ndim === 0 && x.ndim <= 1) || (x.ndim === 0 && index.ndim <= 1);
  if (!fits)
    throw new ShapeError(
      'ERR_GATHER_SHAPE',
      `${op}: Index tensor must have the same number of dimensions as input tensor: ${formatShape(index.shape)} and ${formatShape(x.shape)}`,
      { op, shapes: [x.shape, index.shape] },
    );
  for (let d = 0; d < Math.min(x.ndim, index.ndim); d++) {
    if (d !== dim && index.shape[d]! > x.shape[d]!) {
      throw new ShapeError(
        'ERR_GATHER_SHAPE',
        `${op}: Size does not match at dimension ${d} expected index [${index.shape.join(', ')}] to be no larger than self [${x.shape.join(', ')}] apart from dimension ${dim}`,
        { op, shapes: [x.shape, index.shape] },
      );
    }
  }
}

/** The kernel: `x` cut to the index's shape in the other dims. Ranks are equal and at least 1; the result has the shape of `index`. */
export function launchGather(x: Tensor, dim: number, index: Tensor): Tensor {
  if (index.numel() === 0) return filled(index.shape, 0, x.dtype, x.device);
  const input = viewOf(x);
  const out = emptyValue(x.device, x.dtype, index.shape);
  const cut = x.shape.map((s, d) => (d === dim ? s : index.shape[d]!));
  launched(x.device, 'gather', index.shape);
  x.device.kernels.gather(reshapedView(input, cut, input.strides), viewOf(index), dim, viewOfValue(out));
  return wrap(out);
}

/** The kernel on a copy of `x`: `source` and `index` have one shape, which fits in `x` but for `dim`. */
export function launchScatter(kind: ScatterKind, x: Tensor, dim: number, index: Tensor, source: Tensor): Tensor {
  const value = relabel(x.value, x.shape, x.dtype);
  if (index.numel() === 0) return wrap(value);
  materialise(value);
  const target = viewOfValue(value);
  const cut = x.shape.map((s, d) => (d === dim ? s : index.shape[d]!));
  launched(x.device, `scatter ${kind}`, index.shape);
  x.device.kernels.scatter(kind, viewOf(index), viewOf(source), dim, reshapedView(target, cut, target.strides));
  return wrap(value);
}

/** What the gather kernel says of an index, as an error of the op that was called. `sizes`: of the dims that were indexed together. */
export function outOfRange(op: string, error: unknown, sizes: Shape): unknown {
  if (!isTesseraError(error) || error.code !== 'ERR_INDEX_RANGE') return error;
  const { index } = error.details;
  const [size] = sizes;
  // Negative ones were counted from the end already; of several dims there is one number for all.
  const which = typeof index !== 'number' || sizes.length > 1 ? 'an index' : `index ${index < 0 ? index - size! : index}`;
  return new IndexError(
    'ERR_INDEX_RANGE',
    `${op}: ${which} is out of range for ${sizes.length > 1 ? `dims of sizes [${sizes.join(', ')}]` : `a dim of size ${size}`}`,
    { ...error.details, op },
  );
}

/** 0-d tensors as 1-d ones. */
export const atLeast1 = (x: Tensor): Tensor => (x.ndim === 0 ? reshape(x, [1]) : x);

OPS.set('gather', { name: 'gather', inputs: 1, differentiable: true });
/** out[i][j] = x[index[i][j]][j] for dim 0, and so on. PyTorch: torch.gather. */
export function gather(x: Tensor, dim: number, index: Tensor): Tensor {
  const d = normalizeDim(dim, x.ndim, 'gather');
  const idx = indexTensor(index, 'gather');
  checkIndexShape('gather', x, d, idx);
  const out = idx.numel() === 0 ? filled(idx.shape, 0, x.dtype, x.device) : launchGather(atLeast1(x.detach()), d, atLeast1(idx.detach()));
  const result = index.ndim === 0 ? wrap(reshape(out, []).value) : out;
  if (recording(x)) {
    const from = x.shape;
    attach(result, 'GatherBackward0', [x], (grad, node) => [
      idx.numel() === 0 ? zerosOf(grad, from) : scatterAdd(zerosOf(grad, from), d, node.saved(0), grad),
    ]).save(idx);
  }
  return result;
}

OPS.set('scatterAdd', { name: 'scatterAdd', inputs: 2, differentiable: true });
/** A copy of `x` with x[index[i][j]][j] += src[i][j] for dim 0, and so on. PyTorch: torch.scatter_add. */
export function scatterAdd(x: Tensor, dim: number, index: Tensor, src: Tensor): Tensor {
  if (autocasting.on) return asWidest(scatterAdd, x, dim, index, src);
  const d = normalizeDim(dim, x.ndim, 'scatterAdd');
  const idx = indexTensor(index, 'scatterAdd');
  checkIndexShape('scatterAdd', x, d, idx);
  if (src.dtype !== x.dtype)
    throw new DTypeError(
      'ERR_DTYPE_MIX',
      `scatterAdd: Expected self.dtype to be equal to src.dtype, but they are ${x.dtype} and ${src.dtype}`,
      { op: 'scatterAdd', dtypes: [x.dtype, src.dtype] },
    );
  const part = cutTo('scatterAdd', src, idx.shape);
  const { compute } = DTYPE_INFO[x.dtype];
  const kernel = compute === 'bool' ? 'int32' : compute;
  const sum = launchScatter('add', atLeast1(cast(x.detach(), kernel)), d, atLeast1(idx), atLeast1(cast(part.detach(), kernel)));
  const out = cast(x.ndim === 0 ? wrap(reshape(sum, []).value) : sum, x.dtype);
  if (recording(x, part))
    attach(out, 'ScatterAddBackward0', [x, part], (grad, node) => [grad, node.needs(1) ? gather(grad, d, node.saved(0)) : null]).save(idx);
  return out;
}

/** The part of a source that an index of `shape` uses. */
export function cutTo(op: string, src: Tensor, shape: Shape): Tensor {
  if (src.ndim !== shape.length && src.ndim > 0 && shape.length > 0) {
    throw new ShapeError(
      'ERR_GATHER_SHAPE',
      `${op}: Index tensor must have the same number of dimensions as src tensor: ${formatShape(shape)} and ${formatShape(src.shape)}`,
      { op, shapes: [shape, src.shape] },
    );
  }
  let out = src;
  for (let d = 0; d < Math.min(shape.length, src.ndim); d++) {
    if (shape[d]! > src.shape[d]!)
      throw new ShapeError(
        'ERR_GATHER_SHAPE',
        `${op}: Expected index [${shape.join(', ')}] to be no larger than src [${src.shape.join(', ')}]`,
        { op, shapes: [shape, src.shape] },
      );
    if (shape[d]! < src.shape[d]!) out = out.narrow(d, 0, shape[d]!);
  }
  return out;
}

OPS.set('indexSelect', { name: 'indexSelect', inputs: 1, differentiable: true });
/** The entries of a dim that a 1-d index names, in its order. PyTorch: torch.index_select. */
export function indexSelect(x: Tensor, dim: number, index: Tensor): Tensor {
  const d = normalizeDim(dim, x.ndim, 'indexSelect');
  const idx = indexTensor(index, 'indexSelect');
  if (idx.ndim > 1)
    throw new ShapeError(
      'ERR_INDEX_RANK',
      `indexSelect: Index is supposed to be a vector, but got dim: ${idx.ndim} with size: ${idx.numel()}`,
      { op: 'indexSelect', shapes: [idx.shape] },
    );
  const source = atLeast1(x);
  const shape = source.shape.map((s, k) => (k === d ? idx.numel() : s));
  let wide = atLeast1(idx.detach());
  for (let k = 0; k < source.ndim; k++) if (k !== d) wide = unsqueeze(wide, k);
  const out = launchGather(source.detach(), d, expand(wide, shape));
  const result = x.ndim === 0 ? wrap(reshape(out, []).value) : out;
  if (recording(x)) {
    const from = x.shape;
    attach(result, 'IndexSelectBackward0', [x], (grad, node) => {
      let rows = atLeast1(node.saved(0));
      for (let k = 0; k < source.ndim; k++) if (k !== d) rows = unsqueeze(rows, k);
      const zeros = zerosOf(grad, source.shape);
      return [reshape(scatterAdd(zeros, d, expand(rows, shape), atLeast1(grad)), from)];
    }).save(idx);
  }
  return result;
}
