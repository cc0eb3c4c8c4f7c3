/** @file Plugins that the tests give to the command by the name of this file: sound, wrong, and two that keep their page busy, one till it crashes. */
import { CpuBackend } from '@tessera/backend-cpu';
import { type Backend, BACKEND, CONTRACT_VERSION, type Plugin } from '@tessera/core';

const pluginOf = (id: string, make: () => Backend): Plugin => ({
  name: id,
  version: '0.0.0',
  contract: CONTRACT_VERSION,
  register: ({ container }) =>
    void container.register(BACKEND, {
      useValue: { id, priority: 0, isAvailable: () => ({ available: true }), create: () => Object.assign(make(), { id }) },
    }),
});

const cpu = (): Backend => new CpuBackend() as unknown as Backend;

export const sound = pluginOf('sound', cpu);

/** Its sums go the other way. */
export const wrong = pluginOf('wrong', () => {
  const backend = cpu();
  const { kernels } = backend;
  return Object.assign(backend, {
    kernels: { ...kernels, scan: (kind, reverse, ...rest) => kernels.scan(kind, !reverse, ...rest) } satisfies Backend['kernels'],
  });
});

export const endless = pluginOf('endless', () => {
  for (;;);
});

export const greedy = pluginOf('greedy', () => {
  const kept: unknown[] = [];
  for (;;) kept.push(new Array<number>(1e6).fill(kept.length));
});
