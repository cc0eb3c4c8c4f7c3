/** @file Cholesky's factorisation, a column at a time, in tensor ops. */
import { numelOf } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { indexValue } from '../../tensor/value.js';
import { cat } from '../cat.js';
import { e } from '../expression.js';
import { filled } from '../fill.js';
import { OPS } from '../registry.js';
import { attach, recording, wrap } from '../result.js';
import { clone, narrow, reshape, transpose } from '../view.js';
import { wantPivots, wantPrecise, wantSquare } from './checks.js';
import { inv } from './solve.js';
import { checkOptions, type OptionNames } from '../../options.js';

const CHOLESKY_OPTIONS: OptionNames<CholeskyOptions> = { upper: true };

export interface CholeskyOptions {
  /** U with A = Uᵀ U in place of L with A = L Lᵀ. Default false. */
  readonly upper?: boolean;
}

/** L (batch, n, n) from the lower triangles of `a`, and what was under the roots (batch, n). */
function factorise(a: Tensor): [factor: Tensor, roots: Tensor] {
  const [batch, n] = a.shape as [number, number, number];
  if (batch === 0 || n === 0) return [a, filled([batch, n], 1, a.dtype, a.device)];
  const rows = indexValue([batch, n, 1], 1, a.device);
  const columns = indexValue([batch, 1, n], 2, a.device);
  let rest = a.detach();
  const factor: Tensor[] = [];
  const roots: Tensor[] = [];
  for (let k = 0; k < n; k++) {
    const column = narrow(rest, 2, k, 1);
    const root = clone(narrow(column, 1, k, 1));
    roots.push(root);
    const l = wrap(e.where(e.lt(rows, k), 0, e.div(column.value, e.sqrt(root.value)))).realize();
    factor.push(l);
    // Only the lower triangle is looked at, so only there what is left must be right.
    if (k < n - 1) rest = wrap(e.where(e.lt(rows, columns), 0, e.sub(rest.value, e.mul(l.value, transpose(l, 1, 2).value)))).realize();
  }
  return [cat(factor, 2), cat(roots, 1).reshape([batch, n])];
}

OPS.set('linalg.cholesky', { name: 'linalg.cholesky', inputs: 1, differentiable: true });
/**
 * The lower triangular L with A = L Lᵀ for symmetric positive definite matrices (…, n, n), of which the lower triangles are read. On a device
 * that cannot be read at once other matrices give NaN, not an error. PyTorch: torch.linalg.cholesky.
 * @throws ValueError `ERR_NOT_POSITIVE_DEFINITE`
 */
export function cholesky(a: Tensor, options: CholeskyOptions = {}): Tensor {
  checkOptions('cholesky', options, CHOLESKY_OPTIONS);
  const op = 'linalg.cholesky';
  wantSquare(op, a);
  wantPrecise(op, a);
  const upper = options.upper ?? false;
  const given = upper ? transpose(a, -1, -2) : a;
  const [factor, roots] = factorise(reshape(given.detach(), [numelOf(a.shape.slice(0, -2)), ...a.shape.slice(-2)]));
  wantPivots(
    op,
    'ERR_NOT_POSITIVE_DEFINITE',
    roots,
    (r) => r > 0,
    (order) =>
      `The factorization could not be completed because the input is not positive-definite (the leading minor of order ${order} is not positive-definite).`,
  );
  const out = wrap(reshape(factor, a.shape).value);
  if (recording(given)) {
    attach(out, 'LinalgCholeskyExBackward0', [given], (grad, node) => {
      // Ā = L⁻ᵀ sym(Φ(Lᵀ L̄)) L⁻¹, Φ the lower triangle with its diagonal halved (Murray, 2016).
      const l = node.saved(0);
      const phi = transpose(l, -1, -2).matmul(grad);
      const inverse = inv(l);
      const symmetric = phi
        .tril()
        .add(transpose(phi.tril(-1), -1, -2))
        .mul(0.5);
      return [transpose(inverse, -1, -2).matmul(symmetric).matmul(inverse)];
    }).save(out);
  }
  return upper ? transpose(out, -1, -2) : out;
}
