/** @file A worker that makes samples with random numbers of its own. */
import { cpuPlugin } from '@tessera/backend-cpu';
import { rand, runtimes, tensor } from '@tessera/core';
import { getWorkerInfo, serveDataset } from '../../src/index.js';

runtimes.current.use(cpuPlugin);
void serveDataset({ length: 10, get: (i) => [tensor(i * i), rand(1), { name: `by ${getWorkerInfo()?.id}` }] });
