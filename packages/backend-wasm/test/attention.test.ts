/** @file Attention and its gradients against float64: lengths beyond a block, masks, causality, layouts, threads. */
import { afterAll, describe, expect, it } from 'vitest';
import { type Dense, expectClose, expectSame, filled, type Layout, random, Tensors } from './support/tensors.js';

const on = new Tensors({ threads: 1 });
afterAll(() => on.dispose());

interface Case {
  readonly B: number;
  readonly L: number;
  readonly S: number;
  readonly E: number;
  readonly V: number;
  readonly causal?: boolean;
  readonly mask?: 'float' | 'bool';
  readonly layout?: Layout;
}

interface Results {
  readonly out: Float64Array;
  readonly lse: Float64Array;
  readonly gradQ: Float64Array;
  readonly gradK: Float64Array;
  readonly gradV: Float64Array;
}

interface Inputs {
  readonly q: Dense;
  readonly k: Dense;
  readonly v: Dense;
  readonly g: Dense;
  readonly mask: Dense | null;
}

function inputsOf({ B, L, S, E, V, mask }: Case): Inputs {
  const m = mask === undefined ? null : mask === 'float' ? random([B, L, S], 5) : filled([B, L, S], (i) => (i % 3 === 1 ? 0 : 1));
  return { q: random([B, L, E], 1), k: random([B, S, E], 2), v: random([B, S, V], 3), g: random([B, L, V], 4), mask: m };
}

function reference({ B, L, S, E, V, causal, mask }: Case, { q, k, v, g, mask: m }: Inputs, scale: number): Results {
  const r: Results = {
    out: new Float64Array(B * L * V),
    lse: new Float64Array(B * L),
    gradQ: new Float64Array(B * L * E),
    gradK: new Float64Array(B * S * E),
    gradV: new Float64Array(B * S * V),
  };
  for (let row = 0; row < B * L; row++) {
    const b = Math.floor(row / L);
    const scores = Array.from({ length: S }, (_, j) => {
      if (causal && j > row % L) return -Infinity;
      let sum = 0;
      for (let e = 0; e < E; e++) sum += q.data[row * E + e] * k.data[(b * S + j) * E + e];
      const extra = m === null ? 0 : mask === 'float' ? m.data[row * S + j] : m.data[row * S + j] === 1 ? 0 : -Infinity;
      return sum * scale + extra;
    });
    const most = Math.max(...scores);
    r.lse[row] = most + Math.log(scores.reduce((n, s) => n + Math.exp(s - most), 0));
    const p = scores.map((s) => Math.exp(s - r.lse[row]));
    const gradP = p.map((_, j) => {
      let sum = 0;
      for (let c = 0; c < V; c++) {
        r.out[row * V + c] += p[j] * v.data[(b * S + j) * V + c];
        r.gradV[(b * S + j) * V + c] += p[j] * g.data[row * V + c];
        sum += g.data[row * V + c] * v.data[(b * S + j) * V + c];
      }
      return sum;
    });
    const total = p.reduce((n, x, j) => n + x * gradP[j], 0);
    for (let j = 0; j < S; j++) {
      const grad = p[j] * (gradP[j] - total) * scale;
      for (let e = 0; e < E; e++) {
        r.gradQ[row * E + e] += grad * k.data[(b * S + j) * E + e];
        r.gradK[(b * S + j) * E + e] += grad * q.data[row * E + e];
      }
    }
  }
  return r;
}

function run(tensors: Tensors, c: Case, inputs: Inputs, scale: number): readonly Dense[] {
  const { q, k, v, g, mask } = inputs;
  const layout = c.layout ?? 'plain';
  const put = (dense: Dense) => tensors.put(dense, 'float32', layout);
  const empty = (shape: readonly number[]) => tensors.empty(shape, 'float32', layout);
  const m = mask === null ? null : tensors.put(mask, c.mask === 'bool' ? 'bool' : 'float32', layout);
  const [out, lse] = [empty(g.shape), empty([c.B, c.L])];
  const views = [put(q), put(k), put(v)] as const;
  expect(tensors.kernels.attention(...views, m, c.causal ?? false, scale, out, lse)).toBe(true);
  const grads = [empty(q.shape), empty(k.shape), empty(v.shape)] as const;
  expect(tensors.kernels.attentionGrad(put(g), ...views, m, c.causal ?? false, scale, out, lse, ...grads)).toBe(true);
  return [out, lse, ...grads].map((view) => tensors.get(view));
}

function check(c: Case): void {
  const scale = 1.7 / Math.sqrt(c.E);
  const inputs = inputsOf(c);
  const expected = reference(c, inputs, scale);
  const [out, lse, gradQ, gradK, gradV] = run(on, c, inputs, scale);
  const what = JSON.stringify(c);
  expectClose(out, expected.out, 3e-6, `output of ${what}`);
  expectClose(lse, expected.lse, 3e-6, `logsumexp of ${what}`);
  expectClose(gradQ, expected.gradQ, 1e-5, `query's gradient of ${what}`);
  expectClose(gradK, expected.gradK, 1e-5, `key's gradient of ${what}`);
  expectClose(gradV, expected.gradV, 1e-5, `value's gradient of ${what}`);
}

describe('attention', () => {
  it('of lengths around vectors, tiles and blocks', () => {
    for (const [L, S] of [
      [1, 1],
      [3, 5],
      [8, 8],
      [17, 33],
      [130, 20],
      [20, 300],
      [150, 270],
    ])
      for (const [E, V] of [
        [1, 1],
        [7, 9],
        [32, 16],
      ])
        for (const causal of [false, true]) check({ B: 2, L, S, E, V, causal });
  });

  it('with masks, and of any layout', () => {
    for (const mask of [undefined, 'float', 'bool'] as const)
      for (const layout of ['plain', 'reversed', 'gaps'] as const)
        for (const causal of [false, true]) check({ B: 2, L: 19, S: 23, E: 6, V: 5, mask, layout, causal });
  });

  it('of long heads', () => {
    check({ B: 1, L: 6, S: 9, E: 300, V: 270 });
  });

  /** One score far above the other: weights 1 − 4e-5 and 4e-5, of which float32 keeps three digits of the distance to 1. */
  it('loses no digits of the gradient where a weight is near 1', () => {
    const dense = (shape: number[], data: number[]): Dense => ({ shape, data: Float64Array.from(data, Math.fround) });
    const inputs: Inputs = {
      q: dense([1, 1, 2], [8, 4]),
      k: dense([1, 2, 2], [4, 8, 3.36, 6.746]),
      v: dense([1, 2, 2], [7.5, -8.25, -6.75, 8.5]),
      g: dense([1, 1, 2], [9, 7]),
      mask: null,
    };
    const c: Case = { B: 1, L: 1, S: 2, E: 2, V: 2 };
    const expected = reference(c, inputs, 1);
    const [, , gradQ, gradK] = run(on, c, inputs, 1);
    // A score of 64 keeps 4e-6 of its unit, and a weight e^score so much of itself.
    gradQ.data.forEach((x, i) => expect(Math.abs(x / expected.gradQ[i] - 1)).toBeLessThan(1e-5));
    gradK.data.forEach((x, i) => expect(Math.abs(x / expected.gradK[i] - 1)).toBeLessThan(1e-5));
  });

  it('gives the same bits with two threads', async () => {
    const two = new Tensors({ threads: 2 });
    const c: Case = { B: 6, L: 140, S: 200, E: 32, V: 32, causal: true };
    const inputs = inputsOf(c);
    for (let round = 0; round < 3; round++) {
      const expected = run(on, c, inputs, 0.2);
      run(two, c, inputs, 0.2).forEach((got, i) => expectSame(got, expected[i], `result ${i}`));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await two.dispose();
  });
});
