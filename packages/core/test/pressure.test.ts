/** @file Memory that the collector does not see is collected in time all the same. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import * as core from '../src/index.js';
import { type Capabilities, empty, MemoryError, Runtime, type Tensor } from '../src/index.js';
import { type PlainBackend, plainPlugin } from './support/plain-backend.js';

const MIB = 2 ** 20;

/** A device whose buffers are numbers on an account: to JavaScript they weigh nothing. */
function weightless(limit = Infinity, capabilities: Partial<Capabilities> = {}): { device: core.Device; live: () => number } {
  let live = 0;
  const device = new Runtime(core)
    .use(
      plainPlugin('weightless', capabilities, (backend: PlainBackend) => {
        backend.allocate = (dtype, length) => {
          live += length * 4;
          if (live > limit) throw new MemoryError('ERR_OUT_OF_MEMORY', `${length * 4} bytes were asked for; ${live} are live`);
          return { dtype, length } as ReturnType<PlainBackend['allocate']>;
        };
        Object.assign(backend.kernels, { pointwise: () => {} });
        backend.free = ({ length }) => void (live -= length * 4);
      }),
    )
    .device('weightless');
  return { device, live: () => live };
}

describe('memory of a device', () => {
  it('stays bounded in a loop that frees nothing by hand', async () => {
    const { device, live } = weightless();
    // When the collector comes is the engine's affair, and later on a busy machine; that it comes, and again, is ours.
    // With hints, five take some 170 steps; without them 20,000 steps see one.
    const enough = 5;
    let [collections, steps, before] = [0, 0, 0];
    for (; collections < enough && steps < 20_000; steps++) {
      for (let i = 0; i < 10; i++) empty([MIB / 4], { device }).realize();
      before = live();
      await new Promise((resolve) => setImmediate(resolve));
      if (live() < before) collections++;
    }
    expect(collections).toBe(enough);
  });

  it('counts what is kept', () => {
    const { device, live } = weightless();
    const kept: Tensor[] = [];
    for (let i = 0; i < 20; i++) kept.push(empty([MIB / 4], { device }).realize());
    expect(live()).toBe(20 * MIB);
    for (const t of kept) t.dispose();
    expect(live()).toBe(0);
  });

  it('says what to do when a loop without an await runs out', () => {
    const { device } = weightless(50 * MIB);
    const fill = (): void => {
      for (let i = 0; i < 100; i++) empty([MIB / 4], { device }).realize();
    };
    expect(fill).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_MEMORY', message: expect.stringContaining('scope()') as string }));
  });

  it('is freed in groups, where tensors are small and buffers weigh nothing; what is disposed of, at once', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const { device, live } = weightless(Infinity, { bufferOverhead: 0 });
    const make = (n: number): Tensor => empty([n], { device }).realize();
    const [loss, norm] = [make(1), make(200)];
    for (let i = 0; i < 1000; i++) {
      make(4);
      make(100);
      make(16).dispose();
    }
    // The groups of the two that live, and those that are not full yet: 32 of up to 64 bytes each, 8 of up to 1024.
    const most = 2 * 32 * 64 + 2 * 8 * 800;
    // Each wait is a chance for finalizers; how many the engine takes is its affair.
    for (let i = 0; i < 100 && live() >= most; i++) {
      collect();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(live()).toBeLessThan(most);
    loss.dispose();
    norm.dispose();
  });
});
