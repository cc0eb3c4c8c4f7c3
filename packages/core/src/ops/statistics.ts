/** @file Variance and its kin, logsumexp, covariance. Variances take two passes: the mean first, then the squares of what is left. */
import { asFloat32 } from '../amp/policy.js';
import { autocasting } from '../amp/state.js';
import { DTypeError, ShapeError, ValueError } from '../errors.js';
import { type DType, floatDType, isFloat } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { castValue, narrow, type Value } from '../tensor/value.js';
import { cast } from './cast.js';
import { e } from './expression.js';
import { filled } from './fill.js';
import { mean } from './reduce.js';
import {
  computeValue,
  countOf,
  type Dims,
  type ReduceOptions,
  reduceTo,
  reducedDims,
  reducedShape,
  restoreDims,
  withKeptDims,
} from './reduction.js';
import { OPS } from './registry.js';
import { attach, recording, wrap } from './result.js';
import { checkOptions, type OptionNames } from '../options.js';

const REDUCE_OPTIONS: OptionNames<ReduceOptions> = { keepdim: true };
const COV_OPTIONS: OptionNames<CovOptions> = { correction: true, fweights: true, aweights: true };
const VARIANCE_OPTIONS: OptionNames<VarianceOptions> = { correction: true, unbiased: true, keepdim: true };

export interface VarianceOptions extends ReduceOptions {
  /** Divide by n − correction. Default 1 (Bessel's). */
  readonly correction?: number | null;
  /** false: correction 0. */
  readonly unbiased?: boolean;
}

const correctionOf = (options: VarianceOptions): number => options.correction ?? (options.unbiased === false ? 0 : 1);

/** The sum of squares about the mean. */
function squaresAbout(value: Value, dims: readonly number[], keepdim: boolean): Value {
  const centred = e.sub(value, e.div(reduceTo('sum', value, dims, true, 0), countOf(value.shape, dims)));
  return reduceTo('sum', e.mul(centred, centred), dims, keepdim, 0);
}

/** dVar/dx = 2 (x − mean) / (n − correction). */
function varianceGradient(grad: Tensor, x: Tensor, dims: readonly number[], keepdim: boolean, correction: number): Tensor {
  const average = mean(x, dims, { keepdim: true });
  const g = restoreDims(grad, x.shape, dims, keepdim);
  const freedom = countOf(x.shape, dims) - correction;
  if (freedom > 0) return g.mul(2 / freedom).mul(x.sub(average));
  // Infinite where there is a deviation, as in PyTorch.
  return g.mul(filled(x.shape, Infinity, x.dtype, x.device).maskedFill(x.eq(average), NaN));
}

/** A power of two that takes the square of the largest float32 back among the numbers. */
const SHRINK = 2 ** 70;

function variance(name: 'var' | 'std', x: Tensor, dim: Dims, options: VarianceOptions): Tensor {
  if (!isFloat(x.dtype))
    throw new DTypeError('ERR_DTYPE', `${name}: needs a floating dtype, not ${x.dtype}: write x.float().${name}(…)`, {
      op: name,
      dtypes: [x.dtype],
    });
  const dims = reducedDims(dim, x.ndim, name);
  const keepdim = options.keepdim ?? false;
  const correction = correctionOf(options);
  const freedom = Math.max(countOf(x.shape, dims) - correction, 0);
  // A deviation may be a number where its square is beyond float32: float64 serves where there is one, as in PyTorch.
  const wide = name === 'std' && x.dtype === 'float32' && x.device.backend.capabilities.dtypes.includes('float64');
  // Without it, what overflowed is computed again from a smaller copy.
  const narrowRoot = (squares: Value): Value => {
    if (wide || x.dtype !== 'float32') return e.sqrt(squares);
    const smaller = e.div(squaresAbout(e.mul(computeValue(x), 1 / SHRINK), dims, keepdim), freedom);
    return e.where(e.eq(squares, Infinity), e.mul(e.sqrt(smaller), SHRINK), e.sqrt(squares));
  };
  const spread = e.div(squaresAbout(wide ? castValue(x.value, 'float64') : computeValue(x), dims, keepdim), freedom);
  const out = wrap(castValue(name === 'var' ? spread : narrowRoot(spread), x.dtype));
  if (recording(x)) {
    if (name === 'var')
      attach(out, 'VarBackward0', [x], (grad, node) => [varianceGradient(grad, node.saved(0), dims, keepdim, correction)]).save(x);
    else {
      attach(out, 'StdBackward0', [x], (grad, node) => {
        const std = node.saved(1);
        const halved = grad.div(std.mul(2)).maskedFill(std.eq(0), 0);
        return [varianceGradient(halved, node.saved(0), dims, keepdim, correction)];
      }).save(x, out);
    }
  }
  return out;
}

OPS.set('var', { name: 'var', inputs: 1, differentiable: true });
/** Σ (x − mean)² / max(0, n − correction) over dims (all by default). PyTorch: torch.var. @example x.var(0, { correction: 0 }) */
const varianceOf = (x: Tensor, dim?: Dims, options: VarianceOptions = {}): Tensor =>
  variance('var', x, dim, checkOptions('var', options, VARIANCE_OPTIONS));
export { varianceOf as var };

OPS.set('std', { name: 'std', inputs: 1, differentiable: true });
/** The square root of the variance over dims (all by default). PyTorch: torch.std. */
export const std = (x: Tensor, dim?: Dims, options: VarianceOptions = {}): Tensor =>
  variance('std', x, dim, checkOptions('std', options, VARIANCE_OPTIONS));

OPS.set('varMean', { name: 'varMean', inputs: 1, differentiable: true });
/** `[variance, mean]`. PyTorch: torch.var_mean. */
export const varMean = (x: Tensor, dim?: Dims, options: VarianceOptions = {}): [variance: Tensor, mean: Tensor] => [
  variance('var', x, dim, checkOptions('varMean', options, VARIANCE_OPTIONS)),
  mean(x, dim, { keepdim: options.keepdim ?? false }),
];

OPS.set('stdMean', { name: 'stdMean', inputs: 1, differentiable: true });
/** `[standard deviation, mean]`. PyTorch: torch.std_mean. */
export const stdMean = (x: Tensor, dim?: Dims, options: VarianceOptions = {}): [std: Tensor, mean: Tensor] => [
  variance('std', x, dim, checkOptions('stdMean', options, VARIANCE_OPTIONS)),
  mean(x, dim, { keepdim: options.keepdim ?? false }),
];

OPS.set('logsumexp', { name: 'logsumexp', inputs: 1, differentiable: true });
/** ln Σ e^x over dims, without overflow: m + ln Σ e^(x − m), m the largest where it is finite. PyTorch: torch.logsumexp. */
export function logsumexp(x: Tensor, dim?: Dims, options: ReduceOptions = {}): Tensor {
  checkOptions('logsumexp', options, REDUCE_OPTIONS);
  if (autocasting.on) return asFloat32(logsumexp, x, dim, options);
  const dims = reducedDims(dim, x.ndim, 'logsumexp');
  const keepdim = options.keepdim ?? false;
  const dtype: DType = floatDType(x.dtype);
  const input = cast(x, dtype);
  const value = computeValue(input);
  const finite = (m: Value): Value => e.where(e.eq(e.abs(m), Infinity), 0, m);
  let result: Value;
  if (value.numel === 0) result = e.log(reduceTo('sum', e.exp(value), dims, keepdim, 0));
  else {
    const largest = reduceTo('max', value, dims, keepdim, 0);
    const shifted = e.sub(value, finite(withKeptDims(largest, reducedShape(value.shape, dims, true))));
    result = e.add(e.log(reduceTo('sum', e.exp(shifted), dims, keepdim, 0)), finite(largest));
  }
  const out = wrap(narrow(result, dtype));
  if (recording(input)) {
    attach(out, 'LogsumexpBackward0', [input], (grad, node) => {
      const from = node.saved(0);
      const result = restoreDims(node.saved(1), from.shape, dims, keepdim);
      return [restoreDims(grad, from.shape, dims, keepdim).mul(from.sub(result).exp())];
    }).save(input, out);
  }
  return out;
}

export interface CovOptions {
  /** Default 1. */
  readonly correction?: number;
  /** How often each observation was made (int32). */
  readonly fweights?: Tensor | null;
  /** How much each observation counts. */
  readonly aweights?: Tensor | null;
}

function checkWeights(name: string, w: Tensor, observations: number, floats: boolean): void {
  if (w.ndim > 1)
    throw new ShapeError(
      'ERR_COV',
      `cov: cov(): expected ${name} to have one or fewer dimensions but got ${name} with ${w.ndim} dimensions`,
      { op: 'cov', shapes: [w.shape] },
    );
  if (floats !== isFloat(w.dtype))
    throw new DTypeError(
      'ERR_DTYPE',
      `cov: cov(): expected ${name} to have ${floats ? 'floating point' : 'integral'} dtype but got ${name} with ${w.dtype} dtype`,
      { op: 'cov', dtypes: [w.dtype] },
    );
  if (w.numel() !== observations)
    throw new ShapeError(
      'ERR_COV',
      `cov: cov(): expected ${name} to have the same numel as there are observations in the input but got ${w.numel()} != ${observations}`,
      { op: 'cov', shapes: [w.shape] },
    );
  // Only where that can be seen at once; elsewhere negative weights are the caller's.
  if (
    w.device.syncRead &&
    w
      .detach()
      .data()
      .some((value) => value < 0)
  )
    throw new ValueError('ERR_COV', `cov: cov(): ${name} cannot be negative`, { op: 'cov' });
}

OPS.set('cov', { name: 'cov', inputs: 1, differentiable: true });
/** The covariances of variables (rows) over observations (columns). PyTorch: torch.cov. @throws ShapeError, DTypeError */
export function cov(x: Tensor, options: CovOptions = {}): Tensor {
  checkOptions('cov', options, COV_OPTIONS);
  const { correction = 1, fweights = null, aweights = null } = options;
  if (x.ndim > 2)
    throw new ShapeError(
      'ERR_RANK',
      `cov: cov(): expected input to have two or fewer dimensions but got an input with ${x.ndim} dimensions`,
      { op: 'cov', shapes: [x.shape] },
    );
  if (x.dtype === 'bool')
    throw new DTypeError('ERR_DTYPE', 'cov: cov(): bool dtype is not supported for input', { op: 'cov', dtypes: ['bool'] });
  const rows = x.ndim < 2 ? x.reshape([1, -1]) : x;
  const observations = rows.shape[1]!;
  const data = isFloat(rows.dtype) ? rows : cast(rows, 'float32');
  if (fweights !== null) checkWeights('fweights', fweights, observations, false);
  if (aweights !== null) checkWeights('aweights', aweights, observations, true);
  const both = fweights === null ? aweights : aweights === null ? fweights : fweights.mul(aweights);
  const weights = both === null ? null : cast(both.reshape([-1]), data.dtype);
  if (observations === 0) return squeezed(filled([rows.shape[0]!, rows.shape[0]!], NaN, data.dtype, x.device), x);
  const total = weights === null ? null : weights.sum();
  const average = (weights === null ? data.sum(1) : data.mul(weights).sum(1)).div(total ?? observations);
  let freedom: Tensor | number;
  if (weights === null) freedom = Math.max(observations - correction, 0);
  else if (correction === 0) freedom = total!;
  else
    freedom = total!
      .sub(aweights === null ? correction : cast(aweights, data.dtype).mul(weights).sum().div(total!).mul(correction))
      .clamp({ min: 0 });
  const centred = data.sub(average.unsqueeze(1));
  const product = centred.matmul((weights === null ? centred : centred.mul(weights)).t());
  return squeezed(product.div(freedom), x);
}

/** Of one variable the covariance is a number. */
const squeezed = (c: Tensor, x: Tensor): Tensor => (x.ndim < 2 || x.shape[0] === 1 ? c.squeeze() : c);

OPS.set('corrcoef', { name: 'corrcoef', inputs: 1, differentiable: true });
/** Pearson's correlations of variables (rows) over observations (columns). PyTorch: torch.corrcoef. */
export function corrcoef(x: Tensor): Tensor {
  if (x.ndim > 2)
    throw new ShapeError(
      'ERR_RANK',
      `corrcoef: corrcoef(): expected input to have two or fewer dimensions but got an input with ${x.ndim} dimensions`,
      { op: 'corrcoef', shapes: [x.shape] },
    );
  const c = cov(x);
  if (c.ndim === 0) return c.div(c);
  const deviation = c.diagonal().sqrt();
  return c.div(deviation.unsqueeze(1)).div(deviation.unsqueeze(0)).clamp({ min: -1, max: 1 });
}
