/** @file The kernels level: the seven kernels, each opcode, memory, and the accelerated kernels that a backend has. */
import type { Suite } from '../suite.js';
import { acceleratedSuites } from './accelerated-suite.js';
import { gatherSuite, scatterSuite } from './indexing-suite.js';
import { matmulSuite } from './matmul-suite.js';
import { memorySuite } from './memory-suite.js';
import { opcodeSuites } from './opcodes-suite.js';
import { pointwiseSuite } from './pointwise-suite.js';
import { reduceSuite } from './reduce-suite.js';
import { scanSuite } from './scan-suite.js';
import { sortSuite } from './sort-suite.js';

export function kernelSuites(): Suite[] {
  return [
    memorySuite(),
    pointwiseSuite(),
    ...opcodeSuites(),
    reduceSuite(),
    scanSuite(),
    matmulSuite(),
    gatherSuite(),
    scatterSuite(),
    sortSuite(),
    ...acceleratedSuites(),
  ];
}
