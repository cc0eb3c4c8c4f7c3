import { data, F, optim, type Tensor } from 'tessera';
import type { Net } from './model';

/** Trains for one epoch after another, for as long as it is asked: `await next()` is the mean loss of one. */
export function trainer(model: Net, set: data.TensorDataset): () => Promise<number> {
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
  const loader = new data.DataLoader<[Tensor, Tensor]>(set, { batchSize: 64, shuffle: true });
  return async () => {
    let total = 0;
    for await (const [x, y] of loader) {
      optimizer.zeroGrad();
      const loss = F.crossEntropy(model(x), y);
      loss.backward();
      optimizer.step();
      total += await loss.itemAsync();
    }
    return total / loader.length;
  };
}
