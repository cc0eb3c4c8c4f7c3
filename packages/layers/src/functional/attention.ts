/** @file Scaled dot-product attention. */
import { dropout, type NoiseOptions, ones, ShapeError, type Tensor, ValueError } from '@tessera/core';

export interface AttentionOptions extends NoiseOptions {
  /** Broadcast to (…, L, S): bool says what may be attended to, a float is added to the scores. */
  readonly attnMask?: Tensor | null;
  /** Dropout of the weights; always applied, so pass 0 when not training. Default 0. */
  readonly dropoutP?: number;
  /** Position i attends to 0 … i only. Not together with `attnMask`. Default false. */
  readonly isCausal?: boolean;
  /** Default 1 / √E. */
  readonly scale?: number | null;
  /** Keys and values have fewer heads, each serving several of the query's. Default false. */
  readonly enableGqa?: boolean;
}

/**
 * softmax(q · kᵀ · scale + mask) · v, for q (…, L, E), k (…, S, E), v (…, S, V): (…, L, V) (Vaswani et al., 2017).
 * PyTorch: F.scaled_dot_product_attention.
 *
 * @throws ShapeError `ERR_ATTENTION_SHAPE`; ValueError `ERR_ATTENTION_MASK`.
 * @example scaledDotProductAttention(q, k, v, { isCausal: true })
 */
export function scaledDotProductAttention(query: Tensor, key: Tensor, value: Tensor, options: AttentionOptions = {}): Tensor {
  const op = 'scaledDotProductAttention';
  const { attnMask = null, dropoutP = 0, isCausal = false, enableGqa = false } = options;
  const details = { op, shapes: [query.shape, key.shape, value.shape] };
  if (query.ndim < 2 || key.ndim < 2 || value.ndim < 2)
    throw new ShapeError('ERR_ATTENTION_SHAPE', `${op}: Expected query, key, and value to all be at least 2 dimensional`, details);
  if (attnMask !== null && isCausal)
    throw new ValueError('ERR_ATTENTION_MASK', `${op}: Explicit attn_mask should not be set when is_causal=True`, details);
  const scale = options.scale ?? 1 / Math.sqrt(query.shape.at(-1)!);
  let k = key;
  let v = value;
  if (enableGqa) {
    const heads = query.shape.at(-3)!;
    if (heads % key.shape.at(-3)! !== 0 || heads % value.shape.at(-3)! !== 0)
      throw new ShapeError(
        'ERR_ATTENTION_SHAPE',
        `${op}: Number of heads in key and value must divide the number of heads in query`,
        details,
      );
    k = repeatedHeads(key, heads);
    v = repeatedHeads(value, heads);
  }
  // Scaling both by the root keeps halves in range, as PyTorch does.
  const root = Math.sqrt(Math.abs(scale));
  let scores = query.mul(scale < 0 ? -root : root).matmul(k.mul(root).transpose(-2, -1));
  let mask = attnMask;
  if (isCausal) mask = ones([query.shape.at(-2)!, key.shape.at(-2)!], { dtype: 'bool', device: query.device }).tril();
  if (mask !== null) scores = mask.dtype === 'bool' ? scores.maskedFill(mask.logicalNot(), -Infinity) : scores.add(mask);
  let weights = scores.softmax(-1);
  // Where nothing may be attended to, nothing is: the softmax of −∞ alone is no number.
  if (mask !== null && mask.dtype === 'bool' && !isCausal)
    weights = weights.maskedFill(mask.logicalNot().sum(-1, { keepdim: true }).eq(mask.shape.at(-1)!), 0);
  if (dropoutP > 0) weights = dropout(weights, { p: dropoutP, training: true, rng: options.rng, generator: options.generator });
  return weights.matmul(v);
}

/** Each head as often as it serves. */
function repeatedHeads(x: Tensor, heads: number): Tensor {
  const own = x.shape.at(-3)!;
  if (own === heads) return x;
  const [s, e] = x.shape.slice(-2) as [number, number];
  const lead = x.shape.slice(0, -3);
  return x
    .unsqueeze(-3)
    .expand([...lead, own, heads / own, s, e])
    .reshape([...lead, heads, s, e]);
}
