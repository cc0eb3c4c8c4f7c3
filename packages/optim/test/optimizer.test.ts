import { isTensor, noGrad, ones, Parameter, randn, scope, type Tensor, tensor, toDevice, zeros } from '@tessera/core';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import * as optim from '../src/index.js';
import { numbersOf, problem, useCpu } from './support/setup.js';

beforeAll(useCpu);

type AnyOptimizer = optim.Optimizer<object>;
/** All of them, with options that use as much state as there is. */
const makers: readonly (readonly [string, (params: Iterable<Tensor>) => AnyOptimizer])[] = [
  ['SGD', (p) => new optim.SGD(p, { lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.01 })],
  ['Adam', (p) => new optim.Adam(p, { lr: 0.01, amsgrad: true })],
  ['AdamW', (p) => new optim.AdamW(p, { lr: 0.01 })],
  ['Adamax', (p) => new optim.Adamax(p)],
  ['NAdam', (p) => new optim.NAdam(p)],
  ['RAdam', (p) => new optim.RAdam(p, { lr: 0.01 })],
  ['Adadelta', (p) => new optim.Adadelta(p)],
  ['Adagrad', (p) => new optim.Adagrad(p, { lrDecay: 0.01 })],
  ['RMSprop', (p) => new optim.RMSprop(p, { momentum: 0.5, centered: true })],
  ['Rprop', (p) => new optim.Rprop(p)],
  ['ASGD', (p) => new optim.ASGD(p, { t0: 2 })],
  ['Adafactor', (p) => new optim.Adafactor(p, { weightDecay: 0.01 })],
  ['Muon', (p) => new optim.Muon([...p].filter((t) => t.ndim === 2))],
  ['LBFGS', (p) => new optim.LBFGS(p, { maxIter: 4, historySize: 3 })],
];

function train({ model, compute }: ReturnType<typeof problem>, optimizer: AnyOptimizer, steps: number): void {
  for (let i = 0; i < steps; i++) {
    optimizer.step(() => {
      model.zeroGrad();
      return compute();
    });
  }
}

describe('every optimizer', () => {
  it.each(makers)('%s goes on from a saved state as if it had never stopped, bit for bit', (_, make) => {
    const through = problem();
    train(through, make(through.model.parameters()), 9);

    const stopped = problem();
    const first = make(stopped.model.parameters());
    train(stopped, first, 5);
    const saved = first.stateDict();
    const second = make(stopped.model.parameters());
    second.loadStateDict(saved);
    train(stopped, second, 4);

    expect(numbersOf(stopped.model)).toEqual(numbersOf(through.model));
  });

  it.each(makers)('%s runs on a device that cannot be waited for, and reads nothing but what its closure needs', async (name, make) => {
    const here = problem();
    const there = problem('cpu-async');
    train(here, make(here.model.parameters()), 3);

    const optimizer = make(there.model.parameters());
    for (let i = 0; i < 3; i++) {
      const closure = (): Tensor => {
        there.model.zeroGrad();
        return there.compute();
      };
      if (name === 'LBFGS') await optimizer.stepAsync(closure);
      else optimizer.step(closure);
    }
    const other = make(there.model.parameters());
    await other.loadStateDictAsync(optimizer.stateDict());
    await there.model.toAsync('cpu');
    expect(numbersOf(there.model)).toEqual(numbersOf(here.model));
  });

  it.each(makers)('%s computes in the dtype of the parameters', (_, make) => {
    const single = problem();
    train(single, make(single.model.parameters()), 2);
    for (const dtype of ['float64', 'float16'] as const) {
      const other = problem('cpu', dtype);
      const optimizer = make(other.model.parameters());
      train(other, optimizer, 2);
      const expected = numbersOf(single.model);
      numbersOf(other.model).forEach((x, i) => expect(Math.abs(x - expected[i]!)).toBeLessThan(dtype === 'float64' ? 2e-4 : 0.05));
      const dtypes = [...optimizer.state.values()].flatMap((state) => Object.values(state)).flatMap((v) => (isTensor(v) ? [v.dtype] : []));
      expect(dtypes.filter((d) => d !== dtype)).toEqual([]);
    }
  });

  it.each(makers)('%s holds no more memory after 1,000 steps', (name, make) => {
    const task = problem();
    const optimizer = make(task.model.parameters());
    const { backend } = toDevice('cpu');
    const step = (): void =>
      scope(() => {
        optimizer.step(() => {
          optimizer.zeroGrad({ setToNone: false });
          return task.compute();
        });
      });
    for (let i = 0; i < 10; i++) step();
    const { buffers, bytes } = backend.memory();
    for (let i = 0; i < (name === 'LBFGS' ? 250 : 1000); i++) step();
    expect(backend.memory().buffers).toBeLessThanOrEqual(buffers);
    expect(backend.memory().bytes).toBeLessThanOrEqual(bytes);
    optimizer.dispose();
    expect(optimizer.state.size).toBe(0);
  });
});

describe('param groups', () => {
  it('take the options behind them for what they do not say', () => {
    const [a, b] = [new Parameter(ones(2)), new Parameter(ones(2))];
    const optimizer = new optim.SGD([{ params: a }, { params: [b], lr: 0.5 }], { lr: 0.1 });
    a.grad = ones(2);
    b.grad = ones(2);
    optimizer.step();
    expect(a.toArray()).toEqual([Math.fround(0.9), Math.fround(0.9)]);
    expect(b.toArray()).toEqual([0.5, 0.5]);
  });

  it('can be added later, and keep the names that parameters came with', () => {
    const [first, , last] = [...problem().model.children()];
    const optimizer = new optim.Adam(first!.namedParameters());
    expect(optimizer.paramGroups[0]!.paramNames).toEqual(['weight', 'bias']);
    optimizer.addParamGroup({ params: last!.namedParameters(), lr: 0.5 });
    expect(optimizer.paramGroups.map((g) => g.lr)).toEqual([1e-3, 0.5]);
    expect(optimizer.stateDict().param_groups[1]).toMatchObject({ params: [2, 3], param_names: ['weight', 'bias'], weight_decay: 0 });
  });

  it.each([
    ['a tensor', () => new optim.SGD(ones(2) as unknown as Tensor[]), 'ERR_OPTIM_PARAMS'],
    ['nothing', () => new optim.SGD([]), 'ERR_OPTIM_PARAMS'],
    ['something else', () => new optim.SGD([1 as unknown as Tensor]), 'ERR_OPTIM_PARAMS'],
    ['a result', () => new optim.SGD([new Parameter(ones(2)).mul(2)]), 'ERR_OPTIM_PARAMS'],
    ['an option that there is not', () => new optim.SGD([new Parameter(ones(2))], { learningRate: 1 } as object), 'ERR_OPTIM_OPTION'],
    ['a text for a number', () => new optim.SGD([new Parameter(ones(2))], { lr: '1' } as object), 'ERR_OPTIM_OPTION'],
    ['a tensor for a number', () => new optim.SGD([new Parameter(ones(2))], { lr: tensor(1) } as object), 'ERR_OPTIM_OPTION'],
    ['a differentiable step', () => new optim.Adam([new Parameter(ones(2))], { differentiable: true }), 'ERR_OPTIM_OPTION'],
    ['fused and foreach', () => new optim.Adam([new Parameter(ones(2))], { fused: true, foreach: true }), 'ERR_OPTIM_OPTION'],
    ['a bad option in a group', () => new optim.SGD([{ params: [new Parameter(ones(2))], lr: -1 }]), 'ERR_OPTIM_OPTION'],
    ['a step of LBFGS without a closure', () => new optim.LBFGS([new Parameter(ones(2))]).step(), 'ERR_OPTIM_CLOSURE'],
  ])('refuse %s', (_, make, code) => {
    expect(make).toThrow(expect.objectContaining({ code }));
  });
});

describe('state dicts', () => {
  it('are laid out as PyTorch lays them out', () => {
    const p = new Parameter(ones(2));
    const optimizer = new optim.Adam([p], { lr: 0.1 });
    p.grad = ones(2);
    optimizer.step();
    const { state, param_groups: groups } = optimizer.stateDict();
    expect(Object.keys(state[0]!)).toEqual(['step', 'exp_avg', 'exp_avg_sq']);
    expect(groups).toEqual([
      {
        lr: 0.1,
        betas: [0.9, 0.999],
        eps: 1e-8,
        weight_decay: 0,
        amsgrad: false,
        maximize: false,
        foreach: null,
        capturable: false,
        differentiable: false,
        fused: null,
        decoupled_weight_decay: false,
        params: [0],
      },
    ]);
  });

  it("load PyTorch's, whose counters are tensors and whose numbers of parameters are its own", () => {
    const p = new Parameter(ones(2));
    const optimizer = new optim.Adam([p]);
    const average = tensor([1, 2]);
    optimizer.loadStateDict({
      state: { 7: { step: tensor(3), exp_avg: average, exp_avg_sq: tensor([3, 4]) } },
      param_groups: [{ lr: tensor(0.25), betas: [0.8, 0.9], params: [7] }],
    });
    const state = optimizer.state.get(p)!;
    expect(state['step']).toBe(3);
    expect((state['exp_avg'] as Tensor).toArray()).toEqual([1, 2]);
    expect(state['exp_avg'] === average).toBe(false);
    expect(optimizer.paramGroups[0]).toMatchObject({ lr: 0.25, betas: [0.8, 0.9], eps: 1e-8 });
  });

  it('may be Maps, as Python’s dicts are read', () => {
    const p = new Parameter(ones(2));
    const optimizer = new optim.SGD([p], { momentum: 0.5 });
    const entry = new Map([['momentum_buffer', tensor([1, 2])]]);
    const group = new Map<string, unknown>([
      ['lr', 0.5],
      ['params', [0]],
    ]);
    optimizer.loadStateDict(
      new Map<string, unknown>([
        ['state', new Map([[0, entry]])],
        ['param_groups', [group]],
      ]),
    );
    expect((optimizer.state.get(p)!['momentum_buffer'] as Tensor).toArray()).toEqual([1, 2]);
    expect(optimizer.paramGroups[0]!.lr).toBe(0.5);
  });

  it('that do not fit change nothing', () => {
    const optimizer = new optim.SGD([new Parameter(ones(2))], { lr: 0.1 });
    const load = (groups: readonly { params: number[]; lr: number }[]) => () =>
      optimizer.loadStateDict({ state: {}, param_groups: groups });
    expect(load([])).toThrow(/different number of parameter groups/);
    expect(load([{ params: [0, 1], lr: 9 }])).toThrow(expect.objectContaining({ code: 'ERR_OPTIM_STATE' }));
    expect(optimizer.paramGroups[0]!.lr).toBe(0.1);
  });

  it('follow the parameters to another device', async () => {
    const { model, compute } = problem();
    const optimizer = new optim.Adam(model.parameters());
    compute();
    optimizer.step();
    const held = optimizer.stateDict().state[0]!['exp_avg'] as Tensor;
    const before = held.toArray();
    model.to('cpu-async');
    optimizer.to();
    expect(await held.toArrayAsync()).toEqual(before);
    expect((optimizer.state.get([...model.parameters()][0]!)!['exp_avg'] as Tensor).device.id).toBe('cpu-async');
    await model.toAsync('cpu');
    await optimizer.toAsync();
    expect((optimizer.state.get([...model.parameters()][0]!)!['exp_avg'] as Tensor).device.id).toBe('cpu');
  });

  it('pass through hooks', () => {
    const optimizer = new optim.SGD([new Parameter(ones(2))]);
    const calls: string[] = [];
    optimizer.registerStateDictPreHook(() => void calls.push('save'));
    optimizer.registerStateDictPreHook(() => void calls.push('save first'), { prepend: true });
    optimizer.registerStateDictPostHook((_, dict) => ({ ...dict, note: 'kept' }) as optim.OptimizerStateDict);
    optimizer.registerLoadStateDictPreHook((_, dict) => ({ ...dict, param_groups: dict.param_groups.map((g) => ({ ...g, lr: 7 })) }));
    optimizer.registerLoadStateDictPostHook(() => void calls.push('loaded'));
    const saved = optimizer.stateDict();
    expect(saved).toHaveProperty('note', 'kept');
    optimizer.loadStateDict(saved);
    expect(optimizer.paramGroups[0]!.lr).toBe(7);
    expect(calls).toEqual(['save first', 'save', 'loaded']);
  });
});

describe('a step', () => {
  it('calls its hooks, until they are removed', () => {
    const p = new Parameter(ones(1));
    const optimizer = new optim.SGD([p]);
    const [before, after] = [vi.fn<(o: object) => void>(), vi.fn<(o: object) => void>()];
    const handle = optimizer.registerStepPreHook(before);
    optimizer.registerStepPostHook(after);
    optimizer.step();
    handle.remove();
    handle.remove();
    optimizer.step();
    expect([before.mock.calls.length, after.mock.calls.length]).toEqual([1, 2]);
  });

  it('records in its closure, within noGrad too, and answers the loss', () => {
    const p = new Parameter(tensor([3]));
    const optimizer = new optim.SGD([p], { lr: 0.5 });
    const loss = noGrad(() =>
      optimizer.step(() => {
        const l = p.square().sum();
        l.backward();
        return l;
      }),
    );
    expect(loss!.item()).toBe(9);
    expect(p.toArray()).toEqual([0]);
  });

  it('leaves parameters without a gradient alone, and their state unmade', () => {
    const [a, b] = [new Parameter(ones(1)), new Parameter(ones(1))];
    const optimizer = new optim.Adam([a, b]);
    a.grad = ones(1);
    optimizer.step();
    expect(b.item()).toBe(1);
    expect(Object.keys(optimizer.stateDict().state)).toEqual(['0']);
  });

  it('is one kernel for each parameter, the same program at every learning rate', () => {
    const { model, compute } = problem();
    const optimizer = new optim.AdamW(model.parameters());
    compute();
    optimizer.step();
    const device = toDevice('cpu');
    const seen: string[] = [];
    const before = device.launches;
    device.onLaunch = ({ kernel }) => void seen.push(kernel);
    for (const lr of [0.1, 0.2, 0.3]) {
      optimizer.paramGroups[0]!.lr = lr;
      optimizer.step();
    }
    device.onLaunch = null;
    expect(device.launches - before).toBe(3 * 4);
    expect(new Set(seen)).toEqual(new Set(['adam.decoupled']));
  });

  it('updates float64 parameters in float64', () => {
    const p = new Parameter(tensor([1], { dtype: 'float64' }));
    p.grad = tensor([1], { dtype: 'float64' });
    new optim.SGD([p], { lr: 0.1 }).step();
    expect(p.item()).toBe(0.9);
  });

  it('takes expanded and transposed gradients', () => {
    const p = new Parameter(zeros(2, 3));
    const optimizer = new optim.SGD([p], { lr: 1 });
    p.grad = tensor([[1], [2]]).expand(2, 3);
    optimizer.step();
    p.grad = tensor([
      [1, 2],
      [3, 4],
      [5, 6],
    ]).t();
    optimizer.step();
    expect(p.toArray()).toEqual([
      [-2, -4, -6],
      [-4, -6, -8],
    ]);
  });
});

describe('an optimizer of one’s own', () => {
  const signs = new optim.UpdateFamily('signs', ['maximize'], 2, (e, { maximize }, [p, last, g], [lr]) => {
    const sign = e.sign(maximize ? e.neg(g!) : g!);
    return [e.sub(p!, e.mul(lr!, sign)), e.add(last!, e.abs(sign))];
  });

  class Signs extends optim.Optimizer<{ lr: number; maximize: boolean }> {
    static override readonly typeName = 'Signs';
    constructor(params: optim.Params<{ lr: number; maximize: boolean }>, options: { lr?: number; maximize?: boolean } = {}) {
      super(params, { lr: 0.5, maximize: false }, options);
    }
    protected override check({ lr }: { lr: number }): void {
      this.notNegative(['Invalid learning rate', lr]);
    }
    protected override update(p: Tensor, grad: Tensor, state: optim.ParamState, o: { lr: number; maximize: boolean }): void {
      state['steps'] ??= this.zerosFor(p);
      signs.pick(o.maximize).run([p, state['steps'] as Tensor, grad], [o.lr]);
    }
  }

  it('writes one formula, and has groups, states, schedulers and messages', () => {
    const [a, b] = [new Parameter(ones(2)), new Parameter(ones(2))];
    const optimizer = new Signs([{ params: a }, { params: b, maximize: true }]);
    new optim.lrScheduler.StepLR(optimizer, 1);
    for (const p of [a, b]) p.grad = tensor([-3, 4]);
    optimizer.step();
    expect([a.toArray(), b.toArray()]).toEqual([
      [1.5, 0.5],
      [0.5, 1.5],
    ]);
    expect((optimizer.stateDict().state[1]!['steps'] as Tensor).toArray()).toEqual([1, 1]);
    expect(() => new Signs([a], { lr: -1 })).toThrow('Signs: Invalid learning rate: -1');
  });
});

describe('zeroGrad', () => {
  it('drops gradients, or sets them to zero where they are', () => {
    const p = new Parameter(ones(2));
    const optimizer = new optim.SGD([p]);
    const grad = (p.grad = randn(2));
    optimizer.zeroGrad({ setToNone: false });
    expect(p.grad).toBe(grad);
    expect(grad.toArray()).toEqual([0, 0]);
    optimizer.zeroGrad();
    expect(p.grad).toBeNull();
  });
});

describe('printing', () => {
  it("is PyTorch's", () => {
    const p = new Parameter(ones(1));
    expect(String(new optim.SGD([p]))).toBe(
      'SGD (\nParameter Group 0\n    dampening: 0\n    differentiable: False\n    foreach: None\n    fused: None\n    lr: 0.001\n    maximize: False\n    momentum: 0\n    nesterov: False\n    weight_decay: 0\n)',
    );
    expect(String(new optim.Adadelta([p]))).toContain('    eps: 1e-06\n    foreach: None\n    lr: 1.0\n');
    expect(String(new optim.Adam([{ params: [p] }, { params: [new Parameter(ones(1))], lr: 0.5 }]))).toMatch(
      /betas: \(0\.9, 0\.999\)[\s\S]*weight_decay: 0\n\nParameter Group 1\n[\s\S]*lr: 0\.5/,
    );
  });
});
