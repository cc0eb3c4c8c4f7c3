/**
 * @file The launcher: where kernels meet the queue. It packs parameters and bindings, keeps pipelines by their source, counts, and submits:
 * when enough is dispatched, when somebody reads, or when this thread's synchronous work is done.
 */
import { DeviceError, NotSupportedError } from '@tessera/core/backend';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import type { MatrixUnit } from '../wgsl/matrix-unit.js';
import { type DeviceQueue, FLAG_BUFFER } from './queue.js';

/** Words of parameters that a kernel sees. */
export const PARAMETER_WORDS = 256;
const SUBMIT_AFTER = 256;

/** A compiled kernel, as the queue knows it. */
export interface PipelineSource {
  /** For errors and profiles. */
  readonly label: string;
  readonly reads: number;
  readonly writes: number;
  readonly code: string;
}

const floatScratch = new Float32Array(1);
const floatBits = new Uint32Array(floatScratch.buffer);

export interface LauncherOptions {
  /** Called with each kernel's WGSL when it is first compiled. */
  readonly dumpWgsl?: (label: string, code: string) => void;
  /** Use the kernels for adapters that compute on the CPU? Default: on those. */
  readonly softwareKernels?: boolean;
}

export class Launcher {
  /** Kernels launched. */
  launches = 0;
  /** Pipelines compiled. */
  pipelines = 0;
  /** May sources use float16, and operations of subgroups? */
  readonly halves: boolean;
  readonly subgroups: boolean;
  /** Are kernels to be those for adapters that compute on the CPU? */
  readonly software: boolean;
  /** The adapter's matrix units that are in use. */
  matrixUnits: readonly MatrixUnit[] = [];
  /** Called with each launch's label. */
  onLaunch: ((label: string) => void) | null = null;
  disposed = false;
  readonly #labels: string[] = [];
  readonly #byCode = new Map<string, number>();
  readonly #fixed = new Map<string, number>();
  readonly #words = new Uint32Array(PARAMETER_WORDS);
  readonly #ids = new Uint32Array(32);
  #wordCount = 0;
  #idCount = 0;
  #pending = 0;
  #scheduled = false;

  constructor(
    readonly queue: DeviceQueue,
    readonly options: LauncherOptions = {},
  ) {
    const { features, software } = queue.facts;
    this.software = options.softwareKernels ?? software;
    this.halves = features.includes('shader-f16');
    this.subgroups = features.includes('subgroups') && features.includes('subgroup_id');
  }

  /** The pipeline kept under `key`, compiled now if there is none. */
  pipeline(key: string, make: () => PipelineSource): number {
    let id = this.#fixed.get(key);
    if (id === undefined) this.#fixed.set(key, (id = this.compile(make())));
    return id;
  }

  /** The pipeline of a source; the same source gives the same pipeline. */
  compile({ label, reads, writes, code }: PipelineSource): number {
    const key = `${reads},${writes}\n${code}`;
    let id = this.#byCode.get(key);
    if (id === undefined) {
      const most = this.queue.facts.limits.maxStorageBuffersPerShaderStage;
      if (reads + writes > most)
        throw new NotSupportedError('ERR_KERNEL_BUFFERS', `${label}: ${reads + writes} buffers, this adapter allows ${most}`, {
          op: label,
          device: 'webgpu',
        });
      id = this.pipelines++;
      this.#byCode.set(key, id);
      this.#labels.push(label);
      this.options.dumpWgsl?.(label, code);
      this.queue.createPipeline(id, reads, writes, label, code);
    }
    return id;
  }

  /** Begins a launch: bindings and parameters follow, in the order of the kernel's source. */
  begin(): this {
    this.#wordCount = this.#idCount = 0;
    return this;
  }

  bind(buffer: WebGpuBuffer): this {
    this.#ids[this.#idCount++] = buffer.id;
    return this;
  }

  /** Binds the buffer of flags. */
  bindFlags(): this {
    this.#ids[this.#idCount++] = FLAG_BUFFER;
    return this;
  }

  /** An integer parameter. */
  word(value: number): this {
    this.#words[this.#wordCount++] = value;
    return this;
  }

  float(value: number): this {
    floatScratch[0] = value;
    this.#words[this.#wordCount++] = floatBits[0];
    return this;
  }

  /** Several integers, padded to `count` with `fill`. */
  list(values: ArrayLike<number>, count = values.length, fill = 0): this {
    for (let i = 0; i < count; i++) this.#words[this.#wordCount++] = i < values.length ? values[i] : fill;
    return this;
  }

  /** Runs `pipeline` on so many workgroups in x, which spill over into y, and `z` times that. */
  launch(pipeline: number, workgroups: number, z = 1): void {
    if (this.disposed) throw new DeviceError('ERR_BACKEND_DISPOSED', 'webgpu: the backend was disposed of', { device: 'webgpu' });
    if (this.#wordCount > PARAMETER_WORDS)
      throw new NotSupportedError(
        'ERR_KERNEL_PARAMETERS',
        `${this.#labels[pipeline]}: ${this.#wordCount} parameters, at most ${PARAMETER_WORDS}`,
        {
          op: this.#labels[pipeline],
          device: 'webgpu',
        },
      );
    const most = this.queue.facts.limits.maxComputeWorkgroupsPerDimension;
    let x = workgroups;
    let y = 1;
    if (x > most) {
      y = Math.ceil(workgroups / most);
      x = Math.ceil(workgroups / y);
    }
    this.queue.dispatch(pipeline, x, y, z, this.#ids, this.#idCount, this.#words, this.#wordCount);
    this.launches++;
    if (this.onLaunch !== null) this.onLaunch(this.#labels[pipeline]);
    if (++this.#pending >= SUBMIT_AFTER) this.flush();
    else if (!this.#scheduled) this.#schedule();
  }

  /** Submits what is pending. */
  flush(): void {
    if (this.#pending === 0) return;
    this.#pending = 0;
    this.queue.flush();
  }

  /** A read submits by itself. */
  submitted(): void {
    this.#pending = 0;
  }

  /** When the synchronous code that runs now has ended, nothing more is coming soon. */
  #schedule(): void {
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (!this.disposed) this.flush();
    });
  }
}
