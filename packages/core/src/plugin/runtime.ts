/**
 * @file Runtime: the composition root. Each has a container of its own, its plugins, its devices and its random numbers; the default one serves
 * code that names none.
 */
import { type Backend, CONTRACT_VERSION } from '../backend/contract.js';
import { DeviceError, isTesseraError } from '../errors.js';
import type { Generator } from '../random/generator.js';
import { didYouMean } from '../suggest.js';
import { DTYPES, isDType } from '../tensor/dtype.js';
import { containers, type DependencyContainer } from './value-container.js';
import { Device } from './device.js';
import { deviceWatchers } from './device-watchers.js';
import { environment, listed, loadPlugins } from './load-plugins.js';
import { generators } from '../random/generators.js';
import { type Availability, BACKEND, type BackendProvider, LAYER, type LayerProvider, type Plugin } from './plugin.js';
import { pluginChecks } from './plugin-checks.js';
import { checkOptions, type OptionNames } from '../options.js';

const INIT_OPTIONS: OptionNames<InitOptions> = { device: true, plugins: true, backendOptions: true, eager: true };

export interface InitOptions {
  /** 'auto' (the default: the available backend of the highest priority), or a backend's id. */
  readonly device?: string;
  readonly plugins?: readonly Plugin[];
  /** Options for a backend's `create`, by id. */
  readonly backendOptions?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Run op by op, without deferral, on all devices. */
  readonly eager?: boolean;
}

/** One row of {@link Runtime.backends}. */
export interface BackendStatus {
  readonly id: string;
  readonly version: string | undefined;
  readonly priority: number;
  readonly availability: Availability;
}

/** An error of a plugin's own code, as one that says whose it is. */
function failed(code: string, what: string, cause: unknown, device?: string): DeviceError {
  const error = new DeviceError(
    code,
    `${what}: ${cause instanceof Error ? cause.message : String(cause)}`,
    device === undefined ? {} : { device },
  );
  error.cause = cause;
  return error;
}

const availabilityFrom = (answer: Availability): Availability => pluginChecks.all?.availability(answer) ?? answer;

type Core = typeof import('../index.js');
/** What plugins get handed where a runtime was given nothing else: core's index says it here. */
let ownCore: Core | null = null;

export class Runtime {
  readonly #plugins = new Map<string, Plugin>();
  readonly #devices = new Map<string, Device>();
  readonly #starting = new Map<string, Promise<Device>>();
  readonly #options = new Map<string, Readonly<Record<string, unknown>>>();
  #default: Device | null = null;
  #eager = false;
  #container: DependencyContainer | null = null;
  #generator: Generator | null = null;
  readonly #core: Core | undefined;

  /** @param core What plugins get handed. Default: this package. */
  constructor(core?: Core) {
    this.#core = core;
  }

  /** Called by core's index; an entry that has a part of core gives that in case nothing better comes. @internal */
  static provideCore(core: Core, part = false): void {
    if (!part || ownCore === null) ownCore = core;
  }

  /** What plugins register with. tsyringe's, but in programs of the functional entry alone, whose own takes values, factories and plain classes. */
  get container(): DependencyContainer {
    return (this.#container ??= containers.make());
  }

  /** The random numbers of everything that names no generator. PyTorch: torch.default_generator. */
  get generator(): Generator {
    return this.generatorBy(generators.make);
  }

  /** The same, made by `make` where there is none yet: for code that brings the class along. @internal */
  generatorBy(make: () => Generator): Generator {
    return (this.#generator ??= make());
  }

  /** Adds a plugin; a second time, nothing happens. @throws DeviceError `ERR_CONTRACT_VERSION`, `ERR_PLUGIN`. */
  use(plugin: Plugin): this {
    if (typeof plugin?.register !== 'function' || typeof plugin.name !== 'string' || typeof plugin.contract !== 'number') {
      const faults = pluginChecks.all?.faults(plugin) ?? [];
      throw new DeviceError(
        'ERR_PLUGIN',
        ['a plugin is an object { name, version, contract, register({ container, core }) }', ...faults].join('; '),
      );
    }
    if (plugin.contract !== CONTRACT_VERSION) {
      throw new DeviceError(
        'ERR_CONTRACT_VERSION',
        `plugin '${plugin.name}' was written for contract version ${plugin.contract}; this core speaks ${CONTRACT_VERSION}`,
      );
    }
    if (this.#plugins.has(plugin.name)) return this;
    const before = new Set(this.#providers());
    try {
      plugin.register({ container: this.container, core: this.#core ?? ownCore! });
    } catch (error) {
      throw isTesseraError(error) ? error : failed('ERR_PLUGIN', `plugin '${plugin.name}' does not register`, error);
    }
    for (const provider of this.#providers()) if (!before.has(provider)) pluginChecks.all?.provider(provider, plugin.name);
    this.#plugins.set(plugin.name, plugin);
    return this;
  }

  #providers(): BackendProvider[] {
    // A child's own registrations only: resolveAll on an empty token throws.
    return this.container.isRegistered(BACKEND) ? this.container.resolveAll<BackendProvider>(BACKEND) : [];
  }

  /** The ids of the backends that are registered, the preferred first; none of them is asked or loaded. */
  get backendIds(): string[] {
    return [
      ...new Set(
        this.#providers()
          .sort((a, b) => b.priority - a.priority)
          .map((p) => p.id),
      ),
    ];
  }

  /** The plugins in use. */
  get plugins(): readonly Plugin[] {
    return [...this.#plugins.values()];
  }

  /** Layers registered by plugins, by name. */
  layers(): ReadonlyMap<string, LayerProvider> {
    const all = this.container.isRegistered(LAYER) ? this.container.resolveAll<LayerProvider>(LAYER) : [];
    return new Map(all.map((layer) => [layer.name, layer]));
  }

  /** The backends that are registered, each with whether it can run here, the preferred first. */
  async backends(): Promise<BackendStatus[]> {
    const sorted = this.#providers().sort((a, b) => b.priority - a.priority);
    return Promise.all(
      sorted.map(async (p) => {
        let availability: Availability;
        try {
          availability = availabilityFrom(await p.isAvailable());
        } catch (error) {
          availability = { available: false, reason: error instanceof Error ? error.message : String(error) };
        }
        return { id: p.id, version: p.version, priority: p.priority, availability };
      }),
    );
  }

  /**
   * Chooses the default device and starts its backend. May be called again to choose another.
   * @throws DeviceError `ERR_DEVICE_UNKNOWN`, `ERR_DEVICE_UNAVAILABLE` with the reason; ValueError `ERR_OPTION` for a name that is no option.
   */
  async init(options: InitOptions = {}): Promise<Device> {
    checkOptions('init', options, INIT_OPTIONS);
    for (const plugin of options.plugins ?? []) this.use(plugin);
    for (const [id, given] of Object.entries(options.backendOptions ?? {})) this.#options.set(id, given);
    if (options.eager !== undefined) this.eager = options.eager;
    const wanted = options.device ?? 'auto';
    if (wanted !== 'auto') return (this.#default = await this.start(wanted));
    const reasons: string[] = [];
    const slow = ({ availability }: BackendStatus): number => Number(availability.available && availability.slow !== undefined);
    for (const { id, availability } of (await this.backends()).sort((a, b) => slow(a) - slow(b))) {
      if (!availability.available) {
        reasons.push(`${id}: ${availability.reason}`);
        continue;
      }
      try {
        return (this.#default = await this.start(id));
      } catch (error) {
        reasons.push(`${id}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    throw new DeviceError(
      'ERR_DEVICE_UNAVAILABLE',
      `no backend can run here${reasons.length > 0 ? ` (${reasons.join('; ')})` : ': none is registered'}`,
    );
  }

  #provider(id: string): BackendProvider {
    const providers = this.#providers();
    const found = providers.findLast((p) => p.id === id);
    if (found === undefined) {
      const ids = [...new Set(providers.map((p) => p.id))];
      throw new DeviceError(
        'ERR_DEVICE_UNKNOWN',
        `no backend '${String(id)}' is registered; there are: ${ids.join(', ') || 'none'}${
          isDType(id) ? ` ('${id}' is a dtype)` : didYouMean(id, [...ids, ...DTYPES])
        }`,
        { device: id },
      );
    }
    return found;
  }

  /**
   * Starts a backend, or answers the one that runs. One that was lost is replaced.
   * @throws DeviceError `ERR_DEVICE_UNKNOWN`, `ERR_DEVICE_UNAVAILABLE` with the reason, `ERR_DEVICE_START`, `ERR_PLUGIN` for one that is not whole.
   */
  async start(id: string): Promise<Device> {
    const running = this.#devices.get(id);
    if (running !== undefined && running.backend.lost !== true) return running;
    this.#devices.delete(id);
    let starting = this.#starting.get(id);
    if (starting === undefined) {
      starting = (async () => {
        const provider = this.#provider(id);
        const availability = availabilityFrom(await provider.isAvailable());
        if (!availability.available)
          throw new DeviceError('ERR_DEVICE_UNAVAILABLE', `backend '${id}' cannot run here: ${availability.reason}`, { device: id });
        let backend;
        try {
          backend = await provider.create(this.#options.get(id));
        } catch (error) {
          throw isTesseraError(error) ? error : failed('ERR_DEVICE_START', `device '${id}' does not start`, error, id);
        }
        return this.#devices.get(id) ?? this.#add(id, backend);
      })().finally(() => this.#starting.delete(id));
      this.#starting.set(id, starting);
    }
    return starting;
  }

  #add(id: string, backend: Backend): Device {
    pluginChecks.all?.backend(backend, id);
    const device = new Device(backend);
    device.eager = this.#eager;
    this.#devices.set(device.id, device);
    for (const visit of deviceWatchers) visit(device);
    return device;
  }

  /** A device by id. One that needs an await to start must have been started by `init` or `start`. */
  device(id: string): Device {
    const running = this.#devices.get(id);
    if (running !== undefined) return running;
    const provider = this.#provider(id);
    if (provider.createSync === undefined)
      throw new DeviceError('ERR_DEVICE_NOT_STARTED', `backend '${id}' has not started: await init({ device: '${id}' }) first`, {
        device: id,
      });
    return this.#add(id, provider.createSync(this.#options.get(id)));
  }

  /** Where tensors are made when no device is named: what `init` chose, before that the preferred backend that needs no await. */
  get defaultDevice(): Device {
    if (this.#default !== null) return this.#default;
    const ready = this.#providers()
      .filter((p) => p.createSync !== undefined)
      .sort((a, b) => b.priority - a.priority)[0];
    if (ready === undefined)
      throw new DeviceError(
        'ERR_DEVICE_NOT_STARTED',
        'no backend is ready: import tessera (which brings the CPU backend), or await init({ plugins: […] }) first',
      );
    return (this.#default = this.device(ready.id));
  }

  set defaultDevice(device: Device) {
    this.#default = device;
  }

  get devices(): readonly Device[] {
    return [...this.#devices.values()];
  }

  /** Op by op, without deferral, on all devices of this runtime. */
  get eager(): boolean {
    return this.#eager;
  }

  set eager(on: boolean) {
    this.#eager = on;
    for (const device of this.#devices.values()) device.eager = on;
  }

  /** Ends all backends. Tensors on them can be used no more. */
  async dispose(): Promise<void> {
    const devices = [...this.#devices.values()];
    this.#devices.clear();
    this.#default = null;
    await Promise.all(devices.map((d) => d.backend.dispose()));
    await this.#container?.dispose();
  }
}

/** The runtime of code that names none; a test or a page with several may put another in its place for a while. */
export const runtimes: { current: Runtime } = { current: new Runtime() };

/** Runs synchronous code with another runtime as the default one. */
export function withRuntime<T>(runtime: Runtime, fn: () => T): T {
  const was = runtimes.current;
  runtimes.current = runtime;
  try {
    return fn();
  } finally {
    runtimes.current = was;
  }
}

/** What functions take as a device: its id, or the device itself. */
export type DeviceLike = string | Device;

export function toDevice(device: DeviceLike | undefined | null): Device {
  if (device === undefined || device === null) return runtimes.current.defaultDevice;
  return typeof device === 'string' ? runtimes.current.device(device) : device;
}

/**
 * Chooses the default device of the default runtime, and starts it; may be called again to choose another.
 *
 * In Node two variables of the environment take part: TESSERA_PLUGINS, packages or files with plugins, separated by commas, which are loaded first;
 * and TESSERA_DEVICE, which is what 'auto' (and no `device` at all) then means. A device that the program names stays what it is.
 *
 * @throws DeviceError `ERR_DEVICE_UNKNOWN`, `ERR_DEVICE_UNAVAILABLE` with the reason, `ERR_PLUGIN`, `ERR_CONTRACT_VERSION`.
 * @see Runtime.init
 * @example const device = await init({ device: 'auto' }); // webgpu, then wasm, then cpu
 */
export async function init(options: InitOptions = {}): Promise<Device> {
  checkOptions('init', options, INIT_OPTIONS);
  const runtime = runtimes.current;
  for (const name of listed(environment('TESSERA_PLUGINS'))) for (const plugin of await loadPlugins(name)) runtime.use(plugin);
  const { device = 'auto' } = options;
  return runtime.init({ ...options, device: device === 'auto' ? (environment('TESSERA_DEVICE') ?? 'auto') : device });
}
