/** @file Inverses, solutions and determinants. On a device that cannot be read at once a singular matrix gives infinity or NaN, not an error. */
import { gradState } from '../../autograd/mode.js';
import { DTypeError, formatShape, ShapeError } from '../../errors.js';
import { broadcastShapes, numelOf, sameShape, type Shape } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { eye } from '../creation.js';
import { filled } from '../fill.js';
import { OPS } from '../registry.js';
import { attach, recording, wrap } from '../result.js';
import { sumTo } from '../sum-to.js';
import { expand, reshape, transpose, unsqueeze } from '../view.js';
import { wantPivots, wantPrecise, wantSquare } from './checks.js';
import { eliminate, type Elimination } from './elimination.js';
import { checkOptions, type OptionNames } from '../../options.js';

const SOLVE_OPTIONS: OptionNames<SolveOptions> = { left: true };

/** The leading dims as one. */
const asBatch = (x: Tensor): Tensor => reshape(x.detach(), [numelOf(x.shape.slice(0, -2)), ...x.shape.slice(-2)]);

function identity(like: Tensor): Tensor {
  const n = like.shape.at(-1)!;
  return expand(eye(n, { dtype: like.dtype, device: like.device }), [numelOf(like.shape.slice(0, -2)), n, n]);
}

/** `rows` matrices of `shape` from a batch, as a tensor of their own. */
const fromBatch = (x: Tensor, shape: Shape): Tensor => wrap(reshape(x, shape).value);

function refuseSingular(op: string, { pivots }: Elimination, what: string): void {
  wantPivots(
    op,
    'ERR_SINGULAR',
    pivots,
    (p) => p !== 0,
    (order) => `The ${what} because the input matrix is singular. (pivot ${order} is zero)`,
  );
}

OPS.set('linalg.inv', { name: 'linalg.inv', inputs: 1, differentiable: true });
/** The inverses of square matrices (…, n, n). PyTorch: torch.linalg.inv. @throws ValueError `ERR_SINGULAR` */
export function inv(a: Tensor): Tensor {
  wantSquare('linalg.inv', a);
  wantPrecise('linalg.inv', a);
  const result = eliminate(asBatch(a), identity(a));
  refuseSingular('linalg.inv', result, 'inversion could not be completed');
  const out = fromBatch(result.solution, a.shape);
  if (recording(a)) {
    attach(out, 'LinalgInvBackward0', [a], (grad, node) => {
      const inverse = transpose(node.saved(0), -1, -2);
      return [inverse.matmul(grad).matmul(inverse).neg()];
    }).save(out);
  }
  return out;
}

/** Is `b` a vector (or a batch of them) for `a`, as torch.linalg.solve tells it? */
const isVector = (a: Tensor, b: Tensor): boolean => b.ndim === 1 || (a.ndim - 1 === b.ndim && sameShape(b.shape, a.shape.slice(0, -1)));

export interface SolveOptions {
  /** false: X A = B. Default true: A X = B. */
  readonly left?: boolean;
}

OPS.set('linalg.solve', { name: 'linalg.solve', inputs: 2, differentiable: true });
/**
 * The X with A X = B, for square matrices (…, n, n) and (…, n, m), or vectors (…, n). PyTorch: torch.linalg.solve.
 * @throws ValueError `ERR_SINGULAR`; ShapeError `ERR_SOLVE_SHAPE`
 */
export function solve(a: Tensor, b: Tensor, options: SolveOptions = {}): Tensor {
  checkOptions('solve', options, SOLVE_OPTIONS);
  const op = 'linalg.solve';
  wantSquare(op, a);
  wantPrecise(op, a);
  if (a.dtype !== b.dtype)
    throw new DTypeError(
      'ERR_DTYPE_MIX',
      `${op}: Expected A and B to have the same dtype, but found A of type ${a.dtype} and B of type ${b.dtype} instead`,
      { op, dtypes: [a.dtype, b.dtype] },
    );
  const vector = isVector(a, b);
  if (options.left === false) {
    if (vector)
      throw new ShapeError(
        'ERR_SOLVE_SHAPE',
        `${op}: Vector broadcasting of the left hand side is not supported for left=False. In this case linalg.solve is equivalent to B / A.squeeze(-1)`,
        { op, shapes: [a.shape, b.shape] },
      );
    return transpose(solve(transpose(a, -1, -2), transpose(b, -1, -2)), -1, -2);
  }
  const right = vector ? unsqueeze(b, -1) : b;
  if (right.ndim < 2 || right.shape.at(-2) !== a.shape.at(-1)) {
    throw new ShapeError(
      'ERR_SOLVE_SHAPE',
      `${op}: Incompatible shapes of A and B for the equation AX = B: ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
      { op, shapes: [a.shape, b.shape] },
    );
  }
  const out = solveMatrices(a, right);
  return vector ? out.squeeze(-1) : out;
}

function solveMatrices(a: Tensor, b: Tensor): Tensor {
  const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2), 'linalg.solve');
  const n = a.shape.at(-1)!;
  const m = b.shape.at(-1)!;
  const result = eliminate(asBatch(expand(a, [...batch, n, n])), asBatch(expand(b, [...batch, n, m])));
  refuseSingular('linalg.solve', result, 'solver failed');
  const out = fromBatch(result.solution, [...batch, n, m]);
  if (recording(a, b)) {
    const { shape: aShape } = a;
    const { shape: bShape } = b;
    attach(out, 'LinalgSolveExBackward0', [a, b], (grad, node) => {
      const gradB = solveMatrices(transpose(node.saved(0), -1, -2), grad);
      return [
        node.needs(0) ? sumTo(gradB.matmul(transpose(node.saved(1), -1, -2)).neg(), aShape) : null,
        node.needs(1) ? sumTo(gradB, bShape) : null,
      ];
    }).save(a, out);
  }
  return out;
}

/** The distance of 1 to the next number. */
const epsilon = (x: Tensor): number => (x.dtype === 'float64' ? 2 ** -52 : 2 ** -23);

OPS.set('linalg.det', { name: 'linalg.det', inputs: 1, differentiable: true });
/** The determinants of square matrices (…, n, n). PyTorch: torch.linalg.det. */
export function det(a: Tensor): Tensor {
  wantSquare('linalg.det', a);
  wantPrecise('linalg.det', a);
  const shape = a.shape.slice(0, -2);
  const count = numelOf(shape);
  const { pivots, sign } = eliminate(asBatch(a), filled([count, a.shape.at(-1)!, 0], 0, a.dtype, a.device));
  const out = fromBatch(pivots.prod(1).mul(sign), shape);
  if (recording(a)) {
    attach(out, 'LinalgDetBackward0', [a], (grad, node) => {
      const matrix = node.saved(0);
      // dL/dA = dL/d det · det · A⁻ᵀ; for a singular matrix, of one nearby.
      const scale = grad.mul(node.saved(1)).unsqueeze(-1).unsqueeze(-1);
      const inverse = gradState.enabled
        ? inv(matrix)
        : fromBatch(eliminate(asBatch(matrix), identity(matrix), epsilon(matrix)).solution, matrix.shape);
      return [transpose(inverse, -1, -2).mul(scale)];
    }).save(a, out);
  }
  return out;
}
