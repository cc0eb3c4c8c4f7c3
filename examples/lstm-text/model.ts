/** @file A text classifier: words, an LSTM in both directions, a decision. */
import { cat, nn, tensor, type Tensor } from 'tessera';
import { PADDING } from '../shared/reviews.js';

/** Sentences of any lengths, as lists of numbers, give one score each: above 0 for praise. */
export class Classifier extends nn.Module {
  embedding: nn.Embedding;
  lstm: nn.LSTM;
  dropout = new nn.Dropout(0.3);
  fc: nn.Linear;

  constructor(vocabulary: number, width: number, hidden: number) {
    super();
    this.embedding = new nn.Embedding(vocabulary, width, { paddingIdx: PADDING });
    this.lstm = new nn.LSTM(width, hidden, { batchFirst: true, bidirectional: true });
    this.fc = new nn.Linear(2 * hidden, 1);
  }

  forward(sentences: readonly (readonly number[])[]): Tensor {
    const { device } = this.embedding.weight;
    const lengths = sentences.map((s) => s.length);
    const longest = Math.max(...lengths);
    const padded = sentences.map((s) => [...s, ...new Array<number>(longest - s.length).fill(PADDING)]);
    const words = this.embedding(tensor(padded, { dtype: 'int32', device }));
    // Packed, the LSTM does nothing for padding, and its last states are those of each sentence's own end.
    const packed = nn.utils.rnn.packPaddedSequence(words, lengths, { batchFirst: true, enforceSorted: false });
    const [, [hn]] = this.lstm(packed);
    return this.fc(this.dropout(cat([hn.select(0, 0), hn.select(0, 1)], 1))).squeeze(1);
  }
}
