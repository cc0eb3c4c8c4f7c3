/** @file The profiler: switched on and off. PyTorch: torch.profiler.profile. */
import { DeviceError, ValueError } from '../errors.js';
import type { Backend } from '../backend/contract.js';
import type { Device } from '../plugin/device.js';
import { deviceWatchers } from '../plugin/device-watchers.js';
import { runtimes } from '../plugin/runtime.js';
import { measuredBackend } from './measured-backend.js';
import { measuredKernels } from './measured-kernels.js';
import { observing } from './observing.js';
import { Profile } from './profile.js';
import { Recorder } from './recorder.js';

export interface ProfilerOptions {
  /**
   * Compute what a module returns before its call ends. Values are deferred: without this, an activation's kernel may run within the next layer,
   * fused with others; with it, each layer's kernels are its own, and fusion over the borders of layers is given up. Default false.
   */
  readonly exactModules?: boolean;
  /** Keep the shapes of what kernels read and write. Default true. */
  readonly recordShapes?: boolean;
}

/** A device that is measured, and what it was before. */
interface Watched {
  readonly device: Device;
  readonly kernels: Backend['kernels'];
  readonly backend: Backend;
}

/**
 * Measures everything between `start` and `stop`, on all devices: modules, backward passes and their nodes, kernels, memory. One at a time. Where
 * a device computes after the call that launches a kernel (a GPU), use `stopAsync`, which waits for it. While no profiler runs, nothing is measured
 * and nothing costs: the kernels themselves are exchanged.
 *
 * @example
 * const profiler = new Profiler();
 * profiler.start();
 * for (const batch of batches) trainStep(batch);
 * console.log(profiler.stop().table({ sortBy: 'self', limit: 10 }));
 */
export class Profiler {
  readonly #options: ProfilerOptions;
  readonly #watched: Watched[] = [];
  #recorder: Recorder | null = null;
  readonly #watch = (device: Device): void => this.#attach(device);

  constructor(options: ProfilerOptions = {}) {
    this.#options = options;
  }

  /** @throws ValueError `ERR_PROFILER` while another one runs. */
  start(): this {
    if (observing.current !== null) throw new ValueError('ERR_PROFILER', 'Profiler.start: a profiler is running already; one at a time');
    this.#recorder = new Recorder({ exactModules: this.#options.exactModules ?? false, recordShapes: this.#options.recordShapes ?? true });
    observing.current = this.#recorder;
    for (const device of runtimes.current.devices) this.#attach(device);
    deviceWatchers.add(this.#watch);
    return this;
  }

  #attach(device: Device): void {
    const recorder = this.#recorder!;
    const { kernels, backend } = device;
    this.#watched.push({ device, kernels, backend });
    recorder.memoryBefore(device);
    device.kernels = measuredKernels(device, kernels, recorder);
    device.backend = measuredBackend(device, backend, recorder);
    backend.timing?.begin();
  }

  /** Ends the measuring, and gives what was found. @throws ValueError `ERR_PROFILER` when it was not started. */
  stop(): Profile {
    // Their clocks run until they are asked; what they say, or that they are lost, is not waited for.
    for (const { backend } of this.#watched) backend.timing?.end().catch(() => {});
    const recorder = this.#detach();
    recorder.finish();
    return this.#profile(recorder);
  }

  /** As {@link stop}, after all devices have done what was asked of them; with the kernels' own times where a device tells them. */
  async stopAsync(): Promise<Profile> {
    const devices = this.#watched.map((w) => w.device);
    const recorder = this.#detach();
    recorder.enter('user', 'waiting for devices');
    await Promise.all(devices.map((d) => d.backend.synchronize()));
    recorder.finish();
    for (const device of devices) {
      const times = await device.backend.timing?.end();
      if (times === undefined) continue;
      const kernels = recorder.spans.filter((s) => s.kind === 'kernel' && s.device === device.id);
      if (times.length !== kernels.length)
        throw new DeviceError('ERR_PROFILER', `backend '${device.id}' timed ${times.length} kernels, but ${kernels.length} were launched`, {
          device: device.id,
        });
      kernels.forEach((span, i) => (span.deviceTime = times[i]!));
    }
    return this.#profile(recorder);
  }

  #detach(): Recorder {
    const recorder = this.#recorder;
    if (recorder === null) throw new ValueError('ERR_PROFILER', 'Profiler.stop: it was not started');
    this.#recorder = null;
    observing.current = null;
    deviceWatchers.delete(this.#watch);
    for (const { device, kernels, backend } of this.#watched) {
      device.kernels = kernels;
      device.backend = backend;
    }
    return recorder;
  }

  #profile(recorder: Recorder): Profile {
    const devices = this.#watched.map(({ device }) => ({ id: device.id, memory: device.memory() }));
    this.#watched.length = 0;
    return new Profile(recorder.root, recorder.spans, recorder.samples, devices);
  }
}

/**
 * Profiles a function: the profile of a synchronous one, or a promise of that of an async one, which waits for all devices. What the function
 * returns is dropped; what it throws is thrown.
 *
 * @example
 * const p = profile(() => { loss(model(x), y).backward(); optimizer.step(); });
 * console.log(p.table({ sortBy: 'self' }));
 * console.log(p.table({ groupBy: 'module' }));
 * writeFileSync('trace.json', p.exportChromeTrace()); // for chrome://tracing or ui.perfetto.dev
 */
export function profile(fn: () => Promise<unknown>, options?: ProfilerOptions): Promise<Profile>;
export function profile(fn: () => unknown, options?: ProfilerOptions): Profile;
export function profile(fn: () => unknown, options: ProfilerOptions = {}): Profile | Promise<Profile> {
  const profiler = new Profiler(options).start();
  let result: unknown;
  try {
    result = fn();
  } catch (error) {
    profiler.stop();
    throw error;
  }
  if (!(result instanceof Promise)) return profiler.stop();
  return result.then(
    () => profiler.stopAsync(),
    (error: unknown) => {
      profiler.stop();
      throw error;
    },
  );
}
