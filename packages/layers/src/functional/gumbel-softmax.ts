/** @file Samples from a categorical distribution that gradients flow through. */
import { checkOptions, type OptionNames, fromHost, type NoiseOptions, philoxUniform, runtimes, softmax, type Tensor } from '@tessera/core';

const GUMBEL_SOFTMAX_OPTIONS: OptionNames<GumbelSoftmaxOptions> = { tau: true, hard: true, dim: true, rng: true, generator: true };

export interface GumbelSoftmaxOptions extends NoiseOptions {
  /** The temperature. Default 1. */
  readonly tau?: number;
  /** Gives one-hot codes, with the gradient of the soft ones. Default false. */
  readonly hard?: boolean;
  /** Default −1. */
  readonly dim?: number;
}

/** −log E for E exponential: drawn on the host as PyTorch does, or made on the device. */
function gumbel(like: Tensor, options: NoiseOptions): Tensor {
  if (options.rng !== 'torch') return philoxUniform(like.shape, like.dtype, like.device, options).neg().log1p().neg().log().neg();
  const generator = options.generator ?? runtimes.current.generator;
  const values = like.dtype === 'float64' ? new Float64Array(like.numel()) : new Float32Array(like.numel());
  return fromHost(generator.exponential(values), like.shape, like.dtype, like.device).log().neg();
}

/**
 * softmax((logits + g) / τ) with Gumbel noise g (Jang et al., 2016; Maddison et al., 2016). PyTorch: F.gumbel_softmax.
 * @example gumbelSoftmax(logits, { tau: 0.5, hard: true })
 */
export function gumbelSoftmax(logits: Tensor, options: GumbelSoftmaxOptions = {}): Tensor {
  checkOptions('gumbelSoftmax', options, GUMBEL_SOFTMAX_OPTIONS);
  const { tau = 1, hard = false, dim = -1 } = options;
  const soft = softmax(logits.add(gumbel(logits.detach(), options)).div(tau), dim);
  if (!hard) return soft;
  const place = soft.detach().argmax(dim, { keepdim: true });
  const code = soft.detach().mul(0).scatter(dim, place, 1);
  return code.sub(soft.detach()).add(soft);
}
