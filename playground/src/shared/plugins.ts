/** @file Plugins from a URL or a file: any ES module that exports one. Used by each worker, which has a runtime of its own. */
import type { Plugin } from 'tessera';
import type { PluginSource } from './settings.js';

const isPlugin = (value: unknown): value is Plugin =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as Plugin).register === 'function' &&
  typeof (value as Plugin).name === 'string';

/**
 * Imports the module and finds the plugins in its exports.
 * @throws Error when it cannot be loaded, or exports no plugin.
 */
export async function importPlugins(source: PluginSource): Promise<Plugin[]> {
  const name = 'url' in source ? source.url : source.name;
  const url = 'url' in source ? source.url : URL.createObjectURL(new Blob([source.code], { type: 'text/javascript' }));
  let exported: Record<string, unknown>;
  try {
    exported = (await import(/* @vite-ignore */ url)) as Record<string, unknown>;
  } catch (cause) {
    throw new Error(`the plugin ${name} could not be loaded: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  } finally {
    if (!('url' in source)) URL.revokeObjectURL(url);
  }
  const plugins = [...new Set(Object.values(exported))].filter(isPlugin);
  if (plugins.length === 0)
    throw new Error(`${name} exports no plugin: an object { name, version, contract, register({ container, core }) }`);
  return plugins;
}
