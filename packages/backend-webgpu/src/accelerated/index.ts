/** @file The accelerated kernels that this backend has. */
import type { AcceleratedKernels } from '@tessera/core/backend';
import type { Context } from '../kernels/context.js';
import { createPointwiseEach } from '../kernels/pointwise-each.js';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import { createMatmulPointwise } from '../kernels/matmul.js';
import { createAttention } from './attention.js';
import { createAttentionGrad } from './attention-grad.js';
import { createBatchNorm } from './batch-norm.js';
import { createConvolution } from './convolution.js';
import { createCrossEntropy } from './cross-entropy.js';
import { createLayerNorm } from './layer-norm.js';
import { createLinear } from './linear.js';
import { createPool } from './pool.js';
import { createRecurrent } from './recurrent.js';
import { createSoftmax } from './softmax.js';
import { createTopk } from './topk.js';

export function acceleratedKernels(context: Context): Partial<AcceleratedKernels<WebGpuBuffer>> {
  return {
    pointwiseEach: createPointwiseEach(context),
    ...createConvolution(context),
    ...createPool(context),
    ...createSoftmax(context),
    ...createCrossEntropy(context),
    ...createLayerNorm(context),
    ...createBatchNorm(context),
    attention: createAttention(context),
    attentionGrad: createAttentionGrad(context),
    linear: createLinear(context),
    matmulPointwise: createMatmulPointwise(context),
    ...createRecurrent(context),
    topk: createTopk(context),
  };
}
