/** @file Trains a ResNet on the handwritten digits. */
import { data, F, init, manualSeed, noGrad, optim, type Tensor } from 'tessera';
import type { Report, TrainingOptions } from '../shared/training-options.js';
import { loadDigits } from '../train-digits/digits.js';
import { ResNet } from './model.js';

export interface Outcome {
  readonly losses: number[];
  /** On images that it has not seen, from 0 to 1. */
  readonly accuracy: number;
}

export async function train({ device, steps, lr, seed }: TrainingOptions, report: Report, width = 16): Promise<Outcome> {
  await init({ device });
  manualSeed(seed);
  const digits = await loadDigits();
  const model = new ResNet([1, 1, 1], { channels: 1, classes: 10, width });
  const optimizer = new optim.AdamW(model.parameters(), { lr, weightDecay: 0.01 });
  const scheduler = new optim.lrScheduler.OneCycleLR(optimizer, lr, { totalSteps: steps });
  const losses: number[] = [];
  while (losses.length < steps) {
    for await (const [images, labels] of new data.DataLoader<[Tensor, Tensor]>(digits.train, { batchSize: 32, shuffle: true })) {
      const loss = F.crossEntropy(model(images), labels);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      scheduler.step();
      losses.push(await loss.itemAsync());
      report(losses.length, losses.at(-1)!);
      if (losses.length === steps) break;
    }
  }
  model.eval();
  let right = 0;
  for await (const [images, labels] of new data.DataLoader<[Tensor, Tensor]>(digits.test, { batchSize: 60 }))
    right += await noGrad(() => model(images).argmax(1).eq(labels).sum()).itemAsync();
  return { losses, accuracy: right / digits.test.length };
}
