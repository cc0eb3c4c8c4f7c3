/** @file The activations that are methods of Tensor in PyTorch too. Those that are functions only are in activations-fn.ts. */
import { DTypeError } from '../errors.js';
import { binary, type BinaryOp, inPlace, unary, type UnaryOp } from './define.js';

/** Where `out` is not above 0, nothing flows; NaN lets it through. One pointwise op, since it stands after nearly every layer. */
const reluBackward: BinaryOp = binary('reluBackward', {
  forward: (e, grad, out) => e.where(e.le(out, 0), 0, grad),
  backward: [(grad, _a, out) => reluBackward(grad, out), null],
  saves: ['b', ''],
});

/** max(x, 0). PyTorch: torch.relu. */
export const relu: UnaryOp = unary('relu', {
  forward: (e, x) => e.max(x, 0),
  backward: (grad, _x, out) => reluBackward(grad, out),
  saves: 'out',
  check: (x) => {
    if (x.dtype === 'bool') throw new DTypeError('ERR_DTYPE', 'relu: Boolean inputs not supported for relu', { op: 'relu', dtypes: ['bool'] });
  },
});
export const relu_: UnaryOp = inPlace(relu);

/** 1 / (1 + e^−x). PyTorch: torch.sigmoid. */
export const sigmoid: UnaryOp = unary('sigmoid', {
  result: 'float',
  forward: (e, x) => e.div(1, e.add(e.exp(e.neg(x)), 1)),
  backward: (grad, _x, out) => grad.mul(out.mul(out.neg().add(1))),
  saves: 'out',
});
export const sigmoid_: UnaryOp = inPlace(sigmoid);

/** tanh x. PyTorch: torch.tanh. */
export const tanh: UnaryOp = unary('tanh', {
  result: 'float',
  forward: (e, x) => e.tanh(x),
  backward: (grad, _x, out) => grad.mul(out.mul(out).neg().add(1)),
  saves: 'out',
});
export const tanh_: UnaryOp = inPlace(tanh);
