import { cpuPlugin } from '@tessera/backend-cpu';
import { manualSeed, rand, randn, runtimes, tensor, type Tensor, zeros } from '@tessera/core';
import { beforeAll, describe, expect, it } from 'vitest';
import * as nn from '../src/index.js';
import { F } from '../src/index.js';

beforeAll(() => {
  runtimes.current.use(cpuPlugin);
});

const int = (values: number[]): Tensor => tensor(values, { dtype: 'int32' });

describe('AdaptiveLogSoftmaxWithLoss', () => {
  const layer = (): nn.AdaptiveLogSoftmaxWithLoss => new nn.AdaptiveLogSoftmaxWithLoss(8, 12, [3, 7], { divValue: 2, headBias: true });

  it('agrees with its own log-probabilities of all classes, which sum to 1', async () => {
    const softmax = layer();
    const [x, target] = [randn(5, 8), int([0, 5, 11, 2, 7])];
    const [output, loss] = softmax(x, target);
    const all = softmax.logProb(x);
    const wanted = all.gather(1, target.unsqueeze(1)).squeeze(1);
    expect(output.sub(wanted).abs().max().item()).toBeLessThan(1e-5);
    expect(loss.item()).toBeCloseTo(-wanted.mean().item(), 5);
    expect(all.exp().sum(1).sub(1).abs().max().item()).toBeLessThan(1e-5);
    expect((await softmax.forwardAsync(x, target))[1].item()).toBeCloseTo(loss.item(), 6);
  });

  it('predicts classes of the head and of clusters', () => {
    manualSeed(3);
    const softmax = layer();
    const x = randn(50, 8).mul(4);
    const head = softmax.head(x).argmax(1).toArray() as number[];
    const predicted = softmax.predict(x).toArray() as number[];
    predicted.forEach((c, i) => expect(c < 3 ? c : c < 7 ? 3 : 4).toBe(head[i]));
  });

  it('takes one sample, and refuses classes and cutoffs that are none', () => {
    const softmax = layer();
    expect(softmax(randn(8), int([4]).squeeze(0))[0].shape).toEqual([]);
    expect(() => softmax(randn(1, 8), int([12]))).toThrow(/\[0, 11\]/);
    expect(() => softmax(randn(2, 8), int([1]))).toThrow(/same size/);
    expect(() => new nn.AdaptiveLogSoftmaxWithLoss(8, 12, [7, 3])).toThrow(/increasing/);
  });
});

describe('fractional max pooling', () => {
  it('gives as many windows as are asked for, each the maximum of its places', () => {
    const x = randn(2, 3, 9, 8);
    const [values, indices] = F.fractionalMaxPool2d(x, 2, { outputSize: [5, 4], returnIndices: true });
    expect(values.shape).toEqual([2, 3, 5, 4]);
    expect(x.flatten(2).gather(2, indices.flatten(2)).sub(values.flatten(2)).abs().max().item()).toBe(0);
    expect(new nn.FractionalMaxPool3d(2, { outputRatio: 0.5 })(randn(1, 6, 6, 6)).shape).toEqual([1, 3, 3, 3]);
  });

  it('draws from the generator, or takes the draws', () => {
    const x = rand(1, 1, 16, 16);
    const draw = (): unknown => {
      manualSeed(5);
      return F.fractionalMaxPool2d(x, 2, { outputSize: 9 }).toArray();
    };
    expect(draw()).toEqual(draw());
    const regular = F.fractionalMaxPool2d(x, 2, { outputSize: 8, _randomSamples: zeros(1, 1, 2) });
    expect(regular.sub(F.maxPool2d(x, 2)).abs().max().item()).toBe(0);
  });

  it('refuses sizes that do not fit', () => {
    expect(() => new nn.FractionalMaxPool2d(2)).toThrow(/either an output size/);
    expect(() => new nn.FractionalMaxPool2d(2, { outputRatio: 1.5 })).toThrow(/between 0 and 1/);
    expect(() => F.fractionalMaxPool2d(randn(1, 1, 4, 4), 3, { outputSize: 3 })).toThrow(/too large/);
  });
});
