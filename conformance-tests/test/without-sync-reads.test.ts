/** @file A device that cannot be read at once, as WebGPU in a page: the Async forms are run in place of the others, and what has none is listed. */
import { CpuBackend } from '@tessera/backend-cpu';
import type { Backend } from '@tessera/core';
import { expect, it } from 'vitest';
import { runConformance, type Selection } from '../src/index.js';

/** The CPU backend without `readSync`. */
function create(): Backend {
  const backend = new CpuBackend() as unknown as Backend;
  const readSync = backend.readSync!.bind(backend);
  const read: Backend['read'] = (...what) => Promise.resolve().then(() => readSync(...what));
  return Object.assign(backend, { read, readSync: undefined, capabilities: { ...backend.capabilities, syncRead: false } });
}

const run = (selection: Selection) => runConformance({ name: 'awaited', create, ...selection });

it('passes what has an Async form', async () => {
  const ops = await run({
    levels: ['ops'],
    only: 'item/,nonzero/,nonzero_static/,argwhere/,unique/,masked_select/,bincount/,repeat_interleave/',
  });
  const layers = await run({ levels: ['modules'], only: 'BatchNorm1d,CTCLoss,AdaptiveLogSoftmaxWithLoss' });
  for (const card of [ops, layers]) {
    expect(card.rows.flatMap(({ failures }) => failures.map(({ id, message }) => `${id}: ${message}`))).toEqual([]);
    expect(card.rows.flatMap(({ skips }) => skips).filter(({ kind }) => kind === 'device')).toEqual([]);
  }
  expect(ops.rows).toHaveLength(8);
  expect(layers.rows).toHaveLength(3);
});

it('lists the rest with the reason', async () => {
  const { rows } = await run({ levels: ['ops'], only: 'index_put/,cov/' });
  expect(rows).toMatchObject([
    { name: 'cov', failed: 0, skips: [{ kind: 'device', cases: 1, reason: expect.stringMatching(/^negative weights/) as string }] },
    { name: 'index_put', failed: 0, skips: [{ kind: 'device', reason: 'awaited cannot be read synchronously' }] },
  ]);
});
