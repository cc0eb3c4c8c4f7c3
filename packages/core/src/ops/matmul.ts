/** @file Matrix products. One kernel serves them all: batched, strided, so that transposed operands and broadcast batches cost no copy. */
import { asHalf, asWidest } from '../amp/policy.js';
import { autocasting } from '../amp/state.js';
import type { View } from '../backend/contract.js';
import { DeviceError, DTypeError, formatShape, ShapeError } from '../errors.js';
import { type DType, DTYPE_INFO } from '../tensor/dtype.js';
import { broadcastShapes, numelOf, type Shape, viewStrides } from '../tensor/shape.js';
import { promised } from '../tensor/producer.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Value } from '../tensor/value.js';
import { cast } from './cast.js';
import { MatmulProducer } from './nn/producers.js';
import { OPS } from './registry.js';
import { fillValue } from './fill.js';
import { attach, emptyValue, launched, recording, reshapedView, viewOf, wrap } from './result.js';
import { sum } from './reduce.js';
import { sumTo } from './sum-to.js';
import { clone, expand, reshape, squeeze, transpose, unsqueeze } from './view.js';

/** What the matmul kernel computes a dtype in. */
function kernelDType(dtype: DType): DType {
  if (dtype === 'bool')
    throw new DTypeError('ERR_DTYPE', 'matmul: "addmm_impl_cpu_" not implemented for \'Bool\'', { op: 'matmul', dtypes: [dtype] });
  return DTYPE_INFO[dtype].compute;
}

/** Does the device multiply operands of this dtype as they are, with a float32 result? */
export const multipliesHalves = ({ device, dtype }: Tensor): boolean =>
  (dtype === 'float16' || dtype === 'bfloat16') && device.backend.capabilities.halfProducts === true;

/** (B, M, K) · (B, K, N), the leading dims merged into one batch, which both have. In the operands' compute dtype. */
function launchMatmul(a: Tensor, b: Tensor, batch: Shape): Tensor {
  const m = a.shape.at(-2)!;
  const k = a.shape.at(-1)!;
  const n = b.shape.at(-1)!;
  const shape = [...batch, m, n];
  const { device } = a;
  const dtype = DTYPE_INFO[a.dtype].compute;
  if (numelOf(shape) === 0 || k === 0) return wrap(fillValue(shape, 0, dtype, device));
  const count = numelOf(batch);
  const [left, x] = asBatches(a, batch, count, m, k);
  const [right, y] = asBatches(b, batch, count, k, n);
  if (device.kernels.matmulPointwise !== undefined && dtype === 'float32')
    return wrap(promised(device, dtype, shape, new MatmulProducer(device, [x, y], left, right)));
  const out = emptyValue(device, dtype, shape);
  launched(device, 'matmul', [count, m, k, n]);
  device.kernels.matmul(left, right, {
    buffer: out.memory!.buffer,
    dtype,
    shape: [count, m, n],
    strides: [m * n, n, 1],
    offset: 0,
  });
  return wrap(out);
}

/** An operand as the kernel takes it, and its value. */
function asBatches(x: Tensor, batch: Shape, count: number, rows: number, columns: number): [View, Value] {
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
  return [reshapedView(viewOf(full), [count, rows, columns], strides), full.value];
}

OPS.set('matmul', { name: 'matmul', inputs: 2, differentiable: true });
/** The product of tensors with at least 2 dims each, the leading ones broadcast. */
function batched(a: Tensor, b: Tensor, op: string): Tensor {
  if (a.shape.at(-1) !== b.shape.at(-2)) {
    throw new ShapeError(
      'ERR_MATMUL_SHAPE',
      `${op}: mat1 and mat2 shapes cannot be multiplied: the inner sizes differ: ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
      { op, shapes: [a.shape, b.shape], dtypes: [a.dtype, b.dtype], device: a.device.id },
    );
  }
  if (a.device !== b.device)
    throw new DeviceError(
      'ERR_DEVICE_MIX',
      `${op}: Expected all tensors to be on the same device, but found at least two devices, ${a.device.id} and ${b.device.id}`,
      { op, shapes: [a.shape, b.shape] },
    );
  const dtype = kernelDType(a.dtype);
  const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2), op);
  if (dtype !== a.dtype) return cast(multipliesHalves(a) ? product(a, b, batch) : batched(cast(a, dtype), cast(b, dtype), op), a.dtype);
  return product(a, b, batch);
}

/** The product of operands that the kernel takes as they are, in their compute dtype: halves give float32. */
function product(a: Tensor, b: Tensor, batch: Shape): Tensor {
  const out = launchMatmul(a, b, batch);
  if (recording(a, b)) {
    const node = attach(out, 'MmBackward0', [a, b], (grad, n) => {
      const x = n.context === 2 ? null : n.saved(0);
      const y = n.context === 1 ? null : n.saved(n.context === 2 ? 0 : 1);
      // Of halves: the gradient is one of the result that was rounded to them.
      const g = cast(grad, dtype);
      return [
        n.needs(0) ? cast(sumTo(wideProduct(g, transpose(y!, -1, -2)), aShape), dtype) : null,
        n.needs(1) ? cast(sumTo(wideProduct(transpose(x!, -1, -2), g), bShape), dtype) : null,
      ];
    });
    const { shape: aShape, dtype } = a;
    const { shape: bShape } = b;
    if (node.needs(0) && node.needs(1)) node.save(a, b);
    else {
      node.context = node.needs(1) ? 1 : 2;
      node.save(node.needs(1) ? a : b);
    }
  }
  return out;
}

/** The product in the operands' compute dtype: of halves too, where {@link multipliesHalves}. At least 2 dims each. */
export const wideProduct = (a: Tensor, b: Tensor): Tensor =>
  DTYPE_INFO[a.dtype].compute === a.dtype
    ? matmul(a, b)
    : product(a, b, broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2), 'matmul'));

/**
 * The matrix product; vectors are rows on the left and columns on the right, leading dims broadcast. PyTorch: torch.matmul.
 * @throws ShapeError `ERR_MATMUL_SHAPE`
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  if (autocasting.on) return asHalf(matmul, a, b);
  if (a.ndim === 0 || b.ndim === 0)
    throw new ShapeError(
      'ERR_MATMUL_SHAPE',
      `matmul: both arguments to matmul need to be at least 1D, but they are ${a.ndim}D and ${b.ndim}D`,
      { op: 'matmul', shapes: [a.shape, b.shape] },
    );
  if (a.dtype !== b.dtype)
    throw new DTypeError('ERR_DTYPE_MIX', `matmul: expected m1 and m2 to have the same dtype, but got: ${a.dtype} != ${b.dtype}`, {
      op: 'matmul',
      dtypes: [a.dtype, b.dtype],
    });
  if (a.ndim === 1 && b.ndim === 1) return reshape(batched(unsqueeze(a, 0), unsqueeze(b, 1), 'matmul'), []);
  if (a.ndim === 1) return squeeze(batched(unsqueeze(a, 0), b, 'matmul'), -2);
  if (b.ndim === 1) return squeeze(batched(a, unsqueeze(b, 1), 'matmul'), -1);
  // Rows of a tensor with more dims times one matrix: one large product rather than many small ones.
  if (a.ndim > 2 && b.ndim === 2 && a.isContiguous()) {
    return reshape(batched(reshape(a, [numelOf(a.shape.slice(0, -1)), a.shape.at(-1)!]), b, 'matmul'), [
      ...a.shape.slice(0, -1),
      b.shape[1]!,
    ]);
  }
  return batched(a, b, 'matmul');
}

function wantRank(op: string, name: string, x: Tensor, rank: number): void {
  if (x.ndim !== rank)
    throw new ShapeError(
      'ERR_RANK',
      `${op}: ${name} must be ${rank === 1 ? 'a vector' : rank === 2 ? 'a matrix' : 'a 3D tensor'}, but is ${x.ndim}D: ${formatShape(x.shape)}`,
      { op, shapes: [x.shape] },
    );
}

/** @throws DTypeError `ERR_DTYPE_MIX` */
function wantSameDType(op: string, a: Tensor, b: Tensor): void {
  if (a.dtype !== b.dtype)
    throw new DTypeError('ERR_DTYPE_MIX', `${op}: expected m1 and m2 to have the same dtype, but got: ${a.dtype} != ${b.dtype}`, {
      op,
      dtypes: [a.dtype, b.dtype],
    });
}

OPS.set('mm', { name: 'mm', inputs: 2, differentiable: true });
/** The product of two matrices, (n, m) · (m, p). PyTorch: torch.mm. @throws ShapeError `ERR_RANK`, `ERR_MATMUL_SHAPE` */
export function mm(a: Tensor, b: Tensor): Tensor {
  if (autocasting.on) return asHalf(mm, a, b);
  wantRank('mm', 'self', a, 2);
  wantRank('mm', 'mat2', b, 2);
  wantSameDType('mm', a, b);
  return batched(a, b, 'mm');
}

OPS.set('bmm', { name: 'bmm', inputs: 2, differentiable: true });
/** The products of two batches of matrices, (b, n, m) · (b, m, p). PyTorch: torch.bmm. */
export function bmm(a: Tensor, b: Tensor): Tensor {
  if (autocasting.on) return asHalf(bmm, a, b);
  wantRank('bmm', 'batch1', a, 3);
  wantRank('bmm', 'batch2', b, 3);
  wantSameDType('bmm', a, b);
  if (a.shape[0] !== b.shape[0] || a.shape[2] !== b.shape[1]) {
    throw new ShapeError(
      'ERR_MATMUL_SHAPE',
      `bmm: Expected size for first two dimensions of batch2 tensor to be: [${a.shape[0]}, ${a.shape[2]}] but got: [${b.shape[0]}, ${b.shape[1]}].`,
      { op: 'bmm', shapes: [a.shape, b.shape] },
    );
  }
  return batched(a, b, 'bmm');
}

OPS.set('mv', { name: 'mv', inputs: 2, differentiable: true });
/** The product of a matrix (n, m) and a vector (m). PyTorch: torch.mv. */
export function mv(a: Tensor, b: Tensor): Tensor {
  if (autocasting.on) return asHalf(mv, a, b);
  wantRank('mv', 'input', a, 2);
  wantRank('mv', 'vec', b, 1);
  wantSameDType('mv', a, b);
  if (a.shape[1] !== b.shape[0])
    throw new ShapeError(
      'ERR_MATMUL_SHAPE',
      `mv: size mismatch, got input (${a.shape[0]}), mat (${a.shape.join('x')}), vec (${b.shape[0]})`,
      { op: 'mv', shapes: [a.shape, b.shape] },
    );
  return squeeze(batched(a, unsqueeze(b, 1), 'mv'), -1);
}

function dotOf(op: 'dot' | 'vdot', a: Tensor, b: Tensor): Tensor {
  if (a.ndim !== 1 || b.ndim !== 1)
    throw new ShapeError('ERR_RANK', `${op}: 1D tensors expected, but got ${a.ndim}D and ${b.ndim}D tensors`, {
      op,
      shapes: [a.shape, b.shape],
    });
  if (a.dtype !== b.dtype)
    throw new DTypeError('ERR_DTYPE_MIX', `${op}: dot : expected both vectors to have same dtype, but found ${a.dtype} and ${b.dtype}`, {
      op,
      dtypes: [a.dtype, b.dtype],
    });
  if (a.dtype === 'bool') throw new DTypeError('ERR_DTYPE', `${op}: "dot" not implemented for 'Bool'`, { op, dtypes: [a.dtype] });
  if (a.numel() !== b.numel()) {
    throw new ShapeError(
      'ERR_MATMUL_SHAPE',
      `${op}: inconsistent tensor size, expected tensor [${a.numel()}] and src [${b.numel()}] to have the same number of elements, but got ${a.numel()} and ${b.numel()} elements respectively`,
      { op, shapes: [a.shape, b.shape] },
    );
  }
  // One reduction over the products, which takes no memory; the halves are not rounded in between.
  const wide = DTYPE_INFO[a.dtype].compute;
  return cast(sum(cast(a, wide).mul(cast(b, wide))), a.dtype);
}

OPS.set('dot', { name: 'dot', inputs: 2, differentiable: true });
/** Σ a_i b_i of two vectors. PyTorch: torch.dot. */
export const dot = (a: Tensor, b: Tensor): Tensor => (autocasting.on ? asWidest(dot, a, b) : dotOf('dot', a, b));
OPS.set('vdot', { name: 'vdot', inputs: 2, differentiable: true });
/** The same, for real numbers. PyTorch: torch.vdot. */
export const vdot = (a: Tensor, b: Tensor): Tensor => (autocasting.on ? asWidest(vdot, a, b) : dotOf('vdot', a, b));

OPS.set('outer', { name: 'outer', inputs: 2, differentiable: true });
/** a_i b_j of two vectors. PyTorch: torch.outer. */
export function outer(a: Tensor, b: Tensor): Tensor {
  wantRank('outer', 'self', a, 1);
  wantRank('outer', 'vec2', b, 1);
  return unsqueeze(a, 1).mul(b);
}
