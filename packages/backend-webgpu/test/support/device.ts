/**
 * @file Where there is no adapter, tests that need one are skipped, and it is said why; where `TESSERA_REQUIRE` names webgpu (continuous
 * integration), its absence is a failure.
 */
import { probeAdapter } from '../../src/index.js';

const { facts, reason } = await probeAdapter();

/** Why there is no adapter, if there is none. */
export const noAdapter: string | false = facts === undefined ? (reason ?? 'WebGPU gave no answer') : false;

if (noAdapter) {
  if ((process.env['TESSERA_REQUIRE'] ?? '').split(',').includes('webgpu')) throw new Error(`TESSERA_REQUIRE names webgpu: ${noAdapter}`);
  console.warn(`skipped: ${noAdapter}`);
}
