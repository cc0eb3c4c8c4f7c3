/** @file Attention and its gradients against the formula in float64: any layout, masks with stride 0, causal, rows that see nothing. */
import type { DType } from '@tessera/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CpuBackend } from '../src/index.js';
import { type CpuView, make, place, placements, randoms, sizeOf, values } from './views.js';

const cpu = new CpuBackend();
const k = cpu.kernels as Required<typeof cpu.kernels>;

interface Sizes {
  readonly B: number;
  readonly L: number;
  readonly S: number;
  readonly E: number;
  readonly V: number;
}
interface Given {
  readonly q: number[];
  readonly k: number[];
  readonly v: number[];
  /** What is added to the scores. */
  readonly bias: number[];
  readonly scale: number;
}

/** Weights, result and, for a gradient of the result, those of query, key and value: row by row as the formulas say. */
function reference({ B, L, S, E, V }: Sizes, given: Given, g: readonly number[]): Record<'out' | 'lse' | 'dq' | 'dk' | 'dv', number[]> {
  const zeros = (n: number): number[] => new Array<number>(n).fill(0);
  const r = { out: zeros(B * L * V), lse: zeros(B * L), dq: zeros(B * L * E), dk: zeros(B * S * E), dv: zeros(B * S * V) };
  const dot = (a: readonly number[], p: number, b: readonly number[], q: number, n: number): number => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += a[p + i] * b[q + i];
    return sum;
  };
  for (let b = 0; b < B; b++) {
    for (let i = 0; i < L; i++) {
      const row = b * L + i;
      const scores = Array.from(
        { length: S },
        (_, j) => dot(given.q, row * E, given.k, (b * S + j) * E, E) * given.scale + given.bias[row * S + j],
      );
      const m = Math.max(...scores);
      r.lse[row] = m + Math.log(scores.reduce((s, x) => s + Math.exp(x - m), 0));
      const p = scores.map((x) => Math.exp(x - r.lse[row]));
      for (let j = 0; j < S; j++) for (let c = 0; c < V; c++) r.out[row * V + c] += p[j] * given.v[(b * S + j) * V + c];
      const dp = p.map((_, j) => dot(g, row * V, given.v, (b * S + j) * V, V));
      const shared = dot(p, 0, dp, 0, S);
      for (let j = 0; j < S; j++) {
        const ds = p[j] * (dp[j] - shared) * given.scale;
        for (let c = 0; c < E; c++) {
          r.dq[row * E + c] += ds * given.k[(b * S + j) * E + c];
          r.dk[(b * S + j) * E + c] += ds * given.q[row * E + c];
        }
        for (let c = 0; c < V; c++) r.dv[(b * S + j) * V + c] += p[j] * g[row * V + c];
      }
    }
  }
  return r;
}

/** The largest difference, as a part of the largest value. */
function error(got: readonly number[], want: readonly number[]): number {
  let worst = 0;
  let largest = 1;
  got.forEach((v, i) => {
    const same = Object.is(v, want[i]);
    if (!same) worst = Math.max(worst, Number.isNaN(v - want[i]) ? Infinity : Math.abs(v - want[i]));
    if (Number.isFinite(want[i])) largest = Math.max(largest, Math.abs(want[i]));
  });
  return worst / largest;
}

type Mask = 'none' | 'causal' | 'bool' | 'float';

/** A mask view and what it adds to each score. */
function maskOf(
  kind: Mask,
  dtype: DType,
  { B, L, S }: Sizes,
  placement: Parameters<typeof place>[3],
  seed: number,
): [CpuView | null, number[]] {
  const bias = new Array<number>(B * L * S).fill(0);
  if (kind === 'none') return [null, bias];
  if (kind === 'causal') return [null, bias.map((_, i) => (i % S > Math.floor(i / S) % L ? -Infinity : 0))];
  const drawn = randoms(seed, B * L * S);
  if (kind === 'float') {
    const view = make(
      cpu,
      dtype,
      [B, L, S],
      drawn.map((v) => Math.fround(v * 3)),
      placement,
    );
    return [view, values(view)];
  }
  const view = make(
    cpu,
    'bool',
    [B, L, S],
    drawn.map((v, i) => (v > -0.2 || i % S === 0 ? 1 : 0)),
    placement,
  );
  return [view, values(view).map((v) => (v === 0 ? -Infinity : 0))];
}

function check(dtype: DType, sizes: Sizes, kind: Mask, p: readonly NonNullable<Parameters<typeof place>[3]>[], seed: number): void {
  const { B, L, S, E, V } = sizes;
  const shapes = { q: [B, L, E], k: [B, S, E], v: [B, S, V], out: [B, L, V] };
  const draw = (shape: readonly number[], from: number, at: number): CpuView =>
    make(cpu, dtype, shape, randoms(seed + from, sizeOf(shape), -2, 2).map(Math.fround), p[at]);
  const [query, key, value, gradOut] = [draw(shapes.q, 1, 0), draw(shapes.k, 2, 1), draw(shapes.v, 3, 2), draw(shapes.out, 4, 0)];
  const [mask, bias] = maskOf(kind, dtype, sizes, p[3], seed);
  const scale = 0.37;
  const out = place(cpu, dtype, shapes.out, p[4]);
  const lse = place(cpu, dtype, [B, L]);
  expect(k.attention(query, key, value, mask, kind === 'causal', scale, out, lse)).toBe(true);
  const [dq, dk, dv] = [place(cpu, dtype, shapes.q, p[4]), place(cpu, dtype, shapes.k, p[5]), place(cpu, dtype, shapes.v, p[5])];
  expect(k.attentionGrad(gradOut, query, key, value, mask, kind === 'causal', scale, out, lse, dq, dk, dv)).toBe(true);
  const want = reference(sizes, { q: values(query), k: values(key), v: values(value), bias, scale }, values(gradOut));
  const allowed = dtype === 'float32' ? 3e-6 : 1e-12;
  const got = { out, lse, dq, dk, dv };
  for (const name of ['out', 'lse', 'dq', 'dk', 'dv'] as const) expect(error(values(got[name]), want[name]), name).toBeLessThan(allowed);
}

describe('attention', () => {
  for (const dtype of ['float32', 'float64'] as const) {
    for (const kind of ['none', 'causal', 'bool', 'float'] as const) {
      it(`${dtype}, mask: ${kind}, on any layout`, () => {
        const size = fc.constantFrom(1, 2, 3, 5, 8, 17);
        fc.assert(
          fc.property(
            fc.record({ B: fc.constantFrom(1, 2), L: size, S: size, E: size, V: size }),
            fc.tuple(
              placements(3, true),
              placements(3, true),
              placements(3, true),
              placements(3, true),
              placements(3, false),
              placements(3, false),
            ),
            fc.integer({ min: 1 }),
            (sizes, p, seed) => {
              // A broadcast bool mask keeps its last value: let that be the one that is always seen.
              if (kind === 'bool') p[3].broadcast[2] = false;
              check(dtype, sizes, kind, p, seed);
            },
          ),
          { numRuns: 25 },
        );
      });
    }
  }

  it('makes scores in blocks of rows where they are many', () => {
    const plain = { order: [0, 1, 2], flipped: [], gap: 0, broadcast: [] };
    for (const kind of ['none', 'causal'] as const)
      check('float32', { B: 1, L: 307, S: 613, E: 13, V: 7 }, kind, new Array<typeof plain>(6).fill(plain), 3);
  });

  it('gives NaN to a row that sees nothing, in its result and its gradients', () => {
    const [q, key, v] = [
      make(cpu, 'float32', [1, 2, 1], [1, 2]),
      make(cpu, 'float32', [1, 2, 1], [3, 4]),
      make(cpu, 'float32', [1, 2, 1], [5, 6]),
    ];
    const mask = make(cpu, 'bool', [1, 2, 2], [0, 0, 1, 0]);
    const [out, lse] = [place(cpu, 'float32', [1, 2, 1]), place(cpu, 'float32', [1, 2])];
    k.attention(q, key, v, mask, false, 1, out, lse);
    expect(values(out)).toEqual([NaN, 5]);
    const [dq, dk, dv] = [0, 1, 2].map(() => place(cpu, 'float32', [1, 2, 1]));
    k.attentionGrad(make(cpu, 'float32', [1, 2, 1], [1, 1]), q, key, v, mask, false, 1, out, lse, dq, dk, dv);
    expect(values(dq)).toEqual([NaN, 0]);
    expect([...values(dk), ...values(dv)]).toEqual([NaN, NaN, NaN, NaN]);
  });

  it('declines other dtypes, and mixtures', () => {
    const [i, f, d] = (['int32', 'float32', 'float64'] as const).map((dtype) => place(cpu, dtype, [1, 1, 1]));
    expect(k.attention(i, i, i, null, false, 1, i, i)).toBe(false);
    expect(k.attention(f, f, d, null, false, 1, f, f)).toBe(false);
    expect(k.attention(f, f, f, d, false, 1, f, f)).toBe(false);
    expect(k.attentionGrad(f, f, f, f, i, false, 1, f, f, f, f, f)).toBe(false);
  });
});

describe('weights near 1', () => {
  /** One score far above the other: the weights are 1 − 4e-5 and 4e-5, of which float32 keeps three digits of the distance to 1. */
  it('lose no digits of the gradient', () => {
    const [q, key, value, g] = [
      [8, 4],
      [4, 8, 3.36, 6.746],
      [7.5, -8.25, -6.75, 8.5],
      [9, 7],
    ];
    const sizes = { B: 1, L: 1, S: 2, E: 2, V: 2 };
    const expected = reference(sizes, { q, k: key, v: value, bias: [0, 0], scale: 1 }, g);
    const to = (shape: number[], data: number[] = []): CpuView =>
      make(cpu, 'float32', shape, data.length > 0 ? data : new Array<number>(sizeOf(shape)).fill(0));
    const [qv, kv, vv, gv] = [to([1, 1, 2], q), to([1, 2, 2], key), to([1, 2, 2], value), to([1, 1, 2], g)];
    const [out, lse, dq, dk, dv] = [to([1, 1, 2]), to([1, 1]), to([1, 1, 2]), to([1, 2, 2]), to([1, 2, 2])];
    k.attention(qv, kv, vv, null, false, 1, out, lse);
    k.attentionGrad(gv, qv, kv, vv, null, false, 1, out, lse, dq, dk, dv);
    values(dq).forEach((x, i) => expect(Math.abs(x / expected.dq[i] - 1)).toBeLessThan(1e-5));
    values(dk).forEach((x, i) => expect(Math.abs(x / expected.dk[i] - 1)).toBeLessThan(1e-5));
  });
});
