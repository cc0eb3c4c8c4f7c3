/** @file Scaled dot-product attention: what its arguments mean and how they broadcast. The attention itself is in attention-core.ts. */
import { asHalf } from '../../amp/policy.js';
import { autocasting } from '../../amp/state.js';
import { ShapeError, ValueError } from '../../errors.js';
import { broadcastShapes, numelOf, type Shape } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { OPS } from '../registry.js';
import { recording } from '../result.js';
import { expand, reshape, unsqueeze } from '../view.js';
import { attend, attendComposed } from './attention-core.js';
import type { NoiseOptions } from './noise.js';
import { checkOptions, type OptionNames } from '../../options.js';

const ATTENTION_OPTIONS: OptionNames<AttentionOptions> = {
  attnMask: true,
  dropoutP: true,
  isCausal: true,
  scale: true,
  enableGqa: true,
  rng: true,
  generator: true,
};

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

const OP = 'scaledDotProductAttention';

OPS.set(OP, { name: OP, inputs: 3, differentiable: true });
/**
 * softmax(q · kᵀ · scale + mask) · v, for q (…, L, E), k (…, S, E), v (…, S, V): (…, L, V) (Vaswani et al., 2017). A row that may attend to
 * nothing gives 0. PyTorch: F.scaled_dot_product_attention.
 *
 * @throws ShapeError `ERR_ATTENTION_SHAPE`; ValueError `ERR_ATTENTION_MASK`.
 * @example scaledDotProductAttention(q, k, v, { isCausal: true })
 */
export function scaledDotProductAttention(query: Tensor, key: Tensor, value: Tensor, options: AttentionOptions = {}): Tensor {
  checkOptions('scaledDotProductAttention', options, ATTENTION_OPTIONS);
  if (autocasting.on) return asHalf(scaledDotProductAttention, query, key, value, options);
  const { attnMask = null, dropoutP = 0, isCausal = false, enableGqa = false } = options;
  const details = { op: OP, shapes: [query.shape, key.shape, value.shape] };
  if (query.ndim < 2 || key.ndim < 2 || value.ndim < 2)
    throw new ShapeError('ERR_ATTENTION_SHAPE', `${OP}: Expected query, key, and value to all be at least 2 dimensional`, details);
  if (attnMask !== null && isCausal)
    throw new ValueError('ERR_ATTENTION_MASK', `${OP}: Explicit attn_mask should not be set when is_causal=True`, details);
  const scale = options.scale ?? 1 / Math.sqrt(query.shape.at(-1)!);
  let k = key;
  let v = value;
  if (enableGqa) {
    const heads = query.shape.at(-3)!;
    if (heads % key.shape.at(-3)! !== 0 || heads % value.shape.at(-3)! !== 0)
      throw new ShapeError(
        'ERR_ATTENTION_SHAPE',
        `${OP}: Number of heads in key and value must divide the number of heads in query`,
        details,
      );
    k = repeatedHeads(key, heads);
    v = repeatedHeads(value, heads);
  }
  const blind = attnMask === null ? null : seesNothing(attnMask);
  const mask = blind === null ? attnMask : openedFor(attnMask!, blind);
  const lead = dropoutP > 0 || recording(mask) ? null : kernelBatch(query, k, v, mask);
  const out =
    lead === null
      ? attendComposed(query, k, v, mask, { causal: isCausal, scale, dropoutP, noise: options })
      : reshape(
          attend(
            inBatch(query, lead),
            inBatch(k, lead),
            inBatch(v, lead),
            mask === null ? null : maskInBatch(mask, lead, query.shape.at(-2)!, k.shape.at(-2)!),
            isCausal,
            scale,
          ),
          [...lead, query.shape.at(-2)!, v.shape.at(-1)!],
        );
  return blind === null ? out : out.maskedFill(blind, 0);
}

/** (…, L, 1): the rows of a mask that let nothing through. Their softmax would be no number. */
function seesNothing(mask: Tensor): Tensor | null {
  const m = mask.detach();
  if (m.ndim === 0 || m.numel() === 0) return null;
  return (m.dtype === 'bool' ? m.any(-1, { keepdim: true }).logicalNot() : m.amax(-1, { keepdim: true }).eq(-Infinity)).realize();
}

/** The mask with its blind rows opened: what they give is set to 0 afterwards, and so no gradient comes back through them. */
const openedFor = (mask: Tensor, blind: Tensor): Tensor => (mask.dtype === 'bool' ? mask.logicalOr(blind) : mask.maskedFill(blind, 0));

/** Each head as often as it serves. */
function repeatedHeads(x: Tensor, heads: number): Tensor {
  const own = x.shape.at(-3)!;
  if (own === heads) return x;
  const [s, e] = x.shape.slice(-2) as [number, number];
  const lead = x.shape.slice(0, -3);
  return reshape(expand(unsqueeze(x, -3), [...lead, own, heads / own, s, e]), [...lead, heads, s, e]);
}

/** The batch dims that all have in common, where the kernel can take them; null where the composition has to (or has to complain). */
function kernelBatch(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | null): Shape | null {
  const { device, dtype } = q;
  const [L, E] = q.shape.slice(-2) as [number, number];
  const [S, F] = k.shape.slice(-2) as [number, number];
  if (device.kernels.attention === undefined || (dtype !== 'float32' && dtype !== 'float64')) return null;
  if (E !== F || v.shape.at(-2) !== S || k.device !== device || v.device !== device || k.dtype !== dtype || v.dtype !== dtype) return null;
  if (mask !== null && (mask.device !== device || (mask.dtype !== 'bool' && mask.dtype !== dtype))) return null;
  const lead = broadcastShapes(broadcastShapes(q.shape.slice(0, -2), k.shape.slice(0, -2), OP), v.shape.slice(0, -2), OP);
  const numel = numelOf(lead) * L * S * E * v.shape.at(-1)!;
  if (numel === 0) return null;
  if (mask === null) return lead;
  const scores = [...lead, L, S];
  const wide = broadcastShapes(mask.shape, scores, OP);
  // A mask with more batch dims than the rest makes as many results.
  return wide.length === scores.length && wide.every((size, i) => size === scores[i] || (i < lead.length && scores[i] === 1))
    ? wide.slice(0, -2)
    : null;
}

/** (…, M, N) broadcast to the batch dims and seen as (B, M, N). */
function inBatch(x: Tensor, lead: Shape): Tensor {
  const [m, n] = x.shape.slice(-2) as [number, number];
  return reshape(expand(x, [...lead, m, n]), [numelOf(lead), m, n]);
}

/** The mask as (B, L, S): where a batch dim has to be copied, broadcast rows and columns are not. */
function maskInBatch(mask: Tensor, lead: Shape, L: number, S: number): Tensor {
  let m = mask;
  while (m.ndim < 2) m = unsqueeze(m, 0);
  return expand(inBatch(m, lead), [numelOf(lead), L, S]);
}
