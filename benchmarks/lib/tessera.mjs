// Tessera adapter for Node: what `npm run build` made.
import * as tessera from '../../packages/tessera/dist/index.js';
import { makeTessera } from './tessera-ops.mjs';

/** `device`: 'cpu', or any other id with a package backend-<id> that exports its plugin under the name <id>Plugin. */
async function start({ device, threads }) {
  const known = (await tessera.runtimes.current.backends()).some((b) => b.id === device);
  const plugins = known ? [] : [(await import(`../../packages/backend-${device}/dist/index.js`))[`${device}Plugin`]];
  return tessera.init({ device, plugins, backendOptions: threads === undefined ? {} : { [device]: { threads } } });
}

export default async function make(opts) {
  const device = await start(opts);
  return makeTessera(tessera, device, opts.device === 'webgpu' ? () => device.backend.synchronize() : null);
}
