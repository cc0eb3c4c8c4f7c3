/** @file softmax(q · kᵀ · scale + mask) · v: by the attention kernel, or composed of products and a softmax. */
import type { Rule } from '../../autograd/node.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Value } from '../../tensor/value.js';
import { add, mul } from '../arithmetic.js';
import { filled } from '../fill.js';
import { matmul } from '../matmul.js';
import { attach, declined, emptyValue, launched, recording, viewOf, viewOfValue, wrap } from '../result.js';
import { tril } from '../selecting.js';
import { choose } from '../where.js';
import { transpose } from '../view.js';
import { dropout } from './dropout.js';
import type { NoiseOptions } from './noise.js';
import { softmax } from './softmax.js';

export interface Composition {
  readonly causal: boolean;
  readonly scale: number;
  readonly dropoutP: number;
  readonly noise: NoiseOptions;
}

/** The weights softmax(q · kᵀ · scale + mask). */
function weightsOf(q: Tensor, k: Tensor, mask: Tensor | null, causal: boolean, scale: number): Tensor {
  // Scaling both by the root keeps halves in range, as PyTorch does.
  const root = Math.sqrt(Math.abs(scale));
  const scores = matmul(mul(q, scale < 0 ? -root : root), transpose(mul(k, root), -2, -1));
  const seen = causal ? tril(filled([q.shape.at(-2)!, k.shape.at(-2)!], 1, 'bool', q.device)) : mask;
  if (seen === null) return softmax(scores, -1);
  return softmax(seen.dtype === 'bool' ? choose(seen, scores, -Infinity) : add(scores, seen), -1);
}

/** The attention in differentiable ops: any batch dims that broadcast, any dtype, with dropout of the weights. */
export function attendComposed(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | null, o: Composition): Tensor {
  const weights = weightsOf(q, k, mask, o.causal, o.scale);
  const { rng, generator } = o.noise;
  return matmul(o.dropoutP > 0 ? dropout(weights, { p: o.dropoutP, training: true, rng, generator }) : weights, v);
}

interface Context {
  readonly causal: boolean;
  readonly scale: number;
}

/** The attention of q (B, L, E), k (B, S, E), v (B, S, V), with a mask (B, L, S) that needs no gradient: recorded as one op where the kernel takes it. */
export function attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | null, causal: boolean, scale: number): Tensor {
  const fused = launch(q.detach(), k.detach(), v.detach(), mask, causal, scale);
  if (fused === null) return attendComposed(q, k, v, mask, { causal, scale, dropoutP: 0, noise: {} });
  const [out, logsumexp] = fused;
  if (recording(q, k, v)) {
    const node = attach(out, 'ScaledDotProductFusedAttentionBackward0', [q, k, v], gradient);
    node.context = { causal, scale } satisfies Context;
    node.save(q, k, v, out, logsumexp, ...(mask === null ? [] : [mask]));
  }
  return out;
}

function launch(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | null, causal: boolean, scale: number): [Tensor, Tensor] | null {
  const { device, dtype } = q;
  if (device.kernels.attention === undefined) return null;
  const [batch, rows] = q.shape as [number, number];
  const out = emptyValue(device, dtype, [batch, rows, v.shape[2]!]);
  const logsumexp = emptyValue(device, dtype, [batch, rows]);
  const done = device.kernels.attention(
    viewOf(q),
    viewOf(k),
    viewOf(v),
    mask === null ? null : viewOf(mask),
    causal,
    scale,
    viewOfValue(out),
    viewOfValue(logsumexp),
  );
  if (!done) return declined(out, logsumexp);
  launched(device, 'attention', [batch, rows, k.shape[1]!]);
  return [wrap(out), wrap(logsumexp)];
}

/**
 * With the weights P and the gradient g of the output: dV = Pᵀ·g; dP = g·Vᵀ; of the scores dS = P ∘ (dP − Σ P ∘ dP) · scale; dQ = dS·K, dK = dSᵀ·Q.
 */
const gradient: Rule = (grad, node) => {
  const { causal, scale } = node.context as Context;
  const q = node.saved(0);
  const k = node.saved(1);
  const v = node.saved(2);
  const mask = node.savedCount > 5 ? node.saved(5) : null;
  if (!recording(grad, q, k, v)) {
    const fused = launchGradient(grad, [q, k, v], mask, causal, scale, node.saved(3), node.saved(4));
    if (fused !== null) return fused;
  }
  const weights = weightsOf(q, k, mask, causal, scale);
  const dValue = node.needs(2) ? matmul(transpose(weights, 1, 2), grad) : null;
  if (!node.needs(0) && !node.needs(1)) return [null, null, dValue];
  const dWeights = matmul(grad, transpose(v, 1, 2));
  const dScores = weights.mul(dWeights.sub(weights.mul(dWeights).sum(-1, { keepdim: true }))).mul(scale);
  return [node.needs(0) ? matmul(dScores, k) : null, node.needs(1) ? matmul(transpose(dScores, 1, 2), q) : null, dValue];
};

function launchGradient(
  grad: Tensor,
  inputs: readonly [Tensor, Tensor, Tensor],
  mask: Tensor | null,
  causal: boolean,
  scale: number,
  out: Tensor,
  logsumexp: Tensor,
): Tensor[] | null {
  const [q, k, v] = inputs;
  const { device, dtype } = q;
  if (device.kernels.attentionGrad === undefined) return null;
  const [dQuery, dKey, dValue] = inputs.map((x) => emptyValue(device, dtype, x.shape)) as [Value, Value, Value];
  const done = device.kernels.attentionGrad(
    viewOf(grad),
    viewOf(q),
    viewOf(k),
    viewOf(v),
    mask === null ? null : viewOf(mask),
    causal,
    scale,
    viewOf(out),
    viewOf(logsumexp),
    viewOfValue(dQuery),
    viewOfValue(dKey),
    viewOfValue(dValue),
  );
  if (!done) return declined(dQuery, dKey, dValue);
  launched(device, 'attentionGrad', [q.shape[0]!, q.shape[1]!, k.shape[1]!]);
  return [wrap(dQuery), wrap(dKey), wrap(dValue)];
}
