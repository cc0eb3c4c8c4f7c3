/** @file Training goes on after the device was lost, from what the host has. */
import { afterAll, describe, expect, it } from 'vitest';
import { F, init, nn, optim, randn, runtimes, scope, type Tensor, tensor } from '../../tessera/src/index.js';
import type { WebGpuBackend } from '../src/index.js';
import { noAdapter } from './support/device.js';

const BUDGET = 1 << 20;

class MLP extends nn.Module {
  fc1 = new nn.Linear(8, 16);
  fc2 = new nn.Linear(16, 3);

  forward(x: Tensor): Tensor {
    return this.fc2(F.relu(this.fc1(x)));
  }
}

/** A model on the default device, and one step of its training on always the same batch. */
function training(): { model: MLP; step: () => number } {
  const model = new MLP();
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
  const x = tensor(Float32Array.from({ length: 80 }, (_, i) => ((i * 37) % 19) / 10 - 1)).view(10, 8);
  const y = tensor(Int32Array.from({ length: 10 }, (_, i) => i % 3));
  const step = (): number =>
    scope(() => {
      optimizer.zeroGrad();
      const loss = F.crossEntropy(model(x), y);
      loss.backward();
      optimizer.step();
      return loss.item();
    });
  return { model, step };
}

describe.skipIf(noAdapter)('a lost device', () => {
  afterAll(() => runtimes.current.dispose());

  it('training survives an allocation over the budget, and a loss in the middle', async () => {
    const start = (): ReturnType<typeof init> => init({ device: 'webgpu', backendOptions: { webgpu: { maxBytes: BUDGET } } });
    const device = await start();
    const first = training();
    const losses = [first.step(), first.step()];
    expect(() => randn([BUDGET])).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_MEMORY' }));
    losses.push(first.step());
    const saved = [...first.model.namedParameters()].map(([name, p]) => [name, p.shape, Float32Array.from(p.data())] as const);

    (device.backend as WebGpuBackend).loseDevice();
    expect(() => first.step()).toThrow(expect.objectContaining({ code: 'ERR_DEVICE_LOST' }));

    expect(await start()).not.toBe(device);
    const second = training();
    second.model.loadStateDict(Object.fromEntries(saved.map(([name, shape, data]) => [name, tensor(data).view([...shape])])));
    losses.push(second.step(), second.step());
    expect(losses.every((loss, i) => i === 0 || loss < losses[i - 1])).toBe(true);
  });
});
