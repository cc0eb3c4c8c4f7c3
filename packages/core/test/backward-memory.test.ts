/** @file A backward pass frees what it made for itself, and nothing that others may hold. */
import { beforeEach, describe, expect, it } from 'vitest';
import * as core from '../src/index.js';
import { autograd, checkpoint, type Device, type FunctionContext, grad, Runtime, scope, tensor, type Tensor } from '../src/index.js';
import { type PlainBackend, plainPlugin } from './support/plain-backend.js';

let device: Device;
let backend: PlainBackend;
beforeEach(() => {
  const runtime = new Runtime(core).use(plainPlugin('plain', {}, (b) => (backend = b)));
  device = runtime.device('plain');
});
const leaf = (values: number[]): Tensor => tensor(values, { device, requiresGrad: true });

/** Buffers that `pass` leaves behind, beside those of the tensors that it answers. */
function leftBy(pass: () => readonly Tensor[]): number {
  const before = backend.live;
  for (const t of pass()) t.realize();
  return backend.live - before;
}

describe('memory of a backward pass', () => {
  it('holds the gradients only, when the graph is done with', () => {
    const [a, b] = [leaf([1, 2, 3]), leaf([4, 5, 6])];
    const y = a.mul(b).exp().mul(0.01).tanh().add(a).div(b);
    const loss = y.matmul(a.mul(2));
    loss.realize();
    expect(
      leftBy(() => {
        loss.backward();
        return [a.grad!, b.grad!];
      }),
    ).toBeLessThanOrEqual(2);
  });

  it('adds up over passes in place', () => {
    const a = leaf([1, 2]);
    for (let i = 0; i < 5; i++) {
      const loss = a.exp().sum();
      loss.backward();
      loss.dispose();
    }
    expect(
      leftBy(() => {
        const loss = a.exp().sum();
        loss.backward();
        loss.dispose();
        return [];
      }),
    ).toBeLessThanOrEqual(1);
    [...a.grad!.data()].forEach((x, i) => expect(x).toBeCloseTo(6 * Math.exp(i + 1), 4));
  });

  it('gives the gradients of `grad` to the caller', () => {
    const a = leaf([1, 2]);
    const [da] = grad(a.mul(a).mul(3).sum(), [a]);
    expect(da!.toArray()).toEqual([6, 12]);
    da!.dispose();
    expect(() => da!.toArray()).toThrow(expect.objectContaining({ code: 'ERR_DISPOSED' }));
  });

  it('answers twice for an input that was asked for twice', () => {
    const a = leaf([1, 2]);
    const [first, second] = grad(a.mul(a).sum(), [a, a]);
    first!.dispose();
    expect(second!.toArray()).toEqual([2, 4]);
  });

  it('is freed by zeroGrad where nobody was shown the gradient, and kept where somebody was', () => {
    const a = leaf([1, 2]);
    const model = new (class extends core.Module {
      weight = new core.Parameter(a.detach());
      forward(): Tensor {
        return this.weight.mul(3).sum();
      }
    })();
    const step = (): void => scope(() => model().backward());
    step();
    const before = backend.live;
    model.zeroGrad();
    expect(backend.live).toBe(before - 1);
    step();
    const seen = model.weight.grad!;
    model.zeroGrad();
    expect(model.weight.grad).toBeNull();
    expect(seen.toArray()).toEqual([3, 3]);
  });

  it('leaves to hooks what they keep', () => {
    const a = leaf([1, 2]);
    const kept: Tensor[] = [];
    const middle = a.mul(3);
    middle.registerHook((g) => {
      kept.push(g, g.mul(2));
    });
    a.registerHook((g) => void kept.push(g));
    middle.mul(2).sum().backward();
    expect(kept.map((g) => g.toArray())).toEqual([
      [2, 2],
      [4, 4],
      [6, 6],
    ]);
  });

  it('leaves to custom functions what they keep', () => {
    const kept: Tensor[] = [];
    class Doubled extends autograd.Function {
      static forward(_ctx: FunctionContext, x: Tensor): Tensor {
        return x.mul(2);
      }
      static backward(_ctx: FunctionContext, g: Tensor): Tensor {
        const result = g.mul(2);
        kept.push(g, result, result.add(1));
        return result;
      }
    }
    const a = leaf([1, 2]);
    Doubled.apply(a.mul(1)).mul(5).sum().backward();
    expect(kept.map((g) => g.toArray())).toEqual([
      [5, 5],
      [10, 10],
      [11, 11],
    ]);
    expect(a.grad!.toArray()).toEqual([10, 10]);
  });

  it('leaves alone what hooks unpack, and passes within passes', () => {
    const a = leaf([0.5, 1]);
    const seen: Tensor[] = [];
    const packed = autograd.savedTensorsHooks({ pack: (t) => t.clone(), unpack: (t: Tensor) => (seen.push(t), t) }, () =>
      a.exp().mul(a).sum(),
    );
    packed.backward();
    expect(seen.length).toBeGreaterThan(0);
    for (const t of seen) expect(t.toArray()).toHaveLength(2);
    const expected = a.grad!.toArray();
    a.grad = null;
    checkpoint((x) => checkpoint((y) => y.exp(), x).mul(x), a)
      .sum()
      .backward();
    expect(a.grad!.toArray()).toEqual(expected);
  });

  it('survives tensors that the user disposes of', () => {
    const a = leaf([1, 2]);
    const b = a.mul(2);
    const c = b.mul(b);
    b.dispose();
    const [da] = grad(c.sum(), [a], { createGraph: true });
    const [dda] = grad(da!.sum(), [a]);
    expect([da!.toArray(), dda!.toArray()]).toEqual([
      [8, 16],
      [8, 8],
    ]);
  });

  it('frees what it made when a rule throws', () => {
    class Broken extends autograd.Function {
      static forward(_ctx: FunctionContext, x: Tensor): Tensor {
        return x.mul(2);
      }
      static backward(): Tensor {
        throw new Error('on purpose');
      }
    }
    const a = leaf([1, 2]);
    const loss = Broken.apply(a.exp()).tanh().mul(3).sum().realize();
    const before = backend.live;
    expect(() => loss.backward()).toThrow('on purpose');
    // The gradient that was handed to the user's function is the user's.
    expect(backend.live - before).toBeLessThanOrEqual(1);
  });

  it('does not free the gradients that the caller gave', () => {
    const a = leaf([1, 2]);
    const seed = tensor([1, 10], { device });
    a.add(1).backward(seed);
    a.mul(2).backward(seed);
    expect(seed.toArray()).toEqual([1, 10]);
    expect(a.grad!.toArray()).toEqual([3, 30]);
  });
});
