/** @file The worker that times cases on one peer. Each library is a chunk of its own. The page ends the worker to stop. */
import { serve } from '../shared/rpc.js';
import { type Contender, timeCase, type TimeRequest, type Timing } from './time-case.js';

let contender: Contender | undefined;

const api = {
  /** Fetches and starts the peer. @throws Error when it does not start here. */
  async start({ id }: { id: string }): Promise<void> {
    const [library, device] = id.split('-') as [string, string];
    contender =
      library === 'tfjs'
        ? await (await import('./peer-tfjs.js')).startTfjs(id, device)
        : await (await import('./peer-jax.js')).startJax(id, device);
  },
  time: (request: TimeRequest): Promise<Timing> => timeCase(contender!, request),
};

export type PeerApi = typeof api;

serve(api);
