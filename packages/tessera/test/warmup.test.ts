/** @file warmup: after it all is as it was before, on a backend that compiles nothing too. WebGPU's own test counts pipelines. */
import { beforeAll, describe, expect, it } from 'vitest';
import { F, Generator, init, manualSeed, nn, optim, rand, randn, runtimes, tensor, type Tensor, warmup } from '../src/index.js';

class Net extends nn.Module {
  fc1 = new nn.Linear(4, 8);
  norm = new nn.BatchNorm1d(8);
  drop = new nn.Dropout(0.5);
  fc2 = new nn.Linear(8, 3);
  /** Calls, and whether gradients were recorded. */
  readonly calls: boolean[] = [];

  forward(x: Tensor): Tensor {
    const y = this.fc2(this.drop(F.relu(this.norm(this.fc1(x)))));
    this.calls.push(y.requiresGrad);
    return y;
  }
}

function training() {
  manualSeed(0);
  const model = new Net();
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.1 });
  const x = randn(5, 4);
  const loss = (logits: Tensor): Tensor => F.crossEntropy(logits, tensor(Int32Array.of(0, 1, 2, 0, 1)));
  const step = (): number => {
    optimizer.zeroGrad();
    const value = loss(model(x));
    value.backward();
    optimizer.step();
    return value.item();
  };
  return { model, optimizer, x, loss, step };
}

describe('warmup', () => {
  const { generator } = runtimes.current;
  beforeAll(() => init({ device: 'cpu' }));

  it('changes no loss of a training that has begun: weights, running statistics, optimizer and generator are put back', async () => {
    const plain = training();
    const expected = [plain.step(), plain.step(), plain.step(), rand(2).toArray()];
    const warm = training();
    const losses = [warm.step()];
    await warmup(warm.model, warm.x, { loss: warm.loss, optimizer: warm.optimizer });
    expect([...losses, warm.step(), warm.step(), rand(2).toArray()]).toEqual(expected);
    expect(warm.model.calls).toHaveLength(4);
  });

  it('keeps the gradients that are there', async () => {
    const { model, x, loss } = training();
    loss(model(x)).backward();
    const grad = model.fc1.weight.grad!;
    const values = grad.toArray();
    await warmup(model, [x], { loss });
    expect(model.fc1.weight.grad === grad).toBe(true);
    expect(grad.toArray()).toEqual(values);
  });

  it('records gradients in training mode, and none in eval mode', async () => {
    const { model, x } = training();
    await warmup(model, x);
    await warmup(model.eval(), x);
    expect(model.calls).toEqual([true, false]);
  });

  it('gives lazy layers their shapes, in the mode that they were in', async () => {
    const [linear, norm] = [new nn.LazyLinear(3), new nn.LazyBatchNorm1d()];
    const model = new nn.Sequential(linear, norm);
    await warmup(model, randn(2, 5));
    expect(linear.weight.shape).toEqual([3, 5]);
    expect(norm.runningMean!.toArray()).toEqual([0, 0, 0]);
    expect([...model.modules()].every((m) => m.training)).toBe(true);
  });

  it('throws what the model throws, with all put back', async () => {
    const { model, optimizer } = training();
    const loss = (logits: Tensor): Tensor => {
      rand(3).realize();
      return logits.view(4, 4).sum();
    };
    const drawn = generator.getState();
    await expect(warmup(model, randn(5, 4, { generator: new Generator(1) }), { loss, optimizer })).rejects.toMatchObject({
      code: 'ERR_VIEW_SHAPE',
    });
    expect(generator.getState()).toEqual(drawn);
    expect(model.norm.runningMean!.toArray()).toEqual(Array.from({ length: 8 }, () => 0));
  });
});
