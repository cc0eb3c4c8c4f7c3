/** @file Rows of a table, looked up by index, with the gradient summed into the rows. */
import { ShapeError, ValueError } from '../../errors.js';
import { numelOf } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { noGrad } from '../../autograd/mode.js';
import { filled, zerosOf } from '../fill.js';
import { indexTensor, launchGather, outOfRange } from '../gather.js';
import { OPS } from '../registry.js';
import { attach, recording } from '../result.js';
import { expand, reshape, unsqueeze } from '../view.js';
import { listed } from './geometry.js';
import { checkOptions, type OptionNames } from '../../options.js';

const EMBEDDING_OPTIONS: OptionNames<EmbeddingOptions> = { paddingIdx: true, maxNorm: true, normType: true, scaleGradByFreq: true };

export interface EmbeddingOptions {
  /** This row gets no gradient; counted from the end where negative. */
  readonly paddingIdx?: number | null;
  /** Rows that are looked up and longer than this are shortened to it first, in place. */
  readonly maxNorm?: number | null;
  /** The exponent of that norm. Default 2. */
  readonly normType?: number;
  /** Divides a row's gradient by how often it was looked up. Default false. */
  readonly scaleGradByFreq?: boolean;
}

/** A padding index counted from the front; null for none. @throws ValueError `ERR_PADDING_INDEX` */
export function paddingRow(op: string, index: number | null | undefined, rows: number): number | null {
  if (index === undefined || index === null) return null;
  if (!Number.isInteger(index) || index < -rows || index >= rows)
    throw new ValueError('ERR_PADDING_INDEX', `${op}: Padding_idx must be within num_embeddings: ${index} is not within ${rows} rows`, {
      op,
    });
  return index < 0 ? index + rows : index;
}

/** Shortens the rows that `index` names to `maxNorm`, in place, without history. */
function renormRows(weight: Tensor, index: Tensor, maxNorm: number, p: number): void {
  noGrad(() => {
    const rows = weight.shape[0]!;
    const flat = reshape(index, [index.numel()]);
    const used = filled([rows], 0, 'int32', weight.device)
      .scatterAdd(0, flat, filled(flat.shape, 1, 'int32', weight.device))
      .gt(0);
    const norms = weight.detach().norm(p, 1);
    const scale = norms
      .add(1e-7)
      .reciprocal()
      .mul(maxNorm)
      .maskedFill(used.logicalAnd(norms.gt(maxNorm)).logicalNot(), 1);
    weight.mul_(unsqueeze(scale, 1));
  });
}

OPS.set('embedding', { name: 'embedding', inputs: 2, differentiable: true });
/**
 * The rows of `weight` (V, D) that `input` (any shape of integers) names: (*, D). PyTorch: F.embedding.
 *
 * @throws ShapeError `ERR_EMBEDDING`; ValueError `ERR_PADDING_INDEX`; IndexError `ERR_INDEX_RANGE`.
 * @example embedding(tokens, weight, { paddingIdx: 0 })
 */
export function embedding(input: Tensor, weight: Tensor, options: EmbeddingOptions = {}): Tensor {
  checkOptions('embedding', options, EMBEDDING_OPTIONS);
  if (weight.ndim !== 2)
    throw new ShapeError('ERR_EMBEDDING', `embedding: 'weight' must be 2-D, but it is ${listed(weight.shape)}`, {
      op: 'embedding',
      shapes: [weight.shape],
    });
  const index = indexTensor(input.detach(), 'embedding');
  const [rows, width] = weight.shape as [number, number];
  const padding = paddingRow('embedding', options.paddingIdx, rows);
  if (typeof options.maxNorm === 'number') renormRows(weight, index, options.maxNorm, options.normType ?? 2);
  const count = numelOf(index.shape);
  const flat = reshape(index, [count]);
  let out: Tensor;
  try {
    out = launchGather(weight.detach(), 0, expand(unsqueeze(flat, 1), [count, width]));
  } catch (error) {
    throw outOfRange('embedding', error, [rows]);
  }
  if (recording(weight)) {
    const byFrequency = options.scaleGradByFreq === true;
    attach(out, 'EmbeddingBackward0', [weight], (grad, node) => {
      const at = node.saved(0);
      let part = grad;
      if (padding !== null) part = part.maskedFill(unsqueeze(at.eq(padding), 1), 0);
      if (byFrequency) {
        const often = filled([rows], 0, grad.dtype, grad.device).scatterAdd(0, at, filled([count], 1, grad.dtype, grad.device));
        part = part.div(unsqueeze(often.gather(0, at), 1));
      }
      return [zerosOf(grad, [rows, width]).scatterAdd(0, expand(unsqueeze(at, 1), [count, width]), part)];
    }).save(flat);
  }
  return index.ndim === 1 ? out : reshape(out, [...index.shape, width]);
}
