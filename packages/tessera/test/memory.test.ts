/** @file Nobody has to free anything: plain training loops hold flat memory, and what fails half-way leaves nothing behind. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import * as core from '@tessera/core';
import {
  autograd,
  cpuPlugin,
  type Device,
  F,
  type FunctionContext,
  init,
  manualSeed,
  nn,
  optim,
  randint,
  randn,
  Runtime,
  scope,
  type Tensor,
  ValueError,
  zeros,
} from '../src/index.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Lets the collector take what nobody holds, and finalizers run. */
async function settle(): Promise<void> {
  for (let i = 0; i < 4; i++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Small buffers share arrays, whose account is closed with the last of them: what that may leave open. What a step makes is far more in all. */
const SLACK = 4 * 65536;

let device: Device;
beforeAll(async () => {
  device = await init({ device: 'cpu' });
});

/** Large enough that each activation has an array of its own. */
function makeModel(): nn.Sequential {
  return new nn.Sequential(
    new nn.Conv2d(1, 4, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(64, 32),
    new nn.ReLU(),
    new nn.Linear(32, 10),
  );
}

describe('memory of a training loop without scope and dispose', () => {
  afterEach(async () => {
    device = await init({ device: 'cpu' });
  });

  it.each(['cpu', 'wasm'])('is flat on %s', async (id) => {
    device = await init({ device: id });
    manualSeed(0);
    const model = makeModel();
    const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
    const x = randn(16, 1, 8, 8);
    const y = randint(10, [16]);
    const train = async (steps: number): Promise<number> => {
      for (let step = 0; step < steps; step++) {
        optimizer.zeroGrad();
        const loss = F.crossEntropy(model(x), y);
        loss.backward();
        optimizer.step();
        if (step % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      await settle();
      return device.memory().bytes;
    };
    const early = await train(50);
    await train(200);
    const { peakBytes } = device.memory();
    // A step makes some 100 KiB.
    expect(await train(600)).toBeLessThanOrEqual(early + SLACK);
    // The collector comes often enough: what lies around before it does is bounded, too.
    expect(device.memory().peakBytes).toBeLessThan(2 * peakBytes + 2 ** 24);
  });

  it('holds the losses that are kept, and not what they were made of', async () => {
    const model = makeModel();
    const x = randn(64, 1, 8, 8);
    const y = randint(10, [64]);
    await settle();
    const before = device.memory().bytes;
    const losses: Tensor[] = [];
    for (let step = 0; step < 100; step++) {
      const loss = F.crossEntropy(model(x), y);
      loss.backward();
      model.zeroGrad();
      losses.push(loss.detach());
    }
    await settle();
    expect(losses).toHaveLength(100);
    expect(device.memory().bytes - before).toBeLessThan(SLACK);
  });
});

/** Doubles; has no gradient that could be computed. */
class Broken extends autograd.Function {
  static forward(_: FunctionContext, input: Tensor): Tensor {
    return input.mul(2);
  }
  static backward(): Tensor {
    throw new ValueError('ERR_TEST', 'this gradient cannot be computed');
  }
}

describe('memory after an error', () => {
  /** Bytes that 50 failing runs leave behind, once what they threw is gone. */
  async function leftBehind(fail: () => unknown, code: string): Promise<number> {
    const attempt = (): void => expect(fail).toThrow(expect.objectContaining({ code }));
    attempt();
    await settle();
    const before = device.memory().bytes;
    for (let i = 0; i < 50; i++) attempt();
    await settle();
    return device.memory().bytes - before;
  }

  const x = (): Tensor => randn(64, 128);

  it('in the middle of a forward pass', async () => {
    const model = new nn.Sequential(new nn.Linear(128, 48), new nn.ReLU(), new nn.Linear(50, 10));
    expect(await leftBehind(() => model(x()), 'ERR_MATMUL_SHAPE')).toBeLessThan(SLACK);
  });

  it('in the middle of a backward pass', async () => {
    const [first, last] = [new nn.Linear(128, 48), new nn.Linear(48, 10)];
    const fail = (): void => {
      for (const layer of [first, last]) layer.zeroGrad();
      last(Broken.apply(first(x()).tanh()))
        .sum()
        .backward();
    };
    expect(await leftBehind(fail, 'ERR_TEST')).toBeLessThan(SLACK);
  });

  it('in a scope is given back at once', () => {
    const layer = new nn.Linear(50, 10);
    const before = device.memory();
    const fail = (): void =>
      scope(() => {
        const hidden = x().exp().realize();
        layer(hidden);
      });
    expect(fail).toThrow(expect.objectContaining({ code: 'ERR_MATMUL_SHAPE' }));
    expect(device.memory().buffers).toBe(before.buffers);
    expect(device.memory().bytes).toBe(before.bytes);
  });

  it('of a device without room for more, which then goes on', async () => {
    const runtime = new Runtime(core).use(cpuPlugin);
    const small = await runtime.init({ device: 'cpu', backendOptions: { cpu: { maxBytes: 2 ** 20 } } });
    const weight = randn(128, 128, { device: small, requiresGrad: true });
    const grow = (rows: number): Tensor => zeros([rows, 128], { device: small }).matmul(weight).exp().matmul(weight).sum();
    await settle();
    const before = small.memory();
    for (let i = 0; i < 10; i++) {
      expect(() => grow(4096).backward()).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_MEMORY' }));
      await settle();
    }
    expect(small.memory().bytes).toBeLessThanOrEqual(before.bytes + SLACK);
    grow(64).backward();
    expect(weight.grad!.shape).toEqual([128, 128]);
  });
});
