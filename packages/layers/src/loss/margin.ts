/** @file Losses with a margin: of pairs, of triplets, of classes. */
import { checkOptions, type Tensor, ValueError } from '@tessera/core';
import {
  cosineEmbeddingLoss,
  hingeEmbeddingLoss,
  marginRankingLoss,
  multilabelMarginLoss,
  multiMarginLoss,
  tripletMarginLoss,
  tripletMarginWithDistanceLoss,
} from '../functional/index.js';
import {
  LOSS_OPTIONS,
  MARGIN_LOSS_OPTIONS,
  MULTI_MARGIN_LOSS_OPTIONS,
  TRIPLET_MARGIN_LOSS_OPTIONS,
  TRIPLET_MARGIN_WITH_DISTANCE_LOSS_OPTIONS,
} from '../functional/margin-losses.js';
import { Loss, type LossOptions, WeightedLoss, type WeightedLossOptions } from './loss-base.js';

export interface MarginLossOptions extends LossOptions {
  /** How far apart is far enough. */
  readonly margin?: number;
}

/** x where the target is 1, max(0, margin − x) where it is −1; margin 1 by default. PyTorch: nn.HingeEmbeddingLoss. */
export class HingeEmbeddingLoss extends Loss {
  static override readonly typeName = 'HingeEmbeddingLoss';
  readonly margin: number;

  constructor(options: MarginLossOptions = {}) {
    checkOptions('HingeEmbeddingLoss', options, MARGIN_LOSS_OPTIONS);
    super(options);
    this.margin = options.margin ?? 1;
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return hingeEmbeddingLoss(input, target, { margin: this.margin, reduction: this.reduction });
  }
}

/** 1 − cos(x₁, x₂) where the target is 1, max(0, cos − margin) where it is −1; margin 0 by default. PyTorch: nn.CosineEmbeddingLoss. */
export class CosineEmbeddingLoss extends Loss {
  static override readonly typeName = 'CosineEmbeddingLoss';
  readonly margin: number;

  constructor(options: MarginLossOptions = {}) {
    checkOptions('CosineEmbeddingLoss', options, MARGIN_LOSS_OPTIONS);
    super(options);
    this.margin = options.margin ?? 0;
  }

  forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    return cosineEmbeddingLoss(input1, input2, target, { margin: this.margin, reduction: this.reduction });
  }
}

/** max(0, −y·(x₁ − x₂) + margin): x₁ is to be above x₂ where y is 1, below where it is −1; margin 0 by default. PyTorch: nn.MarginRankingLoss. */
export class MarginRankingLoss extends Loss {
  static override readonly typeName = 'MarginRankingLoss';
  readonly margin: number;

  constructor(options: MarginLossOptions = {}) {
    checkOptions('MarginRankingLoss', options, MARGIN_LOSS_OPTIONS);
    super(options);
    this.margin = options.margin ?? 0;
  }

  forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    return marginRankingLoss(input1, input2, target, { margin: this.margin, reduction: this.reduction });
  }
}

/** The hinge loss of several labels for each sample; see F.multilabelMarginLoss for how targets list them. PyTorch: nn.MultiLabelMarginLoss. */
export class MultiLabelMarginLoss extends Loss {
  static override readonly typeName = 'MultiLabelMarginLoss';

  constructor(options: LossOptions = {}) {
    checkOptions('MultiLabelMarginLoss', options, LOSS_OPTIONS);
    super(options);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return multilabelMarginLoss(input, target, { reduction: this.reduction });
  }
}

export interface MultiMarginLossOptions extends MarginLossOptions, WeightedLossOptions {
  /** The exponent, 1 or 2. Default 1. */
  readonly p?: number;
}

/** Σ over the wrong classes of max(0, margin − x_y + x_j)^p / C; margin 1 by default. PyTorch: nn.MultiMarginLoss. @throws ValueError `ERR_LOSS_P`. */
export class MultiMarginLoss extends WeightedLoss {
  static override readonly typeName = 'MultiMarginLoss';
  readonly p: number;
  readonly margin: number;

  constructor(options: MultiMarginLossOptions = {}) {
    checkOptions('MultiMarginLoss', options, MULTI_MARGIN_LOSS_OPTIONS);
    super(options);
    this.p = options.p ?? 1;
    this.margin = options.margin ?? 1;
    if (this.p !== 1 && this.p !== 2) throw new ValueError('ERR_LOSS_P', 'MultiMarginLoss: only p == 1 and p == 2 supported');
  }

  forward(input: Tensor, target: Tensor): Tensor {
    const { p, margin, weight, reduction } = this;
    return multiMarginLoss(input, target, { p, margin, weight, reduction });
  }
}

export interface TripletMarginLossOptions extends MarginLossOptions {
  /** The norm's exponent. Default 2. */
  readonly p?: number;
  /** Keeps the distance's gradient finite. Default 1e-6. */
  readonly eps?: number;
  /** The negative may be compared with the positive where that is nearer (Balntas et al., 2016). Default false. */
  readonly swap?: boolean;
}

/** max(0, d(anchor, positive) − d(anchor, negative) + margin); margin 1 by default. PyTorch: nn.TripletMarginLoss. @throws ValueError `ERR_MARGIN`. */
export class TripletMarginLoss extends Loss {
  static override readonly typeName = 'TripletMarginLoss';
  readonly margin: number;
  readonly p: number;
  readonly eps: number;
  readonly swap: boolean;

  constructor(options: TripletMarginLossOptions = {}) {
    checkOptions('TripletMarginLoss', options, TRIPLET_MARGIN_LOSS_OPTIONS);
    super(options);
    this.margin = requireMargin('TripletMarginLoss', options.margin ?? 1);
    this.p = options.p ?? 2;
    this.eps = options.eps ?? 1e-6;
    this.swap = options.swap ?? false;
  }

  forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    const { margin, p, eps, swap, reduction } = this;
    return tripletMarginLoss(anchor, positive, negative, { margin, p, eps, swap, reduction });
  }
}

export interface TripletMarginWithDistanceLossOptions extends MarginLossOptions {
  /** Default: the Euclidean distance of F.pairwiseDistance. */
  readonly distanceFunction?: ((x: Tensor, y: Tensor) => Tensor) | null;
  readonly swap?: boolean;
}

/** {@link TripletMarginLoss} with any distance. PyTorch: nn.TripletMarginWithDistanceLoss. @throws ValueError `ERR_MARGIN`. */
export class TripletMarginWithDistanceLoss extends Loss {
  static override readonly typeName = 'TripletMarginWithDistanceLoss';
  readonly distanceFunction: ((x: Tensor, y: Tensor) => Tensor) | null;
  readonly margin: number;
  readonly swap: boolean;

  constructor(options: TripletMarginWithDistanceLossOptions = {}) {
    checkOptions('TripletMarginWithDistanceLoss', options, TRIPLET_MARGIN_WITH_DISTANCE_LOSS_OPTIONS);
    super(options);
    this.distanceFunction = options.distanceFunction ?? null;
    this.margin = requireMargin('TripletMarginWithDistanceLoss', options.margin ?? 1);
    this.swap = options.swap ?? false;
  }

  forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    const { distanceFunction, margin, swap, reduction } = this;
    return tripletMarginWithDistanceLoss(anchor, positive, negative, { distanceFunction, margin, swap, reduction });
  }
}

function requireMargin(name: string, margin: number): number {
  if (margin > 0) return margin;
  throw new ValueError('ERR_MARGIN', `${name}: expected margin to be greater than 0, got ${margin} instead`);
}
