/** @file Bags of embeddings, and one-hot codes. The plain embedding is an op of core. */
import {
  checkOptions,
  type OptionNames,
  embedding,
  type EmbeddingOptions,
  ShapeError,
  type Tensor,
  ValueError,
  zeros,
} from '@tessera/core';

const EMBEDDING_BAG_OPTIONS: OptionNames<EmbeddingBagOptions> = {
  offsets: true,
  mode: true,
  perSampleWeights: true,
  includeLastOffset: true,
  paddingIdx: true,
  maxNorm: true,
  normType: true,
  scaleGradByFreq: true,
};

export interface EmbeddingBagOptions extends EmbeddingOptions {
  /** Where each bag begins in a 1-D input. */
  readonly offsets?: Tensor | null;
  /** Default 'mean'. */
  readonly mode?: 'sum' | 'mean' | 'max';
  /** A factor for each index; for 'sum' only. */
  readonly perSampleWeights?: Tensor | null;
  /** The last offset is the end of the input rather than the start of a bag. Default false. */
  readonly includeLastOffset?: boolean;
}

/** The bag of each place of a 1-D input: how many offsets lie at or before it, less one. Worked out on the device. */
function bagOf(offsets: Tensor, length: number): Tensor {
  const starts = offsets.detach().to('int32');
  const marks = zeros([length + 1], { dtype: 'int32', device: offsets.device }).scatterAdd(
    0,
    starts,
    starts.newZeros([starts.numel()]).add(1),
  );
  return marks.cumsum(0).narrow(0, 0, length).sub(1).to('int32');
}

/**
 * The sum, mean or maximum of the embeddings in each bag: input (B, N), a bag a row, or 1-D with `offsets` (B); (B, D) comes out. Entries of
 * `paddingIdx` do not count; an empty bag gives 0. PyTorch: F.embedding_bag.
 *
 * @throws ShapeError `ERR_EMBEDDING_BAG`; ValueError `ERR_EMBEDDING_BAG`.
 */
export function embeddingBag(input: Tensor, weight: Tensor, offsets?: Tensor | null, options: EmbeddingBagOptions = {}): Tensor {
  checkOptions('embeddingBag', options, EMBEDDING_BAG_OPTIONS);
  const op = 'embeddingBag';
  const { mode = 'mean', perSampleWeights = null, includeLastOffset = false, paddingIdx, maxNorm, normType, scaleGradByFreq } = options;
  const starts = offsets ?? options.offsets ?? null;
  const details = { op, shapes: [input.shape, weight.shape] };
  if (mode !== 'sum' && mode !== 'mean' && mode !== 'max')
    throw new ValueError('ERR_EMBEDDING_BAG', `${op}: mode has to be one of sum, mean or max, not '${String(mode)}'`, details);
  if (perSampleWeights !== null && mode !== 'sum')
    throw new ValueError(
      'ERR_EMBEDDING_BAG',
      `${op}: embedding_bag was called with per_sample_weights not None, but per_sample_weights is only supported for mode='sum' (got mode='${mode}')`,
      details,
    );
  if (perSampleWeights !== null && perSampleWeights.shape.join() !== input.shape.join())
    throw new ShapeError(
      'ERR_EMBEDDING_BAG',
      `${op}: expected input [${input.shape.join(', ')}] to have the same shape as per_sample_weights [${perSampleWeights.shape.join(', ')}]`,
      details,
    );
  if (input.ndim !== 1 && input.ndim !== 2)
    throw new ShapeError('ERR_EMBEDDING_BAG', `${op}: input has to be 1D or 2D Tensor, but got Tensor of dimension ${input.ndim}`, details);
  if (input.ndim === 2 && starts !== null)
    throw new ValueError(
      'ERR_EMBEDDING_BAG',
      `${op}: if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length sequences`,
      details,
    );
  if (input.ndim === 1 && starts === null)
    throw new ValueError('ERR_EMBEDDING_BAG', `${op}: offsets has to be a 1D Tensor but got null`, details);
  if (starts !== null && starts.ndim !== 1) throw new ShapeError('ERR_EMBEDDING_BAG', `${op}: offsets has to be a 1D Tensor`, details);
  const count = input.numel();
  const flat = input.reshape([count]);
  const rows = embedding(flat, weight, { paddingIdx, maxNorm, normType, scaleGradByFreq });
  const bags = input.ndim === 2 ? input.shape[0]! : starts!.numel() - (includeLastOffset ? 1 : 0);
  const width = weight.shape[1]!;
  if (count === 0) return rows.newZeros([bags, width]);
  const padding = options.paddingIdx ?? null;
  const kept = padding === null ? null : flat.ne(padding < 0 ? padding + weight.shape[0]! : padding).unsqueeze(1);
  const bag = input.ndim === 2 ? null : bagOf(starts!, count);
  const grouped = (x: Tensor): Tensor =>
    bag === null
      ? x.reshape([bags, -1, x.shape[1]!]).sum(1)
      : x.newZeros([bags, x.shape[1]!]).scatterAdd(0, bag.unsqueeze(1).expand([count, x.shape[1]!]), x);
  if (mode === 'max') return largest(kept === null ? rows : rows.maskedFill(kept.logicalNot(), -Infinity), bag, bags, count, width);
  let part = perSampleWeights === null ? rows : rows.mul(perSampleWeights.reshape([count, 1]));
  if (kept !== null) part = part.maskedFill(kept.logicalNot(), 0);
  const sum = grouped(part);
  if (mode === 'sum') return sum;
  const members = kept === null ? rows.newZeros([count, 1]).add(1) : kept.to(rows.dtype);
  return sum.div(grouped(members.detach()).clampMin(1));
}

/** The largest in each bag; 0 where a bag has none. */
function largest(rows: Tensor, bag: Tensor | null, bags: number, count: number, width: number): Tensor {
  if (bag === null) {
    const most = rows.reshape([bags, -1, width]).max(1)[0];
    return most.maskedFill(most.detach().eq(-Infinity), 0);
  }
  const least = rows.detach().newFull([bags, width], -Infinity);
  const most = least.scatterReduce(0, bag.unsqueeze(1).expand([count, width]), rows, 'amax');
  return most.maskedFill(most.detach().eq(-Infinity), 0);
}

function codes(x: Tensor, classes: number): Tensor {
  return x.newZeros([...x.shape, classes], { dtype: 'int32' }).scatter(-1, x.to('int32').unsqueeze(-1), 1);
}

function checkClasses(x: Tensor, numClasses: number): void {
  if (x.dtype !== 'int32' && x.dtype !== 'uint8')
    throw new ValueError('ERR_ONE_HOT', `oneHot: one_hot is only applicable to index tensor of an integer dtype, not ${x.dtype}`, {
      op: 'oneHot',
      dtypes: [x.dtype],
    });
  if (x.numel() === 0 && numClasses <= 0)
    throw new ValueError('ERR_ONE_HOT', 'oneHot: Can not infer total number of classes from empty tensor.', {
      op: 'oneHot',
      shapes: [x.shape],
    });
  if (numClasses === 0 || numClasses < -1)
    throw new ValueError('ERR_ONE_HOT', `oneHot: num_classes should be positive, or -1, but is ${numClasses}`, { op: 'oneHot' });
}

/**
 * A 1 in the place that each element names, in a new last dim (int32). With `numClasses` −1 it is as wide as the largest element needs, which
 * has to be read; elsewhere `oneHotAsync` does that. PyTorch: F.one_hot.
 *
 * @throws ValueError `ERR_ONE_HOT`; IndexError `ERR_INDEX_RANGE` for a class that is none.
 */
export function oneHot(x: Tensor, numClasses = -1): Tensor {
  checkClasses(x, numClasses);
  return codes(x, numClasses === -1 ? x.detach().amax().item() + 1 : numClasses);
}

/** As {@link oneHot}, on every device. */
export async function oneHotAsync(x: Tensor, numClasses = -1): Promise<Tensor> {
  checkClasses(x, numClasses);
  return codes(x, numClasses === -1 ? (await x.detach().amax().itemAsync()) + 1 : numClasses);
}
