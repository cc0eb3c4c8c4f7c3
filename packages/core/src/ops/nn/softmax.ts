/** @file softmax and its logarithm: one kernel over the last dim where the backend has it, else two reductions and a pointwise program. */
import { asFloat32 } from '../../amp/policy.js';
import { autocasting } from '../../amp/state.js';
import type { Rule } from '../../autograd/node.js';
import { DTypeError } from '../../errors.js';
import { type DType, isFloat } from '../../tensor/dtype.js';
import { normalizeDim, numelOf } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { div, sub } from '../arithmetic.js';
import { cast } from '../cast.js';
import { amax } from '../extremes.js';
import { sum } from '../reduce.js';
import { OPS } from '../registry.js';
import { exp, log as logarithm } from '../unary-math.js';
import { clone, contiguous } from '../view.js';
import { attach, declined, emptyValue, launched, recording, reshapedView, viewOf, viewOfValue, wrap } from '../result.js';
import { checkOptions, type OptionNames } from '../../options.js';

const SOFTMAX_OPTIONS: OptionNames<SoftmaxOptions> = { dtype: true };

export interface SoftmaxOptions {
  /** The input is converted to it first. */
  readonly dtype?: DType;
}

OPS.set('softmax', { name: 'softmax', inputs: 1, differentiable: true });
OPS.set('logSoftmax', { name: 'logSoftmax', inputs: 1, differentiable: true });

/**
 * exp(x) / Σ exp(x) along `dim`: positive numbers with sum 1; computed from x − max(x), so that nothing overflows. PyTorch: torch.softmax.
 *
 * @throws DTypeError `ERR_DTYPE` for integers without `dtype`; IndexError `ERR_DIM_RANGE`.
 * @example softmax(tensor([[1, 2, 3]]), -1) // [[0.0900, 0.2447, 0.6652]]
 */
export function softmax(x: Tensor, dim: number, options: SoftmaxOptions = {}): Tensor {
  checkOptions('softmax', options, SOFTMAX_OPTIONS);
  if (autocasting.on && options.dtype === undefined) return asFloat32(softmax, x, dim, options);
  return along(x, dim, options, false);
}

/** log softmax(x) = x − log Σ exp(x) along `dim`. PyTorch: torch.log_softmax. @see softmax */
export function logSoftmax(x: Tensor, dim: number, options: SoftmaxOptions = {}): Tensor {
  checkOptions('logSoftmax', options, SOFTMAX_OPTIONS);
  if (autocasting.on && options.dtype === undefined) return asFloat32(logSoftmax, x, dim, options);
  return along(x, dim, options, true);
}

function along(given: Tensor, dim: number, options: SoftmaxOptions, log: boolean): Tensor {
  const name = log ? 'logSoftmax' : 'softmax';
  const x = options.dtype === undefined ? given : cast(given, options.dtype);
  if (!isFloat(x.dtype))
    throw new DTypeError(
      'ERR_DTYPE',
      `${name}: "${log ? 'log_' : ''}softmax_lastdim_kernel_impl" not implemented for '${x.dtype}'; give a floating dtype`,
      { op: name, dtypes: [x.dtype] },
    );
  const d = normalizeDim(dim, x.ndim, name);
  if (x.dtype === 'float16' || x.dtype === 'bfloat16') return cast(along(cast(x, 'float32'), d, {}, log), x.dtype);
  const out = launch(x.detach(), d, log);
  if (recording(x)) attach(out, log ? 'LogSoftmaxBackward0' : 'SoftmaxBackward0', [x], gradient(d, log)).save(out);
  return out;
}

function launch(x: Tensor, dim: number, log: boolean): Tensor {
  const { device, shape } = x;
  const { kernels } = device;
  const columns = shape[dim] ?? 1;
  if (x.numel() > 0 && kernels.softmax !== undefined && dim === Math.max(shape.length - 1, 0)) {
    const input = viewOf(contiguous(x));
    const out = emptyValue(device, x.dtype, shape);
    const rows = numelOf(shape) / columns;
    if (
      kernels.softmax(
        reshapedView(input, [rows, columns], [columns, 1]),
        reshapedView(viewOfValue(out), [rows, columns], [columns, 1]),
        log,
      )
    ) {
      launched(device, log ? 'logSoftmax' : 'softmax', [rows, columns]);
      return wrap(out);
    }
    declined(out);
  }
  // Functions, not methods: this file's forward is part of `@tessera/core/functional`.
  if (x.numel() === 0) return clone(x);
  if (shape.length === 0) return log ? sub(x, x) : exp(sub(x, x));
  const shifted = sub(x, amax(x, dim, { keepdim: true }));
  const powers = exp(shifted);
  const total = sum(powers, dim, { keepdim: true });
  return log ? sub(shifted, logarithm(total)) : div(powers, total);
}

/** softmax: y · (g − Σ g·y); logSoftmax: g − exp(y) · Σ g. */
function gradient(dim: number, log: boolean): Rule {
  return (grad, node) => {
    const out = node.saved(0);
    const { device, shape } = out;
    const { kernels } = device;
    if (kernels.softmaxGrad !== undefined && !recording(grad, out) && out.numel() > 0 && dim === Math.max(shape.length - 1, 0)) {
      const columns = shape[dim] ?? 1;
      const rows = numelOf(shape) / columns;
      const gradIn = emptyValue(device, out.dtype, shape);
      const two = [rows, columns];
      const strides = [columns, 1];
      const g = viewOf(grad.contiguous());
      const y = viewOf(out.contiguous());
      if (
        kernels.softmaxGrad(
          reshapedView(g, two, strides),
          reshapedView(y, two, strides),
          reshapedView(viewOfValue(gradIn), two, strides),
          log,
        )
      ) {
        launched(device, 'softmaxGrad', two);
        return [wrap(gradIn)];
      }
      declined(gradIn);
    }
    const dims = shape.length === 0 ? undefined : dim;
    if (log) return [grad.sub(out.exp().mul(grad.sum(dims, { keepdim: true })))];
    return [out.mul(grad.sub(out.mul(grad).sum(dims, { keepdim: true })))];
  };
}
