/**
 * @file Where what is said of plugins that are not whole has its place. Core's index puts all of it here (check-plugin.ts); a small bundle that has the
 * functional entry alone goes without, as its plugins were tried before.
 */
import type { Availability } from './plugin.js';

export interface PluginChecks {
  /** What keeps a value from being a plugin; nothing where it is one. */
  faults(plugin: unknown): string[];
  /** What a module exports in place of a plugin. */
  instead(exported: Readonly<Record<string, unknown>>): string;
  /** @throws DeviceError `ERR_PLUGIN` for what a plugin registered as a backend provider and is none */
  provider(provider: unknown, plugin: string): void;
  /** What a provider answered, never without a reason that somebody can read. */
  availability(answer: unknown): Availability;
  /** @throws DeviceError `ERR_PLUGIN` for what a provider made and is no whole backend, with all that it lacks */
  backend(backend: unknown, id: string): void;
}

export const pluginChecks: { all: PluginChecks | null } = { all: null };
