/** @file The worker that runs the conformance kit on one backend. The page ends it to stop. */
import { fetchFiles, fixtureSource, type Level, runConformance, type Scorecard, type ScorecardRow } from '@tessera/conformance-tests';
import { emit, serve } from '../shared/rpc.js';
import type { PluginSource } from '../shared/settings.js';
import { pluginOf } from './plugin-of.js';

export interface ConformanceRequest {
  readonly device: string;
  readonly levels: readonly Level[];
  readonly only: string | undefined;
  /** Where the reference data lies. */
  readonly reference: string;
  readonly plugins: readonly PluginSource[];
}

const api = {
  async run({ device, levels, only, reference, plugins }: ConformanceRequest): Promise<Scorecard> {
    return runConformance({
      plugin: await pluginOf(device, plugins),
      device,
      levels,
      sample: true,
      ...(only !== undefined && { only }),
      fixtures: fixtureSource(fetchFiles(reference)),
      onRow: ({ level, name, passed, failed, skipped }: ScorecardRow) => emit('row', { level, name, passed, failed, skipped }),
    });
  },
};

export type ConformanceApi = typeof api;

serve(api);
