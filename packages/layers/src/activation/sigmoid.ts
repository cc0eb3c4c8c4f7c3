/** @file The logistic function and what is made of it. */
import {
  checkOptions,
  type OptionNames,
  hardsigmoid,
  hardswish,
  logsigmoid,
  mish,
  Module,
  sigmoid,
  silu,
  type Tensor,
} from '@tessera/core';
import { type InplaceOptions, inplaceRepr } from './inplace.js';

const INPLACE_OPTIONS: OptionNames<InplaceOptions> = { inplace: true };

/** 1 / (1 + e^−x). PyTorch: nn.Sigmoid. */
export class Sigmoid extends Module {
  static override readonly typeName = 'Sigmoid';

  forward(input: Tensor): Tensor {
    return sigmoid(input);
  }
}

/** log(1 / (1 + e^−x)), without overflow. PyTorch: nn.LogSigmoid. */
export class LogSigmoid extends Module {
  static override readonly typeName = 'LogSigmoid';

  forward(input: Tensor): Tensor {
    return logsigmoid(input);
  }
}

/** min(max(x + 3, 0), 6) / 6. PyTorch: nn.Hardsigmoid. */
export class Hardsigmoid extends Module {
  static override readonly typeName = 'Hardsigmoid';
  readonly inplace: boolean;

  constructor(options: InplaceOptions = {}) {
    checkOptions('Hardsigmoid', options, INPLACE_OPTIONS);
    super();
    this.inplace = options.inplace ?? false;
  }

  forward(input: Tensor): Tensor {
    return hardsigmoid(input, { inplace: this.inplace });
  }
}

/** x · min(max(x + 3, 0), 6) / 6 (Howard et al., 2019). PyTorch: nn.Hardswish. */
export class Hardswish extends Module {
  static override readonly typeName = 'Hardswish';
  readonly inplace: boolean;

  constructor(options: InplaceOptions = {}) {
    checkOptions('Hardswish', options, INPLACE_OPTIONS);
    super();
    this.inplace = options.inplace ?? false;
  }

  forward(input: Tensor): Tensor {
    return hardswish(input, { inplace: this.inplace });
  }
}

/** x · sigmoid(x), also known as swish. PyTorch: nn.SiLU. */
export class SiLU extends Module {
  static override readonly typeName = 'SiLU';
  readonly inplace: boolean;

  constructor(options: InplaceOptions = {}) {
    checkOptions('SiLU', options, INPLACE_OPTIONS);
    super();
    this.inplace = options.inplace ?? false;
  }

  forward(input: Tensor): Tensor {
    return silu(input, { inplace: this.inplace });
  }

  override extraRepr(): string {
    return inplaceRepr(this.inplace, true);
  }
}

/** x · tanh(log(1 + e^x)) (Misra, 2019). PyTorch: nn.Mish. */
export class Mish extends Module {
  static override readonly typeName = 'Mish';
  readonly inplace: boolean;

  constructor(options: InplaceOptions = {}) {
    checkOptions('Mish', options, INPLACE_OPTIONS);
    super();
    this.inplace = options.inplace ?? false;
  }

  forward(input: Tensor): Tensor {
    return mish(input, { inplace: this.inplace });
  }

  override extraRepr(): string {
    return inplaceRepr(this.inplace, true);
  }
}
