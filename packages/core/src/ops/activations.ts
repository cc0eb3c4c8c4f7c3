/** @file The activations that are methods of Tensor in PyTorch too. Those that are functions only are in activations-fn.ts. */
import { checkOptions, type OptionNames } from '../options.js';
import { asHalf } from '../amp/policy.js';
import { autocasting } from '../amp/state.js';
import { DTypeError, ShapeError } from '../errors.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { binary, type BinaryOp, inPlace, notTensor, requireFloat, type TensorOp, unary, type UnaryOp } from './define.js';
import { OPS } from './registry.js';
import { choose } from './where.js';

/** Where `out` is not above 0, nothing flows; NaN lets it through. One pointwise op, since it stands after nearly every layer. */
const reluBackward: BinaryOp = /* @__PURE__ */ binary('reluBackward', {
  forward: (e, grad, out) => e.where(e.le(out, 0), 0, grad),
  backward: [(grad, _a, out) => reluBackward(grad, out), null],
  saves: ['b', ''],
});

/** max(x, 0). PyTorch: torch.relu. */
export const relu: UnaryOp = /* @__PURE__ */ unary('relu', {
  forward: (e, x) => e.max(x, 0),
  backward: (grad, _x, out) => reluBackward(grad, out),
  saves: 'out',
  check: (x) => {
    if (x.dtype === 'bool')
      throw new DTypeError('ERR_DTYPE', 'relu: Boolean inputs not supported for relu', { op: 'relu', dtypes: ['bool'] });
  },
});
export const relu_: UnaryOp = /* @__PURE__ */ inPlace(relu);

/** 1 / (1 + e^−x). PyTorch: torch.sigmoid. */
export const sigmoid: UnaryOp = /* @__PURE__ */ unary('sigmoid', {
  result: 'float',
  forward: (e, x) => e.div(1, e.add(e.exp(e.neg(x)), 1)),
  backward: (grad, _x, out) => grad.mul(out.mul(out.neg().add(1))),
  saves: 'out',
});
export const sigmoid_: UnaryOp = /* @__PURE__ */ inPlace(sigmoid);

/** tanh x. PyTorch: torch.tanh. */
export const tanh: UnaryOp = /* @__PURE__ */ unary('tanh', {
  result: 'float',
  forward: (e, x) => e.tanh(x),
  backward: (grad, _x, out) => grad.mul(out.mul(out).neg().add(1)),
  saves: 'out',
});
export const tanh_: UnaryOp = /* @__PURE__ */ inPlace(tanh);

export interface ShrinkOptions {
  /** Default 0.5. */
  readonly lambd?: number;
}
const SHRINK_OPTIONS: OptionNames<ShrinkOptions> = { lambd: true };
/** x where |x| > lambd, 0 elsewhere. PyTorch: Tensor.hardshrink, F.hardshrink. */
export const hardshrink: UnaryOp<[ShrinkOptions?]> = /* @__PURE__ */ unary<[ShrinkOptions?]>('hardshrink', {
  forward: (e, x, options) => e.where(e.le(e.abs(x), options?.lambd ?? 0.5), 0, x),
  backward: (grad, x, _out, options) => grad.maskedFill(x.abs().le(options?.lambd ?? 0.5), 0),
  check: (x, options) => {
    checkOptions('hardshrink', options, SHRINK_OPTIONS);
    requireFloat('hardshrink', x);
  },
});

OPS.set('prelu', { name: 'prelu', inputs: 2, differentiable: true });
/**
 * max(x, 0) + weight · min(x, 0), with one weight, or one for each channel (dim 1). PyTorch: Tensor.prelu, F.prelu.
 * @throws ShapeError `ERR_PRELU_SHAPE`.
 */
export function prelu(x: Tensor, weight: Tensor): Tensor {
  if (autocasting.on) return asHalf(prelu, x, weight);
  if (!isTensor(weight)) notTensor('prelu', 'weight', weight);
  if (weight.ndim > 1)
    throw new ShapeError('ERR_PRELU_SHAPE', `prelu: Expected \`weight\` to be a scalar or 1D tensor, but got: ndim = ${weight.ndim}`, {
      op: 'prelu',
      shapes: [x.shape, weight.shape],
    });
  if (weight.numel() !== 1) {
    if (x.ndim === 0)
      throw new ShapeError('ERR_PRELU_SHAPE', 'prelu: Not allow zero-dim input tensor.', { op: 'prelu', shapes: [x.shape, weight.shape] });
    const channels = x.ndim > 1 ? x.shape[1] : 1;
    if (weight.numel() !== channels) {
      throw new ShapeError(
        'ERR_PRELU_SHAPE',
        `prelu: Mismatch of parameter numbers and input channel size. Found parameter numbers = ${weight.numel()} and channel size = ${channels}.`,
        { op: 'prelu', shapes: [x.shape, weight.shape] },
      );
    }
  }
  if (x.dtype !== weight.dtype)
    throw new DTypeError('ERR_DTYPE_MIX', `prelu: Type promoting not supported. Got ${x.dtype} and ${weight.dtype}`, {
      op: 'prelu',
      dtypes: [x.dtype, weight.dtype],
    });
  return preluKernel(
    x,
    x.ndim === 0 ? weight.reshape([]) : weight.reshape(x.shape.map((_, d) => (d === 1 || (x.ndim === 1 && d === 0) ? weight.numel() : 1))),
  );
}

const preluKernel: TensorOp = /* @__PURE__ */ binary('preluKernel', {
  tensors: true,
  forward: (e, x, w) => e.where(e.gt(x, 0), x, e.mul(x, w)),
  backward: [(grad, x, w) => choose((x as Tensor).gt(0), grad, grad.mul(w)), (grad, x) => grad.mul(x).maskedFill((x as Tensor).gt(0), 0)],
  saves: ['ab', 'a'],
});
