/** @file The backend proves itself with the conformance kit, under Node's own test runner. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compareBackends, conform } from '@tessera/conformance-tests';
import { cpuPlugin } from '@tessera/backend-cpu';
import * as core from '@tessera/core';
import { Runtime, tensor } from '@tessera/core';
import { OpenBlasBackend, openBlasAvailability, openBlasPlugin } from '../src/index.js';

const there = openBlasAvailability();

void describe('without the library', () => {
  void it('the backend is unavailable, and says what is missing', async () => {
    const availability = openBlasAvailability('libno-such-blas.so.9');
    assert.ok(!availability.available);
    assert.match(availability.reason, /there is no OpenBLAS.*libno-such-blas\.so\.9/);
    assert.throws(() => new OpenBlasBackend({ library: 'libno-such-blas.so.9' }), /there is no OpenBLAS/);
  });

  void it('a plugin for another contract is refused with a sentence', () => {
    assert.throws(() => new Runtime(core).use({ ...openBlasPlugin, contract: 99 }), {
      code: 'ERR_CONTRACT_VERSION',
      message: /was written for contract version 99; this core speaks 1/,
    });
  });
});

void describe('with the library', { skip: there.available ? false : there.reason }, () => {
  void it('is chosen before cpu, and beside it', async () => {
    const runtime = new Runtime(core).use(cpuPlugin).use(openBlasPlugin);
    assert.equal((await runtime.init({ device: 'auto' })).id, 'openblas');
    const a = tensor([1, 2], { device: runtime.device('cpu') });
    assert.deepEqual(a.to(runtime.device('openblas')).mul(2).toArray(), [2, 4]);
    await runtime.dispose();
  });

  void it('agrees with the CPU backend on random programs, models and trainings', async () => {
    const report = await compareBackends(
      { create: () => new OpenBlasBackend({ threads: 1 }) as never },
      { plugin: cpuPlugin },
      { runs: 60 },
    );
    assert.deepEqual(report.disagreements, []);
  });
});

if (there.available) {
  const sample = process.env['CONFORMANCE'] !== 'full';
  await conform({
    name: 'openblas',
    create: () => new OpenBlasBackend({ threads: 1 }) as never,
    test: { describe, it },
    level: 'training',
    sample,
  });
}
