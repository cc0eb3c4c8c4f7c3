/** @file A training as small as can be, which is the same in Node, in a page and in a service worker. */
import { F, init, manualSeed, nn, optim, randint, randn, runtimes } from '../../src/index.js';

export interface Outcome {
  readonly device: string;
  readonly losses: readonly number[];
  /** Why backends cannot be used here. */
  readonly unavailable: Readonly<Record<string, string>>;
}

export async function train(device: string): Promise<Outcome> {
  const { id } = await init({ device });
  manualSeed(0);
  const model = new nn.Sequential(new nn.Linear(64, 128), new nn.GELU(), new nn.Linear(128, 10));
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
  const [x, y] = [randn(96, 64), randint(10, [96])];
  const losses: number[] = [];
  for (let step = 0; step < 5; step++) {
    optimizer.zeroGrad();
    const loss = F.crossEntropy(model(x), y);
    loss.backward();
    optimizer.step();
    losses.push(await loss.itemAsync());
  }
  const unavailable: Record<string, string> = {};
  for (const { id: name, availability } of await runtimes.current.backends())
    if (!availability.available) unavailable[name] = availability.reason;
  return { device: id, losses, unavailable };
}
