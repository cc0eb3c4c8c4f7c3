/** @file Types that follow from what was given, so that plain loops need no casts. Checked by `npm run typecheck`. */
import { describe, expectTypeOf, it } from 'vitest';
import { data, io, nn, ones, type Tensor } from '../src/index.js';

const pairs = new data.TensorDataset(ones(8, 2), ones(8));

describe('a loader has the type of its dataset', () => {
  it('of tensors, as many as were given', () => {
    expectTypeOf(new data.DataLoader(pairs, { batchSize: 4, shuffle: true })).toEqualTypeOf<data.DataLoader<[Tensor, Tensor]>>();
    expectTypeOf(new data.DataLoader(new data.TensorDataset(ones(8)))).toEqualTypeOf<data.DataLoader<[Tensor]>>();
  });

  it('of its parts', () => {
    const [train, test] = data.randomSplit(pairs, [6, 2]);
    expectTypeOf(new data.DataLoader(train!, { batchSize: 2 })).toEqualTypeOf<data.DataLoader<[Tensor, Tensor]>>();
    expectTypeOf(new data.DataLoader(new data.Subset(test!, [0]))).toEqualTypeOf<data.DataLoader<[Tensor, Tensor]>>();
  });

  it('not where batches are made by the caller, or are samples', () => {
    expectTypeOf(new data.DataLoader(pairs, { collateFn: () => 1 })).toEqualTypeOf<data.DataLoader<unknown>>();
    expectTypeOf(new data.DataLoader(pairs, { batchSize: null })).toEqualTypeOf<data.DataLoader<unknown>>();
    expectTypeOf(new data.DataLoader<number>(pairs, { collateFn: () => 1 })).toEqualTypeOf<data.DataLoader<number>>();
  });

  it('is no iterable of the synchronous kind', () => {
    expectTypeOf<data.DataLoader<Tensor>>().not.toExtend<Iterable<unknown>>();
  });
});

it('a PyTorch checkpoint goes into loadStateDict without a cast', () => {
  const bytes = io.saveTorch(new nn.Linear(2, 3).stateDict());
  const model = new nn.Linear(2, 3);
  expectTypeOf(model.loadStateDict(io.loadTorch(bytes)).missingKeys).toEqualTypeOf<string[]>();
  expectTypeOf(io.loadTorch(bytes)).toEqualTypeOf<io.TorchValue>();
});
