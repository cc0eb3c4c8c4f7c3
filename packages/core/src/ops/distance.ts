/** @file Distances of all pairs of rows. */
import { asFloat32 } from '../amp/policy.js';
import { autocasting } from '../amp/state.js';
import { DTypeError, formatShape, ShapeError, ValueError } from '../errors.js';
import { type DType, isFloat, promoteTypes } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { castValue, type Value } from '../tensor/value.js';
import { cast } from './cast.js';
import { e } from './expression.js';
import { powerOf } from './power.js';
import { reduceTo } from './reduction.js';
import { OPS } from './registry.js';
import { attach, recording, wrap } from './result.js';
import { sumTo } from './sum-to.js';
import { checkOptions, type OptionNames } from '../options.js';

const CDIST_OPTIONS: OptionNames<CdistOptions> = { p: true, computeMode: true };

export interface CdistOptions {
  /** Default 2. */
  readonly p?: number;
  /** How PyTorch may compute p = 2. Here it is always the exact form: `donot_use_mm_for_euclid_dist`. */
  readonly computeMode?: string;
}

OPS.set('cdist', { name: 'cdist', inputs: 2, differentiable: true });
/**
 * The p-norm distance of each row of `a` (…, P, M) to each row of `b` (…, R, M), as (…, P, R); leading dims broadcast. PyTorch: torch.cdist.
 * One reduction, without the differences in memory.
 */
export function cdist(a: Tensor, b: Tensor, options: CdistOptions = {}): Tensor {
  checkOptions('cdist', options, CDIST_OPTIONS);
  if (autocasting.on) return asFloat32(cdist, a, b, options);
  const p = options.p ?? 2;
  for (const x of [a, b]) {
    if (!isFloat(x.dtype))
      throw new DTypeError('ERR_DTYPE', `cdist: cdist only supports floating-point dtypes, got: ${x.dtype}`, {
        op: 'cdist',
        dtypes: [x.dtype],
      });
    if (x.ndim < 2)
      throw new ShapeError('ERR_RANK', `cdist: cdist only supports at least 2D tensors, got: ${x.ndim}D`, {
        op: 'cdist',
        shapes: [x.shape],
      });
  }
  if (a.shape.at(-1) !== b.shape.at(-1))
    throw new ShapeError(
      'ERR_CDIST_SHAPE',
      `cdist: X1 and X2 must have the same number of columns. X1: ${formatShape(a.shape)} X2: ${formatShape(b.shape)}`,
      { op: 'cdist', shapes: [a.shape, b.shape] },
    );
  if (p < 0) throw new ValueError('ERR_NORM', `cdist: cdist only supports non-negative p values`, { op: 'cdist' });
  const dtype = promoteTypes(a.dtype, b.dtype);
  const x = cast(a, dtype).unsqueeze(-2);
  const y = cast(b, dtype).unsqueeze(-3);
  const between = e.sub(castValue(x.detach().value, compute(dtype)), castValue(y.detach().value, compute(dtype)));
  const last = [between.shape.length - 1];
  const out = wrap(castValue(distance(between, p, last), dtype));
  if (recording(x, y)) {
    attach(out, 'CdistBackward0', [x, y], (grad, node) => {
      const each = distanceGradient(grad.unsqueeze(-1), node.saved(0).sub(node.saved(1)), node.saved(2).unsqueeze(-1), p);
      return [node.needs(0) ? sumTo(each, x.shape) : null, node.needs(1) ? sumTo(each, y.shape).neg() : null];
    }).save(x, y, out);
  }
  return out;
}

const compute = (dtype: DType): DType => (dtype === 'float64' ? 'float64' : 'float32');

function distance(between: Value, p: number, last: readonly number[]): Value {
  // Made only where it is needed: a value that nobody computes keeps what it reads alive.
  const size = (): Value => e.abs(between);
  const reduce = (kind: 'sum' | 'max', v: Value): Value => reduceTo(kind, v, last, false, 0);
  if (p === 0) return reduce('sum', e.cast(e.ne(between, 0), between.dtype));
  if (p === 1) return reduce('sum', size());
  if (p === 2) return e.sqrt(reduce('sum', e.mul(between, between)));
  if (p === Infinity) return reduce('max', size());
  return powerOf(e, reduce('sum', powerOf(e, size(), p)), 1 / p);
}

/** The gradient of each difference; 0 where two rows are the same. PyTorch: Dist in DistanceOpsKernel.cpp. */
function distanceGradient(grad: Tensor, between: Tensor, dist: Tensor, p: number): Tensor {
  if (p === 0) return grad.mul(between.mul(0));
  if (p === 1) return grad.mul(between.sign());
  if (p === Infinity) return grad.mul(between.sign()).mul(cast(between.abs().eq(dist), grad.dtype));
  const same = dist.eq(0);
  const safe = dist.maskedFill(same, 1);
  if (p === 2) return grad.mul(between.div(safe)).maskedFill(same, 0);
  if (p < 2) {
    const still = between.eq(0);
    const slope = between
      .maskedFill(still, 1)
      .abs()
      .pow(p - 1)
      .mul(between.sign());
    return grad.mul(slope.div(safe.pow(p - 1))).maskedFill(same.logicalOr(still), 0);
  }
  return grad.mul(between.mul(between.abs().pow(p - 2)).div(safe.pow(p - 1))).maskedFill(same, 0);
}
