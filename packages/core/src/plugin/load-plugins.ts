/** @file Plugins by name, as `--plugin` and TESSERA_PLUGINS give them. */
import type { Backend } from '../backend/contract.js';
import { DeviceError } from '../errors.js';
import { pluginFaults } from './check-plugin.js';
import type { Plugin } from './plugin.js';

/** Is it a plugin, as far as one can see? {@link Runtime.use} checks the rest. */
export const isPlugin = (x: unknown): x is Plugin => pluginFaults(x).length === 0;

const isNode = (): boolean => typeof globalThis.process?.versions?.node === 'string';

/** A variable of the environment, where there is one. */
export function environment(name: string): string | undefined {
  const value = globalThis.process?.env?.[name]?.trim();
  return value === '' ? undefined : value;
}

/** Names that are separated by commas. */
export const listed = (text: string | undefined): string[] => (text ?? '').split(',').flatMap((name) => name.trim() || []);

/** What a module exports in place of a plugin: what is nearest to one, with what it lacks. */
function whatThen(exported: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(exported);
  const near = names.find((name) => typeof (exported[name] as Partial<Plugin> | null | undefined)?.register === 'function');
  if (near !== undefined) return `of its '${near}' ${pluginFaults(exported[near]).join('; ')}`;
  const backend = names.find((name) => typeof (exported[name] as Partial<Backend> | null | undefined)?.allocate === 'function');
  if (backend !== undefined) return `its '${backend}' is a backend, which a plugin's provider has to make`;
  return names.length > 0 ? `it exports ${names.join(', ')}` : 'it exports nothing';
}

/**
 * The plugins that a package or a file exports, under whatever names. For Node, where the name comes from a command line; in a browser, import the
 * package and give its plugin to `init`.
 *
 * @throws DeviceError `ERR_PLUGIN` where there is no such module, it does not load, or it exports no plugin.
 * @example await init({ plugins: await loadPlugins('tessera-backend-openblas'), device: 'openblas' });
 */
export async function loadPlugins(name: string): Promise<Plugin[]> {
  const fail = (why: string, cause?: unknown): never => {
    const error = new DeviceError('ERR_PLUGIN', `plugin '${name}' ${why}`);
    if (cause !== undefined) error.cause = cause;
    throw error;
  };
  if (!isNode()) return fail('cannot be found by name here: import it, and give it to init({ plugins: […] })');
  let exported: Readonly<Record<string, unknown>>;
  try {
    exported = await (await import('./load-plugins.node.js')).importByName(name);
  } catch (error) {
    return fail(`does not load: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`, error);
  }
  const plugins = [...new Set(Object.values(exported))].filter(isPlugin);
  return plugins.length > 0 ? plugins : fail(`exports no plugin ({ name, version, contract, register }): ${whatThen(exported)}`);
}
