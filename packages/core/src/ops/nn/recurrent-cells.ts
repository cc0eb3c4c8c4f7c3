/**
 * @file The pointwise parts of LSTM and GRU cells, with backward rules of their own: composed of slices, each gate's gradient would be
 * embedded in zeros and summed; here the gates' gradients are written side by side once.
 */
import { asHalf } from '../../amp/policy.js';
import { autocasting } from '../../amp/state.js';
import type { View } from '../../backend/contract.js';
import { ShapeError } from '../../errors.js';
import type { Tensor } from '../../tensor/tensor.js';
import { attachAll } from '../../autograd/outputs.js';
import { cat } from '../cat.js';
import { OPS } from '../registry.js';
import { attach, declined, emptyValue, launched, recording, viewOf, viewOfValue, wrap } from '../result.js';
import { linear } from './linear.js';

function requireGates(op: string, gates: Tensor, state: Tensor, count: number): void {
  if (gates.ndim !== 2 || state.ndim !== 2 || gates.shape[1] !== count * state.shape[1]! || gates.shape[0] !== state.shape[0]) {
    throw new ShapeError(
      'ERR_RNN_SHAPE',
      `${op}: gates of shape [${gates.shape.join(', ')}] do not fit a state of shape [${state.shape.join(', ')}]: they should be ${count} times as wide`,
      { op, shapes: [gates.shape, state.shape] },
    );
  }
}

const taken = (...tensors: readonly (Tensor | null)[]): boolean =>
  !recording(...tensors) && tensors.every((t) => t === null || t.dtype === 'float32' || t.dtype === 'float64');

/** [h', c'] of a step, by the device's own kernel; null where it has none, or declines. */
function launchLstm(gates: Tensor, c: Tensor): [Tensor, Tensor] | null {
  const { device, dtype } = gates;
  if (device.kernels.lstmStep === undefined || c.numel() === 0 || !taken(gates, c)) return null;
  const [h, cell] = [emptyValue(device, dtype, c.shape), emptyValue(device, dtype, c.shape)];
  if (!device.kernels.lstmStep(viewOf(gates), viewOf(c), viewOfValue(h), viewOfValue(cell))) return declined(h, cell);
  launched(device, 'lstmStep', c.shape);
  return [wrap(h), wrap(cell)];
}

/** The same of a GRU: h'. */
function launchGru(x: Tensor, s: Tensor, h: Tensor): Tensor | null {
  const { device, dtype } = x;
  if (device.kernels.gruStep === undefined || h.numel() === 0 || !taken(x, s, h)) return null;
  const out = emptyValue(device, dtype, h.shape);
  if (!device.kernels.gruStep(viewOf(x), viewOf(s), viewOf(h), viewOfValue(out))) return declined(out);
  launched(device, 'gruStep', h.shape);
  return wrap(out);
}

/** [h', c'], composed. */
function composedLstm(gates: Tensor, c: Tensor): [Tensor, Tensor] {
  const [i, f, g, o] = gates.chunk(4, 1) as [Tensor, Tensor, Tensor, Tensor];
  const cell = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()));
  return [o.sigmoid().mul(cell.tanh()), cell];
}

/** [gradGates, gradCell] of a step, by the device's own kernel; null where it has none, or declines. */
function launchLstmGrad(gradH: Tensor | null, gradC: Tensor | null, gates: Tensor, c: Tensor, cell: Tensor): [Tensor, Tensor] | null {
  const { device, dtype } = gates;
  if (device.kernels.lstmStepGrad === undefined || gates.numel() === 0 || !taken(gradH, gradC, gates, c, cell)) return null;
  const [dGates, dCell] = [emptyValue(device, dtype, gates.shape), emptyValue(device, dtype, c.shape)];
  const given = [gradH, gradC].map((t) => (t === null ? null : viewOf(t))) as [View | null, View | null];
  if (!device.kernels.lstmStepGrad(...given, viewOf(gates), viewOf(c), viewOf(cell), viewOfValue(dGates), viewOfValue(dCell)))
    return declined(dGates, dCell);
  launched(device, 'lstmStepGrad', gates.shape);
  return [wrap(dGates), wrap(dCell)];
}

/** The same of a GRU: [gradInputGates, gradStateGates, gradHidden]. */
function launchGruGrad(grad: Tensor, x: Tensor, s: Tensor, h: Tensor): [Tensor, Tensor, Tensor] | null {
  const { device, dtype } = x;
  if (device.kernels.gruStepGrad === undefined || x.numel() === 0 || !taken(grad, x, s, h)) return null;
  const out = [x, s, h].map(({ shape }) => emptyValue(device, dtype, shape));
  const [dInput, dState, dHidden] = out.map(viewOfValue) as [View, View, View];
  if (!device.kernels.gruStepGrad(viewOf(grad), viewOf(x), viewOf(s), viewOf(h), dInput, dState, dHidden)) return declined(...out);
  launched(device, 'gruStepGrad', x.shape);
  return out.map((value) => wrap(value)) as [Tensor, Tensor, Tensor];
}

OPS.set('lstmPointwise', { name: 'lstmPointwise', inputs: 2, differentiable: true });
/**
 * What an LSTM cell does with its gates: c' = σ(f)·c + σ(i)·tanh(g), h' = σ(o)·tanh(c'), for gates (N, 4H) in the order i, f, g, o and c (N, H).
 *
 * @returns [h', c']
 */
export function lstmPointwise(gates: Tensor, c: Tensor): [h: Tensor, c: Tensor] {
  requireGates('lstmPointwise', gates, c, 4);
  const [plainGates, plainCell] = [gates.detach(), c.detach()];
  const [h, cell] = launchLstm(plainGates, plainCell) ?? composedLstm(plainGates, plainCell);
  if (recording(gates, c)) {
    attachAll([h, cell], 'LstmCellBackward0', [gates, c], ([gradH, gradC], node) => {
      const native = launchLstmGrad(gradH ?? null, gradC ?? null, node.saved(0), node.saved(1), node.saved(2));
      if (native !== null) return native;
      const [pi, pf, pg, po] = node.saved(0).chunk(4, 1) as [Tensor, Tensor, Tensor, Tensor];
      const output = po.sigmoid();
      const squashed = node.saved(2).tanh();
      // What reaches the cell: from the next step, and through h.
      const through = gradH === null || gradH === undefined ? null : gradH.mul(output).mul(squashed.square().neg().add(1));
      const grad = through === null ? gradC! : gradC === null || gradC === undefined ? through : gradC.add(through);
      const forget = pf.sigmoid();
      let dGates: Tensor | null = null;
      if (node.needs(0)) {
        const input = pi.sigmoid();
        const fresh = pg.tanh();
        const dInput = grad.mul(fresh).mul(input.mul(input.neg().add(1)));
        const dForget = grad.mul(node.saved(1)).mul(forget.mul(forget.neg().add(1)));
        const dFresh = grad.mul(input).mul(fresh.square().neg().add(1));
        const dOut = through === null ? po.mul(0) : gradH!.mul(squashed).mul(output.mul(output.neg().add(1)));
        dGates = cat([dInput, dForget, dFresh, dOut], 1);
      }
      return [dGates, node.needs(1) ? grad.mul(forget) : null];
    }).save(gates, c, cell);
  }
  return [h, cell];
}

OPS.set('gruPointwise', { name: 'gruPointwise', inputs: 3, differentiable: true });
/**
 * What a GRU cell does with its gates: r = σ(x_r + h_r), z = σ(x_z + h_z), n = tanh(x_n + r·h_n), h' = (1 − z)·n + z·h, for the gates of the
 * input and of the state (N, 3H), in the order r, z, n, and h (N, H).
 */
export function gruPointwise(inputGates: Tensor, stateGates: Tensor, h: Tensor): Tensor {
  requireGates('gruPointwise', inputGates, h, 3);
  requireGates('gruPointwise', stateGates, h, 3);
  const forward = (x: Tensor, s: Tensor): { r: Tensor; z: Tensor; n: Tensor; hn: Tensor } => {
    const [xr, xz, xn] = x.chunk(3, 1) as [Tensor, Tensor, Tensor];
    const [hr, hz, hn] = s.chunk(3, 1) as [Tensor, Tensor, Tensor];
    const r = xr.add(hr).sigmoid();
    return { r, z: xz.add(hz).sigmoid(), n: xn.add(r.mul(hn)).tanh(), hn };
  };
  const composed = (x: Tensor, s: Tensor, state: Tensor): Tensor => {
    const { z, n } = forward(x, s);
    return n.add(z.mul(state.sub(n)));
  };
  const plain = [inputGates.detach(), stateGates.detach(), h.detach()] as const;
  const out = launchGru(...plain) ?? composed(...plain);
  if (recording(inputGates, stateGates, h)) {
    attach(out, 'GruCellBackward0', [inputGates, stateGates, h], (grad, node) => {
      const state = node.saved(2);
      const native = launchGruGrad(grad, node.saved(0), node.saved(1), state);
      if (native !== null) return native;
      const { r, z: update, n: fresh, hn } = forward(node.saved(0), node.saved(1));
      const dFresh = grad.mul(update.neg().add(1)).mul(fresh.square().neg().add(1));
      const dUpdate = grad.mul(state.sub(fresh)).mul(update.mul(update.neg().add(1)));
      const dReset = dFresh.mul(hn).mul(r.mul(r.neg().add(1)));
      return [
        node.needs(0) ? cat([dReset, dUpdate, dFresh], 1) : null,
        node.needs(1) ? cat([dReset, dUpdate, dFresh.mul(r)], 1) : null,
        node.needs(2) ? grad.mul(update) : null,
      ];
    }).save(inputGates, stateGates, h);
  }
  return out;
}

/** One step of an LSTM: input (N, I), [h, c] each (N, H) → [h', c']. PyTorch: torch.lstm_cell. */
export function lstmCell(
  input: Tensor,
  [h, c]: readonly [Tensor, Tensor],
  wIh: Tensor,
  wHh: Tensor,
  bIh?: Tensor | null,
  bHh?: Tensor | null,
): [h: Tensor, c: Tensor] {
  if (autocasting.on) return asHalf(lstmCell, input, [h, c], wIh, wHh, bIh, bHh);
  return lstmPointwise(linear(input, wIh, bIh).add(linear(h, wHh, bHh)), c);
}

/** One step of a GRU: input (N, I), h (N, H) → h'. PyTorch: torch.gru_cell. */
export function gruCell(input: Tensor, h: Tensor, wIh: Tensor, wHh: Tensor, bIh?: Tensor | null, bHh?: Tensor | null): Tensor {
  if (autocasting.on) return asHalf(gruCell, input, h, wIh, wHh, bIh, bHh);
  return gruPointwise(linear(input, wIh, bIh), linear(h, wHh, bHh), h);
}

/** One step of an RNN: tanh(x·W_ihᵀ + b_ih + h·W_hhᵀ + b_hh). PyTorch: torch.rnn_tanh_cell. */
export function rnnTanhCell(input: Tensor, h: Tensor, wIh: Tensor, wHh: Tensor, bIh?: Tensor | null, bHh?: Tensor | null): Tensor {
  if (autocasting.on) return asHalf(rnnTanhCell, input, h, wIh, wHh, bIh, bHh);
  return linear(input, wIh, bIh)
    .add(linear(h, wHh, bHh))
    .tanh();
}

/** {@link rnnTanhCell} with relu in place of tanh. PyTorch: torch.rnn_relu_cell. */
export function rnnReluCell(input: Tensor, h: Tensor, wIh: Tensor, wHh: Tensor, bIh?: Tensor | null, bHh?: Tensor | null): Tensor {
  if (autocasting.on) return asHalf(rnnReluCell, input, h, wIh, wHh, bIh, bHh);
  return linear(input, wIh, bIh)
    .add(linear(h, wHh, bHh))
    .relu();
}
