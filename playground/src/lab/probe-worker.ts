/** @file A worker that tells which backends can run here. */
import { runtimes } from 'tessera';
import { backendRows } from '../shared/backends.js';
import { importPlugins } from '../shared/plugins.js';
import { serve } from '../shared/rpc.js';
import type { PluginSource } from '../shared/settings.js';

const api = {
  async backends(plugins: readonly PluginSource[]) {
    for (const source of plugins) for (const plugin of await importPlugins(source)) runtimes.current.use(plugin);
    return backendRows();
  },
};

export type ProbeApi = typeof api;

serve(api);
