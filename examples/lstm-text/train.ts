/** @file Trains the classifier on reviews. */
import { F, init, manualSeed, nn, noGrad, optim, randperm, tensor, type Tensor } from 'tessera';
import { loadReviews, type Review, type Reviews } from '../shared/reviews.js';
import type { Report, TrainingOptions } from '../shared/training-options.js';
import { Classifier } from './model.js';

export interface Outcome {
  readonly model: Classifier;
  readonly data: Reviews;
  readonly losses: number[];
  /** On the reviews that it has seen, from 0 to 1. */
  readonly accuracy: number;
}

export async function train({ device, steps, lr, seed }: TrainingOptions, report: Report): Promise<Outcome> {
  const on = await init({ device });
  manualSeed(seed);
  const data = await loadReviews();
  const model = new Classifier(data.vocabulary.length, 32, 32);
  const optimizer = new optim.Adam(model.parameters(), { lr });
  const labels = (batch: readonly Review[]): Tensor =>
    tensor(
      batch.map((r) => r.label),
      { device: on },
    );
  const losses: number[] = [];
  while (losses.length < steps) {
    const order = randperm(data.reviews.length, { device: 'cpu' }).toArray() as number[];
    for (let at = 0; at + 16 <= order.length && losses.length < steps; at += 16) {
      const batch = order.slice(at, at + 16).map((i) => data.reviews[i]!);
      const loss = F.binaryCrossEntropyWithLogits(model(batch.map((r) => r.words)), labels(batch));
      optimizer.zeroGrad();
      loss.backward();
      nn.utils.clipGradNorm_(model.parameters(), 1);
      optimizer.step();
      losses.push(await loss.itemAsync());
      report(losses.length, losses.at(-1)!);
    }
  }
  model.eval();
  const right = noGrad(() =>
    model(data.reviews.map((r) => r.words))
      .gt(0)
      .to('float32')
      .eq(labels(data.reviews))
      .to('float32')
      .mean(),
  );
  return { model, data, losses, accuracy: await right.itemAsync() };
}

/** How sure the model is that a sentence is praise, from 0 to 1. */
export async function praise({ model, data }: Outcome, text: string): Promise<number> {
  model.eval();
  return noGrad(() => model([data.encode(text)]).sigmoid())
    .squeeze(0)
    .itemAsync();
}
