/** @file Multi-head attention with its projections, as one function. */
import {
  checkOptions,
  type OptionNames,
  cat,
  dropout,
  DTypeError,
  linear,
  type NoiseOptions,
  scaledDotProductAttention,
  ShapeError,
  type Tensor,
  ValueError,
} from '@tessera/core';

const MULTI_HEAD_ATTENTION_OPTIONS: OptionNames<MultiHeadAttentionOptions> = {
  training: true,
  keyPaddingMask: true,
  needWeights: true,
  attnMask: true,
  useSeparateProjWeight: true,
  qProjWeight: true,
  kProjWeight: true,
  vProjWeight: true,
  staticK: true,
  staticV: true,
  averageAttnWeights: true,
  isCausal: true,
  rng: true,
  generator: true,
};

export interface MultiHeadAttentionOptions extends NoiseOptions {
  /** Is the dropout of the weights on? Default true. */
  readonly training?: boolean;
  /** (N, S) or (S): true, or −∞ as a float, where a key does not count. */
  readonly keyPaddingMask?: Tensor | null;
  /** Also give the weights. Without them the fused attention runs. Default true. */
  readonly needWeights?: boolean;
  /** (L, S) or (N · heads, L, S): true where a query must not look at a key, or a float that is added to the scores. */
  readonly attnMask?: Tensor | null;
  /** Query, key and value have a projection of their own each. Default false. */
  readonly useSeparateProjWeight?: boolean;
  readonly qProjWeight?: Tensor | null;
  readonly kProjWeight?: Tensor | null;
  readonly vProjWeight?: Tensor | null;
  /** Keys and values that are projected already, (N · heads, S, E / heads). */
  readonly staticK?: Tensor | null;
  readonly staticV?: Tensor | null;
  /** The weights are the mean over heads. Default true. */
  readonly averageAttnWeights?: boolean;
  /** A hint that `attnMask` is the causal one, which a fused kernel need not read. Default false. */
  readonly isCausal?: boolean;
}

const OP = 'multiHeadAttentionForward';

/** A mask as what is added to scores; bools become 0 and −∞. @throws DTypeError `ERR_ATTENTION_MASK` */
function additive(mask: Tensor, what: string, like: Tensor): Tensor {
  if (mask.isFloatingPoint()) return mask;
  if (mask.dtype !== 'bool') {
    throw new DTypeError('ERR_ATTENTION_MASK', `${OP}: only bool and floating types of ${what} are supported`, {
      op: OP,
      dtypes: [mask.dtype],
    });
  }
  return like.newZeros(mask.shape).maskedFill(mask, -Infinity);
}

function checkInputs(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  keyPaddingMask: Tensor | null,
  attnMask: Tensor | null,
  heads: number,
): boolean {
  const details = { op: OP, shapes: [query.shape, key.shape, value.shape] };
  const rank = query.ndim;
  if (rank !== 2 && rank !== 3)
    throw new ShapeError(
      'ERR_ATTENTION_SHAPE',
      `${OP}: query should be unbatched 2D or batched 3D tensor but received ${rank}-D query tensor`,
      details,
    );
  if (key.ndim !== rank || value.ndim !== rank) {
    throw new ShapeError(
      'ERR_ATTENTION_SHAPE',
      `${OP}: For ${rank === 3 ? 'batched (3-D)' : 'unbatched (2-D)'} query, expected key and value to be ${rank}-D but found ${key.ndim}-D and ${value.ndim}-D tensors respectively`,
      details,
    );
  }
  if (keyPaddingMask !== null && keyPaddingMask.ndim !== rank - 1) {
    throw new ShapeError(
      'ERR_ATTENTION_MASK',
      `${OP}: expected keyPaddingMask to be null or ${rank - 1}-D but found ${keyPaddingMask.ndim}-D tensor instead`,
      details,
    );
  }
  if (attnMask !== null) {
    if (attnMask.ndim !== 2 && attnMask.ndim !== 3)
      throw new ShapeError(
        'ERR_ATTENTION_MASK',
        `${OP}: expected attnMask to be null, 2-D or 3-D but found ${attnMask.ndim}-D tensor instead`,
        details,
      );
    if (rank === 2 && attnMask.ndim === 3 && attnMask.shape.join() !== [heads, query.shape[0], key.shape[0]].join()) {
      throw new ShapeError(
        'ERR_ATTENTION_MASK',
        `${OP}: Expected attnMask shape to be (${heads}, ${query.shape[0]}, ${key.shape[0]}) but got (${attnMask.shape.join(', ')})`,
        details,
      );
    }
  }
  return rank === 3;
}

/** Query, key and value through the rows of one weight (3E, E). One product where all three are the same tensor, two where key and value are. */
function inProjection(q: Tensor, k: Tensor, v: Tensor, weight: Tensor, bias: Tensor | null): [Tensor, Tensor, Tensor] {
  const width = q.shape.at(-1)!;
  const part = (x: Tensor, from: number, count: number): Tensor[] =>
    linear(x, weight.narrow(0, from * width, count * width), bias?.narrow(0, from * width, count * width) ?? null).chunk(count, -1);
  if (k === v) {
    if (q === k) return part(q, 0, 3) as [Tensor, Tensor, Tensor];
    return [part(q, 0, 1)[0]!, ...(part(k, 1, 2) as [Tensor, Tensor])];
  }
  return [part(q, 0, 1)[0]!, part(k, 1, 1)[0]!, part(v, 2, 1)[0]!];
}

/**
 * Attention of several heads side by side: query (L, N, E) or (L, E), key and value (S, N, …) or (S, …). Gives `[output, weights]`: (L, N, E),
 * and (N, L, S), (N, heads, L, S) without averaging, or null. What nn.MultiheadAttention computes. PyTorch: F.multi_head_attention_forward.
 *
 * @throws ShapeError `ERR_ATTENTION_SHAPE`, `ERR_ATTENTION_MASK`; ValueError `ERR_ATTENTION_MASK`, `ERR_ATTENTION_WEIGHTS`.
 */
export function multiHeadAttentionForward(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  embedDimToCheck: number,
  numHeads: number,
  inProjWeight: Tensor | null,
  inProjBias: Tensor | null,
  biasK: Tensor | null,
  biasV: Tensor | null,
  addZeroAttn: boolean,
  dropoutP: number,
  outProjWeight: Tensor,
  outProjBias: Tensor | null,
  options: MultiHeadAttentionOptions = {},
): [output: Tensor, weights: Tensor | null] {
  checkOptions('multiHeadAttentionForward', options, MULTI_HEAD_ATTENTION_OPTIONS);
  const { training = true, needWeights = true, useSeparateProjWeight = false, averageAttnWeights = true } = options;
  const { staticK = null, staticV = null, rng, generator } = options;
  const batched = checkInputs(query, key, value, options.keyPaddingMask ?? null, options.attnMask ?? null, numHeads);
  const whole = (x: Tensor): Tensor => (batched ? x : x.unsqueeze(1));
  const q0 = whole(query);
  const k0 = key === query ? q0 : whole(key);
  const v0 = value === key ? k0 : value === query ? q0 : whole(value);
  const [length, batch, width] = q0.shape as [number, number, number];
  const headWidth = Math.trunc(width / numHeads);
  const shapes = [query.shape, key.shape, value.shape];
  const fail = (why: string): never => {
    throw new ShapeError('ERR_ATTENTION_SHAPE', `${OP}: ${why}`, { op: OP, shapes });
  };
  if (width !== embedDimToCheck) fail(`was expecting embedding dimension of ${embedDimToCheck}, but got ${width}`);
  if (headWidth * numHeads !== width) fail(`embedDim ${width} not divisible by numHeads ${numHeads}`);
  if (useSeparateProjWeight) {
    if (k0.shape[0] !== v0.shape[0] || k0.shape[1] !== v0.shape[1])
      fail(`key's sequence and batch dims (${k0.shape.slice(0, 2).join(', ')}) do not match value's (${v0.shape.slice(0, 2).join(', ')})`);
  } else if (k0.shape.join() !== v0.shape.join())
    fail(`key shape (${k0.shape.join(', ')}) does not match value shape (${v0.shape.join(', ')})`);
  const useHint = (options.isCausal ?? false) && (options.keyPaddingMask ?? null) === null && !needWeights;
  if ((options.isCausal ?? false) && (options.attnMask ?? null) === null)
    throw new ValueError('ERR_ATTENTION_MASK', `${OP}: Need attnMask if specifying the isCausal hint.`, { op: OP });

  let [q, k, v] = projected(q0, k0, v0, inProjWeight, inProjBias, useSeparateProjWeight, options);
  let mask = options.attnMask ?? null;
  if (mask !== null) {
    mask = additive(mask, 'attnMask', q);
    const wanted = mask.ndim === 2 ? [length, k0.shape[0]] : [batch * numHeads, length, k0.shape[0]];
    if (mask.shape.join() !== wanted.join()) {
      throw new ShapeError(
        'ERR_ATTENTION_MASK',
        `${OP}: The shape of the ${mask.ndim}D attnMask is (${mask.shape.join(', ')}), but should be (${wanted.join(', ')}).`,
        {
          op: OP,
          shapes: [...shapes, mask.shape],
        },
      );
    }
    if (mask.ndim === 2) mask = mask.unsqueeze(0);
  }
  let padding = options.keyPaddingMask ?? null;
  if (padding !== null) {
    padding = additive(batched ? padding : padding.unsqueeze(0), 'keyPaddingMask', q);
  }
  /** One more key and value at the end, which every query may look at. */
  const grow = (): void => {
    const wider = (m: Tensor): Tensor => cat([m, m.newZeros([...m.shape.slice(0, -1), 1])], -1);
    mask = mask === null ? null : wider(mask);
    padding = padding === null ? null : wider(padding);
  };
  if (biasK !== null && biasV !== null) {
    if (staticK !== null || staticV !== null)
      throw new ValueError('ERR_ATTENTION_WEIGHTS', `${OP}: biases cannot be added to static keys and values`, { op: OP });
    k = cat([k, biasK.expand([1, batch, width])], 0);
    v = cat([v, biasV.expand([1, batch, width])], 0);
    grow();
  }
  const heads = batch * numHeads;
  const split = (x: Tensor): Tensor => x.reshape([x.shape[0]!, heads, headWidth]).transpose(0, 1);
  q = split(q);
  k = staticK ?? split(k);
  v = staticV ?? split(v);
  for (const [name, given] of [
    ['staticK', staticK],
    ['staticV', staticV],
  ] as const)
    if (given !== null && (given.shape[0] !== heads || given.shape[2] !== headWidth))
      fail(`expecting ${name} of (${heads}, S, ${headWidth}), but got (${given.shape.join(', ')})`);
  if (addZeroAttn) {
    const zero = q.newZeros([heads, 1, headWidth]);
    k = cat([k, zero], 1);
    v = cat([v, zero], 1);
    grow();
  }
  const source = k.shape[1]!;
  if (padding !== null) {
    if (padding.shape[0] !== batch || padding.shape[1] !== source)
      throw new ShapeError(
        'ERR_ATTENTION_MASK',
        `${OP}: expecting keyPaddingMask of (${batch}, ${source}), but got (${padding.shape.join(', ')})`,
        { op: OP, shapes },
      );
    const perHead = padding.reshape([batch, 1, 1, source]).expand([batch, numHeads, 1, source]).reshape([heads, 1, source]);
    mask = mask === null ? perHead : mask.add(perHead);
  }
  const dropoutNow = training ? dropoutP : 0;
  const noise: NoiseOptions = { ...(rng === undefined ? {} : { rng }), ...(generator === undefined ? {} : { generator }) };
  const joined = (x: Tensor): Tensor =>
    linear(x.transpose(0, 1).reshape([length * batch, width]), outProjWeight, outProjBias).reshape([
      length,
      batch,
      outProjWeight.shape[0]!,
    ]);
  const bare = (x: Tensor): Tensor => (batched ? x : x.squeeze(1));

  if (needWeights) {
    const scores = q.mul(Math.sqrt(1 / headWidth)).matmul(k.transpose(-2, -1));
    let weights = (mask === null ? scores : scores.add(mask)).softmax(-1);
    if (dropoutNow > 0) weights = dropout(weights, { p: dropoutNow, training: true, ...noise });
    const output = bare(joined(weights.matmul(v)));
    let shown = weights.reshape([batch, numHeads, length, source]);
    if (averageAttnWeights) shown = shown.mean(1);
    return [output, batched ? shown : shown.squeeze(0)];
  }
  const byHead = (x: Tensor): Tensor => x.reshape([batch, numHeads, x.shape[1]!, headWidth]);
  if (mask !== null) mask = mask.shape[0] === 1 ? mask.unsqueeze(0) : mask.reshape([batch, numHeads, -1, source]);
  const out = scaledDotProductAttention(byHead(q), byHead(k), byHead(v), {
    attnMask: useHint ? null : mask,
    isCausal: useHint,
    dropoutP: dropoutNow,
    ...noise,
  });
  return [bare(joined(out.reshape([heads, length, headWidth]))), null];
}

function projected(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  separate: boolean,
  { qProjWeight = null, kProjWeight = null, vProjWeight = null }: MultiHeadAttentionOptions,
): [Tensor, Tensor, Tensor] {
  const missing = (why: string): never => {
    throw new ValueError('ERR_ATTENTION_WEIGHTS', `${OP}: ${why}`, { op: OP });
  };
  if (!separate) return inProjection(q, k, v, weight ?? missing('useSeparateProjWeight is false but inProjWeight is null'), bias);
  if (qProjWeight === null || kProjWeight === null || vProjWeight === null)
    return missing('useSeparateProjWeight is true but a projection weight is null');
  const [bq, bk, bv] = bias === null ? [null, null, null] : (bias.chunk(3, 0) as [Tensor, Tensor, Tensor]);
  return [linear(q, qProjWeight, bq), linear(k, kProjWeight, bk), linear(v, vProjWeight, bv)];
}
