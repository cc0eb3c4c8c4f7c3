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
    const plugin = 'plugin' in source ? source.plugin : pluginOf('backend' in source ? source.backend : await made(source.create, name));
    const { device: id, backendOptions } = 'plugin' in source ? source : {};
    const options = {
      plugins: [plugin],
      device: id ?? 'auto',
      ...(id !== undefined && backendOptions && { backendOptions: { [id]: backendOptions } }),
    };
    const device = await runtime.init(options);
    const another = 'create' in source ? async () => source.create() : async () => (await new Runtime(core).init(options)).backend;
    return await body({
      name: name ?? device.id,
      device,
      library: await Library.load(),
      another: 'backend' in source ? null : another,
    });
  } finally {
    runtimes.current = outer;
    // A backend that was handed in is the caller's to end.
    if (!('backend' in source)) await runtime.dispose();
  }
}

/** What `create` gives, or an error that names the device. */
async function made(create: () => Backend | Promise<Backend>, device = 'subject'): Promise<Backend> {
  try {
    return await create();
  } catch (error) {
    if (core.isTesseraError(error)) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw Object.assign(new core.DeviceError('ERR_DEVICE_START', `device '${device}' does not start: ${why}`, { device }), {
      cause: error,
    });
  }
}

/** A plugin around a backend. */
function pluginOf(backend: Backend): Plugin {
  return {
    name: 'conformance-subject',
    version: '0.0.0',
    contract: CONTRACT_VERSION,
    register({ container }) {
      const provider: BackendProvider = {
        // Without an id it is refused when it starts, with all else that it lacks.
        id: (backend as Backend | undefined)?.id ?? 'subject',
        priority: 0,
        isAvailable: () => ({ available: true }),
        create: () => backend,
      };
      container.register<BackendProvider>(core.BACKEND, { useValue: provider });
    },
  };
}
