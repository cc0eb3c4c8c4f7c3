/** @file Device: core's side of one running backend: its programs, its limits, what is live on it. */
import { type Backend, type BackendBuffer, CONTRACT_VERSION, type MemoryStats } from '../backend/contract.js';
import { DeviceError, DTypeError, isTesseraError, MemoryError } from '../errors.js';
import { type DType, DTYPE_INFO } from '../tensor/dtype.js';
import { MAX_INPUTS, MAX_INSTRUCTIONS, MAX_OUTPUTS } from '../tensor/limits.js';
import { Backstop } from '../memory/backstop.js';
import { ProgramCache } from '../tensor/linearize.js';
import { Memory } from '../tensor/memory.js';
import type { Producer } from '../tensor/producer.js';

/** What {@link Device.onLaunch} is told of one launch. */
export interface LaunchEvent {
  readonly kernel: string;
  readonly shape: readonly number[];
  /** The program as text. */
  readonly program?: () => string;
}

/** Longer fused programs gain little and take longer to compile. */
const FUSION_INSTRUCTIONS = 48;
const FUSION_INPUTS = 12;
/** So many results may be promised at a time; an older promise is kept when one more is made, so that nothing waits long with what it is computed from. */
const PROMISES = 8;
/** Of a buffer whose backend does not say: an object of a driver, and the page that it rounds to. */
const BUFFER_OVERHEAD = 65536;

/** A backend in use: what tensors name as their device. Made by a `Runtime`. */
export class Device {
  readonly id: string;
  /** The backend's; while a profiler runs, its measuring ones. @internal */
  kernels: Backend['kernels'];
  readonly programs = new ProgramCache();
  /** Instructions and inputs that a fused program may have. */
  readonly maxInstructions: number;
  readonly maxInputs: number;
  /** Frees what nobody disposed of; null where the engine's collector owns the memory. @internal */
  readonly backstop: Backstop | null;
  /** Run op by op, for debugging. */
  eager = false;
  /** Kernels launched so far. */
  launches = 0;
  /** Called before each launch. */
  onLaunch: ((event: LaunchEvent) => void) | null = null;

  readonly #promises: (Memory | null)[] = [];
  #next = 0;

  /** Its backend; while a profiler runs, one that measures before it hands on. @internal */
  backend: Backend;

  constructor(backend: Backend) {
    this.backend = backend;
    if (backend.contractVersion !== CONTRACT_VERSION) {
      throw new DeviceError(
        'ERR_CONTRACT_VERSION',
        `backend '${backend.id}' implements contract version ${backend.contractVersion}; this core speaks ${CONTRACT_VERSION}`,
        { device: backend.id },
      );
    }
    this.id = backend.id;
    this.kernels = backend.kernels;
    const { capabilities } = backend;
    const { collected = false, bufferOverhead = BUFFER_OVERHEAD } = capabilities;
    this.backstop = collected ? null : new Backstop(() => this.backend, bufferOverhead);
    this.maxInstructions = Math.min(FUSION_INSTRUCTIONS, MAX_INSTRUCTIONS - 8, capabilities.maxInstructions);
    // An op may add two leaves of its own to an argument that is full, and there is an output.
    this.maxInputs = Math.min(FUSION_INPUTS, MAX_INPUTS - 2, capabilities.maxBuffers - 3);
  }

  get syncRead(): boolean {
    return this.backend.capabilities.syncRead;
  }

  /** How many outputs a program with so many inputs may have. */
  maxOutputs(inputs: number): number {
    return Math.min(MAX_OUTPUTS - 2, this.backend.capabilities.maxBuffers - inputs);
  }

  /** @throws DTypeError `ERR_DTYPE_DEVICE` when the backend has no such dtype. */
  allocate(dtype: DType, length: number): Memory {
    this.#check(dtype, length);
    return new Memory(this, this.buffer(dtype, length), dtype, length);
  }

  /** Memory that `producer` writes when it is needed. @throws as {@link allocate} */
  promise(dtype: DType, length: number, producer: Producer): Memory {
    this.#check(dtype, length);
    const memory = new Memory(this, null, dtype, length, producer);
    try {
      void this.#promises[this.#next]?.buffer;
      if (this.eager) void memory.buffer;
    } catch (error) {
      memory.abandon();
      throw error;
    }
    if (this.eager) return memory;
    this.#promises[this.#next] = memory;
    this.#next = (this.#next + 1) % PROMISES;
    return memory;
  }

  /** A promise was kept, or is wanted no more: what is held on to here would be out of the collector's reach. @internal */
  settled(memory: Memory): void {
    const place = this.#promises.indexOf(memory);
    if (place >= 0) this.#promises[place] = null;
  }

  #check(dtype: DType, length: number): void {
    const { capabilities } = this.backend;
    if (!capabilities.dtypes.includes(dtype)) {
      throw new DTypeError('ERR_DTYPE_DEVICE', `device '${this.id}' has no ${dtype}; it has ${capabilities.dtypes.join(', ')}`, {
        device: this.id,
        dtypes: [dtype],
      });
    }
    const bytes = length * DTYPE_INFO[dtype].size;
    if (bytes > capabilities.maxBufferBytes) {
      throw new MemoryError(
        'ERR_BUFFER_SIZE',
        `a tensor of ${length} ${dtype} elements takes ${bytes} bytes; device '${this.id}' allows ${capabilities.maxBufferBytes} a buffer`,
        { device: this.id },
      );
    }
  }

  /** The buffer of a memory of so many elements. */
  buffer(dtype: DType, length: number): BackendBuffer {
    try {
      return this.backend.allocate(dtype, Math.max(length, 1));
    } catch (error) {
      if (isTesseraError(error) && error.code === 'ERR_OUT_OF_MEMORY' && this.backstop !== null)
        error.note(
          'Tensors that nothing refers to are freed between macrotasks: a loop that never awaits one frees none. Await the data loader (or setImmediate), run steps in scope(), or dispose() of what is done with.',
        );
      throw error;
    }
  }

  /** A memory's buffer that nobody needs any more. */
  released(buffer: BackendBuffer): void {
    this.backend.free(buffer);
  }

  memory(): MemoryStats {
    return this.backend.memory();
  }

  /** What `console.log` shows in Node, in place of kernels and caches. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Device(${this.id})`;
  }

  toString(): string {
    return this.id;
  }
}
