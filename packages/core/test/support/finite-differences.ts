/** @file Gradients against central differences, in float64: first and second order. */
import { grad, type Tensor, tensor } from '../../src/index.js';

/** A float64 leaf with fixed, irregular numbers, none of them near another. */
export function irregular(shape: readonly number[], seed = 1): Tensor {
  const numel = shape.reduce((n, s) => n * s, 1);
  const values = Float64Array.from({ length: numel }, (_, i) => Math.sin((i + 1) * 12.9898 + seed * 78.233) * 1.7);
  return tensor(values, { dtype: 'float64' }).reshape(shape).clone().requiresGrad_();
}

/** A number made of a tensor: with another factor for each element, so that no error cancels. */
export function weighed(y: Tensor): Tensor {
  const factors = Float64Array.from({ length: y.numel() }, (_, i) => Math.cos((i + 1) * 4.1414) + 0.3);
  return y.mul(tensor(factors, { dtype: 'float64' }).reshape(y.shape)).sum();
}

/**
 * The largest difference between the gradients of `f` (to a number) and central differences, over at most `probes` elements of each input,
 * spread evenly.
 */
export function gradientError(f: (...inputs: Tensor[]) => Tensor, inputs: readonly Tensor[], probes = 8, step = 1e-5): number {
  const given = grad(f(...inputs), inputs, { allowUnused: true });
  let worst = 0;
  inputs.forEach((input, k) => {
    const values = input.detach().data();
    const expected = given[k]?.data() ?? new Float64Array(values.length);
    const stride = Math.max(1, Math.ceil(values.length / probes));
    for (let i = 0; i < values.length; i += stride) {
      const at = (shift: number): number => {
        const moved = Float64Array.from(values);
        moved[i]! += shift;
        return f(...inputs.map((x, j) => (j === k ? tensor(moved, { dtype: 'float64' }).reshape(x.shape) : x.detach()))).item();
      };
      worst = Math.max(worst, Math.abs((at(step) - at(-step)) / (2 * step) - expected[i]!));
    }
  });
  return worst;
}

/** {@link gradientError} of the gradients themselves: a number made of them, with its own gradients. */
export function secondOrderError(f: (...inputs: Tensor[]) => Tensor, inputs: readonly Tensor[]): number {
  const first = (...xs: Tensor[]): Tensor => {
    const leaves = xs.map((x) => (x.requiresGrad ? x : x.clone().requiresGrad_()));
    const gradients = grad(f(...leaves), leaves, { createGraph: true, allowUnused: true });
    return gradients.flatMap((g) => (g === null ? [] : [weighed(g)])).reduce((a, b) => a.add(b));
  };
  return gradientError(first, inputs, 3);
}
