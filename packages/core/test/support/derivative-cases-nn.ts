/** @file Derivative checks of the neural-net ops. */
import * as core from '../../src/index.js';
import { tensor } from '../../src/index.js';
import { any, type DerivativeCase, ints, M, on } from './derivative-inputs.js';

const CONVS = [core.conv1d, core.conv2d, core.conv3d];
const TRANSPOSED = [core.convTranspose1d, core.convTranspose2d, core.convTranspose3d];
const ADAPTIVE_MEANS = [core.adaptiveAvgPool1d, core.adaptiveAvgPool2d, core.adaptiveAvgPool3d];
const ADAPTIVE_MAXIMA = [core.adaptiveMaxPool1d, core.adaptiveMaxPool2d, core.adaptiveMaxPool3d];
const box = { stride: [1, 2], padding: [1, 0], dilation: [1, 1] };
const spatial = (n: number): readonly number[] => [3, 4, 3].slice(0, n);
const ones = (n: number): readonly number[] => new Array<number>(n).fill(2);
/** An input (1, 2, …), a weight of two groups, and a bias. */
const convolution = (n: number): DerivativeCase =>
  any([[1, 2, ...spatial(n)], [2, 1, ...ones(n)], [2]], (x, w, b) =>
    CONVS[n - 1]!(x!, w!, b!, { stride: 2, padding: 1, dilation: 1, groups: 2 }),
  );
const transposed = (n: number): DerivativeCase =>
  any([[1, 2, ...[1, 2, 2].slice(3 - n)], [2, 1, ...ones(n)], [2]], (x, w, b) =>
    TRANSPOSED[n - 1]!(x!, w!, b!, { stride: 2, padding: 1, outputPadding: 1, groups: 2 }),
  );

export const NN_CASES: Readonly<Record<string, DerivativeCase | readonly DerivativeCase[]>> = {
  constantPadNd: any([M], (x) => core.constantPadNd(x!, [1, -1, 0, 2], 0.5)),
  avgPool: [
    any([[1, 1, 3, 4]], (x) => core.avgPool2d(x!, 2, { stride: 1, padding: 1, countIncludePad: false, ceilMode: true })),
    any([[1, 2, 5]], (x) => core.avgPool1d(x!, 2)),
    any([[1, 1, 2, 3, 2]], (x) => core.avgPool3d(x!, 2, { divisorOverride: 3 })),
  ],
  maxPool: [
    any([[1, 1, 3, 4]], (x) => core.maxPool2d(x!, 2, { stride: 1, padding: 1 })),
    any([[1, 1, 3, 2, 3]], (x) => core.maxPool3d(x!, 2)),
  ],
  ...Object.fromEntries(
    ([1, 2, 3] as const).flatMap((n) => [
      [`adaptiveAvgPool${n}d`, any([[1, 1, ...spatial(n)]], (x) => ADAPTIVE_MEANS[n - 1]!(x!, 2))],
      [`adaptiveMaxPool${n}d`, any([[1, 1, ...spatial(n)]], (x) => ADAPTIVE_MAXIMA[n - 1]!(x!, 2))],
      [`conv${n}d`, convolution(n)],
      [`convTranspose${n}d`, transposed(n)],
    ]),
  ),
  convolution: convolution(2),
  im2col: any([[1, 2, 3, 4]], (x) => core.im2col(x!, [2, 2], box)),
  col2im: any([[1, 4, 8]], (x) => core.col2im(x!, [1, 1, 3, 4], [2, 2], box)),
  binaryCrossEntropyTerms: on('probability')([M, [2, 3]], (x, t) => core.binaryCrossEntropyTerms(x!, t!)),
  dropout: any([M], (x) => core.dropout(x!, { p: 0.4, generator: new core.Generator(3) })),
  nllLoss: any([[3, 4]], (x) => core.nllLoss(x!, ints([1, -100, 3]), { weight: tensor([1, 2, 3, 4], { dtype: 'float64' }) })),
  crossEntropyOfClasses: any([[3, 4]], (x) => core.crossEntropyOfClasses(x!, ints([1, -100, 3]))),
  embedding: any([[4, 2]], (w) =>
    core.embedding(
      ints([
        [1, 3],
        [1, 0],
      ]),
      w!,
    ),
  ),
  linear: [any([[2, 2, 3], [2, 3], [2]], (x, w, b) => core.linear(x!, w!, b!)), any([[3], [2, 3]], (x, w) => core.linear(x!, w!))],
  standardize: any([M], (x) => core.layerNorm(x!, 3)),
  layerNorm: any([M, [3], [3]], (x, w, b) => core.layerNorm(x!, 3, w!, b!)),
  rmsNorm: any([M, [3]], (x, w) => core.rmsNorm(x!, 3, w!, { eps: 0.1 })),
  groupNorm: any([[2, 4, 2], [4], [4]], (x, w, b) => core.groupNorm(x!, 2, w!, b!)),
  instanceNorm: any([[2, 2, 3], [2], [2]], (x, w, b) => core.instanceNorm(x!, null, null, w!, b!)),
  batchNorm: [
    any([[3, 2, 2], [2], [2]], (x, w, b) => core.batchNorm(x!, null, null, w!, b!, { training: true })),
    any([[3, 2], [2], [2]], (x, w, b) =>
      core.batchNorm(x!, tensor([0.1, 0.2], { dtype: 'float64' }), tensor([1, 2], { dtype: 'float64' }), w!, b!),
    ),
  ],
  scaledDotProductAttention: [
    any(
      [
        [2, 3, 2],
        [2, 4, 2],
        [2, 4, 3],
      ],
      (q, k, v) => core.scaledDotProductAttention(q!, k!, v!, { isCausal: true }),
    ),
    any(
      [
        [2, 2],
        [3, 2],
        [3, 2],
        [2, 3],
      ],
      (q, k, v, attnMask) => core.scaledDotProductAttention(q!, k!, v!, { attnMask: attnMask! }),
    ),
  ],
  lstmPointwise: any(
    [
      [2, 8],
      [2, 2],
    ],
    (g, c) => core.lstmPointwise(g!, c!),
  ),
  gruPointwise: any(
    [
      [2, 6],
      [2, 6],
      [2, 2],
    ],
    (x, h, s) => core.gruPointwise(x!, h!, s!),
  ),
};
