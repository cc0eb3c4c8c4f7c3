/**
 * @file Numbers of events: Poisson and binomial samples, by the algorithms that PyTorch's CPU generator uses, so that a seed gives the same numbers.
 * Few expected events are counted one by one; many are drawn by transformed rejection (W. Hörmann, "The transformed rejection method for generating
 * Poisson random variables", 1993, and "The generation of binomial random variates", 1993).
 */
import { lgamma } from '../backend/special.js';

/** A source of uniform float64 numbers in [0, 1). */
type Uniform = () => number;

/** From so many expected events on, rejection is the faster way. */
const MANY = 10;

/** One sample of the Poisson distribution of rate `rate` ≥ 0. PyTorch: torch.poisson. */
export function samplePoisson(rate: number, uniform: Uniform): number {
  if (rate === 0) return 0;
  return rate < MANY ? countArrivals(rate, uniform) : rejectPoisson(rate, uniform);
}

/** How many factors a product of uniform numbers takes to fall to e^(−rate). */
function countArrivals(rate: number, uniform: Uniform): number {
  const end = Math.exp(-rate);
  let count = 0;
  for (let product = uniform(); product > end; product *= uniform()) count++;
  return count;
}

function rejectPoisson(rate: number, uniform: Uniform): number {
  const logRate = Math.log(rate);
  const b = 0.931 + 2.53 * Math.sqrt(rate);
  const a = -0.059 + 0.02483 * b;
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
  const box = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const u = uniform() - 0.5;
    const v = uniform();
    const edge = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / edge + b) * u + rate + 0.43);
    if (edge >= 0.07 && v <= box) return k;
    if (k < 0 || (edge < 0.013 && v > edge)) continue;
    const bound = -rate + k * logRate - lgamma(k + 1);
    if (Math.log(v) + Math.log(inverseAlpha) - Math.log(a / (edge * edge) + b) <= bound) return k;
  }
}

/** Successes of `count` trials that each succeed with probability `p`; NaN where `p` is no number. PyTorch: torch.binomial. */
export function sampleBinomial(count: number, p: number, uniform: Uniform): number {
  if (count <= 0 || p <= 0) return 0;
  if (p >= 1) return count;
  if (p <= 0.5) return rareSuccesses(count, p, uniform);
  return p > 0.5 ? count - rareSuccesses(count, 1 - p, uniform) : Number.NaN;
}

const rareSuccesses = (count: number, p: number, uniform: Uniform): number =>
  count * p >= MANY ? rejectBinomial(count, p, uniform) : leapBinomial(count, p, uniform);

/** From success to success by geometric leaps. */
function leapBinomial(count: number, p: number, uniform: Uniform): number {
  const logFailure = Math.log1p(-p);
  let successes = 0;
  for (let trial = 0; ; successes++) {
    trial += Math.ceil(Math.log(uniform()) / logFailure);
    if (trial > count) return successes;
  }
}

function rejectBinomial(count: number, p: number, uniform: Uniform): number {
  const deviation = Math.sqrt(count * p * (1 - p));
  const b = 1.15 + 2.53 * deviation;
  const a = -0.0873 + 0.0248 * b + 0.01 * p;
  const centre = count * p + 0.5;
  const box = 0.92 - 4.2 / b;
  const odds = p / (1 - p);
  const alpha = (2.83 + 5.1 / b) * deviation;
  const mode = Math.floor((count + 1) * p);
  for (;;) {
    const u = uniform() - 0.5;
    const v = uniform();
    const edge = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / edge + b) * u + centre);
    if (k < 0 || k > count) continue;
    if (edge >= 0.07 && v <= box) return k;
    const bound =
      (mode + 0.5) * Math.log((mode + 1) / (odds * (count - mode + 1))) +
      (count + 1) * Math.log((count - mode + 1) / (count - k + 1)) +
      (k + 0.5) * Math.log((odds * (count - k + 1)) / (k + 1)) +
      stirlingTail(mode) +
      stirlingTail(count - mode) -
      stirlingTail(k) -
      stirlingTail(count - k);
    if (Math.log((v * alpha) / (a / (edge * edge) + b)) <= bound) return k;
  }
}

/** What Stirling's formula leaves of ln k!, for k of 0 to 9; a series from there on. */
const STIRLING_TAILS = [
  0.0810614667953272, 0.0413406959554092, 0.0276779256849983, 0.020790672103765, 0.0166446911898211, 0.0138761288230707, 0.0118967099458917,
  0.010411265261972, 0.00925546218271273, 0.00833056343336287,
];

function stirlingTail(k: number): number {
  const tabled = STIRLING_TAILS[k];
  if (tabled !== undefined) return tabled;
  const square = (k + 1) * (k + 1);
  return (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / (k + 1);
}
