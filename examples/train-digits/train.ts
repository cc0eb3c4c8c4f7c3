/** @file The training loop, and how good a model is. */
import { type data, F, noGrad, type Tensor } from 'tessera';
import type { Place, Training } from './checkpoint.js';
import type { Classifier } from './model.js';

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
 * Trains to the end of the epoch that `place` is in, and notes there how far it is; with a `signal`, until that is aborted.
 * @throws Error when the loss is no number any more.
 */
export async function trainEpoch(
  { model, loader, optimizer, scheduler }: Training,
  place: Place,
  report: (progress: Progress) => void,
  signal?: AbortSignal,
): Promise<void> {
  model.train();
  const start = performance.now();
  const before = place.seen;
  for await (const [images, labels] of loader) {
    optimizer.zeroGrad();
    const logits = model(images);
    const loss = F.crossEntropy(logits, labels);
    loss.backward();
    optimizer.step();
    scheduler.step();
    const value = await loss.itemAsync();
    if (!Number.isFinite(value)) throw new Error(`the loss became ${value} in epoch ${place.epoch}: try a smaller --lr`);
    place.losses.push(value);
    place.right += await hits(logits, labels);
    place.seen += labels.size(0);
    const seconds = (performance.now() - start) / 1000;
    report({ epoch: place.epoch, loss: value, accuracy: place.right / place.seen, imagesPerSecond: (place.seen - before) / seconds });
    if (signal?.aborted === true) return;
  }
}

/** The fraction of a dataset that the model recognises. */
export async function evaluate(model: Classifier, loader: data.DataLoader<[Tensor, Tensor]>): Promise<number> {
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
