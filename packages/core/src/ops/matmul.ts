/** @file Matrix products. One kernel serves them all: batched, strided, so that transposed operands and broadcast batches cost no copy. */
import { DeviceError, DTypeError, formatShape, ShapeError } from '../errors.js';
import { type DType, DTYPE_INFO } from '../tensor/dtype.js';
import { broadcastShapes, numelOf, type Shape, viewStrides } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { cast } from './cast.js';
import { OPS } from './registry.js';
import { fillValue } from './fill.js';
import { attach, emptyValue, launched, recording, reshapedView, viewOf, wrap } from './result.js';
import { sumTo } from './sum-to.js';
import { clone, expand, reshape, squeeze, transpose, unsqueeze } from './view.js';

/** What the matmul kernel computes a dtype in. */
function kernelDType(dtype: DType): DType {
  if (dtype === 'bool') throw new DTypeError('ERR_DTYPE', "matmul: \"addmm_impl_cpu_\" not implemented for 'Bool'", { op: 'matmul', dtypes: [dtype] });
  return DTYPE_INFO[dtype].compute;
}

/** (B, M, K) · (B, K, N), the leading dims merged into one batch, which both have. */
function launchMatmul(a: Tensor, b: Tensor, batch: Shape): Tensor {
  const m = a.shape.at(-2)!;
  const k = a.shape.at(-1)!;
  const n = b.shape.at(-1)!;
  const shape = [...batch, m, n];
  const { device } = a;
  if (numelOf(shape) === 0 || k === 0) return wrap(fillValue(shape, 0, a.dtype, device));
  const out = emptyValue(device, a.dtype, shape);
  const count = numelOf(batch);
  const left = asBatches(a, batch, count, m, k);
  const right = asBatches(b, batch, count, k, n);
  launched(device, 'matmul', [count, m, k, n]);
  device.kernels.matmul(left, right, { buffer: out.memory!.buffer, dtype: a.dtype, shape: [count, m, n], strides: [m * n, n, 1], offset: 0 });
  return wrap(out);
}

function asBatches(x: Tensor, batch: Shape, count: number, rows: number, columns: number): ReturnType<typeof viewOf> {
  let strides: readonly number[] | null;
  let full = x;
  const lead = x.shape.slice(0, -2);
  if (numelOf(lead) === 1) strides = [0, ...x.stride().slice(-2)];
  else {
    full = lead.length === batch.length && lead.every((s, i) => s === batch[i]) ? x : expand(x, [...batch, rows, columns]);
    strides = viewStrides(full.shape, full.stride(), [count, rows, columns]);
    if (strides === null) {
      full = clone(full);
      strides = [rows * columns, columns, 1];
    }
  }
  return reshapedView(viewOf(full), [count, rows, columns], strides);
}

OPS.set('matmul', { name: 'matmul', inputs: 2, differentiable: true });
/** The product of tensors with at least 2 dims each, the leading ones broadcast. */
function batched(a: Tensor, b: Tensor, op: string): Tensor {
  if (a.shape.at(-1) !== b.shape.at(-2)) {
    throw new ShapeError('ERR_MATMUL_SHAPE', `${op}: mat1 and mat2 shapes cannot be multiplied: the inner sizes differ: ${formatShape(a.shape)} and ${formatShape(b.shape)}`, { op, shapes: [a.shape, b.shape], dtypes: [a.dtype, b.dtype], device: a.device.id });
  }
  if (a.device !== b.device) throw new DeviceError('ERR_DEVICE_MIX', `${op}: Expected all tensors to be on the same device, but found at least two devices, ${a.device.id} and ${b.device.id}`, { op, shapes: [a.shape, b.shape] });
  const dtype = kernelDType(a.dtype);
  const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2), op);
  if (dtype !== a.dtype) {
    const wide = batched(cast(a, dtype), cast(b, dtype), op);
    return cast(wide, a.dtype);
  }
  const out = launchMatmul(a, b, batch);
  if (recording(a, b)) {
    const node = attach(out, 'MmBackward0', [a, b], (grad, n) => {
      const x = n.context === 2 ? null : n.saved(0);
      const y = n.context === 1 ? null : n.saved(n.context === 2 ? 0 : 1);
      return [n.needs(0) ? sumTo(matmul(grad, transpose(y!, -1, -2)), aShape) : null, n.needs(1) ? sumTo(matmul(transpose(x!, -1, -2), grad), bShape) : null];
    });
    const { shape: aShape } = a;
    const { shape: bShape } = b;
    if (node.needs(0) && node.needs(1)) node.save(a, b);
    else {
      node.context = node.needs(1) ? 1 : 2;
      node.save(node.needs(1) ? a : b);
    }
  }
  return out;
}

/**
 * The matrix product; vectors are rows on the left and columns on the right, leading dims broadcast. PyTorch: torch.matmul.
 * @throws ShapeError `ERR_MATMUL_SHAPE`
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  if (a.ndim === 0 || b.ndim === 0) throw new ShapeError('ERR_MATMUL_SHAPE', `matmul: both arguments to matmul need to be at least 1D, but they are ${a.ndim}D and ${b.ndim}D`, { op: 'matmul', shapes: [a.shape, b.shape] });
  if (a.dtype !== b.dtype) throw new DTypeError('ERR_DTYPE_MIX', `matmul: expected m1 and m2 to have the same dtype, but got: ${a.dtype} != ${b.dtype}`, { op: 'matmul', dtypes: [a.dtype, b.dtype] });
  if (a.ndim === 1 && b.ndim === 1) return reshape(batched(unsqueeze(a, 0), unsqueeze(b, 1), 'matmul'), []);
  if (a.ndim === 1) return squeeze(batched(unsqueeze(a, 0), b, 'matmul'), -2);
  if (b.ndim === 1) return squeeze(batched(a, unsqueeze(b, 1), 'matmul'), -1);
  // Rows of a tensor with more dims times one matrix: one large product rather than many small ones.
  if (a.ndim > 2 && b.ndim === 2 && a.isContiguous()) {
    return reshape(batched(reshape(a, [numelOf(a.shape.slice(0, -1)), a.shape.at(-1)!]), b, 'matmul'), [...a.shape.slice(0, -1), b.shape[1]!]);
  }
  return batched(a, b, 'matmul');
}

