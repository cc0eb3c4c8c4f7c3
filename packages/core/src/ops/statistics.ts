/** @file Variance and its kin, logsumexp, covariance. Variances take two passes: the mean first, then the squares of what is left. */
import { DTypeError } from '../errors.js';
import { type DType, floatDType, isFloat } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { castValue, narrow, type Value } from '../tensor/value.js';
import { cast } from './cast.js';
import { e } from './expression.js';
import { filled } from './fill.js';
import { mean } from './reduce.js';
import { computeValue, countOf, type Dims, type ReduceOptions, reduceTo, reducedDims, reducedShape, restoreDims, withKeptDims } from './reduction.js';
import { OPS } from './registry.js';
import { attach, recording, wrap } from './result.js';

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

function variance(name: 'var' | 'std', x: Tensor, dim: Dims, options: VarianceOptions): Tensor {
  if (!isFloat(x.dtype)) throw new DTypeError('ERR_DTYPE', `${name}: std and var only support floating point and complex dtypes, not ${x.dtype}`, { op: name, dtypes: [x.dtype] });
  const dims = reducedDims(dim, x.ndim, name);
  const keepdim = options.keepdim ?? false;
  const correction = correctionOf(options);
  const freedom = Math.max(countOf(x.shape, dims) - correction, 0);
  // A deviation may be a number where its square is beyond float32: float64 serves where there is one, as in PyTorch.
  const wide = name === 'std' && x.dtype === 'float32' && x.device.backend.capabilities.dtypes.includes('float64');
  const spread = e.div(squaresAbout(wide ? castValue(x.value, 'float64') : computeValue(x), dims, keepdim), freedom);
  const out = wrap(castValue(name === 'var' ? spread : e.sqrt(spread), x.dtype));
  if (recording(x)) {
    if (name === 'var') attach(out, 'VarBackward0', [x], (grad, node) => [varianceGradient(grad, node.saved(0), dims, keepdim, correction)]).save(x);
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
const varianceOf = (x: Tensor, dim?: Dims, options: VarianceOptions = {}): Tensor => variance('var', x, dim, options);
export { varianceOf as var };

OPS.set('std', { name: 'std', inputs: 1, differentiable: true });
/** The square root of the variance over dims (all by default). PyTorch: torch.std. */
export const std = (x: Tensor, dim?: Dims, options: VarianceOptions = {}): Tensor => variance('std', x, dim, options);

OPS.set('varMean', { name: 'varMean', inputs: 1, differentiable: true });
/** `[variance, mean]`. PyTorch: torch.var_mean. */
export const varMean = (x: Tensor, dim?: Dims, options: VarianceOptions = {}): [variance: Tensor, mean: Tensor] => [variance('var', x, dim, options), mean(x, dim, { keepdim: options.keepdim ?? false })];

OPS.set('stdMean', { name: 'stdMean', inputs: 1, differentiable: true });
/** `[standard deviation, mean]`. PyTorch: torch.std_mean. */
export const stdMean = (x: Tensor, dim?: Dims, options: VarianceOptions = {}): [std: Tensor, mean: Tensor] => [variance('std', x, dim, options), mean(x, dim, { keepdim: options.keepdim ?? false })];

OPS.set('logsumexp', { name: 'logsumexp', inputs: 1, differentiable: true });
/** ln Σ e^x over dims, without overflow: m + ln Σ e^(x − m), m the largest where it is finite. PyTorch: torch.logsumexp. */
export function logsumexp(x: Tensor, dim?: Dims, options: ReduceOptions = {}): Tensor {
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
