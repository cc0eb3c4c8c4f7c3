/** @file Starts what is to be tested, and ends it again. */
import * as core from '@tessera/core';
import { type Backend, type BackendProvider, CONTRACT_VERSION, type Plugin, Runtime, runtimes } from '@tessera/core';
import { Library } from './library.js';
import type { Subject } from './subject.js';

/** What to test: a backend, something that makes one, or a plugin that registers one. */
export type SubjectSource =
  | { readonly backend: Backend }
  | { readonly create: () => Backend | Promise<Backend> }
  /** `device` is the id of the backend, where the plugin registers several; `backendOptions` are what its `create` takes. */
  | { readonly plugin: Plugin; readonly device?: string; readonly backendOptions?: Readonly<Record<string, unknown>> };

/**
 * Runs `body` with the device as the default one of a runtime of its own, which ends with it.
 *
 * @param name Default: the backend's id.
 * @throws DeviceError `ERR_DEVICE_UNAVAILABLE`, `ERR_DEVICE_START`, each with the reason
 */
export async function withSubject<T>(source: SubjectSource, name: string | undefined, body: (subject: Subject) => Promise<T>): Promise<T> {
  const runtime = new Runtime(core);
  const outer = runtimes.current;
  runtimes.current = runtime;
  try {
    const plugin = 'plugin' in source ? source.plugin : pluginOf(source);
    const { device: id, backendOptions } = 'plugin' in source ? source : {};
    const device = await runtime
      .init({
        plugins: [plugin],
        device: id ?? 'auto',
        ...(id !== undefined && backendOptions && { backendOptions: { [id]: backendOptions } }),
      })
      .catch((error: unknown) => Promise.reject(startError(error, id ?? name ?? plugin.name)));
    return await body({ name: name ?? device.id, device, library: await Library.load() });
  } finally {
    runtimes.current = outer;
    // A backend that was handed in is the caller's to end.
    if (!('backend' in source)) await runtime.dispose();
  }
}

/** What a backend's own `create` threw, as an error that names the device; core's errors name it already. */
function startError(error: unknown, device: string): unknown {
  if (core.isTesseraError(error)) return error;
  const why = error instanceof Error ? error.message : String(error);
  return Object.assign(new core.DeviceError('ERR_DEVICE_START', `device '${device}' does not start: ${why}`, { device }), { cause: error });
}

/** A plugin around a backend. */
function pluginOf(source: Exclude<SubjectSource, { plugin: Plugin }>): Plugin {
  return {
    name: 'conformance-subject',
    version: '0.0.0',
    contract: CONTRACT_VERSION,
    register({ container }) {
      const provider: BackendProvider = {
        id: 'backend' in source ? source.backend.id : 'subject',
        priority: 0,
        isAvailable: () => ({ available: true }),
        create: () => ('backend' in source ? source.backend : source.create()),
      };
      container.register<BackendProvider>(core.BACKEND, { useValue: provider });
    },
  };
}
