/** @file Singular values, differentiable to any order where they are distinct. */
import { gradState } from '../../autograd/mode.js';
import { attachAll } from '../../autograd/outputs.js';
import { numelOf } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { eye } from '../creation.js';
import { OPS } from '../registry.js';
import { attach, recording, wrap } from '../result.js';
import { reshape, transpose, unsqueeze } from '../view.js';
import { wantMatrix, wantPrecise } from './checks.js';
import { jacobiSvd, type ThinSvd } from './jacobi.js';

/** The factors of tall matrices, as parts of the graph. */
function thinSvd(a: Tensor): ThinSvd {
  const m = a.shape.at(-2)!;
  const n = a.shape.at(-1)!;
  const batch = a.shape.slice(0, -2);
  const flat = jacobiSvd(reshape(a.detach(), [numelOf(batch), m, n]));
  const own = (x: Tensor, shape: readonly number[]): Tensor => wrap(reshape(x, shape).value);
  const u = own(flat.u, [...batch, m, n]);
  const sigma = own(flat.sigma, [...batch, n]);
  const v = own(flat.v, [...batch, n, n]);
  if (recording(a)) {
    attachAll([u, sigma, v], 'LinalgSvdBackward0', [a], ([gu, gs, gv], node) => [
      svdGradient(node.saved(0), node.saved(1), node.saved(2), gu!, gs!, gv!),
    ]).save(u, sigma, v);
  }
  return { u, sigma, v };
}

const mT = (x: Tensor): Tensor => transpose(x, -1, -2);

/**
 * U [(skew(Uᵀ gU) / E) S + S (skew(Vᵀ gV) / E) + diag(gS)] Vᵀ + (1 − U Uᵀ) gU S⁻¹ Vᵀ, with E_jk = σ_k² − σ_j² and skew(X) = X − Xᵀ
 * (Townsend, 2016). Infinite where singular values are equal, as in PyTorch.
 */
function svdGradient(u: Tensor, sigma: Tensor, v: Tensor, gu: Tensor | null, gs: Tensor | null, gv: Tensor | null): Tensor {
  const row = unsqueeze(sigma, -2);
  const column = unsqueeze(sigma, -1);
  const diagonal = eye(sigma.shape.at(-1)!, { dtype: 'bool', device: sigma.device });
  const gaps = row.mul(row).sub(column.mul(column)).maskedFill(diagonal, 1);
  const skew = (x: Tensor): Tensor => x.sub(mT(x)).div(gaps);
  let inner: Tensor | null = gs === null ? null : unsqueeze(gs, -2).mul(diagonal);
  const plus = (x: Tensor): void => void (inner = inner === null ? x : inner.add(x));
  if (gu !== null) plus(skew(mT(u).matmul(gu)).mul(row));
  if (gv !== null) plus(skew(mT(v).matmul(gv)).mul(column));
  let result = u.matmul(inner!).matmul(mT(v));
  if (gu !== null && u.shape.at(-2)! > u.shape.at(-1)!) {
    const scaled = gu.div(row);
    result = result.add(scaled.sub(u.matmul(mT(u).matmul(scaled))).matmul(mT(v)));
  }
  return result;
}

OPS.set('linalg.svdvals', { name: 'linalg.svdvals', inputs: 1, differentiable: true });
/** The singular values of matrices (…, m, n), the largest first: (…, min(m, n)). PyTorch: torch.linalg.svdvals. */
export function svdvals(a: Tensor): Tensor {
  wantMatrix('linalg.svdvals', a);
  wantPrecise('linalg.svdvals', a);
  if (a.shape.at(-2)! < a.shape.at(-1)!) return svdvals(mT(a));
  const { u, sigma, v } = thinSvd(a.detach());
  if (recording(a)) {
    // dσ_i = u_iᵀ dA v_i.
    attach(sigma, 'LinalgSvdvalsBackward0', [a], (grad, node) => {
      const factors = gradState.enabled ? thinSvd(node.saved(0)) : { u: node.saved(1), v: node.saved(2) };
      return [factors.u.mul(unsqueeze(grad, -2)).matmul(mT(factors.v))];
    }).save(a, u, v);
  }
  return sigma;
}
