/** @file The backends to choose from in the Conformance and Benchmarks views, as checkboxes. */
import type { BackendRow } from '../shared/reports.js';
import { WorkerClient } from '../shared/rpc.js';
import type { PluginSource } from '../shared/settings.js';
import { h } from '../ui/dom.js';
import type { ProbeApi } from '../lab/probe-worker.js';

/** Asks what can run here, in a worker that ends with the answer. */
export async function probeBackends(plugins: readonly PluginSource[]): Promise<readonly BackendRow[]> {
  const client = new WorkerClient<ProbeApi>(
    new Worker(new URL('../lab/probe-worker.ts', import.meta.url), { type: 'module', name: 'tessera-probe' }),
  );
  try {
    return await client.call('backends', plugins);
  } finally {
    client.worker.terminate();
  }
}

/** Those that can run are offered; those that are not slow are chosen. */
export function showChoices(element: HTMLElement, rows: readonly BackendRow[]): void {
  element.replaceChildren(
    ...rows.map(({ id, unavailable, slow, description }) => {
      const input = h('input', { type: 'checkbox', value: id, disabled: unavailable !== undefined });
      input.checked = unavailable === undefined && slow === undefined;
      const note = unavailable ?? slow;
      return h(
        'label',
        { title: note ?? description },
        input,
        note === undefined ? id : `${id} (${unavailable === undefined ? 'slow here' : 'not available'})`,
      );
    }),
  );
}

export const chosenOf = (element: HTMLElement): string[] =>
  [...element.querySelectorAll<HTMLInputElement>('input:checked')].map(({ value }) => value);

/** Relative to the page, wherever it lies. */
export const referenceUrl = (folder: string): string => new URL(`reference/${folder}/`, document.baseURI).href;
