/** @file The backend with its accelerated kernels. */
import type { AcceleratedKernels } from '@tessera/core/backend';
import { attention, attentionGrad } from './accelerated/attention.js';
import { avgPool, avgPoolGrad } from './accelerated/avg-pool.js';
import { batchNorm, batchNormGrad } from './accelerated/batch-norm.js';
import { convolution, convolutionInputGrad } from './accelerated/convolution.js';
import { convolutionWeightGrad } from './accelerated/convolution-weight-grad.js';
import { crossEntropy, crossEntropyGrad } from './accelerated/cross-entropy.js';
import { layerNorm, layerNormGrad } from './accelerated/layer-norm.js';
import { linear } from './accelerated/linear.js';
import { maxPool, maxPoolGrad } from './accelerated/max-pool.js';
import { softmax, softmaxGrad } from './accelerated/softmax.js';
import type { CpuBuffer } from './memory/cpu-buffer.js';
import { type CpuBackendOptions, PlainCpuBackend } from './plain-cpu-backend.js';

export type { CpuBackendOptions } from './plain-cpu-backend.js';

const ACCELERATED: Partial<AcceleratedKernels<CpuBuffer>> = {
  convolution,
  convolutionInputGrad,
  convolutionWeightGrad,
  maxPool,
  maxPoolGrad,
  avgPool,
  avgPoolGrad,
  softmax,
  softmaxGrad,
  linear,
  layerNorm,
  layerNormGrad,
  batchNorm,
  batchNormGrad,
  attention,
  attentionGrad,
  crossEntropy,
  crossEntropyGrad,
};

/**
 * Plain TypeScript on one thread: runs everywhere, is there before `init()`, and is the readable reference of every kernel.
 *
 * @example
 * const backend = new CpuBackend({ maxBytes: 512 * 1024 ** 2 });
 */
export class CpuBackend extends PlainCpuBackend {
  constructor(options?: CpuBackendOptions) {
    super(options, ACCELERATED);
  }
}

/** Makes a CPU backend. */
export function createCpuBackend(options?: CpuBackendOptions): CpuBackend {
  return new CpuBackend(options);
}
