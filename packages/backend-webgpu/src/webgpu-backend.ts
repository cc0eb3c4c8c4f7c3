/** @file The backend itself: memory on the GPU, kernels in generated WGSL. */
import {
  type AcceleratedKernels,
  type Backend,
  type Capabilities,
  checkBufferRange,
  CONTRACT_VERSION,
  DeviceError,
  type DType,
  DTYPE_INFO,
  type KernelCompilation,
  type KernelTiming,
  MemoryError,
  type MemoryStats,
  type RequiredKernels,
  elementsWritten,
} from '@tessera/core/backend';
import { acceleratedKernels } from './accelerated/index.js';
import type { Fault } from './device/faults.js';
import { KernelTimer } from './device/kernel-timer.js';
import { Launcher } from './device/launcher.js';
import { type AdapterFacts, DeviceFault, type DeviceQueue, FLAG_BYTES } from './device/queue.js';
import { type StartOptions, startDevice } from './device/start.js';
import { checkFlags } from './kernels/flags.js';
import { Context } from './kernels/context.js';
import { createGather } from './kernels/gather.js';
import { type MatrixUnitReport, tryMatrixUnits } from './kernels/matrix-check.js';
import { createMatmul } from './kernels/matmul.js';
import { createPointwise } from './kernels/pointwise.js';
import { createReduce } from './kernels/reduce.js';
import { createScan } from './kernels/scan.js';
import { createScatter } from './kernels/scatter.js';
import { createSort } from './kernels/sort.js';
import { storeNarrow } from './kernels/store-narrow.js';
import { BufferPool } from './memory/buffer-pool.js';
import type { WebGpuBuffer } from './memory/webgpu-buffer.js';

export interface WebGpuBackendOptions extends StartOptions {
  /** Allocating beyond this many live bytes throws `ERR_OUT_OF_MEMORY`. Default: no limit but the device's. */
  readonly maxBytes?: number;
  /** Freed memory that is kept for reuse, in bytes. Default: 512 MiB. */
  readonly poolBytes?: number;
  /** Called with the name and the WGSL of each kernel when it is first compiled. */
  readonly dumpWgsl?: (label: string, code: string) => void;
  /** Use the kernels that suit adapters which compute on the CPU (SwiftShader, lavapipe)? Default: on those. False tests a GPU's kernels there. */
  readonly softwareKernels?: boolean;
}

/** What was done so far: differences of two tell what a step costs. */
export interface WebGpuCounters {
  /** Kernels launched. */
  readonly kernels: number;
  /** Command buffers given to the device. */
  readonly submits: number;
  /** GPU buffers made; those that were reused do not count. */
  readonly buffers: number;
  /** Pipelines compiled. */
  readonly pipelines: number;
  readonly bindGroups: number;
}

/** Bytes that one staging buffer takes: larger ones may be more than a device makes. */
const READ_PART = 2 ** 27;
const DTYPES: readonly DType[] = ['float32', 'float16', 'bfloat16', 'int32', 'uint8', 'bool'];

/**
 * WebGPU: in Node through Dawn (npm `webgpu`), in browsers through theirs. Made by {@link createWebGpuBackend}.
 *
 * @example
 * const backend = await createWebGpuBackend({ maxBytes: 2 * 1024 ** 3 });
 */
export class WebGpuBackend implements Backend<WebGpuBuffer> {
  readonly id = 'webgpu';
  readonly contractVersion = CONTRACT_VERSION;
  readonly capabilities: Capabilities;
  readonly kernels: RequiredKernels<WebGpuBuffer> & Partial<AcceleratedKernels<WebGpuBuffer>>;
  /** At once where the device lives in a worker. */
  readonly readSync?: (buffer: WebGpuBuffer, elementOffset: number, length: number) => Uint8Array;
  readonly timing: KernelTiming;
  readonly compilation: KernelCompilation;
  /** What the adapter is and allows. */
  readonly adapter: AdapterFacts;
  #matrixUnits: MatrixUnitReport = { used: [], refused: ['option subgroupMatrices is off'] };
  readonly #queue: DeviceQueue;
  readonly #launcher: Launcher;
  readonly #pool: BufferPool;
  readonly #context: Context;
  #disposed = false;
  #lost: DeviceFault | null = null;

  constructor(queue: DeviceQueue, options: WebGpuBackendOptions = {}) {
    const { limits } = (this.adapter = queue.facts);
    const maxBufferBytes = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize, 2 ** 32 - 4096);
    this.#queue = queue;
    this.#launcher = new Launcher(queue, options);
    this.#pool = new BufferPool(queue, { maxBytes: options.maxBytes ?? Infinity, poolBytes: options.poolBytes ?? 2 ** 29, maxBufferBytes });
    const context = (this.#context = new Context(this.#launcher, this.#pool));
    this.capabilities = {
      dtypes: DTYPES,
      syncRead: queue.synchronous,
      maxBuffers: Math.min(limits.maxStorageBuffersPerShaderStage, 16),
      maxBufferBytes,
      maxInstructions: 100,
      halfProducts: true,
    };
    if (queue.synchronous) this.readSync = (buffer, elementOffset, length) => this.#readNow(buffer, elementOffset, length);
    this.kernels = {
      pointwise: createPointwise(context),
      reduce: createReduce(context),
      scan: createScan(context),
      matmul: createMatmul(context),
      gather: createGather(context),
      scatter: createScatter(context),
      sort: createSort(context),
      ...acceleratedKernels(context),
    };
    const timer = new KernelTimer(queue, this.#launcher, this.kernels);
    this.timing = {
      begin: () => timer.begin(),
      end: () =>
        timer.end().catch((error: unknown) => {
          throw this.#coded(error);
        }),
    };
    this.compilation = {
      begin: () => queue.compileAside(true),
      end: async () => {
        queue.compileAside(false);
        await this.synchronize();
      },
    };
  }

  /** In a worker the device paces its callers; here they have to ask. */
  ready(): Promise<void> | null {
    return this.#queue.ready();
  }

  /** True once a call has found the device to be lost. */
  get lost(): boolean {
    return this.#lost !== null;
  }

  /** Which matrix units multiply, and why others do not. */
  get matrixUnits(): MatrixUnitReport {
    return this.#matrixUnits;
  }

  /** Tries the adapter's matrix units and puts those into use that are right. Before the first work. @internal */
  async tryMatrixUnits(emulated = false): Promise<void> {
    this.#matrixUnits = await tryMatrixUnits(this.#context, emulated);
  }

  /** See {@link WebGpuCounters}. */
  get counters(): WebGpuCounters {
    const { submits, groups } = this.#queue.counters();
    return {
      kernels: this.#launcher.launches,
      pipelines: this.#launcher.pipelines,
      buffers: this.#pool.created,
      submits,
      bindGroups: groups,
    };
  }

  /** Is called with the name of each kernel that is launched. */
  set onLaunch(listener: ((label: string) => void) | null) {
    this.#launcher.onLaunch = listener;
  }

  allocate(dtype: DType, length: number): WebGpuBuffer {
    this.#check();
    return this.#pool.allocate(dtype, length);
  }

  free(buffer: WebGpuBuffer): void {
    if (this.#disposed) this.#check();
    this.#pool.free(buffer);
  }

  write(buffer: WebGpuBuffer, elementOffset: number, hostBytes: Uint8Array): void {
    const length = elementsWritten('webgpu', buffer.dtype, hostBytes);
    const start = this.#byteOffset('write', buffer, elementOffset, length);
    if (length === 0) return;
    if (start % 4 === 0 && hostBytes.length % 4 === 0) this.#queue.write(buffer.id, start, hostBytes);
    else if (start % 4 === 0 && elementOffset + length === buffer.length) {
      // Behind the last element there is room up to the end of its word.
      const whole = new Uint8Array(Math.ceil(hostBytes.length / 4) * 4);
      whole.set(hostBytes);
      this.#queue.write(buffer.id, start, whole);
    } else this.#writeElements(buffer, elementOffset, hostBytes, length);
  }

  /** Narrow elements that share words with others. */
  #writeElements(buffer: WebGpuBuffer, elementOffset: number, hostBytes: Uint8Array, length: number): void {
    const { array: Elements } = DTYPE_INFO[buffer.dtype];
    const words = Uint32Array.from(new Elements(hostBytes.slice().buffer, 0, length));
    const scratch = this.#context.scratch('int32', length);
    this.#queue.write(scratch.id, 0, new Uint8Array(words.buffer));
    storeNarrow(this.#context, scratch, { buffer, dtype: buffer.dtype, shape: [length], strides: [1], offset: elementOffset });
    this.#context.release();
  }

  async read(buffer: WebGpuBuffer, elementOffset: number, length: number): Promise<Uint8Array> {
    const { id, start, bytes, skip } = this.#range(buffer, elementOffset, length);
    this.#launcher.submitted();
    const wanted = length * DTYPE_INFO[buffer.dtype].size;
    try {
      if (bytes <= READ_PART) return this.#finish(await this.#queue.read(id, start, bytes, true), bytes, skip, wanted);
      // Asked for at once, so that all parts are of the same moment.
      const offsets = Array.from({ length: Math.ceil(bytes / READ_PART) }, (_, i) => i * READ_PART);
      const parts = await Promise.all(offsets.map((at) => this.#queue.read(id, start + at, Math.min(READ_PART, bytes - at), false)));
      checkFlags(await this.#queue.read(0, 0, 0, true));
      const all = new Uint8Array(bytes);
      parts.forEach((part, i) => all.set(part, offsets[i]));
      return all.subarray(skip, skip + wanted);
    } catch (error) {
      throw this.#coded(error);
    }
  }

  #readNow(buffer: WebGpuBuffer, elementOffset: number, length: number): Uint8Array {
    const { id, start, bytes, skip } = this.#range(buffer, elementOffset, length);
    this.#launcher.submitted();
    let all: Uint8Array;
    try {
      all = this.#queue.readSync(id, start, bytes, true);
    } catch (error) {
      throw this.#coded(error);
    }
    return this.#finish(all, bytes, skip, length * DTYPE_INFO[buffer.dtype].size);
  }

  async synchronize(): Promise<void> {
    this.#check();
    this.#launcher.submitted();
    try {
      checkFlags(await this.#queue.read(0, 0, 0, true));
    } catch (error) {
      throw this.#coded(error);
    }
  }

  memory(): MemoryStats {
    if (this.#disposed) this.#check();
    return this.#pool.stats();
  }

  /** Loses the device, as a driver's reset would: what follows throws `ERR_DEVICE_LOST`. For tests of what an application does then. */
  loseDevice(): void {
    this.#queue.destroyDevice();
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#launcher.disposed = true;
    await this.#queue.close();
  }

  /** What to read so that elements are in it: whole words. */
  #range(buffer: WebGpuBuffer, elementOffset: number, length: number): { id: number; start: number; bytes: number; skip: number } {
    const { size } = DTYPE_INFO[buffer.dtype];
    const at = this.#byteOffset('read', buffer, elementOffset, length);
    const start = at - (at % 4);
    return { id: buffer.id, start, bytes: Math.ceil((at + length * size - start) / 4) * 4, skip: at - start };
  }

  #finish(all: Uint8Array, bytes: number, skip: number, wanted: number): Uint8Array {
    checkFlags(all.subarray(bytes, bytes + FLAG_BYTES));
    return all.slice(skip, skip + wanted);
  }

  #check(): void {
    if (this.#disposed) throw new DeviceError('ERR_BACKEND_DISPOSED', 'webgpu: the backend was disposed of', { device: 'webgpu' });
    if (this.#lost !== null) throw this.#coded(this.#lost);
  }

  /** Where in the buffer, in bytes, elements begin. */
  #byteOffset(op: string, buffer: WebGpuBuffer, elementOffset: number, length: number): number {
    this.#check();
    checkBufferRange('webgpu', op, buffer, buffer.freed, elementOffset, length);
    return elementOffset * DTYPE_INFO[buffer.dtype].size;
  }

  /** The device's errors in the framework's classes. */
  #coded(error: unknown): unknown {
    if (!(error instanceof DeviceFault)) return error;
    const { kind, message } = error.fault;
    const details = { device: 'webgpu', adapter: this.adapter.description };
    if (this.#disposed) return new DeviceError('ERR_BACKEND_DISPOSED', 'webgpu: the backend was disposed of', details);
    if (kind === 'lost') {
      this.#lost = error;
      return new DeviceError(
        'ERR_DEVICE_LOST',
        `webgpu: the device was lost (${message}); what was on it is gone. init({ device: 'webgpu' }) starts a new one`,
        details,
      );
    }
    if (kind === 'out-of-memory') return this.#outOfMemory(error.fault, details);
    return new DeviceError('ERR_WEBGPU', `webgpu: a kernel failed: ${message}`, details);
  }

  /** The pool gives back what it keeps, so that there is room for the next attempt, and never hands out what there is not. */
  #outOfMemory({ message, bytes, user = null, buffers = [] }: Fault, details: object): MemoryError {
    const live = this.#pool.stats();
    this.#pool.forget(buffers);
    this.#pool.trim(0);
    const asked = bytes === undefined ? '' : ` for ${bytes} bytes${user === null ? '' : `, which ${user} was to use`}`;
    return new MemoryError(
      'ERR_OUT_OF_MEMORY',
      `webgpu: the device has no memory${asked}: ${live.bytes} bytes are live in ${live.buffers} buffers, and ${live.pooledBytes} were kept for reuse.\n` +
        `  What was computed since the last read is lost with it. The device says: ${message.split('\n')[0]}`,
      {
        ...details,
        liveBytes: live.bytes,
        liveBuffers: live.buffers,
        ...(bytes !== undefined && { requestedBytes: bytes }),
        ...(user !== null && { op: user }),
      },
    );
  }
}

/** Starts a device and makes a backend of it. @throws DeviceError `ERR_DEVICE_UNAVAILABLE` with the reason */
export async function createWebGpuBackend(options: WebGpuBackendOptions = {}): Promise<WebGpuBackend> {
  const started = await startDevice(options);
  if ('reason' in started)
    throw new DeviceError('ERR_DEVICE_UNAVAILABLE', `backend 'webgpu' cannot run here: ${started.reason}`, { device: 'webgpu' });
  const backend = new WebGpuBackend(started.queue, options);
  const { subgroupMatrices = false } = options;
  if (subgroupMatrices !== false) await backend.tryMatrixUnits(subgroupMatrices === 'emulated');
  return backend;
}
