/** @file The backend itself: memory in typed arrays, the required kernels in plain TypeScript. */
import {
  type AcceleratedKernels,
  type Backend,
  type Capabilities,
  checkBufferRange,
  CONTRACT_VERSION,
  DeviceError,
  type DType,
  DTYPE_INFO,
  DTYPES,
  type MemoryStats,
  type RequiredKernels,
  elementsWritten,
} from '@tessera/core/backend';
import { gather } from './kernels/gather.js';
import { matmul } from './kernels/matmul.js';
import { createPointwise } from './kernels/pointwise.js';
import { createReduce } from './kernels/reduce.js';
import { scan } from './kernels/scan.js';
import { scatter } from './kernels/scatter.js';
import { sort } from './kernels/sort.js';
import type { CpuBuffer } from './memory/cpu-buffer.js';
import { CpuMemory } from './memory/cpu-memory.js';

export interface CpuBackendOptions {
  /** Compile programs to JavaScript functions where the page allows it (default), or interpret them: the same bits, several times slower. */
  readonly codegen?: boolean;
  /** Allocating beyond this many live bytes throws `ERR_OUT_OF_MEMORY`. Default: no limit but the engine's. */
  readonly maxBytes?: number;
}

/** The backend with the accelerated kernels that it is given; {@link CpuBackend} has all of them. */
export class PlainCpuBackend implements Backend<CpuBuffer> {
  readonly id: string = 'cpu';
  readonly contractVersion = CONTRACT_VERSION;
  readonly capabilities: Capabilities = {
    dtypes: DTYPES,
    syncRead: true,
    maxBuffers: 64,
    maxBufferBytes: 2 ** 32,
    maxInstructions: 128,
    collected: true,
    deterministic: true,
  };
  readonly kernels: RequiredKernels<CpuBuffer> & Partial<AcceleratedKernels<CpuBuffer>>;
  readonly #memory: CpuMemory;
  #disposed = false;

  constructor({ codegen = true, maxBytes = Infinity }: CpuBackendOptions = {}, accelerated: Partial<AcceleratedKernels<CpuBuffer>> = {}) {
    this.#memory = new CpuMemory(maxBytes);
    this.kernels = {
      pointwise: createPointwise(codegen),
      reduce: createReduce(codegen),
      scan,
      matmul,
      gather,
      scatter,
      sort,
      ...accelerated,
    };
  }

  allocate(dtype: DType, length: number): CpuBuffer {
    if (this.#disposed) disposed();
    return this.#memory.allocate(dtype, length);
  }

  free(buffer: CpuBuffer): void {
    if (this.#disposed) disposed();
    this.#memory.free(buffer);
  }

  write(buffer: CpuBuffer, elementOffset: number, hostBytes: Uint8Array): void {
    const length = elementsWritten('cpu', buffer.dtype, hostBytes);
    const start = this.#byteOffset('write', buffer, elementOffset, length);
    buffer.owner!.bytes.set(hostBytes, start);
  }

  readSync(buffer: CpuBuffer, elementOffset: number, length: number): Uint8Array {
    const start = this.#byteOffset('read', buffer, elementOffset, length);
    return buffer.owner!.bytes.slice(start, start + length * DTYPE_INFO[buffer.dtype].size);
  }

  async read(buffer: CpuBuffer, elementOffset: number, length: number): Promise<Uint8Array> {
    return this.readSync(buffer, elementOffset, length);
  }

  async synchronize(): Promise<void> {
    if (this.#disposed) disposed();
  }

  memory(): MemoryStats {
    if (this.#disposed) disposed();
    return this.#memory.stats();
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    this.#memory.dispose();
    // Cheaper than a test in each kernel.
    const kernels = this.kernels as unknown as Record<string, () => never>;
    for (const name of Object.keys(kernels)) kernels[name] = disposed;
  }

  /** Where in its array, in bytes, elements of a buffer begin. */
  #byteOffset(op: string, buffer: CpuBuffer, elementOffset: number, length: number): number {
    if (this.#disposed) disposed();
    checkBufferRange('cpu', op, buffer, buffer.owner === null, elementOffset, length);
    return (buffer.base + elementOffset) * DTYPE_INFO[buffer.dtype].size;
  }
}

function disposed(): never {
  throw new DeviceError('ERR_BACKEND_DISPOSED', 'cpu: the backend was disposed of', { device: 'cpu' });
}
