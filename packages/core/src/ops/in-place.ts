/** @file Writing into tensors: how an in-place op takes effect on values, views, versions and history. */
import { gradState } from '../autograd/mode.js';
import { AutogradError, DTypeError, formatShape, ShapeError, ValueError } from '../errors.js';
import { canCast } from '../tensor/dtype.js';
import { materialise, readsOtherwise, storeInto } from '../tensor/launch.js';
import { contiguousStrides, overlapsItself, sameShape } from '../tensor/shape.js';
import { Storage } from '../tensor/storage.js';
import { Tensor, isTensor } from '../tensor/tensor.js';
import { castValue, IN_MEMORY, relabel, type Value } from '../tensor/value.js';
import { recordViewWrite } from './view-write.js';

/**
 * The tensor to compute an in-place op from: `x` itself, or, when the op is recorded, a snapshot of it, so that what the tape saves does not
 * change with the write. Checks that `x` may be written to.
 */
export function forInPlace(x: Tensor, name: string, ...others: readonly unknown[]): Tensor {
  checkWritable(x, name);
  if (!gradState.enabled || !(x.requiresGrad || others.some((o) => isTensor(o) && o.requiresGrad))) return x;
  const snapshot = new Tensor(new Storage(x.storage.value), x.shape, x.ownStrides, x.offset);
  const fn = x.gradFn;
  if (fn !== null) snapshot.setGradFn(fn);
  return snapshot;
}

/** @throws AutogradError `ERR_INPLACE_LEAF`; ValueError `ERR_INPLACE_OVERLAP`. */
export function checkWritable(x: Tensor, name: string): void {
  if (gradState.enabled && x.requiresGrad) {
    if (x.isLeaf)
      throw new AutogradError('ERR_INPLACE_LEAF', `${name}: a leaf Variable that requires grad is being used in an in-place operation.`, {
        op: name,
        shapes: [x.shape],
      });
    if (x.viewOf !== null && x.viewOf.isLeaf && x.viewOf.requiresGrad) {
      throw new AutogradError(
        'ERR_INPLACE_LEAF',
        `${name}: a view of a leaf Variable that requires grad is being used in an in-place operation.`,
        { op: name, shapes: [x.shape] },
      );
    }
  }
  if (x.ownStrides !== null && overlapsItself(x.shape, x.ownStrides)) {
    throw new ValueError(
      'ERR_INPLACE_OVERLAP',
      `${name}: unsupported operation: more than one element of the written-to tensor refers to a single memory location. Please clone() the tensor before performing the operation.`,
      { op: name, shapes: [x.shape] },
    );
  }
}

/** `x` becomes `out` (as in `x.add_(y)`, where `out` is `x + y`): its value, its version, its history. Answers `x`. */
export function assign(x: Tensor, out: Tensor, name: string): Tensor {
  if (!canCast(out.dtype, x.dtype)) {
    throw new DTypeError('ERR_INPLACE_DTYPE', `${name}: result type ${out.dtype} can't be cast to the desired output type ${x.dtype}`, {
      op: name,
      dtypes: [out.dtype, x.dtype],
    });
  }
  if (!sameShape(x.shape, out.shape)) {
    throw new ShapeError(
      'ERR_INPLACE_SHAPE',
      `${name}: output with shape ${formatShape(x.shape)} doesn't match the broadcast shape ${formatShape(out.shape)}`,
      { op: name, shapes: [x.shape, out.shape] },
    );
  }
  write(x, castValue(out.value, x.dtype));
  const fn = gradState.enabled && out.requiresGrad ? out.gradFn : null;
  if (x.viewOf !== null && gradState.enabled && (fn !== null || x.requiresGrad)) recordViewWrite(x, out);
  else if (fn !== null) x.setGradFn(fn);
  else if (gradState.enabled && x.gradFn !== null && x.viewOf === null) x.setGradFn(null);
  // No tape knows the result: `x` alone holds the value now, and the next write may go to the same memory.
  if (fn === null && out !== x) out.dispose();
  return x;
}

/** Replaces the elements of `x`, raising its version. The value has its shape and dtype. History is not touched. */
export function write(x: Tensor, value: Value): void {
  const { storage } = x;
  if (x.ownStrides === null) {
    if (value.op < 0 && !(value.op === IN_MEMORY && value.contiguous && value.offset === 0 && value.memory!.length === value.numel))
      value = relabel(value, value.shape, value.dtype);
    storage.replace(value);
    if (storage.device.eager) storage.memory();
  } else if (x.numel() > 0) {
    if (value.op !== IN_MEMORY && readsMemoryOf(value, x)) materialise(value);
    else if (value.op === IN_MEMORY && value.memory === storage.value.memory && readsOtherwise(value, x.value)) {
      value = relabel(value, value.shape, value.dtype);
      materialise(value);
    }
    storage.writable(true);
    storeInto(x.value, value);
  }
  storage.version++;
}

function readsMemoryOf(value: Value, x: Tensor): boolean {
  const memory = x.storage.memory();
  const reads = (v: Value | null): boolean => v !== null && (v.memory === memory || reads(v.a) || reads(v.b) || reads(v.c));
  return reads(value);
}

/** Strides of a tensor, whatever it is. */
export const stridesOf = (x: Tensor): readonly number[] => x.ownStrides ?? contiguousStrides(x.shape);
