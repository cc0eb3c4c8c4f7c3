/** @file Weights whose spread follows their fans, so that signals neither grow nor fade with depth. */
import type { Tensor } from '@tessera/core';
import { calculateFans, calculateGain, type FanMode, fanOf, type Nonlinearity } from './fan.js';
import { type InitOptions, normal_, uniform_ } from './fill.js';
import { checkOptions, type OptionNames } from '@tessera/core';

const KAIMING_OPTIONS: OptionNames<KaimingOptions> = { a: true, mode: true, nonlinearity: true, generator: true };
const INIT_OPTIONS: OptionNames<InitOptions> = { generator: true };

export interface KaimingOptions extends InitOptions {
  /** The slope below 0 of the leaky ReLU that follows. Default 0. */
  readonly a?: number;
  /** Default 'fan_in'. */
  readonly mode?: FanMode;
  /** Default 'leaky_relu'. */
  readonly nonlinearity?: Nonlinearity;
}

function xavierStd(tensor: Tensor, gain: number): number {
  const { fanIn, fanOut } = calculateFans(tensor);
  return gain * Math.sqrt(2 / (fanIn + fanOut));
}

function kaimingStd(tensor: Tensor, { a = 0, mode = 'fan_in', nonlinearity = 'leaky_relu' }: KaimingOptions): number {
  return calculateGain(nonlinearity, a) / Math.sqrt(fanOf(tensor, mode));
}

/** Uniform in ±gain·√(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010). PyTorch: nn.init.xavier_uniform_. @throws ShapeError `ERR_INIT_RANK`. */
export function xavierUniform_<T extends Tensor>(tensor: T, gain = 1, options: InitOptions = {}): T {
  checkOptions('xavierUniform_', options, INIT_OPTIONS);
  const bound = Math.sqrt(3) * xavierStd(tensor, gain);
  return uniform_(tensor, -bound, bound, options);
}

/** Normal with std gain·√(2 / (fan_in + fan_out)). PyTorch: nn.init.xavier_normal_. */
export const xavierNormal_ = <T extends Tensor>(tensor: T, gain = 1, options: InitOptions = {}): T => {
  checkOptions('xavierNormal_', options, INIT_OPTIONS);
  return normal_(tensor, 0, xavierStd(tensor, gain), options);
};

/**
 * Uniform in ±gain·√(3 / fan) (He et al., 2015). A tensor without elements stays as it is. PyTorch: nn.init.kaiming_uniform_.
 * @throws ShapeError `ERR_INIT_RANK`; ValueError `ERR_INIT_OPTION`.
 */
export function kaimingUniform_<T extends Tensor>(tensor: T, options: KaimingOptions = {}): T {
  checkOptions('kaimingUniform_', options, KAIMING_OPTIONS);
  if (tensor.shape.includes(0)) return tensor;
  const bound = Math.sqrt(3) * kaimingStd(tensor, options);
  return uniform_(tensor, -bound, bound, { generator: options.generator });
}

/** Normal with std gain / √fan. PyTorch: nn.init.kaiming_normal_. */
export function kaimingNormal_<T extends Tensor>(tensor: T, options: KaimingOptions = {}): T {
  checkOptions('kaimingNormal_', options, KAIMING_OPTIONS);
  return tensor.shape.includes(0) ? tensor : normal_(tensor, 0, kaimingStd(tensor, options), { generator: options.generator });
}
