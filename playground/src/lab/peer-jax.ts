/** @file jax-js as a contender. */
import * as jax from '@jax-js/jax';
import { makeJax } from '../../../benchmarks/lib/jax.mjs';
import type { Contender } from './time-case.js';

/** @throws Error when the device does not start. */
export async function startJax(id: string, device: string): Promise<Contender> {
  const wanted = device as jax.Device;
  if (!(await jax.init(wanted)).includes(wanted)) throw new Error(`jax-js cannot start its device ${device} here`);
  jax.defaultDevice(wanted);
  return { id, ops: makeJax(jax).ops };
}
