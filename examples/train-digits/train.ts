/** @file The training loop, and how good a model is. */
import { type data, F, noGrad, type Tensor, type optim } from 'tessera';
import type { Classifier } from './model.js';

type Batch = [images: Tensor, labels: Tensor];

/** What the loop tells after each step. */
export interface Progress {
  readonly epoch: number;
  readonly loss: number;
  /** Of the epoch so far, from 0 to 1. */
  readonly accuracy: number;
  readonly imagesPerSecond: number;
}

/** How many of a batch were recognised. */
async function hits(logits: Tensor, labels: Tensor): Promise<number> {
  return noGrad(() => logits.argmax(1).eq(labels).sum()).itemAsync();
}

/**
 * Trains for one epoch; answers the losses of its steps.
 * @throws Error when the loss is no number any more.
 */
export async function trainEpoch(
  model: Classifier,
  loader: data.DataLoader<Batch>,
  optimizer: optim.Adam | optim.AdamW | optim.SGD,
  scheduler: optim.lrScheduler.LRScheduler,
  epoch: number,
  report: (progress: Progress) => void,
): Promise<number[]> {
  model.train();
  const losses: number[] = [];
  let right = 0;
  let seen = 0;
  const start = performance.now();
  for await (const [images, labels] of loader) {
    optimizer.zeroGrad();
    const logits = model(images);
    const loss = F.crossEntropy(logits, labels);
    loss.backward();
    optimizer.step();
    scheduler.step();
    const value = await loss.itemAsync();
    if (!Number.isFinite(value)) throw new Error(`the loss became ${value} in epoch ${epoch}: try a smaller --lr`);
    losses.push(value);
    right += await hits(logits, labels);
    seen += labels.size(0);
    report({ epoch, loss: losses.at(-1)!, accuracy: right / seen, imagesPerSecond: (1000 * seen) / (performance.now() - start) });
  }
  return losses;
}

/** The fraction of a dataset that the model recognises. */
export async function evaluate(model: Classifier, loader: data.DataLoader<Batch>): Promise<number> {
  model.eval();
  let right = 0;
  let seen = 0;
  for await (const [images, labels] of loader) {
    right += await hits(
      noGrad(() => model(images)),
      labels,
    );
    seen += labels.size(0);
  }
  return right / seen;
}
