/** @file Indexing with tensors: x[i, :, j] with integer tensors that broadcast together, and masks that stand for where they hold. */
import { DTypeError, IndexError, TesseraError } from '../errors.js';
import { DTYPE_INFO } from '../tensor/dtype.js';
import { broadcastShapes, numelOf, sameShape, type Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Value } from '../tensor/value.js';
import { cast } from './cast.js';
import { e } from './expression.js';
import { indexSelect, launchScatter, outOfRange } from './gather.js';
import { OPS } from './registry.js';
import { attach, recording, wrap } from './result.js';
import { sumTo } from './sum-to.js';
import { expand, permute, reshape, unsqueeze } from './view.js';
import { zerosOf } from './fill.js';

/** One entry for each dim of the tensor from the first on: an index tensor (a mask takes as many dims as it has), or null for all entries. */
export type TensorIndices = readonly (Tensor | null)[];

export const isMask = (index: Tensor): boolean => index.dtype === 'bool' || index.dtype === 'uint8';

/** Masks replaced by the places (one row of indices an element, as `nonzero` gives them) where they hold. */
export function replaceMasks(x: Tensor, indices: TensorIndices, placesOf: (mask: Tensor) => Tensor): TensorIndices {
  const out: (Tensor | null)[] = [];
  indices.forEach((index, i) => {
    if (index === null || !isMask(index)) {
      out.push(index);
      return;
    }
    const at = out.length;
    for (let d = 0; d < index.ndim; d++) {
      if (index.shape[d] !== x.shape[at + d]) {
        throw new IndexError(
          'ERR_MASK_SHAPE',
          `at: the shape of the mask [${index.shape.join(', ')}] at index ${d} does not match the shape of the indexed tensor [${x.shape.join(', ')}] at index ${at + d}`,
          { op: 'at', shapes: [x.shape, index.shape], place: i },
        );
      }
    }
    const places = placesOf(index);
    for (let d = 0; d < index.ndim; d++) out.push(places.select(1, d));
  });
  return out;
}

/** What the indices come to: which dims they take, where the result has theirs, and the row of `x`, flattened over those dims, for each. */
interface Plan {
  /** Dims of `x`: the indexed ones first. */
  readonly order: readonly number[];
  readonly indexed: readonly number[];
  /** The shape in which the index tensors meet. */
  readonly meet: Shape;
  readonly rest: Shape;
  /** Where in the result the dims of `meet` stand. */
  readonly place: number;
  /** int32, of shape `meet`; −1 where an index is out of range, which the kernels refuse. */
  readonly rows: Tensor;
}

function planOf(x: Tensor, indices: TensorIndices, op: string): Plan {
  if (indices.length > x.ndim)
    throw new IndexError('ERR_INDEX_COUNT', `${op}: too many indices for tensor of dimension ${x.ndim} (got ${indices.length})`, {
      op,
      shapes: [x.shape],
    });
  const indexed = indices.flatMap((index, d) => (index === null ? [] : [d]));
  const given = indexed.map((d) => {
    const index = indices[d]!;
    if (DTYPE_INFO[index.dtype].category !== 'integer')
      throw new DTypeError(
        'ERR_INDEX_DTYPE',
        `${op}: tensors used as indices must be long, int, byte or bool tensors, not ${index.dtype}`,
        { op, dtypes: [index.dtype] },
      );
    return cast(index.detach(), 'int32');
  });
  let meet: Shape = [];
  try {
    for (const index of given) meet = broadcastShapes(meet, index.shape, op);
  } catch (error) {
    if (!(error instanceof TesseraError)) throw error;
    throw new IndexError(
      'ERR_INDEX_BROADCAST',
      `${op}: shape mismatch: indexing tensors could not be broadcast together with shapes ${given.map((t) => `[${t.shape.join(', ')}]`).join(', ')}`,
      { op, shapes: given.map((t) => t.shape) },
    );
  }
  const sizes = indexed.map((d) => x.shape[d]!);
  if (numelOf(meet) > 0 && numelOf(sizes) === 0) {
    const d = indexed[sizes.indexOf(0)]!;
    throw new IndexError('ERR_INDEX_RANGE', `${op}: index is out of bounds for dimension ${d} with size 0`, { op, shapes: [x.shape] });
  }
  let rows: Value | null = null;
  let bad: Value | null = null;
  given.forEach((index, k) => {
    const size = sizes[k]!;
    const v = e.where(e.lt(index.value, 0), e.add(index.value, size), index.value);
    rows = rows === null ? v : e.add(e.mul(rows, size), v);
    // Of one index the kernel itself sees whether it is in range; of several it sees the sum only.
    if (given.length > 1) {
      const out = e.or(e.lt(v, 0), e.ge(v, size));
      bad = bad === null ? out : e.or(bad, out);
    }
  });
  const checked = bad === null ? rows! : e.where(bad, -1, rows!);
  const others = x.shape.map((_, d) => d).filter((d) => !indexed.includes(d));
  const adjacent = indexed.at(-1)! - indexed[0]! === indexed.length - 1;
  return {
    order: [...indexed, ...others],
    indexed,
    meet,
    rest: others.map((d) => x.shape[d]!),
    place: adjacent ? indexed[0]! : 0,
    rows: wrap(checked),
  };
}

/** The dims of a result, `meet` first, brought to where they belong; or back. */
function place(t: Tensor, plan: Plan, back: boolean): Tensor {
  const { place: at, meet, rest } = plan;
  if (at === 0 || meet.length === 0) return t;
  const m = meet.length;
  const order = back
    ? [
        ...Array.from({ length: m }, (_, i) => at + i),
        ...Array.from({ length: at }, (_, i) => i),
        ...Array.from({ length: rest.length - at }, (_, i) => at + m + i),
      ]
    : [
        ...Array.from({ length: at }, (_, i) => m + i),
        ...Array.from({ length: m }, (_, i) => i),
        ...Array.from({ length: rest.length - at }, (_, i) => m + at + i),
      ];
  return permute(t, order);
}

/** x[indices], without masks. Differentiable. */
export function indexBy(x: Tensor, indices: TensorIndices): Tensor {
  const plan = planOf(x, indices, 'at');
  const { indexed, meet, rest, rows } = plan;
  const flat = reshape(rows, [numelOf(meet)]);
  const sizes = indexed.map((d) => x.shape[d]!);
  try {
    if (indexed.length === 1) {
      const d = indexed[0]!;
      return reshape(indexSelect(x, d, flat), [...x.shape.slice(0, d), ...meet, ...x.shape.slice(d + 1)]);
    }
    const source = reshape(permute(x, plan.order), [numelOf(sizes), ...rest]);
    return place(reshape(indexSelect(source, 0, flat), [...meet, ...rest]), plan, false);
  } catch (error) {
    throw outOfRange('at', error, sizes);
  }
}

OPS.set('indexPut', { name: 'indexPut', inputs: 2, differentiable: true });
/** A copy of `x` with x[indices] = values, or += values; the values are broadcast. Without masks. */
export function indexPutBy(x: Tensor, indices: TensorIndices, values: Tensor, accumulate: boolean): Tensor {
  if (values.dtype !== x.dtype)
    throw new DTypeError(
      'ERR_DTYPE_MIX',
      `indexPut: Index put requires the source and destination dtypes match, got ${x.dtype} for the destination and ${values.dtype} for the source.`,
      { op: 'indexPut', dtypes: [x.dtype, values.dtype] },
    );
  const plan = planOf(x, indices, 'indexPut');
  const { meet, rest, order, rows, indexed } = plan;
  const target = [...rest.slice(0, plan.place), ...meet, ...rest.slice(plan.place)];
  const met = broadcastShapes(target, values.shape, 'indexPut');
  if (!sameShape(met, target))
    throw new IndexError(
      'ERR_INDEX_BROADCAST',
      `indexPut: shape mismatch: value tensor of shape [${values.shape.join(', ')}] cannot be broadcast to indexing result of shape [${target.join(', ')}]`,
      { op: 'indexPut', shapes: [values.shape, target] },
    );
  const { compute } = DTYPE_INFO[x.dtype];
  const kernel = !accumulate ? x.dtype : compute === 'bool' ? 'int32' : compute;
  const n = numelOf(meet);
  const width = numelOf(rest);
  const count = numelOf(indexed.map((d) => x.shape[d]!));
  const source = reshape(cast(place(expand(values.detach(), target), plan, true), kernel), [n, width]);
  const rowsOf = reshape(permute(cast(x.detach(), kernel), order), [count, width]);
  const index = expand(unsqueeze(reshape(rows, [n]), 1), [n, width]);
  const written = reshape(
    launchScatter(accumulate ? 'add' : 'set', rowsOf, 0, index, source),
    order.map((d) => x.shape[d]!),
  );
  const inverse = new Array<number>(order.length);
  order.forEach((d, i) => (inverse[d] = i));
  const straight = order.every((d, i) => d === i);
  const result = cast(straight ? written : permute(written, inverse), x.dtype);
  const out = wrap(result.value);
  if (recording(x, values)) {
    const shape = values.shape;
    attach(out, 'IndexPutBackward0', [x, values], (grad, node) => [
      !node.needs(0) ? null : accumulate ? grad : indexPutBy(grad, indices, zerosOf(grad, []), false),
      node.needs(1) ? sumTo(indexBy(grad, indices), shape) : null,
    ]);
  }
  return out;
}
