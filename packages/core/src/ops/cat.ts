/** @file Tensors joined into one. Each input is written straight to its place, so that deferred ones take no memory of their own. */
import { DeviceError, ShapeError, ValueError } from '../errors.js';
import { type DType, DTYPE_INFO, promoteTypes } from '../tensor/dtype.js';
import { storeInto } from '../tensor/launch.js';
import { LaunchBatch } from '../tensor/launch-batch.js';
import { contiguousStrides, normalizeDim, numelOf, sameShape, type Shape } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { castValue, inMemory } from '../tensor/value.js';
import { cast } from './cast.js';
import { notTensor } from './define.js';
import { OPS } from './registry.js';
import { attach, recording, wrap } from './result.js';
import { narrow, unsqueeze } from './view.js';

/** The dtype in which several tensors meet: those with dims before 0-d ones. PyTorch: torch.result_type. */
export function commonDType(tensors: readonly Tensor[]): DType {
  const meet = (some: readonly Tensor[]): DType | null => (some.length === 0 ? null : some.map((t) => t.dtype).reduce(promoteTypes));
  const dims = meet(tensors.filter((t) => t.ndim > 0));
  const scalars = meet(tensors.filter((t) => t.ndim === 0));
  if (dims === null || scalars === null) return (dims ?? scalars)!;
  const rank = { bool: 0, integer: 1, float: 2 };
  return rank[DTYPE_INFO[scalars].category] > rank[DTYPE_INFO[dims].category] ? scalars : dims;
}

/** An old rule of PyTorch: a tensor of shape [0] fits beside any other. */
const isBlank = (t: Tensor): boolean => t.ndim === 1 && t.shape[0] === 0;

function noTensors(op: string, given: unknown): never {
  const hint = isTensor(given) ? `, not a Tensor: ${op}([a, b])` : '';
  throw new ValueError('ERR_CAT_EMPTY', `${op}: expected a non-empty list of Tensors${hint}`, { op });
}

OPS.set('cat', { name: 'cat', inputs: -1, differentiable: true });
/**
 * The tensors one after the other along `dim`; all other sizes must agree. PyTorch: torch.cat.
 * @example cat([a, b], 1)
 * @throws ShapeError `ERR_CAT_SHAPE`; ValueError `ERR_CAT_EMPTY` for an empty list.
 */
export function cat(tensors: readonly Tensor[], dim = 0): Tensor {
  const first = tensors[0];
  if (first === undefined) noTensors('cat', tensors);
  tensors.forEach((t, i) => {
    if (!isTensor(t)) notTensor('cat', `tensors[${i}]`, t);
  });
  const zero = tensors.findIndex((t) => t.ndim === 0);
  if (zero >= 0)
    throw new ShapeError('ERR_CAT_SHAPE', `cat: zero-dimensional tensor (at position ${zero}) cannot be concatenated`, { op: 'cat' });
  const { device } = first;
  const model = tensors.find((t) => !isBlank(t)) ?? first;
  const d = normalizeDim(dim, model.ndim, 'cat');
  const shape = [...model.shape];
  shape[d] = 0;
  tensors.forEach((t, i) => {
    if (t.device !== device)
      throw new DeviceError(
        'ERR_DEVICE_MIX',
        `cat: Expected all tensors to be on the same device, but found at least two devices, ${device.id} and ${t.device.id}`,
        { op: 'cat' },
      );
    if (isBlank(t)) return;
    if (t.ndim !== model.ndim)
      throw new ShapeError('ERR_CAT_SHAPE', `cat: Tensors must have same number of dimensions: got ${model.ndim} and ${t.ndim}`, {
        op: 'cat',
        shapes: [model.shape, t.shape],
      });
    for (let k = 0; k < shape.length; k++) {
      if (k !== d && t.shape[k] !== shape[k]) {
        throw new ShapeError(
          'ERR_CAT_SHAPE',
          `cat: Sizes of tensors must match except in dimension ${d}. Expected size ${shape[k]} but got size ${t.shape[k]} for tensor number ${i} in the list.`,
          { op: 'cat', shapes: [model.shape, t.shape] },
        );
      }
    }
    shape[d]! += t.shape[d]!;
  });
  const dtype = commonDType(tensors);
  const memory = device.allocate(dtype, numelOf(shape));
  const strides = contiguousStrides(shape);
  const starts: number[] = [];
  const batch = device.kernels.pointwiseEach === undefined ? null : new LaunchBatch();
  let at = 0;
  for (const t of tensors) {
    starts.push(at);
    const count = isBlank(t) ? 0 : t.shape[d]!;
    if (t.numel() > 0) storeInto(inMemory(memory, t.shape, t.numel(), strides, at * strides[d]!, false), castValue(t.value, dtype), batch);
    at += count;
  }
  batch?.flush();
  const out = wrap(inMemory(memory, shape, numelOf(shape), null, 0, true));
  if (recording(...tensors)) {
    const parts = tensors.map((t): readonly [Shape, DType] => [t.shape, t.dtype]);
    attach(out, 'CatBackward0', tensors, (grad, node) =>
      parts.map(([from, type], i) => {
        if (!node.needs(i)) return null;
        const length = sameShape(from, [0]) && shape.length > 1 ? -1 : from[d]!;
        return cast(length < 0 ? grad.newZeros([0]) : narrow(grad, d, starts[i]!, length), type);
      }),
    );
  }
  return out;
}
/** PyTorch: torch.concat, torch.concatenate. */
export const concat: typeof cat = cat;
export const concatenate: typeof cat = cat;

/**
 * Tensors of one shape along a new dim. PyTorch: torch.stack.
 * @throws ShapeError `ERR_STACK_SHAPE`.
 */
export function stack(tensors: readonly Tensor[], dim = 0): Tensor {
  const first = tensors[0];
  if (first === undefined) noTensors('stack', tensors);
  const d = normalizeDim(dim, first.ndim + 1, 'stack');
  tensors.forEach((t, i) => {
    if (!sameShape(t.shape, first.shape)) {
      throw new ShapeError(
        'ERR_STACK_SHAPE',
        `stack: expects each tensor to be equal size, but got [${first.shape.join(', ')}] at entry 0 and [${t.shape.join(', ')}] at entry ${i}`,
        { op: 'stack', shapes: [first.shape, t.shape] },
      );
    }
  });
  return cat(
    tensors.map((t) => unsqueeze(t, d)),
    d,
  );
}
