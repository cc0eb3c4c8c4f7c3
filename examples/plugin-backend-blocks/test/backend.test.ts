/** @file The seven kernels prove themselves, and with them all that is composed of them. CONFORMANCE=full runs every case. */
import { describe, it } from 'node:test';
import { conform } from '@tessera/conformance-tests';
import type { Backend } from '@tessera/core';
import { BlocksBackend } from '../src/index.js';

const sample = process.env['CONFORMANCE'] !== 'full';
await conform({
  name: 'blocks',
  create: () => new BlocksBackend() as Backend,
  test: { describe, it },
  level: sample ? 'optimizers' : 'training',
  sample,
});
