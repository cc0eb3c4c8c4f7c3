/** @file Stand-in for memory and pool. */
import type { ModuleCode } from '../code/module-code.js';
export interface Task { readonly run: (params: number, begin: number, end: number, scratch: number) => void }
export class KernelHost {
  readonly memory = new WebAssembly.Memory({ initial: 16384, maximum: 32768, shared: true } as WebAssembly.MemoryDescriptor);
  readonly threads: number = 1;
  readonly #modules = new Map<string, WebAssembly.Exports>();
  readonly ints = new Int32Array(this.memory.buffer);
  readonly #params = 1024;
  readonly #scratch = 65536;
  top = 300 << 20;
  shared(bytes: number): number { if (bytes > 200 << 20) throw new Error('shared'); return 64 << 20; }
  allocate(bytes: number): number { const at = this.top; this.top += Math.ceil(bytes / 64) * 64 + 64; return at; }
  module(key: string, emit: () => ModuleCode): (name: string) => Task {
    let exports = this.#modules.get(key);
    if (exports === undefined) {
      exports = new WebAssembly.Instance(new WebAssembly.Module(emit().bytes(true)), { env: { memory: this.memory } }).exports;
      this.#modules.set(key, exports);
    }
    return (name) => ({ run: exports[name] as Task['run'] });
  }
  launch(task: Task, args: readonly number[], count: number, scratch: number): void {
    const at = this.#params >> 2;
    for (let i = 0; i < args.length; i++) this.ints[at + i] = args[i];
    if (scratch > 60 << 20) throw new Error('scratch');
    task.run(this.#params, 0, count, this.#scratch);
  }
}
