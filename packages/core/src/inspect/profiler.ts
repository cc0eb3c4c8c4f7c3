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
import type { ProfilerSchedule } from './profiler-schedule.js';
import { Recorder } from './recorder.js';
import { checkOptions, type OptionNames } from '../options.js';

const PROFILER_OPTIONS: OptionNames<ProfilerOptions> = { exactModules: true, recordShapes: true, schedule: true, onTraceReady: true };

export interface ProfilerOptions {
  /**
   * Compute what a module returns before its call ends. Values are deferred: without this, an activation's kernel may run within the next layer,
   * fused with others; with it, each layer's kernels are its own, and fusion over the borders of layers is given up. Default false.
   */
  readonly exactModules?: boolean;
  /** Keep the shapes of what kernels read and write. Default true. */
  readonly recordShapes?: boolean;
  /**
   * Which steps are recorded, of those that {@link Profiler.step} tells apart: see `profilerSchedule`. Default: everything from start to stop.
   */
  readonly schedule?: ProfilerSchedule;
  /** Gets each profile that the schedule closes, and the number of the step that was the last in it. PyTorch: on_trace_ready. */
  readonly onTraceReady?: (profile: Profile, step: number) => void;
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
 * With a `schedule` only some steps of a loop are recorded, so that it can stay in a long training.
 *
 * @example
 * const profiler = new Profiler();
 * profiler.start();
 * for (const batch of batches) trainStep(batch);
 * console.log(profiler.stop().table({ sortBy: 'self', limit: 10 }));
 * @example
 * const profiler = new Profiler({
 *   schedule: profilerSchedule({ wait: 1, warmup: 1, active: 3, repeat: 2 }),
 *   onTraceReady: (profile, step) => writeFileSync(`trace-${step}.json`, profile.exportChromeTrace()),
 * }).start();
 * for (const batch of batches) {
 *   trainStep(batch);
 *   profiler.step(); // on a GPU: await profiler.stepAsync()
 * }
 * profiler.stop();
 */
export class Profiler {
  readonly #options: ProfilerOptions;
  readonly #watched: Watched[] = [];
  #recorder: Recorder | null = null;
  readonly #watch = (device: Device): void => this.#attach(device);
  #started = false;
  #step = 0;
  #action: ReturnType<ProfilerSchedule> = 'record';
  #last: Profile | null = null;

  constructor(options: ProfilerOptions = {}) {
    checkOptions('Profiler', options, PROFILER_OPTIONS);
    this.#options = options;
  }

  /** The step that the loop is in, from 0. PyTorch: step_num. */
  get stepNumber(): number {
    return this.#step;
  }

  /** @throws ValueError `ERR_PROFILER` while another one runs. */
  start(): this {
    if (this.#started) throw new ValueError('ERR_PROFILER', 'Profiler.start: it was started already');
    this.#step = 0;
    this.#last = null;
    this.#action = this.#options.schedule?.(0) ?? 'record';
    if (this.#action !== 'none') this.#record();
    this.#started = true;
    return this;
  }

  /**
   * One step of the loop is over, and the next begins. What the schedule closes with it goes to `onTraceReady`. Call it outside of `recordFunction`.
   * @throws ValueError `ERR_PROFILER` when it was not started, or has no schedule.
   */
  step(): void {
    const next = this.#next();
    if (this.#recorder !== null && closes(this.#action, next)) this.#hand(this.#action, this.#finish());
    this.#begin(next);
  }

  /** As {@link step}; when it closes a profile, after all devices have done what was asked of them. */
  async stepAsync(): Promise<void> {
    const next = this.#next();
    if (this.#recorder !== null && closes(this.#action, next)) this.#hand(this.#action, await this.#finishAsync());
    this.#begin(next);
  }

  #next(): ReturnType<ProfilerSchedule> {
    const { schedule } = this.#options;
    if (!this.#started || schedule === undefined)
      throw new ValueError('ERR_PROFILER', `Profiler.step: it ${this.#started ? 'has no schedule' : 'was not started'}`);
    return schedule(this.#step + 1);
  }

  /** A warm-up is dropped. */
  #hand(action: ReturnType<ProfilerSchedule>, profile: Profile): void {
    if (action === 'warmup') return;
    this.#last = profile;
    if (this.#options.schedule !== undefined) this.#options.onTraceReady?.(profile, this.#step);
  }

  #begin(next: ReturnType<ProfilerSchedule>): void {
    this.#step++;
    this.#action = next;
    if (next === 'none') return;
    if (this.#recorder === null) this.#record();
    else this.#recorder.step(this.#step);
  }

  #record(): void {
    if (observing.current !== null) throw new ValueError('ERR_PROFILER', 'Profiler.start: a profiler is running already; one at a time');
    this.#recorder = new Recorder({ exactModules: this.#options.exactModules ?? false, recordShapes: this.#options.recordShapes ?? true });
    observing.current = this.#recorder;
    for (const device of runtimes.current.devices) this.#attach(device);
    deviceWatchers.add(this.#watch);
    if (this.#options.schedule !== undefined) this.#recorder.step(this.#step);
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

  /**
   * Ends the measuring, and gives what was found: with a schedule, what was recorded last, which is empty if nothing was.
   * @throws ValueError `ERR_PROFILER` when it was not started.
   */
  stop(): Profile {
    const recording = this.#end();
    if (recording) this.#hand(this.#action, this.#finish());
    return this.#result();
  }

  /** As {@link stop}, after all devices have done what was asked of them; with the kernels' own times where a device tells them. */
  async stopAsync(): Promise<Profile> {
    const recording = this.#end();
    if (recording) this.#hand(this.#action, await this.#finishAsync());
    return this.#result();
  }

  /** Is there something to close? */
  #end(): boolean {
    if (!this.#started) throw new ValueError('ERR_PROFILER', 'Profiler.stop: it was not started');
    this.#started = false;
    return this.#recorder !== null;
  }

  #result(): Profile {
    return this.#last ?? new Profile(new Recorder({ exactModules: false, recordShapes: false }).root, [], [], []);
  }

  #finish(): Profile {
    // Their clocks run until they are asked; what they say, or that they are lost, is not waited for.
    for (const { backend } of this.#watched) backend.timing?.end().catch(() => {});
    const recorder = this.#detach();
    recorder.finish();
    return this.#profile(recorder);
  }

  async #finishAsync(): Promise<Profile> {
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
    const recorder = this.#recorder!;
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

/** Is what was recorded so far closed by the step from one action to the next? */
const closes = (action: ReturnType<ProfilerSchedule>, next: ReturnType<ProfilerSchedule>): boolean =>
  action === 'recordAndSave' || next === 'none' || (action === 'warmup' && next !== 'warmup') || (action === 'record' && next === 'warmup');

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
  checkOptions('profile', options, PROFILER_OPTIONS);
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
