/** @file RNNCell, LSTMCell and GRUCell: one step. */
import {
  checkOptions,
  type OptionNames,
  empty,
  linear,
  Module,
  noGrad,
  Parameter,
  ShapeError,
  type Tensor,
  ValueError,
  zeros,
} from '@tessera/core';
import { factory, type FactoryOptions } from './options.js';
import { gruStep, lstmStep, reluStep, type Step, tanhStep } from './functional/recurrent-cells.js';

const CELL_OPTIONS: OptionNames<CellOptions> = { bias: true, device: true, dtype: true };
const RNN_CELL_OPTIONS: OptionNames<RNNCellOptions> = { nonlinearity: true, bias: true, device: true, dtype: true };

export interface CellOptions extends FactoryOptions {
  /** Default true. */
  readonly bias?: boolean;
}
export interface RNNCellOptions extends CellOptions {
  /** Default 'tanh'. */
  readonly nonlinearity?: 'tanh' | 'relu';
}

/** What the cells share. PyTorch: nn.RNNCellBase. */
export abstract class RNNCellBase extends Module {
  readonly bias: boolean;
  readonly weight_ih: Parameter;
  readonly weight_hh: Parameter;
  readonly bias_ih: Parameter | null;
  readonly bias_hh: Parameter | null;

  constructor(
    readonly inputSize: number,
    readonly hiddenSize: number,
    gates: number,
    options: CellOptions,
  ) {
    super();
    this.bias = options.bias ?? true;
    const made = factory(options);
    const parameter = (...shape: number[]): Parameter => new Parameter(empty(shape, made));
    this.weight_ih = parameter(gates * hiddenSize, inputSize);
    this.weight_hh = parameter(gates * hiddenSize, hiddenSize);
    this.bias_ih = this.bias ? parameter(gates * hiddenSize) : null;
    this.bias_hh = this.bias ? parameter(gates * hiddenSize) : null;
    const bound = hiddenSize > 0 ? 1 / Math.sqrt(hiddenSize) : 0;
    noGrad(() => {
      for (const p of this.parameters()) p.uniform_(-bound, bound);
    });
  }

  /** One step from input (N, inputSize) or (inputSize) and states alike. */
  protected run(step: Step, input: Tensor, states: readonly (Tensor | undefined)[], names: readonly string[]): Tensor[] {
    const name = this.constructor.name;
    const fail = (why: string, ...more: Tensor[]): never => {
      throw new ShapeError('ERR_RNN_SHAPE', `${name}: ${why}`, { op: name, shapes: [input.shape, ...more.map((t) => t.shape)] });
    };
    if (input.ndim !== 1 && input.ndim !== 2)
      throw new ValueError('ERR_RNN_SHAPE', `${name}: Expected input to be 1D or 2D, got ${input.ndim}D instead`, {
        op: name,
        shapes: [input.shape],
      });
    const batched = input.ndim === 2;
    const x = batched ? input : input.unsqueeze(0);
    if (x.size(1) !== this.inputSize) fail(`input has inconsistent input_size: got ${x.size(1)} expected ${this.inputSize}`);
    const full = states.map((state, i) => {
      if (state === undefined) return zeros([x.size(0), this.hiddenSize], { dtype: input.dtype, device: input.device });
      if (state.ndim !== 1 && state.ndim !== 2)
        throw new ValueError('ERR_RNN_SHAPE', `${name}: Expected ${names[i]} to be 1D or 2D, got ${state.ndim}D instead`, {
          op: name,
          shapes: [state.shape],
        });
      const h = state.ndim === 2 ? state : state.unsqueeze(0);
      if (h.size(0) !== x.size(0)) fail(`Input batch size ${x.size(0)} doesn't match hidden${i} batch size ${h.size(0)}`, state);
      if (h.size(1) !== this.hiddenSize)
        fail(`hidden${i} has inconsistent hidden_size: got ${h.size(1)}, expected ${this.hiddenSize}`, state);
      return h;
    });
    const next = step(linear(x, this.weight_ih, this.bias_ih), full, {
      ih: this.weight_ih,
      hh: this.weight_hh,
      biasIh: this.bias_ih,
      biasHh: this.bias_hh,
      hr: null,
    });
    return batched ? next : next.map((t) => t.squeeze(0));
  }

  override extraRepr(): string {
    return `${this.inputSize}, ${this.hiddenSize}${this.bias ? '' : ', bias=False'}`;
  }
}

/** h' = tanh(W_ih x + b_ih + W_hh h + b_hh). PyTorch: nn.RNNCell. */
export class RNNCell extends RNNCellBase {
  static override readonly typeName = 'RNNCell';
  readonly nonlinearity: 'tanh' | 'relu';

  constructor(inputSize: number, hiddenSize: number, options: RNNCellOptions = {}) {
    checkOptions('RNNCell', options, RNN_CELL_OPTIONS);
    super(inputSize, hiddenSize, 1, options);
    this.nonlinearity = options.nonlinearity ?? 'tanh';
    if (this.nonlinearity !== 'tanh' && this.nonlinearity !== 'relu')
      throw new ValueError('ERR_RNN_OPTION', `RNNCell: Unknown nonlinearity: ${String(this.nonlinearity)}`);
  }

  forward(input: Tensor, h?: Tensor | null): Tensor {
    return this.run(this.nonlinearity === 'tanh' ? tanhStep : reluStep, input, [h ?? undefined], ['hidden'])[0]!;
  }

  override extraRepr(): string {
    return `${super.extraRepr()}${this.nonlinearity === 'tanh' ? '' : `, nonlinearity=${this.nonlinearity}`}`;
  }
}

/** One step of an LSTM: `[h', c']`. PyTorch: nn.LSTMCell. */
export class LSTMCell extends RNNCellBase {
  static override readonly typeName = 'LSTMCell';

  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    checkOptions('LSTMCell', options, CELL_OPTIONS);
    super(inputSize, hiddenSize, 4, options);
  }

  forward(input: Tensor, state?: readonly [Tensor, Tensor] | null): [h: Tensor, c: Tensor] {
    const [h, c] = this.run(lstmStep, input, state ?? [undefined, undefined], ['hx[0]', 'hx[1]']);
    return [h!, c!];
  }
}

/** One step of a GRU. PyTorch: nn.GRUCell. */
export class GRUCell extends RNNCellBase {
  static override readonly typeName = 'GRUCell';

  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    checkOptions('GRUCell', options, CELL_OPTIONS);
    super(inputSize, hiddenSize, 3, options);
  }

  forward(input: Tensor, h?: Tensor | null): Tensor {
    return this.run(gruStep, input, [h ?? undefined], ['hidden'])[0]!;
  }
}
