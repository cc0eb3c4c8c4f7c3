import { cpuPlugin } from '@tessera/backend-cpu';
import { randn, runtimes, tensor, type Tensor } from '@tessera/core';
import { beforeAll, describe, expect, it } from 'vitest';
import * as nn from '../src/index.js';
import { F } from '../src/index.js';

beforeAll(() => {
  runtimes.current.use(cpuPlugin);
});

const close = (a: Tensor, b: Tensor): void => expect(a.sub(b).abs().max().item()).toBeLessThan(1e-5);

describe('in-place activations', () => {
  it.each([
    ['celu_', F.celu_, (x: Tensor) => F.celu(x)],
    ['elu_', F.elu_, (x: Tensor) => F.elu(x)],
    ['hardtanh_', F.hardtanh_, (x: Tensor) => F.hardtanh(x)],
    ['leakyRelu_', F.leakyRelu_, (x: Tensor) => F.leakyRelu(x)],
    ['selu_', F.selu_, (x: Tensor) => F.selu(x)],
    ['threshold_', (x: Tensor) => F.threshold_(x, 0.5, 9), (x: Tensor) => F.threshold(x, 0.5, 9)],
  ])('%s writes to its input what the plain form gives', (_name, inPlace, plain) => {
    const x = randn(7);
    const wanted = plain(x.clone());
    inPlace(x);
    expect(x.toArray()).toEqual(wanted.toArray());
  });
});

describe('pooling with indices', () => {
  it('gives what the option gives', () => {
    const x = randn(1, 2, 6, 6);
    const [values, indices] = F.maxPool2dWithIndices(x, 2);
    close(F.maxUnpool2d(values, indices, 2).amax(), values.amax().clampMin(0));
    expect(F.adaptiveMaxPool2dWithIndices(x, 3)[1].toArray()).toEqual(indices.toArray());
    expect(F.maxPool1dWithIndices(tensor([[1, 5, 2, 0]]), 2)[1].toArray()).toEqual([[1, 2]]);
  });
});

describe('convTbc', () => {
  it('is a convolution whose time comes first', () => {
    const [x, weight, bias] = [randn(7, 2, 3), randn(3, 3, 4), randn(4)];
    const wanted = F.conv1d(x.permute([1, 2, 0]), weight.permute([2, 1, 0]), bias, { padding: 1 });
    close(F.convTbc(x, weight, bias, 1), wanted.permute([2, 0, 1]));
  });
});

describe('CrossMapLRN2d', () => {
  it('is LocalResponseNorm for odd sizes, and its own for even ones', () => {
    const x = randn(1, 5, 2, 2);
    const options = { alpha: 0.5, beta: 0.6, k: 2 };
    close(new nn.CrossMapLRN2d(3, options)(x), new nn.LocalResponseNorm(3, options)(x));
    const [a, b, c] = [0, 1, 2].map((i) => x.select(1, i)) as [Tensor, Tensor, Tensor];
    const sum = a.square().add(b.square()).add(c.square());
    close(
      new nn.CrossMapLRN2d(4, options)(x).select(1, 1),
      b.div(
        sum
          .mul(0.5 / 4)
          .add(2)
          .pow(0.6),
      ),
    );
  });
});
