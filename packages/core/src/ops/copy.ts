/** @file Copying into tensors, and between devices. */
import { checkOptions, kindOf } from '../options.js';
import { recording, attach, viewOf, wrap } from './result.js';
import { broadcastShapes, sameShape } from '../tensor/shape.js';
import { ShapeError, formatShape, ValueError } from '../errors.js';
import type { DType } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { type DeviceLike, toDevice } from '../plugin/runtime.js';
import type { Device } from '../plugin/device.js';
import { castValue, inMemory, relabel } from '../tensor/value.js';
import { assign, checkWritable } from './in-place.js';
import { cast } from './cast.js';
import { reduceGradient } from './sum-to.js';
import { filled, zerosOf } from './fill.js';
import { TO_OPTIONS, type ToOptions } from './to-options.js';

export type { ToOptions };

/** The elements of `source`, broadcast and converted, written into `x`. PyTorch: Tensor.copy_(). */
export function copy_(x: Tensor, source: Tensor): Tensor {
  checkWritable(x, 'copy_');
  if (source === x) return x;
  if (!sameShape(broadcastShapes(x.shape, source.shape, 'copy_'), x.shape)) {
    throw new ShapeError(
      'ERR_INPLACE_SHAPE',
      `copy_: output with shape ${formatShape(x.shape)} doesn't match the broadcast shape ${formatShape(source.shape)}`,
      { op: 'copy_', shapes: [x.shape, source.shape] },
    );
  }
  const from = source.device === x.device ? source : toDeviceCopy(source, x.device);
  const out = wrap(relabel(castValue(from.value, x.dtype), x.shape, x.dtype));
  if (recording(source)) {
    const { shape, dtype } = source;
    attach(out, 'CopyBackwards', [from], (grad) => [reduceGradient(grad, shape, dtype)]);
  }
  return assign(x, out, 'copy_');
}

/** All elements set to one value. PyTorch: Tensor.fill_(). */
export function fill_(x: Tensor, value: number | boolean | Tensor): Tensor {
  if (typeof value === 'object') {
    if (value.ndim > 0)
      throw new ShapeError(
        'ERR_FILL',
        `fill_: fill_ only supports 0-dimension value tensor but got tensor with ${value.ndim} dimensions.`,
        { op: 'fill_', shapes: [value.shape] },
      );
    return copy_(x, value);
  }
  checkWritable(x, 'fill_');
  const out = filled(x.shape, value, x.dtype, x.device);
  // What was there has no influence, but the tensor stays part of its graph, as in PyTorch.
  if (recording(x)) attach(out, 'FillBackward0', [x], (grad) => [zerosOf(grad, grad.shape)]);
  return assign(x, out, 'fill_');
}

/** PyTorch: Tensor.zero_(). */
export const zero_ = (x: Tensor): Tensor => fill_(x, 0);

/** A row-major copy of a tensor's bytes on another device. */
function moved(x: Tensor, device: Device, bytes: Uint8Array): Tensor {
  const memory = device.allocate(x.dtype, x.numel());
  if (x.numel() > 0) device.backend.write(memory.buffer, 0, bytes);
  const out = wrap(inMemory(memory, x.shape, x.numel(), null, 0, true));
  if (recording(x)) {
    const home = x.device;
    attach(out, 'ToCopyBackward0', [x], (grad) => [toDeviceCopy(grad, home)]);
  }
  return out;
}

function toDeviceCopy(x: Tensor, device: Device): Tensor {
  if (x.device === device) return x;
  const flat = x.isContiguous() ? x : wrap(relabel(x.value, x.shape, x.dtype));
  if (x.numel() === 0) return moved(x, device, new Uint8Array(0));
  const view = viewOf(flat);
  const { backend } = x.device;
  if (backend.readSync === undefined) flat.data();
  return moved(x, device, backend.readSync!(view.buffer, view.offset, x.numel()));
}

/** @throws ValueError `ERR_ARGUMENT` */
export function noTarget(given: unknown): never {
  throw new ValueError('ERR_ARGUMENT', `to: takes a device, a dtype, a tensor to be like, or options, not ${kindOf(given)}`, { op: 'to' });
}

function parseTo(target: DeviceLike | Tensor | ToOptions): ToOptions {
  if (typeof target === 'string') return isDTypeName(target) ? { dtype: target } : { device: target };
  if (typeof target !== 'object' || target === null) noTarget(target);
  if ('storage' in target) return { device: target.device, dtype: target.dtype };
  return 'backend' in target ? { device: target } : checkOptions('to', target, TO_OPTIONS);
}
const DTYPE_NAMES = new Set<string>(['float32', 'float64', 'float16', 'bfloat16', 'int32', 'uint8', 'bool']);
const isDTypeName = (s: string): s is DType => DTYPE_NAMES.has(s);

/**
 * With another dtype, on another device, or both; the tensor itself when nothing changes. PyTorch: Tensor.to().
 * @example x.to('float64'); x.to('webgpu'); x.to({ device: 'wasm', dtype: 'float16' }); x.to(other)
 * @throws NotSupportedError `ERR_SYNC_READ` where the source cannot be read synchronously; use `toAsync`.
 */
export function to(x: Tensor, target: DeviceLike | Tensor | ToOptions): Tensor {
  const { device, dtype } = parseTo(target);
  const there = device === undefined ? x : toDeviceCopy(x, toDevice(device));
  return dtype === undefined ? there : cast(there, dtype);
}

/** As {@link to}, on every device. */
export async function toAsync(x: Tensor, target: DeviceLike | Tensor | ToOptions): Promise<Tensor> {
  const { device, dtype } = parseTo(target);
  let there = x;
  const home = device === undefined ? x.device : toDevice(device);
  if (home !== x.device) {
    const flat = x.isContiguous() ? x : wrap(relabel(x.value, x.shape, x.dtype));
    const view = viewOf(flat);
    there = moved(x, home, x.numel() === 0 ? new Uint8Array(0) : await x.device.backend.read(view.buffer, view.offset, x.numel()));
  }
  return dtype === undefined ? there : cast(there, dtype);
}
