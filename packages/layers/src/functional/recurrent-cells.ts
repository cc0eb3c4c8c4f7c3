/** @file One step of recurrent networks: from an input and a state to the next state. */
import { gruPointwise, linear, lstmPointwise, type Tensor } from '@tessera/core';

/** The weights of one layer in one direction, in PyTorch's order and under its names. */
export interface RecurrentWeights {
  /** (gates · hidden, input) */
  readonly ih: Tensor;
  /** (gates · hidden, output) */
  readonly hh: Tensor;
  readonly biasIh: Tensor | null;
  readonly biasHh: Tensor | null;
  /** Projection of an LSTM's output: (projection, hidden). */
  readonly hr: Tensor | null;
}

/** Runs one step; `gates` is what the input contributes, x · W_ihᵀ + b_ih, made for all steps at once. The first state is the output. */
export type Step = (gates: Tensor, state: readonly Tensor[], w: RecurrentWeights) => Tensor[];

/** h' = tanh(W_ih x + b_ih + W_hh h + b_hh) (Elman, 1990). PyTorch: nn.RNNCell. */
export const tanhStep: Step = (gates, [h], w) => [gates.add(linear(h!, w.hh, w.biasHh)).tanh()];
/** The same with max(0, ·). */
export const reluStep: Step = (gates, [h], w) => [gates.add(linear(h!, w.hh, w.biasHh)).relu()];

/**
 * Gates i, f, g, o: c' = σ(f) c + σ(i) tanh(g), h' = σ(o) tanh(c') (Hochreiter and Schmidhuber, 1997; with a projection of h', Sak et al., 2014).
 * PyTorch: nn.LSTMCell.
 */
export const lstmStep: Step = (gates, [h, c], w) => {
  const [next, cell] = lstmPointwise(gates.add(linear(h!, w.hh, w.biasHh)), c!);
  return [w.hr === null ? next : linear(next, w.hr), cell];
};

/** Gates r, z, n: h' = (1 − z) n + z h with n = tanh(x_n + r · (W_hn h + b_hn)) (Cho et al., 2014). PyTorch: nn.GRUCell. */
export const gruStep: Step = (gates, [h], w) => [gruPointwise(gates, linear(h!, w.hh, w.biasHh), h!)];
