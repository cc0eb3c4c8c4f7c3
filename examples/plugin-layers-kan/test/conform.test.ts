/** @file The backend suite of the kit runs under Mocha as it does elsewhere: on the device that these layers are tried on, what they stand on. */
import { conform, type TestRunner } from '@tessera/conformance-tests';
import { cpuPlugin } from 'tessera';

/** Mocha's, which are global. */
const { describe, it } = globalThis as unknown as TestRunner;

await conform({
  name: 'cpu, under Mocha',
  plugin: cpuPlugin,
  device: 'cpu',
  test: { describe, it },
  only: 'matmul,nn.Linear,optim.Adam',
  sample: true,
});
