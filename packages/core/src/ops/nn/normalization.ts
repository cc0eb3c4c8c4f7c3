/** @file Batch, instance, group, layer and root-mean-square norm. */
import { asFloat32 } from '../../amp/policy.js';
import { autocasting } from '../../amp/state.js';
import { ShapeError, ValueError } from '../../errors.js';
import { DTYPE_INFO } from '../../tensor/dtype.js';
import { numelOf, sameShape, type Shape } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { Update } from '../../tensor/update.js';
import { noGrad } from '../../autograd/mode.js';
import { add, mul, sub } from '../arithmetic.js';
import { cast } from '../cast.js';
import { OPS } from '../registry.js';
import { rsqrt } from '../unary-math.js';
import { reshape } from '../view.js';
import { listed } from './geometry.js';
import { normalizeChannels } from './norm-channels.js';
import { normalizeRows } from './norm-rows.js';
import { standardize } from './standardize.js';
import { checkOptions, type OptionNames } from '../../options.js';

const BATCH_NORM_OPTIONS: OptionNames<BatchNormOptions> = { training: true, momentum: true, eps: true };
const EPS_OPTIONS: OptionNames<EpsOptions> = { eps: true };
const INSTANCE_NORM_OPTIONS: OptionNames<InstanceNormOptions> = { useInputStats: true, momentum: true, eps: true };
const RMS_NORM_OPTIONS: OptionNames<RmsNormOptions> = { eps: true };

type Maybe = Tensor | null | undefined;

export interface BatchNormOptions {
  /** Statistics are those of the batch, and the running ones are updated. Default false: the running ones are used. */
  readonly training?: boolean;
  /** What part of the running statistics is replaced. Default 0.1. */
  readonly momentum?: number;
  /** Default 1e-5. */
  readonly eps?: number;
}
export interface InstanceNormOptions {
  /** Statistics are those of each sample and channel; otherwise the running ones. Default true. */
  readonly useInputStats?: boolean;
  readonly momentum?: number;
  readonly eps?: number;
}
export interface EpsOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
}

for (const name of ['batchNorm', 'instanceNorm', 'groupNorm', 'layerNorm', 'rmsNorm'])
  OPS.set(name, { name, inputs: 3, differentiable: true });

/** Halves are normed in float32, as PyTorch does. */
const wide = (x: Tensor): Tensor => cast(x, DTYPE_INFO[x.dtype].compute === 'float64' ? 'float64' : 'float32');

/** A weight or bias in the dtype (and shape) that the norm is made in; null where there is none. */
const like = (t: Maybe, y: Tensor, shape: Shape | null = null): Tensor | null =>
  t === null || t === undefined ? null : cast(shape === null ? t : reshape(t, shape), y.dtype);

/** y · weight + bias, both brought to `shape` first. */
function affine(y: Tensor, weight: Maybe, bias: Maybe, shape: Shape): Tensor {
  let out = y;
  if (weight !== null && weight !== undefined) out = out.mul(cast(reshape(weight, shape), y.dtype));
  if (bias !== null && bias !== undefined) out = out.add(cast(reshape(bias, shape), y.dtype));
  return out;
}

function requireChannels(op: string, x: Tensor, given: readonly (readonly [string, Maybe])[]): void {
  for (const [name, t] of given) {
    if (t !== null && t !== undefined && t.numel() !== x.shape[1])
      throw new ShapeError('ERR_NORM_SHAPE', `${op}: ${name} should contain ${x.shape[1]} elements not ${t.numel()}`, {
        op,
        shapes: [x.shape, t.shape],
      });
  }
}

/** (1 − momentum) · running + momentum · batch, for mean and unbiased variance, in one kernel. */
const runningUpdate = new Update('runningStatistics', 2, (e, [mean, variance, batchMean, batchVariance], [momentum, rest, unbiased]) => [
  e.add(e.mul(mean!, rest!), e.mul(batchMean!, momentum!)),
  e.add(e.mul(variance!, rest!), e.mul(e.mul(batchVariance!, unbiased!), momentum!)),
]);

function updateRunning(runningMean: Maybe, runningVar: Maybe, mean: Tensor, variance: Tensor, momentum: number, count: number): void {
  const unbiased = count / (count - 1);
  const m = reshape(mean, [-1]);
  const v = reshape(variance, [-1]);
  if (runningMean && runningVar && runningMean.dtype === m.dtype && runningVar.dtype === m.dtype) {
    runningUpdate.run([runningMean, runningVar, m, v], [momentum, 1 - momentum, unbiased]);
    return;
  }
  noGrad(() => {
    runningMean?.mul_(1 - momentum).add_(cast(m, runningMean.dtype), { alpha: momentum });
    runningVar?.mul_(1 - momentum).add_(cast(v, runningVar.dtype), { alpha: momentum * unbiased });
  });
}

/** With statistics that are given: (x − mean) · weight / √(var + ε) + bias. */
function withRunning(x: Tensor, mean: Tensor, variance: Tensor, weight: Maybe, bias: Maybe, eps: number, shape: Shape): Tensor {
  const y = wide(x);
  const inverse = rsqrt(add(cast(variance, y.dtype), eps));
  const scale = weight === null || weight === undefined ? inverse : mul(inverse, cast(weight, y.dtype));
  const centred = mul(sub(y, cast(reshape(mean, shape), y.dtype)), reshape(scale, shape));
  return cast(bias === null || bias === undefined ? centred : add(centred, cast(reshape(bias, shape), y.dtype)), x.dtype);
}

/**
 * Normalizes each channel of x (N, C, …) over batch and space: (x − mean) / √(var + ε) · weight + bias. While training, the running
 * statistics move toward the batch's (its variance unbiased). PyTorch: F.batch_norm.
 *
 * @throws ShapeError `ERR_NORM_SHAPE`; ValueError `ERR_NORM_SIZE` for one value a channel while training, `ERR_NORM_STATS`.
 * @example batchNorm(x, runningMean, runningVar, weight, bias, { training: true })
 */
export function batchNorm(
  x: Tensor,
  runningMean: Maybe,
  runningVar: Maybe,
  weight?: Maybe,
  bias?: Maybe,
  options: BatchNormOptions = {},
): Tensor {
  checkOptions('batchNorm', options, BATCH_NORM_OPTIONS);
  const op = 'batchNorm';
  const { training = false, momentum = 0.1, eps = 1e-5 } = options;
  // As PyTorch has it, an empty vector is nothing to normalize.
  if (x.ndim === 1 && x.shape[0] === 0) return x.clone();
  if (x.ndim < 2)
    throw new ShapeError('ERR_NORM_SHAPE', `${op}: expected at least 2D input (got ${x.ndim}D input)`, { op, shapes: [x.shape] });
  requireChannels(op, x, [
    ['running_mean', runningMean],
    ['running_var', runningVar],
    ['weight', weight],
    ['bias', bias],
  ]);
  const channels = x.shape[1]!;
  const shape = [channels, ...x.shape.slice(2).map(() => 1)];
  if (!training) {
    if (!runningMean || !runningVar)
      throw new ValueError('ERR_NORM_STATS', `${op}: Expected running_mean and running_var to be defined when training=False`, { op });
    return withRunning(x, runningMean, runningVar, weight, bias, eps, shape);
  }
  if (x.numel() === 0) return affine(x.clone(), weight, bias, shape);
  const count = x.numel() / channels;
  if (count === 1)
    throw new ValueError(
      'ERR_NORM_SIZE',
      `${op}: Expected more than 1 value per channel when training, got input size ${listed(x.shape)}`,
      { op, shapes: [x.shape] },
    );
  const y = wide(x);
  const { out, mean, variance } = normalizeChannels(y, like(weight, y, [channels]), like(bias, y, [channels]), eps);
  if (runningMean || runningVar) updateRunning(runningMean, runningVar, mean, variance, momentum, count);
  return cast(out, x.dtype);
}

/**
 * Normalizes each channel of each sample of x (N, C, …) over space. Running statistics, where given, move toward the samples' mean.
 * PyTorch: F.instance_norm.
 *
 * @throws ShapeError `ERR_NORM_SHAPE`; ValueError `ERR_NORM_SIZE`, `ERR_NORM_STATS`.
 */
export function instanceNorm(
  x: Tensor,
  runningMean?: Maybe,
  runningVar?: Maybe,
  weight?: Maybe,
  bias?: Maybe,
  options: InstanceNormOptions = {},
): Tensor {
  checkOptions('instanceNorm', options, INSTANCE_NORM_OPTIONS);
  const op = 'instanceNorm';
  const { useInputStats = true, momentum = 0.1, eps = 1e-5 } = options;
  if (x.ndim < 2)
    throw new ShapeError('ERR_NORM_SHAPE', `${op}: expected at least 2D input (got ${x.ndim}D input)`, { op, shapes: [x.shape] });
  requireChannels(op, x, [
    ['running_mean', runningMean],
    ['running_var', runningVar],
    ['weight', weight],
    ['bias', bias],
  ]);
  const spatial = x.shape.slice(2);
  const shape = [x.shape[1]!, ...spatial.map(() => 1)];
  if (!useInputStats) {
    if (!runningMean || !runningVar)
      throw new ValueError('ERR_NORM_STATS', `${op}: Expected running_mean and running_var to be defined when use_input_stats=False`, {
        op,
      });
    return withRunning(x, runningMean, runningVar, weight, bias, eps, shape);
  }
  const count = numelOf(spatial);
  if (count === 1)
    throw new ValueError('ERR_NORM_SIZE', `${op}: Expected more than 1 spatial element when training, got input size ${listed(x.shape)}`, {
      op,
      shapes: [x.shape],
    });
  if (x.numel() === 0) return affine(x.clone(), weight, bias, shape);
  if (!runningMean && !runningVar)
    return cast(affine(normalizeRows(wide(x), spatial.length, null, null, eps, true), weight, bias, shape), x.dtype);
  const { out, mean, variance } = standardize(
    wide(x),
    spatial.map((_, i) => i + 2),
    eps,
    true,
  );
  updateRunning(runningMean, runningVar, mean!.mean(0), variance.mean(0), momentum, count);
  return cast(affine(out, weight, bias, shape), x.dtype);
}

/**
 * Normalizes groups of channels of each sample of x (N, C, …). Weight and bias are (C). PyTorch: F.group_norm.
 * @throws ShapeError `ERR_NORM_SHAPE`; ValueError `ERR_NORM_GROUPS`.
 */
export function groupNorm(x: Tensor, numGroups: number, weight?: Maybe, bias?: Maybe, options: EpsOptions = {}): Tensor {
  checkOptions('groupNorm', options, EPS_OPTIONS);
  if (autocasting.on) return asFloat32(groupNorm, x, numGroups, weight, bias, options);
  const op = 'groupNorm';
  if (x.ndim < 2)
    throw new ShapeError('ERR_NORM_SHAPE', `${op}: Expected at least 2 dimensions for input tensor but received ${x.ndim}`, {
      op,
      shapes: [x.shape],
    });
  const [batch, channels] = x.shape as [number, number];
  if (!Number.isInteger(numGroups) || numGroups < 1)
    throw new ValueError('ERR_NORM_GROUPS', `${op}: Expected num groups to be greater than 0, got ${numGroups}`, { op });
  if (channels % numGroups !== 0) {
    throw new ValueError(
      'ERR_NORM_GROUPS',
      `${op}: Expected number of channels in input to be divisible by num_groups, but got input of shape ${listed(x.shape)} and num_groups=${numGroups}`,
      { op, shapes: [x.shape] },
    );
  }
  requireChannels(op, x, [
    ['weight', weight],
    ['bias', bias],
  ]);
  const spatial = x.shape.slice(2);
  if (x.numel() === 0) return affine(x.clone(), weight, bias, [channels, ...spatial.map(() => 1)]);
  const grouped = reshape(wide(x), [batch, numGroups, channels / numGroups, ...spatial]);
  const out = normalizeRows(grouped, grouped.ndim - 2, null, null, options.eps ?? 1e-5, true);
  return cast(reshape(affine(out, weight, bias, [numGroups, channels / numGroups, ...spatial.map(() => 1)]), x.shape), x.dtype);
}

/** The last sizes, which a norm takes. @throws ShapeError `ERR_NORM_SHAPE` */
function lastSizes(op: string, x: Tensor, sizes: number | Shape, given: readonly (readonly [string, Maybe])[]): Shape {
  const shape = typeof sizes === 'number' ? [sizes] : sizes;
  const details = { op, shapes: [x.shape, shape] };
  if (shape.length === 0)
    throw new ShapeError(
      'ERR_NORM_SHAPE',
      `${op}: Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got normalized_shape = []`,
      details,
    );
  for (const [name, t] of given) {
    if (t && !sameShape(t.shape, shape))
      throw new ShapeError(
        'ERR_NORM_SHAPE',
        `${op}: Expected ${name} to be of same shape as normalized_shape, but got ${name} of shape ${listed(t.shape)} and normalized_shape = ${listed(shape)}`,
        details,
      );
  }
  const lead = x.ndim - shape.length;
  if (lead < 0 || !sameShape(x.shape.slice(lead), shape)) {
    throw new ShapeError(
      'ERR_NORM_SHAPE',
      `${op}: Given normalized_shape=${listed(shape)}, expected input with shape [*, ${shape.join(', ')}], but got input of size${listed(x.shape)}`,
      details,
    );
  }
  return shape;
}

/**
 * Normalizes over the last dims of x, whose sizes are `normalizedShape`, as weight's and bias's are. PyTorch: F.layer_norm.
 * @throws ShapeError `ERR_NORM_SHAPE`
 * @example layerNorm(x, [512], weight, bias)
 */
export function layerNorm(x: Tensor, normalizedShape: number | Shape, weight?: Maybe, bias?: Maybe, options: EpsOptions = {}): Tensor {
  checkOptions('layerNorm', options, EPS_OPTIONS);
  if (autocasting.on) return asFloat32(layerNorm, x, normalizedShape, weight, bias, options);
  const shape = lastSizes('layerNorm', x, normalizedShape, [
    ['weight', weight],
    ['bias', bias],
  ]);
  if (x.numel() === 0) return affine(x.clone(), weight, bias, shape);
  const y = wide(x);
  return cast(normalizeRows(y, shape.length, like(weight, y), like(bias, y), options.eps ?? 1e-5, true), x.dtype);
}

export interface RmsNormOptions {
  /** Added to the mean square. Default: the distance from 1 to the next number of the dtype that it computes in. */
  readonly eps?: number | null;
}

/** The distance from 1 to the next number. */
const EPSILON = { float32: 2 ** -23, float64: 2 ** -52 } as const;

/** x / √(mean x² + ε) · weight over the last dims. PyTorch: F.rms_norm. @throws ShapeError `ERR_NORM_SHAPE` */
export function rmsNorm(x: Tensor, normalizedShape: number | Shape, weight?: Maybe, options: RmsNormOptions = {}): Tensor {
  checkOptions('rmsNorm', options, RMS_NORM_OPTIONS);
  const shape = lastSizes('rmsNorm', x, normalizedShape, [['weight', weight]]);
  if (x.numel() === 0) return affine(x.clone(), weight, null, shape);
  const y = wide(x);
  const eps = options.eps ?? EPSILON[y.dtype as 'float32' | 'float64'];
  return cast(normalizeRows(y, shape.length, like(weight, y), null, eps, false), x.dtype);
}
