/** @file Trains a small BERT to tell good reviews from bad ones. */
import { F, init, manualSeed, optim, randperm, tensor, type Tensor } from 'tessera';
import { loadReviews, PADDING, type Review } from '../shared/reviews.js';
import type { Report, TrainingOptions } from '../shared/training-options.js';
import { BertClassifier, type BertConfig } from './model.js';

const CONFIG: Omit<BertConfig, 'vocab_size'> = {
  hidden_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 96,
  max_position_embeddings: 16,
  type_vocab_size: 2,
  layer_norm_eps: 1e-12,
  hidden_dropout_prob: 0.1,
};

/** Answers the losses of the steps. */
export async function train({ device, steps, lr, seed }: TrainingOptions, report: Report): Promise<number[]> {
  const on = await init({ device });
  manualSeed(seed);
  const { reviews, vocabulary } = await loadReviews();
  // One word more than the reviews have: [CLS], in front of each.
  const cls = vocabulary.length;
  const model = new BertClassifier({ ...CONFIG, vocab_size: cls + 1 }, 2);
  const optimizer = new optim.AdamW(model.parameters(), { lr });
  const scheduler = new optim.lrScheduler.LinearLR(optimizer, { startFactor: 0.1, endFactor: 1, totalIters: Math.ceil(steps / 5) });
  const batchOf = (some: readonly Review[]): [words: Tensor, padding: Tensor, labels: Tensor] => {
    const longest = 1 + Math.max(...some.map((r) => r.words.length));
    const rows = some.map(({ words }) => [cls, ...words, ...new Array<number>(longest - 1 - words.length).fill(PADDING)]);
    const words = tensor(rows, { dtype: 'int32', device: on });
    return [
      words,
      words.eq(PADDING),
      tensor(
        some.map((r) => r.label),
        { dtype: 'int32', device: on },
      ),
    ];
  };
  const losses: number[] = [];
  while (losses.length < steps) {
    const order = randperm(reviews.length, { device: 'cpu' }).toArray() as number[];
    for (let at = 0; at + 16 <= order.length && losses.length < steps; at += 16) {
      const [words, padding, labels] = batchOf(order.slice(at, at + 16).map((i) => reviews[i]!));
      const loss = F.crossEntropy(model(words, { padding }), labels);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      scheduler.step();
      losses.push(await loss.itemAsync());
      report(losses.length, losses.at(-1)!);
    }
  }
  return losses;
}
