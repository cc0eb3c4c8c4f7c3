import { beforeAll, describe, expect, it } from 'vitest';
import { arange, blockDiag, grad, meshgrid, runtimes, setPrintoptions, tensor, zeros } from '../src/index.js';
import { plainPlugin } from './support/plain-backend.js';

beforeAll(() => {
  runtimes.current.use(plainPlugin());
});

describe('rearranging', () => {
  const x = () => arange(6).reshape(2, 3);
  it('turns, rolls and repeats', () => {
    expect(x().flip(1).toArray()).toEqual([
      [2, 1, 0],
      [5, 4, 3],
    ]);
    expect(x().t().flip([0, 1]).toArray()).toEqual([
      [5, 2],
      [4, 1],
      [3, 0],
    ]);
    expect(x().rot90().toArray()).toEqual([
      [2, 5],
      [1, 4],
      [0, 3],
    ]);
    expect(x().roll(1).toArray()).toEqual([
      [5, 0, 1],
      [2, 3, 4],
    ]);
    expect(x().roll(-1, 1).toArray()).toEqual([
      [1, 2, 0],
      [4, 5, 3],
    ]);
    expect(tensor([1, 2]).repeat(2, 2).toArray()).toEqual([
      [1, 2, 1, 2],
      [1, 2, 1, 2],
    ]);
    expect(
      tensor([1, 2])
        .repeatInterleave(tensor([1, 2], { dtype: 'int32' }))
        .toArray(),
    ).toEqual([1, 2, 2]);
    expect(x().T.shape).toEqual([3, 2]);
    expect(x().movedim(0, 1).shape).toEqual([3, 2]);
  });

  it('puts diagonals and blocks', () => {
    expect(tensor([1, 2]).diagEmbed().toArray()).toEqual([
      [1, 0],
      [0, 2],
    ]);
    expect(x().trace().item()).toBe(4);
    expect(blockDiag(tensor([[1]]), tensor([[2, 3]])).toArray()).toEqual([
      [1, 0, 0],
      [0, 2, 3],
    ]);
    expect(meshgrid([arange(2), arange(3)], { indexing: 'xy' })[0]!.toArray()).toEqual([
      [0, 1],
      [0, 1],
      [0, 1],
    ]);
  });

  it('has gradients', () => {
    const t = tensor([1, 2, 3], { requiresGrad: true });
    const w = tensor([1, 10, 100]);
    expect(grad(t.flip(0).mul(w).sum(), [t])[0]!.toArray()).toEqual([100, 10, 1]);
    expect(grad(t.repeat(2).sum(), [t])[0]!.toArray()).toEqual([2, 2, 2]);
    expect(grad(t.diagEmbed().sum(0).mul(w).sum(), [t])[0]!.toArray()).toEqual([1, 10, 100]);
  });
});

describe('printing, as torch/_tensor_str.py has it', () => {
  const device = ", device='plain'";
  const text = (t: { toString(): string }): string => t.toString().replace(device, '');
  it('formats numbers to one width', () => {
    expect(text(tensor([1, 2, 3]))).toBe('tensor([1., 2., 3.])');
    expect(text(tensor([1.5, -2, NaN, Infinity]))).toBe('tensor([ 1.5000, -2.0000,     nan,     inf])');
    expect(text(tensor([1e-5, 1]))).toBe('tensor([1.0000e-05, 1.0000e+00])');
    expect(text(tensor([0.03125]))).toBe('tensor([0.0312])');
    expect(text(tensor([true, false]))).toBe('tensor([ True, False])');
    expect(text(tensor(3.25))).toBe('tensor(3.2500)');
    expect(
      text(
        tensor(
          [
            [1, 2],
            [3, 4],
          ],
          { dtype: 'int32' },
        ),
      ),
    ).toBe('tensor([[1, 2],\n        [3, 4]])');
  });

  it('summarises, and says what is not obvious', () => {
    expect(text(arange(2000))).toBe('tensor([   0,    1,    2,  ..., 1997, 1998, 1999])');
    expect(text(zeros(2, 0))).toBe('tensor([], size=(2, 0))');
    const x = tensor([1, 2], { requiresGrad: true });
    expect(text(x)).toBe('tensor([1., 2.], requires_grad=True)');
    expect(text(x.mul(2))).toBe('tensor([2., 4.], grad_fn=<MulBackward0>)');
    setPrintoptions({ precision: 2 });
    expect(text(tensor([1.005]))).toBe('tensor([1.00])');
    setPrintoptions({ profile: 'default' });
  });
});
