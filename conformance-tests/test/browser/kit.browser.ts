/** @file The kit in a page: the kernels whole, and something of every other level, with PyTorch's data fetched from the server. */
import { cpuPlugin } from '@tessera/backend-cpu';
import { wasmPlugin } from '@tessera/backend-wasm';
import { randn } from '@tessera/core';
import { Linear } from '@tessera/layers';
import { describe, expect, it } from 'vitest';
import { checkLayer, conform, runConformance } from '../../src/index.js';

const test = { describe, it };

for (const [plugin, device] of [
  [cpuPlugin, 'cpu'],
  [wasmPlugin, 'wasm'],
] as const) {
  await conform({ plugin, device, test, levels: ['kernels'] });
  const some = 'add/,softmax/,nn.functional.conv2d/,nn.Linear,nn.BatchNorm2d,optim.Adam,StepLR,cnn,simple_model';
  await conform({ name: `${device}: models`, plugin, device, test, only: some, levels: ['ops', 'modules', 'optimizers', 'training'] });
}

checkLayer({
  test,
  name: 'checkLayer',
  cases: [
    {
      name: 'Linear',
      layer: () => new Linear(4, 2),
      inputs: () => [randn(3, 4)],
      shape: [3, 2],
      repr: 'Linear(in_features=4, out_features=2, bias=True)',
    },
  ],
});

describe('runConformance', () => {
  it('gives the scorecard in a page as in Node', async () => {
    const card = await runConformance({ plugin: cpuPlugin, device: 'cpu', levels: ['ops'], only: 'log_softmax/' });
    expect(card).toMatchObject({ device: 'cpu', failed: 0 });
    expect(card.passed).toBeGreaterThan(5);
  });
});
