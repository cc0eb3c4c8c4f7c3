/** @file What a plugin is: a plain object that registers backends and layers, and gets core handed to it. */
import type { Backend } from '../backend/contract.js';
import type { DependencyContainer } from './value-container.js';

/** Token of backend providers; several may be registered. A `Symbol.for`, so that two copies of core in one page agree. */
export const BACKEND: unique symbol = Symbol.for('tessera.token.backend') as never;
/** Token of layers that can be built by name; several may be registered. */
export const LAYER: unique symbol = Symbol.for('tessera.token.layer') as never;

/** Can a backend run here? If not, why not, for a person to read. */
export type Availability =
  | {
      readonly available: true;
      /** It can run, but slowly (a GPU that is emulated): why. `device: 'auto'` then prefers any backend that is not slow. */
      readonly slow?: string;
    }
  | { readonly available: false; readonly reason: string };

/** How a backend is offered: asked first whether it can run here, made only when it is chosen. */
export interface BackendProvider {
  readonly id: string;
  readonly version?: string;
  /** With `device: 'auto'` the available backend of the highest priority is taken. cpu has 0, wasm 50, webgpu 100. */
  readonly priority: number;
  isAvailable(): Availability | Promise<Availability>;
  create(options?: Readonly<Record<string, unknown>>): Backend | Promise<Backend>;
  /** Makes it without an await, where that can be done; such a backend can be used before `init`. */
  createSync?(options?: Readonly<Record<string, unknown>>): Backend;
}

/** A layer that a plugin offers by name, so that a model that is data (JSON) can be built with it. */
export interface LayerProvider {
  readonly name: string;
  /** The module class. */
  readonly module: new (...args: never[]) => unknown;
  /**
   * What its constructor takes, as text: `inFeatures: int, outFeatures: int, { bias: bool = true }`. Documents are checked against it, and the
   * arguments of a layer are read from its fields of these names. Default: the class's static `signature`; without any, arguments go unchecked.
   */
  readonly signature?: string;
  /** The arguments that a layer was made with, by name, where its fields do not hold them. */
  readonly read?: (module: never) => Readonly<Record<string, unknown>>;
}

/** What a plugin's `register` gets. */
export interface PluginContext {
  readonly container: DependencyContainer;
  /** This copy of core, so that a plugin need not bring one. */
  readonly core: typeof import('../index.js');
}

/**
 * A plugin.
 *
 * @example
 * export const myBackend: Plugin = {
 *   name: 'my-backend', version: '1.0.0', contract: 1,
 *   register({ container, core }) {
 *     container.register<BackendProvider>(core.BACKEND, { useValue: { id: 'mine', priority: 10, isAvailable: () => ({ available: true }), create: () => new Mine() } });
 *   },
 * };
 */
export interface Plugin {
  readonly name: string;
  readonly version: string;
  /** The version of the kernel contract that it was written for. */
  readonly contract: number;
  register(context: PluginContext): void;
}
