/** @file Convolutions and their gradients against sums in float64: windows, groups, dims, layouts, Winograd's filtering, threads. */
import type { Window } from '@tessera/core';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type Dense, expectClose, expectSame, type Layout, random, sizeOf, Tensors, type WasmView } from './support/tensors.js';

const on = new Tensors({ threads: 1 });
afterAll(() => on.dispose());

interface Problem {
  readonly N: number;
  /** Of all groups. */
  readonly C: number;
  readonly O: number;
  readonly groups: number;
  readonly sizes: readonly number[];
  readonly kernel: readonly number[];
  readonly window: Window;
}

/** A problem in `dims` dims whose windows are alike in all of them. */
function problem(
  dims: readonly number[],
  [N, C, O, groups]: readonly number[],
  { kernel, stride = 1, padding = 0, dilation = 1 }: { kernel: number; stride?: number; padding?: number; dilation?: number },
): Problem {
  const same = (value: number): number[] => dims.map(() => value);
  const window = { stride: same(stride), padding: same(padding), dilation: same(dilation) };
  return { N, C, O, groups, sizes: dims, kernel: same(kernel), window };
}

function outSizes({ sizes, kernel, window: { stride, padding, dilation } }: Problem): number[] {
  return sizes.map((size, d) => Math.floor((size + 2 * padding[d] - dilation[d] * (kernel[d] - 1) - 1) / stride[d]) + 1);
}

/** Calls `fn` with the places, in the input, the weight and the output, of every product of the convolution. */
function eachProduct(p: Problem, fn: (x: number, w: number, y: number) => void): void {
  const three = (list: readonly number[], fill: number): number[] => [...new Array<number>(3 - list.length).fill(fill), ...list];
  const [D, H, W] = three(p.sizes, 1);
  const [kD, kH, kW] = three(p.kernel, 1);
  const [PD, PH, PW] = three(outSizes(p), 1);
  const [stride, padding, dilation] = [three(p.window.stride, 1), three(p.window.padding, 0), three(p.window.dilation, 1)];
  const perGroup = p.C / p.groups;
  const rows = p.O / p.groups;
  for (let y = 0; y < p.N * p.O * PD * PH * PW; y++) {
    const [w0, h0, d0] = [y % PW, Math.floor(y / PW) % PH, Math.floor(y / (PW * PH)) % PD];
    const o = Math.floor(y / (PW * PH * PD)) % p.O;
    const n = Math.floor(y / (PW * PH * PD * p.O));
    for (let c = 0; c < perGroup; c++)
      for (let a = 0; a < kD; a++) {
        const d = d0 * stride[0] - padding[0] + a * dilation[0];
        if (d < 0 || d >= D) continue;
        for (let b = 0; b < kH; b++) {
          const h = h0 * stride[1] - padding[1] + b * dilation[1];
          if (h < 0 || h >= H) continue;
          for (let e = 0; e < kW; e++) {
            const w = w0 * stride[2] - padding[2] + e * dilation[2];
            if (w < 0 || w >= W) continue;
            const channel = Math.floor(o / rows) * perGroup + c;
            fn((((n * p.C + channel) * D + d) * H + h) * W + w, (((o * perGroup + c) * kD + a) * kH + b) * kW + e, y);
          }
        }
      }
  }
}

/** All three kernels on a problem; a relative error of the largest result. */
function check(p: Problem, rtol: number, layout: Layout = 'plain', tensors = on): void {
  const out = outSizes(p);
  const input = random([p.N, p.C, ...p.sizes], 1);
  const weight = random([p.O, p.C / p.groups, ...p.kernel], 2);
  const bias = random([p.O], 3);
  const gradOut = random([p.N, p.O, ...out], 4);
  const y = new Float64Array(sizeOf(gradOut.shape));
  const gradInput = new Float64Array(sizeOf(input.shape));
  const gradWeight = new Float64Array(sizeOf(weight.shape));
  const plane = sizeOf(out);
  for (let i = 0; i < y.length; i++) y[i] = bias.data[Math.floor(i / plane) % p.O];
  eachProduct(p, (atX, atW, atY) => {
    y[atY] += input.data[atX] * weight.data[atW];
    gradInput[atX] += gradOut.data[atY] * weight.data[atW];
    gradWeight[atW] += gradOut.data[atY] * input.data[atX];
  });
  const put = (dense: Dense): WasmView => tensors.put(dense, 'float32', layout);
  const empty = (shape: readonly number[]): WasmView => tensors.empty(shape, 'float32', layout);
  const what = JSON.stringify(p);
  const { kernels } = tensors;
  const results = [empty(gradOut.shape), empty(input.shape), empty(weight.shape)];
  expect(kernels.convolution(put(input), put(weight), tensors.put(bias), results[0], p.window, p.groups)).toBe(true);
  expect(kernels.convolutionInputGrad(put(gradOut), put(weight), results[1], p.window, p.groups)).toBe(true);
  expect(kernels.convolutionWeightGrad(put(input), put(gradOut), results[2], p.window, p.groups)).toBe(true);
  expectClose(tensors.get(results[0]), y, rtol, `output of ${what}`);
  expectClose(tensors.get(results[1]), gradInput, rtol, `input's gradient of ${what}`);
  expectClose(tensors.get(results[2]), gradWeight, rtol, `weight's gradient of ${what}`);
}

const WINDOWS = [
  { kernel: 1 },
  { kernel: 3 },
  { kernel: 2, padding: 1 },
  { kernel: 1, stride: 2 },
  { kernel: 3, stride: 2, padding: 1 },
  { kernel: 3, dilation: 2, padding: 2 },
  { kernel: 2, stride: 3, padding: 1 },
  { kernel: 1, padding: 2 },
  { kernel: 3, padding: 4 },
  { kernel: 3, stride: 2, padding: 2, dilation: 3 },
];

describe('convolution and its gradients', () => {
  it('of any window, in one to three dims, plain, in groups and depthwise', () => {
    for (const dims of [[19], [11, 9], [7, 8, 9]])
      for (const window of WINDOWS)
        for (const channels of [
          [2, 3, 5, 1],
          [1, 4, 6, 2],
          [2, 4, 4, 4],
          [1, 4, 8, 4],
        ])
          check(problem(dims, channels, window), 2e-6);
  });

  it('of few input channels, which are not packed', () => {
    for (const channels of [
      [2, 1, 16, 1],
      [1, 3, 7, 1],
      [3, 2, 2, 1],
    ])
      check(problem([13, 10], channels, { kernel: 3, padding: 1 }), 2e-6);
  });

  it('of one plane a channel by 3x3, which are read where they are, or padded', () => {
    for (const padding of [0, 1, 2])
      for (const height of [2, 3, 6])
        for (const width of [4, 5, 6, 8, 11]) {
          const channels = [2, 3, padding === 1 ? 6 : 3, 3];
          check(problem([height + 2 - 2 * Math.min(padding, 1), width], channels, { kernel: 3, padding }), 2e-6);
        }
  });

  it('of many channels, in blocks', () => {
    check(problem([5, 7], [1, 40, 9, 1], { kernel: 5, padding: 2, stride: 2 }), 2e-6);
    check(problem([6, 6], [1, 90, 33, 1], { kernel: 3, padding: 1, stride: 2 }), 2e-6);
    check(problem([40, 41], [1, 3, 66, 1], { kernel: 3, stride: 1, dilation: 2 }), 2e-6);
  });

  it('of any strides of its operands', () => {
    for (const layout of ['reversed', 'gaps'] as const) {
      check(problem([7, 9], [2, 4, 6, 2], { kernel: 3, stride: 2, padding: 1 }), 2e-6, layout);
      check(problem([7, 9], [2, 8, 9, 1], { kernel: 3, padding: 1 }), 4e-6, layout);
      check(problem([7, 9], [2, 5, 6, 1], { kernel: 1 }), 2e-6, layout);
      check(problem([5, 4, 6], [1, 3, 2, 1], { kernel: 2, padding: 1 }), 2e-6, layout);
    }
  });

  it('of anything', () => {
    const small = fc.integer({ min: 1, max: 4 });
    const arbitrary = fc.record({
      dims: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 3 }),
      N: fc.integer({ min: 1, max: 3 }),
      groups: fc.integer({ min: 1, max: 3 }),
      c: small,
      o: fc.integer({ min: 1, max: 9 }),
      window: fc.record({
        kernel: small,
        stride: fc.integer({ min: 1, max: 3 }),
        padding: fc.integer({ min: 0, max: 3 }),
        dilation: fc.integer({ min: 1, max: 3 }),
      }),
    });
    fc.assert(
      fc.property(arbitrary, ({ dims, N, groups, c, o, window }) => {
        const p = problem(dims, [N, c * groups, o * groups, groups], window);
        fc.pre(outSizes(p).every((size) => size > 0));
        check(p, 2e-6);
      }),
      { numRuns: 150 },
    );
  });
});

describe('convolution of 3x3 by Winograd’s filtering', () => {
  it('of planes that tiles divide and of others, in groups, with any padding', () => {
    for (const [sizes, channels, padding] of [
      [[8, 8], [2, 8, 12, 1], 1],
      [[7, 9], [3, 9, 10, 1], 1],
      [[3, 3], [2, 8, 8, 1], 0],
      [[14, 14], [5, 16, 8, 1], 1],
      [[13, 11], [2, 16, 24, 2], 2],
      [[33, 70], [1, 10, 9, 1], 1],
      [[5, 6], [9, 8, 8, 1], 2],
      // Weights' gradients are summed directly where there are few places, so here are more.
      [[7, 9], [34, 9, 10, 1], 1],
      [[14, 14], [11, 16, 8, 1], 1],
      [[13, 11], [13, 16, 24, 2], 2],
    ] as const)
      check(problem(sizes, channels, { kernel: 3, padding }), 4e-6);
  });

  it('of many channels stays within float32’s rounding', () => {
    check(problem([12, 12], [1, 96, 64, 1], { kernel: 3, padding: 1 }), 4e-6);
  });

  it('leaves a weight without a gradient where nothing goes into it, in small batches', () => {
    // The first input channel and the gradient of the first output channel have values in columns that no window brings together.
    const [x, g] = [random([4, 8, 14, 14], 1), random([4, 8, 14, 14], 2)];
    for (let i = 0; i < x.data.length; i++) {
      const [column, channel] = [i % 14, Math.floor(i / 196) % 8];
      if (channel === 0 && column % 6 !== 0) x.data[i] = 0;
      if (channel === 0 && column % 6 !== 3) g.data[i] = 0;
    }
    const gradWeight = on.empty([8, 8, 3, 3]);
    on.kernels.convolutionWeightGrad(on.put(x), on.put(g), gradWeight, { stride: [1, 1], padding: [1, 1], dilation: [1, 1] }, 1);
    const got = on.get(gradWeight).data;
    expect(Array.from(got.slice(0, 9), Math.abs)).toEqual(new Array(9).fill(0));
    expect(got[9]).not.toBe(0);
  });

  it('can be switched off: then sums are direct, and closer still', async () => {
    const direct = new Tensors({ threads: 1, winograd: false });
    for (const sizes of [
      [14, 14],
      [9, 31],
    ])
      check(problem(sizes, [2, 16, 12, 1], { kernel: 3, padding: 1 }), 1e-6, 'plain', direct);
    await direct.dispose();
  });
});

describe('threads', () => {
  it('change no bit', async () => {
    const two = new Tensors({ threads: 2 });
    const run = (tensors: Tensors, p: Problem): Dense[] => {
      const out = outSizes(p);
      const [x, w, g] = [
        [p.N, p.C, ...p.sizes],
        [p.O, p.C / p.groups, ...p.kernel],
        [p.N, p.O, ...out],
      ].map((shape, i) => random(shape, i));
      const [y, gradX, gradW] = [g, x, w].map(({ shape }) => tensors.empty(shape));
      tensors.kernels.convolution(tensors.put(x), tensors.put(w), null, y, p.window, p.groups);
      tensors.kernels.convolutionInputGrad(tensors.put(g), tensors.put(w), gradX, p.window, p.groups);
      tensors.kernels.convolutionWeightGrad(tensors.put(x), tensors.put(g), gradW, p.window, p.groups);
      return [y, gradX, gradW].map((view) => tensors.get(view));
    };
    for (const p of [
      problem([28, 28], [8, 16, 32, 1], { kernel: 3, padding: 1 }),
      problem([30, 30], [1, 16, 32, 1], { kernel: 5, padding: 2 }),
      problem([40, 40], [2, 32, 32, 32], { kernel: 3, padding: 1 }),
      problem([24, 24], [4, 32, 64, 1], { kernel: 1 }),
    ]) {
      for (let round = 0; round < 3; round++) {
        const expected = run(on, p);
        run(two, p).forEach((got, i) => expectSame(got, expected[i], `${JSON.stringify(p)} result ${i}`));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    await two.dispose();
  });
});
