/** @file Distances and similarities of vectors. */
import {
  checkOptions,
  type OptionNames,
  promoteTypes,
  ShapeError,
  tensor,
  type Tensor,
  ValueError,
  asFloat32,
  asWidest,
  autocasting,
} from '@tessera/core';

const COSINE_SIMILARITY_OPTIONS: OptionNames<CosineSimilarityOptions> = { dim: true, eps: true };
const PAIRWISE_DISTANCE_OPTIONS: OptionNames<PairwiseDistanceOptions> = { p: true, eps: true, keepdim: true };
const PDIST_OPTIONS: OptionNames<PdistOptions> = { p: true };

export interface CosineSimilarityOptions {
  /** Default 1. */
  readonly dim?: number;
  /** The least norm. Default 1e-8. */
  readonly eps?: number;
}

/** x₁·x₂ / (max(‖x₁‖, ε) · max(‖x₂‖, ε)) along a dim; inputs broadcast. PyTorch: F.cosine_similarity. */
export function cosineSimilarity(x1: Tensor, x2: Tensor, options: CosineSimilarityOptions = {}): Tensor {
  checkOptions('cosineSimilarity', options, COSINE_SIMILARITY_OPTIONS);
  if (autocasting.on) return asFloat32(cosineSimilarity, x1, x2, options);
  const { dim = 1, eps = 1e-8 } = options;
  const rank = Math.max(x1.ndim, x2.ndim);
  const d = dim < 0 ? dim : dim - rank;
  const norm = (x: Tensor): Tensor => {
    // The dim counts in the broadcast shape: an input that lacks it has size 1 there.
    const wide = x.ndim < rank ? x.reshape([...new Array<number>(rank - x.ndim).fill(1), ...x.shape]) : x;
    const shared =
      wide.shape.at(d) !== 1
        ? wide
        : wide.expand(wide.shape.map((s, i) => (i === rank + d ? Math.max(x1.shape.at(d) ?? 1, x2.shape.at(d) ?? 1) : s)));
    const length = shared.norm(2, d, { keepdim: true });
    // The bound has no gradient of its own.
    return length.where(length.detach().gt(eps), length.detach().clampMin(eps));
  };
  const a = x1.isFloatingPoint() ? x1 : x1.to('float32');
  const b = x2.isFloatingPoint() ? x2 : x2.to('float32');
  return a
    .div(norm(a))
    .mul(b.div(norm(b)))
    .sum(d);
}

export interface PairwiseDistanceOptions {
  /** The norm's exponent. Default 2. */
  readonly p?: number;
  /** Added to each difference. Default 1e-6. */
  readonly eps?: number;
  readonly keepdim?: boolean;
}

/** ‖x₁ − x₂ + ε‖_p along the last dim; inputs broadcast. PyTorch: F.pairwise_distance. */
export function pairwiseDistance(x1: Tensor, x2: Tensor, options: PairwiseDistanceOptions = {}): Tensor {
  checkOptions('pairwiseDistance', options, PAIRWISE_DISTANCE_OPTIONS);
  const { p = 2, eps = 1e-6, keepdim = false } = options;
  const difference = x1.sub(x2);
  const d = difference.isFloatingPoint() ? difference : difference.to('float32');
  return d.add(eps).norm(p, x1.ndim === 0 && x2.ndim === 0 ? 0 : -1, { keepdim });
}

export interface PdistOptions {
  /** The norm's exponent, 0 or more. Default 2. */
  readonly p?: number;
}

/** The distances of all pairs of rows i < j of (N, M): (N · (N − 1) / 2). PyTorch: F.pdist. @throws ShapeError `ERR_PDIST`; ValueError `ERR_PDIST`. */
export function pdist(x: Tensor, options: PdistOptions = {}): Tensor {
  checkOptions('pdist', options, PDIST_OPTIONS);
  if (autocasting.on) return asFloat32(pdist, x, options);
  const { p = 2 } = options;
  if (x.ndim !== 2)
    throw new ShapeError('ERR_PDIST', `pdist: pdist only supports 2D tensors, got: ${x.ndim}D`, { op: 'pdist', shapes: [x.shape] });
  if (!(p >= 0)) throw new ValueError('ERR_PDIST', 'pdist: pdist only supports non-negative p values', { op: 'pdist' });
  const n = x.shape[0]!;
  const count = (n * (n - 1)) / 2;
  if (count <= 0) return x.reshape([-1]).narrow(0, 0, 0);
  const first = new Int32Array(count);
  const second = new Int32Array(count);
  for (let i = 0, at = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++, at++) {
      first[at] = i;
      second[at] = j;
    }
  }
  const rows = (index: Int32Array): Tensor => x.indexSelect(0, tensor(index, { device: x.device }));
  return rows(first).sub(rows(second)).norm(p, 1);
}

/**
 * y_k = x₁ᵀ · A_k · x₂ + b_k for x₁ (*, I1), x₂ (*, I2), A (O, I1, I2), b (O). PyTorch: F.bilinear.
 * @throws ShapeError `ERR_BILINEAR`
 */
export function bilinear(x1: Tensor, x2: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  if (autocasting.on) return asWidest(bilinear, x1, x2, weight, bias);
  const [out, i1, i2] = weight.shape as [number, number, number];
  const lead = x1.shape.slice(0, -1);
  if (
    weight.ndim !== 3 ||
    x1.ndim !== x2.ndim ||
    x1.shape.at(-1) !== i1 ||
    x2.shape.at(-1) !== i2 ||
    lead.some((s, d) => s !== x2.shape[d])
  ) {
    throw new ShapeError(
      'ERR_BILINEAR',
      `bilinear: inputs [${x1.shape.join(', ')}] and [${x2.shape.join(', ')}] do not fit the weight [${weight.shape.join(', ')}]: batch sizes must agree, and the last sizes be ${i1} and ${i2}`,
      { op: 'bilinear', shapes: [x1.shape, x2.shape, weight.shape] },
    );
  }
  const dtype = promoteTypes(x1.dtype, weight.dtype);
  const rows = x1.to(dtype).reshape([-1, i1]);
  // (B, I1) · (I1, O · I2) → (B, O, I2), then against x₂.
  const half = rows.matmul(weight.permute([1, 0, 2]).reshape([i1, out * i2])).reshape([-1, out, i2]);
  const y = half
    .mul(x2.to(dtype).reshape([-1, 1, i2]))
    .sum(-1)
    .reshape([...lead, out]);
  return bias === undefined || bias === null ? y : y.add(bias);
}
