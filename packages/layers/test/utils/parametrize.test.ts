import { cpuPlugin } from '@tessera/backend-cpu';
import { eye, linalg, manualSeed, noGrad, Parameter, randn, runtimes, type Tensor, tensor } from '@tessera/core';
import { beforeAll, describe, expect, it } from 'vitest';
import * as nn from '../../src/index.js';
import { matrixExp } from '../../src/utils/parametrizations/orthogonal.js';

beforeAll(() => {
  runtimes.current.use(cpuPlugin);
});

const { parametrizations, parametrize } = nn.utils;
const close = (a: Tensor, b: Tensor, within = 1e-5): void => expect(a.sub(b).abs().max().item()).toBeLessThan(within);

class Symmetric extends nn.Module {
  static calls = 0;
  forward(x: Tensor): Tensor {
    Symmetric.calls++;
    return x.triu().add(x.triu(1).transpose(-1, -2));
  }
}
class Doubled extends nn.Module {
  forward(x: Tensor): Tensor {
    return x.mul(2);
  }
  rightInverse(x: Tensor): Tensor {
    return x.div(2);
  }
}

describe('registerParametrization', () => {
  it('computes a weight from what is learnt, which has a key of its own', () => {
    const layer = new nn.Linear(3, 3);
    const learnt = layer.weight;
    parametrize.registerParametrization(layer, 'weight', new Symmetric());
    expect([...layer.stateDict().keys()]).toEqual(['bias', 'parametrizations.weight.original']);
    expect(layer.weight).not.toBe(learnt);
    close(layer.weight, layer.weight.t());
    layer(randn(2, 3)).sum().backward();
    expect(learnt.grad!.tril(-1).abs().sum().item()).toBe(0);
    expect(parametrize.isParametrized(layer)).toBe(true);
    expect(parametrize.isParametrized(layer, 'bias')).toBe(false);
    expect(layer.toString()).toBe(
      `ParametrizedLinear(
  in_features=3, out_features=3, bias=True
  (parametrizations): ModuleDict(
    (weight): ParametrizationList(
      (0): Symmetric()
    )
  )
)`,
    );
    expect(parametrize.typeBeforeParametrizations(layer)).toBe(nn.Linear);
    expect(layer).toBeInstanceOf(nn.Linear);
  });

  it('keeps the value where there is an inverse, at registration and at assignment, in any number', () => {
    const layer = new nn.Linear(2, 2);
    const before = layer.weight.detach().clone();
    parametrize.registerParametrization(layer, 'weight', new Doubled());
    close(layer.weight, before);
    parametrize.registerParametrization(layer, 'weight', new Doubled());
    close(layer.weight, before);
    close(layer.stateDict().get('parametrizations.weight.original')!, before.div(4));
    layer.weight = new Parameter(eye(2));
    close(layer.weight, eye(2));
  });

  it('computes once while cached', () => {
    const layer = parametrize.registerParametrization(new nn.Linear(2, 2), 'weight', new Symmetric());
    Symmetric.calls = 0;
    parametrize.cached(() => [layer.weight, layer.weight, layer(randn(1, 2))]);
    expect(Symmetric.calls).toBe(1);
    void layer.weight;
    expect(Symmetric.calls).toBe(2);
    expect(() => parametrize.cached(async () => undefined)).toThrow(/async/);
  });

  it('can be taken back, with the computed values or the learnt ones', () => {
    for (const leaveParametrized of [true, false]) {
      const layer = new nn.Linear(3, 3);
      const [learnt, values] = [layer.weight, layer.weight.detach().clone()];
      parametrize.registerParametrization(layer, 'weight', new Symmetric());
      const computed = layer.weight.detach();
      parametrize.removeParametrizations(layer, 'weight', { leaveParametrized });
      expect(layer.weight).toBe(learnt);
      close(layer.weight, leaveParametrized ? computed : values);
      expect(layer.toString()).toBe('Linear(in_features=3, out_features=3, bias=True)');
      expect([...layer.stateDict().keys()].sort()).toEqual(['bias', 'weight']);
    }
  });

  it('refuses names that are none, and changes of shape', () => {
    expect(() => parametrize.registerParametrization(new nn.Linear(2, 2), 'wait', new Doubled())).toThrow(/wait/);
    class Flat extends nn.Module {
      forward(x: Tensor): Tensor {
        return x.flatten();
      }
    }
    expect(() => parametrize.registerParametrization(new nn.Linear(2, 2), 'weight', new Flat())).toThrow(/shape/);
    expect(() => parametrize.removeParametrizations(new nn.Linear(2, 2), 'weight')).toThrow(/does not have a parametrization/);
  });

  it('works inside recurrent layers', () => {
    const rnn = new nn.LSTM(3, 4);
    const x = randn(5, 2, 3);
    const [before] = rnn(x);
    parametrizations.weightNorm(rnn, 'weight_hh_l0');
    close(rnn(x)[0], before);
  });
});

describe('weightNorm', () => {
  it('splits a weight into norms and directions', () => {
    const layer = parametrizations.weightNorm(new nn.Linear(4, 3));
    expect([...layer.stateDict()].map(([key, t]) => [key, t.shape])).toEqual([
      ['bias', [3]],
      ['parametrizations.weight.original0', [3, 1]],
      ['parametrizations.weight.original1', [3, 4]],
    ]);
    noGrad(() => layer.getParameter('parametrizations.weight.original0').fill_(2));
    close(layer.weight.norm(2, 1), tensor([2, 2, 2]));
  });

  it('loads the older keys', () => {
    const layer = parametrizations.weightNorm(new nn.Linear(4, 3));
    const [g, v] = [randn(3, 1), randn(3, 4)];
    layer.loadStateDict({ weight_g: g, weight_v: v, bias: randn(3) });
    close(layer.weight, v.mul(g.div(v.norm(2, 1, { keepdim: true }))));
  });
});

describe('spectralNorm', () => {
  it('makes the largest singular value 1, and iterates while training only', () => {
    manualSeed(0);
    const layer = parametrizations.spectralNorm(new nn.Linear(5, 4), 'weight', { nPowerIterations: 20 });
    expect([...layer.stateDict().keys()]).toEqual([
      'bias',
      'parametrizations.weight.original',
      'parametrizations.weight.0._u',
      'parametrizations.weight.0._v',
    ]);
    void layer.weight;
    expect(linalg.svdvals(layer.weight.detach()).max().item()).toBeCloseTo(1, 3);
    layer.eval();
    const u = layer.getBuffer('parametrizations.weight.0._u').clone();
    layer(randn(1, 5)).sum().backward();
    close(layer.getBuffer('parametrizations.weight.0._u'), u, 1e-12);
  });

  it('takes the outputs of a transposed convolution from its second dim', () => {
    const layer = parametrizations.spectralNorm(new nn.ConvTranspose2d(3, 5, 2));
    expect(layer.getBuffer('parametrizations.weight.0._u').shape).toEqual([5]);
    expect(layer(randn(1, 3, 4, 4)).shape).toEqual([1, 5, 5, 5]);
  });
});

describe('orthogonal', () => {
  const defect = (w: Tensor): number => {
    const q = w.shape[0]! >= w.shape[1]! ? w : w.t();
    return q.t().matmul(q).sub(eye(q.shape[1]!)).abs().max().item();
  };

  it.each([
    ['matrix_exp', 4, 4],
    ['cayley', 4, 4],
    ['householder', 4, 4],
    ['matrix_exp', 5, 3],
    ['cayley', 3, 5],
    ['householder', 5, 3],
  ] as const)('stays so by %s while a (%i, %i) weight learns', (orthogonalMap, rows, columns) => {
    manualSeed(1);
    const layer = new nn.Linear(columns, rows, { bias: false });
    nn.init.orthogonal_(layer.weight);
    const before = layer.weight.detach().clone();
    parametrizations.orthogonal(layer, 'weight', { orthogonalMap });
    close(layer.weight, before);
    const goal = randn(rows, columns);
    const losses = Array.from({ length: 4 }, () => {
      layer.zeroGrad();
      const loss = layer.weight.sub(goal).square().sum();
      loss.backward();
      noGrad(() => layer.parameters().forEach((p) => p.sub_(p.grad!.mul(0.05))));
      return loss.item();
    });
    expect(losses.at(-1)).toBeLessThan(losses[0]!);
    expect(defect(layer.weight.detach())).toBeLessThan(1e-5);
  });

  it('by reflections alone, takes any orthogonal weight', () => {
    const layer = new nn.Linear(3, 3, { bias: false });
    parametrizations.orthogonal(layer, 'weight', { orthogonalMap: 'householder', useTrivialization: false });
    const q = nn.init.orthogonal_(randn(3, 3));
    for (const goal of [q, eye(3), eye(3).mul(tensor([1, -1, 1]))]) {
      layer.weight = goal as Parameter;
      close(layer.weight, goal);
    }
    const other = parametrizations.orthogonal(new nn.Linear(3, 3), 'weight', { orthogonalMap: 'cayley' });
    expect(() => parametrizations.orthogonal(new nn.Linear(3, 3), 'weight', { orthogonalMap: 'cayley', useTrivialization: false })).toThrow(
      /not possible/,
    );
    expect(other.weight.shape).toEqual([3, 3]);
  });

  it('has an exponential that is right for small and for large matrices', () => {
    for (const angle of [0.001, 1, 20]) {
      const turn = matrixExp(
        tensor(
          [
            [0, -angle],
            [angle, 0],
          ],
          { dtype: 'float64' },
        ),
      );
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      close(
        turn,
        tensor(
          [
            [c, -s],
            [s, c],
          ],
          { dtype: 'float64' },
        ),
        1e-8,
      );
    }
  });
});
