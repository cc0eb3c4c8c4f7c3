/** @file Memory that the collector does not see is collected in time all the same. */
import { describe, expect, it } from 'vitest';
import * as core from '../src/index.js';
import { empty, MemoryError, Runtime, type Tensor } from '../src/index.js';
import { type PlainBackend, plainPlugin } from './support/plain-backend.js';

const MIB = 2 ** 20;

/** A device whose buffers are numbers on an account: to JavaScript they weigh nothing. */
function weightless(limit = Infinity): { device: core.Device; live: () => number; peak: () => number } {
  let [live, peak] = [0, 0];
  const device = new Runtime(core)
    .use(
      plainPlugin('weightless', {}, (backend: PlainBackend) => {
        backend.allocate = (dtype, length) => {
          live += length * 4;
          peak = Math.max(peak, live);
          if (live > limit) throw new MemoryError('ERR_OUT_OF_MEMORY', `${length * 4} bytes were asked for; ${live} are live`);
          return { dtype, length } as ReturnType<PlainBackend['allocate']>;
        };
        Object.assign(backend.kernels, { pointwise: () => {} });
        backend.free = ({ length }) => void (live -= length * 4);
      }),
    )
    .device('weightless');
  return { device, live: () => live, peak: () => peak };
}

describe('memory of a device', () => {
  it('stays bounded in a loop that frees nothing by hand', async () => {
    const { device, peak } = weightless();
    for (let step = 0; step < 400; step++) {
      for (let i = 0; i < 10; i++) empty([MIB / 4], { device }).realize();
      await new Promise((resolve) => setImmediate(resolve));
    }
    // 4,000 MiB were allocated.
    expect(peak() / MIB).toBeLessThan(1500);
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
});
