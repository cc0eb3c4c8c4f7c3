/** @file A machine with threads outside of a backend, and kernels that tell who ran them. */
import { type FunctionBuilder, i32, i32Atomic, type Local } from '../../src/assembler/index.js';
import { type Kernel, Machine } from '../../src/machine/machine.js';
import { LinearMemory } from '../../src/memory/linear-memory.js';
import { WasmMemory } from '../../src/memory/wasm-memory.js';
import { ThreadPool } from '../../src/threads/thread-pool.js';

/** Much work, in ns. */
export const MUCH = 1e9;

export function machineOf(threads: number, lostAfter?: number): { machine: Machine; pool: ThreadPool } {
  const linear = new LinearMemory(true, 256 * 1024 * 1024);
  const memory = new WasmMemory(linear, Infinity);
  const place = (bytes: Uint8Array): number => {
    const at = memory.scratch(bytes.length);
    linear.u8.set(bytes, at);
    return at;
  };
  const pool = new ThreadPool(linear, threads, place, lostAfter);
  return { machine: new Machine(memory, pool, { fma: false }), pool };
}

type Words = Readonly<Record<'args' | 'begin' | 'end' | 'thread', Local<'i32'>>>;

export function kernelOf(machine: Machine, body: (f: FunctionBuilder, words: Words) => void): Kernel {
  const module = machine.newModule();
  module.function('run', { args: 'i32', begin: 'i32', end: 'i32', thread: 'i32' }, 'void', body, { export: true });
  return machine.compile(module).kernel('run');
}

/** A kernel that counts, for each thread, the units that it did, and lingers on each for a while. */
export const counting = (machine: Machine, table: number): Kernel =>
  kernelOf(machine, (f, { begin, end, thread }) => {
    const spin = f.local('i32');
    f.doWhile(
      () => {
        f.emit(i32Atomic.rmwAdd(i32.add(table, i32.shl(thread, 2)), 1));
        f.set(spin, 100_000);
        f.loop((again) => f.brIf(again, spin.tee(i32.sub(spin, 1))));
      },
      () => i32.ltU(begin.tee(i32.add(begin, 1)), end),
    );
  });

/** Starts the workers, and waits until so many of them are up, for 20 s at most. */
export async function started(pool: ThreadPool, workers: number): Promise<void> {
  pool.start();
  for (let i = 0; pool.ready < workers && i < 2000; i++) await new Promise((resolve) => setTimeout(resolve, 10));
}
