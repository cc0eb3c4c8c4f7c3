import { beforeAll, describe, expect, it } from 'vitest';
import {
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  arange,
  avgPool1d,
  avgPool2d,
  full,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  ones,
  runtimes,
  type Tensor,
  tensor,
} from '../src/index.js';
import { gradientError, irregular, secondOrderError, weighed } from './support/finite-differences.js';
import { plainPlugin } from './support/plain-backend.js';

beforeAll(() => {
  runtimes.current.use(plainPlugin());
});

const image = (): Tensor => arange(16, { dtype: 'float32' }).reshape([1, 1, 4, 4]);

describe('maxPool', () => {
  it('takes the largest of each window, and says where it lies', () => {
    const [y, at] = maxPool2d(image(), 2, { returnIndices: true });
    expect(y.toArray()).toEqual([
      [
        [
          [5, 7],
          [13, 15],
        ],
      ],
    ]);
    expect(at.toArray()).toEqual([
      [
        [
          [5, 7],
          [13, 15],
        ],
      ],
    ]);
    expect(at.dtype).toBe('int32');
    expect(maxPool2d(image(), 3, { stride: 2, ceilMode: true }).shape).toEqual([1, 1, 2, 2]);
    expect(maxPool1d(tensor([[1, 3, 2, 5]]), 2, { stride: 1 }).toArray()).toEqual([[3, 3, 5]]);
    expect(maxPool3d(ones(1, 1, 2, 2, 2), 2).toArray()).toEqual([[[[[1]]]]]);
  });

  it('prefers the first of equals, and NaN to everything', () => {
    expect(maxPool1d(tensor([[2, 2, 1]]), 3, { returnIndices: true })[1].toArray()).toEqual([[0]]);
    const [y, at] = maxPool1d(tensor([[9, NaN, 1]]), 3, { returnIndices: true });
    expect(y.item()).toBeNaN();
    expect(at.item()).toBe(1);
  });

  it('never points into the padding, even where all is −∞', () => {
    const [y, at] = maxPool2d(full([1, 1, 2, 2], -Infinity), 2, { padding: 1, returnIndices: true });
    expect(y.toArray()).toEqual([
      [
        [
          [-Infinity, -Infinity],
          [-Infinity, -Infinity],
        ],
      ],
    ]);
    expect(at.toArray()).toEqual([
      [
        [
          [0, 1],
          [2, 3],
        ],
      ],
    ]);
  });

  it('sends the gradient to the largest, added up where windows overlap', () => {
    const x = image().requiresGrad_();
    maxPool2d(x, 3, { stride: 1 }).sum().backward();
    expect(x.grad!.toArray()).toEqual([
      [
        [
          [0, 0, 0, 0],
          [0, 0, 0, 0],
          [0, 0, 1, 1],
          [0, 0, 1, 1],
        ],
      ],
    ]);
  });

  it.each([
    ['overlapping', 3, { stride: 1, padding: 1 }],
    ['apart, dilated, ceil', 2, { stride: 2, dilation: 2, ceilMode: true }],
  ])('has right derivatives, %s', (_, kernel, options) => {
    const f = (x: Tensor): Tensor => weighed(maxPool2d(x, kernel, options).pow(2));
    expect(gradientError(f, [irregular([2, 1, 5, 4])])).toBeLessThan(1e-7);
    expect(secondOrderError(f, [irregular([2, 1, 5, 4])])).toBeLessThan(1e-5);
  });

  it('refuses what PyTorch refuses', () => {
    expect(() => maxPool2d(image(), 2, { padding: 2 })).toThrow(/at most half/);
    expect(() => maxPool2d(ones(2, 2), 2)).toThrow(/Expected 3D or 4D/);
    expect(() => maxPool2d(image(), 5)).toThrow(/Output size is too small/);
  });
});

describe('avgPool', () => {
  it('counts the padding, or not, or divides by what is said', () => {
    const x = ones(1, 1, 2, 2);
    expect(avgPool2d(x, 2, { padding: 1 }).toArray()).toEqual([
      [
        [
          [0.25, 0.25],
          [0.25, 0.25],
        ],
      ],
    ]);
    expect(avgPool2d(x, 2, { padding: 1, countIncludePad: false }).toArray()).toEqual([
      [
        [
          [1, 1],
          [1, 1],
        ],
      ],
    ]);
    expect(avgPool2d(x, 2, { divisorOverride: 2 }).toArray()).toEqual([[[[2]]]]);
    expect(avgPool1d(tensor([[1, 3, 5]]), 2, { ceilMode: true }).toArray()).toEqual([[2, 5]]);
  });

  it.each([
    ['padded', { padding: 1, stride: 2 }],
    ['without the padding, ceil', { padding: 1, stride: 2, ceilMode: true, countIncludePad: false }],
  ])('has right derivatives, %s', (_, options) => {
    const f = (x: Tensor): Tensor => weighed(avgPool2d(x, 3, options).pow(2));
    expect(gradientError(f, [irregular([1, 2, 4, 5])])).toBeLessThan(1e-7);
    expect(secondOrderError(f, [irregular([1, 2, 4, 5])])).toBeLessThan(1e-5);
  });
});

describe('adaptive pooling', () => {
  it('makes the size that is asked for, evenly or not', () => {
    expect(adaptiveAvgPool2d(image(), 2).toArray()).toEqual([
      [
        [
          [2.5, 4.5],
          [10.5, 12.5],
        ],
      ],
    ]);
    expect(adaptiveAvgPool2d(tensor([[[1, 2, 3, 4, 5]]]), [null, 3]).toArray()).toEqual([[[1.5, 3, 4.5]]]);
    const [y, at] = adaptiveMaxPool2d(tensor([[[5, 2, 3, 4, 1]]]), [1, 3], { returnIndices: true });
    expect(y.toArray()).toEqual([[[5, 4, 4]]]);
    expect(at.toArray()).toEqual([[[0, 3, 3]]]);
  });

  it('does not spread a NaN beyond the windows that have it', () => {
    const y = adaptiveAvgPool2d(tensor([[[NaN, 2, 3, 4, 5]]]), [1, 3]);
    expect(y.toArray()).toEqual([[[NaN, 3, 4.5]]]);
  });

  it('has right derivatives', () => {
    for (const pool of [adaptiveAvgPool2d, adaptiveMaxPool2d] as const) {
      const f = (x: Tensor): Tensor => weighed((pool as typeof adaptiveAvgPool2d)(x, [2, 3]).pow(2));
      expect(gradientError(f, [irregular([1, 2, 5, 4])])).toBeLessThan(1e-7);
      expect(secondOrderError(f, [irregular([1, 2, 5, 4])])).toBeLessThan(1e-5);
    }
  });
});
