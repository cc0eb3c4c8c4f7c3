/** @file The worker that times cases on one backend of Tessera. The page ends it to stop. */
import { runtimes } from 'tessera';
import { importPlugins } from '../shared/plugins.js';
import { serve } from '../shared/rpc.js';
import type { PluginSource } from '../shared/settings.js';
import { makeOps } from './bench-ops.js';
import { type Contender, timeCase, type TimeRequest, type Timing } from './time-case.js';

let contender: Contender | undefined;

const api = {
  async start({ id, plugins }: { id: string; plugins: readonly PluginSource[] }): Promise<void> {
    for (const source of plugins) for (const plugin of await importPlugins(source)) runtimes.current.use(plugin);
    const device = await runtimes.current.init({ device: id });
    contender = { id, ops: makeOps(device), synchronize: () => device.backend.synchronize() };
  },
  time: (request: TimeRequest): Promise<Timing> => timeCase(contender!, request),
};

export type BenchApi = typeof api;

serve(api);
