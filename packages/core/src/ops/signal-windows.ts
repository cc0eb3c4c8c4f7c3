/** @file Window functions of signal processing, computed on the host in float64. PyTorch: torch.signal.windows. */
import { DTypeError, ValueError } from '../errors.js';
import { toDevice } from '../plugin/runtime.js';
import type { Tensor } from '../tensor/tensor.js';
import { fromHost, type TensorOptions } from './creation.js';
import { checkOptions, type OptionNames } from '../options.js';

const EXPONENTIAL_WINDOW_OPTIONS: OptionNames<ExponentialWindowOptions> = {
  center: true,
  tau: true,
  sym: true,
  dtype: true,
  device: true,
  requiresGrad: true,
};
const GAUSSIAN_WINDOW_OPTIONS: OptionNames<GaussianWindowOptions> = { std: true, sym: true, dtype: true, device: true, requiresGrad: true };
const KAISER_WINDOW_OPTIONS: OptionNames<KaiserWindowOptions> = { beta: true, sym: true, dtype: true, device: true, requiresGrad: true };
const WINDOW_OPTIONS: OptionNames<WindowOptions> = { sym: true, dtype: true, device: true, requiresGrad: true };
const GENERAL_HAMMING_OPTIONS: OptionNames<GeneralHammingOptions> = {
  alpha: true,
  sym: true,
  dtype: true,
  device: true,
  requiresGrad: true,
};

export interface WindowOptions extends Omit<TensorOptions, 'dtype'> {
  /** Symmetric, for filters (the default); false: periodic, one point of a longer window left out, for spectra. */
  readonly sym?: boolean;
  /** Default float32. */
  readonly dtype?: 'float32' | 'float64';
}

/** `size` values of a formula. @throws ValueError `ERR_WINDOW`; DTypeError `ERR_DTYPE` */
function window(op: string, size: number, options: WindowOptions, value: (i: number) => number): Tensor {
  if (!(Number.isInteger(size) && size >= 0))
    throw new ValueError('ERR_WINDOW', `${op}: ${op} requires non-negative window length, got M=${size}`, { op });
  const { dtype = 'float32' } = options;
  if (dtype !== 'float32' && dtype !== 'float64')
    throw new DTypeError('ERR_DTYPE', `${op}: ${op} expects float32 or float64 dtypes, got: ${String(dtype)}`, { op, dtypes: [dtype] });
  const out = fromHost(
    Float64Array.from({ length: size }, (_, i) => value(i)),
    [size],
    dtype,
    toDevice(options.device),
  );
  return options.requiresGrad === true ? out.requiresGrad_() : out;
}

/** How many steps the window is long: a periodic one has one more than a symmetric one. */
const steps = (size: number, { sym = true }: WindowOptions): number => (sym || size <= 1 ? size - 1 : size);

function positive(op: string, name: string, x: number): void {
  if (!(x > 0)) throw new ValueError('ERR_WINDOW', `${op}: ${name} must be positive, got: ${x} instead.`, { op });
}

export interface ExponentialWindowOptions extends WindowOptions {
  /** Where it is 1; the middle by default, which symmetric windows must have. */
  readonly center?: number | null;
  /** The decay. Default 1. */
  readonly tau?: number;
}
/** e^(−|n − center| / τ). PyTorch: torch.signal.windows.exponential. */
export function exponential(size: number, options: ExponentialWindowOptions = {}): Tensor {
  checkOptions('exponential', options, EXPONENTIAL_WINDOW_OPTIONS);
  const { tau = 1, sym = true } = options;
  positive('exponential', 'Tau', tau);
  if (sym && options.center !== undefined && options.center !== null)
    throw new ValueError('ERR_WINDOW', 'exponential: Center must be None for symmetric windows', { op: 'exponential' });
  const center = options.center ?? steps(size, options) / 2;
  return window('exponential', size, options, (i) => Math.exp(-Math.abs(i - center) / tau));
}

/** sin(π (n + ½) / size). PyTorch: torch.signal.windows.cosine. */
export const cosine = (size: number, options: WindowOptions = {}): Tensor =>
  window('cosine', size, checkOptions('cosine', options, WINDOW_OPTIONS), (i) =>
    Math.sin((Math.PI * (i + 0.5)) / (steps(size, options) + 1)),
  );

export interface GaussianWindowOptions extends WindowOptions {
  /** Default 1. */
  readonly std?: number;
}
/** e^(−((n − center) / std)² / 2). PyTorch: torch.signal.windows.gaussian. */
export function gaussian(size: number, options: GaussianWindowOptions = {}): Tensor {
  checkOptions('gaussian', options, GAUSSIAN_WINDOW_OPTIONS);
  const { std = 1 } = options;
  positive('gaussian', 'Standard deviation', std);
  const center = steps(size, options) / 2;
  return window('gaussian', size, options, (i) => Math.exp(-(((i - center) / std) ** 2) / 2));
}

export interface KaiserWindowOptions extends WindowOptions {
  /** The shape. Default 12. */
  readonly beta?: number;
}
/** I₀(√(β² − k²)) / I₀(β), k from −β to β. PyTorch: torch.signal.windows.kaiser. */
export function kaiser(size: number, options: KaiserWindowOptions = {}): Tensor {
  checkOptions('kaiser', options, KAISER_WINDOW_OPTIONS);
  const { beta = 12 } = options;
  if (!(beta >= 0)) throw new ValueError('ERR_WINDOW', `kaiser: beta must be non-negative, got: ${beta} instead.`, { op: 'kaiser' });
  const whole = bessel0(beta);
  return window('kaiser', size, options, (i) => {
    if (size === 1) return 1;
    const k = Math.min(beta, -beta + (2 * beta * i) / steps(size, options));
    return bessel0(Math.sqrt(Math.max(0, beta * beta - k * k))) / whole;
  });
}

/** I₀(x) = Σ ((x/2)^k / k!)², whose terms are all positive. */
function bessel0(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 2 ** -54; k++) {
    term *= (x / 2 / k) ** 2;
    sum += term;
  }
  return sum;
}

/** 1 − |k|, k from −1 to 1: a triangle. PyTorch: torch.signal.windows.bartlett. */
export const bartlett = (size: number, options: WindowOptions = {}): Tensor =>
  window('bartlett', size, checkOptions('bartlett', options, WINDOW_OPTIONS), (i) =>
    size === 1 ? 1 : 1 - Math.abs((2 * i) / steps(size, options) - 1),
  );

export interface GeneralCosineOptions extends WindowOptions {
  /** The factors of the cosines, from the constant on. */
  readonly a: readonly number[];
}
/** Σ (−1)^j a_j cos(2π j n / N). PyTorch: torch.signal.windows.general_cosine. @throws ValueError `ERR_WINDOW` */
export const generalCosine = (size: number, options: GeneralCosineOptions): Tensor => cosines('generalCosine', size, options, options.a);

function cosines(op: string, size: number, options: WindowOptions, a: readonly number[]): Tensor {
  if (!Array.isArray(a)) throw new ValueError('ERR_WINDOW', `${op}: Coefficients must be a list/tuple`, { op });
  if (a.length === 0) throw new ValueError('ERR_WINDOW', `${op}: Coefficients cannot be empty`, { op });
  // Terms cancel at the ends: rounded as PyTorch rounds them, in the dtype of the result.
  const round = options.dtype === 'float64' ? (x: number): number => x : Math.fround;
  return window(op, size, options, (i) => {
    if (size === 1) return 1;
    const angle = (2 * Math.PI * i) / steps(size, options);
    return a.reduce((sum, weight, j) => round(sum + round(round(j % 2 === 0 ? weight : -weight) * round(Math.cos(j * angle)))), 0);
  });
}

export interface GeneralHammingOptions extends WindowOptions {
  /** Default 0.54. */
  readonly alpha?: number;
}
/** α − (1 − α) cos(2πn / N). PyTorch: torch.signal.windows.general_hamming. */
export const generalHamming = (size: number, options: GeneralHammingOptions = {}): Tensor =>
  cosines('generalHamming', size, checkOptions('generalHamming', options, GENERAL_HAMMING_OPTIONS), [
    options.alpha ?? 0.54,
    1 - (options.alpha ?? 0.54),
  ]);
/** The general one with α = 0.54. PyTorch: torch.signal.windows.hamming. */
export const hamming = (size: number, options: WindowOptions = {}): Tensor =>
  cosines('hamming', size, checkOptions('hamming', options, WINDOW_OPTIONS), [0.54, 0.46]);
/** The general one with α = 0.5. PyTorch: torch.signal.windows.hann. */
export const hann = (size: number, options: WindowOptions = {}): Tensor =>
  cosines('hann', size, checkOptions('hann', options, WINDOW_OPTIONS), [0.5, 0.5]);
/** PyTorch: torch.signal.windows.blackman. */
export const blackman = (size: number, options: WindowOptions = {}): Tensor =>
  cosines('blackman', size, checkOptions('blackman', options, WINDOW_OPTIONS), [0.42, 0.5, 0.08]);
/** The 4-term one after Nuttall (1981). PyTorch: torch.signal.windows.nuttall. */
export const nuttall = (size: number, options: WindowOptions = {}): Tensor =>
  cosines('nuttall', size, checkOptions('nuttall', options, WINDOW_OPTIONS), [0.3635819, 0.4891775, 0.1365995, 0.0106411]);
