/**
 * @file Where there is no adapter, tests that need one are skipped, and say why; where `TESSERA_REQUIRE` names webgpu (continuous integration),
 * its absence is a failure.
 */
import { describe, it } from 'vitest';
import { probeAdapter } from '../../src/index.js';

const { facts, reason } = await probeAdapter();
const required = (process.env['TESSERA_REQUIRE'] ?? '').split(',').includes('webgpu');

/** A `describe` for tests that need an adapter. */
export function describeOnDevice(name: string, body: () => void): void {
  if (facts !== undefined) describe(name, body);
  else if (required) {
    it(`${name}: TESSERA_REQUIRE names webgpu`, () => {
      throw new Error(`there is no adapter: ${reason}`);
    });
  } else describe.skip(`${name} (skipped: ${reason})`, body);
}
