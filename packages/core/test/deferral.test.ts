import { beforeEach, describe, expect, it } from 'vitest';
import * as core from '../src/index.js';
import { type Device, noGrad, Runtime, scope, tensor, Update } from '../src/index.js';
import { type PlainBackend, plainPlugin } from './support/plain-backend.js';

let device: Device;
let backend: PlainBackend;
beforeEach(() => {
  const runtime = new Runtime(core).use(plainPlugin('plain', {}, (b) => (backend = b)));
  device = runtime.device('plain');
});
const t = (values: number[] | number[][], requiresGrad = false): core.Tensor => tensor(values, { device, requiresGrad });

describe('deferral', () => {
  it('launches a chain as one kernel, when it is read', () => {
    const y = t([1, 2, 3]).mul(2).add(1).mul(3);
    expect(backend.calls).toEqual([]);
    expect(y.toArray()).toEqual([9, 15, 21]);
    expect(backend.calls).toEqual(['pointwise']);
  });

  it('gives a reduction its chain as a program', () => {
    const x = t([
      [1, 2],
      [3, 4],
    ]);
    expect(x.mul(x).sum().item()).toBe(30);
    expect(backend.calls).toEqual(['reduce sum']);
  });

  it('runs op by op when eager, with the same results', () => {
    device.eager = true;
    const y = t([1, 2, 3]).mul(2).add(1);
    expect(backend.calls).toEqual(['pointwise', 'pointwise']);
    expect(y.toArray()).toEqual([3, 5, 7]);
  });

  it('throws at the call, not at the launch', () => {
    expect(() => t([1, 2]).add(t([1, 2, 3]))).toThrow(expect.objectContaining({ code: 'ERR_BROADCAST' }));
  });

  it('keeps what deferred readers will read when a tensor is written', () => {
    const x = t([1, 2]);
    const before = x.mul(10);
    x.add_(1);
    x.select(0, 0).fill_(-5);
    expect(before.toArray()).toEqual([10, 20]);
    expect(x.toArray()).toEqual([-5, 3]);
    const p = t([1, 2]);
    const reader = p.mul(2);
    new Update('set', 1, (e, [a], [s]) => [e.add(a!, s!)]).run([p], [5]);
    expect([reader.toArray(), p.toArray()]).toEqual([
      [2, 4],
      [6, 7],
    ]);
    expect(p.version).toBe(1);
  });

  it('computes a dear value once for several consumers', () => {
    const x = t([0, 1]);
    const dear = x.mul(1).div(3).mul(x).div(7).add(x).div(x.add(1)).div(2);
    const a = dear.add(1);
    const b = dear.sub(1);
    a.toArray();
    const launches = device.launches;
    b.toArray();
    expect(device.launches - launches).toBe(1);
  });

  it('does not let a small pending result keep a large tensor alive', () => {
    const big = core.zeros([1 << 16], { device }).realize();
    expect(big.select(0, 3).mul(2).isDeferred).toBe(false);
  });
});

describe('memory', () => {
  it('gives back what a scope made, but what it returns', () => {
    const x = t([1, 2, 3]);
    const live = backend.live;
    const y = scope(() => x.mul(2).realize().add(x.sum()).realize());
    expect(backend.live).toBe(live + 1);
    y.dispose();
    expect(backend.live).toBe(live);
    expect(() => y.toArray()).toThrow(expect.objectContaining({ code: 'ERR_DISPOSED' }));
    expect(() =>
      scope(() => {
        x.mul(2).realize();
        throw new Error('on the way');
      }),
    ).toThrow('on the way');
    expect(backend.live).toBe(live);
  });

  it('keeps what the tape saved until the backward pass has used it', () => {
    const w = t([1, 2], true);
    const live = backend.live;
    const x = t([3, 4]);
    const product = w.mul(x);
    const loss = product.sum();
    x.dispose();
    expect(backend.live).toBeGreaterThan(live);
    loss.backward();
    expect(w.grad!.toArray()).toEqual([3, 4]);
    product.dispose();
    loss.dispose();
    w.grad!.dispose();
    expect(backend.live).toBe(live);
  });

  it('frees a memory that pending work still reads when that work is done', () => {
    const x = t([1, 2]);
    const y = x.add(1);
    const live = backend.live;
    x.dispose();
    expect(backend.live).toBe(live);
    expect(y.toArray()).toEqual([2, 3]);
    y.dispose();
    expect(backend.live).toBe(live - 1);
  });

  it('scopes take async functions by their argument only', async () => {
    expect(() => scope(async () => t([1]))).toThrow(expect.objectContaining({ code: 'ERR_ASYNC_SCOPE' }));
    expect(() => noGrad(async () => t([1]))).toThrow(expect.objectContaining({ code: 'ERR_ASYNC_SCOPE' }));
    const live = backend.live;
    await scope(async (s) => {
      s.track(t([1, 2]).realize());
      await Promise.resolve();
    });
    expect(backend.live).toBe(live);
  });

  it('is freed by the collector when nobody disposes of it', async () => {
    const { gc } = globalThis as { gc?: () => void };
    const collect = gc ?? (await gcFunction());
    const live = backend.live;
    for (let i = 0; i < 50; i++) t([i, i]).mul(2).realize();
    expect(backend.live).toBeGreaterThan(live + 50);
    for (let i = 0; i < 20 && backend.live > live + 10; i++) {
      collect();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(backend.live).toBeLessThanOrEqual(live + 10);
  });
});

/** The engine's collector, without a command-line flag. */
async function gcFunction(): Promise<() => void> {
  const { setFlagsFromString } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
