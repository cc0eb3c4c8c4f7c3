/** @file The elements of the binary cross entropies: formulas with gradients that stay finite where the plain ones do not. */
import type { Tensor } from '../../tensor/tensor.js';
import type { Value } from '../../tensor/value.js';
import { binary, type BinaryOp } from '../define.js';
import type { Expression } from '../expression.js';

const tensorOf = (x: unknown): Tensor => x as Tensor;

/**
 * −(t · log x + (1 − t) · log(1 − x)) for probabilities x, the logarithms not below −100. The gradient's divisor is not below 1e-12.
 * What F.binaryCrossEntropy calls.
 */
export const binaryCrossEntropyTerms: BinaryOp = /* @__PURE__ */ binary('binaryCrossEntropyTerms', {
  result: 'float',
  forward: (e, x, t) => {
    const positive = e.max(e.log(x), -100);
    const negative = e.max(e.log1p(e.neg(x)), -100);
    return e.sub(e.mul(e.sub(t, 1), negative), e.mul(t, positive));
  },
  backward: [
    (grad, x, t) => grad.mul(tensorOf(x).sub(t)).div(tensorOf(x).neg().add(1).mul(x).clampMin(1e-12)),
    (grad, x) => grad.mul(tensorOf(x).neg().log1p().sub(tensorOf(x).log())),
  ],
  saves: ['ab', 'a'],
});

/** log(1 + e^(−x)), without overflow. */
const softplusOfNegative = (e: Expression, x: Value): Value => e.add(e.max(e.neg(x), 0), e.log1p(e.exp(e.neg(e.abs(x)))));

/** (1 − t) · x + log(1 + e^(−x)) for logits x. What F.binaryCrossEntropyWithLogits calls. */
export const binaryCrossEntropyLogitTerms: BinaryOp = /* @__PURE__ */ binary('binaryCrossEntropyLogitTerms', {
  result: 'float',
  forward: (e, x, t) => e.add(e.mul(e.sub(1, t), x), softplusOfNegative(e, x)),
  backward: [
    // σ(x) − t, written so that nothing cancels where the answer is sure and right.
    (grad, x, t) => grad.mul(tensorOf(t).neg().add(1).mul(tensorOf(x).sigmoid()).sub(tensorOf(x).neg().sigmoid().mul(t))),
    (grad, x) => grad.mul(tensorOf(x).neg()),
  ],
  saves: ['ab', 'a'],
});
