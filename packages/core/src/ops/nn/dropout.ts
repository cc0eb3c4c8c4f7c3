/** @file Dropout: elements, or whole channels, set to zero at random while training. */
import { ShapeError } from '../../errors.js';
import type { Shape } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { narrow } from '../../tensor/value.js';
import { e } from '../expression.js';
import { assign, forInPlace } from '../in-place.js';
import { OPS } from '../registry.js';
import { attach, recording, wrap } from '../result.js';
import { squeeze, unsqueeze } from '../view.js';
import { listed } from './geometry.js';
import { drawnMask, drawsOnHost, keepMask, type NoiseOptions, numbers, requireProbability } from './noise.js';
import { checkOptions, type OptionNames } from '../../options.js';

const DROPOUT_OPTIONS: OptionNames<DropoutOptions> = { p: true, training: true, inplace: true, rng: true, generator: true };

export interface DropoutOptions extends NoiseOptions {
  /** The probability of an element (or channel) to be zeroed. Default 0.5. */
  readonly p?: number;
  /** Without it the input is handed on. Default true; false for `alphaDropout` and `featureAlphaDropout`. */
  readonly training?: boolean;
  /** Writes over the input. Default false. */
  readonly inplace?: boolean;
}

/** SELU's limit for large negative inputs, −λα, with its sign turned. */
const ALPHA = 1.7580993408473766;

/** x · (keep ? scale : 0) + (keep ? shiftKept : shiftDropped). */
interface Noise {
  readonly scale: number;
  readonly shiftKept: number;
  readonly shiftDropped: number;
}

function masked(x: Tensor, mask: Tensor, noise: Noise, name: string): Tensor {
  const factor = e.mul(numbers(mask, x.dtype), noise.scale);
  const product = e.mul(e.cast(x.value, factor.dtype), factor);
  const plain = noise.shiftKept === 0 && noise.shiftDropped === 0;
  const out = wrap(
    narrow(
      plain
        ? product
        : e.add(
            product,
            e.where(mask.value, e.scalar(noise.shiftKept, 'float32', factor), e.scalar(noise.shiftDropped, 'float32', factor)),
          ),
      x.dtype,
    ),
  );
  // The gradient is dropped by the same mask.
  if (recording(x))
    attach(out, name, [x], (grad, node) => [masked(grad, node.saved(0), { scale: noise.scale, shiftKept: 0, shiftDropped: 0 }, name)]).save(
      mask,
    );
  return out;
}

function drop(op: string, x: Tensor, shape: Shape, o: DropoutOptions, training: boolean, alpha: boolean): Tensor {
  const p = o.p ?? 0.5;
  requireProbability(op, p);
  if (!training || p === 0 || x.numel() === 0) return x;
  const target = o.inplace === true ? forInPlace(x, op) : x;
  const out = dropped(op, target, shape, o, p, alpha);
  return o.inplace === true ? assign(x, out, op) : out;
}

function dropped(op: string, x: Tensor, shape: Shape, o: DropoutOptions, p: number, alpha: boolean): Tensor {
  if (p === 1) return x.mul(0);
  const mask = drawsOnHost(op, o) ? drawnMask(x, shape, 1 - p, o) : keepMask(shape, 1 - p, x.device, o);
  if (!alpha) return masked(x, mask, { scale: 1 / (1 - p), shiftKept: 0, shiftDropped: 0 }, 'DropoutBackward0');
  // Mean and variance of SELU's activations stay: a = 1 / √((α² p + 1)(1 − p)), b = a α p, dropped ones are −α.
  const a = 1 / Math.sqrt((ALPHA * ALPHA * p + 1) * (1 - p));
  return masked(x, mask, { scale: a, shiftKept: ALPHA * a * p, shiftDropped: ALPHA * a * p - ALPHA * a }, 'AlphaDropoutBackward0');
}

/** One place for each sample and channel. */
function channels(op: string, x: Tensor): Shape {
  if (x.ndim < 2)
    throw new ShapeError('ERR_DROPOUT_RANK', `${op}: Feature dropout requires at least 2 dimensions in the input`, {
      op,
      shapes: [x.shape],
    });
  return x.shape.map((s, d) => (d < 2 ? s : 1));
}

OPS.set('dropout', { name: 'dropout', inputs: 1, differentiable: true });
/**
 * While training, each element becomes 0 with probability p, and the others are multiplied by 1 / (1 − p). PyTorch: F.dropout.
 *
 * @throws ValueError `ERR_DROPOUT_P`
 * @example dropout(x, { p: 0.1, training: this.training })
 */
export const dropout = (x: Tensor, options: DropoutOptions = {}): Tensor => {
  checkOptions('dropout', options, DROPOUT_OPTIONS);
  return drop('dropout', x, x.shape, options, options.training ?? true, false);
};

/** {@link dropout} of whole channels of (N, C, L) or (C, L). PyTorch: F.dropout1d. @throws ShapeError `ERR_DROPOUT_RANK` */
export function dropout1d(x: Tensor, options: DropoutOptions = {}): Tensor {
  checkOptions('dropout1d', options, DROPOUT_OPTIONS);
  if (x.ndim !== 2 && x.ndim !== 3) {
    throw new ShapeError(
      'ERR_DROPOUT_RANK',
      `dropout1d: Expected 2D or 3D input, but received a ${x.ndim}D input of size ${listed(x.shape)}. Note that dropout1d exists to provide channel-wise dropout on inputs with 1 spatial dimension.`,
      { op: 'dropout1d', shapes: [x.shape] },
    );
  }
  return x.ndim === 2 ? squeeze(dropChannels('dropout1d', unsqueeze(x, 0), options), 0) : dropChannels('dropout1d', x, options);
}

const dropChannels = (op: string, x: Tensor, options: DropoutOptions): Tensor =>
  drop(op, x, channels(op, x), options, options.training ?? true, false);

/** {@link dropout} of whole channels: one draw for each entry of the first two dims of (N, C, H, W). PyTorch: F.dropout2d. */
export const dropout2d = (x: Tensor, options: DropoutOptions = {}): Tensor =>
  dropChannels('dropout2d', x, checkOptions('dropout2d', options, DROPOUT_OPTIONS));

/** {@link dropout} of whole channels of (N, C, D, H, W) or (C, D, H, W). PyTorch: F.dropout3d. */
export function dropout3d(x: Tensor, options: DropoutOptions = {}): Tensor {
  checkOptions('dropout3d', options, DROPOUT_OPTIONS);
  return x.ndim === 4 ? squeeze(dropChannels('dropout3d', unsqueeze(x, 0), options), 0) : dropChannels('dropout3d', x, options);
}

/** Dropout that keeps the mean and variance of what SELU gives: dropped elements take SELU's limit. PyTorch: F.alpha_dropout. */
export const alphaDropout = (x: Tensor, options: DropoutOptions = {}): Tensor => {
  checkOptions('alphaDropout', options, DROPOUT_OPTIONS);
  return drop('alphaDropout', x, x.shape, options, options.training ?? false, true);
};

/** {@link alphaDropout} of whole channels. PyTorch: F.feature_alpha_dropout. */
export const featureAlphaDropout = (x: Tensor, options: DropoutOptions = {}): Tensor => {
  checkOptions('featureAlphaDropout', options, DROPOUT_OPTIONS);
  return drop(
    'featureAlphaDropout',
    x,
    options.training === true ? channels('featureAlphaDropout', x) : x.shape,
    options,
    options.training ?? false,
    true,
  );
};
