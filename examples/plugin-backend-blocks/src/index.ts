/**
 * @file A backend that keeps every element as a float64, whatever its dtype, and works on blocks of them.
 *
 * @example await init({ plugins: [blocksPlugin], device: 'blocks' });
 */
import {
  type Backend,
  BACKEND,
  type BackendProvider,
  type Capabilities,
  type DType,
  DTYPES,
  type MemoryStats,
  type Plugin,
} from '@tessera/core/backend';
import { kernels } from './kernels.js';
import { type Buffer, DEVICE, disposed, MAX_BUFFER_BYTES, Memory } from './memory.js';

const CONTRACT = 1;
const VERSION = '0.1.0';

export class BlocksBackend implements Backend<Buffer> {
  readonly id = DEVICE;
  readonly contractVersion = CONTRACT;
  readonly capabilities: Capabilities = {
    dtypes: DTYPES,
    syncRead: true,
    maxBuffers: 64,
    maxBufferBytes: MAX_BUFFER_BYTES,
    maxInstructions: 128,
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
    this.#memory.write(buffer, elementOffset, hostBytes);
  }
  readSync(buffer: Buffer, elementOffset: number, length: number): Uint8Array {
    return this.#memory.read(buffer, elementOffset, length);
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
    for (const name of Object.keys(this.kernels)) (this.kernels as Record<string, unknown>)[name] = disposed;
  }
}

export const blocksPlugin: Plugin = {
  name: 'tessera-backend-blocks',
  version: VERSION,
  contract: CONTRACT,
  register({ container }) {
    const provider: BackendProvider = {
      id: DEVICE,
      version: VERSION,
      priority: -10,
      isAvailable: () => ({ available: true }),
      create: () => new BlocksBackend() as Backend,
      createSync: () => new BlocksBackend() as Backend,
    };
    container.register<BackendProvider>(BACKEND, { useValue: provider });
  },
};
