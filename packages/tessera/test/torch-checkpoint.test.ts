/** @file A checkpoint that PyTorch saved in the middle of training: what it did afterwards happens here too. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { F, io, nn, optim, type Tensor } from '../src/index.js';

const folder = fileURLToPath(new URL('../../io/test/fixtures/torch/', import.meta.url));

class Net extends nn.Module {
  conv = new nn.Conv2d(1, 4, 3, { padding: 1, bias: false });
  bn = new nn.BatchNorm2d(4);
  fc = new nn.Linear(4 * 4 * 4, 3);

  forward(x: Tensor): Tensor {
    return this.fc(this.bn(this.conv(x)).relu().flatten(1));
  }
}

interface Checkpoint {
  readonly model: Map<string, Tensor>;
  readonly optimizer: optim.OptimizerStateDict;
  readonly scheduler: Record<string, never>;
  readonly epoch: number;
  readonly x: Tensor;
  readonly y: Tensor;
}

const RUNS = {
  adam: (net: Net) => new optim.Adam(net.parameters()),
  sgd: (net: Net) => new optim.SGD(net.parameters(), { lr: 1 }),
};

/** Goes on from a checkpoint; answers the losses. */
function goOn(checkpoint: Checkpoint, run: keyof typeof RUNS, steps: number): { net: Net; losses: number[]; save: () => Uint8Array } {
  const net = new Net();
  net.loadStateDict(checkpoint.model);
  const optimizer = RUNS[run](net) as optim.Optimizer<object>;
  optimizer.loadStateDict(checkpoint.optimizer);
  const scheduler = new optim.lrScheduler.StepLR(optimizer as optim.Adam, 2, { gamma: 0.5 });
  scheduler.loadStateDict(checkpoint.scheduler);
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    optimizer.zeroGrad();
    const loss = F.crossEntropy(net(checkpoint.x), checkpoint.y);
    loss.backward();
    optimizer.step();
    scheduler.step();
    losses.push(loss.item());
  }
  const { epoch, x, y } = checkpoint;
  return {
    net,
    losses,
    save: () =>
      io.saveTorch({ model: net.stateDict(), optimizer: optimizer.stateDict(), scheduler: scheduler.stateDict(), epoch, x, y } as never),
  };
}

const load = (bytes: Uint8Array): Checkpoint => io.loadTorch(bytes) as unknown as Checkpoint;

describe.each(['adam', 'sgd'] as const)("PyTorch's checkpoint with %s", (run) => {
  const file = new Uint8Array(readFileSync(`${folder}training-${run}.pt`));
  const expected = JSON.parse(readFileSync(`${folder}training-${run}.json`, 'utf8')) as {
    losses: number[];
    after: { dict: [string, { values: number[] }][] };
  };

  it('goes on as in PyTorch', () => {
    const { net, losses } = goOn(load(file), run, 5);
    losses.forEach((loss, i) => expect(loss).toBeCloseTo(expected.losses[i]!, 4));
    const state = net.stateDict();
    for (const [name, { values }] of expected.after.dict) {
      const ours = [...state.get(name)!.data()];
      const scale = Math.max(...values.map(Math.abs));
      ours.forEach((x, i) => expect(Math.abs(x - values[i]!)).toBeLessThanOrEqual(1e-4 * scale + 1e-6));
    }
  });

  it('stopped and resumed at any step, does the same bit for bit', () => {
    const { losses } = goOn(load(file), run, 5);
    for (let stop = 1; stop < 5; stop++) {
      const before = goOn(load(file), run, stop);
      const after = goOn(load(before.save()), run, 5 - stop);
      expect([...before.losses, ...after.losses]).toEqual(losses);
    }
  });
});
