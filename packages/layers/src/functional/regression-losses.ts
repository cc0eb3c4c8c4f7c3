/** @file Losses between numbers: squared, absolute, between, and likelihoods of distributions. */
import {
  checkOptions,
  formatShape,
  type OptionNames,
  isTensor,
  noGrad,
  onesLike,
  sameShape,
  ShapeError,
  type Tensor,
  ValueError,
  asFloat32,
  autocasting,
} from '@tessera/core';
import { type LossOptions, reduced, type Reduction } from './reduction.js';

const GAUSSIAN_NLL_LOSS_OPTIONS: OptionNames<GaussianNllLossOptions> = { full: true, eps: true, reduction: true };
const HUBER_LOSS_OPTIONS: OptionNames<HuberLossOptions> = { delta: true, weight: true, reduction: true };
const KL_DIV_OPTIONS: OptionNames<KlDivOptions> = { reduction: true, logTarget: true };
const WEIGHTED_LOSS_OPTIONS: OptionNames<WeightedLossOptions> = { reduction: true, weight: true };
const POISSON_NLL_LOSS_OPTIONS: OptionNames<PoissonNllLossOptions> = { logInput: true, full: true, eps: true, reduction: true };
const SMOOTH_L1_LOSS_OPTIONS: OptionNames<SmoothL1LossOptions> = { beta: true, reduction: true };

/** Options of losses that take a weight for each element. */
export interface WeightedLossOptions extends LossOptions {
  /** A factor for each element, with the input's shape; the mean is then divided by its sum. */
  readonly weight?: Tensor | null;
}

function weighted(op: string, each: Tensor, input: Tensor, { weight, reduction }: WeightedLossOptions): Tensor {
  if (weight === undefined || weight === null) return reduced(each, reduction, op);
  if (!sameShape(weight.shape, input.shape))
    throw new ShapeError('ERR_WEIGHT_SHAPE', `${op}: Weights and input must have the same size.`, {
      op,
      shapes: [input.shape, weight.shape],
    });
  const product = each.mul(weight);
  return (reduction ?? 'mean') === 'mean' ? product.sum().div(weight.expand(product.shape).sum()) : reduced(product, reduction, op);
}

/** Losses that have warned. */
const warned = new Set<string>();

/** x − y. That one of them is broadcast is seldom meant, and is said once of each loss; PyTorch warns as well. */
function difference(op: string, input: Tensor, target: Tensor): Tensor {
  const d = input.sub(target);
  if (isTensor(target) && !sameShape(input.shape, target.shape) && !warned.has(op)) {
    warned.add(op);
    console.warn(
      `[ERR_LOSS_BROADCAST] ${op}: the target has shape ${formatShape(target.shape)} and the input ${formatShape(input.shape)}: they are broadcast, which is seldom what is meant. Give both one shape.`,
    );
  }
  return d;
}

/** (x − y)². Input and target broadcast, with a warning. PyTorch: F.mse_loss. @example mseLoss(model(x), y) */
export function mseLoss(input: Tensor, target: Tensor, options: WeightedLossOptions = {}): Tensor {
  checkOptions('mseLoss', options, WEIGHTED_LOSS_OPTIONS);
  if (autocasting.on) return asFloat32(mseLoss, input, target, options);
  return weighted('mseLoss', difference('mseLoss', input, target).square(), input, options);
}

/** |x − y|. PyTorch: F.l1_loss. */
export function l1Loss(input: Tensor, target: Tensor, options: WeightedLossOptions = {}): Tensor {
  checkOptions('l1Loss', options, WEIGHTED_LOSS_OPTIONS);
  if (autocasting.on) return asFloat32(l1Loss, input, target, options);
  return weighted('l1Loss', difference('l1Loss', input, target).abs(), input, options);
}

export interface SmoothL1LossOptions extends LossOptions {
  /** Where it goes over from squared to absolute; 0 is the absolute loss. Default 1. */
  readonly beta?: number;
}

/** ½ d² / β where |d| < β, else |d| − ½ β, for d = x − y. PyTorch: F.smooth_l1_loss. @throws ValueError `ERR_LOSS_BETA` */
export function smoothL1Loss(input: Tensor, target: Tensor, options: SmoothL1LossOptions = {}): Tensor {
  checkOptions('smoothL1Loss', options, SMOOTH_L1_LOSS_OPTIONS);
  if (autocasting.on) return asFloat32(smoothL1Loss, input, target, options);
  const beta = options.beta ?? 1;
  if (beta < 0)
    throw new ValueError('ERR_LOSS_BETA', 'smoothL1Loss: smooth_l1_loss does not support negative values for beta.', {
      op: 'smoothL1Loss',
    });
  if (beta === 0) return l1Loss(input, target, { reduction: options.reduction });
  const d = difference('smoothL1Loss', input, target);
  const size = d.abs();
  return reduced(
    d
      .square()
      .mul(0.5 / beta)
      .where(size.lt(beta), size.sub(0.5 * beta)),
    options.reduction,
    'smoothL1Loss',
  );
}

export interface HuberLossOptions extends WeightedLossOptions {
  /** Where it goes over from squared to linear. Default 1. */
  readonly delta?: number;
}

/** ½ d² where |d| ≤ δ, else δ (|d| − ½ δ), for d = x − y. PyTorch: F.huber_loss. @throws ValueError `ERR_LOSS_DELTA` */
export function huberLoss(input: Tensor, target: Tensor, options: HuberLossOptions = {}): Tensor {
  checkOptions('huberLoss', options, HUBER_LOSS_OPTIONS);
  if (autocasting.on) return asFloat32(huberLoss, input, target, options);
  const delta = options.delta ?? 1;
  if (!(delta > 0))
    throw new ValueError('ERR_LOSS_DELTA', 'huberLoss: huber_loss does not support non-positive values for delta.', { op: 'huberLoss' });
  const d = difference('huberLoss', input, target);
  const size = d.abs();
  return weighted(
    'huberLoss',
    d
      .square()
      .mul(0.5)
      .where(size.le(delta), size.sub(0.5 * delta).mul(delta)),
    input,
    options,
  );
}

export interface KlDivOptions {
  /** 'batchmean' is the sum divided by the first size: what the divergence is defined as. Default 'mean'. */
  readonly reduction?: Reduction | 'batchmean';
  /** The target is given as logarithms, as the input always is. Default false. */
  readonly logTarget?: boolean;
}

/** t · (log t − x) for log probabilities x; 0 where t is 0. PyTorch: F.kl_div. */
export function klDiv(input: Tensor, target: Tensor, options: KlDivOptions = {}): Tensor {
  checkOptions('klDiv', options, KL_DIV_OPTIONS);
  if (autocasting.on) return asFloat32(klDiv, input, target, options);
  const each =
    options.logTarget === true
      ? target.exp().mul(target.sub(input))
      : target.mul(target.maskedFill(target.eq(0), 1).log()).sub(target.mul(input));
  if (options.reduction !== 'batchmean') return reduced(each, options.reduction, 'klDiv');
  return input.ndim === 0 ? each.sum() : each.sum().div(input.shape[0]!);
}

export interface PoissonNllLossOptions extends LossOptions {
  /** The input is the logarithm of the rate. Default true. */
  readonly logInput?: boolean;
  /** Adds Stirling's approximation of log t!. Default false. */
  readonly full?: boolean;
  /** Keeps log 0 away where the input is no logarithm. Default 1e-8. */
  readonly eps?: number;
}

/** e^x − t x, or x − t log(x + ε) where the input is the rate itself. PyTorch: F.poisson_nll_loss. */
export function poissonNllLoss(input: Tensor, target: Tensor, options: PoissonNllLossOptions = {}): Tensor {
  checkOptions('poissonNllLoss', options, POISSON_NLL_LOSS_OPTIONS);
  if (autocasting.on) return asFloat32(poissonNllLoss, input, target, options);
  const { logInput = true, full = false, eps = 1e-8 } = options;
  let each = logInput ? input.exp().sub(target.mul(input)) : input.sub(target.mul(input.add(eps).log()));
  if (full) {
    const stirling = target
      .mul(target.log())
      .sub(target)
      .add(
        target
          .mul(2 * Math.PI)
          .log()
          .mul(0.5),
      );
    each = each.add(stirling.maskedFill(target.le(1), 0));
  }
  return reduced(each, options.reduction, 'poissonNllLoss');
}

export interface GaussianNllLossOptions extends LossOptions {
  /** Adds ½ log 2π. Default false. */
  readonly full?: boolean;
  /** The least variance. Default 1e-6. */
  readonly eps?: number;
}

/**
 * ½ (log v + (x − t)² / v) for the variance v ≥ ε, which has the input's shape, that shape without its last dim, with 1 there, or is a number.
 * A negative variance is refused where the device can be read synchronously. PyTorch: F.gaussian_nll_loss.
 *
 * @throws ShapeError `ERR_VARIANCE_SHAPE`; ValueError `ERR_VARIANCE`.
 */
export function gaussianNllLoss(input: Tensor, target: Tensor, variance: Tensor | number, options: GaussianNllLossOptions = {}): Tensor {
  checkOptions('gaussianNllLoss', options, GAUSSIAN_NLL_LOSS_OPTIONS);
  const op = 'gaussianNllLoss';
  const { full = false, eps = 1e-6 } = options;
  if (typeof variance === 'number' && variance < 0) throw new ValueError('ERR_VARIANCE', `${op}: var has negative entry/entries`, { op });
  let v = isTensor(variance) ? variance : onesLike(input).mul(variance);
  if (!sameShape(v.shape, input.shape)) {
    const lead = input.shape.slice(0, -1);
    if (sameShape(v.shape, lead)) v = v.unsqueeze(-1);
    else if (!(v.ndim === input.ndim && sameShape(v.shape.slice(0, -1), lead) && v.shape.at(-1) === 1)) {
      throw new ShapeError('ERR_VARIANCE_SHAPE', `${op}: var is of incorrect size`, { op, shapes: [input.shape, v.shape] });
    }
  }
  if (isTensor(variance) && v.device.syncRead && v.numel() > 0 && v.detach().amin().item() < 0)
    throw new ValueError('ERR_VARIANCE', `${op}: var has negative entry/entries`, { op });
  // The bound moves the value and not the gradient, as PyTorch clamps.
  const bounded = v.clone();
  noGrad(() => bounded.clampMin_(eps));
  let each = bounded.log().add(input.sub(target).square().div(bounded)).mul(0.5);
  if (full) each = each.add(0.5 * Math.log(2 * Math.PI));
  return reduced(each, options.reduction, op);
}
