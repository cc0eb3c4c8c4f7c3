import { manualSeed, Module, noGrad, ones, Parameter, randn, tensor, type Tensor } from '@tessera/core';
import { BatchNorm1d, Linear, Sequential } from '@tessera/layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { SGD, swaUtils } from '../src/index.js';
import { useCpu } from './support/setup.js';

const { AveragedModel, getEmaAvgFn, getEmaMultiAvgFn, getSwaAvgFn, SWALR, updateBn } = swaUtils;

beforeAll(useCpu);

class Scale extends Module {
  static override readonly typeName = 'Scale';
  weight = new Parameter(ones(2));
  forward(x: Tensor): Tensor {
    return x.mul(this.weight);
  }
}
const set = (model: Scale, value: number): void => void noGrad(() => model.weight.fill_(value));

/** The average after the model's weight was each of these in turn. */
function averaged(options: swaUtils.AveragedModelOptions<Scale>, values: readonly number[]) {
  const model = new Scale();
  const average = new AveragedModel(model, options);
  for (const value of values) {
    set(model, value);
    average.updateParameters(model);
  }
  return average;
}

describe('AveragedModel', () => {
  it('holds the mean of all parameters that it saw', () => {
    const average = averaged({}, [1, 2, 6]);
    expect(average.module.weight.toArray()).toEqual([3, 3]);
    expect((average(tensor([1, 2])) as Tensor).toArray()).toEqual([3, 6]);
    expect(average.nAveraged.item()).toBe(3);
  });

  it.each([
    ['many at once', { multiAvgFn: getEmaMultiAvgFn(0.75) }],
    ['one by one', { avgFn: getEmaAvgFn(0.75) }],
  ])('decays exponentially, %s', (_, options) => {
    expect(averaged(options, [4, 8, 0]).module.weight.toArray()).toEqual([3.75, 3.75]);
  });

  it('averages by the function of one’s own, which knows how many there were', () => {
    const counts: number[] = [];
    const mean = getSwaAvgFn();
    const average = averaged({ avgFn: (a, c, n) => (counts.push(n), mean(a, c, n)) }, [1, 2, 3]);
    expect(counts).toEqual([1, 2]);
    expect(average.module.weight.toArray()).toEqual([2, 2]);
  });

  it("has PyTorch's state, and goes on from it", async () => {
    const average = averaged({}, [1, 3]);
    expect([...average.stateDict().keys()]).toEqual(['n_averaged', 'module.weight']);
    const model = new Scale();
    set(model, 8);
    for (const sync of [false, true]) {
      const other = new AveragedModel(model);
      other.loadStateDict(average.stateDict());
      if (sync) await other.syncAsync();
      other.updateParameters(model);
      expect(other.module.weight.toArray()).toEqual([4, 4]);
    }
  });

  it('copies buffers, or averages them', () => {
    const make = () => new Sequential(new BatchNorm1d(2));
    for (const [useBuffers, expected] of [
      [false, 4],
      [true, 2],
    ] as const) {
      const model = make();
      const average = new AveragedModel(model, { create: make, useBuffers });
      for (const value of [0, 4]) {
        noGrad(() => [...model.buffers()][0]!.fill_(value));
        average.updateParameters(model);
      }
      expect([...average.module.buffers()][0]!.toArray()).toEqual([expected, expected]);
    }
  });

  it('does not share memory with the model, nor its mode', () => {
    const model = new Scale();
    const average = new AveragedModel(model);
    average.eval();
    set(model, 5);
    expect(average.module.weight.toArray()).toEqual([1, 1]);
    expect(model.training).toBe(true);
  });

  it('takes no random numbers from those that follow', () => {
    const create = () => new Linear(3, 3);
    manualSeed(5);
    const model = create();
    const expected = randn(4).toArray();
    manualSeed(5);
    create();
    new AveragedModel(model, { create });
    expect(randn(4).toArray()).toEqual(expected);
  });

  it('says what it needs where it cannot make another model', () => {
    const code = expect.objectContaining({ code: 'ERR_AVERAGED_MODEL' }) as unknown;
    expect(() => new AveragedModel(new Linear(2, 3))).toThrow(code);
    expect(() => new AveragedModel(new Sequential(new Linear(2, 3)))).toThrow(/create: \(\) =>/);
    const model = new Scale();
    expect(() => new AveragedModel(model, { create: () => model })).toThrow(code);
    expect(() => new AveragedModel(model, { avgFn: getSwaAvgFn(), multiAvgFn: getEmaMultiAvgFn() })).toThrow(code);
    expect(() => getEmaMultiAvgFn(2)).toThrow(expect.objectContaining({ code: 'ERR_AVERAGE_DECAY' }));
  });
});

describe('updateBn', () => {
  it('takes the mean of all batches, and leaves momentum and mode as they were', async () => {
    manualSeed(0);
    const norm = new BatchNorm1d(3, { momentum: 0.3 });
    const model = new Sequential(norm);
    model.eval();
    norm.running_mean!.fill_(99);
    const batches = [randn(8, 3), randn(8, 3).add(4), randn(8, 3)];
    await updateBn(
      batches.map((x) => [x, 'label']),
      model,
    );
    const expected = batches.map((x) => x.mean(0)).reduce((a, b) => a.add(b));
    norm.running_mean!.data().forEach((x, i) => expect(x).toBeCloseTo(expected.data()[i]! / 3, 5));
    expect([norm.momentum, model.training, norm.num_batches_tracked!.item()]).toEqual([0.3, false, 3]);
  });

  it('reads async loaders, and does nothing without batch norms', async () => {
    async function* loader() {
      await Promise.resolve();
      yield randn(4, 3);
    }
    const norm = new BatchNorm1d(3);
    await updateBn(loader(), norm);
    expect(norm.num_batches_tracked!.item()).toBe(1);
    await updateBn(
      {
        [Symbol.iterator]: () => {
          throw new Error('read');
        },
      },
      new Linear(1, 1),
    );
  });
});

describe('SWALR', () => {
  const rates = (options: swaUtils.SWALROptions): number[] => {
    const optimizer = new SGD([new Parameter(ones(1))], { lr: 1 });
    const scheduler = new SWALR(optimizer, 0.2, options);
    return Array.from({ length: 7 }, () => {
      const { lr } = optimizer.paramGroups[0]!;
      optimizer.step();
      scheduler.step();
      return lr;
    });
  };

  it('goes to its rate, and stays there', () => {
    expect(rates({ annealEpochs: 4, annealStrategy: 'linear' })).toEqual(
      [1, 0.8, 0.6, 0.4, 0.2, 0.2, 0.2].map((x) => expect.closeTo(x, 10) as number),
    );
    const cosine = rates({ annealEpochs: 4 });
    expect(cosine[1]).toBeCloseTo(1 - 0.8 * ((1 - Math.cos(Math.PI / 4)) / 2), 10);
    expect(cosine[6]).toBeCloseTo(0.2, 10);
    expect(rates({ annealEpochs: 0 }).slice(1)).toEqual(new Array(6).fill(0.2));
  });

  it('refuses what it cannot do', () => {
    const optimizer = new SGD([new Parameter(ones(1))]);
    const code = expect.objectContaining({ code: 'ERR_SCHEDULER' }) as unknown;
    expect(() => new SWALR(optimizer, 0.1, { annealEpochs: -1 })).toThrow(code);
    expect(() => new SWALR(optimizer, 0.1, { annealStrategy: 'step' as 'cos' })).toThrow(code);
  });
});
