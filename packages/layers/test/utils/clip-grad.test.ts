import { cpuPlugin } from '@tessera/backend-cpu';
import { Parameter, runtimes, type Tensor, tensor, zeros } from '@tessera/core';
import { beforeAll, describe, expect, it } from 'vitest';
import * as nn from '../../src/index.js';

beforeAll(() => {
  runtimes.current.use(cpuPlugin);
});

const { clipGradNorm_, clipGradValue_, getTotalNorm, parametersToVector, vectorToParameters } = nn.utils;

/** Parameters with gradients 3 and (0, 4): of norm 5. */
function parameters(): Parameter[] {
  const [a, b, none] = [new Parameter(zeros(1)), new Parameter(zeros(2)), new Parameter(zeros(2))];
  a.grad = tensor([3]);
  b.grad = tensor([0, 4]);
  return [a, b, none];
}
const grads = (list: Parameter[]): unknown[] => list.map((p) => p.grad?.toArray() ?? null);

describe('clipGradNorm_', () => {
  it('scales all gradients by one factor, and answers the norm that they had', () => {
    const list = parameters();
    expect(clipGradNorm_(list, 1).item()).toBe(5);
    expect((list[0]!.grad!.toArray() as number[])[0]).toBeCloseTo(0.6, 5);
    expect((list[1]!.grad!.toArray() as number[])[1]).toBeCloseTo(0.8, 5);
    expect(list[2]!.grad).toBeNull();
    const before = grads(list);
    clipGradNorm_(list, 10);
    expect(grads(list)).toEqual(before);
  });

  it('knows other norms, one tensor, and no gradients at all', () => {
    expect(clipGradNorm_(parameters(), 100, { normType: Infinity }).item()).toBe(4);
    expect(clipGradNorm_(parameters(), 100, { normType: 1 }).item()).toBe(7);
    expect(clipGradNorm_(parameters()[0]!, 1).item()).toBe(3);
    expect(clipGradNorm_([], 1).item()).toBe(0);
    expect(getTotalNorm([tensor([3]), tensor([4])]).item()).toBe(5);
  });

  it('throws for what is no finite number where that is wanted', () => {
    const list = parameters();
    list[0]!.grad = tensor([NaN]);
    expect(() => clipGradNorm_(list, 1, { errorIfNonfinite: true })).toThrow(/non-finite/);
    expect(clipGradNorm_(list, 1).item()).toBeNaN();
  });
});

describe('clipGradValue_', () => {
  it('clamps each element', () => {
    const list = parameters();
    clipGradValue_(list, 3.5);
    expect(grads(list)).toEqual([[3], [0, 3.5], null]);
  });
});

describe('parameters as a vector', () => {
  it('go there and back, and gradients with them', () => {
    const model = new nn.Sequential(new nn.Linear(2, 3), new nn.Linear(3, 1));
    const vector: Tensor = parametersToVector(model.parameters());
    expect(vector.shape).toEqual([13]);
    vector.sum().backward();
    expect(model.parameters().every((p) => (p.grad!.flatten().toArray() as number[]).every((g) => g === 1))).toBe(true);
    vectorToParameters(vector.detach().mul(0).add(2), model.parameters());
    expect(model.parameters()[0]!.toArray()).toEqual([
      [2, 2],
      [2, 2],
      [2, 2],
    ]);
    expect(() => vectorToParameters(zeros(12), model.parameters())).toThrow(/13 elements/);
  });
});
