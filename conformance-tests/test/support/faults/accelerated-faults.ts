/** @file Accelerated kernels that are wrong. */
import { alter, elements, type Faults, withKernels } from './fault.js';

export const ACCELERATED_FAULTS: Faults = {
  'softmax does not subtract the largest': {
    caughtBy: 'softmax/large/contiguous',
    make: withKernels((_, backend) => ({
      softmax(input, out, log) {
        const x = elements(backend, input);
        const [, columns] = input.shape;
        alter(backend, out, (_old, [i, j]) => {
          const sum = x.slice(i * columns, (i + 1) * columns).reduce((total, v) => total + Math.exp(v), 0);
          const share = Math.exp(x[i * columns + j]) / sum;
          return log ? Math.log(share) : share;
        });
        return true;
      },
    })),
  },
  'an accelerated kernel writes, and then declines': {
    caughtBy: 'linear/1x1x1/contiguous',
    make: withKernels((sound) => ({
      linear(a, b, bias, out) {
        sound.linear!(a, b, bias, out);
        return false;
      },
    })),
  },
  'a convolution ignores its dilation': {
    caughtBy: 'convolution/2d/3-dilated/channels-3-4-1',
    make: withKernels((sound) => ({
      convolution(input, weight, bias, out, window, groups) {
        const dilation = window.dilation.map(() => 1);
        const padding = window.padding.map((size, d) => size - ((window.dilation[d] - 1) * (weight.shape[2 + d] - 1)) / 2);
        return sound.convolution!(input, weight, bias, out, { ...window, dilation, padding }, groups);
      },
    })),
  },
  'max pooling takes its padding for zeros': {
    caughtBy: 'maxPool/1d/3-padded',
    make: withKernels((sound, backend) => ({
      maxPool(input, out, indices, kernel, window) {
        const done = sound.maxPool!(input, out, indices, kernel, window);
        if (window.padding[0] > 0)
          alter(backend, out, (x, index) => (index[2] === 0 || index[2] === out.shape[2] - 1 ? Math.max(0, x) : x));
        return done;
      },
    })),
  },
  'a norm takes the variance for the mean of the squares less the square of the mean, in float32': {
    caughtBy: 'layerNorm/layer/far-from-zero',
    make: withKernels((sound, backend) => ({
      layerNorm(input, weight, bias, out, mean, rstd, eps) {
        sound.layerNorm!(input, weight, bias, out, mean, rstd, eps);
        if (weight !== null || mean === null) return true;
        const x = elements(backend, input);
        const [, columns] = input.shape;
        const means = elements(backend, mean);
        alter(backend, out, (_, [i, j]) => {
          const row = x.slice(i * columns, (i + 1) * columns);
          const squares = row.reduce((sum, v) => Math.fround(sum + Math.fround(v * v)), 0) / columns;
          return (row[j] - means[i]) / Math.sqrt(Math.max(0, Math.fround(squares - means[i] ** 2)) + eps);
        });
        return true;
      },
    })),
  },
  'batch norm gives the unbiased variance': {
    caughtBy: 'batchNorm/2x3x5/affine',
    make: withKernels((sound, backend) => ({
      batchNorm(input, weight, bias, out, mean, variance, eps) {
        sound.batchNorm!(input, weight, bias, out, mean, variance, eps);
        const count = input.shape[0] * input.shape[2];
        alter(backend, variance, (v) => (v * count) / (count - 1));
        return true;
      },
    })),
  },
  'a gradient that is not wanted is waited for': {
    caughtBy: 'layerNormGrad/layer/3x7/affine/factors',
    make: withKernels((sound) => ({
      layerNormGrad(gradOut, input, weight, mean, rstd, gradInput, gradWeight, gradBias) {
        // Computes the gradients of the factors beside that of the input only.
        if (gradInput === null) return true;
        return sound.layerNormGrad!(gradOut, input, weight, mean, rstd, gradInput, gradWeight, gradBias);
      },
    })),
  },
  'causal attention looks ahead': {
    caughtBy: 'attention/2x5x7x4x3-causal',
    make: withKernels((sound) => ({
      attention: (query, key, value, mask, _causal, scale, out, logsumexp) =>
        sound.attention!(query, key, value, mask, false, scale, out, logsumexp),
    })),
  },
  'attention reads a mask that all share as if each had its own': {
    caughtBy: 'attention/mask-shared',
    make: withKernels((sound) => ({
      attention(query, key, value, mask, causal, scale, out, logsumexp) {
        const own = mask !== null && mask.strides[0] === 0 ? { ...mask, strides: [1, mask.strides[1], mask.strides[2]] } : mask;
        return sound.attention!(query, key, value, own, causal, scale, out, logsumexp);
      },
    })),
  },
  'cross-entropy counts ignored rows': {
    caughtBy: 'crossEntropy/ignored-class',
    make: withKernels((sound) => ({
      crossEntropy: (logits, targets, losses, logsumexp) => sound.crossEntropy!(logits, targets, losses, logsumexp, -100),
    })),
  },
};
