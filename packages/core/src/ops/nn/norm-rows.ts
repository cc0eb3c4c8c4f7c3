/** @file The norms of rows (layer, root-mean-square, group and instance norm): one kernel where the backend has it, else `standardize` and a pointwise program. */
import type { Rule } from '../../autograd/node.js';
import { numelOf, type Shape } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { add, mul } from '../arithmetic.js';
import { attach, declined, emptyValue, launched, recording, reshapedView, viewOf, viewOfValue, wrap } from '../result.js';
import { reshape } from '../view.js';
import { differentiableScale, standardize, standardizeGradient } from './standardize.js';

/**
 * (x − mean) / √(var + ε) · weight + bias over the last `dims` dims of x (float32 or float64, with elements); weight and bias have their
 * shape and x's dtype, or are null. Without `centred`, x / √(mean x² + ε).
 */
export function normalizeRows(x: Tensor, dims: number, weight: Tensor | null, bias: Tensor | null, eps: number, centred: boolean): Tensor {
  const lead = x.ndim - dims;
  const sizes = x.shape.slice(lead);
  const columns = numelOf(sizes);
  const row = [columns];
  const fused = launch(
    x.detach(),
    columns,
    weight === null ? null : reshape(weight.detach(), row),
    bias === null ? null : reshape(bias.detach(), row),
    eps,
    centred,
  );
  if (fused === null) {
    let out = standardize(
      x,
      sizes.map((_, i) => lead + i),
      eps,
      centred,
    ).out;
    if (weight !== null) out = mul(out, weight);
    return bias === null ? out : add(out, bias);
  }
  const { out, mean, rstd } = fused;
  if (recording(x, weight, bias)) {
    const node = attach(out, centred ? 'NativeLayerNormBackward0' : 'FusedRmsNormBackward0', [x, weight, bias], gradient);
    node.context = { columns, eps, centred, sizes, weighted: weight !== null } satisfies Context;
    node.save(x, rstd, ...(mean === null ? [] : [mean]), ...(weight === null ? [] : [weight]));
  }
  return out;
}

interface Context {
  readonly columns: number;
  readonly eps: number;
  readonly centred: boolean;
  /** Of the dims that are normalized: weight's and bias's shape. */
  readonly sizes: Shape;
  readonly weighted: boolean;
}

interface Fused {
  readonly out: Tensor;
  readonly mean: Tensor | null;
  readonly rstd: Tensor;
}

function launch(x: Tensor, columns: number, weight: Tensor | null, bias: Tensor | null, eps: number, centred: boolean): Fused | null {
  const { device, dtype, shape } = x;
  // In rows of one element all is rounding: x̂ is ±1 or 0, and its gradient what an exact composition leaves of it, nothing.
  if (device.kernels.layerNorm === undefined || columns === 1) return null;
  const rows = x.numel() / columns;
  const out = emptyValue(device, dtype, shape);
  const mean = centred ? emptyValue(device, dtype, [rows]) : null;
  const rstd = emptyValue(device, dtype, [rows]);
  const done = device.kernels.layerNorm(
    viewOf(reshape(x, [rows, columns])),
    weight === null ? null : viewOf(weight),
    bias === null ? null : viewOf(bias),
    reshapedView(viewOfValue(out), [rows, columns], [columns, 1]),
    mean === null ? null : viewOfValue(mean),
    viewOfValue(rstd),
    eps,
  );
  if (!done) return declined(out, mean, rstd);
  launched(device, 'layerNorm', [rows, columns]);
  return { out: wrap(out), mean: mean === null ? null : wrap(mean), rstd: wrap(rstd) };
}

const gradient: Rule = (grad, node) => {
  const { columns, eps, centred, sizes, weighted } = node.context as Context;
  const x = node.saved(0);
  const rstd = node.saved(1);
  const mean = centred ? node.saved(2) : null;
  const weight = weighted ? node.saved(centred ? 3 : 2) : null;
  const rows = x.numel() / columns;
  const wants = [node.needs(0), node.needs(1), node.needs(2)] as const;
  if (!recording(grad, x, weight)) {
    const fused = launchGradient(grad, x, weight, mean, rstd, [rows, columns], wants, sizes);
    if (fused !== null) return fused;
  }
  const two = [rows, columns];
  const flat = reshape(x, two);
  const g = reshape(grad, two);
  const normal = standardize(flat, [1], eps, centred).out;
  const inner = weight === null ? g : g.mul(reshape(weight, [columns]));
  return [
    wants[0] ? reshape(standardizeGradient(inner, normal, differentiableScale(flat, [1], eps, centred), [1], centred), x.shape) : null,
    wants[1] ? reshape(g.mul(normal).sum(0), sizes) : null,
    wants[2] ? reshape(g.sum(0), sizes) : null,
  ];
};

function launchGradient(
  grad: Tensor,
  x: Tensor,
  weight: Tensor | null,
  mean: Tensor | null,
  rstd: Tensor,
  two: readonly [number, number],
  wants: readonly [boolean, boolean, boolean],
  sizes: Shape,
): (Tensor | null)[] | null {
  const { device, dtype } = x;
  if (device.kernels.layerNormGrad === undefined) return null;
  const [rows, columns] = two;
  const gradInput = wants[0] ? emptyValue(device, dtype, x.shape) : null;
  const gradWeight = wants[1] ? emptyValue(device, dtype, sizes) : null;
  const gradBias = wants[2] ? emptyValue(device, dtype, sizes) : null;
  const done = device.kernels.layerNormGrad(
    viewOf(reshape(grad, two)),
    viewOf(reshape(x.detach(), two)),
    weight === null ? null : viewOf(reshape(weight.detach(), [columns])),
    mean === null ? null : viewOf(mean),
    viewOf(rstd),
    gradInput === null ? null : reshapedView(viewOfValue(gradInput), two, [columns, 1]),
    gradWeight === null ? null : reshapedView(viewOfValue(gradWeight), [columns], [1]),
    gradBias === null ? null : reshapedView(viewOfValue(gradBias), [columns], [1]),
  );
  if (!done) return declined(gradInput, gradWeight, gradBias);
  launched(device, 'layerNormGrad', [rows, columns]);
  return [gradInput, gradWeight, gradBias].map((v) => (v === null ? null : wrap(v)));
}
