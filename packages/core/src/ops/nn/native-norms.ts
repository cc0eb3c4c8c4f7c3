/** @file Norms together with the statistics that they used. PyTorch: torch.native_layer_norm, torch.native_batch_norm. */
import type { Tensor } from '../../tensor/tensor.js';
import { noGrad } from '../../autograd/mode.js';
import { filled } from '../fill.js';
import { batchNorm, layerNorm } from './normalization.js';

/** Mean and 1/√(variance + ε) over dims, kept with size 1 where `keepdim`. */
function statistics(x: Tensor, dims: readonly number[], eps: number, keepdim: boolean): [mean: Tensor, rstd: Tensor] {
  return noGrad(() => {
    const [variance, mean] = x.detach().varMean(dims, { correction: 0, keepdim });
    return [mean, variance.add(eps).rsqrt()];
  });
}

/**
 * layerNorm, and mean and 1/√(variance + ε) of each row, through which no gradient flows. PyTorch: torch.native_layer_norm.
 * @throws ShapeError `ERR_NORM_SHAPE`
 */
export function nativeLayerNorm(
  x: Tensor,
  normalizedShape: readonly number[],
  weight: Tensor | null,
  bias: Tensor | null,
  eps: number,
): [out: Tensor, mean: Tensor, rstd: Tensor] {
  const out = layerNorm(x, normalizedShape, weight, bias, { eps });
  const dims = normalizedShape.map((_, d) => x.ndim - normalizedShape.length + d);
  return [out, ...statistics(x, dims, eps, true)];
}

/**
 * batchNorm, and mean and 1/√(variance + ε) of each channel of the batch; without `training` those two are empty. The running statistics are
 * updated. PyTorch: torch.native_batch_norm.
 */
export function nativeBatchNorm(
  x: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  runningMean: Tensor | null,
  runningVar: Tensor | null,
  training: boolean,
  momentum: number,
  eps: number,
): [out: Tensor, mean: Tensor, rstd: Tensor] {
  const out = batchNorm(x, runningMean, runningVar, weight, bias, { training, momentum, eps });
  const none = (): Tensor => filled([0], 0, x.dtype, x.device);
  if (!training) return [out, none(), none()];
  const dims = x.shape.map((_, d) => d).filter((d) => d !== 1);
  return [out, ...statistics(x, dims, eps, false)];
}
