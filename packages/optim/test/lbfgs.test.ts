import { Parameter, type Tensor, tensor } from '@tessera/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { LBFGS, type LBFGSOptions } from '../src/index.js';
import { cubicMinimum } from '../src/optimizers/strong-wolfe.js';
import { useCpu } from './support/setup.js';

beforeAll(useCpu);

/** (1 − x)² + 100·(y − x²)²: a curved valley, its only minimum at (1, 1). */
function rosenbrock(p: Tensor): Tensor {
  const x = p.select(0, 0);
  const y = p.select(0, 1);
  return x.neg().add(1).square().add(y.sub(x.square()).square().mul(100));
}

function minimise(options: Partial<LBFGSOptions>, steps: number) {
  const p = new Parameter(tensor([-1.2, 1], { dtype: 'float64' }));
  const optimizer = new LBFGS([p], options);
  let calls = 0;
  const closure = (): Tensor => {
    calls++;
    optimizer.zeroGrad();
    const loss = rosenbrock(p);
    loss.backward();
    return loss;
  };
  return { p, optimizer, closure, calls: () => calls, run: () => Array.from({ length: steps }, () => optimizer.step(closure)!.item()) };
}

describe('LBFGS', () => {
  it('finds the minimum of the Rosenbrock function by line searches', () => {
    const { p, run, optimizer, calls } = minimise({ lineSearchFn: 'strong_wolfe', toleranceChange: 1e-16 }, 4);
    const losses = run();
    expect(losses[0]).toBeCloseTo(24.2, 10);
    expect(p.toArray()).toEqual([expect.closeTo(1, 8), expect.closeTo(1, 8)]);
    expect(optimizer.state.get(p)!['func_evals']).toBe(calls());
  });

  it('needs no more than two updates for a quadratic function, and stops there', () => {
    const p = new Parameter(tensor([3, -2, 7], { dtype: 'float64' }));
    const optimizer = new LBFGS([p], { lineSearchFn: 'strong_wolfe', maxIter: 50 });
    optimizer.step(() => {
      optimizer.zeroGrad();
      const loss = p.square().sum();
      loss.backward();
      return loss;
    });
    expect(optimizer.state.get(p)!['n_iter']).toBeLessThanOrEqual(3);
    for (const x of p.data()) expect(x).toBeCloseTo(0, 9);
  });

  it('calls the closure at most maxEval times in a step, and keeps historySize updates', () => {
    const { run, optimizer, calls, p } = minimise({ maxEval: 7, historySize: 3, lr: 1e-3 }, 3);
    run();
    expect(calls()).toBeLessThanOrEqual(21);
    expect((optimizer.state.get(p)!['old_dirs'] as Tensor[]).length).toBe(3);
  });

  it('awaits closures that are async, and comes to the same point', async () => {
    const here = minimise({ lineSearchFn: 'strong_wolfe' }, 2);
    const there = minimise({ lineSearchFn: 'strong_wolfe' }, 2);
    here.run();
    for (let i = 0; i < 2; i++) await there.optimizer.stepAsync(() => Promise.resolve().then(there.closure));
    expect(there.p.toArray()).toEqual(here.p.toArray());
  });

  it('updates all its parameters together; those without a gradient count as zeros', () => {
    const [a, b, c] = [new Parameter(tensor([2])), new Parameter(tensor([[3], [4]])), new Parameter(tensor([5]))];
    const optimizer = new LBFGS([a, b, c], { lineSearchFn: 'strong_wolfe' });
    for (let i = 0; i < 2; i++)
      optimizer.step(() => {
        optimizer.zeroGrad();
        const loss = a.square().sum().add(b.sub(1).square().sum());
        loss.backward();
        return loss;
      });
    expect(a.item()).toBeCloseTo(0, 5);
    expect([...b.data()]).toEqual([expect.closeTo(1, 5), expect.closeTo(1, 5)]);
    expect(c.item()).toBe(5);
  });

  it('goes on after an error in the closure', () => {
    const { optimizer, closure, run, p } = minimise({ lineSearchFn: 'strong_wolfe', toleranceChange: 1e-16 }, 4);
    optimizer.step(closure);
    expect(() =>
      optimizer.step(() => {
        throw new RangeError('no data');
      }),
    ).toThrow('no data');
    run();
    expect(p.toArray()).toEqual([expect.closeTo(1, 8), expect.closeTo(1, 8)]);
  });

  it('has one group only', () => {
    const groups = [{ params: [new Parameter(tensor([1]))] }, { params: [new Parameter(tensor([1]))] }];
    expect(() => new LBFGS(groups)).toThrow(expect.objectContaining({ code: 'ERR_OPTIM_PARAMS' }));
  });
});

describe('cubicMinimum', () => {
  it('finds the minimum of a cubic from two points and slopes', () => {
    // f(t) = t³ − 3t, with its minimum at 1.
    const at = (t: number) => ({ t, loss: t ** 3 - 3 * t, slope: 3 * t * t - 3 });
    expect(cubicMinimum(at(0), at(3))).toBeCloseTo(1, 12);
    expect(cubicMinimum(at(3), at(0))).toBeCloseTo(1, 12);
    expect(cubicMinimum(at(0), at(3), [2, 3])).toBe(2);
  });

  it('takes the middle where the cubic has no minimum', () => {
    expect(cubicMinimum({ t: 0, loss: 0, slope: 1 }, { t: 2, loss: 1.4, slope: 1 })).toBe(1);
  });
});
