/** @file The norm of channels over batch and space (batch norm while training): one kernel where the backend has it, else `standardize` and a pointwise program. */
import type { Rule } from '../../autograd/node.js';
import type { Tensor } from '../../tensor/tensor.js';
import { attach, declined, emptyValue, launched, recording, reshapedView, viewOf, viewOfValue, wrap } from '../result.js';
import { reshape } from '../view.js';
import { differentiableScale, standardize, standardizeGradient } from './standardize.js';

/** The result and the batch's own statistics (C), the variance biased. No history on the statistics. */
export interface ChannelNorm {
  readonly out: Tensor;
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/** (x − mean) / √(var + ε) · weight + bias for each channel of x (N, C, …), float32 or float64, with elements; weight and bias (C), of x's dtype, or null. */
export function normalizeChannels(x: Tensor, weight: Tensor | null, bias: Tensor | null, eps: number): ChannelNorm {
  const channels = x.shape[1]!;
  const fused = launch(x.detach(), weight?.detach() ?? null, bias?.detach() ?? null, eps);
  if (fused === null) {
    const shape = [channels, ...x.shape.slice(2).map(() => 1)];
    const dims = x.shape.map((_, d) => d).filter((d) => d !== 1);
    const { out, mean, variance } = standardize(x, dims, eps, true);
    const scaled = weight === null ? out : out.mul(reshape(weight, shape));
    return {
      out: bias === null ? scaled : scaled.add(reshape(bias, shape)),
      mean: reshape(mean!, [channels]),
      variance: reshape(variance, [channels]),
    };
  }
  const { out, mean, variance } = fused;
  if (recording(x, weight, bias)) {
    const node = attach(out, 'NativeBatchNormBackward0', [x, weight, bias], gradient);
    node.context = eps;
    node.save(x, mean, variance, ...(weight === null ? [] : [weight]));
  }
  return fused;
}

/** (N, C, …) as (N, C, S). */
const threeDims = (x: Tensor): Tensor => reshape(x, [x.shape[0]!, x.shape[1]!, x.numel() / (x.shape[0]! * x.shape[1]!)]);

function launch(x: Tensor, weight: Tensor | null, bias: Tensor | null, eps: number): ChannelNorm | null {
  const { device, dtype, shape } = x;
  if (device.kernels.batchNorm === undefined) return null;
  const input = threeDims(x);
  const [batch, channels, space] = input.shape as [number, number, number];
  const out = emptyValue(device, dtype, shape);
  const mean = emptyValue(device, dtype, [channels]);
  const variance = emptyValue(device, dtype, [channels]);
  const done = device.kernels.batchNorm(
    viewOf(input),
    weight === null ? null : viewOf(weight),
    bias === null ? null : viewOf(bias),
    reshapedView(viewOfValue(out), [batch, channels, space], [channels * space, space, 1]),
    viewOfValue(mean),
    viewOfValue(variance),
    eps,
  );
  if (!done) return declined(out, mean, variance);
  launched(device, 'batchNorm', [batch, channels, space]);
  return { out: wrap(out), mean: wrap(mean), variance: wrap(variance) };
}

const gradient: Rule = (grad, node) => {
  const eps = node.context as number;
  const x = node.saved(0);
  const weight = node.savedCount > 3 ? node.saved(3) : null;
  if (!recording(grad, x, weight)) {
    const fused = launchGradient(grad, x, weight, node.saved(1), node.saved(2), eps, [node.needs(0), node.needs(1), node.needs(2)]);
    if (fused !== null) return fused;
  }
  const flat = threeDims(x);
  const g = threeDims(grad);
  const normal = standardize(flat, [0, 2], eps, true).out;
  const inner = weight === null ? g : g.mul(reshape(weight, [-1, 1]));
  return [
    node.needs(0) ? reshape(standardizeGradient(inner, normal, differentiableScale(flat, [0, 2], eps, true), [0, 2], true), x.shape) : null,
    node.needs(1) ? g.mul(normal).sum([0, 2]) : null,
    node.needs(2) ? g.sum([0, 2]) : null,
  ];
};

function launchGradient(
  grad: Tensor,
  x: Tensor,
  weight: Tensor | null,
  mean: Tensor,
  variance: Tensor,
  eps: number,
  wants: readonly [boolean, boolean, boolean],
): (Tensor | null)[] | null {
  const { device, dtype } = x;
  if (device.kernels.batchNormGrad === undefined) return null;
  const input = threeDims(x.detach());
  const [batch, channels, space] = input.shape as [number, number, number];
  const gradInput = wants[0] ? emptyValue(device, dtype, x.shape) : null;
  const gradWeight = wants[1] ? emptyValue(device, dtype, [channels]) : null;
  const gradBias = wants[2] ? emptyValue(device, dtype, [channels]) : null;
  const done = device.kernels.batchNormGrad(
    viewOf(threeDims(grad)),
    viewOf(input),
    weight === null ? null : viewOf(weight),
    viewOf(mean),
    viewOf(variance),
    eps,
    gradInput === null ? null : reshapedView(viewOfValue(gradInput), [batch, channels, space], [channels * space, space, 1]),
    gradWeight === null ? null : viewOfValue(gradWeight),
    gradBias === null ? null : viewOfValue(gradBias),
  );
  if (!done) return declined(gradInput, gradWeight, gradBias);
  launched(device, 'batchNormGrad', [batch, channels, space]);
  return [gradInput, gradWeight, gradBias].map((v) => (v === null ? null : wrap(v)));
}
