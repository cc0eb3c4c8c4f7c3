/** @file Numbers of events, drawn on the host with PyTorch's CPU numbers: Poisson and binomial samples of the parameters that tensors give. */
import { DTypeError, ValueError } from '../errors.js';
import { runtimes } from '../plugin/runtime.js';
import type { FloatArray } from '../random/generator.js';
import { isFloat } from '../tensor/dtype.js';
import { broadcastShapes } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { cast } from './cast.js';
import { fromHost } from './creation.js';
import { zerosOf } from './fill.js';
import type { DrawOptions } from './random-ops.js';
import { OPS } from './registry.js';
import { attach, recording } from './result.js';
import { expand } from './view.js';
import { checkOptions, type OptionNames } from '../options.js';

const DRAW_OPTIONS: OptionNames<DrawOptions> = { generator: true };

OPS.set('poisson', { name: 'poisson', inputs: 1, differentiable: true });
/**
 * A number of events at each rate that `x` gives, of the dtype of `x`. The gradient is 0. PyTorch: torch.poisson.
 *
 * @throws DTypeError `ERR_DTYPE` unless `x` is of a floating dtype; ValueError `ERR_RANDOM_RANGE` where a rate is negative;
 *   NotSupportedError `ERR_SYNC_READ` where the device cannot wait: use `poissonAsync`.
 * @example poisson(full([3], 4)) // tensor([3., 6., 4.])
 */
export function poisson(x: Tensor, options: DrawOptions = {}): Tensor {
  checkOptions('poisson', options, DRAW_OPTIONS);
  return drawPoisson(x, parameters('poisson', x).data() as FloatArray, options);
}
/** The same on any device. */
export async function poissonAsync(x: Tensor, options: DrawOptions = {}): Promise<Tensor> {
  checkOptions('poissonAsync', options, DRAW_OPTIONS);
  return drawPoisson(x, (await parameters('poisson', x).dataAsync()) as FloatArray, options);
}

function drawPoisson(x: Tensor, rates: FloatArray, options: DrawOptions): Tensor {
  const negative = rates.find((rate) => !(rate >= 0));
  if (negative !== undefined)
    throw new ValueError('ERR_RANDOM_RANGE', `poisson: invalid Poisson rate, expected rate to be non-negative, not ${negative}`, {
      op: 'poisson',
    });
  const generator = options.generator ?? runtimes.current.generator;
  const out = cast(
    fromHost(generator.poisson(rates.slice(), rates), x.shape, x.dtype === 'float64' ? 'float64' : 'float32', x.device),
    x.dtype,
  );
  if (recording(x)) attach(out, 'PoissonBackward0', [x], (grad) => [zerosOf(grad, x.shape)]);
  return out;
}

OPS.set('binomial', { name: 'binomial', inputs: 2, differentiable: false });
/**
 * Successes of `count` trials that each succeed with probability `prob`; both broadcast, and have one floating dtype. PyTorch: torch.binomial.
 *
 * @throws DTypeError `ERR_DTYPE`; ShapeError `ERR_BROADCAST`; NotSupportedError `ERR_SYNC_READ` where the device cannot wait: use `binomialAsync`.
 * @example binomial(tensor([10, 100]), tensor([0.5, 0.1])) // tensor([ 4., 11.])
 */
export function binomial(count: Tensor, prob: Tensor, options: DrawOptions = {}): Tensor {
  checkOptions('binomial', options, DRAW_OPTIONS);
  const [counts, probabilities] = trials(count, prob);
  return drawBinomial(counts, counts.data() as FloatArray, probabilities.data() as FloatArray, count, options);
}
/** The same on any device. */
export async function binomialAsync(count: Tensor, prob: Tensor, options: DrawOptions = {}): Promise<Tensor> {
  checkOptions('binomialAsync', options, DRAW_OPTIONS);
  const [counts, probabilities] = trials(count, prob);
  const [c, p] = await Promise.all([counts.dataAsync(), probabilities.dataAsync()]);
  return drawBinomial(counts, c as FloatArray, p as FloatArray, count, options);
}

function trials(count: Tensor, prob: Tensor): [Tensor, Tensor] {
  if (count.dtype !== prob.dtype)
    throw new DTypeError('ERR_DTYPE', `binomial: count is ${count.dtype} and prob is ${prob.dtype}; they must have one dtype`, {
      op: 'binomial',
      dtypes: [count.dtype, prob.dtype],
    });
  const shape = broadcastShapes(count.shape, prob.shape, 'binomial');
  return [parameters('binomial', expand(count, shape)), parameters('binomial', expand(prob, shape))];
}

function drawBinomial(
  like: Tensor,
  counts: FloatArray,
  probabilities: FloatArray,
  { dtype, device }: Tensor,
  options: DrawOptions,
): Tensor {
  const generator = options.generator ?? runtimes.current.generator;
  const drawn = generator.binomial(counts.slice(), counts, probabilities);
  return cast(fromHost(drawn, like.shape, like.dtype, device), dtype);
}

/** A tensor of parameters to read: half ones as float32. */
function parameters(op: string, x: Tensor): Tensor {
  if (!isFloat(x.dtype)) throw new DTypeError('ERR_DTYPE', `${op}: takes a floating dtype, not ${x.dtype}`, { op, dtypes: [x.dtype] });
  return cast(x.detach(), x.dtype === 'float64' ? 'float64' : 'float32');
}
