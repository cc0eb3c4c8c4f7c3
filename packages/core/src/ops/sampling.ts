/** @file Samples from distributions that tensors give. */
import { DTypeError, ShapeError, ValueError } from '../errors.js';
import { runtimes } from '../plugin/runtime.js';
import type { Generator } from '../random/generator.js';
import { isFloat } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { castValue } from '../tensor/value.js';
import { fromHost } from './creation.js';
import { e } from './expression.js';
import { zerosOf } from './fill.js';
import { drawsOnHost, type NoiseOptions, philoxUniform } from './nn/noise.js';
import { OPS } from './registry.js';
import { attach, recording, wrap } from './result.js';
import { checkOptions, type OptionNames } from '../options.js';

const BERNOULLI_OPTIONS: OptionNames<BernoulliOptions> = { p: true, rng: true, generator: true };
const MULTINOMIAL_OPTIONS: OptionNames<MultinomialOptions> = { replacement: true, generator: true };

export interface BernoulliOptions extends NoiseOptions {
  /** One probability for all elements, in place of those that the tensor gives. */
  readonly p?: number;
}

OPS.set('bernoulli', { name: 'bernoulli', inputs: 1, differentiable: true });
/**
 * 1 with the probability that each element of `x` gives (or with `p`), else 0; of the dtype of `x`. Probabilities below 0 count as 0, above 1
 * as 1. The gradient is 0, as PyTorch has it. PyTorch: torch.bernoulli.
 */
export function bernoulli(x: Tensor, options: BernoulliOptions = {}): Tensor {
  checkOptions('bernoulli', options, BERNOULLI_OPTIONS);
  const { p } = options;
  if (p === undefined && !isFloat(x.dtype))
    throw new DTypeError('ERR_DTYPE', `bernoulli: takes probabilities of a floating point dtype, not ${x.dtype}`, {
      op: 'bernoulli',
      dtypes: [x.dtype],
    });
  if (p !== undefined && !(p >= 0 && p <= 1))
    throw new ValueError('ERR_RANDOM_P', `bernoulli: expects p to be in [0, 1], but got p=${p}`, { op: 'bernoulli' });
  const wide = x.dtype === 'float64' || p !== undefined;
  const uniform = drawsOnHost('bernoulli', options)
    ? uniformLike(x, wide, options)
    : philoxUniform(x.shape, x.dtype === 'float64' ? 'float64' : 'float32', x.device, options);
  const probability = p ?? castValue(x.detach().value, uniform.dtype);
  const out = wrap(castValue(e.lt(uniform.value, probability), x.dtype));
  if (recording(x)) attach(out, 'BernoulliBackward0', [x], (grad) => [zerosOf(grad, x.shape)]);
  return out;
}

/** Uniform numbers from the host. Those of 53 bits are compared with one probability there, where every device can. */
function uniformLike(x: Tensor, wide: boolean, options: BernoulliOptions): Tensor {
  const generator = options.generator ?? runtimes.current.generator;
  const values = generator.uniform(wide ? new Float64Array(x.numel()) : new Float32Array(x.numel()));
  if (options.p === undefined) return fromHost(values, x.shape, wide ? 'float64' : 'float32', x.device);
  const { p } = options;
  return fromHost(
    values.map((u) => (u < p ? -1 : 2)),
    x.shape,
    'float32',
    x.device,
  );
}

export interface MultinomialOptions {
  /** May a category be drawn again? Default false. */
  readonly replacement?: boolean;
  /** Default: the runtime's. */
  readonly generator?: Generator;
}

OPS.set('multinomial', { name: 'multinomial', inputs: 1, differentiable: false });
/**
 * `count` categories (int32) drawn with the weights that a vector, or each row of a matrix, gives; the weights need not sum to 1. Drawn on the
 * host, with PyTorch's CPU numbers. PyTorch: torch.multinomial.
 *
 * @throws ShapeError `ERR_RANK`; ValueError `ERR_MULTINOMIAL`; NotSupportedError `ERR_SYNC_READ` where the device cannot wait: use `multinomialAsync`.
 * @example multinomial(tensor([0, 10, 3, 0]), 2) // tensor([1, 2], dtype=int32), or [2, 1]
 */
export function multinomial(x: Tensor, count: number, options: MultinomialOptions = {}): Tensor {
  checkOptions('multinomial', options, MULTINOMIAL_OPTIONS);
  checkMultinomial(x, count, options);
  return drawCategories(x, x.detach().data(), count, options);
}
/** The same on any device. */
export async function multinomialAsync(x: Tensor, count: number, options: MultinomialOptions = {}): Promise<Tensor> {
  checkOptions('multinomialAsync', options, MULTINOMIAL_OPTIONS);
  checkMultinomial(x, count, options);
  return drawCategories(x, await x.detach().dataAsync(), count, options);
}

const refuse = (why: string): never => {
  throw new ValueError('ERR_MULTINOMIAL', `multinomial: ${why}`, { op: 'multinomial' });
};

function checkMultinomial(x: Tensor, count: number, { replacement = false }: MultinomialOptions): void {
  const details = { op: 'multinomial', shapes: [x.shape], dtypes: [x.dtype] };
  if (x.ndim !== 1 && x.ndim !== 2) throw new ShapeError('ERR_RANK', 'multinomial: prob_dist must be 1 or 2 dim', details);
  if (!isFloat(x.dtype))
    throw new DTypeError('ERR_DTYPE', `multinomial: only supports floating-point dtypes for input, got: ${x.dtype}`, details);
  if (!(Number.isInteger(count) && count > 0)) refuse('cannot sample n_sample <= 0 samples');
  if (!replacement && count > x.shape.at(-1)!) refuse('cannot sample n_sample > prob_dist.size(-1) samples without replacement');
}

function drawCategories(x: Tensor, weights: ArrayLike<number>, count: number, options: MultinomialOptions): Tensor {
  const categories = x.shape.at(-1)!;
  const rows = x.ndim === 2 ? x.shape[0]! : 1;
  const generator = options.generator ?? runtimes.current.generator;
  const wide = x.dtype === 'float64';
  const out = new Int32Array(rows * count);
  if (options.replacement === true && count > 1) {
    for (let r = 0; r < rows; r++) {
      const sums = runningShares(weights, r * categories, categories, wide);
      const draws = generator.uniform(new Float64Array(count));
      draws.forEach((u, k) => (out[r * count + k] = firstAtLeast(sums, u)));
    }
  } else {
    checkWeights(weights, rows, categories);
    // The largest of weight / Exp(1) is a sample (the Gumbel trick), the next one the next.
    const keys = generator.exponential(wide ? new Float64Array(weights.length) : new Float32Array(weights.length));
    for (let i = 0; i < weights.length; i++) keys[i] = weights[i]! / keys[i]!;
    for (let r = 0; r < rows; r++) {
      const order = Array.from({ length: categories }, (_, c) => c).sort(
        (a, b) => keys[r * categories + b]! - keys[r * categories + a]! || a - b,
      );
      out.set(order.slice(0, count), r * count);
    }
  }
  return fromHost(out, x.ndim === 2 ? [rows, count] : [count], 'int32', x.device);
}

function checkWeights(weights: ArrayLike<number>, rows: number, categories: number): void {
  for (let r = 0; r < rows; r++) {
    let sum = 0;
    for (let c = 0; c < categories; c++) {
      const w = weights[r * categories + c]!;
      if (!(w >= 0 && w < Infinity)) refuse('probability tensor contains either `inf`, `nan` or element < 0');
      sum += w;
    }
    if (sum === 0) refuse('invalid multinomial distribution (sum of probabilities <= 0)');
  }
}

/** The sums of a row's weights up to each category, as shares of the whole; rounded as PyTorch's, in the dtype of the weights. */
function runningShares(weights: ArrayLike<number>, start: number, categories: number, wide: boolean): Float32Array | Float64Array {
  const sums = wide ? new Float64Array(categories) : new Float32Array(categories);
  let sum = 0;
  for (let c = 0; c < categories; c++) {
    const w = weights[start + c]!;
    if (!(w >= 0)) refuse('invalid multinomial distribution (encountering probability entry < 0)');
    if (w === Infinity) refuse('invalid multinomial distribution (encountering probability entry = infinity or NaN)');
    sums[c] = sum + w;
    sum = sums[c]!;
  }
  if (!(sum > 0)) refuse('invalid multinomial distribution (sum of probabilities <= 0)');
  for (let c = 0; c < categories; c++) sums[c]! /= sum;
  sums[categories - 1] = 1;
  return sums;
}

/** The first place whose entry is not below `u`. */
function firstAtLeast(sums: ArrayLike<number>, u: number): number {
  let left = 0;
  let right = sums.length;
  while (left < right) {
    const middle = left + Math.floor((right - left) / 2);
    if (sums[middle]! < u) left = middle + 1;
    else right = middle;
  }
  return left;
}
