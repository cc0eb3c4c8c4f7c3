/** @file The worker that times cases on one backend. The page ends it to stop. */
import { type Device, runtimes } from 'tessera';
import { type BenchmarkCase, CASES, check, type Reference } from '../../../benchmarks/cases.mjs';
import { serve } from '../shared/rpc.js';
import type { PluginSource } from '../shared/settings.js';
import { importPlugins } from '../shared/plugins.js';
import { makeOps } from './bench-ops.js';

export interface Timing {
  readonly device: string;
  readonly name: string;
  readonly status: 'ok' | 'wrong' | 'failed';
  /** The least of all runs, in ms. */
  readonly milliseconds?: number;
  readonly runs?: number;
  /** The largest error against float64, relative to 1 + |value|. */
  readonly error?: number;
  readonly message?: string;
}

/** Floats of other engines may round otherwise: as wide as the command's own runs in browsers. */
const TOLERANCE_SCALE = 10;

let started: Device | undefined;

const api = {
  async start({ device, plugins }: { device: string; plugins: readonly PluginSource[] }): Promise<void> {
    for (const source of plugins) for (const plugin of await importPlugins(source)) runtimes.current.use(plugin);
    started = await runtimes.current.init({ device });
  },

  /** One round of a case: warmed up, then run until the time is over. */
  async time({ name, reference, seconds }: { name: string; reference: string; seconds: number }): Promise<Timing> {
    const device = started!;
    try {
      const response = await fetch(new URL(`${name}.json`, reference));
      const expected = (await response.json()) as Reference;
      const one: BenchmarkCase = CASES[name]!;
      const timed = makeOps(device)[one.op]!(one.inputs(), one);
      const { ok, err } = check({ ...one, tol: one.tol * TOLERANCE_SCALE }, await timed.read(), expected);
      let least = Infinity;
      let runs = 0;
      for (const end = performance.now() + 1000 * seconds; runs < 3 || performance.now() < end; runs++) {
        const start = performance.now();
        timed.run();
        await device.backend.synchronize();
        // The first run compiles, and grows pools.
        if (runs > 0) least = Math.min(least, performance.now() - start);
        // Lets finalizers run.
        await new Promise((resolve) => setTimeout(resolve));
      }
      return {
        device: device.id,
        name,
        status: ok ? 'ok' : 'wrong',
        milliseconds: least,
        runs,
        ...(typeof err === 'number' && { error: err }),
      };
    } catch (error) {
      return { device: device.id, name, status: 'failed', message: error instanceof Error ? error.message : String(error) };
    }
  },
};

export type BenchApi = typeof api;

serve(api);
