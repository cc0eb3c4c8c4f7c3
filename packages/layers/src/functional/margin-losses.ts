/** @file Losses with a margin: of pairs, of triplets, of classes. */
import {
  checkOptions,
  type OptionNames,
  arange,
  DTypeError,
  sameShape,
  ShapeError,
  type Tensor,
  ValueError,
  asFloat32,
  autocasting,
} from '@tessera/core';
import { pairwiseDistance } from './distance.js';
import { type LossOptions, reduced } from './reduction.js';

/** @internal */
export const MARGIN_LOSS_OPTIONS: OptionNames<MarginLossOptions> = { margin: true, reduction: true };
/** @internal */
export const LOSS_OPTIONS: OptionNames<LossOptions> = { reduction: true };
/** @internal */
export const MULTI_MARGIN_LOSS_OPTIONS: OptionNames<MultiMarginLossOptions> = { p: true, weight: true, margin: true, reduction: true };
/** @internal */
export const TRIPLET_MARGIN_LOSS_OPTIONS: OptionNames<TripletMarginLossOptions> = {
  p: true,
  eps: true,
  swap: true,
  margin: true,
  reduction: true,
};
/** @internal */
export const TRIPLET_MARGIN_WITH_DISTANCE_LOSS_OPTIONS: OptionNames<TripletMarginWithDistanceLossOptions> = {
  distanceFunction: true,
  swap: true,
  margin: true,
  reduction: true,
};

/** Integers as float32, in which a margin that is a number of its own kind makes them. */
const floating = (x: Tensor): Tensor => (x.isFloatingPoint() ? x : x.to('float32'));

/** max(0, x), and 0 for NaN, as PyTorch's kernels of these losses compare. */
const positivePart = (x: Tensor): Tensor => x.where(x.detach().gt(0), 0);

export interface MarginLossOptions extends LossOptions {
  readonly margin?: number;
}

/** x where t is 1, max(0, margin − x) where it is −1; margin 1 by default. PyTorch: F.hinge_embedding_loss. */
export function hingeEmbeddingLoss(input: Tensor, target: Tensor, options: MarginLossOptions = {}): Tensor {
  checkOptions('hingeEmbeddingLoss', options, MARGIN_LOSS_OPTIONS);
  if (autocasting.on) return asFloat32(hingeEmbeddingLoss, input, target, options);
  const apart = input
    .neg()
    .add(options.margin ?? 1)
    .clampMin(0);
  return reduced(apart.maskedFill(target.eq(1), 0).add(input.maskedFill(target.eq(-1), 0)), options.reduction, 'hingeEmbeddingLoss');
}

/** 1 − cos where t is 1, max(0, cos − margin) where it is −1, for x₁ and x₂ (N, D) or (D); margin 0 by default. PyTorch: F.cosine_embedding_loss. */
export function cosineEmbeddingLoss(input1: Tensor, input2: Tensor, target: Tensor, options: MarginLossOptions = {}): Tensor {
  checkOptions('cosineEmbeddingLoss', options, MARGIN_LOSS_OPTIONS);
  if (autocasting.on) return asFloat32(cosineEmbeddingLoss, input1, input2, target, options);
  const op = 'cosineEmbeddingLoss';
  const rank = target.ndim + 1;
  if (target.ndim > 1 || input1.ndim !== rank || input2.ndim !== rank) {
    throw new ShapeError(
      'ERR_TARGET_SHAPE',
      `${op}: ${target.ndim}D target tensor expects ${rank}D input tensors, but found inputs with sizes [${input1.shape.join(', ')}] and [${input2.shape.join(', ')}].`,
      { op, shapes: [input1.shape, input2.shape, target.shape] },
    );
  }
  const a = floating(input1);
  const b = floating(input2);
  const dim = target.ndim;
  const square = (x: Tensor): Tensor => x.square().sum(dim).add(1e-12);
  const cosine = a
    .mul(b)
    .sum(dim)
    .div(square(a).mul(square(b)).sqrt());
  const same = cosine.neg().add(1).maskedFill(target.ne(1), 0);
  const different = cosine
    .sub(options.margin ?? 0)
    .clampMin(0)
    .maskedFill(target.ne(-1), 0);
  return reduced(same.add(different), options.reduction, op);
}

/** max(0, −t · (x₁ − x₂) + margin); margin 0 by default. PyTorch: F.margin_ranking_loss. */
export function marginRankingLoss(input1: Tensor, input2: Tensor, target: Tensor, options: MarginLossOptions = {}): Tensor {
  checkOptions('marginRankingLoss', options, MARGIN_LOSS_OPTIONS);
  if (autocasting.on) return asFloat32(marginRankingLoss, input1, input2, target, options);
  const op = 'marginRankingLoss';
  if (input1.ndim !== input2.ndim || input1.ndim !== target.ndim) {
    throw new ShapeError(
      'ERR_TARGET_SHAPE',
      `${op}: margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: [${input1.shape.join(', ')}], input2: [${input2.shape.join(', ')}], target: [${target.shape.join(', ')}]`,
      { op, shapes: [input1.shape, input2.shape, target.shape] },
    );
  }
  return reduced(
    floating(target.neg().mul(input1.sub(input2)))
      .add(options.margin ?? 0)
      .clampMin(0),
    options.reduction,
    op,
  );
}

export interface TripletMarginLossOptions extends MarginLossOptions {
  /** The norm's exponent. Default 2. */
  readonly p?: number;
  /** Default 1e-6. */
  readonly eps?: number;
  /** Takes the distance of positive and negative where that is smaller than the anchor's (Balntas et al., 2016). Default false. */
  readonly swap?: boolean;
}

function requireOneRank(op: string, a: Tensor, p: Tensor, n: Tensor): void {
  if (a.ndim !== p.ndim || a.ndim !== n.ndim) {
    throw new ShapeError(
      'ERR_TARGET_SHAPE',
      `${op}: The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: anchor ${a.ndim}D, positive ${p.ndim}D, and negative ${n.ndim}D inputs`,
      { op, shapes: [a.shape, p.shape, n.shape] },
    );
  }
}

/** max(0, d(a, p) − d(a, n) + margin) with the p-norm's distance; margin 1 by default. PyTorch: F.triplet_margin_loss. */
export function tripletMarginLoss(anchor: Tensor, positive: Tensor, negative: Tensor, options: TripletMarginLossOptions = {}): Tensor {
  checkOptions('tripletMarginLoss', options, TRIPLET_MARGIN_LOSS_OPTIONS);
  if (autocasting.on) return asFloat32(tripletMarginLoss, anchor, positive, negative, options);
  const { p = 2, eps = 1e-6, ...rest } = options;
  return tripletMarginWithDistanceLoss(anchor, positive, negative, {
    ...rest,
    distanceFunction: (x, y) => pairwiseDistance(x, y, { p, eps }),
  });
}

export interface TripletMarginWithDistanceLossOptions extends MarginLossOptions {
  /** Default: the Euclidean distance of {@link pairwiseDistance}. */
  readonly distanceFunction?: ((x: Tensor, y: Tensor) => Tensor) | null;
  readonly swap?: boolean;
}

/** {@link tripletMarginLoss} with any distance. PyTorch: F.triplet_margin_with_distance_loss. @throws ValueError `ERR_MARGIN` */
export function tripletMarginWithDistanceLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletMarginWithDistanceLossOptions = {},
): Tensor {
  checkOptions('tripletMarginWithDistanceLoss', options, TRIPLET_MARGIN_WITH_DISTANCE_LOSS_OPTIONS);
  const op = 'tripletMarginWithDistanceLoss';
  const { margin = 1, swap = false } = options;
  if (!(margin > 0)) throw new ValueError('ERR_MARGIN', `${op}: margin must be greater than 0, got ${margin}`, { op });
  requireOneRank(op, anchor, positive, negative);
  const distance = options.distanceFunction ?? ((x: Tensor, y: Tensor): Tensor => pairwiseDistance(x, y));
  const near = distance(anchor, positive);
  let far = distance(anchor, negative);
  if (swap) far = far.minimum(distance(positive, negative));
  return reduced(near.sub(far).add(margin).clampMin(0), options.reduction, op);
}

export interface MultiMarginLossOptions extends MarginLossOptions {
  /** 1 or 2. Default 1. */
  readonly p?: number;
  /** A factor for each class (C). */
  readonly weight?: Tensor | null;
}

/** A matrix of inputs, whatever the batch. @throws ShapeError `ERR_TARGET_SHAPE` */
function matrixOf(op: string, input: Tensor): Tensor {
  if (input.ndim > 2 || input.shape.at(-1) === 0) {
    throw new ShapeError(
      'ERR_TARGET_SHAPE',
      `${op}: Expected non-empty vector or matrix with optional 0-dim batch size, but got: [${input.shape.join(', ')}]`,
      { op, shapes: [input.shape] },
    );
  }
  return input.ndim === 2 ? input : input.reshape([1, -1]);
}

function requireInteger(op: string, target: Tensor): void {
  if (target.dtype !== 'int32' && target.dtype !== 'uint8')
    throw new DTypeError('ERR_TARGET_DTYPE', `${op}: expected class indices of an integer dtype but found ${target.dtype}`, {
      op,
      dtypes: [target.dtype],
    });
}

/** Σ over wrong classes j of max(0, margin − x_y + x_j)^p / C, for input (N, C) or (C) and target (N) or (); margin 1 by default. PyTorch: F.multi_margin_loss. */
export function multiMarginLoss(input: Tensor, target: Tensor, options: MultiMarginLossOptions = {}): Tensor {
  checkOptions('multiMarginLoss', options, MULTI_MARGIN_LOSS_OPTIONS);
  if (autocasting.on) return asFloat32(multiMarginLoss, input, target, options);
  const op = 'multiMarginLoss';
  const { p = 1, margin = 1, weight = null } = options;
  if (p !== 1 && p !== 2) throw new ValueError('ERR_LOSS_P', `${op}: only p == 1 and p == 2 supported`, { op });
  const x = matrixOf(op, input);
  requireInteger(op, target);
  const [rows, classes] = x.shape as [number, number];
  const details = { op, shapes: [input.shape, target.shape] };
  if (target.ndim > 1 || target.numel() !== rows)
    throw new ShapeError('ERR_TARGET_SHAPE', `${op}: inconsistent target size, got: [${target.shape.join(', ')}]`, details);
  if (weight !== null && (weight.ndim !== 1 || weight.shape[0] !== classes))
    throw new ShapeError(
      'ERR_WEIGHT_SHAPE',
      `${op}: weight must be one-dimensional, of ${classes} elements, but got [${weight.shape.join(', ')}]`,
      details,
    );
  const index = target.reshape([rows, 1]).to('int32');
  const right = x.gather(1, index);
  let each = positivePart(x.sub(right).add(margin));
  if (p === 2) each = each.square();
  if (weight !== null) each = each.mul(weight.gather(0, index.reshape([rows])).unsqueeze(1));
  const wrong = arange(classes, { device: x.device }).ne(index);
  const loss = each.maskedFill(wrong.logicalNot(), 0).sum(1).div(classes);
  return reduced(input.ndim < 2 ? loss.squeeze(0) : loss, options.reduction, op);
}

/**
 * Σ over labels j and other classes i of max(0, 1 − (x_j − x_i)) / C; a target (N, C) or (C) lists the labels first, and −1 ends the list.
 * PyTorch: F.multilabel_margin_loss.
 */
export function multilabelMarginLoss(input: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkOptions('multilabelMarginLoss', options, LOSS_OPTIONS);
  if (autocasting.on) return asFloat32(multilabelMarginLoss, input, target, options);
  const op = 'multilabelMarginLoss';
  const x = matrixOf(op, input);
  requireInteger(op, target);
  if (!sameShape(input.shape, target.shape))
    throw new ShapeError(
      'ERR_TARGET_SHAPE',
      `${op}: inconsistent target size: [${target.shape.join(', ')}] for input of size: [${input.shape.join(', ')}]`,
      { op, shapes: [input.shape, target.shape] },
    );
  const [rows, classes] = x.shape as [number, number];
  const labels = target.reshape([rows, classes]).to('int32');
  // Labels count up to the first that is negative.
  const listed = labels.lt(0).to('int32').cumsum(1).eq(0).realize();
  const safe = labels.maskedFill(listed.logicalNot(), 0).realize();
  const hits = arange(classes, { device: x.device }).eq(safe.unsqueeze(2)).logicalAnd(listed.unsqueeze(2));
  const isLabel = hits.to('int32').sum(1).gt(0);
  const pairs = positivePart(x.unsqueeze(1).sub(x.gather(1, safe).unsqueeze(2)).add(1));
  const counted = listed.unsqueeze(2).logicalAnd(isLabel.realize().unsqueeze(1).logicalNot());
  const loss = pairs.maskedFill(counted.logicalNot(), 0).sum([1, 2]).div(classes);
  return reduced(input.ndim < 2 ? loss.squeeze(0) : loss, options.reduction, op);
}
