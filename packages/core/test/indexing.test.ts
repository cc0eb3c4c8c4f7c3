import { beforeAll, describe, expect, it } from 'vitest';
import { arange, grad, isTesseraError, ones, runtimes, tensor, type Tensor, zeros } from '../src/index.js';
import { plainPlugin } from './support/plain-backend.js';

beforeAll(() => {
  runtimes.current.use(plainPlugin());
});
const int = (...x: number[]) => tensor(x, { dtype: 'int32' });

describe('x.at(…)', () => {
  const x = () => arange(24).reshape(2, 3, 4);

  it('gives views for numbers, slices, null and dots', () => {
    const t = x().clone();
    expect(t.at(1, -1).toArray()).toEqual([20, 21, 22, 23]);
    expect(t.at('...', 0).toArray()).toEqual([
      [0, 4, 8],
      [12, 16, 20],
    ]);
    expect(t.at(0, '::2', '1:3').toArray()).toEqual([
      [1, 2],
      [9, 10],
    ]);
    expect(t.at(0, { start: -2 }, null, 3).shape).toEqual([2, 1]);
    t.at(0, 0).fill_(-1);
    expect(t.at(0, 0).toArray()).toEqual([-1, -1, -1, -1]);
  });

  it('picks entries by tensors that broadcast, where NumPy puts them', () => {
    expect(x().at(':', int(2, 0)).at(0).toArray()).toEqual([
      [8, 9, 10, 11],
      [0, 1, 2, 3],
    ]);
    expect(x().at(int(0, 1), ':', int(3, -4)).toArray()).toEqual([
      [3, 7, 11],
      [12, 16, 20],
    ]);
    expect(x().at(0, int(0, 2).reshape(2, 1), int(1, 3)).toArray()).toEqual([
      [1, 3],
      [9, 11],
    ]);
    expect(x().at(x().ge(22)).toArray()).toEqual([22, 23]);
    expect(x().at(tensor([true, false])).shape).toEqual([1, 3, 4]);
  });

  it('refuses what is out of range', () => {
    for (const index of [[2], [0, 3], [int(0, 2)], [int(0), int(5)]] as const) {
      let code = '';
      try {
        x()
          .at(...index)
          .toArray();
      } catch (error) {
        if (isTesseraError(error)) code = error.code;
      }
      expect(code).toBe('ERR_INDEX_RANGE');
    }
    expect(() => x().at(0, 0, 0, 0)).toThrow(/too many indices/);
    expect(() => x().at(tensor([true, false, true]))).toThrow(/shape of the mask/);
  });

  it('has gradients, repeated indices counting each time', () => {
    const t = tensor([1, 2, 3], { requiresGrad: true });
    expect(grad(t.at(int(0, 2, 0)).sum(), [t])[0]!.toArray()).toEqual([2, 0, 1]);
    expect(grad(t.at('1:').sum(), [t])[0]!.toArray()).toEqual([0, 1, 1]);
  });

  it('reads masks asynchronously too', async () => {
    expect((await x().atAsync(x().lt(2))).toArray()).toEqual([0, 1]);
    expect((await x().nonzeroAsync()).shape).toEqual([23, 3]);
    const places = (tuple: Tensor[]): unknown[] => tuple.map((one) => one.toArray());
    expect(places(await x().nonzeroAsync({ asTuple: true }))).toEqual(places(x().nonzero({ asTuple: true })));
  });
});

describe('writing', () => {
  it('sets through views, tensors and masks', () => {
    const t = zeros(2, 3);
    t.setAt_([0, '1:'], 5).setAt_([int(1, 1), int(0, 2)], tensor([7, 8]));
    expect(t.toArray()).toEqual([
      [0, 5, 5],
      [7, 0, 8],
    ]);
    t.setAt_([t.eq(0)], -1);
    expect(t.toArray()).toEqual([
      [-1, 5, 5],
      [7, -1, 8],
    ]);
  });

  it('keeps the history of values and of what is left', () => {
    const x = ones(3, { requiresGrad: true });
    const v = tensor([10], { requiresGrad: true });
    const y = x.mul(2);
    y.setAt_([int(1)], v);
    const [dx, dv] = grad(y.mul(tensor([1, 2, 3])).sum(), [x, v]);
    expect(dx!.toArray()).toEqual([2, 0, 6]);
    expect(dv!.toArray()).toEqual([2]);
  });

  it('scatters and reduces', () => {
    expect(
      zeros(4)
        .scatterAdd(0, int(1, 1, 3), tensor([1, 2, 3]))
        .toArray(),
    ).toEqual([0, 3, 0, 3]);
    expect(
      ones(3)
        .scatterReduce(0, int(0, 0, 2), tensor([2, 3, 4]), 'prod')
        .toArray(),
    ).toEqual([6, 1, 4]);
    expect(
      ones(3)
        .scatterReduce(0, int(0, 0, 2), tensor([2, 4, 5]), 'mean', { includeSelf: false })
        .toArray(),
    ).toEqual([3, 1, 5]);
    expect(
      zeros(2, 2)
        .indexAdd(1, int(1), tensor([[3], [4]]), { alpha: 2 })
        .toArray(),
    ).toEqual([
      [0, 6],
      [0, 8],
    ]);
    expect(
      zeros(4)
        .maskedScatter(tensor([true, false, true, false]), tensor([1, 2, 3]))
        .toArray(),
    ).toEqual([1, 0, 2, 0]);
  });
});
