/** @file The backend: the CPU's memory and kernels, with products and convolutions by OpenBLAS. */
import { createCpuBackend, type CpuBackend, type CpuBackendOptions, type CpuBuffer } from '@tessera/backend-cpu';
import { type AcceleratedKernels, type Backend, DeviceError, type DType, type MemoryStats, type RequiredKernels } from '@tessera/core';
import { convolutionsBy } from './convolutions.js';
import { OpenBlas } from './open-blas.js';
import { linearBy, matmulBy } from './products.js';

/** The version of the kernel contract that this was written for. */
export const CONTRACT = 1;

export interface OpenBlasOptions extends CpuBackendOptions {
  /** Threads of OpenBLAS. Default: what it chooses itself, or OPENBLAS_NUM_THREADS. */
  readonly threads?: number;
  /** Default: OPENBLAS_LIBRARY, or the name that the system has for it. */
  readonly library?: string;
}

export class OpenBlasBackend implements Backend<CpuBuffer> {
  readonly id = 'openblas';
  readonly contractVersion = CONTRACT;
  readonly capabilities: CpuBackend['capabilities'];
  readonly kernels: RequiredKernels<CpuBuffer> & Partial<AcceleratedKernels<CpuBuffer>>;
  readonly #cpu: CpuBackend;

  /** @throws Error where the library is missing */
  constructor({ threads, library, ...options }: OpenBlasOptions = {}) {
    const blas = OpenBlas.load(library);
    if (threads !== undefined) blas.setThreads(threads);
    this.#cpu = createCpuBackend(options);
    this.capabilities = this.#cpu.capabilities;
    const { kernels } = this.#cpu;
    this.kernels = { ...kernels, matmul: matmulBy(blas, kernels), linear: linearBy(blas, kernels), ...convolutionsBy(blas, kernels) };
  }

  allocate(dtype: DType, length: number): CpuBuffer {
    return this.#cpu.allocate(dtype, length);
  }
  free(buffer: CpuBuffer): void {
    this.#cpu.free(buffer);
  }
  write(buffer: CpuBuffer, elementOffset: number, hostBytes: Uint8Array): void {
    this.#cpu.write(buffer, elementOffset, hostBytes);
  }
  readSync(buffer: CpuBuffer, elementOffset: number, length: number): Uint8Array {
    return this.#cpu.readSync(buffer, elementOffset, length);
  }
  read(buffer: CpuBuffer, elementOffset: number, length: number): Promise<Uint8Array> {
    return this.#cpu.read(buffer, elementOffset, length);
  }
  synchronize(): Promise<void> {
    return this.#cpu.synchronize();
  }
  memory(): MemoryStats {
    return this.#cpu.memory();
  }
  async dispose(): Promise<void> {
    await this.#cpu.dispose();
    const ended = (): never => {
      throw new DeviceError('ERR_BACKEND_DISPOSED', 'openblas: the backend was disposed of', { device: 'openblas' });
    };
    for (const name of Object.keys(this.kernels)) (this.kernels as unknown as Record<string, () => never>)[name] = ended;
  }
}
