/**
 * @file Sequences of different lengths: padded to one tensor, and packed so that recurrent layers do nothing for padding. Which sequence is how
 * long is known to the host: lengths, batch sizes and orders are numbers here, where PyTorch has tensors. PyTorch: torch.nn.utils.rnn.
 */
import { checkOptions, type OptionNames, cat, fromHost, isTensor, ShapeError, stack, type Tensor, ValueError } from '@tessera/core';
import { pad } from '../functional/index.js';

const PACK_PADDED_SEQUENCE_OPTIONS: OptionNames<PackOptions & BatchFirstOptions> = { enforceSorted: true, batchFirst: true };
const PAD_PACKED_SEQUENCE_OPTIONS: OptionNames<PadOptions & { readonly totalLength?: number | null }> = {
  paddingValue: true,
  batchFirst: true,
  totalLength: true,
};
const PAD_SEQUENCE_OPTIONS: OptionNames<PadOptions & { readonly paddingSide?: 'left' | 'right' }> = {
  paddingValue: true,
  batchFirst: true,
  paddingSide: true,
};
const BATCH_FIRST_OPTIONS: OptionNames<BatchFirstOptions> = { batchFirst: true };
const PACK_OPTIONS: OptionNames<PackOptions> = { enforceSorted: true };

/** Lengths as numbers, or as a tensor, which is read: on a device that cannot be read at once call the …Async form. */
export type SequenceLengths = readonly number[] | Tensor;

/**
 * A batch of sequences, longest first, time by time: at time t the first `batchSizes[t]` sequences go on. Recurrent layers take it in the place of
 * a padded batch. PyTorch: nn.utils.rnn.PackedSequence.
 */
export class PackedSequence {
  constructor(
    /** (Σ batchSizes, *). */
    readonly data: Tensor,
    readonly batchSizes: readonly number[],
    /** Which sequence of the caller's stands at each place; null where they were sorted. */
    readonly sortedIndices: readonly number[] | null = null,
    /** At which place each of the caller's sequences stands. */
    readonly unsortedIndices: readonly number[] | null = sortedIndices === null ? null : invertPermutation(sortedIndices),
  ) {
    const total = batchSizes.reduce((sum, size) => sum + size, 0);
    if (data.shape[0] !== total) {
      throw new ShapeError('ERR_PACKED', `PackedSequence: the batch sizes make ${total} elements, and data has ${data.shape[0]}`, {
        shapes: [data.shape],
      });
    }
  }

  /** The same sequences with other elements, such as a layer's outputs. */
  withData(data: Tensor): PackedSequence {
    return new PackedSequence(data, this.batchSizes, this.sortedIndices, this.unsortedIndices);
  }

  /** PyTorch: PackedSequence.to. */
  to(...target: Parameters<Tensor['to']>): PackedSequence {
    return this.withData(this.data.to(...target));
  }
}

/** Where each place of a permutation went. PyTorch: nn.utils.rnn.invert_permutation. */
export function invertPermutation(permutation: readonly number[]): number[] {
  const inverse = new Array<number>(permutation.length);
  permutation.forEach((from, to) => (inverse[from] = to));
  return inverse;
}

export interface BatchFirstOptions {
  /** The batch comes before the time. Default false. */
  readonly batchFirst?: boolean;
}

export interface PackOptions {
  /** The sequences are sorted by length, longest first; otherwise they are sorted here. Default true. */
  readonly enforceSorted?: boolean;
}

const index = (values: Int32Array, like: Tensor): Tensor => fromHost(values, [values.length], 'int32', like.device);

/** Rows of time and batch as one dim. */
const rowsOf = (x: Tensor): Tensor => x.reshape([x.shape[0]! * x.shape[1]!, ...x.shape.slice(2)]);

function pack(
  input: Tensor,
  lengths: readonly number[],
  { batchFirst = false, enforceSorted = true }: PackOptions & BatchFirstOptions,
): PackedSequence {
  const fail = (why: string): never => {
    throw new ValueError('ERR_PACKED', `packPaddedSequence: ${why}`, { op: 'packPaddedSequence', shapes: [input.shape] });
  };
  if (input.ndim < 2) fail('expected an input of time and batch');
  const [times, batch] = batchFirst ? [input.shape[1]!, input.shape[0]!] : [input.shape[0]!, input.shape[1]!];
  if (lengths.length !== batch)
    fail(`Expected \`len(lengths)\` to be equal to batch_size, but got ${lengths.length} (batch_size=${batch})`);
  if (!lengths.every((length) => length > 0))
    fail("Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0");
  if (lengths.some((length) => length > times)) fail(`a length is above the input's time, ${times}`);
  if (enforceSorted && lengths.some((length, i) => i > 0 && length > lengths[i - 1]!))
    fail(
      '`lengths` array must be sorted in decreasing order when `enforceSorted` is true. You can pass `enforceSorted: false` to have the sequences sorted',
    );
  const order = lengths.map((_, i) => i);
  if (!enforceSorted) order.sort((a, b) => lengths[b]! - lengths[a]!);
  const batchSizes: number[] = [];
  const places: number[] = [];
  for (let t = 0; t < Math.max(0, ...lengths); t++) {
    let size = 0;
    for (const n of order) {
      if (lengths[n]! <= t) break;
      places.push(batchFirst ? n * times + t : t * batch + n);
      size++;
    }
    batchSizes.push(size);
  }
  const data = rowsOf(input).indexSelect(0, index(Int32Array.from(places), input));
  return new PackedSequence(data, batchSizes, enforceSorted ? null : order);
}

/**
 * Packs a padded batch (T, N, *), or (N, T, *) with `batchFirst`. PyTorch: nn.utils.rnn.pack_padded_sequence.
 * @throws ValueError `ERR_PACKED`; NotSupportedError `ERR_SYNC_READ` for a tensor of lengths on a device that cannot be read at once.
 * @example packPaddedSequence(batch, [5, 3, 2], { batchFirst: true })
 */
export function packPaddedSequence(input: Tensor, lengths: SequenceLengths, options: PackOptions & BatchFirstOptions = {}): PackedSequence {
  checkOptions('packPaddedSequence', options, PACK_PADDED_SEQUENCE_OPTIONS);
  return pack(input, isTensor(lengths) ? (lengths.toArray() as number[]) : lengths, options);
}

/** As {@link packPaddedSequence}, for lengths on any device. */
export async function packPaddedSequenceAsync(
  input: Tensor,
  lengths: SequenceLengths,
  options: PackOptions & BatchFirstOptions = {},
): Promise<PackedSequence> {
  checkOptions('packPaddedSequenceAsync', options, PACK_PADDED_SEQUENCE_OPTIONS);
  return pack(input, isTensor(lengths) ? ((await lengths.toArrayAsync()) as number[]) : lengths, options);
}

export interface PadOptions extends BatchFirstOptions {
  /** Default 0. */
  readonly paddingValue?: number;
}

/**
 * A packed batch as a padded one, and the lengths of its sequences, in the caller's order. PyTorch: nn.utils.rnn.pad_packed_sequence.
 * @throws ValueError `ERR_PACKED` for a `totalLength` below the longest.
 */
export function padPackedSequence(
  sequence: PackedSequence,
  options: PadOptions & { readonly totalLength?: number | null } = {},
): [padded: Tensor, lengths: number[]] {
  const {
    batchFirst = false,
    paddingValue = 0,
    totalLength = null,
  } = checkOptions('padPackedSequence', options, PAD_PACKED_SEQUENCE_OPTIONS);
  const { data, batchSizes, unsortedIndices } = sequence;
  const longest = batchSizes.length;
  const times = totalLength ?? longest;
  if (times < longest) {
    throw new ValueError(
      'ERR_PACKED',
      `padPackedSequence: Expected total_length to be at least the length of the longest sequence in input, but got total_length=${times} and max sequence length being ${longest}`,
    );
  }
  const batch = batchSizes[0] ?? 0;
  const sorted = Array.from({ length: batch }, (_, n) => batchSizes.filter((size) => size > n).length);
  const starts: number[] = [];
  batchSizes.reduce((sum, size, t) => ((starts[t] = sum), sum + size), 0);
  const places = new Int32Array(times * batch);
  for (let n = 0; n < batch; n++) {
    const place = unsortedIndices === null ? n : unsortedIndices[n]!;
    // The row behind the data is padding.
    for (let t = 0; t < times; t++)
      places[batchFirst ? n * times + t : t * batch + n] = t < sorted[place]! ? starts[t]! + place : data.shape[0]!;
  }
  const padding = data.newFull([1, ...data.shape.slice(1)], paddingValue);
  const padded = cat([data, padding], 0)
    .indexSelect(0, index(places, data))
    .reshape([...(batchFirst ? [batch, times] : [times, batch]), ...data.shape.slice(1)]);
  return [padded, unsortedIndices === null ? sorted : unsortedIndices.map((place) => sorted[place]!)];
}

/** Sequences (L_i, *) padded to the longest: (T, N, *), or (N, T, *) with `batchFirst`. PyTorch: nn.utils.rnn.pad_sequence. @throws ValueError `ERR_PACKED`. */
export function padSequence(sequences: readonly Tensor[], options: PadOptions & { readonly paddingSide?: 'left' | 'right' } = {}): Tensor {
  const { batchFirst = false, paddingValue = 0, paddingSide = 'right' } = checkOptions('padSequence', options, PAD_SEQUENCE_OPTIONS);
  if (sequences.length === 0) throw new ValueError('ERR_PACKED', 'padSequence: received an empty list of sequences');
  const longest = Math.max(...sequences.map((s) => s.shape[0]!));
  const padded = sequences.map((s) => {
    const missing = longest - s.shape[0]!;
    if (missing === 0) return s;
    const before = new Array<number>(2 * (s.ndim - 1)).fill(0);
    return pad(s, [...before, ...(paddingSide === 'left' ? [missing, 0] : [0, missing])], { value: paddingValue });
  });
  return stack(padded, batchFirst ? 0 : 1);
}

/** The sequences of a padded batch, each with its own length. PyTorch: nn.utils.rnn.unpad_sequence. */
export function unpadSequence(padded: Tensor, lengths: readonly number[], options: BatchFirstOptions = {}): Tensor[] {
  const { batchFirst = false } = checkOptions('unpadSequence', options, BATCH_FIRST_OPTIONS);
  const x = batchFirst ? padded : padded.transpose(0, 1);
  return lengths.map((length, n) => x.select(0, n).narrow(0, 0, length));
}

/** Packs sequences (L_i, *). PyTorch: nn.utils.rnn.pack_sequence. @throws ValueError `ERR_PACKED`. @example packSequence([a, b, c], { enforceSorted: false }) */
export function packSequence(sequences: readonly Tensor[], options: PackOptions = {}): PackedSequence {
  checkOptions('packSequence', options, PACK_OPTIONS);
  return pack(
    padSequence(sequences),
    sequences.map((s) => s.shape[0]!),
    options,
  );
}

/** The sequences of a packed batch. PyTorch: nn.utils.rnn.unpack_sequence. */
export function unpackSequence(packed: PackedSequence): Tensor[] {
  const [padded, lengths] = padPackedSequence(packed, { batchFirst: true });
  return unpadSequence(padded, lengths, { batchFirst: true });
}
