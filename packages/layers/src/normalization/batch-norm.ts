/** @file Batch normalisation. */
import { batchNorm, checkOptions, noGrad, ShapeError, type Tensor, typeNameOf } from '@tessera/core';
import { NORM_OPTIONS, NormBase, type NormOptions } from './norm-base.js';

/** What the three share. PyTorch: nn.modules.batchnorm._BatchNorm. */
abstract class BatchNorm extends NormBase {
  /** How many batches were counted when the counter had this version: spares reading it back from the device. */
  #known: { readonly counter: Tensor; version: number; count: number } | null;

  constructor(
    numFeatures: number,
    options: NormOptions,
    /** How many dims an input may have. */
    private readonly ranks: readonly number[],
  ) {
    super(numFeatures, options, { affine: true, trackRunningStats: true });
    const counter = this.num_batches_tracked;
    this.#known = counter === null ? null : { counter, version: counter.version, count: 0 };
  }

  forward(input: Tensor): Tensor {
    if (!this.ranks.includes(input.ndim)) {
      const wanted = this.ranks.map((rank) => `${rank}D`).join(' or ');
      throw new ShapeError('ERR_RANK', `${typeNameOf(this)}: expected ${wanted} input (got ${input.ndim}D input)`, {
        op: typeNameOf(this),
        shapes: [input.shape],
      });
    }
    const { training, trackRunningStats, eps, weight, bias, running_mean: mean, running_var: variance } = this;
    const counts = training && trackRunningStats;
    if (counts && this.#mustRead()) return this.#countOnDevice(input);
    const momentum = counts ? this.#countBatch() : (this.momentum ?? 0);
    const keeps = !training || trackRunningStats;
    // Without running statistics, those of the batch serve while inferring too.
    const ofBatch = training || (mean === null && variance === null);
    return batchNorm(input, keeps ? mean : null, keeps ? variance : null, weight, bias, { training: ofBatch, momentum, eps });
  }

  #isKnown(counter: Tensor): boolean {
    return this.#known !== null && this.#known.counter === counter && this.#known.version === counter.version;
  }

  /** Is the count needed as a number, and only on a device that cannot be read at once? So it is after a state was loaded. */
  #mustRead(): boolean {
    const counter = this.num_batches_tracked;
    return this.momentum === null && counter !== null && !counter.device.syncRead && !this.#isKnown(counter);
  }

  /** The forward pass of {@link BatchNorm.#mustRead}: the running statistics are kept by tensors, in place of a number that the kernel takes. */
  #countOnDevice(input: Tensor): Tensor {
    const { running_mean: mean, running_var: variance, num_batches_tracked: counter, weight, bias, eps } = this;
    noGrad(() => {
      counter!.add_(1);
      const dims = input.shape.map((_, dim) => dim).filter((dim) => dim !== 1);
      for (const [running, ofBatch] of [
        [mean, input.mean(dims)],
        [variance, input.var(dims)],
      ] as const)
        running?.add_(ofBatch.sub(running).div(counter!));
    });
    return batchNorm(input, null, null, weight, bias, { training: true, momentum: 0, eps });
  }

  /** Counts this batch; answers what part of the running statistics it replaces. */
  #countBatch(): number {
    const counter = this.num_batches_tracked;
    if (counter === null) return this.momentum ?? 0;
    if (this.momentum !== null) {
      counter.add_(1);
      return this.momentum;
    }
    const count = (this.#isKnown(counter) ? this.#known!.count : counter.item()) + 1;
    counter.add_(1);
    this.#known = { counter, version: counter.version, count };
    return 1 / count;
  }
}

/**
 * (x − E[x]) / √(Var[x] + ε) · weight + bias for each of C channels, over (N, C) or (N, C, L) (Ioffe and Szegedy, 2015). While training, mean
 * and variance are the batch's, and running ones are kept for inference: running = (1 − momentum)·running + momentum·batch.
 * State: `weight`, `bias`, `running_mean`, `running_var`, `num_batches_tracked`. PyTorch: nn.BatchNorm1d.
 */
export class BatchNorm1d extends BatchNorm {
  static override readonly typeName: string = 'BatchNorm1d';

  constructor(numFeatures: number, options: NormOptions = {}) {
    checkOptions('BatchNorm1d', options, NORM_OPTIONS);
    super(numFeatures, options, [2, 3]);
  }
}

/** As {@link BatchNorm1d}, over (N, C, H, W). PyTorch: nn.BatchNorm2d. @example new nn.BatchNorm2d(16, { momentum: 0.05 }) */
export class BatchNorm2d extends BatchNorm {
  static override readonly typeName: string = 'BatchNorm2d';

  constructor(numFeatures: number, options: NormOptions = {}) {
    checkOptions('BatchNorm2d', options, NORM_OPTIONS);
    super(numFeatures, options, [4]);
  }
}

/** As {@link BatchNorm1d}, over (N, C, D, H, W). PyTorch: nn.BatchNorm3d. */
export class BatchNorm3d extends BatchNorm {
  static override readonly typeName: string = 'BatchNorm3d';

  constructor(numFeatures: number, options: NormOptions = {}) {
    checkOptions('BatchNorm3d', options, NORM_OPTIONS);
    super(numFeatures, options, [5]);
  }
}
