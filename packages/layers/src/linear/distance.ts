/** @file Layers that compare two inputs. */
import { checkOptions, type OptionNames, Module, type Tensor } from '@tessera/core';
import { cosineSimilarity, type CosineSimilarityOptions, pairwiseDistance, type PairwiseDistanceOptions } from '../functional/index.js';

const COSINE_SIMILARITY_OPTIONS: OptionNames<CosineSimilarityOptions> = { dim: true, eps: true };
const PAIRWISE_DISTANCE_OPTIONS: OptionNames<PairwiseDistanceOptions> = { p: true, eps: true, keepdim: true };

/** The cosine of the angle between two inputs along a dim. PyTorch: nn.CosineSimilarity. */
export class CosineSimilarity extends Module {
  static override readonly typeName = 'CosineSimilarity';
  readonly dim: number;
  readonly eps: number;

  constructor(options: CosineSimilarityOptions = {}) {
    checkOptions('CosineSimilarity', options, COSINE_SIMILARITY_OPTIONS);
    super();
    this.dim = options.dim ?? 1;
    this.eps = options.eps ?? 1e-8;
  }

  forward(x1: Tensor, x2: Tensor): Tensor {
    return cosineSimilarity(x1, x2, { dim: this.dim, eps: this.eps });
  }
}

/** The p-norm of the difference of two inputs along the last dim. PyTorch: nn.PairwiseDistance. */
export class PairwiseDistance extends Module {
  static override readonly typeName = 'PairwiseDistance';
  readonly norm: number;
  readonly eps: number;
  readonly keepdim: boolean;

  constructor(options: PairwiseDistanceOptions = {}) {
    checkOptions('PairwiseDistance', options, PAIRWISE_DISTANCE_OPTIONS);
    super();
    this.norm = options.p ?? 2;
    this.eps = options.eps ?? 1e-6;
    this.keepdim = options.keepdim ?? false;
  }

  forward(x1: Tensor, x2: Tensor): Tensor {
    return pairwiseDistance(x1, x2, { p: this.norm, eps: this.eps, keepdim: this.keepdim });
  }
}
