/** @file The adaptive softmax: frequent classes first, rare ones in clusters with smaller projections. */
import { checkOptions, type OptionNames, cat, fromHost, Module, ShapeError, type Tensor, ValueError, where } from '@tessera/core';
import { ModuleList } from '../containers/module-list.js';
import { Sequential } from '../containers/sequential.js';
import { Linear } from '../linear/linear.js';
import { factory, type FactoryOptions } from '../options.js';

const ADAPTIVE_LOG_SOFTMAX_WITH_LOSS_OPTIONS: OptionNames<AdaptiveLogSoftmaxWithLossOptions> = {
  divValue: true,
  headBias: true,
  device: true,
  dtype: true,
};

export interface AdaptiveLogSoftmaxWithLossOptions extends FactoryOptions {
  /** Each cluster's projection is so many times smaller than the one before. Default 4. */
  readonly divValue?: number;
  /** Adds a bias to the head. Default false. */
  readonly headBias?: boolean;
}

/** Rows of a batch that belong to one cluster. */
interface Members {
  readonly rows: number[];
  /** Their class within the cluster. */
  readonly classes: number[];
}

/**
 * An approximate softmax over very many classes, sorted from frequent to rare (Grave et al., 2016). `cutoffs` say where clusters begin: [10, 100]
 * makes 10 classes of the head, a cluster of 90, and one of the rest. Input (N, inFeatures) or (inFeatures), target (N) or (). Gives
 * `[output, loss]`: log p of each target, and the mean of their negatives. The targets are read, to sort the rows into clusters: on a device
 * that cannot be read at once call `forwardAsync`. PyTorch: nn.AdaptiveLogSoftmaxWithLoss.
 *
 * @throws ValueError `ERR_LAYER_OPTION`; when called, ShapeError `ERR_TARGET_SHAPE`, ValueError `ERR_TARGET_RANGE`.
 * @example const [logP, loss] = new nn.AdaptiveLogSoftmaxWithLoss(64, 10000, [100, 1000])(features, words);
 */
export class AdaptiveLogSoftmaxWithLoss extends Module {
  static override readonly typeName = 'AdaptiveLogSoftmaxWithLoss';
  readonly cutoffs: readonly number[];
  readonly divValue: number;
  head: Linear;
  tail: ModuleList<Sequential>;

  constructor(
    readonly inFeatures: number,
    readonly nClasses: number,
    cutoffs: readonly number[],
    options: AdaptiveLogSoftmaxWithLossOptions = {},
  ) {
    checkOptions('AdaptiveLogSoftmaxWithLoss', options, ADAPTIVE_LOG_SOFTMAX_WITH_LOSS_OPTIONS);
    super();
    const fail = (why: string): never => {
      throw new ValueError('ERR_LAYER_OPTION', `AdaptiveLogSoftmaxWithLoss: ${why}`);
    };
    if (cutoffs.length === 0) fail('cutoffs should be a sequence of length larger than 0');
    const sorted = cutoffs.every((c, i) => Number.isInteger(c) && c > (i === 0 ? 0 : cutoffs[i - 1]!) && c <= nClasses - 1);
    if (!sorted)
      fail(
        'cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each value is between 1 and n_classes-1',
      );
    const { divValue = 4, headBias = false } = options;
    const made = factory(options);
    this.cutoffs = [...cutoffs, nClasses];
    this.divValue = divValue;
    this.head = new Linear(inFeatures, cutoffs[0]! + cutoffs.length, { bias: headBias, ...made });
    this.tail = new ModuleList();
    for (let i = 0; i < cutoffs.length; i++) {
      const width = Math.floor(inFeatures / divValue ** (i + 1));
      const classes = this.cutoffs[i + 1]! - this.cutoffs[i]!;
      this.tail.append(
        new Sequential(new Linear(inFeatures, width, { bias: false, ...made }), new Linear(width, classes, { bias: false, ...made })),
      );
    }
  }

  resetParameters(): void {
    this.head.resetParameters();
    for (const cluster of this.tail) for (const layer of cluster) (layer as Linear).resetParameters();
  }

  forward(input: Tensor, target: Tensor): [output: Tensor, loss: Tensor] {
    this.#check(input, target);
    return this.#run(input, target, target.flatten().toArray() as number[]);
  }

  /** As a call of the layer, on every device. Runs no hooks. */
  async forwardAsync(input: Tensor, target: Tensor): Promise<[output: Tensor, loss: Tensor]> {
    this.#check(input, target);
    return this.#run(input, target, (await target.flatten().toArrayAsync()) as number[]);
  }

  #check(input: Tensor, target: Tensor): void {
    const fail = (why: string): never => {
      throw new ShapeError('ERR_TARGET_SHAPE', `AdaptiveLogSoftmaxWithLoss: ${why}`, {
        op: 'AdaptiveLogSoftmaxWithLoss',
        shapes: [input.shape, target.shape],
      });
    };
    if (target.ndim === 1) {
      if (input.shape[0] !== target.shape[0]) fail('Input and target should have the same size in the batch dimension.');
      if (input.ndim !== 2) fail('1D target tensor expects 2D input tensors, but found inputs with size');
    } else if (target.ndim === 0) {
      if (input.ndim !== 1) fail('0D target tensor expects 1D input tensors, but found inputs with size');
    } else fail('0D or 1D target tensor expected, multi-target not supported');
  }

  #run(input: Tensor, target: Tensor, classes: readonly number[]): [Tensor, Tensor] {
    const x = input.ndim === 1 ? input.unsqueeze(0) : input;
    const [shortlist] = this.cutoffs as readonly [number, ...number[]];
    const members = this.cutoffs.map((): Members => ({ rows: [], classes: [] }));
    const headClasses = new Int32Array(classes.length);
    classes.forEach((c, row) => {
      if (!(c >= 0 && c < this.nClasses)) {
        const range = `[${Math.min(...classes)}, ${Math.max(...classes)}]`;
        throw new ValueError(
          'ERR_TARGET_RANGE',
          `AdaptiveLogSoftmaxWithLoss: Target values should be in [0, ${this.nClasses - 1}], but values in range ${range} were found.`,
        );
      }
      const cluster = this.cutoffs.findIndex((end) => c < end);
      members[cluster]!.rows.push(row);
      members[cluster]!.classes.push(c - (cluster === 0 ? 0 : this.cutoffs[cluster - 1]!));
      headClasses[row] = cluster === 0 ? c : shortlist + cluster - 1;
    });
    const index = (values: ArrayLike<number>): Tensor => fromHost(Int32Array.from(values), [values.length], 'int32', input.device);
    const picked = (logP: Tensor, at: Tensor): Tensor => logP.gather(1, at.unsqueeze(1)).squeeze(1);
    let output = picked(this.head(x).logSoftmax(1), index(headClasses));
    for (const [cluster, { rows, classes: own }] of members.entries()) {
      if (cluster === 0 || rows.length === 0) continue;
      const at = index(rows);
      const part = picked(
        this.tail
          .at(cluster - 1)(x.indexSelect(0, at))
          .logSoftmax(1),
        index(own),
      );
      output = output.indexAdd(0, at, part);
    }
    const loss = output.neg().mean();
    return [target.ndim === 0 ? output.squeeze(0) : output, loss];
  }

  /** log p of every class: (N, inFeatures) gives (N, nClasses). PyTorch: log_prob. */
  logProb(input: Tensor): Tensor {
    const [shortlist] = this.cutoffs as readonly [number, ...number[]];
    const head = this.head(input).logSoftmax(1);
    const parts = [...this.tail].map((cluster, i) =>
      cluster(input)
        .logSoftmax(1)
        .add(head.narrow(1, shortlist + i, 1)),
    );
    return cat([head.narrow(1, 0, shortlist), ...parts], 1);
  }

  /** The likeliest class by the head, or by the cluster that the head points to: (N, inFeatures) gives (N). PyTorch: predict. */
  predict(input: Tensor): Tensor {
    const [shortlist] = this.cutoffs as readonly [number, ...number[]];
    const chosen = this.head(input).argmax(1);
    let out = chosen;
    for (const [i, cluster] of [...this.tail].entries()) {
      const own = cluster(input).argmax(1).add(this.cutoffs[i]!);
      out = where(chosen.eq(shortlist + i), own, out);
    }
    return out;
  }
}
