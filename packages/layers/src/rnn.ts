/** @file RNN, LSTM and GRU. */
import { isTensor, type Tensor, ValueError } from '@tessera/core';
import { RNNBase, type RNNBaseOptions } from './rnn-base.js';
import type { PackedSequence } from './utils/rnn.js';
import { checkOptions, type OptionNames } from '@tessera/core';

const RNN_BASE_OPTIONS: OptionNames<RNNBaseOptions> = {
  numLayers: true,
  bias: true,
  batchFirst: true,
  dropout: true,
  bidirectional: true,
  device: true,
  dtype: true,
};
const LSTM_OPTIONS: OptionNames<LSTMOptions> = {
  projSize: true,
  ...RNN_BASE_OPTIONS,
};
const RNN_OPTIONS: OptionNames<RNNOptions> = {
  nonlinearity: true,
  ...RNN_BASE_OPTIONS,
};

export interface RNNOptions extends RNNBaseOptions {
  /** Default 'tanh'. */
  readonly nonlinearity?: 'tanh' | 'relu';
}

/** A packed batch gives a packed output. */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- only an interface can say that instances are called; it declares no property
export interface RNN {
  (input: PackedSequence, h0?: Tensor | null): [output: PackedSequence, hn: Tensor];
}

/**
 * h_t = tanh(W_ih x_t + b_ih + W_hh h_(t−1) + b_hh). Input (T, N, inputSize), or (N, T, inputSize) with `batchFirst`, or (T, inputSize); `h0`
 * (layers · directions, N, hiddenSize), zeros by default. Gives `[output, hn]`. PyTorch: nn.RNN.
 *
 * @example const [output, hn] = new RNN(10, 20, { batchFirst: true })(randn(3, 6, 10));
 */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- as above
export class RNN extends RNNBase {
  static override readonly typeName = 'RNN';
  constructor(inputSize: number, hiddenSize: number, options: RNNOptions = {}) {
    checkOptions('RNN', options, RNN_OPTIONS);
    super(options.nonlinearity ?? 'tanh', inputSize, hiddenSize, options);
  }
  forward(input: Tensor, h0?: Tensor | null): [output: Tensor, hn: Tensor] {
    const { output, states } = this.run(input, h0 ? [h0] : undefined);
    return [output, states[0]!];
  }
}

export interface LSTMOptions extends RNNBaseOptions {
  /** The output is projected to this size; 0 (the default): it is not. */
  readonly projSize?: number;
}

/** A packed batch gives a packed output. */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- only an interface can say that instances are called; it declares no property
export interface LSTM {
  (input: PackedSequence, state?: readonly [Tensor, Tensor] | null): [output: PackedSequence, state: [hn: Tensor, cn: Tensor]];
}

/**
 * Long short-term memory (Hochreiter and Schmidhuber, 1997). Shapes as RNN's; the state is `[h0, c0]`. Gives `[output, [hn, cn]]`. PyTorch: nn.LSTM.
 */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- as above
export class LSTM extends RNNBase {
  static override readonly typeName = 'LSTM';
  constructor(inputSize: number, hiddenSize: number, options: LSTMOptions = {}) {
    checkOptions('LSTM', options, LSTM_OPTIONS);
    super('lstm', inputSize, hiddenSize, options, options.projSize ?? 0);
  }
  forward(input: Tensor, state?: readonly [Tensor, Tensor] | null): [output: Tensor, state: [hn: Tensor, cn: Tensor]] {
    // Its rows would pass for the two.
    if (isTensor(state)) throw new ValueError('ERR_ARGUMENT', 'LSTM: the state is a pair, [h0, c0], not a Tensor', { op: 'LSTM' });
    const { output, states } = this.run(input, state ?? undefined);
    return [output, [states[0]!, states[1]!]];
  }
}

/** A packed batch gives a packed output. */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- only an interface can say that instances are called; it declares no property
export interface GRU {
  (input: PackedSequence, h0?: Tensor | null): [output: PackedSequence, hn: Tensor];
}

/** Gated recurrent unit (Cho et al., 2014). Shapes as RNN's. Gives `[output, hn]`. PyTorch: nn.GRU. */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- as above
export class GRU extends RNNBase {
  static override readonly typeName = 'GRU';
  constructor(inputSize: number, hiddenSize: number, options: RNNBaseOptions = {}) {
    checkOptions('GRU', options, RNN_BASE_OPTIONS);
    super('gru', inputSize, hiddenSize, options);
  }
  forward(input: Tensor, h0?: Tensor | null): [output: Tensor, hn: Tensor] {
    const { output, states } = this.run(input, h0 ? [h0] : undefined);
    return [output, states[0]!];
  }
}
