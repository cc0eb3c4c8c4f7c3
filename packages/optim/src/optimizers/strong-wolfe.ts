/**
 * @file A line search for the strong Wolfe conditions: bracketing, then zooming by cubic interpolation (Nocedal and Wright, algorithms 3.5 and
 * 3.6). PyTorch: torch.optim.lbfgs._strong_wolfe.
 */
import type { Tensor } from '@tessera/core';

/** The loss, the gradient and its slope along the direction, at some step. */
export interface Point {
  readonly t: number;
  readonly loss: number;
  readonly gradient: Tensor;
  readonly slope: number;
}

/** The minimum of the cubic through two points with their slopes, within bounds. PyTorch: _cubic_interpolate. */
export function cubicMinimum(a: Omit<Point, 'gradient'>, b: Omit<Point, 'gradient'>, bounds?: readonly [number, number]): number {
  const [low, high] = bounds ?? (a.t <= b.t ? [a.t, b.t] : [b.t, a.t]);
  const d1 = a.slope + b.slope - (3 * (a.loss - b.loss)) / (a.t - b.t);
  const square = d1 * d1 - a.slope * b.slope;
  if (!(square >= 0)) return (low + high) / 2;
  const d2 = Math.sqrt(square);
  const at =
    a.t <= b.t
      ? b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
      : a.t - (a.t - b.t) * ((a.slope + d2 - d1) / (a.slope - b.slope + 2 * d2));
  return Math.min(Math.max(at, low), high);
}

/** Constants of the search: sufficient decrease, curvature, least change, most steps. */
const C1 = 1e-4;
const C2 = 0.9;
const TOLERANCE_CHANGE = 1e-9;
const MAX_STEPS = 25;

/**
 * Searches along one direction. `evaluate` gives the point at a step, by way of what the caller yields to.
 * @param start The point at step 0.
 * @param size The largest element of the direction.
 * @returns the point found, and how often the loss was computed.
 */
export function* strongWolfe<Request, Answer>(
  evaluate: (t: number) => Generator<Request, Point, Answer>,
  start: Point,
  firstStep: number,
  size: number,
): Generator<Request, { readonly point: Point; readonly evaluations: number }, Answer> {
  const descends = (p: Point): boolean => p.loss <= start.loss + C1 * p.t * start.slope;
  const flat = (p: Point): boolean => Math.abs(p.slope) <= -C2 * start.slope;
  let current = yield* evaluate(firstStep);
  let evaluations = 1;
  let previous = start;
  let steps = 0;
  let bracket: [Point, Point] | null = null;
  while (steps < MAX_STEPS) {
    if (!descends(current) || (steps > 1 && current.loss >= previous.loss)) bracket = [previous, current];
    else if (flat(current)) return { point: current, evaluations };
    else if (current.slope >= 0) bracket = [previous, current];
    if (bracket !== null) break;
    const { t } = current;
    const next = cubicMinimum(previous, current, [t + 0.01 * (t - previous.t), t * 10]);
    previous = current;
    current = yield* evaluate(next);
    evaluations++;
    steps++;
  }
  bracket ??= [start, current];

  let low = bracket[0].loss <= bracket[1].loss ? 0 : 1;
  let insufficient = false;
  while (steps < MAX_STEPS) {
    const [a, b] = bracket;
    if (Math.abs(b.t - a.t) * size < TOLERANCE_CHANGE) break;
    const left = Math.min(a.t, b.t);
    const right = Math.max(a.t, b.t);
    let t = cubicMinimum(a, b);
    // Too near an end of the bracket: once is allowed, then the step is moved inwards.
    const margin = 0.1 * (right - left);
    if (Math.min(right - t, t - left) < margin) {
      if (insufficient || t >= right || t <= left) {
        t = Math.abs(t - right) < Math.abs(t - left) ? right - margin : left + margin;
        insufficient = false;
      } else insufficient = true;
    } else insufficient = false;
    const point = yield* evaluate(t);
    evaluations++;
    steps++;
    const high = 1 - low;
    if (!descends(point) || point.loss >= bracket[low]!.loss) {
      bracket[high] = point;
      low = bracket[0].loss <= bracket[1].loss ? 0 : 1;
      continue;
    }
    const done = flat(point);
    if (!done && point.slope * (bracket[high]!.t - bracket[low]!.t) >= 0) bracket[high] = bracket[low]!;
    bracket[low] = point;
    if (done) break;
  }
  return { point: bracket[low]!, evaluations };
}
