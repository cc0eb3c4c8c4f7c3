/**
 * @file What kernels run on: the memory, compiled modules, threads. One a backend.
 *
 * A parallel kernel is an exported function `(arguments, begin, end, thread)`: it reads its arguments at the address `arguments`, does the units of
 * work from `begin` up to below `end`, and may use the part of the scratch that belongs to `thread` (0 is the caller).
 */
import { ModuleBuilder } from '../assembler/index.js';
import type { VectorFunction } from '../math/library.js';
import type { LinearMemory } from '../memory/linear-memory.js';
import { ARGUMENTS } from '../memory/linear-memory.js';
import type { WasmMemory } from '../memory/wasm-memory.js';
import { StaticConstants } from './static-constants.js';
import type { ThreadPool } from '../threads/thread-pool.js';

export type ParallelFunction = (args: number, begin: number, end: number, thread: number) => void;
type Exported = (...args: number[]) => number;

/** A compiled module and its instance on the calling thread. */
export class KernelModule {
  readonly #exports: Readonly<Record<string, Exported>>;
  readonly #names: readonly string[];

  constructor(
    /** What workers compile it from. */
    readonly bytes: Uint8Array<ArrayBuffer>,
    instance: WebAssembly.Instance,
    /** Its number among the modules of its machine. */
    readonly id: number,
  ) {
    this.#exports = instance.exports as Readonly<Record<string, Exported>>;
    this.#names = Object.keys(instance.exports);
  }

  /** An exported function. */
  fn<F extends (...args: never[]) => unknown = Exported>(name: string): F {
    return this.#exports[name] as unknown as F;
  }

  /** An exported function that {@link Machine.parallel} can run. */
  kernel(name: string): Kernel {
    return new Kernel(this, this.#names.indexOf(name), this.fn<ParallelFunction>(name));
  }
}

export class Kernel {
  constructor(
    readonly module: KernelModule,
    /** Its place among the module's exports. */
    readonly index: number,
    readonly run: ParallelFunction,
  ) {}
}

export interface MachineOptions {
  /** Fused multiply-add may be used: faster, and not the same bits as without. */
  readonly fma: boolean;
  /** Functions that pointwise programs may call, by name. Default: none. */
  readonly functions?: Readonly<Record<string, VectorFunction>>;
}

/** Work of less than this many ns is not worth waking others for. */
const WORTH_SHARING = 100_000;

export class Machine {
  readonly linear: LinearMemory;
  readonly fma: boolean;
  readonly functions: Readonly<Record<string, VectorFunction>>;
  readonly #constants: StaticConstants;
  #modules = 0;

  constructor(
    readonly memory: WasmMemory,
    readonly threads: ThreadPool | null,
    options: MachineOptions,
  ) {
    this.linear = memory.linear;
    this.fma = options.fma;
    this.functions = options.functions ?? {};
    this.#constants = new StaticConstants(this.linear);
  }

  /** How many threads may run a kernel, the calling one included: scratch for each is a multiple of this. */
  get threadCount(): number {
    return this.threads === null ? 1 : this.threads.size;
  }

  /** How many threads take part in work of `cost` ns: little is done by the caller alone. */
  threadsFor(cost: number): number {
    return cost < WORTH_SHARING ? 1 : this.threadCount;
  }

  /** A module that imports the memory. */
  newModule(): ModuleBuilder {
    const module = new ModuleBuilder(this.#constants);
    module.importMemory('env', 'memory', { shared: this.linear.shared });
    return module;
  }

  /** Compiles a module and makes its instance, at once. */
  compile(module: ModuleBuilder): KernelModule {
    const bytes = module.bytes();
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory: this.linear.memory } });
    return new KernelModule(bytes, instance, this.#modules++);
  }

  /**
   * Runs `count` units of work, in blocks of `grain` that threads take one by one. The kernel's arguments lie at {@link ARGUMENTS}. `cost` is what all
   * of it may take in ns on one thread, roughly: little is done by the caller alone.
   *
   * @throws DeviceError `ERR_WORKER_FAILED`, `ERR_WORKER_LOST`
   */
  parallel(kernel: Kernel, count: number, grain: number, cost: number): void {
    if (this.threads === null || this.threadsFor(cost) === 1 || count <= grain) kernel.run(ARGUMENTS, 0, count, 0);
    else this.threads.run(kernel, count, grain, cost);
  }
}
