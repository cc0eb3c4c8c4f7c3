import { data, F, noGrad, optim, type Tensor } from 'tessera';
import type { Net } from './model.js';

/** Trains the model; answers the loss of each epoch. */
export async function train(
  model: Net,
  set: data.TensorDataset,
  epochs: number,
  report: (epoch: number, loss: number) => void,
): Promise<number[]> {
  const loader = new data.DataLoader<[Tensor, Tensor]>(set, { batchSize: 64, shuffle: true });
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
  const losses: number[] = [];
  model.train();
  for (let epoch = 1; epoch <= epochs; epoch++) {
    let sum = 0;
    for await (const [x, y] of loader) {
      optimizer.zeroGrad();
      const loss = F.crossEntropy(model(x), y);
      loss.backward();
      optimizer.step();
      sum += await loss.itemAsync();
    }
    losses.push(sum / loader.length);
    report(epoch, losses.at(-1)!);
  }
  return losses;
}

/** The fraction of a set that the model gets right. */
export async function accuracy(model: Net, set: data.TensorDataset): Promise<number> {
  const [x, y] = set.tensors as [Tensor, Tensor];
  model.eval();
  return noGrad(() => model(x).argmax(1).eq(y).float().mean()).itemAsync();
}
