/**
 * @file The smallest backend of Tessera: the four dtypes that are required, and the seven kernels by plain loops.
 *
 * @example await init({ plugins: [minimalPlugin], device: 'minimal' });
 */
import {
  type Backend,
  type BackendProvider,
  type Capabilities,
  DeviceError,
  type DType,
  type MemoryStats,
  type Plugin,
} from '@tessera/core';
import * as kernels from './kernels.js';
import { type Buffer, Memory } from './memory.js';

const CONTRACT = 1;

export class MinimalBackend implements Backend<Buffer> {
  readonly id = 'minimal';
  readonly contractVersion = CONTRACT;
  readonly capabilities: Capabilities = {
    dtypes: ['float32', 'int32', 'uint8', 'bool'],
    syncRead: true,
    maxBuffers: 16,
    maxBufferBytes: 2 ** 31,
    maxInstructions: 64,
    collected: true,
    deterministic: true,
  };
  readonly kernels = { ...kernels };
  readonly #memory = new Memory();

  allocate(dtype: DType, length: number): Buffer {
    return this.#memory.allocate(dtype, length);
  }
  free(buffer: Buffer): void {
    this.#memory.free(buffer);
  }
  write(buffer: Buffer, elementOffset: number, hostBytes: Uint8Array): void {
    this.#memory.bytes(buffer, elementOffset, hostBytes.length / buffer.data.BYTES_PER_ELEMENT).set(hostBytes);
  }
  readSync(buffer: Buffer, elementOffset: number, length: number): Uint8Array {
    return this.#memory.bytes(buffer, elementOffset, length).slice();
  }
  async read(buffer: Buffer, elementOffset: number, length: number): Promise<Uint8Array> {
    return this.readSync(buffer, elementOffset, length);
  }
  async synchronize(): Promise<void> {
    this.#memory.stats();
  }
  memory(): MemoryStats {
    return this.#memory.stats();
  }
  async dispose(): Promise<void> {
    this.#memory.end();
    const ended = (): never => {
      throw new DeviceError('ERR_BACKEND_DISPOSED', 'minimal: the backend was disposed of', { device: 'minimal' });
    };
    for (const name of Object.keys(this.kernels)) (this.kernels as Record<string, unknown>)[name] = ended;
  }
}

export const minimalPlugin: Plugin = {
  name: 'tessera-backend-minimal',
  version: '0.1.0',
  contract: CONTRACT,
  register({ container, core }) {
    const provider: BackendProvider = {
      id: 'minimal',
      version: '0.1.0',
      priority: -10,
      isAvailable: () => ({ available: true }),
      create: () => new MinimalBackend() as Backend,
      createSync: () => new MinimalBackend() as Backend,
    };
    container.register<BackendProvider>(core.BACKEND, { useValue: provider });
  },
};
