/** @file Finds the plugin behind a backend's id, among ours and those that were added. */
import * as core from '@tessera/core';
import { cpuPlugin, type Plugin, wasmPlugin, webgpuPlugin } from 'tessera';
import { importPlugins } from '../shared/plugins.js';
import type { PluginSource } from '../shared/settings.js';

async function offers(plugin: Plugin, id: string): Promise<boolean> {
  const runtime = new core.Runtime(core).use(plugin);
  const found = (await runtime.backends()).some((backend) => backend.id === id);
  await runtime.dispose();
  return found;
}

/** @throws Error when no plugin offers the backend. */
export async function pluginOf(id: string, added: readonly PluginSource[]): Promise<Plugin> {
  const others = (await Promise.all(added.map(importPlugins))).flat();
  for (const plugin of [cpuPlugin, wasmPlugin, webgpuPlugin, ...others]) if (await offers(plugin, id)) return plugin;
  throw new Error(`no plugin offers a backend '${id}'`);
}
