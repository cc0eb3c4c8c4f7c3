/** @file The backend itself: one linear memory, and kernels compiled for it, of the parts that it is made of. */
import {
  type Backend,
  type Capabilities,
  checkBufferRange,
  CONTRACT_VERSION,
  DeviceError,
  type DType,
  DTYPE_INFO,
  DTYPES,
  type MemoryStats,
  ValueError,
  elementsWritten,
} from '@tessera/core/backend';
import { createPointwise } from './kernels/pointwise.js';
import { KernelHost } from './code/kernel-host.js';
import { hasRelaxedSimd, whyUnavailable } from './machine/features.js';
import { Machine } from './machine/machine.js';
import { LinearMemory, PAGE } from './memory/linear-memory.js';
import type { WasmBuffer } from './memory/wasm-buffer.js';
import { WasmMemory } from './memory/wasm-memory.js';
import { leftOut } from './parts/left-out.js';
import { PART_OF_KERNEL, type PartContext, type WasmKernels, type WasmPart } from './parts/part.js';
import type { ThreadPool } from './threads/thread-pool.js';

export interface WasmBackendOptions {
  /**
   * How many threads run a kernel, the calling one included; more than 1 needs SharedArrayBuffer (in a page: cross-origin isolation), without
   * which it is 1. They are started when work that is worth it first comes. Default: as many as there are cores, 8 at most.
   */
  readonly threads?: number;
  /** The same bits on every machine, fused or not: no relaxed SIMD, whose multiply-add rounds once where the machine can. Default false. */
  readonly deterministic?: boolean;
  /**
   * Convolutions of 3x3 by Winograd's filtering: up to three times as fast, with a rounding error like a direct sum's. Infinity in an input makes the
   * whole tile around it NaN, where a direct sum makes it infinite. Default true.
   */
  readonly winograd?: boolean;
  /** Allocating beyond this many live bytes throws `ERR_OUT_OF_MEMORY`. Default: no limit but the engine's, 4 GiB. */
  readonly maxBytes?: number;
}

/** WebAssembly SIMD, with what `parts` bring; {@link WasmBackend} has all of them. */
export class ComposedWasmBackend implements Backend<WasmBuffer> {
  readonly id = 'wasm';
  readonly contractVersion = CONTRACT_VERSION;
  readonly capabilities: Capabilities;
  readonly kernels: WasmKernels;
  readonly #memory: WasmMemory;
  readonly #machine: Machine;
  readonly #threads: ThreadPool | null;
  #disposed = false;

  /** @throws DeviceError `ERR_DEVICE_UNAVAILABLE` without SIMD, or where a policy forbids WebAssembly; MemoryError `ERR_OUT_OF_MEMORY` */
  constructor(parts: readonly WasmPart[], options: WasmBackendOptions = {}) {
    const threading = lastOf(parts, 'threading');
    const { threads = threading?.defaultCount() ?? 1, deterministic = false, winograd = true, maxBytes = Infinity } = options;
    const reason = whyUnavailable();
    if (reason !== undefined) throw new DeviceError('ERR_DEVICE_UNAVAILABLE', `wasm: ${reason}`, { device: 'wasm' });
    if (!(Number.isInteger(threads) && threads >= 1))
      throw new ValueError('ERR_OPTION', `wasm: threads must be a whole number of 1 or more, not ${threads}`, { device: 'wasm' });
    const shared = threads > 1 && threading?.available() === true;
    const linear = new LinearMemory(shared, maxBytes === Infinity ? 65536 * PAGE : maxBytes * 1.25 + 64 * PAGE);
    this.#memory = new WasmMemory(linear, maxBytes);
    this.#threads = shared ? threading.create(linear, threads, (bytes) => this.#place(bytes)) : null;
    const fma = !deterministic && hasRelaxedSimd();
    this.#machine = new Machine(this.#memory, this.#threads, { fma, functions: Object.assign({}, ...parts.map((part) => part.functions)) });
    this.capabilities = {
      dtypes: DTYPES,
      syncRead: true,
      maxBuffers: 64,
      maxBufferBytes: linear.maxBytes - PAGE,
      maxInstructions: 128,
      bufferOverhead: 0,
      deterministic: !fma,
    };
    this.kernels = createKernels(this.#machine, parts, winograd);
  }

  /** Puts a module's bytes where workers find them. They stay. */
  #place(bytes: Uint8Array): number {
    const address = this.#memory.scratch(bytes.length);
    this.#memory.linear.u8.set(bytes, address);
    return address;
  }

  allocate(dtype: DType, length: number): WasmBuffer {
    if (this.#disposed) disposed();
    return this.#memory.allocate(dtype, length);
  }

  free(buffer: WasmBuffer): void {
    if (this.#disposed) disposed();
    this.#memory.free(buffer);
  }

  write(buffer: WasmBuffer, elementOffset: number, hostBytes: Uint8Array): void {
    const length = elementsWritten('wasm', buffer.dtype, hostBytes);
    const start = this.#addressOf('write', buffer, elementOffset, length);
    this.#memory.linear.u8.set(hostBytes, start);
  }

  readSync(buffer: WasmBuffer, elementOffset: number, length: number): Uint8Array {
    const start = this.#addressOf('read', buffer, elementOffset, length);
    const bytes = new Uint8Array(length * DTYPE_INFO[buffer.dtype].size);
    bytes.set(this.#memory.linear.u8.subarray(start, start + bytes.length));
    return bytes;
  }

  async read(buffer: WasmBuffer, elementOffset: number, length: number): Promise<Uint8Array> {
    this.#threads?.check();
    return this.readSync(buffer, elementOffset, length);
  }

  async synchronize(): Promise<void> {
    if (this.#disposed) disposed();
    this.#threads?.check();
  }

  memory(): MemoryStats {
    if (this.#disposed) disposed();
    return this.#memory.stats();
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#threads?.stop();
    this.#memory.dispose();
    // Cheaper than a test in each kernel.
    const kernels = this.kernels as unknown as Record<string, () => never>;
    for (const name of Object.keys(kernels)) kernels[name] = disposed;
  }

  /** Where elements of a buffer begin. */
  #addressOf(op: string, buffer: WasmBuffer, elementOffset: number, length: number): number {
    if (this.#disposed) disposed();
    checkBufferRange('wasm', op, buffer, buffer.freed, elementOffset, length);
    return buffer.address + elementOffset * DTYPE_INFO[buffer.dtype].size;
  }
}

/** What the last part brings that has such a thing. */
const lastOf = <K extends keyof WasmPart>(parts: readonly WasmPart[], key: K): WasmPart[K] | undefined =>
  parts.findLast((part) => part[key])?.[key];

function createKernels(machine: Machine, parts: readonly WasmPart[], winograd: boolean): WasmKernels {
  const host = new KernelHost(machine);
  const context: PartContext = { machine, host, winograd: winograd ? (lastOf(parts, 'winograd') ?? null) : null };
  const kernels: Partial<WasmKernels> = { pointwise: createPointwise(machine, lastOf(parts, 'rearranger')?.(machine) ?? null) };
  for (const part of parts) Object.assign(kernels, part.kernels?.(context));
  for (const [name, part] of Object.entries(PART_OF_KERNEL) as [keyof typeof PART_OF_KERNEL, string][])
    kernels[name] ??= () => {
      throw leftOut(name, part);
    };
  return kernels as WasmKernels;
}

function disposed(): never {
  throw new DeviceError('ERR_BACKEND_DISPOSED', 'wasm: the backend was disposed of', { device: 'wasm' });
}
