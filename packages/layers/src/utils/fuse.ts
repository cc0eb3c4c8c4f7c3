/** @file Batch norms folded into the layer before them, for inference. */
import { ModuleError, noGrad, ones, Parameter, type Tensor, typeNameOf, zeros } from '@tessera/core';
import { withoutDrawing } from '../attention/copies.js';
import type { ConvBase } from '../convolution/conv-base.js';
import type { ConvOptions } from '../convolution/conv.js';
import type { ConvTransposeOptions } from '../convolution/conv-transpose.js';
import { Linear } from '../linear/linear.js';
import type { NormBase } from '../normalization/norm-base.js';

/** Weight and bias of a layer and of the norm behind it, as one weight and one bias. `channelDim`: the weight's dim of output channels. */
function fused(
  weight: Tensor,
  bias: Tensor | null,
  mean: Tensor,
  variance: Tensor,
  eps: number,
  normWeight: Tensor | null,
  normBias: Tensor | null,
  channelDim: number,
): [weight: Parameter, bias: Parameter] {
  return noGrad(() => {
    const factor = (normWeight ?? ones(mean.shape, { dtype: mean.dtype, device: mean.device })).mul(variance.add(eps).rsqrt());
    const shape = weight.shape.map((_, d) => (d === channelDim ? -1 : 1));
    const offset = normBias ?? zeros(mean.shape, { dtype: mean.dtype, device: mean.device });
    const from = bias === null ? mean.neg() : bias.sub(mean);
    return [
      new Parameter(weight.mul(factor.reshape(shape)).to(weight.dtype)),
      new Parameter(from.mul(factor).add(offset).to(weight.dtype)),
    ];
  });
}

/** PyTorch: nn.utils.fuse_conv_bn_weights. `transpose`: the weight is that of a transposed convolution. */
export function fuseConvBnWeights(
  weight: Tensor,
  bias: Tensor | null,
  mean: Tensor,
  variance: Tensor,
  eps: number,
  normWeight: Tensor | null,
  normBias: Tensor | null,
  transpose = false,
): [weight: Parameter, bias: Parameter] {
  return fused(weight, bias, mean, variance, eps, normWeight, normBias, transpose ? 1 : 0);
}

/** PyTorch: nn.utils.fuse_linear_bn_weights. */
export function fuseLinearBnWeights(
  weight: Tensor,
  bias: Tensor | null,
  mean: Tensor,
  variance: Tensor,
  eps: number,
  normWeight: Tensor | null,
  normBias: Tensor | null,
): [weight: Parameter, bias: Parameter] {
  return fused(weight, bias, mean, variance, eps, normWeight, normBias, 0);
}

/** @throws ModuleError `ERR_FUSE` */
function statistics(layer: ConvBase | Linear, norm: NormBase): [mean: Tensor, variance: Tensor] {
  if (layer.training || norm.training) throw new ModuleError('ERR_FUSE', 'Fusion only for eval!');
  const { running_mean: mean, running_var: variance } = norm;
  if (mean === null || variance === null)
    throw new ModuleError('ERR_FUSE', `${typeNameOf(norm)} keeps no running statistics that could be fused`);
  return [mean, variance];
}

type ConvClass<C> = new (
  inChannels: number,
  outChannels: number,
  kernelSize: readonly number[],
  options: ConvOptions & ConvTransposeOptions,
) => C;

/**
 * A convolution that does what `conv` and then the batch norm do, both in `eval()`. PyTorch: nn.utils.fuse_conv_bn_eval.
 * @throws ModuleError `ERR_FUSE` while training, or without running statistics; ValueError `ERR_LAYER_OPTION` for groups in a transposed one.
 * @example const faster = nn.utils.fuseConvBnEval(model.conv1, model.bn1);
 */
export function fuseConvBnEval<C extends ConvBase>(conv: C, bn: NormBase, transpose = false): C {
  const [mean, variance] = statistics(conv, bn);
  if (transpose && conv.groups !== 1) throw new ModuleError('ERR_FUSE', 'a transposed convolution in groups cannot be fused');
  const { stride, padding, dilation, outputPadding, groups, paddingMode } = conv;
  const options = { stride, padding, dilation, groups, paddingMode, bias: false, ...(transpose ? { outputPadding } : {}) } as ConvOptions &
    ConvTransposeOptions;
  const copy = withoutDrawing(() => new (conv.constructor as ConvClass<C>)(conv.inChannels, conv.outChannels, conv.kernelSize, options));
  [copy.weight, copy.bias] = fused(conv.weight, conv.bias, mean, variance, bn.eps, bn.weight, bn.bias, transpose ? 1 : 0);
  copy.eval();
  return copy;
}

/**
 * A dense layer that does what `linear` and then the batch norm do, both in `eval()`. PyTorch: nn.utils.fuse_linear_bn_eval.
 * @throws ModuleError `ERR_FUSE`.
 */
export function fuseLinearBnEval(linear: Linear, bn: NormBase): Linear {
  const [mean, variance] = statistics(linear, bn);
  if (linear.outFeatures !== bn.numFeatures && bn.numFeatures !== 1)
    throw new ModuleError(
      'ERR_FUSE',
      `To fuse, linear.outFeatures == bn.numFeatures or bn.numFeatures == 1, but they are ${linear.outFeatures} and ${bn.numFeatures}`,
    );
  const copy = withoutDrawing(() => new Linear(linear.inFeatures, linear.outFeatures, { bias: false }));
  [copy.weight, copy.bias] = fused(linear.weight, linear.bias, mean, variance, bn.eps, bn.weight, bn.bias, 0);
  copy.eval();
  return copy;
}
