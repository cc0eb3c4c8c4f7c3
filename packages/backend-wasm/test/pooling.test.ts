/** @file Max and mean pooling with their gradients against walks over windows: any window, pairs by vectors, NaN, ties. */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type Dense, expectClose, expectSame, filled, random, sizeOf, Tensors } from './support/tensors.js';

const on = new Tensors({ threads: 1 });
afterAll(() => on.dispose());

interface Pool {
  readonly sizes: readonly [number, number];
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
}

const PLANES = [2, 3] as const;
const outOf = ({ sizes, kernel, stride, padding, dilation }: Pool): number[] =>
  sizes.map((size) => Math.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1);
const windowOf = ({ stride, padding, dilation }: Pool) => ({
  stride: [stride, stride],
  padding: [padding, padding],
  dilation: [dilation, dilation],
});

/** Of each output, the places in its plane of the inputs in its window. */
function windows(p: Pool): number[][] {
  const [PH, PW] = outOf(p);
  const [H, W] = p.sizes;
  return Array.from({ length: PH * PW }, (_, i) => {
    const places: number[] = [];
    for (let a = 0; a < p.kernel; a++)
      for (let b = 0; b < p.kernel; b++) {
        const h = Math.floor(i / PW) * p.stride - p.padding + a * p.dilation;
        const w = (i % PW) * p.stride - p.padding + b * p.dilation;
        if (h >= 0 && h < H && w >= 0 && w < W) places.push(h * W + w);
      }
    return places;
  });
}

function check(p: Pool, input: Dense = random([...PLANES, ...p.sizes], 1)): void {
  const out = [...PLANES, ...outOf(p)];
  const plane = sizeOf(p.sizes);
  const list = windows(p);
  const gradOut = random(out, 2);
  const maxima = new Float64Array(sizeOf(out)).fill(-Infinity);
  const places = new Float64Array(sizeOf(out));
  const [gradMax, means, gradMean] = [
    new Float64Array(input.data.length),
    new Float64Array(maxima.length),
    new Float64Array(input.data.length),
  ];
  maxima.forEach((_, i) => {
    const base = Math.floor(i / list.length) * plane;
    const window = list[i % list.length];
    places[i] = window[0];
    for (const place of window) {
      const x = input.data[base + place];
      means[i] += x / window.length;
      gradMean[base + place] += gradOut.data[i] / window.length;
      if (x > maxima[i] || (x !== x && maxima[i] === maxima[i])) {
        maxima[i] = x;
        places[i] = place;
      }
    }
    gradMax[base + places[i]] += gradOut.data[i];
  });
  const kernel = [p.kernel, p.kernel];
  const [y, indices, mean] = [on.empty(out), on.empty(out, 'int32'), on.empty(out)];
  const [gradX, gradX2] = [on.empty(input.shape), on.empty(input.shape)];
  const x = on.put(input);
  on.kernels.maxPool(x, y, indices, kernel, windowOf(p));
  on.kernels.maxPoolGrad(on.put(gradOut), indices, gradX, kernel, windowOf(p));
  on.kernels.avgPool(x, mean, kernel, windowOf(p), 'valid');
  on.kernels.avgPoolGrad(on.put(gradOut), gradX2, kernel, windowOf(p), 'valid');
  const what = JSON.stringify(p);
  expectSame(on.get(y), { shape: out, data: maxima }, `maxima of ${what}`);
  expectSame(on.get(indices), { shape: out, data: places }, `places of ${what}`);
  expectClose(on.get(gradX), gradMax, 1e-6, `gradient of ${what}`);
  expectClose(on.get(mean), means, 1e-6, `means of ${what}`);
  expectClose(on.get(gradX2), gradMean, 1e-6, `gradient of the means of ${what}`);
}

const PAIRS = { kernel: 2, stride: 2, padding: 0, dilation: 1 };

describe('pooling', () => {
  it('of pairs, of sizes around vectors, even and odd', () => {
    for (const sizes of [
      [2, 8],
      [4, 10],
      [7, 9],
      [6, 15],
      [28, 28],
      [5, 33],
    ] as const)
      check({ ...PAIRS, sizes });
  });

  it('gives NaN, and its place, where a window has one, and the first of equals', () => {
    const sizes = [6, 10] as const;
    const shape = [...PLANES, ...sizes];
    check(
      { ...PAIRS, sizes },
      filled(shape, (i) => (i % 7 === 0 ? NaN : i % 5)),
    );
    check(
      { ...PAIRS, sizes },
      filled(shape, (i) => Math.floor(i / 3) % 2),
    );
    check(
      { ...PAIRS, sizes },
      filled(shape, () => -Infinity),
    );
    check(
      { ...PAIRS, kernel: 3, padding: 1, sizes },
      filled(shape, (i) => (i % 7 === 0 ? NaN : i % 5)),
    );
  });

  it('of any window', () => {
    const arbitrary = fc.record({
      sizes: fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 })),
      kernel: fc.integer({ min: 1, max: 4 }),
      stride: fc.integer({ min: 1, max: 3 }),
      padding: fc.integer({ min: 0, max: 2 }),
      dilation: fc.integer({ min: 1, max: 2 }),
    });
    fc.assert(
      fc.property(arbitrary, (p) => {
        // A window of padding alone has no maximum with a place: its gradient is refused, on every backend.
        fc.pre(p.padding * 2 <= p.kernel && outOf(p).every((size) => size > 0) && windows(p).every((window) => window.length > 0));
        check(p);
      }),
      { numRuns: 150 },
    );
  });

  it('refuses an index outside the plane', () => {
    const bad = on.put(
      filled([1, 1, 4, 4], () => 64),
      'int32',
    );
    const call = (): boolean =>
      on.kernels.maxPoolGrad(on.put(random([1, 1, 4, 4], 1)), bad, on.empty([1, 1, 8, 8]), [2, 2], windowOf({ ...PAIRS, sizes: [8, 8] }));
    expect(call).toThrow(/outside a plane/);
  });
});
