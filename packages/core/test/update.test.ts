/** @file Update: what an optimizer's step writes, over whole tensors and views, whoever still reads them. */
import { beforeAll, describe, expect, it } from 'vitest';
import { runtimes, tensor, Update } from '../src/index.js';
import { plainPlugin } from './support/plain-backend.js';

beforeAll(() => {
  runtimes.current.use(plainPlugin());
});

const descend = new Update('descend', 1, (e, [p, g], [lr]) => [e.sub(p!, e.mul(g!, lr!))]);

describe('Update', () => {
  it('writes a whole tensor, and raises its version', () => {
    const [p, g] = [tensor([1, 2]), tensor([10, 20])];
    const before = p.version;
    descend.run([p, g], [0.5]);
    expect(p.toArray()).toEqual([-4, -8]);
    expect(p.version).toBe(before + 1);
  });

  it('writes a view while a deferred value still reads it', () => {
    const base = tensor([1, 2, 3, 4]);
    const p = base.reshape([2, 2]);
    const later = p.mul(2);
    descend.run(
      [
        p,
        tensor([
          [10, 20],
          [30, 40],
        ]),
      ],
      [0.5],
    );
    expect(p.toArray()).toEqual([
      [-4, -8],
      [-12, -16],
    ]);
    expect(base.toArray()).toEqual([-4, -8, -12, -16]);
    expect(later.toArray()).toEqual([
      [2, 4],
      [6, 8],
    ]);
  });

  it('writes one row, and leaves the others', () => {
    const base = tensor([
      [1, 2],
      [3, 4],
    ]);
    const row = base.select(0, 1);
    const later = base.add(0);
    descend.run([row, tensor([1, 1])], [1]);
    expect(base.toArray()).toEqual([
      [1, 2],
      [2, 3],
    ]);
    expect(later.toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });
});
