import { beforeAll, describe, expect, it } from 'vitest';
import { emptyStrided, linspace, logspace, manualSeed, rand, randLike, runtimes, trilIndices, zeros } from '../src/index.js';
import { plainPlugin } from './support/plain-backend.js';

beforeAll(() => {
  runtimes.current.use(plainPlugin());
});

describe('creation', () => {
  it('spaces numbers evenly, the ends exact', () => {
    expect(linspace(0, 1, 5).toArray()).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(linspace(3, 3, 1).toArray()).toEqual([3]);
    expect(logspace(0, 2, 3).toArray()).toEqual([1, 10, 100]);
    expect(() => linspace(0, 1, -1)).toThrow(/non-negative/);
  });

  it('lists the places of a triangle', () => {
    expect(trilIndices(2, 3).toArray()).toEqual([
      [0, 1, 1],
      [0, 0, 1],
    ]);
  });

  it('draws like another tensor, from the seed', () => {
    manualSeed(7);
    const a = rand(3).toArray();
    manualSeed(7);
    expect(randLike(zeros(3)).toArray()).toEqual(a);
  });

  it('takes any strides', () => {
    expect(emptyStrided([2, 3], [1, 2]).stride()).toEqual([1, 2]);
  });
});
