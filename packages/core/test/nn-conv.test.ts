import { beforeAll, describe, expect, it } from 'vitest';
import {
  arange,
  conv1d,
  conv2d,
  conv3d,
  type ConvOptions,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  grad,
  linear,
  ones,
  runtimes,
  type Tensor,
  tensor,
  zeros,
} from '../src/index.js';
import { gradientError, irregular, secondOrderError, weighed } from './support/finite-differences.js';
import { plainPlugin } from './support/plain-backend.js';

beforeAll(() => {
  runtimes.current.use(plainPlugin());
});

const codeOf = (fn: () => unknown): string | undefined => {
  try {
    fn();
  } catch (error) {
    return (error as { code?: string }).code;
  }
  return undefined;
};

describe('linear', () => {
  it('is x · Wᵀ + b, whatever dims come first', () => {
    const x = tensor([
      [1, 2],
      [3, 4],
    ]);
    const w = tensor([
      [1, 0],
      [0, 1],
      [1, 1],
    ]);
    expect(linear(x, w, tensor([10, 20, 30])).toArray()).toEqual([
      [11, 22, 33],
      [13, 24, 37],
    ]);
    expect(linear(x.reshape([1, 2, 2]), w).shape).toEqual([1, 2, 3]);
    expect(linear(tensor([1, 2]), w).toArray()).toEqual([1, 2, 3]);
  });

  it('has right first and second derivatives', () => {
    const inputs = [irregular([3, 4], 1), irregular([2, 4], 2), irregular([2], 3)];
    const f = (x: Tensor, w: Tensor, b: Tensor): Tensor => weighed(linear(x, w, b).pow(2));
    expect(gradientError(f, inputs)).toBeLessThan(1e-7);
    expect(secondOrderError(f, inputs)).toBeLessThan(1e-6);
  });

  it('names both shapes when they do not fit', () => {
    expect(() => linear(ones(2, 3), ones(5, 4))).toThrow(/\(2x3\) and \(5x4\)/);
  });
});

describe('conv2d', () => {
  it('slides without flipping', () => {
    const x = arange(9, { dtype: 'float32' }).reshape([1, 1, 3, 3]);
    const w = tensor([
      [
        [
          [1, 0],
          [0, -1],
        ],
      ],
    ]);
    expect(conv2d(x, w).toArray()).toEqual([
      [
        [
          [-4, -4],
          [-4, -4],
        ],
      ],
    ]);
    expect(conv2d(x, w, tensor([4])).toArray()).toEqual([
      [
        [
          [0, 0],
          [0, 0],
        ],
      ],
    ]);
    expect(conv2d(x.squeeze(0), w).shape).toEqual([1, 2, 2]);
  });

  // Naive loops, with every option at once.
  it.each([
    [{ stride: [2, 1], padding: [1, 2], dilation: [1, 2], groups: 2 }],
    [{ stride: 2, padding: 1 }],
    [{ padding: 'same', dilation: 2, groups: 2 }],
    [{ padding: 'valid', groups: 4 }],
  ] as const)('agrees with its definition for %j', (options: ConvOptions) => {
    const groups = options.groups ?? 1;
    const x = irregular([2, 4, 6, 7]).detach();
    const w = irregular([8, 4 / groups, 3, 2], 2).detach();
    const y = conv2d(x, w, null, options);
    const pair = (v: unknown, otherwise: number): number[] =>
      typeof v === 'number' ? [v, v] : Array.isArray(v) ? (v as number[]) : [otherwise, otherwise];
    const [sh, sw] = pair(options.stride, 1) as [number, number];
    const [dh, dw] = pair(options.dilation, 1) as [number, number];
    const [ph, pw] = options.padding === 'same' ? [Math.floor(dh), Math.floor(dw / 2)] : (pair(options.padding, 0) as [number, number]);
    const xs = x.toArray() as number[][][][];
    const ws = w.toArray() as number[][][][];
    const ys = y.toArray() as number[][][][];
    for (let n = 0; n < 2; n++) {
      for (let o = 0; o < 8; o++) {
        for (let i = 0; i < y.shape[2]!; i++) {
          for (let j = 0; j < y.shape[3]!; j++) {
            let sum = 0;
            for (let c = 0; c < 4 / groups; c++) {
              for (let a = 0; a < 3; a++)
                for (let b = 0; b < 2; b++)
                  sum +=
                    ws[o]![c]![a]![b]! *
                    (xs[n]![Math.floor(o / (8 / groups)) * (4 / groups) + c]![i * sh - ph + a * dh]?.[j * sw - pw + b * dw] ?? 0);
            }
            expect(ys[n]![o]![i]![j]).toBeCloseTo(sum, 10);
          }
        }
      }
    }
  });

  it('keeps sizes with padding "same"', () => {
    expect(conv2d(ones(1, 1, 5, 6), ones(1, 1, 4, 3), null, { padding: 'same' }).shape).toEqual([1, 1, 5, 6]);
  });

  it.each([
    ['strided, padded, dilated', { stride: 2, padding: 1, dilation: 2 }, [1, 2, 6, 5], [2, 2, 2, 2]],
    ['in groups', { groups: 2, padding: 1 }, [2, 2, 3, 3], [4, 1, 2, 2]],
    ['same', { padding: 'same' }, [1, 1, 3, 4], [1, 1, 2, 3]],
  ] as const)('has right first and second derivatives, %s', (_, options, xShape, wShape) => {
    const inputs = [irregular(xShape, 1), irregular(wShape, 2), irregular([wShape[0]], 3)];
    const f = (x: Tensor, w: Tensor, b: Tensor): Tensor => weighed(conv2d(x, w, b, options).pow(2));
    expect(gradientError(f, inputs)).toBeLessThan(1e-7);
    expect(secondOrderError(f, inputs)).toBeLessThan(1e-5);
  });

  it('takes empty batches', () => {
    const x = zeros(0, 2, 4, 4, { requiresGrad: true });
    const w = ones([3, 2, 2, 2], { requiresGrad: true });
    const y = conv2d(x, w, zeros(3));
    expect(y.shape).toEqual([0, 3, 3, 3]);
    const [dx, dw] = grad(y.sum(), [x, w]);
    expect(dx!.shape).toEqual([0, 2, 4, 4]);
    expect(dw!.sum().item()).toBe(0);
  });

  it('computes halves in float32 and answers in halves', () => {
    const y = conv2d(ones([1, 64, 4, 4], { dtype: 'float16' }), ones([1, 64, 4, 4], { dtype: 'float16' }).mul(0.001));
    expect(y.dtype).toBe('float16');
    expect(y.item()).toBeCloseTo(1.024, 2);
  });

  it.each([
    ['ERR_CONV_CHANNELS', () => conv2d(ones(1, 3, 4, 4), ones(2, 2, 3, 3))],
    ['ERR_CONV_RANK', () => conv2d(ones(4, 4), ones(2, 2, 3, 3))],
    ['ERR_CONV_KERNEL', () => conv2d(ones(1, 2, 2, 2), ones(2, 2, 3, 3))],
    ['ERR_CONV_BIAS', () => conv2d(ones(1, 2, 4, 4), ones(2, 2, 3, 3), ones(3))],
    ['ERR_CONV_GROUPS', () => conv2d(ones(1, 2, 4, 4), ones(3, 1, 3, 3), null, { groups: 2 })],
    ['ERR_CONV_STRIDE', () => conv2d(ones(1, 2, 4, 4), ones(2, 2, 3, 3), null, { stride: 0 })],
    ['ERR_CONV_PADDING', () => conv2d(ones(1, 2, 4, 4), ones(2, 2, 3, 3), null, { padding: 'same', stride: 2 })],
    ['ERR_DTYPE_MIX', () => conv2d(ones(1, 2, 4, 4), ones([2, 2, 3, 3], { dtype: 'float64' }))],
  ])('refuses with %s', (code, fn) => {
    expect(codeOf(fn)).toBe(code);
  });
});

describe('other ranks and the transposed convolution', () => {
  it('convolves sequences and volumes', () => {
    expect(conv1d(arange(5, { dtype: 'float32' }).reshape([1, 1, 5]), tensor([[[1, 1]]]), null, { stride: 2 }).toArray()).toEqual([
      [[1, 5]],
    ]);
    expect(conv3d(ones(1, 2, 3, 3, 3), ones(1, 2, 2, 2, 2)).toArray()).toEqual([
      [
        [
          [
            [16, 16],
            [16, 16],
          ],
          [
            [16, 16],
            [16, 16],
          ],
        ],
      ],
    ]);
  });

  it('spreads its input out', () => {
    const y = convTranspose2d(
      tensor([
        [
          [
            [1, 2],
            [3, 4],
          ],
        ],
      ]),
      ones(1, 1, 2, 2),
      tensor([10]),
      { stride: 2 },
    );
    expect(y.toArray()).toEqual([
      [
        [
          [11, 11, 12, 12],
          [11, 11, 12, 12],
          [13, 13, 14, 14],
          [13, 13, 14, 14],
        ],
      ],
    ]);
    expect(convTranspose1d(ones(1, 2, 3), ones(2, 1, 3), null, { stride: 2, padding: 1, outputPadding: 1 }).shape).toEqual([1, 1, 6]);
    expect(convTranspose3d(ones(2, 2, 2, 2), ones(2, 3, 2, 2, 2)).shape).toEqual([3, 3, 3, 3]);
  });

  it.each([
    ['in groups', { stride: 2, padding: 1, groups: 2 }],
    ['with an output padding past the stride', { stride: 1, dilation: 3, outputPadding: 2 }],
  ])('has right derivatives, %s', (_, options) => {
    const inputs = [irregular([1, 2, 3, 2], 1), irregular([2, 2, 2, 3], 2)];
    const f = (x: Tensor, w: Tensor): Tensor => weighed(convTranspose2d(x, w, null, options).pow(2));
    expect(gradientError(f, inputs)).toBeLessThan(1e-7);
    expect(secondOrderError(f, inputs)).toBeLessThan(1e-5);
  });
});
