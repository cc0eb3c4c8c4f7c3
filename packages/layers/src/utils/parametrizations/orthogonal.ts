/** @file Weights that stay orthogonal while they learn. */
import {
  checkOptions,
  type OptionNames,
  Buffer,
  cat,
  eye,
  linalg,
  Module,
  noGrad,
  randn,
  ShapeError,
  type Tensor,
  ValueError,
  where,
} from '@tessera/core';
import { registerParametrization } from '../parametrize/parametrize.js';

const ORTHOGONAL_OPTIONS: OptionNames<OrthogonalOptions> = { orthogonalMap: true, useTrivialization: true };

/** How a free matrix becomes an orthogonal one. */
export type OrthogonalMap = 'matrix_exp' | 'cayley' | 'householder';

export interface OrthogonalOptions {
  /** Default 'matrix_exp' for square weights, 'householder' for others. */
  readonly orthogonalMap?: OrthogonalMap | null;
  /** Learns how to go on from the orthogonal weight that there is (Lezcano-Casado, 2019). Default true. */
  readonly useTrivialization?: boolean;
}

const mT = (x: Tensor): Tensor => x.transpose(-2, -1);

/** The orthonormal columns of (…, n, k), by Gram and Schmidt, twice over for exactness; QR's Q with a positive diagonal of R. */
function orthonormal(a: Tensor): Tensor {
  const columns: Tensor[] = [];
  for (let j = 0; j < a.shape.at(-1)!; j++) {
    let column = a.narrow(-1, j, 1);
    for (let pass = 0; pass < 2 && columns.length > 0; pass++) {
      const before = cat(columns, -1);
      column = column.sub(before.matmul(mT(before).matmul(column)));
    }
    columns.push(column.div(column.norm(2, -2, { keepdim: true })));
  }
  return cat(columns, -1);
}

/** Halvings before the series: what norms up to 2^8 need. */
const SQUARINGS = 8;
const TERMS = 10;

/** e^A of (…, n, n), by its series for A / 2^s, squared s times, with the s that A needs found on the device (Higham, 2005). */
export function matrixExp(a: Tensor): Tensor {
  const norm = a.detach().abs().sum(-1, { keepdim: true }).amax([-2, -1], { keepdim: true });
  const squarings = norm.clampMin(1).log2().ceil().clampMax(SQUARINGS);
  const small = a.mul(squarings.neg().exp2()).div(2);
  const id = eye(a.shape.at(-1)!, { dtype: a.dtype, device: a.device });
  let sum = small.div(TERMS).add(id);
  for (let k = TERMS - 1; k > 0; k--) sum = small.matmul(sum).div(k).add(id);
  sum = sum.matmul(sum);
  for (let i = 0; i < SQUARINGS; i++) sum = where(squarings.gt(i), sum.matmul(sum), sum);
  return sum;
}

/** The product of reflections H_i = I − τ_i v_i v_iᵀ, of which v_i has ones on the diagonal and A below it: (…, n, k). PyTorch: linalg.householder_product. */
function householderProduct(a: Tensor, tau: Tensor): Tensor {
  const [n, k] = a.shape.slice(-2) as [number, number];
  const unit = eye(n, k, { dtype: a.dtype, device: a.device });
  let q = unit.expand(a.shape);
  for (let i = k - 1; i >= 0; i--) {
    const v = a
      .narrow(-1, i, 1)
      .tril(-1 - i)
      .add(unit.narrow(-1, i, 1));
    q = q.sub(v.matmul(mT(v).matmul(q)).mul(tau.narrow(-1, i, 1).unsqueeze(-1)));
  }
  return q;
}

/** An orthogonal (…, n, k) as reflections below the diagonal, and the signs that are left on it. */
function reflectionsOf(q: Tensor): Tensor {
  const [n, k] = q.shape.slice(-2) as [number, number];
  let rest = q;
  const columns: Tensor[] = [];
  for (let i = 0; i < k; i++) {
    const x = rest.narrow(-1, i, 1).narrow(-2, i, n - i);
    const head = x.narrow(-2, 0, 1);
    const length = x.norm(2, -2, { keepdim: true });
    const alone =
      n - i > 1
        ? x
            .narrow(-2, 1, n - i - 1)
            .abs()
            .sum(-2, { keepdim: true })
            .eq(0)
        : head.eq(head);
    // The reflected column points away from where it is, unless there is nothing to reflect.
    const beta = where(alone, head, where(head.ge(0), length.neg(), length));
    const pivot = where(alone, head.newZeros([]).add(1), head.sub(beta));
    const below = where(alone, x.newZeros([]), x.div(pivot));
    const tail = below.narrow(-2, 1, n - i - 1);
    const v = cat([beta.newZeros([...beta.shape.slice(0, -2), i, 1]), beta.newZeros(beta.shape).add(1), tail], -2);
    const tau = where(alone, beta.newZeros([]), beta.sub(head).div(beta));
    rest = rest.sub(v.matmul(mT(v).matmul(rest)).mul(tau));
    // A column without a reflection is still turned around by the product, whose τ is 2 then.
    columns.push(cat([beta.newZeros([...beta.shape.slice(0, -2), i, 1]), where(alone, beta.neg(), beta).sign(), tail], -2));
  }
  return cat(columns, -1);
}

class Orthogonal extends Module {
  static override readonly typeName = '_Orthogonal';
  base: Tensor | null;

  constructor(
    readonly orthogonalMap: OrthogonalMap,
    useTrivialization: boolean,
    like: Tensor,
  ) {
    super();
    this.base = useTrivialization ? new Buffer(like.newZeros([0])) : null;
  }

  forward(given: Tensor): Tensor {
    const transposed = given.shape.at(-2)! < given.shape.at(-1)!;
    let x = transposed ? mT(given) : given;
    const [n, k] = x.shape.slice(-2) as [number, number];
    let q: Tensor;
    if (this.orthogonalMap === 'householder') {
      const a = x.tril(-1);
      const tau = a.square().sum(-2).add(1).reciprocal().mul(2);
      // The signs on the diagonal are fixed.
      q = householderProduct(a, tau).mul(x.detach().diagonal(0, -2, -1).sign().unsqueeze(-2));
    } else {
      x = x.tril();
      if (n !== k) x = cat([x, x.newZeros([...x.shape.slice(0, -1), n - k])], -1);
      const skew = x.sub(mT(x));
      if (this.orthogonalMap === 'matrix_exp') q = matrixExp(skew);
      else {
        const id = eye(n, { dtype: x.dtype, device: x.device });
        q = linalg.solve(id.sub(skew.mul(0.5)), id.add(skew.mul(0.5)));
      }
      if (n !== k) q = q.narrow(-1, 0, k);
    }
    if (this.base !== null) q = this.base.matmul(q);
    return transposed ? mT(q) : q;
  }

  rightInverse(weight: Tensor): Tensor {
    const transposed = weight.shape.at(-2)! < weight.shape.at(-1)!;
    const q = transposed ? mT(weight) : weight;
    const [n, k] = q.shape.slice(-2) as [number, number];
    if (this.base === null) {
      if (this.orthogonalMap !== 'householder')
        throw new ValueError(
          'ERR_PARAMETRIZATION',
          'It is not possible to assign to the matrix exponential or the Cayley parametrizations without useTrivialization.',
        );
      const reflections = reflectionsOf(orthonormal(q));
      return transposed ? mT(reflections) : reflections;
    }
    // A square matrix whose first columns are the weight's.
    const full = n === k ? q : cat([q, randn([...q.shape.slice(0, -1), n - k], { dtype: q.dtype, device: q.device })], -1);
    this.base.become(orthonormal(full));
    // From here on nothing has been learnt: −I is the identity of all three maps, as PyTorch has it.
    return weight
      .newZeros(weight.shape)
      .sub(eye(weight.shape.at(-2)!, weight.shape.at(-1)!, { dtype: weight.dtype, device: weight.device }));
  }
}

/**
 * Keeps a weight (…, m, n) orthogonal: QᵀQ = I for m ≥ n, QQᵀ = I otherwise. PyTorch: nn.utils.parametrizations.orthogonal. Where PyTorch
 * leaves a weight that is orthogonal already as it is, it is made so again here, which changes nothing but its last bits.
 *
 * @throws ShapeError `ERR_RANK`; ValueError `ERR_LAYER_OPTION`.
 * @example nn.utils.parametrizations.orthogonal(new nn.Linear(20, 40))
 */
export function orthogonal<M extends Module>(module: M, name = 'weight', options: OrthogonalOptions = {}): M {
  checkOptions('orthogonal', options, ORTHOGONAL_OPTIONS);
  const weight = (module as unknown as Record<string, Tensor | undefined>)[name];
  if (weight === undefined || weight === null)
    throw new ValueError('ERR_LAYER_OPTION', `orthogonal: Module has no parameter or buffer with name '${name}'`);
  if (weight.ndim < 2)
    throw new ShapeError('ERR_RANK', `orthogonal: Expected a matrix or batch of matrices. Got a tensor of ${weight.ndim} dimensions.`);
  const square = weight.shape.at(-2) === weight.shape.at(-1);
  const map = options.orthogonalMap ?? (square ? 'matrix_exp' : 'householder');
  if (map !== 'matrix_exp' && map !== 'cayley' && map !== 'householder')
    throw new ValueError(
      'ERR_LAYER_OPTION',
      `orthogonal: orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: ${String(map)}`,
    );
  noGrad(() => registerParametrization(module, name, new Orthogonal(map, options.useTrivialization ?? true, weight), { unsafe: true }));
  return module;
}
