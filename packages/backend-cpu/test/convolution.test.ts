import type { DType, Window } from '@tessera/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CpuBackend } from '../src/index.js';
import { contiguous, type CpuView, indicesOf, make, place, type Placement, placements, randoms, sizeOf, values } from './views.js';

const cpu = new CpuBackend();
const { convolution, convolutionInputGrad, convolutionWeightGrad } = cpu.kernels;

interface Case {
  readonly input: number[];
  readonly weight: number[];
  readonly window: Window;
  readonly groups: number;
}

const at = (index: readonly number[], shape: readonly number[]): number => index.reduce((k, i, d) => k * shape[d] + i, 0);

function outShape({ input, weight, window }: Case): number[] {
  return [
    input[0],
    weight[0],
    ...input
      .slice(2)
      .map((n, d) => Math.floor((n + 2 * window.padding[d] - window.dilation[d] * (weight[d + 2] - 1) - 1) / window.stride[d]) + 1),
  ];
}

/** Every product of a convolution: the flat indices of the input, the weight and the output that it joins. */
function* products({ input, weight, window, groups }: Case, out: readonly number[]): Generator<[number, number, number]> {
  const perGroup = weight[0] / groups;
  for (const o of indicesOf(out)) {
    const toOut = at(o, out);
    const group = Math.floor(o[1] / perGroup);
    for (const k of indicesOf(weight.slice(1))) {
      const position = o.slice(2).map((i, d) => i * window.stride[d] - window.padding[d] + k[d + 1] * window.dilation[d]);
      if (position.some((p, d) => p < 0 || p >= input[d + 2])) continue;
      yield [at([o[0], group * weight[1] + k[0], ...position], input), at([o[1], ...k], weight), toOut];
    }
  }
}

/** The sum of products in float64, and of their sizes, that rounding is relative to. */
function naive(
  list: Iterable<[number, number, number]>,
  which: 0 | 1 | 2,
  a: readonly number[],
  b: readonly number[],
  size: number,
): [Float64Array, Float64Array] {
  const sum = new Float64Array(size);
  const scale = new Float64Array(size);
  const [p, q] = ([0, 1, 2] as const).filter((i) => i !== which);
  for (const product of list) {
    const v = a[product[p]] * b[product[q]];
    sum[product[which]] += v;
    scale[product[which]] += Math.abs(v);
  }
  return [sum, scale];
}

/** The elements that are wrong. */
function faults(what: string, dtype: DType, got: readonly number[], [want, scale]: [Float64Array, Float64Array]): string[] {
  const [relative, absolute] = dtype === 'float32' ? [6.1e-8, 1e-14] : [1e-15, 1e-14];
  const wrong = [...got.keys()].filter((i) => !(Math.abs(got[i] - want[i]) <= Math.abs(want[i]) * relative + scale[i] * absolute));
  return wrong.map((i) => `${what}: element ${i} is ${got[i]}, not ${want[i]}`);
}

/** What is wrong in the three kernels' results. */
function check(c: Case, dtype: DType, withBias = true, placed: Placement[] = []): string[] {
  const wrong: string[] = [];
  const shape = outShape(c);
  const data = (seed: number, s: readonly number[]): number[] => randoms(seed, sizeOf(s)).map(Math.fround);
  const [x, w, g, b] = [data(1, c.input), data(2, c.weight), data(3, shape), data(4, [shape[1]])];
  const view = (s: readonly number[], v: number[], i: number): CpuView => make(cpu, dtype, s, v, placed[i]);
  const [input, weight, gradOut] = [view(c.input, x, 0), view(c.weight, w, 1), view(shape, g, 2)];
  const list = [...products(c, shape)];

  const out = place(cpu, dtype, shape, placed[3]);
  expect(convolution!(input, weight, withBias ? make(cpu, dtype, [shape[1]], b) : null, out, c.window, c.groups)).toBe(true);
  const [sum, scale] = naive(list, 2, x, w, sizeOf(shape));
  if (withBias)
    [...indicesOf(shape)].forEach((index, i) => {
      sum[i] += b[index[1]];
      scale[i] += Math.abs(b[index[1]]);
    });
  wrong.push(...faults('forward', dtype, values(out), [sum, scale]));

  const gradInput = place(cpu, dtype, c.input, placed[4]);
  expect(convolutionInputGrad!(gradOut, weight, gradInput, c.window, c.groups)).toBe(true);
  wrong.push(...faults('input gradient', dtype, values(gradInput), naive(list, 0, w, g, sizeOf(c.input))));

  const gradWeight = place(cpu, dtype, c.weight, placed[5]);
  expect(convolutionWeightGrad!(input, gradOut, gradWeight, c.window, c.groups)).toBe(true);
  wrong.push(...faults('weight gradient', dtype, values(gradWeight), naive(list, 1, x, g, sizeOf(c.weight))));
  return wrong;
}

const same = (n: number, stride = 1, padding = 0, dilation = 1): Window => ({
  stride: new Array<number>(n).fill(stride),
  padding: new Array<number>(n).fill(padding),
  dilation: new Array<number>(n).fill(dilation),
});

describe('convolution and its gradients, against products summed in float64', () => {
  const cases: Record<string, Case> = {
    '3x3, padded': { input: [2, 3, 8, 9], weight: [5, 3, 3, 3], window: same(2, 1, 1), groups: 1 },
    '3x3, 16 channels to 32': { input: [1, 16, 4, 5], weight: [32, 16, 3, 3], window: same(2, 1, 1), groups: 1 },
    '1x1': { input: [2, 8, 5, 6], weight: [9, 8, 1, 1], window: same(2), groups: 1 },
    '1x1, stride 2': { input: [2, 4, 7, 6], weight: [4, 4, 1, 1], window: same(2, 2), groups: 1 },
    '5x3, unequal stride, padding, dilation': {
      input: [1, 2, 13, 11],
      weight: [3, 2, 5, 3],
      window: { stride: [2, 3], padding: [3, 1], dilation: [1, 2] },
      groups: 1,
    },
    '4x4, stride 2 (as transposed, an upsampling)': { input: [1, 3, 10, 10], weight: [4, 3, 4, 4], window: same(2, 2, 1), groups: 1 },
    'a stride beyond the kernel': { input: [1, 2, 11, 11], weight: [2, 2, 2, 2], window: same(2, 3), groups: 1 },
    groups: { input: [2, 6, 6, 6], weight: [4, 3, 3, 3], window: same(2, 1, 1), groups: 2 },
    depthwise: { input: [2, 5, 9, 8], weight: [5, 1, 3, 3], window: same(2, 1, 1), groups: 5 },
    'depthwise, stride 2, dilated': { input: [1, 4, 11, 12], weight: [4, 1, 3, 3], window: same(2, 2, 2, 2), groups: 4 },
    'depthwise with a multiplier': { input: [1, 3, 6, 6], weight: [6, 1, 3, 3], window: same(2, 1, 1), groups: 3 },
    'one output channel': { input: [1, 7, 6, 6], weight: [1, 7, 3, 3], window: same(2, 1, 1), groups: 1 },
    '1-d': { input: [2, 3, 40], weight: [6, 3, 5], window: same(1, 2, 2), groups: 1 },
    '3-d': { input: [1, 2, 5, 6, 4], weight: [3, 2, 3, 2, 3], window: same(3, 1, 1), groups: 1 },
    '3-d, stride 2': { input: [1, 2, 5, 6, 7], weight: [4, 1, 2, 3, 3], window: same(3, 2, 1), groups: 2 },
    'deeper than one panel': { input: [1, 130, 3, 3], weight: [3, 130, 3, 3], window: same(2, 1, 1), groups: 1 },
    'more positions than one panel': { input: [1, 2, 33, 34], weight: [3, 2, 3, 3], window: same(2, 1, 1), groups: 1 },
    'an image in several bands': {
      input: [1, 64, 5, 1100],
      weight: [2, 64, 3, 1],
      window: { stride: [1, 1], padding: [1, 0], dilation: [1, 1] },
      groups: 1,
    },
    'padding wider than the kernel': { input: [1, 1, 3, 3], weight: [2, 1, 2, 2], window: same(2, 1, 4), groups: 1 },
  };
  for (const [name, c] of Object.entries(cases)) {
    it(`of ${name}`, () => {
      expect([...check(c, 'float32'), ...check(c, 'float64', false)]).toEqual([]);
    });
  }

  it('any small case, on any layout', () => {
    const dim = fc.record({
      size: fc.integer({ min: 1, max: 7 }),
      kernel: fc.integer({ min: 1, max: 3 }),
      stride: fc.integer({ min: 1, max: 3 }),
      padding: fc.integer({ min: 0, max: 2 }),
      dilation: fc.integer({ min: 1, max: 2 }),
    });
    const dims = fc.array(
      dim.filter((d) => d.size + 2 * d.padding >= d.dilation * (d.kernel - 1) + 1),
      { minLength: 1, maxLength: 3 },
    );
    const small = fc.integer({ min: 1, max: 3 });
    const layouts = dims.chain((list) =>
      fc.tuple(fc.constant(list), fc.tuple(...Array.from({ length: 6 }, () => placements(list.length + 2, false)))),
    );
    fc.assert(
      fc.property(layouts, small, small, small, small, fc.boolean(), ([list, placed], N, C, O, groups, bias) => {
        const window: Window = {
          stride: list.map((d) => d.stride),
          padding: list.map((d) => d.padding),
          dilation: list.map((d) => d.dilation),
        };
        const wrong = check(
          { input: [N, C * groups, ...list.map((d) => d.size)], weight: [O * groups, C, ...list.map((d) => d.kernel)], window, groups },
          'float32',
          bias,
          placed,
        );
        expect(wrong).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('declines what it does not take', () => {
    const ints = make(cpu, 'int32', [1, 1, 2, 2], [1, 2, 3, 4]);
    expect(convolution!(ints, ints, null, ints, same(2), 1)).toBe(false);
    expect(contiguous([1, 1, 2, 2])).toEqual(ints.strides);
  });
});
