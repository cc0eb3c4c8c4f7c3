import { cpuPlugin } from '@tessera/backend-cpu';
import { isUninitialized, manualSeed, randn, runtimes, type Tensor } from '@tessera/core';
import { beforeAll, describe, expect, it } from 'vitest';
import * as nn from '../src/index.js';

beforeAll(() => {
  runtimes.current.use(cpuPlugin);
});

const values = (t: Tensor): unknown => t.toArray();

describe('lazy layers', () => {
  it('take the sizes of their first input, and are plain layers then', () => {
    const layer = new nn.LazyLinear(3);
    expect(layer.toString()).toBe('LazyLinear(in_features=0, out_features=3, bias=True)');
    expect(layer(randn(2, 5)).shape).toEqual([2, 3]);
    expect(layer.toString()).toBe('Linear(in_features=5, out_features=3, bias=True)');
    expect(layer).toBeInstanceOf(nn.Linear);
    expect(() => layer(randn(2, 4))).toThrow(/5/);
  });

  it('begin with the numbers of the plain layer, and draw none before', () => {
    manualSeed(0);
    const plain = new nn.Linear(5, 3);
    manualSeed(0);
    const lazy = new nn.LazyLinear(3);
    lazy(randn(1, 5, { generator: runtimes.current.generator.clone() }));
    expect(values(lazy.weight)).toEqual(values(plain.weight));
    expect(values(lazy.bias!)).toEqual(values(plain.bias!));
  });

  it('give an optimizer the parameters that they will learn', () => {
    const layer = new nn.LazyConv2d(4, 3);
    const [weight] = layer.parameters();
    expect(isUninitialized(weight)).toBe(true);
    layer(randn(1, 2, 5, 5))
      .sum()
      .backward();
    expect(layer.weight).toBe(weight);
    expect(weight!.grad!.shape).toEqual([4, 2, 3, 3]);
  });

  it('take the sizes of a state_dict too', () => {
    const saved = new nn.Conv2d(6, 4, 3, { groups: 2 });
    const layer = new nn.LazyConv2d(4, 3, { groups: 2 });
    layer.loadStateDict(saved.stateDict());
    expect(values(layer.weight)).toEqual(values(saved.weight));
    layer(randn(1, 6, 5, 5));
    expect(layer.inChannels).toBe(6);
  });

  it('exist for norms, with running statistics and without', () => {
    const norm = new nn.LazyBatchNorm2d();
    expect([...norm.stateDict().keys()]).toEqual(['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked']);
    norm(randn(2, 3, 4, 4));
    expect(norm.runningVar!.shape).toEqual([3]);
    expect(norm.numBatchesTracked!.item()).toBe(1);
    expect(norm.toString()).toBe('BatchNorm2d(3, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)');
    const instance = new nn.LazyInstanceNorm1d({ affine: true });
    expect(instance(randn(4, 7)).shape).toEqual([4, 7]);
    expect(instance.numFeatures).toBe(4);
    expect(new nn.LazyBatchNorm1d({ affine: false })(randn(5, 2)).shape).toEqual([5, 2]);
  });

  it('refuse inputs of another rank, and channels that the groups do not divide', () => {
    expect(() => new nn.LazyConv1d(4, 3)(randn(2))).toThrow(/Expected 2D .* or 3D/);
    expect(() => new nn.LazyConv1d(4, 3, { groups: 2 })(randn(1, 3, 8))).toThrow(/divisible by groups/);
    expect(() => new nn.LazyConv1d(3, 3, { groups: 2 })).toThrow(/divisible by groups/);
  });
});
