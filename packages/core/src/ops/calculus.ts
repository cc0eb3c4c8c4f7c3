/** @file Slopes and integrals of sampled functions. */
import { formatShape, ShapeError, ValueError } from '../errors.js';
import { floatDType, isFloat } from '../tensor/dtype.js';
import { normalizeDim, normalizeDims } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { cast } from './cast.js';
import { cat } from './cat.js';
import { filled } from './fill.js';
import { OPS } from './registry.js';
import { narrow, reshape, slice } from './view.js';
import { checkOptions, type OptionNames } from '../options.js';

const INTEGRAL_OPTIONS: OptionNames<IntegralOptions> = { dx: true, dim: true };
const GRADIENT_OPTIONS: OptionNames<GradientOptions> = { spacing: true, dim: true, edgeOrder: true };

/** All but the last and all but the first along a dim. */
function neighbours(x: Tensor, dim: number): [before: Tensor, after: Tensor] {
  const n = x.shape[dim]!;
  return [narrow(x, dim, 0, n - 1), narrow(x, dim, 1, n - 1)];
}

export interface IntegralOptions {
  /** The distance of neighbours, where no places are given. Default 1. */
  readonly dx?: number;
  /** Default the last. */
  readonly dim?: number;
}

/** The area between each two neighbours. */
function trapezoids(op: string, y: Tensor, x: Tensor | null, options: IntegralOptions): [areas: Tensor, dim: number] {
  const d = normalizeDim(options.dim ?? -1, y.ndim, op);
  const values = isFloat(y.dtype) || x !== null ? y : cast(y, floatDType(y.dtype));
  if (values.shape[d] === 0) return [values, d];
  const [left, right] = neighbours(values, d);
  if (x === null) return [right.add(left).mul((options.dx ?? 1) / 2), d];
  let places = x;
  if (x.ndim === 1) {
    if (x.shape[0] !== y.shape[d])
      throw new ShapeError(
        'ERR_TRAPEZOID',
        `${op}: there must be one \`x\` value for each sample point: ${formatShape(x.shape)} and ${formatShape(y.shape)}`,
        { op, shapes: [y.shape, x.shape] },
      );
    places = reshape(
      x,
      y.shape.map((s, k) => (k === d ? s : 1)),
    );
  } else if (x.ndim < y.ndim) places = reshape(x, [...y.shape.slice(0, y.ndim - x.ndim).map(() => 1), ...x.shape]);
  const [from, to] = neighbours(places, places.ndim - y.ndim + d);
  return [to.sub(from).mul(right.add(left)).div(2), d];
}

OPS.set('trapezoid', { name: 'trapezoid', inputs: 2, differentiable: true });
/** ∫ y along a dim by the trapezoidal rule, between places `x` or at distance dx. PyTorch: torch.trapezoid. */
export function trapezoid(y: Tensor, x?: Tensor | null, options: IntegralOptions = {}): Tensor {
  checkOptions('trapezoid', options, INTEGRAL_OPTIONS);
  const [areas, d] = trapezoids('trapezoid', y, x ?? null, options);
  return y.shape[d] === 0
    ? filled(
        y.shape.filter((_, k) => k !== d),
        0,
        floatDType(y.dtype),
        y.device,
      )
    : areas.sum(d);
}

/** PyTorch: torch.trapz. */
export { trapezoid as trapz };

OPS.set('cumulativeTrapezoid', { name: 'cumulativeTrapezoid', inputs: 2, differentiable: true });
/** The integral up to each place but the first. PyTorch: torch.cumulative_trapezoid. */
export function cumulativeTrapezoid(y: Tensor, x?: Tensor | null, options: IntegralOptions = {}): Tensor {
  checkOptions('cumulativeTrapezoid', options, INTEGRAL_OPTIONS);
  const [areas, d] = trapezoids('cumulativeTrapezoid', y, x ?? null, options);
  return areas.cumsum(d);
}

export interface GradientOptions {
  /** The distance of neighbours: for all dims, or for each; or the places themselves, for each. Default 1. */
  readonly spacing?: number | readonly number[] | readonly Tensor[] | null;
  /** Default all. */
  readonly dim?: number | readonly number[] | null;
  /** How exact the ends are: 1 (the default) or 2. */
  readonly edgeOrder?: number;
}

OPS.set('gradient', { name: 'gradient', inputs: 1, differentiable: true });
/** The slopes of a sampled function along each dim, by central differences of second order. PyTorch: torch.gradient. @throws ValueError `ERR_GRADIENT` */
export function gradient(x: Tensor, options: GradientOptions = {}): Tensor[] {
  checkOptions('gradient', options, GRADIENT_OPTIONS);
  const op = 'gradient';
  const fail = (why: string): never => {
    throw new ValueError('ERR_GRADIENT', `${op}: torch.gradient expected ${why}`, { op, shapes: [x.shape] });
  };
  const { edgeOrder = 1 } = options;
  const spacing = options.spacing ?? 1;
  if (edgeOrder !== 1 && edgeOrder !== 2) fail('edge_order to be 1 or 2.');
  const dims = normalizeDims(options.dim, x.ndim, op);
  const list = typeof spacing === 'number' ? dims.map(() => spacing) : spacing;
  if (list.length !== dims.length) fail(`spacing to be unspecified, a scalar or a list of length ${dims.length}, but got ${list.length}`);
  const y = isFloat(x.dtype) ? x : cast(x, 'float32');
  return dims.map((d, i) => {
    const n = x.shape[d]!;
    if (n <= edgeOrder) fail(`each dimension size to be at least edge_order+1`);
    const step = list[i]!;
    if (!isTensor(step)) return evenSlope(y, d, step, edgeOrder);
    if (step.ndim !== 1) fail(`each element of spacing to have one dimension, but got an element with ${step.ndim} dimensions!`);
    if (step.shape[0] !== n) fail(`each element of spacing to have as many places as the dim, ${n}, but got ${step.shape[0]}`);
    return unevenSlope(y, d, step, edgeOrder);
  });
}

function evenSlope(y: Tensor, d: number, h: number, edgeOrder: number): Tensor {
  const n = y.shape[d]!;
  const at = (i: number): Tensor => narrow(y, d, i < 0 ? n + i : i, 1);
  const inside = slice(y, d, 2)
    .sub(slice(y, d, 0, n - 2))
    .div(2 * h);
  const first = edgeOrder === 1 ? at(1).sub(at(0)).div(h) : at(0).mul(-1.5).add(at(1).mul(2)).sub(at(2).mul(0.5)).div(h);
  const last = edgeOrder === 1 ? at(-1).sub(at(-2)).div(h) : at(-3).mul(0.5).sub(at(-2).mul(2)).add(at(-1).mul(1.5)).div(h);
  return cat([first, inside, last], d);
}

/** Slopes of the parabolas through three places each. */
function unevenSlope(y: Tensor, d: number, places: Tensor, edgeOrder: number): Tensor {
  const n = y.shape[d]!;
  const x = cast(places, y.dtype);
  const steps = reshape(
    x.diff(),
    y.shape.map((_, k) => (k === d ? n - 1 : 1)),
  );
  const h = (i: number): Tensor => narrow(steps, d, i < 0 ? n - 1 + i : i, 1);
  const at = (i: number): Tensor => narrow(y, d, i < 0 ? n + i : i, 1);
  const a = slice(steps, d, 0, n - 2);
  const b = slice(steps, d, 1);
  const sum = a.add(b);
  const inside = slice(y, d, 0, n - 2)
    .mul(b.div(a.mul(sum)).neg())
    .add(slice(y, d, 1, n - 1).mul(b.sub(a).div(a.mul(b))))
    .add(slice(y, d, 2).mul(a.div(b.mul(sum))));
  if (edgeOrder === 1) return cat([at(1).sub(at(0)).div(h(0)), inside, at(-1).sub(at(-2)).div(h(-1))], d);
  const edge = (p: Tensor, q: Tensor, y0: Tensor, y1: Tensor, y2: Tensor): Tensor =>
    y0
      .mul(
        p
          .mul(2)
          .add(q)
          .div(p.mul(p.add(q)))
          .neg(),
      )
      .add(y1.mul(p.add(q).div(p.mul(q))))
      .sub(y2.mul(p.div(q.mul(p.add(q)))));
  const last = edge(h(-1), h(-2), at(-1), at(-2), at(-3)).neg();
  return cat([edge(h(0), h(1), at(0), at(1), at(2)), inside, last], d);
}
