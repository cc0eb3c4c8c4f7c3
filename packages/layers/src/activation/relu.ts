/** @file Activations with a corner: ReLU and its leaky and bounded kin. */
import {
  checkOptions,
  type OptionNames,
  full,
  leakyRelu,
  Module,
  Parameter,
  prelu,
  relu,
  relu6,
  relu_,
  rrelu,
  type Tensor,
  threshold,
  ValueError,
} from '@tessera/core';
import { type FactoryOptions, factory, withFirst } from '../options.js';
import { pyFloat } from '../repr.js';
import { type InplaceOptions, inplaceRepr } from './inplace.js';

const LEAKY_RELU_OPTIONS: OptionNames<LeakyReLUOptions> = { negativeSlope: true, inplace: true };
const PRELU_OPTIONS: OptionNames<PReLUOptions> = { numParameters: true, init: true, device: true, dtype: true };
const RRELU_OPTIONS: OptionNames<RReLUOptions> = { lower: true, upper: true, rng: true, inplace: true };
const INPLACE_OPTIONS: OptionNames<InplaceOptions> = { inplace: true };

/** max(x, 0). PyTorch: nn.ReLU. @example new nn.ReLU(); new nn.ReLU({ inplace: true }) */
export class ReLU extends Module {
  static override readonly typeName: string = 'ReLU';
  readonly inplace: boolean;

  constructor(options: boolean | InplaceOptions = {}) {
    super();
    this.inplace = withFirst<InplaceOptions>(new.target.typeName, INPLACE_OPTIONS, options, 'inplace').inplace ?? false;
  }

  forward(input: Tensor): Tensor {
    return this.inplace ? relu_(input) : relu(input);
  }

  override extraRepr(): string {
    return inplaceRepr(this.inplace, true);
  }
}

/** min(max(x, 0), 6). PyTorch: nn.ReLU6. */
export class ReLU6 extends ReLU {
  static override readonly typeName = 'ReLU6';

  override forward(input: Tensor): Tensor {
    return relu6(input, { inplace: this.inplace });
  }
}

export interface LeakyReLUOptions extends InplaceOptions {
  /** The slope below 0. Default 0.01. */
  readonly negativeSlope?: number;
}

/** x above 0, negativeSlope · x below. PyTorch: nn.LeakyReLU. @example new nn.LeakyReLU(0.2) */
export class LeakyReLU extends Module {
  static override readonly typeName = 'LeakyReLU';
  readonly negativeSlope: number;
  readonly inplace: boolean;

  constructor(negativeSlope?: number | LeakyReLUOptions, options?: LeakyReLUOptions) {
    super();
    const given = withFirst<LeakyReLUOptions>('LeakyReLU', LEAKY_RELU_OPTIONS, negativeSlope, 'negativeSlope', options);
    this.negativeSlope = given.negativeSlope ?? 0.01;
    this.inplace = given.inplace ?? false;
  }

  forward(input: Tensor): Tensor {
    return leakyRelu(input, { negativeSlope: this.negativeSlope, inplace: this.inplace });
  }

  override extraRepr(): string {
    return `negative_slope=${pyFloat(this.negativeSlope)}${inplaceRepr(this.inplace)}`;
  }
}

export interface RReLUOptions extends InplaceOptions {
  /** Default 1/8. */
  readonly lower?: number;
  /** Default 1/3. */
  readonly upper?: number;
  /** 'torch' draws the slopes on the host, as PyTorch's CPU does; 'philox' (the default) on the device. */
  readonly rng?: 'philox' | 'torch';
}

/** A leaky ReLU whose slopes are drawn anew for each element while training, and their mean otherwise. PyTorch: nn.RReLU. */
export class RReLU extends Module {
  static override readonly typeName = 'RReLU';
  readonly lower: number;
  readonly upper: number;
  readonly inplace: boolean;
  /** Where slopes come from. */
  rng: 'philox' | 'torch';

  constructor(options: RReLUOptions = {}) {
    checkOptions('RReLU', options, RRELU_OPTIONS);
    super();
    this.lower = options.lower ?? 1 / 8;
    this.upper = options.upper ?? 1 / 3;
    this.inplace = options.inplace ?? false;
    this.rng = options.rng ?? 'philox';
  }

  forward(input: Tensor): Tensor {
    const { lower, upper, inplace, training, rng } = this;
    return rrelu(input, { lower, upper, inplace, training, rng });
  }

  override extraRepr(): string {
    return `lower=${pyFloat(this.lower)}, upper=${pyFloat(this.upper)}${inplaceRepr(this.inplace)}`;
  }
}

export interface PReLUOptions extends FactoryOptions {
  /** One slope for all channels (1, the default), or one for each. */
  readonly numParameters?: number;
  /** What the slopes begin as. Default 0.25. */
  readonly init?: number;
}

/** A leaky ReLU whose slopes are learnt (He et al., 2015); channels are in dim 1. PyTorch: nn.PReLU. */
export class PReLU extends Module {
  static override readonly typeName = 'PReLU';
  readonly numParameters: number;
  readonly init: number;
  weight: Parameter;

  constructor(numParameters?: number | PReLUOptions, options?: PReLUOptions) {
    super();
    const given = withFirst<PReLUOptions>('PReLU', PRELU_OPTIONS, numParameters, 'numParameters', options);
    this.numParameters = given.numParameters ?? 1;
    this.init = given.init ?? 0.25;
    this.weight = new Parameter(full([this.numParameters], this.init, factory(given)));
  }

  forward(input: Tensor): Tensor {
    return prelu(input, this.weight);
  }

  override extraRepr(): string {
    return `num_parameters=${this.numParameters}`;
  }
}

/** x where it is above `threshold`, `value` elsewhere. PyTorch: nn.Threshold. */
export class Threshold extends Module {
  static override readonly typeName = 'Threshold';
  readonly inplace: boolean;

  constructor(
    readonly threshold: number,
    readonly value: number,
    options: InplaceOptions = {},
  ) {
    checkOptions('Threshold', options, INPLACE_OPTIONS);
    super();
    if (typeof threshold !== 'number' || typeof value !== 'number')
      throw new ValueError('ERR_LAYER_OPTION', 'Threshold takes a threshold and a value, both numbers');
    this.inplace = options.inplace ?? false;
  }

  forward(input: Tensor): Tensor {
    return threshold(input, this.threshold, this.value, { inplace: this.inplace });
  }

  override extraRepr(): string {
    return `threshold=${pyFloat(this.threshold)}, value=${pyFloat(this.value)}${inplaceRepr(this.inplace)}`;
  }
}
