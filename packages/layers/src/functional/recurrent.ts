/**
 * @file Recurrent layers over whole sequences: `rnnTanh`, `rnnRelu`, `lstm`, `gru`. What nn.RNN, nn.LSTM and nn.GRU call. Single steps are
 * core's `rnnTanhCell`, `rnnReluCell`, `lstmCell` and `gruCell`.
 *
 * All take `(input, state, weights, options)`:
 * - `input` is (L, N, I), (N, L, I) with `batchFirst`, or (L, I) without a batch; with `batchSizes` it is the data of a packed sequence, (Σ sizes, I).
 * - `state` is h0 (layers · directions, N, H), for `lstm` [h0, c0] with h0 (…, P) where there are projections; without the N where the input
 *   has none. `null` is zeros.
 * - `weights` has one list for each layer and direction, in the order l0, l0_reverse, l1, l1_reverse, …; each is [W_ih, W_hh],
 *   [W_ih, W_hh, b_ih, b_hh], and with `projSize` above 0 W_hr at its end: the order of PyTorch's parameters.
 * - The result is [output, hn], for `lstm` [output, [hn, cn]], in the layout of the input and of the state.
 */
import {
  checkOptions,
  type OptionNames,
  cat,
  dropout,
  linear,
  type NoiseOptions,
  ShapeError,
  stack,
  type Tensor,
  asHalf,
  autocasting,
} from '@tessera/core';
import { gruStep, lstmStep, type RecurrentWeights, reluStep, type Step, tanhStep } from './recurrent-cells.js';

const RECURRENT_OPTIONS: OptionNames<RecurrentOptions> = {
  bidirectional: true,
  batchFirst: true,
  dropout: true,
  training: true,
  batchSizes: true,
  rng: true,
  generator: true,
};
const LSTM_OPTIONS: OptionNames<LstmOptions> = {
  projSize: true,
  bidirectional: true,
  batchFirst: true,
  dropout: true,
  training: true,
  batchSizes: true,
  rng: true,
  generator: true,
};

export type { RecurrentWeights };

/** What {@link lstm} and its kin take. */
export interface RecurrentOptions extends NoiseOptions {
  /** Each layer also runs from the end to the start; the two outputs lie side by side. Default false. */
  readonly bidirectional?: boolean;
  /** The batch comes before the time in input and output, never in states. Default false. */
  readonly batchFirst?: boolean;
  /** Dropout between layers, while training. Default 0. */
  readonly dropout?: number;
  /** Default true. */
  readonly training?: boolean;
  /** Of a packed sequence: how many sequences go on at each time, never growing. */
  readonly batchSizes?: readonly number[];
}

export interface LstmOptions extends RecurrentOptions {
  /** Above 0: h' is multiplied by the last of each list of weights, W_hr (P, H). Default 0. */
  readonly projSize?: number;
}

/** The parameters of one layer in one direction, in PyTorch's order: [W_ih, W_hh(, b_ih, b_hh)(, W_hr)]. */
type WeightList = readonly Tensor[];
/** A state: one tensor, or h and c. */
type State = readonly Tensor[];

function named(list: WeightList, projected: boolean): RecurrentWeights {
  const biased = list.length >= 4;
  return {
    ih: list[0]!,
    hh: list[1]!,
    biasIh: biased ? list[2]! : null,
    biasHh: biased ? list[3]! : null,
    hr: projected ? list.at(-1)! : null,
  };
}

/** One layer in one direction over (L, N, I): the outputs of all times, and the last state. */
function runLayer(step: Step, input: Tensor, state: State, w: RecurrentWeights, reverse: boolean): [Tensor, State] {
  // The input's part of all gates is one product for all times.
  const gates = linear(input, w.ih, w.biasIh).unbind(0);
  const outputs = new Array<Tensor>(gates.length);
  let at = state;
  for (let i = 0; i < gates.length; i++) {
    const t = reverse ? gates.length - 1 - i : i;
    at = step(gates[t]!, at, w);
    outputs[t] = at[0]!;
  }
  return [stack(outputs, 0), at];
}

/** The same over packed data (Σ sizes, I): sequences end, or, in reverse, begin, on the way. */
function runPacked(
  step: Step,
  input: Tensor,
  state: State,
  w: RecurrentWeights,
  reverse: boolean,
  sizes: readonly number[],
): [Tensor, State] {
  const gates = linear(input, w.ih, w.biasIh).split(sizes, 0);
  const outputs = new Array<Tensor>(sizes.length);
  const ended: State[] = [];
  let running = reverse ? sizes.at(-1)! : sizes[0]!;
  let at = state.map((s) => s.narrow(0, 0, running));
  for (let i = 0; i < sizes.length; i++) {
    const t = reverse ? sizes.length - 1 - i : i;
    const size = sizes[t]!;
    if (size < running) {
      const before = running;
      ended.push(at.map((s) => s.narrow(0, size, before - size)));
      at = at.map((s) => s.narrow(0, 0, size));
    } else if (size > running) {
      const before = running;
      at = at.map((s, k) => cat([s, state[k]!.narrow(0, before, size - before)], 0));
    }
    running = size;
    at = step(gates[t]!, at, w);
    outputs[t] = at[0]!;
  }
  // The longest sequences come first, and end last.
  const last = ended.length === 0 ? at : at.map((s, k) => cat([s, ...ended.map((e) => e[k]!).reverse()], 0));
  return [cat(outputs, 0), last];
}

function check(
  op: string,
  input: Tensor,
  states: readonly Tensor[] | null,
  weights: readonly RecurrentWeights[],
  widths: readonly number[],
  batch: number,
  o: RecurrentOptions,
): void {
  const directions = o.bidirectional === true ? 2 : 1;
  const packed = o.batchSizes !== undefined;
  const fail = (why: string, shapes: readonly (readonly number[])[]): never => {
    throw new ShapeError('ERR_RNN_SHAPE', `${op}: ${why}`, { op, shapes });
  };
  if (weights.length === 0 || weights.length % directions !== 0)
    fail(`${weights.length} lists of weights are none for ${directions} direction(s)`, []);
  if (packed ? input.ndim !== 2 : input.ndim !== 2 && input.ndim !== 3)
    fail(`Expected input to be ${packed ? '2D' : '2D or 3D'}, got ${input.ndim}D instead`, [input.shape]);
  const width = weights[0]!.ih.shape[1]!;
  if (input.shape.at(-1) !== width)
    fail(`input.size(-1) must be equal to input_size. Expected ${width}, got ${input.shape.at(-1)}`, [input.shape]);
  const unbatched = !packed && input.ndim === 2;
  states?.forEach((s, k) => {
    const wanted = [weights.length, ...(unbatched ? [] : [batch]), widths[k]!];
    if (s.ndim !== wanted.length || s.shape.some((size, d) => size !== wanted[d])) {
      fail(`Expected hidden${states.length > 1 ? `[${k}]` : ''} size (${wanted.join(', ')}), got [${s.shape.join(', ')}]`, [
        s.shape,
        wanted,
      ]);
    }
  });
}

/** All layers and directions. `widths`: the size of each part of the state. */
function run(
  op: string,
  step: Step,
  input: Tensor,
  given: readonly Tensor[] | null,
  weights: readonly RecurrentWeights[],
  widths: readonly number[],
  o: RecurrentOptions,
): [Tensor, State] {
  const packed = o.batchSizes ?? null;
  const unbatched = packed === null && input.ndim === 2;
  const batchFirst = packed === null && o.batchFirst === true && !unbatched;
  const batch = packed !== null ? packed[0]! : unbatched ? 1 : input.shape[batchFirst ? 0 : 1]!;
  check(op, input, given, weights, widths, batch, o);
  const directions = o.bidirectional === true ? 2 : 1;
  let x = unbatched ? input.unsqueeze(1) : batchFirst ? input.transpose(0, 1) : input;
  const states =
    given === null
      ? widths.map((width) => input.newZeros([weights.length, batch, width]))
      : given.map((s) => (unbatched ? s.unsqueeze(1) : s));
  const lasts: State[] = [];
  for (let layer = 0; layer * directions < weights.length; layer++) {
    if (layer > 0 && (o.dropout ?? 0) > 0)
      x = dropout(x, { p: o.dropout, training: o.training ?? true, rng: o.rng, generator: o.generator });
    const outputs: Tensor[] = [];
    for (let direction = 0; direction < directions; direction++) {
      const k = layer * directions + direction;
      const start = states.map((s) => s.select(0, k));
      const [output, last] =
        packed === null
          ? runLayer(step, x, start, weights[k]!, direction === 1)
          : runPacked(step, x, start, weights[k]!, direction === 1, packed);
      outputs.push(output);
      lasts.push(last);
    }
    x = outputs.length === 1 ? outputs[0]! : cat(outputs, -1);
  }
  const finals = widths.map((_, part) =>
    stack(
      lasts.map((last) => last[part]!),
      0,
    ),
  );
  return [unbatched ? x.squeeze(1) : batchFirst ? x.transpose(0, 1) : x, unbatched ? finals.map((s) => s.squeeze(1)) : finals];
}

const STEPS = { tanh: tanhStep, relu: reluStep, lstm: lstmStep, gru: gruStep } as const;

/** What nn's recurrent layers call: input (L, N, I) or packed data, states (layers · directions, N, …), one record of weights for each of them. */
export function recurrent(
  kind: keyof typeof STEPS,
  input: Tensor,
  states: readonly Tensor[],
  weights: readonly RecurrentWeights[],
  options: RecurrentOptions = {},
): { output: Tensor; states: Tensor[] } {
  const [output, last] = run(
    kind,
    STEPS[kind],
    input,
    states,
    weights,
    states.map((s) => s.shape.at(-1)!),
    options,
  );
  return { output, states: [...last] };
}

/** The size of h that the weights of the state make. */
const hiddenSize = (weights: readonly WeightList[], gates: number): number => (weights[0]?.[1]?.shape[0] ?? 0) / gates;

/**
 * An LSTM (Hochreiter and Schmidhuber, 1997): i, f, o = σ(…), g = tanh(…) of W_ih·x + b_ih + W_hh·h + b_hh; c' = f·c + i·g, h' = o·tanh(c').
 * PyTorch: torch.lstm, and what nn.LSTM computes.
 *
 * @throws ShapeError `ERR_RNN_SHAPE`
 * @example const [output, [hn, cn]] = lstm(x, [h0, c0], [[wIh, wHh, bIh, bHh]], { batchFirst: true });
 */
export function lstm(
  input: Tensor,
  state: readonly [Tensor, Tensor] | null,
  weights: readonly WeightList[],
  options: LstmOptions = {},
): [output: Tensor, state: [hn: Tensor, cn: Tensor]] {
  checkOptions('lstm', options, LSTM_OPTIONS);
  if (autocasting.on) return asHalf(lstm, input, state, weights, options);
  const projSize = options.projSize ?? 0;
  const hidden = hiddenSize(weights, 4);
  const [output, [h, c]] = run(
    'lstm',
    lstmStep,
    input,
    state,
    weights.map((list) => named(list, projSize > 0)),
    [projSize > 0 ? projSize : hidden, hidden],
    options,
  );
  return [output, [h!, c!]];
}

function single(
  op: string,
  step: Step,
  gates: number,
  input: Tensor,
  state: Tensor | null,
  weights: readonly WeightList[],
  options: RecurrentOptions,
): [Tensor, Tensor] {
  const [output, [h]] = run(
    op,
    step,
    input,
    state === null ? null : [state],
    weights.map((list) => named(list, false)),
    [hiddenSize(weights, gates)],
    options,
  );
  return [output, h!];
}

/**
 * A GRU (Cho et al., 2014): r, z = σ(…); n = tanh(W_in·x + b_in + r·(W_hn·h + b_hn)); h' = (1 − z)·n + z·h. PyTorch: torch.gru, and what nn.GRU computes.
 * @throws ShapeError `ERR_RNN_SHAPE`
 */
export function gru(
  input: Tensor,
  state: Tensor | null,
  weights: readonly WeightList[],
  options: RecurrentOptions = {},
): [output: Tensor, hn: Tensor] {
  checkOptions('gru', options, RECURRENT_OPTIONS);
  if (autocasting.on) return asHalf(gru, input, state, weights, options);
  return single('gru', gruStep, 3, input, state, weights, options);
}

/** h' = tanh(W_ih·x + b_ih + W_hh·h + b_hh). PyTorch: torch.rnn_tanh, and what nn.RNN computes. @throws ShapeError `ERR_RNN_SHAPE` */
export function rnnTanh(
  input: Tensor,
  state: Tensor | null,
  weights: readonly WeightList[],
  options: RecurrentOptions = {},
): [output: Tensor, hn: Tensor] {
  checkOptions('rnnTanh', options, RECURRENT_OPTIONS);
  if (autocasting.on) return asHalf(rnnTanh, input, state, weights, options);
  return single('rnnTanh', tanhStep, 1, input, state, weights, options);
}

/** {@link rnnTanh} with relu in place of tanh. PyTorch: torch.rnn_relu. */
export function rnnRelu(
  input: Tensor,
  state: Tensor | null,
  weights: readonly WeightList[],
  options: RecurrentOptions = {},
): [output: Tensor, hn: Tensor] {
  checkOptions('rnnRelu', options, RECURRENT_OPTIONS);
  if (autocasting.on) return asHalf(rnnRelu, input, state, weights, options);
  return single('rnnRelu', reluStep, 1, input, state, weights, options);
}
