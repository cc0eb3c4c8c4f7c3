/** @file What RNN, LSTM and GRU share: parameters, checks of inputs, batch layouts. PyTorch: nn.RNNBase. */
import { empty, fromHost, Module, noGrad, Parameter, ShapeError, type Tensor, ValueError, zeros } from '@tessera/core';
import { recurrent, type RecurrentWeights } from './functional/recurrent.js';
import { factory, type FactoryOptions } from './options.js';
import { PackedSequence } from './utils/rnn.js';

export interface RNNBaseOptions extends FactoryOptions {
  /** Layers, each fed with the outputs of the one before. Default 1. */
  readonly numLayers?: number;
  /** Default true. */
  readonly bias?: boolean;
  /** Inputs and outputs are (N, T, …) rather than (T, N, …). States are (layers, N, …) all the same. Default false. */
  readonly batchFirst?: boolean;
  /** Probability of zeroing an output between layers, while training. Default 0. */
  readonly dropout?: number;
  /** Each layer also runs from the end of the sequence. Default false. */
  readonly bidirectional?: boolean;
}

export type RecurrentKind = 'tanh' | 'relu' | 'lstm' | 'gru';
const GATES: Record<RecurrentKind, number> = { tanh: 1, relu: 1, lstm: 4, gru: 3 };

/** The base of the recurrent layers. Parameters: `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, (`weight_hr_l0`,) `…_l0_reverse`, `…_l1`. */
export abstract class RNNBase extends Module {
  readonly numLayers: number;
  readonly bias: boolean;
  readonly batchFirst: boolean;
  readonly dropout: number;
  readonly bidirectional: boolean;

  /** @throws ValueError `ERR_RNN_OPTION`. */
  constructor(
    protected readonly kind: RecurrentKind,
    readonly inputSize: number,
    readonly hiddenSize: number,
    options: RNNBaseOptions,
    /** Size of an LSTM's projected output; 0 for none. */
    readonly projSize = 0,
  ) {
    super();
    this.numLayers = options.numLayers ?? 1;
    this.bias = options.bias ?? true;
    this.batchFirst = options.batchFirst ?? false;
    this.dropout = options.dropout ?? 0;
    this.bidirectional = options.bidirectional ?? false;
    this.#check();
    const rows = GATES[kind] * hiddenSize;
    const made = factory(options);
    const parameter = (...shape: number[]): Parameter => new Parameter(empty(shape, made));
    for (let layer = 0; layer < this.numLayers; layer++) {
      for (const direction of this.bidirectional ? ['', '_reverse'] : ['']) {
        const width = layer === 0 ? inputSize : this.#outputSize * this.#directions;
        const suffix = `_l${layer}${direction}`;
        this.registerParameter(`weight_ih${suffix}`, parameter(rows, width));
        this.registerParameter(`weight_hh${suffix}`, parameter(rows, this.#outputSize));
        if (this.bias) {
          this.registerParameter(`bias_ih${suffix}`, parameter(rows));
          this.registerParameter(`bias_hh${suffix}`, parameter(rows));
        }
        if (projSize > 0) this.registerParameter(`weight_hr${suffix}`, parameter(projSize, hiddenSize));
      }
    }
    this.resetParameters();
  }

  #check(): void {
    const fail = (why: string): never => {
      throw new ValueError('ERR_RNN_OPTION', `${this.constructor.name}: ${why}`);
    };
    const { hiddenSize, inputSize, numLayers, projSize, dropout } = this;
    if (!(dropout >= 0 && dropout <= 1))
      fail('dropout should be a number in range [0, 1] representing the probability of an element being zeroed');
    if (!(Number.isInteger(inputSize) && inputSize >= 0)) fail(`input_size should be a whole number, but is ${inputSize}`);
    if (!(Number.isInteger(hiddenSize) && hiddenSize > 0)) fail('hidden_size must be greater than zero');
    if (!(Number.isInteger(numLayers) && numLayers > 0)) fail('num_layers must be greater than zero');
    if (projSize < 0) fail('proj_size should be a positive integer or zero to disable projections');
    if (projSize >= hiddenSize) fail('proj_size has to be smaller than hidden_size');
  }

  get #directions(): number {
    return this.bidirectional ? 2 : 1;
  }

  get #outputSize(): number {
    return this.projSize > 0 ? this.projSize : this.hiddenSize;
  }

  /** All parameters uniform in ±1/√hidden, drawn in the order of registration, as PyTorch does. */
  resetParameters(): void {
    const bound = 1 / Math.sqrt(this.hiddenSize);
    noGrad(() => {
      for (const p of this.parameters()) p.uniform_(-bound, bound);
    });
  }

  #weights(): RecurrentWeights[] {
    // By property: a parametrized weight is computed when it is asked for.
    const p = this as unknown as Readonly<Record<string, Tensor | undefined>>;
    const out: RecurrentWeights[] = [];
    for (let layer = 0; layer < this.numLayers; layer++) {
      for (const direction of this.bidirectional ? ['', '_reverse'] : ['']) {
        const get = (name: string): Tensor | null => p[`${name}_l${layer}${direction}`] ?? null;
        out.push({ ih: get('weight_ih')!, hh: get('weight_hh')!, biasIh: get('bias_ih'), biasHh: get('bias_hh'), hr: get('weight_hr') });
      }
    }
    return out;
  }

  /**
   * Runs the network; the first states are zeros where none are given. A packed input, which the declared type leaves out, gives a packed output.
   */
  protected run(given: Tensor, states: readonly Tensor[] | undefined): { output: Tensor; states: Tensor[] } {
    const input = given as Tensor | PackedSequence;
    return input instanceof PackedSequence ? this.#runPacked(input, states) : this.#runPadded(input, states);
  }

  #runPacked(input: PackedSequence, given: readonly Tensor[] | undefined): { output: Tensor; states: Tensor[] } {
    const name = this.constructor.name;
    const { data, batchSizes, sortedIndices, unsortedIndices } = input;
    const fail = (why: string): never => {
      throw new ShapeError('ERR_RNN_SHAPE', `${name}: ${why}`, { op: name, shapes: [data.shape] });
    };
    if (data.ndim !== 2) fail(`Expected data of a packed sequence to be 2D, got ${data.ndim}D instead`);
    if (data.shape[1] !== this.inputSize)
      fail(`input.size(-1) must be equal to input_size. Expected ${this.inputSize}, got ${data.shape[1]}`);
    const sizes = this.kind === 'lstm' ? [this.#outputSize, this.hiddenSize] : [this.hiddenSize];
    const ordered = (state: Tensor, order: readonly number[] | null): Tensor =>
      order === null ? state : state.indexSelect(1, fromHost(Int32Array.from(order), [order.length], 'int32', state.device));
    const states = sizes.map((size, i) => {
      const shape = [this.numLayers * this.#directions, batchSizes[0] ?? 0, size];
      const state = given?.[i];
      if (state === undefined) return zeros(shape, { dtype: data.dtype, device: data.device });
      if (state.shape.join() !== shape.join()) fail(`Expected hidden size (${shape.join(', ')}), got [${state.shape.join(', ')}]`);
      return ordered(state, sortedIndices);
    });
    const { bidirectional, dropout, training } = this;
    const { output, states: last } = recurrent(this.kind, data, states, this.#weights(), { bidirectional, dropout, training, batchSizes });
    return { output: input.withData(output) as unknown as Tensor, states: last.map((s) => ordered(s, unsortedIndices)) };
  }

  #runPadded(input: Tensor, given: readonly Tensor[] | undefined): { output: Tensor; states: Tensor[] } {
    const name = this.constructor.name;
    if (input.ndim !== 2 && input.ndim !== 3) {
      throw new ShapeError('ERR_RNN_SHAPE', `${name}: Expected input to be 2D or 3D, got ${input.ndim}D instead`, {
        op: name,
        shapes: [input.shape],
      });
    }
    if (input.shape.at(-1) !== this.inputSize) {
      throw new ShapeError(
        'ERR_RNN_SHAPE',
        `${name}: input.size(-1) must be equal to input_size. Expected ${this.inputSize}, got ${input.shape.at(-1)}`,
        { op: name, shapes: [input.shape] },
      );
    }
    const batched = input.ndim === 3;
    const batchDim = this.batchFirst ? 0 : 1;
    let x = batched ? input : input.unsqueeze(batchDim);
    if (this.batchFirst) x = x.transpose(0, 1);
    if (x.size(0) === 0)
      throw new ShapeError('ERR_RNN_SHAPE', `${name}: Expected sequence length to be larger than 0 in RNN`, {
        op: name,
        shapes: [input.shape],
      });
    const count = this.numLayers * this.#directions;
    const sizes = this.kind === 'lstm' ? [this.#outputSize, this.hiddenSize] : [this.hiddenSize];
    const states = sizes.map((size, i) => {
      const shape = [count, x.size(1), size];
      const state = given?.[i];
      if (state === undefined) return zeros(shape, { dtype: input.dtype, device: input.device });
      if (state.ndim !== input.ndim) {
        throw new ShapeError(
          'ERR_RNN_SHAPE',
          `${name}: For ${batched ? 'batched 3-D' : 'unbatched 2-D'} input, hx should also be ${batched ? '3-D' : '2-D'} but got ${state.ndim}-D tensor`,
          { op: name, shapes: [input.shape, state.shape] },
        );
      }
      const full = batched ? state : state.unsqueeze(1);
      if (full.shape.some((s, d) => s !== shape[d])) {
        throw new ShapeError(
          'ERR_RNN_SHAPE',
          `${name}: Expected hidden${i > 0 ? '[1]' : this.kind === 'lstm' ? '[0]' : ''} size (${shape.join(', ')}), got [${full.shape.join(', ')}]`,
          { op: name, shapes: [input.shape, state.shape] },
        );
      }
      return full;
    });
    const { output, states: last } = recurrent(this.kind, x, states, this.#weights(), {
      bidirectional: this.bidirectional,
      dropout: this.dropout,
      training: this.training,
    });
    const laid = this.batchFirst ? output.transpose(0, 1) : output;
    return batched ? { output: laid, states: last } : { output: laid.squeeze(batchDim), states: last.map((s) => s.squeeze(1)) };
  }

  override extraRepr(): string {
    let text = `${this.inputSize}, ${this.hiddenSize}`;
    if (this.projSize !== 0) text += `, proj_size=${this.projSize}`;
    if (this.numLayers !== 1) text += `, num_layers=${this.numLayers}`;
    if (!this.bias) text += ', bias=False';
    if (this.batchFirst) text += ', batch_first=True';
    if (this.dropout !== 0) text += `, dropout=${Number.isInteger(this.dropout) ? `${this.dropout}.0` : this.dropout}`;
    if (this.bidirectional) text += ', bidirectional=True';
    return text;
  }
}
