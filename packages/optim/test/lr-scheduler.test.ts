import { ones, Parameter } from '@tessera/core';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { Adam, lrScheduler, SGD } from '../src/index.js';
import { useCpu } from './support/setup.js';

const {
  ChainedScheduler,
  ConstantLR,
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
  CyclicLR,
  ExponentialLR,
  LambdaLR,
  LinearLR,
  MultiplicativeLR,
  MultiStepLR,
  OneCycleLR,
  PolynomialLR,
  ReduceLROnPlateau,
  SequentialLR,
  StepLR,
} = lrScheduler;

beforeAll(useCpu);

const sgd = (lr = 1, groups = 1): SGD =>
  new SGD(
    Array.from({ length: groups }, () => ({ params: [new Parameter(ones(1))] })),
    { lr, momentum: 0.9 },
  );

interface Steps {
  step(): void;
}
/** The rates before the first step and after each. */
function rates(optimizer: SGD | Adam, scheduler: Steps, steps: number): number[] {
  const seen = [optimizer.paramGroups[0]!.lr];
  for (let i = 0; i < steps; i++) {
    optimizer.step();
    scheduler.step();
    seen.push(optimizer.paramGroups[0]!.lr);
  }
  return seen;
}
const near = (values: readonly number[]): unknown[] => values.map((x) => expect.closeTo(x, 12));

type Maker = (optimizer: SGD) => lrScheduler.LRScheduler;
const makers: readonly (readonly [string, Maker])[] = [
  ['LambdaLR', (o) => new LambdaLR(o, (epoch) => 0.9 ** epoch)],
  ['MultiplicativeLR', (o) => new MultiplicativeLR(o, () => 0.9)],
  ['StepLR', (o) => new StepLR(o, 3, { gamma: 0.5 })],
  ['MultiStepLR', (o) => new MultiStepLR(o, [2, 2, 5], { gamma: 0.5 })],
  ['ConstantLR', (o) => new ConstantLR(o, { factor: 0.5, totalIters: 3 })],
  ['LinearLR', (o) => new LinearLR(o, { startFactor: 0.5, totalIters: 4 })],
  ['ExponentialLR', (o) => new ExponentialLR(o, 0.9)],
  ['PolynomialLR', (o) => new PolynomialLR(o, { totalIters: 8, power: 2 })],
  ['CosineAnnealingLR', (o) => new CosineAnnealingLR(o, 5, { etaMin: 0.1 })],
  ['CosineAnnealingWarmRestarts', (o) => new CosineAnnealingWarmRestarts(o, 3, { tMult: 2 })],
  ['CyclicLR', (o) => new CyclicLR(o, 0.1, 1, { stepSizeUp: 3, mode: 'exp_range', gamma: 0.9 })],
  ['OneCycleLR', (o) => new OneCycleLR(o, 1, { totalSteps: 12, threePhase: true })],
];

describe('every scheduler', () => {
  it.each(makers)('%s goes on from a saved state', (_, make) => {
    const through = sgd();
    const expected = rates(through, make(through), 9);
    const first = sgd();
    const scheduler = make(first);
    rates(first, scheduler, 4);

    const second = sgd();
    const resumed = make(second);
    second.loadStateDict(first.stateDict());
    resumed.loadStateDict(JSON.parse(JSON.stringify(scheduler.stateDict())) as lrScheduler.SchedulerStateDict);
    expect(rates(second, resumed, 5)).toEqual(expected.slice(4));
    expect(second.paramGroups[0]!.momentum).toBe(through.paramGroups[0]!.momentum);
  });

  it.each(makers.filter(([name]) => !/Lambda|Multiplicative|Cyclic|OneCycle/.test(name)))(
    '%s comes to the same rate by its closed form',
    (_, make) => {
      const stepped = sgd();
      const scheduler = make(stepped);
      rates(stepped, scheduler, 7);
      const jumped = sgd();
      const jumping = make(jumped);
      jumped.step();
      jumping.step(7);
      expect(jumped.paramGroups[0]!.lr).toBeCloseTo(stepped.paramGroups[0]!.lr, 10);
    },
  );

  it.each(makers)('%s starts each group from its own rate', (_, make) => {
    const optimizer = sgd(1, 2);
    optimizer.paramGroups[1]!.lr = 0.5;
    const scheduler = make(optimizer);
    rates(optimizer, scheduler, 2);
    expect(scheduler.getLastLr()).toEqual(optimizer.paramGroups.map((g) => g.lr));
    if (!['CyclicLR', 'OneCycleLR', 'CosineAnnealingLR', 'CosineAnnealingWarmRestarts'].includes(scheduler.typeName))
      expect(scheduler.getLastLr()[1]).toBeCloseTo(scheduler.getLastLr()[0]! / 2, 12);
  });
});

describe('saved states', () => {
  it("have PyTorch's names", () => {
    const optimizer = sgd();
    expect(new CosineAnnealingLR(optimizer, 7, { etaMin: 0.1 }).stateDict()).toEqual({
      T_max: 7,
      eta_min: 0.1,
      base_lrs: [1],
      last_epoch: 0,
      _step_count: 1,
      _is_initial: false,
      _get_lr_called_within_step: false,
      _last_lr: [1],
    });
    expect(new MultiStepLR(sgd(), [2, 5, 5]).stateDict()['milestones']).toEqual({ 2: 1, 5: 2 });
    expect(optimizer.stateDict().param_groups[0]).toHaveProperty('initial_lr', 1);
  });

  it('let a scheduler be made anew at a later epoch', () => {
    const optimizer = sgd();
    rates(optimizer, new ExponentialLR(optimizer, 0.5), 3);
    expect(() => new ExponentialLR(sgd(), 0.5, { lastEpoch: 3 })).toThrow(expect.objectContaining({ code: 'ERR_SCHEDULER' }));
    const next = new ExponentialLR(optimizer, 0.5, { lastEpoch: 3 });
    expect([next.lastEpoch, ...next.baseLrs]).toEqual([4, 1]);
  });
});

describe('composed schedulers', () => {
  it('multiply when chained', () => {
    const optimizer = sgd();
    const chain = new ChainedScheduler([new ConstantLR(optimizer, { factor: 0.1, totalIters: 2 }), new ExponentialLR(optimizer, 0.9)]);
    expect(rates(optimizer, chain, 4)).toEqual(near([0.1, 0.09, 0.81, 0.729, 0.6561]));
    expect(chain.getLastLr()).toEqual([optimizer.paramGroups[0]!.lr]);
  });

  it('follow one another in sequence, each from its own epoch 0', () => {
    const optimizer = sgd();
    const sequence = new SequentialLR(
      optimizer,
      [
        new ConstantLR(optimizer, { factor: 0.1, totalIters: 20 }),
        new ExponentialLR(optimizer, 0.9),
        new StepLR(optimizer, 2, { gamma: 0.5 }),
      ],
      [2, 5],
    );
    expect(rates(optimizer, sequence, 9)).toEqual(near([0.1, 0.1, 1, 0.9, 0.81, 1, 1, 0.5, 0.5, 0.25]));
  });

  it('may be parts of one another', () => {
    const optimizer = sgd();
    const inner = new SequentialLR(
      optimizer,
      [new ConstantLR(optimizer, { factor: 0.5, totalIters: 9 }), new ExponentialLR(optimizer, 0.5)],
      [2],
    );
    const chain = new ChainedScheduler([new LinearLR(optimizer, { startFactor: 0.5, totalIters: 1 }), new ExponentialLR(optimizer, 0.5)]);
    const outer = new SequentialLR(optimizer, [inner, chain], [4]);
    expect(rates(optimizer, outer, 6)).toEqual(near([0.5, 0.5, 1, 0.5, 0.5, 0.5, 0.25]));
  });

  it('go on from a saved state', () => {
    const make = (o: SGD) => new SequentialLR(o, [new LinearLR(o, { startFactor: 0.1, totalIters: 3 }), new CosineAnnealingLR(o, 6)], [3]);
    const through = sgd();
    const expected = rates(through, make(through), 8);
    for (const stop of [2, 5]) {
      const first = sgd();
      const scheduler = make(first);
      rates(first, scheduler, stop);
      const second = sgd();
      const resumed = make(second);
      second.loadStateDict(first.stateDict());
      resumed.loadStateDict(scheduler.stateDict());
      expect(rates(second, resumed, 8 - stop)).toEqual(expected.slice(stop));
    }
  });

  it('refuse parts that do not fit', () => {
    const optimizer = sgd();
    const refuse = (make: () => unknown): void => expect(make).toThrow(expect.objectContaining({ code: 'ERR_SCHEDULER' }));
    const part = new ExponentialLR(optimizer, 0.9);
    refuse(() => new SequentialLR(optimizer, [], []));
    refuse(() => new SequentialLR(optimizer, [part], [1]));
    refuse(() => new SequentialLR(sgd(), [part], []));
    refuse(() => new ChainedScheduler([]));
    refuse(() => new ChainedScheduler([part, new ReduceLROnPlateau(optimizer) as unknown as lrScheduler.Part]));
    expect(() => new ChainedScheduler([part]).loadStateDict({ _schedulers: [] })).toThrow(
      expect.objectContaining({ code: 'ERR_SCHEDULER_STATE' }),
    );
  });
});

describe('ReduceLROnPlateau', () => {
  it('lowers the rate when the metric gets no better, for each group down to its least', () => {
    const optimizer = sgd(1, 2);
    const scheduler = new ReduceLROnPlateau(optimizer, { patience: 1, factor: 0.1, minLr: [0, 0.05] });
    const seen = [1, 0.9, 0.9, 0.9, 0.9, 0.9].map((metric) => {
      scheduler.step(metric);
      return scheduler.getLastLr();
    });
    expect(seen.map(([a]) => a)).toEqual(near([1, 1, 1, 0.1, 0.1, 0.01]));
    expect(seen.at(-1)![1]).toBe(0.05);
  });

  it('can wait after a reduction, look for a maximum, and be saved', () => {
    const optimizer = sgd();
    const scheduler = new ReduceLROnPlateau(optimizer, { mode: 'max', thresholdMode: 'abs', threshold: 0.5, patience: 0, cooldown: 2 });
    scheduler.step(1);
    scheduler.step(1.4);
    expect(optimizer.paramGroups[0]!.lr).toBeCloseTo(0.1, 12);
    expect(scheduler.inCooldown).toBe(true);
    const other = new ReduceLROnPlateau(optimizer);
    other.loadStateDict(scheduler.stateDict());
    expect(other.stateDict()).toEqual(scheduler.stateDict());
    other.step(1);
    other.step(1);
    expect(optimizer.paramGroups[0]!.lr).toBeCloseTo(0.1, 12);
    other.step(1);
    expect(optimizer.paramGroups[0]!.lr).toBeCloseTo(0.01, 12);
  });

  it('takes numbers only', () => {
    expect(() => new ReduceLROnPlateau(sgd()).step(ones(1) as unknown as number)).toThrow(
      expect.objectContaining({ code: 'ERR_SCHEDULER' }),
    );
  });

  it('gives groups that were added later the common least rate', () => {
    const optimizer = sgd();
    const scheduler = new ReduceLROnPlateau(optimizer, { patience: 0, minLr: 0.5 });
    optimizer.addParamGroup({ params: [new Parameter(ones(1))] });
    scheduler.step(1);
    scheduler.step(1);
    expect(optimizer.paramGroups.map((g) => g.lr)).toEqual([0.5, 0.5]);
  });
});

describe('momentum', () => {
  it('goes the other way in cycles', () => {
    const optimizer = sgd();
    const scheduler = new CyclicLR(optimizer, 0.1, 1, { stepSizeUp: 2, baseMomentum: 0.5, maxMomentum: 0.9 });
    const seen = [optimizer.paramGroups[0]!.momentum];
    for (let i = 0; i < 4; i++) {
      optimizer.step();
      scheduler.step();
      seen.push(optimizer.paramGroups[0]!.momentum);
    }
    expect(seen).toEqual(near([0.9, 0.7, 0.5, 0.7, 0.9]));
  });

  it("is the first of Adam's betas", () => {
    const optimizer = new Adam([new Parameter(ones(1))]);
    const scheduler = new OneCycleLR(optimizer, 0.1, { totalSteps: 10, pctStart: 0.5, annealStrategy: 'linear' });
    expect(optimizer.paramGroups[0]!.betas).toEqual([0.95, 0.999]);
    rates(optimizer, scheduler, 4);
    expect(optimizer.paramGroups[0]).toMatchObject({ lr: expect.closeTo(0.1, 12) as number, betas: [expect.closeTo(0.85, 12), 0.999] });
  });

  it('must be there, or be left alone', () => {
    const optimizer = { paramGroups: [{ lr: 1 }], defaults: { lr: 1 }, stepsTaken: 0 };
    expect(() => new CyclicLR(optimizer, 0.1, 1)).toThrow(/must support momentum or beta1/);
    expect(new CyclicLR(optimizer, 0.1, 1, { cycleMomentum: false }).getLastLr()).toEqual([0.1]);
  });
});

describe('use and misuse', () => {
  const oneCycle = (steps: number): number[] => {
    const optimizer = sgd();
    return rates(optimizer, new OneCycleLR(optimizer, 1, { totalSteps: 2 }), steps);
  };

  it('warns once when it is stepped before the optimizer', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const scheduler = new StepLR(sgd(), 1);
    scheduler.step();
    scheduler.step();
    expect(warn.mock.calls.map(([text]) => String(text))).toEqual([expect.stringContaining('before optimizer.step()')]);
    warn.mockRestore();
  });

  it('scales a custom cycle by a function', () => {
    const scheduler = new CyclicLR(sgd(), 0, 1, { stepSizeUp: 1, scaleFn: (cycle) => 1 / cycle, cycleMomentum: false });
    const optimizer = scheduler.optimizer as SGD;
    expect(rates(optimizer, scheduler, 4)).toEqual(near([0, 1, 0, 0.5, 0]));
  });

  it.each([
    ['more steps than one cycle has', () => oneCycle(4)],
    ['no number of steps', () => new OneCycleLR(sgd(), 1)],
    ['half a step', () => new OneCycleLR(sgd(), 1, { epochs: 1, stepsPerEpoch: 0.5 })],
    ['two rates for one group', () => new CyclicLR(sgd(), [0.1, 0.2], 1)],
    ['a factor above 1', () => new ConstantLR(sgd(), { factor: 2 })],
    ['a start at 0', () => new LinearLR(sgd(), { startFactor: 0 })],
    ['a cycle of length 0', () => new CosineAnnealingWarmRestarts(sgd(), 0)],
    ['an unknown mode', () => new ReduceLROnPlateau(sgd(), { mode: 'best' as 'min' })],
    ['a factor that does not lower', () => new ReduceLROnPlateau(sgd(), { factor: 1 })],
    ['two functions for one group', () => new LambdaLR(sgd(), [() => 1, () => 1])],
    ['no optimizer', () => new StepLR({} as SGD, 1)],
  ])('refuses %s', (_, make) => {
    expect(make).toThrow(expect.objectContaining({ code: 'ERR_SCHEDULER' }));
  });
});
