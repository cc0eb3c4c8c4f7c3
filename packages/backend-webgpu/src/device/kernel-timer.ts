/** @file The times of kernel calls, each of which may be several dispatches. */
import type { AcceleratedKernels, KernelTiming, RequiredKernels } from '@tessera/core/backend';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import type { Launcher } from './launcher.js';
import type { DeviceQueue } from './queue.js';

type Kernels = RequiredKernels<WebGpuBuffer> & Partial<AcceleratedKernels<WebGpuBuffer>>;
type Kernel = (...args: unknown[]) => unknown;

export class KernelTimer implements KernelTiming {
  readonly #queue: DeviceQueue;
  readonly #launcher: Launcher;
  readonly #kernels: Record<string, Kernel>;
  readonly #plain: Readonly<Record<string, Kernel>>;
  /** The first launch of each call, and the one behind its last. */
  #calls: number[] = [];
  #first = 0;
  #running = false;

  /** @param kernels While calls are timed, its functions are exchanged for ones that count. */
  constructor(queue: DeviceQueue, launcher: Launcher, kernels: Kernels) {
    this.#queue = queue;
    this.#launcher = launcher;
    this.#kernels = kernels as unknown as Record<string, Kernel>;
    this.#plain = { ...this.#kernels };
  }

  begin(): void {
    this.#calls = [];
    this.#first = this.#launcher.launches;
    this.#queue.beginTiming();
    if (this.#running) return;
    this.#running = true;
    for (const [name, kernel] of Object.entries(this.#plain)) {
      this.#kernels[name] = (...args) => {
        const from = this.#launcher.launches;
        const result = kernel(...args);
        if (result !== false) this.#calls.push(from, this.#launcher.launches);
        return result;
      };
    }
  }

  async end(): Promise<readonly number[]> {
    const [calls, first] = [this.#calls, this.#first];
    this.#calls = [];
    if (this.#running) {
      this.#running = false;
      Object.assign(this.#kernels, this.#plain);
    }
    const dispatches = await this.#queue.endTiming();
    return Array.from({ length: calls.length / 2 }, (_, i) =>
      dispatches.subarray(calls[2 * i] - first, calls[2 * i + 1] - first).reduce((sum, ms) => sum + ms, 0),
    );
  }
}
