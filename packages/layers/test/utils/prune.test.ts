import { cpuPlugin } from '@tessera/backend-cpu';
import { noGrad, ones, Parameter, randn, runtimes, type Tensor, tensor } from '@tessera/core';
import { beforeAll, describe, expect, it } from 'vitest';
import * as nn from '../../src/index.js';

beforeAll(() => {
  runtimes.current.use(cpuPlugin);
});

const { prune } = nn.utils;

function layerOf(weight: number[][]): nn.Linear {
  const layer = new nn.Linear(weight[0]!.length, weight.length, { bias: false });
  layer.weight = new Parameter(tensor(weight));
  return layer;
}
const zeros = (t: Tensor): number => t.eq(0).sum().item();

describe('pruning', () => {
  it('masks the smallest elements, and keeps what is learnt beside the mask', () => {
    const layer = prune.l1Unstructured(
      layerOf([
        [1, -5, 2],
        [-0.5, 4, 3],
      ]),
      'weight',
      2,
    );
    expect(layer.weight.toArray()).toEqual([
      [0, -5, 2],
      [-0, 4, 3],
    ]);
    expect([...layer.stateDict().keys()]).toEqual(['weight_orig', 'weight_mask']);
    expect(prune.isPruned(new nn.Sequential(layer))).toBe(true);
    layer(randn(1, 3)).sum().backward();
    const { grad } = layer.getParameter('weight_orig');
    expect(grad!.select(0, 0).select(0, 0).item()).toBeCloseTo(0);
    noGrad(() => layer.getParameter('weight_orig').fill_(7));
    layer(randn(1, 3));
    expect(layer.weight.toArray()).toEqual([
      [0, 7, 7],
      [0, 7, 7],
    ]);
  });

  it('goes on with what an earlier call has left', () => {
    const layer = layerOf([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ]);
    prune.l1Unstructured(layer, 'weight', 0.5);
    prune.l1Unstructured(layer, 'weight', 0.5);
    expect(layer.weight.toArray()).toEqual([
      [0, 0, 0, 0],
      [0, 0, 7, 8],
    ]);
    expect(prune.pruningOf(layer, 'weight').map((m) => m.name)).toEqual(['L1Unstructured', 'L1Unstructured']);
  });

  it('masks whole channels by their norm, or at random', () => {
    const layer = prune.lnStructured(
      layerOf([
        [1, 1],
        [9, 9],
        [2, 2],
      ]),
      'weight',
      1,
      2,
      0,
    );
    expect(layer.weight.toArray()).toEqual([
      [0, 0],
      [9, 9],
      [2, 2],
    ]);
    const random = prune.randomStructured(
      layerOf([
        [1, 1, 1, 1],
        [1, 1, 1, 1],
      ]),
      'weight',
      0.5,
      1,
    );
    expect(zeros(random.weight.sum(0))).toBe(2);
    expect(
      zeros(
        prune.randomUnstructured(
          layerOf([
            [1, 1, 1],
            [1, 1, 1],
          ]),
          'weight',
          3,
        ).weight,
      ),
    ).toBe(3);
  });

  it('takes masks and scores of one’s own', () => {
    const mask = tensor([[0, 1]]);
    expect(prune.customFromMask(layerOf([[3, 4]]), 'weight', mask).weight.toArray()).toEqual([[0, 4]]);
    const scored = prune.l1Unstructured(layerOf([[3, 4]]), 'weight', 1, { importanceScores: tensor([[2, 1]]) });
    expect(scored.weight.toArray()).toEqual([[3, 0]]);
    expect(zeros(prune.identity(layerOf([[3, 4]]), 'weight').weight)).toBe(0);
  });

  it('compares the elements of several layers', () => {
    const [a, b] = [layerOf([[1, 2]]), layerOf([[3, 4]])];
    prune.globalUnstructured(
      [
        [a, 'weight'],
        [b, 'weight'],
      ],
      prune.l1UnstructuredMethod(2),
    );
    expect([a.weight.toArray(), b.weight.toArray()]).toEqual([[[0, 0]], [[3, 4]]]);
    expect(() => prune.globalUnstructured([[a, 'weight']], prune.lnStructuredMethod(1, 2, 0))).toThrow(/unstructured/);
  });

  it('can be made for good', () => {
    const layer = layerOf([[1, 2]]);
    const { weight } = layer;
    prune.remove(prune.l1Unstructured(layer, 'weight', 1), 'weight');
    expect(layer.weight).toBe(weight);
    expect(layer.weight.toArray()).toEqual([[0, 2]]);
    expect([...layer.stateDict().keys()]).toEqual(['weight']);
    expect(prune.isPruned(layer)).toBe(false);
    expect(() => prune.remove(layer, 'weight')).toThrow(/has to be pruned/);
    expect(layer(ones(1, 2)).item()).toBe(2);
  });

  it('refuses amounts and names that do not fit', () => {
    expect(() => prune.l1Unstructured(layerOf([[1, 2]]), 'weight', 3)).toThrow(/smaller/);
    expect(() => prune.l1Unstructured(layerOf([[1, 2]]), 'weight', 1.5)).toThrow(/amount/);
    expect(() => prune.l1Unstructured(layerOf([[1, 2]]), 'wait', 1)).toThrow(/no parameter/);
    expect(() => prune.lnStructured(new nn.Linear(2, 2), 'bias', 1, 2, 0)).toThrow(/multidimensional/);
  });
});
