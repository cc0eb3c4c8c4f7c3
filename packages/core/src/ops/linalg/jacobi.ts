/**
 * @file Singular values by one-sided Jacobi rotations (Hestenes, 1958): columns are turned in pairs until all are orthogonal; their lengths are
 * the singular values. All pairs of a round are disjoint and turn in one kernel, so it runs on any backend without reading a value.
 */
import type { Tensor } from '../../tensor/tensor.js';
import { cat } from '../cat.js';
import { eye, fromHost } from '../creation.js';
import { e } from '../expression.js';
import { filled } from '../fill.js';
import { launchGather } from '../gather.js';
import { reduceTo } from '../reduction.js';
import { wrap } from '../result.js';
import { launchSort } from '../sort.js';
import { clone, expand, narrow, reshape } from '../view.js';

/** A = U diag(σ) Vᵀ: (batch, m, n), (batch, n) falling, (batch, n, n). */
export interface ThinSvd {
  readonly u: Tensor;
  readonly sigma: Tensor;
  readonly v: Tensor;
}

/** The circle method: one column stays, the others move on a place, so that in 2h − 1 rounds each meets each. */
function nextRound(h: number): number[] {
  const p = Array.from({ length: h }, (_, i) => i);
  const q = p.map((i) => h + i);
  return h === 1 ? [0, 1] : [p[0]!, q[0]!, ...p.slice(1, -1), ...q.slice(1), p.at(-1)!];
}

/** For a batch of matrices with no more columns than rows; outside the graph. Columns of U for σ = 0 are 0. */
export function jacobiSvd(a: Tensor): ThinSvd {
  const [batch, m, n] = a.shape as [number, number, number];
  const { dtype, device } = a;
  if (batch === 0 || n === 0) return { u: a, sigma: filled([batch, n], 0, dtype, device), v: filled([batch, n, n], 0, dtype, device) };
  const h = Math.ceil(n / 2);
  const rows = m + n;
  // The rotations of A's columns, and of the unit matrix below it, which becomes V. An odd column out turns against one of zeros.
  let w = cat([a.detach(), expand(eye(n, { dtype, device }), [batch, n, n])], 1);
  if (2 * h > n) w = cat([w, filled([batch, rows, 1], 0, dtype, device)], 2);
  const order = expand(fromHost(nextRound(h), [1, 1, 2 * h], 'int32', device), [batch, rows, 2 * h]);
  const tiny = dtype === 'float64' ? 1e-16 : 1e-8;
  const sweeps = Math.ceil(Math.log2(n + 1)) + (dtype === 'float64' ? 8 : 6);
  for (let round = 0; round < sweeps * (2 * h - 1); round++) {
    const p = narrow(w, 2, 0, h);
    const q = narrow(w, 2, h, h);
    const top = narrow(w, 1, 0, m).value;
    const lengths = wrap(reduceTo('sum', e.mul(top, top), [1], true, 0));
    const alpha = narrow(lengths, 2, 0, h).value;
    const beta = narrow(lengths, 2, h, h).value;
    const gamma = reduceTo('sum', e.mul(narrow(p, 1, 0, m).value, narrow(q, 1, 0, m).value), [1], true, 0);
    const still = e.le(e.abs(gamma), e.mul(e.mul(e.sqrt(alpha), e.sqrt(beta)), tiny));
    const zeta = e.div(e.sub(beta, alpha), e.mul(e.where(still, 1, gamma), 2));
    const size = e.add(e.abs(zeta), e.sqrt(e.add(e.mul(zeta, zeta), 1)));
    const tangent = wrap(e.where(still, 0, e.div(e.where(e.lt(zeta, 0), -1, e.scalar(1, zeta.dtype as 'float32', zeta)), size))).realize()
      .value;
    const cosine = e.div(e.scalar(1, tangent.dtype as 'float32', tangent), e.sqrt(e.add(e.mul(tangent, tangent), 1)));
    const sine = e.mul(cosine, tangent);
    const turned = cat(
      [wrap(e.sub(e.mul(p.value, cosine), e.mul(q.value, sine))), wrap(e.add(e.mul(p.value, sine), e.mul(q.value, cosine)))],
      2,
    );
    w = launchGather(turned, 2, order);
  }
  // After whole sweeps every column is back in its place: what was added is the last.
  const us = clone(narrow(narrow(w, 2, 0, n), 1, 0, m));
  const vs = clone(narrow(narrow(w, 2, 0, n), 1, m, n));
  const lengths = wrap(e.sqrt(reduceTo('sum', e.mul(us.value, us.value), [1], false, 0)));
  const [sigma, places] = launchSort(lengths, 1, true);
  const columns = reshape(places, [batch, 1, n]);
  const scaled = launchGather(us, 2, expand(columns, [batch, m, n])).value;
  const length = reshape(sigma, [batch, 1, n]).value;
  return {
    u: wrap(e.where(e.eq(length, 0), 0, e.div(scaled, e.where(e.eq(length, 0), 1, length)))),
    sigma,
    v: launchGather(vs, 2, expand(columns, [batch, n, n])),
  };
}
