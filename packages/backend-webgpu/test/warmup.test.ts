/** @file After `warmup` a real step compiles nothing, and computes what it would have computed without. */
import { afterAll, describe, expect, it } from 'vitest';
import { F, init, manualSeed, nn, noGrad, optim, randn, runtimes, tensor, type Tensor, warmup } from '../../tessera/src/index.js';
import { createWebGpuBackend, type WebGpuBackend } from '../src/index.js';
import { noAdapter } from './support/device.js';

class Net extends nn.Module {
  fc1 = new nn.Linear(8, 16);
  norm = new nn.BatchNorm1d(16);
  drop = new nn.Dropout(0.5);
  fc2 = new nn.Linear(16, 3);

  forward(x: Tensor): Tensor {
    return this.fc2(this.drop(F.relu(this.norm(this.fc1(x)))));
  }
}

/** Loses the device: the next `init` starts one that has compiled nothing. */
async function lose(gpu: WebGpuBackend): Promise<void> {
  gpu.loseDevice();
  await gpu.synchronize().catch(() => {});
}

/** A model on a new device, and one step of its training. */
async function training() {
  const { backend } = await init({ device: 'webgpu' });
  manualSeed(0);
  const model = new Net();
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
  const x = randn(6, 8).realize();
  const y = tensor(Int32Array.of(0, 1, 2, 0, 1, 2)).realize();
  const loss = (logits: Tensor): Tensor => F.crossEntropy(logits, y);
  const step = (): number => {
    optimizer.zeroGrad();
    const value = loss(model(x));
    value.backward();
    optimizer.step();
    return value.item();
  };
  return { gpu: backend as WebGpuBackend, model, optimizer, x, loss, step };
}

describe.skipIf(noAdapter)('warmup', () => {
  afterAll(() => runtimes.current.dispose());

  it('after it the first step makes no pipeline, and losses, running statistics and dropout are what they are without it', async () => {
    const cold = await training();
    const expected = [cold.step(), cold.step(), cold.model.norm.runningMean!.toArray()];
    await lose(cold.gpu);

    const warm = await training();
    await warmup(warm.model, warm.x, { loss: warm.loss, optimizer: warm.optimizer });
    const { pipelines } = warm.gpu.counters;
    expect(pipelines).toBeGreaterThan(10);
    expect([...warm.model.parameters()].every((p) => p.grad === null)).toBe(true);
    const first = warm.step();
    expect(warm.gpu.counters.pipelines - pipelines).toBe(0);
    expect([first, warm.step(), warm.model.norm.runningMean!.toArray()]).toEqual(expected);
    await lose(warm.gpu);
  });

  it('compiles the forward alone for inference', async () => {
    const { gpu, model, x } = await training();
    await warmup(model.eval(), x);
    const { pipelines } = gpu.counters;
    expect(pipelines).toBeGreaterThan(3);
    noGrad(() => model(x).toArray());
    expect(gpu.counters.pipelines - pipelines).toBe(0);
  });
});

describe.skipIf(noAdapter)('compilation aside', () => {
  const float = (value: number): Uint8Array => new Uint8Array(Float32Array.of(value).buffer);

  it('keeps the order of kernels, writes, frees and reads', async () => {
    const gpu = await createWebGpuBackend();
    const view = (buffer: ReturnType<typeof gpu.allocate>) => ({ buffer, dtype: 'float32', shape: [1], strides: [1], offset: 0 }) as const;
    const [a, b] = [gpu.allocate('float32', 1), gpu.allocate('float32', 1)];
    gpu.compilation.begin();
    gpu.write(a, 0, float(2));
    gpu.kernels.scan('sum', false, view(a), view(b), 0);
    gpu.write(a, 0, float(3));
    const before = gpu.read(b, 0, 1);
    gpu.kernels.scan('prod', false, view(a), view(b), 0);
    gpu.free(a);
    const after = gpu.read(b, 0, 1);
    await gpu.compilation.end();
    expect([await before, await after].map((bytes) => new Float32Array(bytes.buffer)[0])).toEqual([2, 3]);
    await gpu.dispose();
  });
});
