/** @file What a training step costs: counted, since a software driver's times say little. */
import { afterAll, describe, expect, it } from 'vitest';
import { F, init, type Module, nn, optim, randn, runtimes, scope, tensor, type Tensor } from '../../tessera/src/index.js';
import type { WebGpuBackend, WebGpuCounters } from '../src/index.js';
import { noAdapter } from './support/device.js';

class CNN extends nn.Module {
  conv1 = new nn.Conv2d(1, 16, 3, { padding: 1 });
  conv2 = new nn.Conv2d(16, 32, 3, { padding: 1 });
  pool = new nn.MaxPool2d(2);
  fc = new nn.Linear(32 * 2 * 2, 10);

  forward(x: Tensor): Tensor {
    x = this.pool(F.relu(this.conv1(x)));
    x = this.pool(F.relu(this.conv2(x)));
    return this.fc(x.view(-1, 32 * 2 * 2));
  }
}

class MLP extends nn.Module {
  fc1 = new nn.Linear(64, 32);
  fc2 = new nn.Linear(32, 10);

  forward(x: Tensor): Tensor {
    return this.fc2(F.gelu(this.fc1(x)));
  }
}

const difference = (a: WebGpuCounters, b: WebGpuCounters): WebGpuCounters =>
  Object.fromEntries(Object.entries(a).map(([key, value]) => [key, value - b[key as keyof WebGpuCounters]])) as unknown as WebGpuCounters;

/** What the fifth step of training costs, each in a scope. */
async function costOfStep(make: () => Module & ((x: Tensor) => Tensor), shape: readonly number[]): Promise<WebGpuCounters> {
  const { backend } = await init({ device: 'webgpu' });
  const gpu = backend as WebGpuBackend;
  const model = make();
  const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
  const x = randn([...shape]);
  const y = tensor(Int32Array.from({ length: shape[0] }, (_, i) => i % 10));
  const step = (): number =>
    scope(() => {
      // Gradients outlive a scope; these are not wanted any more.
      for (const parameter of model.parameters()) parameter.grad?.dispose();
      optimizer.zeroGrad();
      const loss = F.crossEntropy(model(x), y);
      loss.backward();
      optimizer.step();
      return loss.item();
    });
  const losses = [step(), step(), step(), step()];
  const before = gpu.counters;
  losses.push(step());
  const cost = difference(gpu.counters, before);
  expect(losses.every((loss, i) => i === 0 || loss < losses[i - 1])).toBe(true);
  return cost;
}

describe.skipIf(noAdapter)('launching', () => {
  afterAll(() => runtimes.current.dispose());

  it('a step of the convolutional network: at most 45 kernels, one submit, nothing made anew', async () => {
    const cost = await costOfStep(() => new CNN(), [4, 1, 8, 8]);
    expect(cost).toMatchObject({ submits: 1, buffers: 0, pipelines: 0 });
    expect(cost.kernels).toBeLessThanOrEqual(45);
  });

  it('a step of a perceptron: at most 25 kernels, one submit, nothing made anew', async () => {
    const cost = await costOfStep(() => new MLP(), [16, 64]);
    expect(cost).toMatchObject({ submits: 1, buffers: 0, pipelines: 0 });
    expect(cost.kernels).toBeLessThanOrEqual(25);
  });

  it('submits when the synchronous work is done, without a read', async () => {
    const { backend } = await init({ device: 'webgpu' });
    const gpu = backend as WebGpuBackend;
    await gpu.synchronize();
    const before = gpu.counters;
    for (let i = 0; i < 10; i++) randn([4]).add(1).realize();
    await Promise.resolve();
    await gpu.synchronize();
    expect(difference(gpu.counters, before).submits).toBe(2);
  });
});
