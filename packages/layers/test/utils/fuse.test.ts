import { cpuPlugin } from '@tessera/backend-cpu';
import { noGrad, rand, randn, runtimes, type Tensor } from '@tessera/core';
import { beforeAll, describe, expect, it } from 'vitest';
import * as nn from '../../src/index.js';

beforeAll(() => {
  runtimes.current.use(cpuPlugin);
});

const { fuseConvBnEval, fuseLinearBnEval } = nn.utils;
const close = (a: Tensor, b: Tensor): void => expect(a.sub(b).abs().max().item()).toBeLessThan(1e-4);

/** Statistics and parameters as after some training. */
function used<N extends nn.BatchNorm1d | nn.BatchNorm2d>(norm: N): N {
  noGrad(() => {
    norm.running_mean!.copy_(randn(norm.numFeatures));
    norm.running_var!.copy_(rand(norm.numFeatures).add(0.5));
    norm.weight?.copy_(randn(norm.numFeatures));
    norm.bias?.copy_(randn(norm.numFeatures));
  });
  norm.eval();
  return norm;
}

describe('a batch norm folded into the layer before it', () => {
  it('leaves the result of convolutions as it is', () => {
    const x = randn(2, 4, 6, 6);
    const norm = used(new nn.BatchNorm2d(6));
    const conv = new nn.Conv2d(4, 6, 3, { groups: 2, padding: 1, stride: 2, bias: false });
    conv.eval();
    const fused = fuseConvBnEval(conv, norm);
    expect(fused).toBeInstanceOf(nn.Conv2d);
    expect(fused.training).toBe(false);
    close(fused(x), norm(conv(x)));
    const turned = new nn.ConvTranspose2d(4, 6, 3);
    turned.eval();
    close(fuseConvBnEval(turned, norm, true)(x), norm(turned(x)));
  });

  it('and of dense layers, with norms that have no parameters too', () => {
    const linear = new nn.Linear(3, 5);
    linear.eval();
    const norm = used(new nn.BatchNorm1d(5, { affine: false }));
    const x = randn(4, 3);
    close(fuseLinearBnEval(linear, norm)(x), norm(linear(x)));
  });

  it('is for inference', () => {
    expect(() => fuseLinearBnEval(new nn.Linear(3, 5), new nn.BatchNorm1d(5))).toThrow(/eval/);
    const [linear, norm] = [new nn.Linear(3, 5), new nn.BatchNorm1d(5, { trackRunningStats: false })];
    linear.eval();
    norm.eval();
    expect(() => fuseLinearBnEval(linear, norm)).toThrow(/statistics/);
  });
});
