/** @file LSTM and GRU steps and their gradients against the same formulas on the host, in float64. */
import type { Suite } from '../suite.js';
import { accelerated, type AcceleratedTest } from './accelerated.js';
import { checkArray } from './check-array.js';
import { type HostArray, hostArray, placeOf, randomArray } from './host.js';
import { CONTIGUOUS, type Layout, OFFSET, TRANSPOSED } from './layouts.js';

const SIZES: readonly (readonly [number, number])[] = [
  [1, 1],
  [3, 5],
  [7, 33],
  [65, 17],
];
const ALLOWED = (expected: number): number => 4e-6 * Math.max(1, Math.abs(expected));
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

function* cases(): Generator<readonly [string, number, number, Layout]> {
  for (const [rows, hidden] of SIZES) yield [`${rows}x${hidden}`, rows, hidden, CONTIGUOUS];
  for (const layout of [OFFSET, TRANSPOSED]) yield [`layout/${layout.name}`, 5, 6, layout];
}

/** The value of gate `k` of unit (row, j). */
const gateOf =
  (gates: HostArray, hidden: number) =>
  (k: number, row: number, j: number): number =>
    gates.data[placeOf([row, k * hidden + j], gates.shape)];

function* lstmStepTests(): Generator<readonly [string, AcceleratedTest<'lstmStep'>]> {
  for (const [name, rows, hidden, layout] of cases())
    yield [
      name,
      async (bench, kernel) => {
        const gates = randomArray('float32', [rows, 4 * hidden], 111);
        const cell = randomArray('float32', [rows, hidden], 112);
        const out = [0, 1].map(() => bench.output('float32', cell.shape, layout));
        if (!kernel(bench.input(gates, layout), bench.input(cell, layout), out[0], out[1])) return false;
        const gate = gateOf(gates, hidden);
        const newCell = (row: number, j: number): number =>
          sigmoid(gate(1, row, j)) * cell.data[placeOf([row, j], cell.shape)] + sigmoid(gate(0, row, j)) * Math.tanh(gate(2, row, j));
        const exact = (of: (row: number, j: number) => number): HostArray => hostArray('float64', cell.shape, ([row, j]) => of(row, j));
        checkArray("c'", await bench.result(out[1]), exact(newCell), ALLOWED);
        const hiddenOf = (row: number, j: number): number => sigmoid(gate(3, row, j)) * Math.tanh(newCell(row, j));
        checkArray("h'", await bench.result(out[0]), exact(hiddenOf), ALLOWED);
        return true;
      },
    ];
}

function* gruStepTests(): Generator<readonly [string, AcceleratedTest<'gruStep'>]> {
  for (const [name, rows, hidden, layout] of cases())
    yield [
      name,
      async (bench, kernel) => {
        const [x, s] = [115, 116].map((seed) => randomArray('float32', [rows, 3 * hidden], seed));
        const state = randomArray('float32', [rows, hidden], 117);
        const out = bench.output('float32', state.shape, layout);
        if (!kernel(bench.input(x, layout), bench.input(s, layout), bench.input(state, layout), out)) return false;
        const [gateX, gateS] = [gateOf(x, hidden), gateOf(s, hidden)];
        const exact = hostArray('float64', state.shape, ([row, j], place) => {
          const r = sigmoid(gateX(0, row, j) + gateS(0, row, j));
          const z = sigmoid(gateX(1, row, j) + gateS(1, row, j));
          return (1 - z) * Math.tanh(gateX(2, row, j) + r * gateS(2, row, j)) + z * state.data[place];
        });
        checkArray("h'", await bench.result(out), exact, ALLOWED);
        return true;
      },
    ];
}

function* lstmTests(): Generator<readonly [string, AcceleratedTest<'lstmStepGrad'>]> {
  for (const [name, rows, hidden, layout] of cases())
    for (const given of ['both', 'hidden', 'cell'] as const)
      yield [
        `${name}/${given}`,
        async (bench, kernel) => {
          const gates = randomArray('float32', [rows, 4 * hidden], 121);
          const [cell, newCell, gradHidden, gradNewCell] = [122, 123, 124, 125].map((seed) => randomArray('float32', [rows, hidden], seed));
          const [dGates, dCell] = [bench.output('float32', gates.shape, layout), bench.output('float32', cell.shape, layout)];
          const [h, c] = [given === 'cell' ? null : gradHidden, given === 'hidden' ? null : gradNewCell];
          const put = (array: HostArray | null): ReturnType<typeof bench.input> | null =>
            array === null ? null : bench.input(array, layout);
          if (!kernel(put(h), put(c), put(gates)!, put(cell)!, put(newCell)!, dGates, dCell)) return false;
          const gate = gateOf(gates, hidden);
          const unit = (row: number, j: number): number[] => {
            const place = placeOf([row, j], cell.shape);
            const [i, f, g, o] = [sigmoid(gate(0, row, j)), sigmoid(gate(1, row, j)), Math.tanh(gate(2, row, j)), sigmoid(gate(3, row, j))];
            const squashed = Math.tanh(newCell.data[place]);
            const dh = h?.data[place] ?? 0;
            const dc = (c?.data[place] ?? 0) + dh * o * (1 - squashed ** 2);
            return [dc * g * i * (1 - i), dc * cell.data[place] * f * (1 - f), dc * i * (1 - g ** 2), dh * squashed * o * (1 - o), dc * f];
          };
          const exact = hostArray('float64', gates.shape, ([row, at]) => unit(row, at % hidden)[Math.floor(at / hidden)]);
          checkArray('the gradient of the gates', await bench.result(dGates), exact, ALLOWED);
          checkArray(
            'the gradient of the cell',
            await bench.result(dCell),
            hostArray('float64', cell.shape, ([row, j]) => unit(row, j)[4]),
            ALLOWED,
          );
          return true;
        },
      ];
}

function* gruTests(): Generator<readonly [string, AcceleratedTest<'gruStepGrad'>]> {
  for (const [name, rows, hidden, layout] of cases())
    yield [
      name,
      async (bench, kernel) => {
        const [x, s] = [131, 132].map((seed) => randomArray('float32', [rows, 3 * hidden], seed));
        const [state, grad] = [133, 134].map((seed) => randomArray('float32', [rows, hidden], seed));
        const out = [x, s, state].map(({ shape }) => bench.output('float32', shape, layout));
        const [a, b, c, d] = [grad, x, s, state].map((array) => bench.input(array, layout));
        if (!kernel(a, b, c, d, out[0], out[1], out[2])) return false;
        const [gateX, gateS] = [gateOf(x, hidden), gateOf(s, hidden)];
        const unit = (row: number, j: number): { input: number[]; state: number[]; hidden: number } => {
          const place = placeOf([row, j], state.shape);
          const r = sigmoid(gateX(0, row, j) + gateS(0, row, j));
          const z = sigmoid(gateX(1, row, j) + gateS(1, row, j));
          const n = Math.tanh(gateX(2, row, j) + r * gateS(2, row, j));
          const g = grad.data[place];
          const fresh = g * (1 - z) * (1 - n ** 2);
          const update = g * (state.data[place] - n) * z * (1 - z);
          const reset = fresh * gateS(2, row, j) * r * (1 - r);
          return { input: [reset, update, fresh], state: [reset, update, fresh * r], hidden: g * z };
        };
        const gates = (of: 'input' | 'state'): HostArray =>
          hostArray('float64', x.shape, ([row, at]) => unit(row, at % hidden)[of][Math.floor(at / hidden)]);
        checkArray("the gradient of the input's gates", await bench.result(out[0]), gates('input'), ALLOWED);
        checkArray("the gradient of the state's gates", await bench.result(out[1]), gates('state'), ALLOWED);
        checkArray(
          'the gradient of the state',
          await bench.result(out[2]),
          hostArray('float64', state.shape, ([row, j]) => unit(row, j).hidden),
          ALLOWED,
        );
        return true;
      },
    ];
}

export const recurrentSuites = (): Suite[] => [
  accelerated('lstmStep', lstmStepTests),
  accelerated('lstmStepGrad', lstmTests),
  accelerated('gruStep', gruStepTests),
  accelerated('gruStepGrad', gruTests),
];
