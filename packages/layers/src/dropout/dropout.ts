/** @file Dropout: parts of the input set to zero while training. */
import {
  type OptionNames,
  alphaDropout,
  dropout,
  dropout1d,
  dropout2d,
  dropout3d,
  featureAlphaDropout,
  type Generator,
  Module,
  type Tensor,
  typeNameOf,
  ValueError,
} from '@tessera/core';
import { withFirst } from '../options.js';
import { pyBool, pyFloat } from '../repr.js';

const DROPOUT_OPTIONS: OptionNames<DropoutOptions> = { p: true, inplace: true, rng: true, generator: true };

export interface DropoutOptions {
  /** The probability of being zeroed. Default 0.5. */
  readonly p?: number;
  /** Writes the result into the input. Default false. */
  readonly inplace?: boolean;
  /** 'philox' (the default): drawn on the device. 'torch': drawn on the host, bit for bit as PyTorch's CPU does. */
  readonly rng?: 'philox' | 'torch';
  /** Default: the runtime's, which `manualSeed` seeds. */
  readonly generator?: Generator;
}

type DropoutFunction = typeof dropout;

/** What all of them share. PyTorch: nn.modules.dropout._DropoutNd. */
abstract class DropoutBase extends Module {
  readonly p: number;
  readonly inplace: boolean;
  /** Where the noise comes from. */
  rng: 'philox' | 'torch';
  readonly #generator: Generator | undefined;

  /** @throws ValueError `ERR_LAYER_OPTION` for a probability outside [0, 1]. */
  constructor(p?: number | DropoutOptions, options?: DropoutOptions) {
    super();
    const given = withFirst<DropoutOptions>(new.target.typeName, DROPOUT_OPTIONS, p, 'p', options);
    this.p = given.p ?? 0.5;
    if (!(this.p >= 0 && this.p <= 1))
      throw new ValueError('ERR_LAYER_OPTION', `${typeNameOf(this)}: dropout probability has to be between 0 and 1, but got ${this.p}`);
    this.inplace = given.inplace ?? false;
    this.rng = given.rng ?? 'philox';
    this.#generator = given.generator;
  }

  protected run(drop: DropoutFunction, input: Tensor): Tensor {
    const { p, training, inplace, rng } = this;
    const generator = this.#generator;
    return drop(input, { p, training, inplace, rng, ...(generator === undefined ? {} : { generator }) });
  }

  override extraRepr(): string {
    return `p=${pyFloat(this.p)}, inplace=${pyBool(this.inplace)}`;
  }
}

/**
 * While training, sets each element to zero with probability p and scales the others by 1 / (1 − p); otherwise gives back its input
 * (Hinton et al., 2012). PyTorch: nn.Dropout.
 * @example new nn.Dropout(0.2)
 */
export class Dropout extends DropoutBase {
  static override readonly typeName = 'Dropout';

  forward(input: Tensor): Tensor {
    return this.run(dropout, input);
  }
}

/** As {@link Dropout}, for whole channels of (N, C, L) or (C, L). PyTorch: nn.Dropout1d. */
export class Dropout1d extends DropoutBase {
  static override readonly typeName = 'Dropout1d';

  forward(input: Tensor): Tensor {
    return this.run(dropout1d, input);
  }
}

/** As {@link Dropout}, for whole channels of (N, C, H, W). PyTorch: nn.Dropout2d. */
export class Dropout2d extends DropoutBase {
  static override readonly typeName = 'Dropout2d';

  forward(input: Tensor): Tensor {
    return this.run(dropout2d, input);
  }
}

/** As {@link Dropout}, for whole channels of (N, C, D, H, W) or (C, D, H, W). PyTorch: nn.Dropout3d. */
export class Dropout3d extends DropoutBase {
  static override readonly typeName = 'Dropout3d';

  forward(input: Tensor): Tensor {
    return this.run(dropout3d, input);
  }
}

/** Dropout for SELU nets: keeps mean and variance (Klambauer et al., 2017). PyTorch: nn.AlphaDropout. */
export class AlphaDropout extends DropoutBase {
  static override readonly typeName = 'AlphaDropout';

  forward(input: Tensor): Tensor {
    return this.run(alphaDropout, input);
  }
}

/** As {@link AlphaDropout}, for whole channels. PyTorch: nn.FeatureAlphaDropout. */
export class FeatureAlphaDropout extends DropoutBase {
  static override readonly typeName = 'FeatureAlphaDropout';

  forward(input: Tensor): Tensor {
    return this.run(featureAlphaDropout, input);
  }
}
