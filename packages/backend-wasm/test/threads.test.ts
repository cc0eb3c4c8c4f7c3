/** Threads: the same results as without, work that others really do, workers that fail or die. */
import { describe, expect, it } from 'vitest';
import { i32 } from '../src/assembler/index.js';
import { WasmBackend } from '../src/index.js';
import type { ThreadPool } from '../src/threads/thread-pool.js';
import { counting, kernelOf, machineOf, MUCH, started } from './support/threads.js';
import { empty, identity, make, randoms, single, values } from './views.js';

async function untilReady(pool: ThreadPool, workers: number): Promise<void> {
  await started(pool, workers);
  expect(pool.ready).toBe(workers);
}

describe('the pool', () => {
  it('shares the work, does each unit once, and is there again for the next job', async () => {
    const { machine, pool } = machineOf(3);
    await untilReady(pool, 2);
    const table = machine.memory.scratch(64);
    const kernel = counting(machine, table);
    let others = 0;
    for (let job = 0; job < 50; job++) {
      machine.linear.u8.fill(0, table, table + 64);
      machine.parallel(kernel, 101, 2, MUCH);
      const [mine, second, third] = machine.linear.i32.subarray(table / 4, table / 4 + 3);
      expect(mine + second + third).toBe(101);
      others += second + third;
    }
    expect(others).toBeGreaterThan(0);
    pool.stop();
    machine.parallel(kernel, 5, 1, MUCH);
  });

  it('starts no worker for little work, and works alone until they are up', () => {
    const { machine, pool } = machineOf(2);
    const table = machine.memory.scratch(64);
    machine.linear.u8.fill(0, table, table + 64);
    machine.parallel(counting(machine, table), 10, 1, 1000);
    expect(machine.linear.i32[table / 4]).toBe(10);
    expect(pool.ready).toBe(0);
    pool.stop();
  });

  it('gives the error of a kernel that fails on a worker a code', async () => {
    const { machine, pool } = machineOf(2);
    await untilReady(pool, 1);
    const failing = kernelOf(machine, (f, { begin, thread }) => {
      f.if(thread, () => f.unreachable());
      // The caller leaves some of it to the other.
      const spin = f.local('i32', i32.add(begin, 3_000_000));
      f.loop((again) => f.brIf(again, spin.tee(i32.sub(spin, 1))));
    });
    expect(() => {
      for (let i = 0; i < 100; i++) machine.parallel(failing, 64, 1, MUCH);
    }).toThrow(expect.objectContaining({ code: 'ERR_WORKER_FAILED', message: expect.stringContaining('unreachable') }));
    const table = machine.memory.scratch(64);
    machine.linear.u8.fill(0, table, table + 64);
    machine.parallel(counting(machine, table), 10, 1, MUCH);
    expect(machine.linear.i32[table / 4] + machine.linear.i32[table / 4 + 1]).toBe(10);
    pool.stop();
  });

  it('says once that a worker has died, and goes on without it', async () => {
    const { machine, pool } = machineOf(2);
    await untilReady(pool, 1);
    pool.workers[0].terminate();
    for (let i = 0; i < 500; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      try {
        pool.check();
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_WORKER_LOST' });
        break;
      }
      expect(i).toBeLessThan(499);
    }
    const table = machine.memory.scratch(64);
    machine.linear.u8.fill(0, table, table + 64);
    machine.parallel(counting(machine, table), 7, 1, MUCH);
    expect(machine.linear.i32[table / 4]).toBe(7);
    pool.stop();
  });

  it('gives up a worker that is lost inside a job, with a code, and goes on without it', async () => {
    const { machine, pool } = machineOf(2, 300);
    await untilReady(pool, 1);
    // The worker never comes back from its part, as if it had died there: the caller, which waits, can tell no difference.
    const losing = kernelOf(machine, (f, { begin, thread }) => {
      f.if(thread, () => f.loop((again) => f.br(again)));
      const spin = f.local('i32', i32.add(begin, 3_000_000));
      f.loop((again) => f.brIf(again, spin.tee(i32.sub(spin, 1))));
    });
    expect(() => {
      for (let i = 0; i < 100; i++) machine.parallel(losing, 64, 1, MUCH);
    }).toThrow(expect.objectContaining({ code: 'ERR_WORKER_LOST', message: expect.stringContaining('did not come back') }));
    const table = machine.memory.scratch(64);
    machine.linear.u8.fill(0, table, table + 64);
    machine.parallel(counting(machine, table), 10, 1, MUCH);
    expect([...machine.linear.i32.subarray(table / 4, table / 4 + 2)]).toEqual([10, 0]);
  });
});

describe('a backend with threads', () => {
  it('gives the same bits as one without', async () => {
    const n = 300_000;
    const data = randoms(5, n, -3, 3);
    const run = async (threads: number): Promise<number[][]> => {
      const wasm = new WasmBackend({ threads, deterministic: true });
      const x = make(wasm, 'float32', [300, 1000], data);
      const results: number[][] = [];
      // Several times: workers are up after a while.
      for (let round = 0; round < 30; round++) {
        const [y, rows, columns, total] = [
          [300, 1000],
          [300, 1],
          [1, 1000],
          [1, 1],
        ].map((shape) => empty(wasm, 'float32', shape));
        wasm.kernels.pointwise(single('tanh', ['float32'], 'float32'), [], [x], [y]);
        wasm.kernels.reduce('sum', identity('float32'), [], [y], rows, [1]);
        wasm.kernels.reduce('sum', identity('float32'), [], [y], columns, [0]);
        wasm.kernels.reduce('sum', identity('float32'), [], [y], total, [0, 1]);
        if (round % 29 === 0) results.push(values(wasm, y), values(wasm, rows), values(wasm, columns), values(wasm, total));
        for (const view of [y, rows, columns, total]) wasm.free(view.buffer);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await wasm.dispose();
      return results;
    };
    expect(await run(2)).toEqual(await run(1));
  });

  it('refuses a number of threads that is none', () => {
    expect(() => new WasmBackend({ threads: 0 })).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
  });
});
