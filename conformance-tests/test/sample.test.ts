/**
 * @file The fixed sample of the suite on the CPU backend: of each op and layer the first case of each kind, all kernels and optimizers. The whole
 * set is `npm run conformance:full`.
 */
import { cpuPlugin } from '@tessera/backend-cpu';
import { describe, it } from 'vitest';
import { conform } from '../src/index.js';

await conform({ plugin: cpuPlugin, device: 'cpu', level: 'optimizers', sample: true, test: { describe, it } });
