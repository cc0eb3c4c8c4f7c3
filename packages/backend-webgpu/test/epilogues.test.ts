/** @file Products wait for what comes after them: how many kernels are launched, and that nothing in between changes what they compute. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { F, init, manualSeed, nn, noGrad, optim, randn, runtimes, scope, type Tensor, tensor } from '../../tessera/src/index.js';
import type { WebGpuBackend } from '../src/index.js';
import { noAdapter } from './support/device.js';

describe.skipIf(noAdapter)('products with what comes after them', () => {
  let gpu: WebGpuBackend;
  beforeAll(async () => {
    gpu = (await init({ device: 'webgpu' })).backend as WebGpuBackend;
  });
  afterAll(() => runtimes.current.dispose());

  /** The kernels that `fn` launches. */
  function launches(fn: () => void): string[] {
    const labels: string[] = [];
    gpu.onLaunch = (label) => labels.push(label.replace(/, .*/, ''));
    fn();
    gpu.onLaunch = null;
    return labels;
  }

  const a = (): Tensor => tensor([1, -2, 3, 4]).view(2, 2).clone().realize();
  const b = (): Tensor => tensor([1, 0, -1, 2]).view(2, 2).clone().realize();
  // a · b = [[3, -4], [-1, 8]].

  it('bias, activation and residual are one kernel with the product', () => {
    const [x, w, bias, residual] = [a(), b(), tensor([1, -1]).realize(), a()];
    let out!: Tensor;
    const run = (): void => void (out = x.matmul(w).add(bias).relu().add(residual).realize());
    expect(launches(run)).toEqual(['matmul and pointwise']);
    expect(out.toArray()).toEqual([
      [5, -2],
      [3, 11],
    ]);
  });

  it('of a linear layer and of a convolution as well', () => {
    const [linear, conv] = [new nn.Linear(8, 4), new nn.Conv2d(2, 3, 3, { padding: 1 })];
    const [x, image] = [randn(5, 8).realize(), randn(2, 2, 6, 6).realize()];
    noGrad(() => {
      expect(launches(() => void F.gelu(linear(x), { approximate: 'tanh' }).realize())).toEqual(['matmul and pointwise']);
      expect(launches(() => void F.relu(conv(image)).realize())).toEqual(['convolution and pointwise']);
    });
  });

  it('a product that others want is written by the same kernel, and not computed again', () => {
    const product = a().matmul(b());
    expect(launches(() => void product.relu().realize())).toEqual(['matmul and pointwise']);
    expect(launches(() => void product.neg().realize())).toHaveLength(1);
    expect(product.toArray()).toEqual([
      [3, -4],
      [-1, 8],
    ]);
  });

  it('writes to its operands in between do not disturb it', () => {
    const [x, w] = [a(), b()];
    const product = x.matmul(w);
    x.zero_();
    w.select(0, 0).fill_(7);
    expect(product.relu().toArray()).toEqual([
      [3, 0],
      [0, 8],
    ]);
    expect(x.toArray()).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  it('a product that nobody reads is not computed, and keeps nothing once it is disposed of', () => {
    const [x, w] = [a(), b()];
    const before = gpu.memory().bytes;
    expect(launches(() => x.matmul(w).dispose())).toEqual([]);
    expect(gpu.memory().bytes).toBe(before);
  });

  it('few wait at a time: what is kept in a list does not keep its operands for long', () => {
    const made = launches(() => {
      for (let i = 0; i < 11; i++) a().matmul(b());
    });
    expect(made.filter((label) => label === 'matmul')).toHaveLength(3);
  });

  it('training through them gives the gradients of the same model on the CPU', async () => {
    const train = async (device: string): Promise<(number | number[])[]> => {
      await init({ device });
      manualSeed(0);
      const model = new nn.Sequential(new nn.Linear(6, 9), new nn.ReLU(), new nn.Linear(9, 7), new nn.GELU(), new nn.Linear(7, 3));
      const optimizer = new optim.Adam(model.parameters(), { lr: 0.05 });
      const [x, y] = [randn(10, 6), randn(10, 3)];
      const losses: number[] = [];
      for (let i = 0; i < 4; i++)
        losses.push(
          scope(() => {
            optimizer.zeroGrad();
            const loss = F.mseLoss(model(x), y);
            loss.backward();
            optimizer.step();
            return loss.item();
          }),
        );
      return losses;
    };
    const [exact, found] = [await train('cpu'), await train('webgpu')];
    found.forEach((loss, i) => expect(loss).toBeCloseTo(exact[i] as number, 5));
    gpu = (await init({ device: 'webgpu' })).backend as WebGpuBackend;
  });

  it.each([
    ['RNN', 1, () => new nn.RNN(5, 6)],
    ['LSTM', 2, () => new nn.LSTM(5, 6)],
    ['GRU', 2, () => new nn.GRU(5, 6)],
  ] as const)('a step of %s adds at most %i kernels; outputs are put side by side together', (_, each, make) => {
    const layer = make() as unknown as (x: Tensor) => [Tensor, unknown];
    const kernels = (steps: number): string[] => {
      const x = randn(steps, 3, 5).realize();
      return launches(() => noGrad(() => void layer(x)[0].realize()));
    };
    expect(kernels(9).length - kernels(5).length).toBeLessThanOrEqual(4 * each + 1);
  });
});
