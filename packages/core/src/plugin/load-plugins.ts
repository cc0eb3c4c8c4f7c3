/** @file Plugins by name, as `--plugin` and TESSERA_PLUGINS give them. */
import { DeviceError } from '../errors.js';
import type { Plugin } from './plugin.js';
import { pluginChecks } from './plugin-checks.js';

/** Is it a plugin, as far as one can see? {@link Runtime.use} checks the rest. */
export const isPlugin = (x: unknown): x is Plugin =>
  typeof x === 'object' && x !== null && typeof (x as Partial<Plugin>).register === 'function' && 'contract' in x && 'name' in x;

const isNode = (): boolean => typeof globalThis.process?.versions?.node === 'string';

/** A variable of the environment, where there is one. */
export function environment(name: string): string | undefined {
  const value = globalThis.process?.env?.[name]?.trim();
  return value === '' ? undefined : value;
}

/** Names that are separated by commas. */
export const listed = (text: string | undefined): string[] => (text ?? '').split(',').flatMap((name) => name.trim() || []);

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
  const then = pluginChecks.all === null ? '' : `: ${pluginChecks.all.instead(exported)}`;
  return plugins.length > 0 ? plugins : fail(`exports no plugin ({ name, version, contract, register })${then}`);
}
