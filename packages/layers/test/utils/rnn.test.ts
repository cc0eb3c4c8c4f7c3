import { cpuPlugin } from '@tessera/backend-cpu';
import { randn, runtimes, type Tensor, tensor } from '@tessera/core';
import { beforeAll, describe, expect, it } from 'vitest';
import * as nn from '../../src/index.js';

beforeAll(() => {
  runtimes.current.use(cpuPlugin);
});

const { packPaddedSequence, packPaddedSequenceAsync, packSequence, padPackedSequence, padSequence, unpackSequence, unpadSequence } =
  nn.utils.rnn;
const close = (a: Tensor, b: Tensor): void => expect(a.sub(b).abs().max().item()).toBeLessThan(1e-5);

describe('padding and packing', () => {
  const [a, b, c] = [[1, 2, 3], [4, 5], [6]] as const;
  const sequences = (): Tensor[] => [a, b, c].map((s) => tensor([...s]));

  it('pads to the longest, on either side', () => {
    expect(padSequence(sequences(), { batchFirst: true }).toArray()).toEqual([
      [1, 2, 3],
      [4, 5, 0],
      [6, 0, 0],
    ]);
    expect(padSequence(sequences(), { paddingValue: -1, paddingSide: 'left' }).toArray()).toEqual([
      [1, -1, -1],
      [2, 4, -1],
      [3, 5, 6],
    ]);
    expect(unpadSequence(padSequence(sequences()), [3, 2, 1]).map((s) => s.toArray())).toEqual([[1, 2, 3], [4, 5], [6]]);
  });

  it('packs time by time, and unpacks', () => {
    const packed = packSequence(sequences());
    expect(packed.data.toArray()).toEqual([1, 4, 6, 2, 5, 3]);
    expect(packed.batchSizes).toEqual([3, 2, 1]);
    expect(packed.sortedIndices).toBeNull();
    expect(unpackSequence(packed).map((s) => s.toArray())).toEqual([[1, 2, 3], [4, 5], [6]]);
  });

  it('sorts by length where the caller did not', async () => {
    const [x, y, z] = sequences() as [Tensor, Tensor, Tensor];
    const packed = packSequence([z, x, y], { enforceSorted: false });
    expect(packed.sortedIndices).toEqual([1, 2, 0]);
    expect(packed.unsortedIndices).toEqual([2, 0, 1]);
    expect(unpackSequence(packed).map((s) => s.toArray())).toEqual([[6], [1, 2, 3], [4, 5]]);
    const [padded, lengths] = padPackedSequence(packed, { batchFirst: true, paddingValue: 9, totalLength: 4 });
    expect(lengths).toEqual([1, 3, 2]);
    expect(padded.toArray()).toEqual([
      [6, 9, 9, 9],
      [1, 2, 3, 9],
      [4, 5, 9, 9],
    ]);
    const again = await packPaddedSequenceAsync(padded, tensor([1, 3, 2], { dtype: 'int32' }), { batchFirst: true, enforceSorted: false });
    expect(again.data.toArray()).toEqual(packed.data.toArray());
  });

  it('hands gradients on, and none to padding', () => {
    const x = randn(3, 2, 1, { requiresGrad: true });
    packPaddedSequence(x, [3, 1]).data.sum().backward();
    expect(x.grad!.squeeze(2).toArray()).toEqual([
      [1, 1],
      [1, 0],
      [1, 0],
    ]);
  });

  it('refuses lengths that do not fit', () => {
    const x = randn(3, 2, 1);
    expect(() => packPaddedSequence(x, [1, 3])).toThrow(/sorted in decreasing order/);
    expect(() => packPaddedSequence(x, [3])).toThrow(/batch_size/);
    expect(() => packPaddedSequence(x, [3, 0])).toThrow(/greater than 0/);
    expect(() => packPaddedSequence(x, [4, 1])).toThrow(/above/);
    expect(() => padPackedSequence(packPaddedSequence(x, [3, 1]), { totalLength: 2 })).toThrow(/total_length/);
  });
});

describe('recurrent layers on packed sequences', () => {
  const options = { bidirectional: true, numLayers: 2 };
  it.each([
    ['RNN', () => new nn.RNN(3, 4, options)],
    ['LSTM', () => new nn.LSTM(3, 4, options)],
    ['GRU', () => new nn.GRU(3, 4, options)],
  ] as const)('%s does what it does on each sequence alone', (_name, make) => {
    const layer = make();
    const sequences = [randn(2, 3), randn(5, 3), randn(3, 3)];
    const packed = packSequence(sequences, { enforceSorted: false });
    const [output, state] = (layer as nn.GRU)(packed);
    const last = (s: unknown): Tensor => (Array.isArray(s) ? (s[1] as Tensor) : (s as Tensor));
    unpackSequence(output).forEach((got, i) => {
      const [alone, aloneState] = (layer as nn.GRU)(sequences[i]!);
      close(got, alone);
      close(last(state).select(1, i), last(aloneState));
    });
  });

  it('takes first states in the order of the sequences', () => {
    const layer = new nn.GRU(2, 3);
    const sequences = [randn(1, 2), randn(4, 2)];
    const h0 = randn(1, 2, 3);
    const [, hn] = layer(packSequence(sequences, { enforceSorted: false }), h0);
    close(hn.select(1, 0), layer(sequences[0]!, h0.select(1, 0))[1]);
    expect(() => layer(packSequence(sequences, { enforceSorted: false }), randn(1, 3, 3))).toThrow(/hidden size/);
    expect(() => layer(packSequence([randn(2, 5)]))).toThrow(/input_size/);
  });
});
