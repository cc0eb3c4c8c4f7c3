/** @file The affine map of dense layers. */
import { notTensor } from '../define.js';
import { asHalf } from '../../amp/policy.js';
import { autocasting } from '../../amp/state.js';
import { DeviceError, DTypeError, formatShape, ShapeError } from '../../errors.js';
import { DTYPE_INFO } from '../../tensor/dtype.js';
import { numelOf } from '../../tensor/shape.js';
import { promised } from '../../tensor/producer.js';
import { isTensor, type Tensor } from '../../tensor/tensor.js';
import { add } from '../arithmetic.js';
import { cast } from '../cast.js';
import { matmul, multipliesHalves, wideProduct } from '../matmul.js';
import { OPS } from '../registry.js';
import { attach, declined, emptyValue, launched, recording, viewOf, viewOfValue, wrap } from '../result.js';
import { reshape, transpose } from '../view.js';
import { LinearProducer } from './producers.js';

OPS.set('linear', { name: 'linear', inputs: 3, differentiable: true });
/**
 * y = x · Aᵀ + b for x (*, in), weight A (out, in), bias b (out); y is (*, out). A weight (in) gives (*). PyTorch: F.linear.
 *
 * @throws ShapeError `ERR_MATMUL_SHAPE` where the last size of `x` is not that of the weight; DTypeError `ERR_DTYPE_MIX`.
 * @example linear(x, weight, bias)
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  if (autocasting.on) return asHalf(linear, x, weight, bias);
  const b = bias ?? null;
  if (!isTensor(x)) notTensor('linear', 'input', x);
  if (!isTensor(weight)) notTensor('linear', 'weight', weight);
  if (x.dtype !== weight.dtype || (b !== null && b.dtype !== weight.dtype)) {
    throw new DTypeError(
      'ERR_DTYPE_MIX',
      `linear: mat1 and mat2 must have the same dtype, but got ${x.dtype} and ${weight.dtype}${b === null ? '' : `, with a bias of ${b.dtype}`}`,
      { op: 'linear', dtypes: [x.dtype, weight.dtype] },
    );
  }
  const { ndim } = x;
  if (weight.ndim === 2 && ndim > 0 && (b === null || (b.ndim === 1 && b.shape[0] === weight.shape[0]))) {
    if (x.shape[ndim - 1] !== weight.shape[1]) {
      throw new ShapeError(
        'ERR_MATMUL_SHAPE',
        `linear: mat1 and mat2 shapes cannot be multiplied: the inner sizes differ: ${formatShape(x.shape)} and ${formatShape(weight.shape)} transposed`,
        {
          op: 'linear',
          shapes: [x.shape, weight.shape],
          dtypes: [x.dtype, weight.dtype],
          device: x.device.id,
        },
      );
    }
    if (ndim === 2) return affine(x, weight, b);
    const lead = x.shape.slice(0, -1);
    return reshape(affine(reshape(x, [numelOf(lead), weight.shape[1]!]), weight, b), [...lead, weight.shape[0]!]);
  }
  const product = matmul(x, transpose(weight, 0, 1));
  return b === null ? product : add(product, b);
}

/** x (M, K), weight (N, K), bias (N): recorded as one op. */
function affine(x: Tensor, weight: Tensor, bias: Tensor | null): Tensor {
  if (x.device !== weight.device || (bias !== null && bias.device !== x.device)) {
    throw new DeviceError(
      'ERR_DEVICE_MIX',
      `linear: Expected all tensors to be on the same device, but found ${x.device.id}, ${weight.device.id}${bias === null ? '' : `, ${bias.device.id}`}`,
      { op: 'linear', shapes: [x.shape, weight.shape] },
    );
  }
  const { compute } = DTYPE_INFO[x.dtype];
  if (compute !== x.dtype && compute !== 'bool') {
    const wideBias = bias === null ? null : cast(bias, compute);
    return cast(multipliesHalves(x) ? recorded(x, weight, wideBias) : affine(cast(x, compute), cast(weight, compute), wideBias), x.dtype);
  }
  return recorded(x, weight, bias);
}

/** Of operands that the kernel takes as they are. Halves, with a float32 bias, give float32. */
function recorded(x: Tensor, weight: Tensor, bias: Tensor | null): Tensor {
  const out = launchLinear(x.detach(), weight.detach(), bias === null ? null : bias.detach());
  if (recording(x, weight, bias)) {
    const node = attach(out, 'AddmmBackward0', [x, weight, bias], (grad, n) => {
      const saved = n.context as number;
      // Of halves: the gradient is one of the result that was rounded to them.
      const g = cast(grad, dtype);
      return [
        n.needs(0) ? g.matmul(n.saved(saved === 3 ? 1 : 0)) : null,
        n.needs(1) ? g.t().matmul(n.saved(0)) : null,
        n.needs(2) ? grad.sum(0) : null,
      ];
    });
    const { dtype } = x;
    const saved = (node.needs(1) ? 1 : 0) | (node.needs(0) ? 2 : 0);
    node.context = saved;
    if (saved === 3) node.save(x, weight);
    else if (saved !== 0) node.save(saved === 1 ? x : weight);
  }
  return out;
}

function launchLinear(x: Tensor, weight: Tensor, bias: Tensor | null): Tensor {
  const shape = [x.shape[0]!, weight.shape[0]!];
  const { device } = x;
  const { kernels } = device;
  // Halves come here only where the kernel takes them.
  const dtype = DTYPE_INFO[x.dtype].compute;
  if (kernels.linear !== undefined && (dtype === 'float32' || dtype === 'float64') && numelOf(shape) > 0 && x.shape[1]! > 0) {
    if (kernels.matmulPointwise !== undefined && dtype === 'float32') {
      const views = [viewOf(x), viewOf(weight), bias === null ? null : viewOf(bias)] as const;
      const reads = bias === null ? [x.value, weight.value] : [x.value, weight.value, bias.value];
      return wrap(promised(device, dtype, shape, new LinearProducer(device, reads, ...views)));
    }
    const out = emptyValue(device, dtype, shape);
    if (kernels.linear(viewOf(x), viewOf(weight), bias === null ? null : viewOf(bias), viewOfValue(out))) {
      launched(device, 'linear', [...shape, x.shape[1]!]);
      return wrap(out);
    }
    declined(out);
  }
  const product = wideProduct(x, transpose(weight, 0, 1));
  return bias === null ? product : add(product, bias);
}
